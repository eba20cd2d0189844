package ui

import (
	tea "charm.land/bubbletea/v2"
)

// notice shows a text in full.
type notice struct {
	bare

	f       *frame
	heading string
	text    string
	again   func() tea.Cmd // tries again what failed; nil: there is nothing to try
	foot    []fact         // below the text
	offset  int
}

// newNotice makes a notice of an error. What there is to do stands on a line of its own.
func newNotice(f *frame, heading, text string) *notice {
	return &notice{f: f, heading: clean(heading), text: clean(text)}
}

func (n *notice) title() string { return n.heading }

func (n *notice) bindings() []binding {
	bs := []binding{
		{action: actCancel, keys: []string{"esc", "enter", "q"}, show: "esc", short: "close"},
		{action: actPageDown, keys: []string{"down", "j", "pgdown"}, show: "↑↓", short: "scroll"},
		{action: actPageUp, keys: []string{"up", "k", "pgup"}},
	}
	if n.again != nil {
		bs = append(bs, binding{action: actRetry, keys: []string{"u"}, short: "try again"})
	}
	return bs
}

func (n *notice) do(a action) tea.Cmd {
	switch a {
	case actCancel:
		n.f.close(n)
	case actRetry:
		n.f.close(n)
		return n.again()
	case actPageDown:
		n.offset++
	case actPageUp:
		n.offset = max(0, n.offset-1)
	}
	return nil
}

func (n *notice) update(msg tea.Msg) tea.Cmd {
	if m, ok := msg.(wheelMsg); ok {
		n.offset = max(0, n.offset+int(m))
	}
	return nil
}

func (n *notice) view(w, h int) []string {
	what, next := advice(n.text)
	lines := wrap(what, min(w, 66))
	if next != "" {
		lines = append(lines, "")
		lines = append(lines, wrap(next, min(w, 66))...)
	}
	for i, f := range n.foot {
		if i == 0 {
			lines = append(lines, "")
		}
		lines = append(lines, factBlock(n.f.st, f, min(w, 66))...)
	}
	if len(lines) > h {
		lines = lines[min(n.offset, len(lines)-h):]
	}
	return lines
}
