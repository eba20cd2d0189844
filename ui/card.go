package ui

import (
	tea "charm.land/bubbletea/v2"
)

// card is a dialog to read, and to scroll when it does not fit.
type card struct {
	bare

	f       *frame
	heading string
	wide    int // cells a line has at most; 0: cardWidth
	lines   func(w int) []string
	again   func() tea.Cmd // tries again what failed; nil: there is nothing to try
	offset  int
}

const cardWidth = 72

func (c *card) title() string { return c.heading }

func (c *card) bindings() []binding {
	bs := []binding{
		{action: actCancel, keys: []string{"esc", "enter", "q", "?", "f1"}, show: "esc", short: "close"},
	}
	if c.most() > 0 {
		bs = append(bs, binding{action: actDown, keys: []string{"down", "j"}, show: "↑↓", short: "scroll"},
			binding{action: actUp, keys: []string{"up", "k"}},
			binding{action: actPageDown, keys: []string{"pgdown", "space", "ctrl+d"}, show: "pgup pgdn", short: "by a page"},
			binding{action: actPageUp, keys: []string{"pgup", "ctrl+u"}},
			binding{action: actHome, keys: []string{"g", "home"}}, binding{action: actEnd, keys: []string{"G", "end"}})
	}
	if c.again != nil {
		bs = append(bs, binding{action: actRetry, keys: []string{"u"}, short: "try again"})
	}
	return bs
}

func (c *card) do(a action) tea.Cmd {
	_, h := boxRoom(c.f.w, c.f.h)
	switch a {
	case actCancel:
		c.f.close(c)
	case actRetry:
		c.f.close(c)
		return c.again()
	case actDown:
		c.scroll(1)
	case actUp:
		c.scroll(-1)
	case actPageDown:
		c.scroll(h - 1)
	case actPageUp:
		c.scroll(1 - h)
	case actHome:
		c.offset = 0
	case actEnd:
		c.offset = c.most()
	}
	return nil
}

func (c *card) update(msg tea.Msg) tea.Cmd {
	if m, ok := msg.(wheelMsg); ok {
		c.scroll(int(m))
	}
	return nil
}

func (c *card) scroll(n int) { c.offset = max(0, min(c.offset+n, c.most())) }

// most is the furthest that one can scroll.
func (c *card) most() int {
	w, h := boxRoom(c.f.w, c.f.h)
	return max(0, len(c.lines(c.cells(w)))-h)
}

func (c *card) cells(w int) int {
	if c.wide > 0 {
		return min(w, c.wide)
	}
	return min(w, cardWidth)
}

func (c *card) view(w, h int) []string {
	lines := c.lines(c.cells(w))
	left := len(lines) - h
	if left <= 0 || h <= 0 {
		return lines
	}
	from := min(c.offset, left)
	lines = append([]string(nil), lines[from:from+h]...)
	if more := left - from; more > 0 {
		lines[h-1] = c.f.st.muted.Render("↓ " + plural(more+1, "more line"))
	}
	return lines
}

const noticeWidth = 66

// newNotice is a card with a text in full, most often an error's, and facts below it. What there is
// to do stands on a line of its own.
func newNotice(f *frame, heading, text string, foot ...fact) *card {
	text = clean(text)
	return &card{f: f, heading: clean(heading), wide: noticeWidth, lines: func(w int) []string {
		what, next := advice(text)
		lines := wrap(what, w)
		if next != "" {
			lines = append(append(lines, ""), wrap(next, w)...)
		}
		for i, fa := range foot {
			if i == 0 {
				lines = append(lines, "")
			}
			lines = append(lines, factBlock(f.st, fa, w)...)
		}
		return lines
	}}
}

// newHelp is a card with every key there is, as the bindings declare them.
func newHelp(f *frame) *card {
	where := f.shown.name()
	if f.signIn != nil {
		where = "Sign in"
	} else if f.covered() {
		where = "Respond"
	}
	own := f.screen().bindings()
	return &card{f: f, heading: "Keys", wide: f.w, lines: func(w int) []string {
		return helpColumns(f.st, where, own, w)
	}}
}

// helpColumns lists the keys of a view and those that work everywhere: beside each other where
// there is room.
func helpColumns(s *styles, where string, own []binding, w int) []string {
	all := append(viewBindings(), everywhere...)
	keys := keysWidth(own)
	left := helpColumn(s, where, own, keys)
	leftW := 0
	for _, l := range left {
		leftW = max(leftW, width(l))
	}
	right := helpColumn(s, "Everywhere", all, keysWidth(all))
	rightW := 0
	for _, l := range right {
		rightW = max(rightW, width(l))
	}
	const gap = 4
	if leftW+gap+rightW > w {
		below := keysWidth(all)
		if w >= max(keys, below)+30 { // in line, where the names are not cut for it
			keys, below = max(keys, below), max(keys, below)
		}
		return append(append(helpColumn(s, where, own, keys), ""), helpColumn(s, "Everywhere", all, below)...)
	}
	lines := make([]string, max(len(left), len(right)))
	for i := range lines {
		if i < len(left) {
			lines[i] = left[i]
		}
		if i < len(right) {
			lines[i] = fit(lines[i], leftW+gap) + right[i]
		}
	}
	return lines
}

// helpColumn lists bindings under a heading, keys set to the right of their column.
func helpColumn(s *styles, heading string, bs []binding, keys int) []string {
	lines := []string{s.title.Render(heading)}
	for _, b := range bs {
		if b.name != "" {
			lines = append(lines, s.key.Render(fitRight(b.all(), keys))+"  "+s.muted.Render(b.name))
		}
	}
	return lines
}

func keysWidth(bs []binding) int {
	n := 0
	for _, b := range bs {
		if b.name != "" {
			n = max(n, width(b.all()))
		}
	}
	return n
}
