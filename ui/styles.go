package ui

import (
	"image/color"

	"charm.land/lipgloss/v2"

	"wakey/session"
)

// The look has three layers. Shapes say what a thing is without any colour: they are the
// constants here. Tokens say what a colour is for: they are the fields of styles. Themes
// (themes.go) say which colour that is.
const (
	shapeCursor = "▌"
	shapeMark   = "✓"
	shapeAlarm  = "‼"
	shapeDanger = "×"
	shapeRule   = "─"
	shapeHere   = "━" // the part of the rule below the view one is in
)

// styles are the tokens, made for one theme on one background.
type styles struct {
	text, strong, muted, faint    lipgloss.Style
	accent, good, info, warn, bad lipgloss.Style
	title, key, backdrop          lipgloss.Style
	button, buttonOn, dangerOn    lipgloss.Style
	field, placeholder            lipgloss.Style
	selection                     color.Color // behind the selected row; nil: it is bold instead
	brackets                      bool        // nothing else tells a button from text
}

// depth is how many colours the terminal has.
type depth int

const (
	depthFull depth = iota
	depth256
	depth16   // its own
	depthNone // or nobody wants any
)

// newStyles makes the tokens. They are made anew when the background or the theme changes.
// Without colours what they would tell is told by attributes.
func newStyles(t theme, dark bool, d depth) *styles {
	if d >= depth16 {
		t = themeNamed(terminalTheme) // made of 16 colours: nothing has to be guessed
	}
	p := t.light
	if dark {
		p = t.dark
	}
	plain := lipgloss.NewStyle()
	ink := func(s shade) lipgloss.Style { return plain.Foreground(s.of(d == depth256)) }
	s := &styles{
		text:   plain,
		strong: plain.Bold(true),
		muted:  ink(p.muted), faint: ink(p.faint), accent: ink(p.accent),
		good: ink(p.good), info: ink(p.info), warn: ink(p.warn), bad: ink(p.bad),
		title:     ink(p.accent).Bold(true),
		key:       plain.Bold(true),
		backdrop:  ink(p.faint),
		buttonOn:  ink(p.accent).Bold(true).Reverse(true),
		dangerOn:  ink(p.bad).Bold(true).Reverse(true),
		selection: p.selection.of(d == depth256),
	}
	s.field = plain.Background(s.selection)
	s.button = s.muted.Background(s.selection)
	if s.selection == nil {
		s.field, s.brackets = plain.Underline(true), true
		s.faint, s.backdrop = plain.Faint(true), plain.Faint(true) // how faint is the terminal's choice: never for what is read
		s.button = plain
	}
	s.placeholder = s.field.Foreground(p.muted.of(d == depth256))
	return s
}

// on gives st as it is on the selected row, or st itself.
func (s *styles) on(st lipgloss.Style, selected bool) lipgloss.Style {
	if !selected {
		return st
	}
	if s.selection == nil {
		return st.Bold(true)
	}
	return st.Background(s.selection)
}

// buttonText is what a button says, two cells of edge at either side.
func (s *styles) buttonText(label string) string {
	if s.brackets {
		return "[ " + label + " ]"
	}
	return "  " + label + "  "
}

// stateLook is how a state is shown: a shape, its word, and a colour last.
func (s *styles) stateLook(st session.State) (shape string, style lipgloss.Style) {
	switch st {
	case session.Active:
		return "●", s.good
	case session.Refreshing:
		return "◐", s.info
	case session.Degraded:
		return "▲", s.warn
	case session.Expired:
		return "△", s.bad
	case session.SignInNeeded:
		return "○", s.muted
	case session.RevokedElsewhere, session.IdentityChanged:
		return shapeAlarm, s.bad
	}
	return "·", s.muted
}

// phaseLook is the colour of a countdown and of its gauge.
func (s *styles) phaseLook(p phase) lipgloss.Style {
	switch p {
	case phaseGood:
		return s.good
	case phaseRefresh:
		return s.warn
	case phaseEnding, phaseDead:
		return s.bad
	case phaseNone:
	}
	return s.muted
}
