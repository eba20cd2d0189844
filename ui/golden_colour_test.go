package ui

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
)

// colourScenes are those whose frames are kept with their colours too: every view, and dialogs of
// every kind.
var colourScenes = []string{
	"accounts", "filtered", "sign in", "inspector permissions", "inspector compared", "tokens marked", "tokens of everyone",
	"sessions listed", "activity full", "help", "palette", "confirm", "revoke most", "token details", "failures", "bulk job",
	"may it, differs", "trust", "users listed", "user edit", "user card",
}

// TestGoldenColour holds screens against the frames kept of them as a terminal gets them: with
// 24 bits of colour, and with none.
func TestGoldenColour(t *testing.T) {
	for _, name := range colourScenes {
		for _, size := range [][2]int{{80, 24}, {140, 40}} {
			for what, profile := range map[string]colorprofile.Profile{"": colorprofile.TrueColor, "mono": colorprofile.ASCII} {
				t.Run(strings.TrimSpace(name+" "+strconv.Itoa(size[0])+" "+what), func(t *testing.T) {
					a := newTestApp(t, size[0], size[1], testAccounts(noon))
					a.Update(tea.ColorProfileMsg{Profile: profile})
					scenes()[name](a)
					a.Update(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
					golden.RequireEqual(t, degraded(t, a.View().Content, profile)+"\n")
				})
			}
		}
	}
}

// TestGoldenThemes holds the accounts against their frames in every theme, light and dark.
func TestGoldenThemes(t *testing.T) {
	for _, th := range themes {
		for what, dark := range map[string]bool{" light": false, " dark": true} {
			t.Run(th.name+what, func(t *testing.T) {
				a := newTestApp(t, 80, 24, testAccounts(noon))
				a.theme, a.dark = th, dark
				a.restyle()
				press(a, "j")
				golden.RequireEqual(t, a.View().Content+"\n")
			})
		}
	}
}

// degraded is what a terminal of a profile gets to see of a frame.
func degraded(t *testing.T, frame string, profile colorprofile.Profile) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := (&colorprofile.Writer{Forward: &b, Profile: profile}).WriteString(frame); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestColourTellsNothingAlone holds that whoever sees no colours reads the same as everybody.
func TestColourTellsNothingAlone(t *testing.T) {
	for name, setUp := range scenes() {
		a, mono := newTestApp(t, 100, 30, testAccounts(noon)), newTestApp(t, 100, 30, testAccounts(noon))
		mono.Update(tea.ColorProfileMsg{Profile: colorprofile.ASCII})
		setUp(a)
		setUp(mono)
		frame := degraded(t, mono.View().Content, colorprofile.ASCII)
		if strings.Contains(frame, "\x1b[3") || strings.Contains(frame, "\x1b[4") && strings.Contains(frame, "\x1b[48") {
			t.Errorf("%s: a colour is left", name)
		}
		// Buttons get brackets, which is all that may differ.
		same := func(s string) string { return strings.NewReplacer("[ ", "  ", " ]", "  ").Replace(ansi.Strip(s)) }
		if same(frame) != same(a.View().Content) {
			t.Errorf("%s without colours:\n%s\nand with:\n%s", name, ansi.Strip(frame), plainFrame(a))
		}
	}
}
