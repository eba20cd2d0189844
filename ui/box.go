package ui

import (
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// box is where a dialog lies: the whole of it, frame included.
type box struct{ x, y, w, h int }

// room is how many cells a box on a w×h screen leaves for its content.
func boxRoom(w, h int) (int, int) {
	padX, padY := boxPadding(w, h)
	if areasOf(h).help {
		h-- // the help line stays in sight
	}
	return max(0, min(w, 110)-2-2*padX), max(0, h-2-2*padY)
}

// boxPadding is generous where there is room.
func boxPadding(w, h int) (x, y int) {
	switch {
	case w >= 60 && h >= 18:
		return 3, 1
	case w >= 30:
		return 1, 0
	}
	return 0, 0
}

// layBox places a dialog's content of lines in the middle of a w×h screen. The help line below
// stays free.
func layBox(d dialog, w, h int) (box, []string) {
	roomW, roomH := boxRoom(w, h)
	if areasOf(h).help {
		h--
	}
	lines := d.view(roomW, roomH)
	if len(lines) > roomH {
		lines = lines[:roomH]
	}
	inner := min(roomW, width(d.title())+2)
	for _, l := range lines {
		inner = max(inner, min(roomW, width(l)))
	}
	padX, padY := boxPadding(w, h)
	b := box{w: inner + 2 + 2*padX, h: len(lines) + 2 + 2*padY}
	b.x, b.y = max(0, (w-b.w)/2), max(0, (h-b.h)/2)
	return b, lines
}

// drawBox draws the frame around lines.
func drawBox(s *styles, edge lipgloss.Style, b box, title string, lines []string, padX, padY int) []string {
	inner := b.w - 2
	if title = cut(title, inner-3); title != "" {
		title = s.strong.Render(" " + title + " ")
	}
	out := make([]string, 0, b.h)
	out = append(out, edge.Render("╭"+strings.Repeat("─", min(1, inner)))+title+
		edge.Render(strings.Repeat("─", max(0, inner-1-width(title)))+"╮"))
	side := edge.Render("│")
	empty := side + blanks(inner) + side
	for range padY {
		out = append(out, empty)
	}
	for _, l := range lines {
		out = append(out, side+blanks(padX)+fit(l, inner-2*padX)+blanks(padX)+side)
	}
	for range padY {
		out = append(out, empty)
	}
	return append(out, edge.Render("╰"+strings.Repeat("─", max(0, inner))+"╯"))
}

// overlay lays a box over the screen behind it, which steps back.
func overlay(s *styles, behind []string, b box, front []string, w int) []string {
	out := make([]string, len(behind))
	for i, l := range behind {
		plain := ansi.Strip(l)
		j := i - b.y
		if j < 0 || j >= len(front) {
			out[i] = s.backdrop.Render(plain)
			continue
		}
		left := fit(cutHard(plain, 0, b.x), b.x)
		right := fit(cutHard(plain, b.x+b.w, w), max(0, w-b.x-b.w))
		out[i] = cut(s.backdrop.Render(left)+front[j]+s.backdrop.Render(right), w)
	}
	return out
}

// cutHard gives the cells of plain s from a up to b. A wide character that straddles an end is
// left out.
func cutHard(s string, a, b int) string {
	if a >= b {
		return ""
	}
	return ansi.Cut(s, a, b)
}
