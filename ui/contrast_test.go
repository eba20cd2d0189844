package ui

import (
	"fmt"
	"image/color"
	"math"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// luminance is how bright a colour is (WCAG 2.2, relative luminance), 0 to 1.
func luminance(c color.Color) float64 {
	channel := func(v uint32) float64 {
		s := float64(v) / 0xffff
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	r, g, b, _ := c.RGBA()
	return 0.2126*channel(r) + 0.7152*channel(g) + 0.0722*channel(b)
}

// contrast is WCAG's contrast ratio of two colours, 1 to 21.
func contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// The usual backgrounds of terminals, from the darkest to the lightest of their kind: black, GNOME,
// VS Code, Catppuccin, Dracula, One, Nord, Solarized; white, Solarized, Catppuccin, grey.
var (
	darkGrounds  = []string{"#000000", "#1c1c1c", "#1e1e1e", "#1e1e2e", "#282a36", "#282c34", "#2e3440", "#002b36"}
	lightGrounds = []string{"#ffffff", "#fafafa", "#fdf6e3", "#eff1f5", "#eeeeee"}
)

// usual16 are what the 16 colours usually are.
var usual16 = map[string][16]string{
	"xterm": {
		"#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5",
		"#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff",
	},
	"the Linux console": {
		"#000000", "#aa0000", "#00aa00", "#aa5500", "#0000aa", "#aa00aa", "#00aaaa", "#aaaaaa",
		"#555555", "#ff5555", "#55ff55", "#ffff55", "#5555ff", "#ff55ff", "#55ffff", "#ffffff",
	},
}

const (
	leastForText = 4.5 // WCAG 2.2, 1.4.3, level AA
	leastForRule = 1.4 // a rule only has to be seen; nothing depends on it
)

// TestContrast computes the contrast of everything that a theme paints, on every usual background and
// on the selected row, with all colours and with 256.
func TestContrast(t *testing.T) {
	for _, th := range themes {
		for what, side := range map[string]struct {
			p       palette
			grounds []string
		}{"dark": {th.dark, darkGrounds}, "light": {th.light, lightGrounds}} {
			for _, indexed := range []bool{false, true} {
				texts := map[string]shade{
					"muted": side.p.muted, "accent": side.p.accent, "good": side.p.good, "info": side.p.info, "warn": side.p.warn, "bad": side.p.bad,
				}
				for name, s := range texts {
					holdContrast(t, fmt.Sprintf("%s %s, %s, 256: %v", th.name, what, name, indexed), s.of(indexed), side.p.selection.of(indexed), side.grounds, leastForText)
				}
				if th.name != terminalTheme {
					holdContrast(t, fmt.Sprintf("%s %s, faint, 256: %v", th.name, what, indexed), side.p.faint.of(indexed), nil, side.grounds, leastForRule)
				}
			}
		}
	}
}

func holdContrast(t *testing.T, what string, c, selection color.Color, grounds []string, least float64) {
	t.Helper()
	if c == nil {
		return // the terminal's own text
	}
	if basic, ok := c.(ansi.BasicColor); ok {
		for name, usual := range usual16 {
			ground := grounds[0] // black or white: whoever changes that changes the 16 as well
			if got := contrast(lipgloss.Color(usual[basic]), lipgloss.Color(ground)); got < least {
				t.Errorf("%s: %.2f on %s of %s", what, got, ground, name)
			}
		}
		return
	}
	for _, g := range grounds {
		if got := contrast(c, lipgloss.Color(g)); got < least {
			t.Errorf("%s: %.2f on %s", what, got, g)
		}
	}
	if selection == nil {
		return
	}
	if got := contrast(c, selection); got < least {
		t.Errorf("%s: %.2f on the selected row", what, got)
	}
}

// The test above can fail at all.
func TestContrastIsMeasured(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want float64
	}{{"#000000", "#ffffff", 21}, {"#777777", "#ffffff", 4.48}, {"#ffffff", "#ffffff", 1}, {"#0000ff", "#ffffff", 8.59}} {
		if got := contrast(lipgloss.Color(tt.a), lipgloss.Color(tt.b)); math.Abs(got-tt.want) > 0.01 {
			t.Errorf("%s on %s: %.2f, want %.2f", tt.a, tt.b, got, tt.want)
		}
	}
}
