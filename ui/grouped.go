package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// item is a line of a grouped list. Its texts are clean.
type item struct {
	text  string
	faint int    // so many bytes at the beginning of text say what the heading says already
	note  string // at the right
	shape string // one cell before the text; empty: none
	bad   bool   // the shape and the note warn
}

// group is a heading and its items.
type group struct {
	title string
	items []item
}

// grouped is a list of any number of lines under headings, with a cursor and a filter. Only what
// is in sight is drawn.
type grouped struct {
	f      *frame
	groups []group
	hays   [][]string // what the filter looks at, as groups
	total  int        // items

	rows   []groupRow // what the filter leaves
	found  int        // items among rows
	cursor int        // into rows; never on a heading, unless there are only headings
	offset int
	height int

	filter    input
	filtering bool
}

// groupRow is a line: a heading when item is negative.
type groupRow struct {
	group, item int
	count       int // of a heading: how many items the filter leaves below it
}

func newGrouped(f *frame) grouped { return grouped{f: f, height: 1} }

// set exchanges what is listed. The cursor stays on its item if that is still there.
func (g *grouped) set(groups []group) {
	kept, _ := g.selected()
	g.groups, g.total = groups, 0
	g.hays = make([][]string, len(groups))
	for i, gr := range groups {
		g.total += len(gr.items)
		g.hays[i] = make([]string, len(gr.items))
		for j, it := range gr.items {
			g.hays[i][j] = strings.ToLower(it.text + " " + it.note + " " + gr.title)
		}
	}
	g.apply(kept.text)
}

// apply filters, and puts the cursor on the item called kept, or else leaves it where it is.
func (g *grouped) apply(kept string) {
	words := strings.Fields(strings.ToLower(g.filter.value()))
	g.rows, g.found = g.rows[:0], 0
	at := -1
	for i, gr := range g.groups {
		head := len(g.rows)
		g.rows = append(g.rows, groupRow{group: i, item: -1})
		for j := range gr.items {
			if !hasAll(g.hays[i][j], words) {
				continue
			}
			if at < 0 && kept != "" && gr.items[j].text == kept {
				at = len(g.rows)
			}
			g.rows = append(g.rows, groupRow{group: i, item: j})
		}
		g.rows[head].count = len(g.rows) - head - 1
		g.found += g.rows[head].count
		if g.rows[head].count == 0 && len(words) > 0 {
			g.rows = g.rows[:head]
		}
	}
	if at >= 0 {
		g.cursor = at
	}
	g.settle(1)
}

// settle keeps the cursor on an item, looking for one in direction, and in sight. The heading
// of the first item in sight is shown when it stands right above it.
func (g *grouped) settle(direction int) {
	n := len(g.rows)
	g.cursor = max(0, min(g.cursor, n-1))
	for _, step := range []int{direction, -direction} {
		for g.cursor >= 0 && g.cursor < n && g.rows[g.cursor].item < 0 {
			g.cursor += step
		}
		if g.cursor >= 0 && g.cursor < n {
			break
		}
		g.cursor = max(0, min(g.cursor, n-1))
	}
	top := g.cursor
	if g.height > 1 && top > 0 && g.rows[top-1].item < 0 {
		top--
	}
	g.offset = min(g.offset, top)
	g.offset = max(g.offset, g.cursor-g.height+1)
	g.offset = max(0, min(g.offset, n-g.height))
}

// layout tells how many lines there are going to be.
func (g *grouped) layout(h int) {
	g.height = max(1, h-g.footLines())
	g.settle(1)
}

func (g *grouped) footLines() int {
	if g.filtering || len(g.filter.text) > 0 {
		return 1
	}
	return 0
}

// selected is the item under the cursor.
func (g *grouped) selected() (item, bool) {
	if g.cursor < 0 || g.cursor >= len(g.rows) || g.rows[g.cursor].item < 0 {
		return item{}, false
	}
	r := g.rows[g.cursor]
	return g.groups[r.group].items[r.item], true
}

// clear forgets what is listed, and the filter.
func (g *grouped) clear() {
	g.filter.wipe()
	g.filtering, g.cursor, g.offset = false, 0, 0
	g.set(nil)
}

// do carries out what is the list's own, and tells whether it was.
func (g *grouped) do(a action) bool {
	direction := 1
	switch a {
	case actUp:
		g.cursor--
		direction = -1
	case actDown:
		g.cursor++
	case actPageUp:
		g.cursor -= g.height
		direction = -1
	case actPageDown:
		g.cursor += g.height
	case actHome:
		g.cursor = 0
	case actEnd:
		g.cursor = len(g.rows) - 1
		direction = -1
	case actFilter:
		g.filtering = !g.filtering
	case actBack:
		g.endFilter()
	default:
		return false
	}
	g.settle(direction)
	return true
}

