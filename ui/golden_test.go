package ui

import (
	"strconv"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/exp/golden"
)

// goldenScenes are the scenes whose frames are kept, by their names in scenes.
var goldenScenes = []string{
	"accounts", "last row", "no accounts", "filtered", "help", "palette", "sign in", "trust", "key changed",
	"confirm", "failures", "bulk job", "copy as", "passphrase", "sign out",
	"inspector of the record", "inspector told", "inspector permissions", "inspector filtered", "inspector of the expired",
	"inspector refused", "inspector compared", "inspector hostile", "may it, typed", "may it, differs", "paste",
	"pasted access token", "pasted refresh token", "pasted unknown", "pasted and tried", "try",
	"activity", "activity full", "activity with a log", "activity read in full",
	"tokens", "tokens marked", "tokens of everyone", "tokens hostile", "tokens none", "tokens refused", "tokens slow", "tokens result",
	"token details", "token label", "revoke one", "revoke most", "revoke ours", "revoke never", "revoke others'",
	"sessions listed", "sessions of everyone", "session details", "revoke sessions",
	"alarm", "respond plan", "respond plan, a token", "respond plan for everyone", "respond shut out", "respond password", "respond running", "respond asks",
	"respond over", "respond left open", "respond cut off", "aside",
}

// TestGolden holds every screen against the frame kept of it, without colours.
func TestGolden(t *testing.T) {
	for _, name := range goldenScenes {
		for _, size := range [][2]int{{80, 24}, {140, 40}} {
			t.Run(name+" "+strconv.Itoa(size[0]), func(t *testing.T) {
				a := newTestApp(t, size[0], size[1], testAccounts(noon))
				scenes()[name](a)
				a.Update(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
				golden.RequireEqual(t, plainFrame(a)+"\n")
			})
		}
	}
}

// TestGoldenColour holds a few of them with their colours: every theme, light and dark.
func TestGoldenColour(t *testing.T) {
	for _, th := range themes {
		for _, dark := range []bool{true, false} {
			name := th.name + " light"
			if dark {
				name = th.name + " dark"
			}
			t.Run(name, func(t *testing.T) {
				a := newTestApp(t, 80, 24, testAccounts(noon))
				a.theme, a.dark = th, dark
				a.restyle()
				press(a, "j")
				golden.RequireEqual(t, a.View().Content+"\n")
			})
		}
	}
	t.Run("confirm", func(t *testing.T) {
		a := newTestApp(t, 80, 24, testAccounts(noon))
		scenes()["sign out"](a)
		golden.RequireEqual(t, a.View().Content+"\n")
	})
	for _, name := range []string{"inspector permissions", "inspector compared", "may it, differs", "activity full"} {
		t.Run(name, func(t *testing.T) {
			a := newTestApp(t, 120, 34, testAccounts(noon))
			scenes()[name](a)
			golden.RequireEqual(t, a.View().Content+"\n")
		})
		t.Run(name+" mono", func(t *testing.T) {
			a := newTestApp(t, 80, 24, testAccounts(noon))
			a.Update(tea.ColorProfileMsg{Profile: colorprofile.ASCII})
			scenes()[name](a)
			golden.RequireEqual(t, a.View().Content+"\n")
		})
	}
	for _, name := range []string{"tokens marked", "revoke most", "sessions listed"} {
		for _, mono := range []bool{false, true} {
			t.Run(name+map[bool]string{true: " mono"}[mono], func(t *testing.T) {
				a := newTestApp(t, 140, 40, testAccounts(noon))
				if mono {
					a.Update(tea.ColorProfileMsg{Profile: colorprofile.ASCII})
				}
				scenes()[name](a)
				golden.RequireEqual(t, a.View().Content+"\n")
			})
		}
	}
	t.Run("mono", func(t *testing.T) {
		a := newTestApp(t, 80, 24, testAccounts(noon))
		a.Update(tea.ColorProfileMsg{Profile: colorprofile.ASCII})
		press(a, "n")
		golden.RequireEqual(t, a.View().Content+"\n")
	})
}
