package ui

import (
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	tea "charm.land/bubbletea/v2"
)

// column is one column of a list.
type column[T any] struct {
	title    string
	min, max int  // its width in cells: that of its widest cell, between these two
	right    bool // set to the right
	firm     bool // squeezed only when nothing else helps
	rank     int  // the highest rank gives way first when there is no room; 0 never does
	text     func(T) string
	style    func(T) lipgloss.Style                 // nil: as text
	draw     func(t T, w int, selected bool) string // instead of text and style: w cells
	compare  func(a, b T) int                       // nil: can't be sorted by
}

// list is a table of any number of rows. Only the rows in sight are drawn; cells are measured
// when rows come in, not when they are drawn, so that columns stay where they are while one
// moves, filters or sorts.
type list[T any] struct {
	f    *frame
	cols []column[T]
	id   func(T) string
	hay  func(T) string // what the filter looks at

	all     []T
	hays    []string
	natural []int // each column's width, from its widest cell
	order   []int // into all, sorted
	rows    []int // into all, sorted and filtered: what can be moved through
	cursor  int   // into rows
	offset  int   // the first row in sight
	height  int   // rows in sight

	sortBy    int // a column, -1 as given
	desc      bool
	filter    input
	filtering bool
	marks     map[string]bool
	marking   bool // rows can be marked
}

func newList[T any](f *frame, id, hay func(T) string, cols ...column[T]) list[T] {
	return list[T]{f: f, cols: cols, id: id, hay: hay, sortBy: -1, height: 1, marks: map[string]bool{}}
}

// set exchanges the rows. The cursor stays on its row if that is still there.
func (l *list[T]) set(rows []T) {
	kept := ""
	if t, ok := l.selected(); ok {
		kept = l.id(t)
	}
	l.all = rows
	l.hays = make([]string, len(rows))
	l.natural = l.least()
	present := make(map[string]bool, len(rows))
	for i, t := range rows {
		l.hays[i] = strings.ToLower(l.hay(t))
		present[l.id(t)] = true
		for j, c := range l.cols {
			if c.text != nil && l.natural[j] < c.max {
				l.natural[j] = min(c.max, max(l.natural[j], width(c.text(t))))
			}
		}
	}
	for id := range l.marks {
		if !present[id] {
			delete(l.marks, id)
		}
	}
	l.sort(kept)
}

// sort orders the rows anew and puts the cursor on the row called kept.
func (l *list[T]) sort(kept string) {
	l.order = make([]int, len(l.all))
	for i := range l.order {
		l.order[i] = i
	}
	if l.sortBy >= 0 {
		by := l.cols[l.sortBy].compare
		slices.SortStableFunc(l.order, func(a, b int) int {
			if l.desc {
				a, b = b, a
			}
			return by(l.all[a], l.all[b])
		})
	}
	l.apply(kept)
}

// apply filters the rows and puts the cursor on the row called kept, or leaves it where it is.
func (l *list[T]) apply(kept string) {
	words := strings.Fields(strings.ToLower(l.filter.value()))
	l.rows = l.rows[:0]
	at := -1
	for _, i := range l.order {
		if !hasAll(l.hays[i], words) {
			continue
		}
		if kept != "" && at < 0 && l.id(l.all[i]) == kept {
			at = len(l.rows)
		}
		l.rows = append(l.rows, i)
	}
	if at >= 0 {
		l.cursor = at
	}
	l.settle(l.height)
}

func hasAll(s string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(s, w) {
			return false
		}
	}
	return true
}

// settle keeps the cursor among the rows, and in sight on h lines.
func (l *list[T]) settle(h int) {
	l.height = max(1, h)
	l.cursor = max(0, min(l.cursor, len(l.rows)-1))
	l.offset = min(l.offset, l.cursor)
	l.offset = max(l.offset, l.cursor-l.height+1)
	l.offset = max(0, min(l.offset, len(l.rows)-l.height))
}

// layout tells the list how many lines it is going to get.
func (l *list[T]) layout(h int) { l.settle(h - l.headLines() - l.footLines()) }

func (l *list[T]) headLines() int { return 1 }

func (l *list[T]) footLines() int {
	if l.filtering || len(l.filter.text) > 0 {
		return 1
	}
	return 0
}

// selected is the row under the cursor.
func (l *list[T]) selected() (t T, ok bool) {
	if l.cursor < 0 || l.cursor >= len(l.rows) {
		return t, false
	}
	return l.all[l.rows[l.cursor]], true
}

// choose puts the cursor on the row called id.
func (l *list[T]) choose(id string) { l.apply(id) }

// marked are the marked rows, in order; those that the filter hides are among them.
func (l *list[T]) marked() []T {
	var out []T
	for _, i := range l.order {
		if l.marks[l.id(l.all[i])] {
			out = append(out, l.all[i])
		}
	}
	return out
}

// What a list understands.
const (
	actHome    action = "first"
	actEnd     action = "last"
	actFilter  action = "filter"
	actSort    action = "sort"
	actReverse action = "reverse"
	actMark    action = "mark"
	actMarkAll action = "mark all"
	actUnmark  action = "unmark"
)

