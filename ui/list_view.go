package ui

import (
	"slices"
	"strings"
)

const (
	listGutter = 3 // cursor, mark, blank
	listGap    = 2 // between columns
)

// spare is the rank from which a column gives way before any other is squeezed.
const spare = 10

// widths shares w cells out: columns that give way get 0. What is left over stays empty, so
// that a column never jumps because the screen grew by one.
func (l *list[T]) widths(w int) []int {
	base := l.natural
	if len(base) == 0 { // no rows yet
		base = l.least()
	}
	ws := slices.Clone(base)
	need := func() int {
		n := listGutter - listGap
		for _, x := range ws {
			if x > 0 {
				n += x + listGap
			}
		}
		return n
	}
	for need() > w {
		if i := l.dispensable(ws); i >= 0 && l.cols[i].rank >= spare {
			ws[i] = 0
			continue
		}
		if i := l.squeezable(ws, base, softly); i >= 0 {
			ws[i]--
			continue
		}
		if i := l.dispensable(ws); i >= 0 {
			ws[i] = 0
			for j, n := range base { // its room goes to those that had given way
				if ws[j] > 0 {
					ws[j] = n
				}
			}
			continue
		}
		i := l.squeezable(ws, base, hard)
		if i < 0 {
			break
		}
		ws[i]--
	}
	return ws
}

// fill gives a column what the others leave of w cells, besides the most it asks for.
func (l *list[T]) fill(i, w int) {
	if i >= len(l.natural) {
		return
	}
	l.natural[i] = l.cols[i].max
	left := w - listGutter + listGap
	for _, n := range l.widths(w) {
		if n > 0 {
			left -= n + listGap
		}
	}
	l.natural[i] += max(0, left)
}

// How far a column is squeezed: softly down to three quarters of its width, which still tells
// most names apart, and not at all when it is firm; hard down to its least width.
const (
	softly = iota
	hard
)

// squeezable is the column that is the furthest above what it may be squeezed to, or -1.
func (l *list[T]) squeezable(ws, base []int, how int) int {
	at, most := -1, 0
	for i, c := range l.cols {
		floor := max(1, c.min)
		if how == softly {
			floor = max(floor, base[i]*3/4)
			if c.firm {
				floor = base[i]
			}
		}
		over := ws[i] - floor
		if ws[i] == 0 || over <= 0 {
			continue
		}
		if c.text == nil { // drawn, it tells the same in fewer cells
			return i
		}
		if over > most {
			at, most = i, over
		}
	}
	return at
}

// dispensable is the column that gives way first, or -1.
func (l *list[T]) dispensable(ws []int) int {
	at := -1
	for i, c := range l.cols {
		if ws[i] > 0 && c.rank > 0 && (at < 0 || c.rank > l.cols[at].rank) {
			at = i
		}
	}
	return at
}

// least is how wide the columns are without any rows.
func (l *list[T]) least() []int {
	ws := make([]int, len(l.cols))
	for i, c := range l.cols {
		ws[i] = max(c.min, width(c.title))
		if c.text == nil { // drawn, not written: as wide as it may be
			ws[i] = max(ws[i], c.max)
		}
		if c.compare != nil {
			ws[i] = max(ws[i], width(c.title)+1) // for the arrow of the order
		}
	}
	return ws
}

// view draws h lines of w cells.
func (l *list[T]) view(w, h int) string {
	lines := make([]string, 0, h)
	ws := l.widths(w)
	lines = append(lines, l.head(ws, w))
	room := h - l.headLines() - l.footLines()
	for i := range max(0, room) {
		if n := l.offset + i; n < len(l.rows) {
			lines = append(lines, l.row(l.all[l.rows[n]], n == l.cursor, ws, w))
		} else {
			lines = append(lines, "")
		}
	}
	if len(l.rows) == 0 && room > 1 && len(l.all) > 0 {
		lines[2] = "   " + l.f.st.muted.Render(cut("Nothing matches. esc ends the filter.", w-3))
	}
	if l.footLines() > 0 && h > 1 {
		lines = append(lines, l.foot(w))
	}
	return block(strings.Join(lines, "\n"), w, h)
}

func (l *list[T]) head(ws []int, w int) string {
	s := l.f.st
	var b strings.Builder
	b.WriteString(blanks(listGutter))
	for i, c := range l.cols {
		if ws[i] == 0 {
			continue
		}
		title := c.title
		if i == l.sortBy {
			arrow := "↑"
			if l.desc {
				arrow = "↓"
			}
			if title = cut(title, ws[i]-1) + arrow; c.right {
				title = arrow + cut(c.title, ws[i]-1)
			}
		}
		if c.right {
			title = fitRight(title, ws[i])
		} else {
			title = fit(title, ws[i])
		}
		st := s.muted
		if i == l.sortBy {
			st = s.accent
		}
		b.WriteString(st.Render(title) + blanks(listGap))
	}
	return fit(strings.TrimRight(b.String(), " "), w)
}

func (l *list[T]) row(t T, on bool, ws []int, w int) string {
	s := l.f.st
	var b strings.Builder
	mark := " "
	if l.marks[l.id(t)] {
		mark = shapeMark
	}
	bar := " "
	if on {
		bar = shapeCursor
	}
	b.WriteString(s.on(s.accent, on).Render(bar + mark + " "))
	used := listGutter
	for i, c := range l.cols {
		n := min(ws[i], w-used)
		if n <= 0 {
			continue
		}
		gap := min(listGap, w-used-n)
		used += n + gap
		if c.draw != nil {
			b.WriteString(c.draw(t, n, on) + s.on(s.text, on).Render(blanks(gap)))
			continue
		}
		cell := c.text(t)
		if c.right {
			cell = fitRight(cell, n)
		} else {
			cell = fit(cell, n)
		}
		st := s.text
		if c.style != nil {
			st = c.style(t)
		}
		b.WriteString(s.on(st, on).Render(cell + blanks(gap)))
	}
	if on && used < w {
		b.WriteString(s.on(s.text, on).Render(blanks(w - used)))
	}
	return cut(b.String(), w)
}

// foot shows the filter, and how much it leaves.
func (l *list[T]) foot(w int) string {
	s := l.f.st
	found := number(len(l.rows)) + " of " + number(len(l.all)) + " "
	room := max(1, w-width(found)-5)
	return spread(" "+s.accent.Render("/")+" "+l.filter.view(s, room, l.filtering, "part of any column"),
		s.muted.Render(found), w)
}
