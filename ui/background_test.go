package ui

import (
	"strings"
	"testing"

	"charm.land/lipgloss/v2"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

func TestGroundOf(t *testing.T) {
	for colours, want := range map[string][2]bool{
		"": {true, false}, "15;0": {true, true}, "0;15": {false, true}, "0;default;15": {false, true}, "7;8": {true, true},
		"0;7": {false, true}, "15;default": {true, false}, "0;16": {true, false}, "x": {true, false}, "15": {true, false}, ";": {true, false},
	} {
		if dark, told := groundOf(colours); dark != want[0] || told != want[1] {
			t.Errorf("%q: dark %v, told %v", colours, dark, told)
		}
	}
}

// The background decides between light and dark, the one that a person has told before any other; without
// any the terminal's own colours are used, and no background is painted.
func TestBackground(t *testing.T) {
	light, dark := tea.BackgroundColorMsg{Color: lipgloss.Color("#ffffff")}, tea.BackgroundColorMsg{Color: lipgloss.Color("#101010")}
	for name, tt := range map[string]struct {
		set, env  string
		msgs      []tea.Msg
		dark, own bool // own: the terminal's colours alone
	}{
		"light":                      {msgs: []tea.Msg{light, groundMsg{}}},
		"dark":                       {msgs: []tea.Msg{dark, groundMsg{}}, dark: true},
		"changed":                    {msgs: []tea.Msg{dark, groundMsg{}, light}},
		"not told":                   {msgs: []tea.Msg{groundMsg{}}, dark: true, own: true},
		"told late":                  {msgs: []tea.Msg{groundMsg{}, light}},
		"told by the environment":    {env: "0;15", msgs: []tea.Msg{groundMsg{}}},
		"set to light":               {set: "light"},
		"set to dark":                {set: "dark", dark: true},
		"not told, without a colour": {msgs: []tea.Msg{tea.ColorProfileMsg{Profile: colorprofile.ASCII}, groundMsg{}}, dark: true, own: true},
	} {
		a := newApp(t.Context(), Options{Background: tt.set}, testAccounts(noon))
		a.env.colours = tt.env
		a.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
		for _, m := range tt.msgs {
			a.Update(m)
		}
		if own := a.st.selection == nil; a.dark != tt.dark || own != tt.own {
			t.Errorf("%s: dark %v, the terminal's own colours: %v", name, a.dark, own)
		}
		if asks := a.askGround() != nil; asks != (tt.set == "" && !a.groundKnown) {
			t.Errorf("%s: asks the terminal: %v", name, asks)
		}
		if tt.own && strings.Contains(a.View().Content, "\x1b[48;") {
			t.Errorf("%s: a background is painted", name)
		}
	}
}
