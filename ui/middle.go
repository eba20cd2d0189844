package ui

import "github.com/charmbracelet/x/ansi"

// maxText is how much of a server's text is kept for the screen, in bytes: no honest client_id
// is longer than 1,024 characters (contract 5).
const maxText = 4096

// shortText makes a server's text fit for the screen, however long it is.
func shortText(s string) string {
	if len(s) > maxText {
		s = s[:maxText/2] + "…" + s[len(s)-maxText/2:]
	}
	return clean(s)
}

// cutMiddle shortens plain s to at most w cells in its middle: of a client_id the beginning
// tells what it is, and the end which one.
func cutMiddle(s string, w int) string {
	n := width(s)
	switch {
	case n <= w:
		return s
	case w < 8:
		return cut(s, w)
	}
	tail := (w - 1) / 2
	front := ansi.Truncate(s, w-1-tail, "")
	return cut(front+"…"+ansi.TruncateLeft(s, n-tail, ""), w)
}
