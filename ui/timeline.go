package ui

import (
	"strings"
	"time"
)

// timelineLines is how many lines a timeline takes.
const timelineLines = 3

// drawTimeline draws a token's life in w cells, from issue at the left to expiry at the right:
// where now is, and when its refresh comes. What is left of the life is the thick part.
func drawTimeline(s *styles, l lifetimeOf, now time.Time, w int) []string {
	total := l.until.Sub(l.from)
	if w <= 0 || l.until.IsZero() || total <= 0 {
		return nil
	}
	cellOf := func(t time.Time) int {
		return int(clamp(float64(t.Sub(l.from))/float64(total), 0, 1) * float64(w-1))
	}
	style := s.phaseLook(l.phase(now))
	here := cellOf(now)
	at := -1
	if !l.refresh.IsZero() {
		at = cellOf(l.refresh)
	}
	var bar strings.Builder
	alive := l.until.After(now)
	for i := range w {
		switch {
		case i == at:
			bar.WriteString(s.text.Render("┃"))
		case i < here || !alive:
			bar.WriteString(s.faint.Render("─"))
		default:
			bar.WriteString(style.Render("━"))
		}
	}
	text := "now " + clockTime(now, now) + ", " + countdown(l.until.Sub(now)) + " left"
	switch {
	case !alive:
		text = "expired " + age(now, l.until)
	case now.Before(l.from):
		text = "not begun by this machine's clock"
	}
	return []string{pointer(text, here, w, style.Render, s.text.Render), bar.String(), s.timelineFeet(l, now, at, w)}
}

// pointer sets text beside a mark at the cell at, on the side where it fits.
func pointer(text string, at, w int, mark, word func(...string) string) string {
	switch n := width(text); {
	case at+2+n <= w:
		return blanks(at) + mark("▼") + " " + word(text)
	case n+1 <= at:
		return blanks(at-n-1) + word(text) + " " + mark("▼")
	}
	return word(cut(text, w))
}

// timelineFeet names the instants below the bar. The middle one is moved aside, or left out,
// when it does not fit between the others.
func (s *styles) timelineFeet(l lifetimeOf, now time.Time, at, w int) string {
	l = l.whole()
	left, right := "issued "+clockTime(now, l.from), "expires "+clockTime(now, l.until)
	if !l.until.After(now) {
		right = "expired " + clockTime(now, l.until)
	}
	if width(left)+2+width(right) > w {
		return s.muted.Render(fitRight(right, w))
	}
	from, to := width(left)+2, w-width(right)-2
	middle := ""
	if at >= 0 {
		middle = "refresh " + clockTime(now, l.refresh)
	}
	if middle == "" || to-from < width(middle) {
		return s.muted.Render(spread(left, right, w))
	}
	x := max(from, min(at-width(middle)/2, to-width(middle)))
	line := left + blanks(x-width(left)) + middle
	return s.muted.Render(line + blanks(w-width(line)-width(right)) + right)
}