// endFilter shows everything again, with the cursor on the item where it is.
func (g *grouped) endFilter() {
	kept, _ := g.selected()
	g.filter.wipe()
	g.filtering = false
	g.apply(kept.text)
}

// filtered tells whether a filter is in force or being typed.
func (g *grouped) filtered() bool { return g.footLines() > 0 }

// update takes keys and pastes while the filter is typed, and the mouse. A click on the item
// under the cursor is told by opened.
func (g *grouped) update(msg tea.Msg) (opened bool) {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		g.filterKey(msg)
	case tea.PasteMsg:
		g.refilter(msg)
	case wheelMsg:
		g.offset = max(0, min(g.offset+int(msg), len(g.rows)-g.height))
		g.cursor = max(g.offset, min(g.cursor, g.offset+g.height-1))
		g.settle(sign(int(msg)))
	case clickMsg:
		i := g.offset + msg.y
		if msg.y < 0 || msg.y >= g.height || i >= len(g.rows) || g.rows[i].item < 0 {
			return false
		}
		opened = g.cursor == i
		g.cursor = i
	}
	return opened
}

func (g *grouped) filterKey(k tea.KeyPressMsg) {
	switch k.String() {
	case "esc":
		g.endFilter()
	case "enter":
		g.filtering = false
	case "up":
		g.do(actUp)
	case "down":
		g.do(actDown)
	default:
		g.refilter(k)
	}
}

func (g *grouped) refilter(msg tea.Msg) {
	kept, _ := g.selected()
	if g.filter.update(msg) {
		g.apply(kept.text)
	}
}

func sign(n int) int {
	if n < 0 {
		return -1
	}
	return 1
}

// view draws h lines of w cells. focused tells whether the keys are for it.
func (g *grouped) view(w, h int, focused bool) string {
	lines := make([]string, 0, h)
	room := h - g.footLines()
	for i := g.offset; i < len(g.rows) && len(lines) < room; i++ {
		lines = append(lines, g.row(i, w, focused))
	}
	if g.found == 0 && g.total > 0 && room > 0 {
		lines = []string{" " + g.f.st.muted.Render("Nothing matches. esc ends the filter.")}
	}
	for len(lines) < room {
		lines = append(lines, "")
	}
	if g.footLines() > 0 && h > 0 {
		lines = append(lines, filterFoot(g.f.st, &g.filter, g.filtering, g.found, g.total, w))
	}
	return block(strings.Join(lines, "\n"), w, h)
}

// filterFoot shows a filter, and how much it leaves.
func filterFoot(s *styles, in *input, typing bool, found, total, w int) string {
	left := number(found) + " of " + number(total) + " "
	room := max(1, w-width(left)-5)
	return spread(" "+s.accent.Render("/")+" "+in.view(s, room, typing, "part of a line or its heading"), s.muted.Render(left), w)
}

func (g *grouped) row(i, w int, focused bool) string {
	s, r := g.f.st, g.rows[i]
	gr := g.groups[r.group]
	if r.item < 0 {
		return cut(" "+s.strong.Render(gr.title)+" "+s.muted.Render(number(r.count)), w)
	}
	it, on := gr.items[r.item], i == g.cursor && focused
	bar, shape := " ", " "
	if i == g.cursor {
		bar = shapeCursor
	}
	if it.shape != "" {
		shape = it.shape
	}
	mark, note := s.muted, s.muted
	if it.bad {
		mark, note = s.bad, s.bad
	}
	edge := s.faint
	if on {
		edge = s.accent
	}
	room := w - 4
	tail := ""
	if it.note != "" && room-width(it.note)-2 >= min(width(it.text), 16) {
		tail = cut(it.note, max(0, room-2))
		room -= width(tail) + 2
	}
	text := fit(it.text, max(0, room))
	dim := min(it.faint, len(text))
	if width(it.text) > room {
		dim = 0
	}
	line := s.on(edge, on).Render(bar+" ") + s.on(mark, on).Render(shape+" ") +
		s.on(s.muted, on).Render(text[:dim]) + s.on(s.text, on).Render(text[dim:])
	if tail != "" {
		line += s.on(note, on).Render("  " + tail)
	}
	return cut(line, w)
}

// at tells where the item under the cursor stands.
func (g *grouped) at() (inGroup, inItems int, ok bool) {
	if _, ok := g.selected(); !ok {
		return 0, 0, false
	}
	r := g.rows[g.cursor]
	return r.group, r.item, true
}
