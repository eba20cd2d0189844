package ui

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// What a dialog with a list to choose from understands.
const (
	actUp   action = "up"
	actDown action = "down"
)

// choice is one line of a menu.
type choice struct {
	name string
	key  string // shown at the right
	away bool   // of a view that is not shown: whatever is nearer comes first
	do   func() tea.Cmd
}

// menu is a list to choose from by typing a part of a name. The palette is one.
type menu struct {
	f       *frame
	heading string
	verb    string // what enter does; empty: "do it"
	choices []choice
	filter  input
	cursor  int
}

// newPalette offers every action that is possible now: of the view one is in, of the program, and
// of the other views, which are opened for it.
func newPalette(f *frame) *menu {
	m := &menu{f: f, heading: "What to do"}
	target := f.top()
	add := func(bs []binding, do func(action) tea.Cmd) {
		for _, b := range bs {
			if b.name == "" || b.moving || b.action == actPalette {
				continue
			}
			m.choices = append(m.choices, choice{name: b.name, key: b.shown(), do: func() tea.Cmd { return do(b.action) }})
		}
	}
	add(target.bindings(), target.do)
	for _, b := range viewBindings() {
		m.choices = append(m.choices, choice{name: "Go to " + strings.ToLower(b.name), key: b.shown(), do: func() tea.Cmd { return f.do(b.action) }})
	}
	add(everywhere, f.do)
	for _, a := range f.accounts {
		m.choices = append(m.choices, choice{name: "Account " + a.Name, do: func() tea.Cmd {
			f.current = a.ID
			return f.screen().update(changedMsg{})
		}})
	}
	m.addOthers(target)
	return m
}

// addOthers offers what the views that are not shown can do and no choice says yet.
func (m *menu) addOthers(target part) {
	said := map[string]bool{}
	for _, c := range m.choices {
		said[c.name] = true
	}
	for id, sc := range m.f.screens {
		if part(sc) == target {
			continue
		}
		for _, b := range sc.bindings() {
			if b.name == "" || b.moving || said[b.name] {
				continue
			}
			m.choices = append(m.choices, choice{
				name: viewID(id).name() + ": " + b.name, key: strconv.Itoa(id+1) + " " + b.shown(), away: true,
				do: func() tea.Cmd { return tea.Batch(m.f.open(viewID(id)), sc.do(b.action)) },
			})
		}
	}
}

func (m *menu) title() string { return m.heading }
func (m *menu) typing() bool  { return true }

func (m *menu) bindings() []binding {
	return []binding{
		{action: actChoose, keys: []string{"enter"}, short: cmp.Or(m.verb, "do it")},
		{action: actUp, keys: []string{"up", "ctrl+p", "shift+tab"}, show: "↑↓", short: "choose"},
		{action: actDown, keys: []string{"down", "ctrl+n", "tab"}},
		{action: actCancel, keys: []string{"esc"}, short: "close"},
	}
}

func (m *menu) do(a action) tea.Cmd {
	found := m.found()
	switch a {
	case actUp:
		m.cursor = max(0, m.cursor-1)
	case actDown:
		m.cursor = max(0, min(m.cursor+1, len(found)-1))
	case actCancel:
		m.f.close(m)
	case actChoose:
		if m.cursor < len(found) {
			m.f.close(m)
			return found[m.cursor].do()
		}
	}
	return nil
}

func (m *menu) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		if a, ok := matching(m.bindings(), msg); ok {
			return m.do(a)
		}
		if m.filter.update(msg) {
			m.cursor = 0
		}
	case tea.PasteMsg:
		m.filter.update(msg)
		m.cursor = 0
	case wheelMsg:
		m.cursor = max(0, min(m.cursor+int(msg), len(m.found())-1))
	case clickMsg:
		w, h := boxRoom(m.f.w, m.f.h)
		_, rows := m.size(w, h)
		if i := m.first(rows) + msg.y - 2; msg.y >= 2 && i < len(m.found()) {
			m.cursor = i
			return m.do(actChoose)
		}
	}
	return nil
}

// found are the choices that match what was typed, the best first.
func (m *menu) found() []choice {
	type hit struct {
		choice

		score int
	}
	var hits []hit
	for _, c := range m.choices {
		if score, ok := fuzzy(c.name, m.filter.value()); ok {
			if c.away {
				score -= 40
			}
			hits = append(hits, hit{c, score})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return b.score - a.score })
	out := make([]choice, len(hits))
	for i, h := range hits {
		out[i] = h.choice
	}
	return out
}

// fuzzy tells whether the letters of pattern occur in text in their order, and how well:
// letters in a row and at the beginnings of words count more.
func fuzzy(text, pattern string) (score int, ok bool) {
	t, p := []rune(strings.ToLower(text)), []rune(strings.ToLower(strings.TrimSpace(pattern)))
	if i := strings.Index(strings.ToLower(text), string(p)); i >= 0 && len(p) > 0 {
		score += 20 * len(p)
		if i == 0 {
			score += 20
		}
	}
	last := -2
	at := 0
	for _, r := range p {
		if r == ' ' {
			continue
		}
		i := slices.Index(t[at:], r)
		if i < 0 {
			return 0, false
		}
		i += at
		switch {
		case i == last+1:
			score += 8
		case i == 0 || t[i-1] == ' ':
			score += 6
		default:
			score -= min(i-last, 5)
		}
		last, at = i, i+1
	}
	return score, true
}

func (m *menu) size(w, h int) (cols, rows int) {
	cols = 24
	for _, c := range m.choices {
		cols = max(cols, width(c.name)+width(c.key)+6)
	}
	return min(cols, w, 72), max(0, min(h-2, max(len(m.choices), 1), 14))
}

// first is the first row in sight.
func (m *menu) first(rows int) int { return max(0, m.cursor-rows+1) }

func (m *menu) view(w, h int) []string {
	s := m.f.st
	cols, rows := m.size(w, h)
	lines := []string{s.accent.Render("› ") + m.filter.view(s, max(0, cols-2), true, "type a part of the name"), ""}
	found := m.found()
	from := m.first(rows)
	for i := from; i < from+rows; i++ {
		switch {
		case i < len(found):
			lines = append(lines, m.row(found[i], i == m.cursor, cols))
		case i == 0:
			lines = append(lines, s.muted.Render(fit("Nothing is called that.", cols)))
		default:
			lines = append(lines, blanks(cols))
		}
	}
	return lines
}

func (m *menu) row(c choice, on bool, cols int) string {
	s := m.f.st
	bar, name := "  ", s.text
	if on {
		bar, name = shapeCursor+" ", s.strong
	}
	room := max(0, cols-2-width(c.key)-1)
	return cut(s.on(s.accent, on).Render(bar)+s.on(name, on).Render(fit(c.name, room))+
		s.on(s.muted, on).Render(" "+c.key), cols)
}
