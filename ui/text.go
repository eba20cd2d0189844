package ui

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"wakey/api"
)

// clean makes text from elsewhere fit for a line of the screen: harmless, and as wide on every
// terminal. Terminals disagree about how wide joined emoji are, and one such name would push
// the rest of its row out of line, so a cluster they disagree about is cut to the part they
// agree on.
func clean(s string) string {
	s = api.Clean(s)
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		c, w := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
		if c == "" {
			break
		}
		s = s[len(c):]
		if ansi.StringWidthWc(c) == w {
			b.WriteString(c)
			continue
		}
		r, n := utf8.DecodeRuneInString(c)
		if first := c[:n]; r != utf8.RuneError && ansi.StringWidth(first) == ansi.StringWidthWc(first) {
			b.WriteString(first)
			continue
		}
		b.WriteRune(utf8.RuneError)
	}
	return b.String()
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// width is how many cells s takes.
func width(s string) int {
	if isPlain(s) {
		return len(s)
	}
	return ansi.StringWidth(s)
}

// cut shortens s, which may be styled, to at most w cells, with an ellipsis.
func cut(s string, w int) string {
	switch {
	case w <= 0:
		return ""
	case width(s) <= w:
		return s
	case w == 1:
		return "…"
	}
	return ansi.Truncate(s, w, "…")
}

// cutLeft shortens plain s at its beginning: of a path or a fingerprint the end tells more.
func cutLeft(s string, w int) string {
	n := width(s)
	switch {
	case w <= 0:
		return ""
	case n <= w:
		return s
	}
	for drop := n - w + 1; ; drop++ { // once more when a wide character straddles the cut
		if t := ansi.TruncateLeft(s, drop, "…"); width(t) <= w || drop > n {
			return cut(t, w)
		}
	}
}

// fit makes s exactly w cells wide.
func fit(s string, w int) string {
	s = cut(s, w)
	return s + blanks(w-width(s))
}

// fitRight makes s exactly w cells wide, set to the right.
func fitRight(s string, w int) string {
	s = cut(s, w)
	return blanks(w-width(s)) + s
}

// atLeast sets s to the right of at least w cells, so that a number that grows shorter doesn't jump.
func atLeast(s string, w int) string { return blanks(w-width(s)) + s }

// spread sets left and right at the two ends of w cells. When both don't fit, left gives way.
func spread(left, right string, w int) string {
	right = cut(right, w)
	room := w - width(right)
	if room > 0 && right != "" {
		room-- // at least one blank between the two
	}
	left = cut(left, room)
	return left + blanks(w-width(left)-width(right)) + right
}

const spaces = "                                                                                "

func blanks(n int) string {
	switch {
	case n <= 0:
		return ""
	case n <= len(spaces):
		return spaces[:n]
	}
	return strings.Repeat(" ", n)
}

// wrap breaks plain s into lines of at most w cells, between words where it can.
func wrap(s string, w int) []string {
	if w <= 0 || s == "" {
		return nil
	}
	return strings.Split(ansi.Wrap(s, w, " "), "\n")
}

// block makes exactly h lines of exactly w cells of s.
func block(s string, w, h int) string {
	if h <= 0 {
		return ""
	}
	lines := strings.Split(s, "\n")
	if s == "" {
		lines = nil
	}
	if len(lines) > h {
		lines = lines[:h]
	}
	var b strings.Builder
	b.Grow(h * (w + 1))
	for i := range h {
		if i > 0 {
			b.WriteByte('\n')
		}
		if i < len(lines) {
			b.WriteString(fit(lines[i], w))
		} else {
			b.WriteString(blanks(w))
		}
	}
	return b.String()
}

// advice parts an error into what happened and what to do next, which the errors of api and
// session say behind a semicolon.
func advice(s string) (what, next string) {
	i := strings.LastIndex(s, "; ")
	if i < 0 {
		return s, ""
	}
	return s[:i], "→ " + s[i+2:]
}

// plural gives "1 token", "2 tokens".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + one + "s"
}

// number groups thousands: 10,000.
func number(n int) string {
	s := []byte(strconv.Itoa(n))
	var out []byte
	for i, c := range s {
		if i > 0 && (len(s)-i)%3 == 0 && s[i-1] != '-' {
			out = append(out, ',')
		}
		out = append(out, c)
	}
	return string(out)
}

// hang breaks text into lines of at most w cells that hang below a shape.
func hang(st lipgloss.Style, shape, text string, w int) []string {
	lines := wrap(text, max(1, w-2))
	for i, l := range lines {
		if i == 0 {
			lines[i] = st.Render(cut(shape+" "+l, w))
		} else {
			lines[i] = st.Render(cut("  "+l, w))
		}
	}
	return lines
}
