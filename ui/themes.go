package ui

import (
	"image/color"
	"strconv"

	"charm.land/lipgloss/v2"
)

// shade is a colour, and the one of the 256 that stands for it where there are no more. That one is
// chosen by eye: the nearest is often a grey, or too pale to be read.
type shade struct{ full, indexed color.Color }

func hue(rgb string, index int) shade {
	return shade{lipgloss.Color(rgb), lipgloss.Color(strconv.Itoa(index))}
}

// own is one of the terminal's own 16 colours.
func own(c color.Color) shade { return shade{c, c} }

// of gives the colour for a terminal that has all of them, or 256.
func (s shade) of(indexed bool) color.Color {
	if indexed {
		return s.indexed
	}
	return s.full
}

// palette is the third layer of the look: what a theme paints the tokens with. Without a colour the
// terminal's own is left; text itself is always the terminal's. What is read has a contrast of 4.5 (WCAG
// AA) on every usual background, and on the selected row.
type palette struct {
	muted     shade // second rank: labels, help
	faint     shade // rules, what is spent; never text
	accent    shade // where one is
	good      shade
	info      shade // something is under way
	warn      shade
	bad       shade
	selection shade // behind the selected row
}

// theme is a palette for dark and one for light terminals.
type theme struct {
	name  string
	dark  palette
	light palette
}

// terminalTheme uses the 16 colours of the terminal, however they are set there. It paints no
// background and no grey, because none of the 16 is a grey on every terminal.
const terminalTheme = "terminal"

// themes are the built-in ones, the default first.
var themes = []theme{
	{
		name: "harbour",
		dark: palette{
			muted: hue("#929daf", 247), faint: hue("#515b6d", 240), accent: hue("#5ec4d6", 80),
			good: hue("#79c98f", 114), info: hue("#82aaff", 111), warn: hue("#e6b566", 179),
			bad: hue("#f47c7c", 210), selection: hue("#1f2b38", 236),
		},
		light: palette{
			muted: hue("#5a6575", 240), faint: hue("#adb4be", 249), accent: hue("#0a6c80", 24),
			good: hue("#23783c", 22), info: hue("#2258b8", 25), warn: hue("#935400", 94),
			bad: hue("#bf2a2a", 124), selection: hue("#e1eef2", 255),
		},
	},
	{
		name: "heath",
		dark: palette{
			muted: hue("#a09ab8", 247), faint: hue("#5d5676", 60), accent: hue("#c9a9ee", 183),
			good: hue("#8fcba4", 115), info: hue("#93c5e0", 117), warn: hue("#efbb7c", 222),
			bad: hue("#f0799c", 211), selection: hue("#2a2440", 236),
		},
		light: palette{
			muted: hue("#655f7c", 240), faint: hue("#b7b0c4", 249), accent: hue("#7444ae", 91),
			good: hue("#2a744d", 22), info: hue("#2c6384", 24), warn: hue("#935606", 94),
			bad: hue("#b12c57", 125), selection: hue("#efe7f7", 255),
		},
	},
	{
		name: "ember",
		dark: palette{
			muted: hue("#a69d90", 144), faint: hue("#645b51", 240), accent: hue("#eb9b62", 215),
			good: hue("#a9c072", 149), info: hue("#8fb8b2", 109), warn: hue("#e8cb6c", 221),
			bad: hue("#f07b62", 209), selection: hue("#302820", 236),
		},
		light: palette{
			muted: hue("#6a6156", 240), faint: hue("#bcb2a3", 249), accent: hue("#a3500c", 94),
			good: hue("#4f6e16", 22), info: hue("#2d6762", 23), warn: hue("#82600a", 58),
			bad: hue("#b0361a", 124), selection: hue("#f5e9d9", 255),
		},
	},
	{
		name: terminalTheme,
		dark: palette{
			accent: own(lipgloss.Cyan), good: own(lipgloss.Green), info: own(lipgloss.Cyan),
			warn: own(lipgloss.BrightYellow), bad: own(lipgloss.BrightRed),
		},
		// On a light background nobody reads the usual green, yellow and cyan, on a dark one the usual blue.
		light: palette{
			accent: own(lipgloss.Blue), info: own(lipgloss.Blue), warn: own(lipgloss.Magenta), bad: own(lipgloss.Red),
		},
	},
}

// Themes are the names of the built-in themes, the default one first. The last one uses the
// terminal's own 16 colours.
func Themes() []string {
	names := make([]string, len(themes))
	for i, t := range themes {
		names[i] = t.name
	}
	return names
}

// themeNamed gives the theme of that name, or the default one.
func themeNamed(name string) theme {
	for _, t := range themes {
		if t.name == name {
			return t
		}
	}
	return themes[0]
}