// bindings are those of every list.
func (l *list[T]) bindings() []binding {
	bs := []binding{
		{action: actFilter, keys: []string{"/"}, short: "filter", name: "Filter the list"},
		{action: actSort, keys: []string{"o"}, name: "Sort by the next column"},
		{action: actReverse, keys: []string{"O"}, name: "Sort the other way round"},
		{action: actUp, keys: []string{"up", "k"}, show: "↑↓ j k", name: "Move", moving: true},
		{action: actDown, keys: []string{"down", "j"}},
		{action: actPageUp, keys: []string{"pgup", "ctrl+u"}, show: "pgup pgdn", name: "Move by a page", moving: true},
		{action: actPageDown, keys: []string{"pgdown", "ctrl+d"}},
		{action: actHome, keys: []string{"g", "home"}, show: "g G", name: "To the first, the last", moving: true},
		{action: actEnd, keys: []string{"G", "end"}},
	}
	if len(l.filter.text) > 0 {
		bs = append(bs, binding{action: actBack, keys: []string{"esc"}, name: "End the filter", moving: true})
	}
	return bs
}

// filterBindings are those while a filter is typed: every other key is text then.
func filterBindings() []binding {
	return []binding{
		{action: actFilter, keys: []string{"enter"}, short: "keep the filter", name: "Keep the filter", moving: true},
		{action: actUp, keys: []string{"up"}, show: "↑↓", short: "move", name: "Move", moving: true},
		{action: actDown, keys: []string{"down"}},
		{action: actBack, keys: []string{"esc"}, short: "end it", name: "End the filter", moving: true},
	}
}

// markBindings are those of a list whose rows can be marked.
func (l *list[T]) markBindings() []binding {
	return []binding{
		{action: actMark, keys: []string{"space"}, short: "mark", name: "Mark or unmark"},
		{action: actMarkAll, keys: []string{"a"}, name: "Mark all that the filter leaves, or none"},
	}
}

// do carries out what is the list's own, and tells whether it was.
func (l *list[T]) do(a action) bool {
	switch a {
	case actUp:
		l.cursor--
	case actDown:
		l.cursor++
	case actPageUp:
		l.cursor -= l.height
	case actPageDown:
		l.cursor += l.height
	case actHome:
		l.cursor = 0
	case actEnd:
		l.cursor = len(l.rows) - 1
	case actFilter:
		l.filtering = !l.filtering
	case actBack:
		l.filter.wipe()
		l.filtering = false
		l.keep()
	case actSort:
		l.nextSort()
	case actReverse:
		l.desc = !l.desc
		l.sort(l.selectedID())
	case actMark:
		l.toggle()
		l.cursor++
	case actMarkAll:
		l.markAll(func(T) bool { return true })
	case actUnmark:
		clear(l.marks)
	default:
		return false
	}
	l.settle(l.height)
	return true
}

// toggle marks the row under the cursor, or unmarks it.
func (l *list[T]) toggle() {
	id := l.selectedID()
	switch {
	case id == "":
	case l.marks[id]:
		delete(l.marks, id)
	default:
		l.marks[id] = true
	}
}

func (l *list[T]) selectedID() string {
	if t, ok := l.selected(); ok {
		return l.id(t)
	}
	return ""
}

// keep filters anew with the cursor on the row where it is.
func (l *list[T]) keep() { l.apply(l.selectedID()) }

// markAll marks the rows in sight of the filter that want says, or unmarks all when all of them
// are marked.
func (l *list[T]) markAll(want func(T) bool) {
	changed := false
	for _, i := range l.rows {
		if id := l.id(l.all[i]); want(l.all[i]) && !l.marks[id] {
			l.marks[id], changed = true, true
		}
	}
	if !changed {
		clear(l.marks)
	}
}

// nextSort sorts by the next column that can be sorted by, and after the last as given.
func (l *list[T]) nextSort() {
	for i := l.sortBy + 1; i <= len(l.cols); i++ {
		if i == len(l.cols) {
			l.sortBy = -1
			break
		}
		if l.cols[i].compare != nil {
			l.sortBy = i
			break
		}
	}
	l.desc = false
	l.sort(l.selectedID())
}

// typing tells whether the filter is being typed.
func (l *list[T]) typing() bool { return l.filtering }

// update takes keys while the filter is typed, and the mouse. A click on the row under the
// cursor is told by opened.
func (l *list[T]) update(msg tea.Msg, w int) (opened bool) {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		l.filterKey(msg)
	case tea.PasteMsg:
		if l.filtering && l.filter.update(msg) {
			l.keep()
		}
	case wheelMsg:
		l.offset = max(0, min(l.offset+int(msg), len(l.rows)-l.height))
		l.cursor = max(l.offset, min(l.cursor, l.offset+l.height-1))
		l.settle(l.height)
	case clickMsg:
		return l.click(msg, w)
	}
	return false
}

func (l *list[T]) filterKey(k tea.KeyPressMsg) {
	switch k.String() {
	case "esc":
		l.do(actBack)
	case "enter":
		l.filtering = false
	case "up":
		l.do(actUp)
	case "down":
		l.do(actDown)
	default:
		if l.filter.update(k) {
			l.keep()
		}
	}
}

// click sorts by the column whose title was hit, moves to a row, or marks it: left of its text.
func (l *list[T]) click(msg clickMsg, w int) (opened bool) {
	row := msg.y - l.headLines()
	switch {
	case row < 0:
		x := listGutter
		for i, n := range l.widths(w) {
			if n == 0 {
				continue
			}
			if msg.x >= x && msg.x < x+n && l.cols[i].compare != nil {
				l.desc = l.sortBy == i && !l.desc
				l.sortBy = i
				l.sort(l.selectedID())
			}
			x += n + listGap
		}
	case row >= l.height || l.offset+row >= len(l.rows):
	case l.marking && msg.x < listGutter:
		l.cursor = l.offset + row
		l.toggle()
	default:
		opened = l.cursor == l.offset+row
		l.cursor = l.offset + row
	}
	return opened
}
