package ui

import (
	tea "charm.land/bubbletea/v2"
)

// help shows every key there is, as the bindings declare them.
type help struct {
	bare

	f      *frame
	where  string // the view's name
	own    []binding
	offset int
}

func newHelp(f *frame) *help {
	name := f.shown.name()
	if f.signIn != nil {
		name = "Sign in"
	}
	return &help{f: f, where: name, own: f.screen().bindings()}
}

func (h *help) title() string { return "Keys" }

func (h *help) bindings() []binding {
	return []binding{
		{action: actCancel, keys: []string{"esc", "?", "q", "enter", "f1"}, show: "esc", short: "close"},
		{action: actPageDown, keys: []string{"down", "j", "pgdown", "space"}, show: "↑↓", short: "scroll"},
		{action: actPageUp, keys: []string{"up", "k", "pgup"}},
	}
}

func (h *help) do(a action) tea.Cmd {
	switch a {
	case actCancel:
		h.f.close(h)
	case actPageDown:
		h.offset++
	case actPageUp:
		h.offset = max(0, h.offset-1)
	}
	return nil
}

func (h *help) update(msg tea.Msg) tea.Cmd {
	if m, ok := msg.(wheelMsg); ok {
		h.offset = max(0, h.offset+int(m))
	}
	return nil
}

func (h *help) view(w, rows int) []string {
	own := h.column(h.where, h.own)
	all := h.column("Everywhere", append(viewBindings(), everywhere...))
	var lines []string
	left, right := 0, 0
	for _, l := range own {
		left = max(left, width(l))
	}
	for _, l := range all {
		right = max(right, width(l))
	}
	if left+4+right <= w {
		for i := range max(len(own), len(all)) {
			line := blanks(left)
			if i < len(own) {
				line = fit(own[i], left)
			}
			if i < len(all) {
				line += blanks(4) + all[i]
			}
			lines = append(lines, line)
		}
	} else {
		lines = append(append(own, ""), all...)
	}
	if len(lines) > rows {
		lines = lines[min(h.offset, len(lines)-rows):]
	}
	return lines
}

// column lists bindings under a heading, keys to the right of their column.
func (h *help) column(heading string, bs []binding) []string {
	s := h.f.st
	keys := 0
	for _, b := range bs {
		if b.name != "" {
			keys = max(keys, width(b.shown()))
		}
	}
	lines := []string{s.title.Render(heading)}
	for _, b := range bs {
		if b.name != "" {
			lines = append(lines, s.key.Render(fitRight(b.shown(), keys))+"  "+s.muted.Render(b.name))
		}
	}
	return lines
}
