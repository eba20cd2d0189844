package ui

import "strings"

// split is how the body is shared between a list and the details of one of its rows.
type split struct {
	listW, listH int
	paneW, paneH int // 0: no details
	beside       bool
}

const (
	paneBeside = 120 // from this width the details stand beside most lists
	paneWidth  = 44
	paneWide   = 52 // where there is room: a uuid fits behind its label
	paneLines  = 8
)

// splitBody lays a list of rows and the details out: beside when wide, below when narrow, hidden
// when tiny.
func splitBody(w, h, rows int) split { return splitFrom(paneBeside, w, h, rows) }

// splitFrom is splitBody with another width from which the details stand beside the list.
func splitFrom(beside, w, h, rows int) split {
	switch {
	case w >= beside && h >= 6:
		pane := min(max(paneWidth, w-paneBeside+paneWidth-12), paneWide)
		return split{listW: w - pane - 2, listH: h, paneW: pane, paneH: h, beside: true}
	case h >= paneLines+7 && w >= 40:
		listH := min(h-paneLines-1, max(4, rows+3))
		listH = max(listH, (h-paneLines-1)/2)
		return split{listW: w, listH: listH, paneW: w, paneH: h - listH - 1}
	}
	return split{listW: w, listH: h}
}

// room is how many cells the details get.
func (sp split) room() (w, h int) {
	if sp.beside {
		return sp.paneW - 2, sp.paneH
	}
	return sp.paneW, sp.paneH
}

// join draws the list, the edge between, and the details.
func (sp split) join(s *styles, rows, pane string) string {
	w, h := sp.room()
	if sp.paneH == 0 {
		return rows
	}
	if !sp.beside {
		return rows + "\n" + s.faint.Render(strings.Repeat(shapeRule, sp.listW)) + "\n" + block(pane, w, h)
	}
	left := strings.Split(rows, "\n")
	right := strings.Split(block(pane, w, h), "\n")
	edge := s.faint.Render("│")
	for i := range left {
		left[i] += " " + edge + " " + right[i]
	}
	return strings.Join(left, "\n")
}

// textWidth is how many cells a line of the details has.
func (sp split) textWidth() int {
	w, _ := sp.room()
	return w - 2
}

// withDetails draws the list and, as far as there is room, the lines of its details.
func (sp split) withDetails(s *styles, rows string, lines []string) string {
	_, h := sp.room()
	if len(lines) > h && h > 0 {
		lines = append(lines[:h-1:h-1], s.muted.Render("↓ enter shows all of it"))
	}
	for i := range lines {
		lines[i] = " " + lines[i]
	}
	return sp.join(s, rows, strings.Join(lines, "\n"))
}

// clickIn takes a click in a body whose first lines are not the list's. opened tells that it was on the row under the cursor.
func (l *list[T]) clickIn(sp split, head int, msg clickMsg) (opened bool) {
	msg.y -= head
	return msg.x < sp.listW && msg.y >= 0 && msg.y < sp.listH && l.update(msg, sp.listW)
}
