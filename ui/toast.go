package ui

import (
	"time"

	"charm.land/lipgloss/v2"

	tea "charm.land/bubbletea/v2"
)

// toastFor is how long a toast stays; an error stays twice as long.
const toastFor = 4 * time.Second

type toastKind int

const (
	toastGood toastKind = iota
	toastInfo
	toastWarn
	toastBad
)

// toast is a line that goes away by itself. Every toast has a number, so that the timer of an
// earlier one does not take a later one away.
type toast struct {
	gen  int
	kind toastKind
	text string // empty: none
}

type toastOverMsg struct{ gen int }

// say shows a toast.
func (f *frame) say(kind toastKind, text string) tea.Cmd {
	f.toast.gen++
	f.toast.kind, f.toast.text = kind, clean(text)
	gen, stay := f.toast.gen, toastFor
	if kind == toastWarn || kind == toastBad {
		stay *= 2
	}
	return tea.Tick(stay, func(time.Time) tea.Msg { return toastOverMsg{gen} })
}

// fail shows an error: in a toast when it fits there, or else in full.
func (f *frame) fail(what string, err error) tea.Cmd {
	text := clean(what + ": " + err.Error())
	if width(text) <= f.w-6 {
		return f.say(toastBad, text)
	}
	f.push(newNotice(f, what, err.Error()))
	return nil
}

func (t *toast) line(s *styles, w int) string {
	if t.text == "" {
		return ""
	}
	shape, st := t.kind.look(s)
	return cut(" "+st.Render(shape)+" "+toastText(s, t.kind).Render(t.text), w)
}

// look is a shape and a colour for what a toast says.
func (k toastKind) look(s *styles) (shape string, st lipgloss.Style) {
	switch k {
	case toastInfo:
		return "·", s.info
	case toastWarn:
		return "▲", s.warn
	case toastBad:
		return shapeDanger, s.bad
	case toastGood:
	}
	return "✓", s.good
}

func toastText(s *styles, k toastKind) lipgloss.Style {
	if k == toastBad {
		return s.bad
	}
	return s.text
}
