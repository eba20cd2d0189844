package ui

import (
	"image/color"

	"charm.land/lipgloss/v2"
)

// palette is the third layer of the look: what a theme paints the tokens with. A nil colour
// leaves the terminal's own; text itself is always the terminal's.
type palette struct {
	muted     color.Color // second rank: labels, help
	faint     color.Color // rules, what is spent
	accent    color.Color // where one is
	good      color.Color
	info      color.Color // something is under way
	warn      color.Color
	bad       color.Color
	selection color.Color // behind the selected row
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

var ansiPalette = palette{
	accent: lipgloss.Cyan, good: lipgloss.Green, info: lipgloss.Blue,
	warn: lipgloss.Yellow, bad: lipgloss.Red,
}

// themes are the built-in ones, the default first.
var themes = []theme{
	{
		name: "harbour",
		dark: palette{
			muted: lipgloss.Color("#8b96a8"), faint: lipgloss.Color("#465062"), accent: lipgloss.Color("#5ec4d6"),
			good: lipgloss.Color("#79c98f"), info: lipgloss.Color("#82aaff"), warn: lipgloss.Color("#e6b566"),
			bad: lipgloss.Color("#f47c7c"), selection: lipgloss.Color("#1f2b38"),
		},
		light: palette{
			muted: lipgloss.Color("#5a6575"), faint: lipgloss.Color("#bcc5d0"), accent: lipgloss.Color("#0a6c80"),
			good: lipgloss.Color("#23783c"), info: lipgloss.Color("#2258b8"), warn: lipgloss.Color("#935400"),
			bad: lipgloss.Color("#bf2a2a"), selection: lipgloss.Color("#e1eef2"),
		},
	},
	{
		name: "heath",
		dark: palette{
			muted: lipgloss.Color("#9a94b3"), faint: lipgloss.Color("#4d4766"), accent: lipgloss.Color("#c9a9ee"),
			good: lipgloss.Color("#8fcba4"), info: lipgloss.Color("#93c5e0"), warn: lipgloss.Color("#efbb7c"),
			bad: lipgloss.Color("#f0799c"), selection: lipgloss.Color("#2a2440"),
		},
		light: palette{
			muted: lipgloss.Color("#655f7c"), faint: lipgloss.Color("#c9c2d6"), accent: lipgloss.Color("#7444ae"),
			good: lipgloss.Color("#2a744d"), info: lipgloss.Color("#2c6384"), warn: lipgloss.Color("#935606"),
			bad: lipgloss.Color("#b12c57"), selection: lipgloss.Color("#efe7f7"),
		},
	},
	{
		name: "ember",
		dark: palette{
			muted: lipgloss.Color("#a69d90"), faint: lipgloss.Color("#584f45"), accent: lipgloss.Color("#eb9b62"),
			good: lipgloss.Color("#a9c072"), info: lipgloss.Color("#8fb8b2"), warn: lipgloss.Color("#e8cb6c"),
			bad: lipgloss.Color("#ee7a61"), selection: lipgloss.Color("#302820"),
		},
		light: palette{
			muted: lipgloss.Color("#6a6156"), faint: lipgloss.Color("#cfc5b6"), accent: lipgloss.Color("#a3500c"),
			good: lipgloss.Color("#4f6e16"), info: lipgloss.Color("#2d6762"), warn: lipgloss.Color("#82600a"),
			bad: lipgloss.Color("#b0361a"), selection: lipgloss.Color("#f5e9d9"),
		},
	},
	{name: terminalTheme, dark: ansiPalette, light: ansiPalette},
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
