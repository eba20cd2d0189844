package ui

import (
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
)

// What Options.Background may be.
const (
	backgroundDark  = "dark"
	backgroundLight = "light"
)

// groundPatience is how long a terminal may take to tell its background. Those that tell it do so in a
// few milliseconds, over a slow link in a second.
const groundPatience = 2 * time.Second

// groundMsg says that the terminal's time to tell its background is over.
type groundMsg struct{}

// askGround asks the terminal for its background, unless a person has told it.
func (f *frame) askGround() tea.Cmd {
	if f.groundKnown {
		return nil
	}
	return tea.Batch(tea.RequestBackgroundColor, tea.Tick(groundPatience, func(time.Time) tea.Msg { return groundMsg{} }))
}

// ground takes over what is known of the background. A terminal that tells nothing, neither now nor in
// COLORFGBG, gets its own 16 colours: they are made for whatever background it has.
func (f *frame) ground(msg tea.Msg) {
	switch msg := msg.(type) {
	case tea.BackgroundColorMsg:
		f.groundKnown, f.unsure, f.dark = true, false, msg.IsDark()
	case groundMsg:
		if f.groundKnown {
			return
		}
		dark, told := groundOf(f.env.colours)
		f.dark, f.unsure = dark, !told
	}
	f.restyle()
}

// groundOf reads COLORFGBG, which some terminals set: the numbers of the colours of text and background
// among the 16, as in "15;0" or "0;default;15".
func groundOf(colours string) (dark, told bool) {
	i := strings.LastIndexByte(colours, ';')
	n, err := strconv.Atoi(colours[i+1:])
	if i < 0 || err != nil || n < 0 || n > 15 {
		return true, false
	}
	return n < 7 || n == 8, true
}
