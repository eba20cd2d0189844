package ui

import "strings"

// emptyView says, in the middle, that there is nothing, and what to do next.
func emptyView(s *styles, w, h int, what, next string) string {
	lines := wrap(what, max(1, min(w-4, 60)))
	for i := range lines {
		lines[i] = s.text.Render(lines[i])
	}
	if next != "" {
		lines = append(lines, "")
		for _, l := range wrap(next, max(1, min(w-4, 60))) {
			lines = append(lines, s.muted.Render(l))
		}
	}
	return middle(lines, w, h)
}

// middle sets lines in the middle of w×h cells, a little above it, as the eye expects.
func middle(lines []string, w, h int) string {
	out := make([]string, 0, h)
	for range max(0, (h-len(lines))*2/5) {
		out = append(out, "")
	}
	for _, l := range lines {
		out = append(out, blanks((w-width(l))/2)+l)
	}
	return block(strings.Join(out, "\n"), w, h)
}
