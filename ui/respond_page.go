package ui

import (
	"charm.land/lipgloss/v2"

	"wakey/session"
)

// respondPage is a text of many lines with a cursor, of which a part is in sight. It is laid out anew
// when it is stale or the width changes; of a thousand sessions those in sight are drawn.
type respondPage struct {
	lines          []pageLine
	width          int
	stale          bool
	cursor, offset int
	height         int // lines in sight
}

// pageLine is a text, or a thing.
type pageLine struct {
	style lipgloss.Style
	text  string
	item  *pageItem
}

// pageItem is one thing on a line.
type pageItem struct {
	shape, name, note string
	room              int            // cells for the names of its part of the page
	style             lipgloss.Style // of the shape
	harm              bool           // it ends
	token             *session.PlannedToken
}

func (p *respondPage) move(n int) { p.cursor += n }

// token is the refresh token under the cursor that can be kept or revoked; nil when there is none.
func (p *respondPage) token() *session.PlannedToken {
	if p.cursor < 0 || p.cursor >= len(p.lines) || p.lines[p.cursor].item == nil {
		return nil
	}
	return p.lines[p.cursor].item.token
}

// layout brings the cursor into sight.
func (p *respondPage) layout(h int) {
	p.height = max(1, h)
	p.cursor = max(0, min(p.cursor, len(p.lines)-1))
	p.offset = max(0, min(p.offset, p.cursor, len(p.lines)-p.height))
	p.offset = max(p.offset, p.cursor-p.height+1)
	if p.cursor < p.height/2 { // the beginning is worth seeing
		p.offset = 0
	}
}

func (p *respondPage) view(s *styles, w, h int) []string {
	out := make([]string, 0, h)
	for i := p.offset; i < len(p.lines) && len(out) < h; i++ {
		on := i == p.cursor
		bar := "  "
		if on {
			bar = s.on(s.accent, on).Render(shapeCursor) + " "
		}
		out = append(out, cut(bar+p.lines[i].view(s, w-2, on), w))
	}
	if more := len(p.lines) - p.offset - len(out); more > 0 && len(out) > 0 {
		out[len(out)-1] = "  " + s.muted.Render("↓ "+plural(more+1, "more line"))
	}
	return out
}

func (l *pageLine) view(s *styles, w int, on bool) string {
	it := l.item
	if it == nil {
		return l.style.Render(cut(l.text, w))
	}
	shape := it.style
	if it.harm {
		shape = s.bad
	}
	name := it.nameRoom(w)
	line := "   " + s.on(shape, on).Render(it.shape+" ") + s.on(s.strong, on).Render(fit(cutMiddle(it.name, name), name))
	return line + s.on(s.muted, on).Render(cut("  "+it.note, max(0, w-5-name)))
}

// pageBuilder makes the lines of a page of w cells.
type pageBuilder struct {
	s     *styles
	w     int
	lines []pageLine
}

func (b *pageBuilder) add(st lipgloss.Style, first, rest, text string) {
	for i, l := range wrap(text, max(8, b.w-2-width(rest))) {
		lead := rest
		if i == 0 {
			lead = first
		}
		b.lines = append(b.lines, pageLine{style: st, text: lead + l})
	}
}

// page gives the lines, the names of each part as wide as its widest.
func (b *pageBuilder) page() []pageLine {
	for i := 0; i < len(b.lines); {
		from, room := i, 0
		for ; i < len(b.lines) && (i == from || b.lines[i].item != nil || b.lines[i].text != ""); i++ {
			if it := b.lines[i].item; it != nil {
				room = max(room, width(it.name))
			}
		}
		for _, l := range b.lines[from:i] {
			if l.item != nil {
				l.item.room = room
			}
		}
	}
	return b.notesBelow()
}

// notesBelow sets what doesn't fit behind a thing below it.
func (b *pageBuilder) notesBelow() []pageLine {
	lines := make([]pageLine, 0, len(b.lines))
	for _, l := range b.lines {
		lines = append(lines, l)
		it := l.item
		if it == nil || width(it.note) <= b.w-9-it.nameRoom(b.w-2) {
			continue
		}
		for _, part := range head(wrap(it.note, max(8, b.w-7)), noteMost) {
			lines = append(lines, pageLine{style: b.s.muted, text: "     " + part})
		}
		it.note = ""
	}
	return lines
}

// nameRoom is how many of w cells its name has.
func (it *pageItem) nameRoom(w int) int {
	if it.note == "" {
		return w - 5
	}
	return max(8, min(it.room, (w-5)*3/5))
}

func (b *pageBuilder) text(st lipgloss.Style, text string)     { b.add(st, "", "", text) }
func (b *pageBuilder) indented(st lipgloss.Style, text string) { b.add(st, "     ", "     ", text) }
func (b *pageBuilder) muted(text string)                       { b.indented(b.s.muted, text) }
func (b *pageBuilder) item(it pageItem)                        { b.lines = append(b.lines, pageLine{item: &it}) }

func (b *pageBuilder) blank() { b.lines = append(b.lines, pageLine{}) }

// heading begins a part.
func (b *pageBuilder) heading(text string) {
	b.blank()
	b.text(b.s.strong, text)
}
