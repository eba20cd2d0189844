package cli

import (
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"wakey/api"
)

// table lines cells up for a person, under headings. Cells are made harmless on the way.
type table struct {
	rows [][]string
}

func newTable(headings ...string) *table {
	t := &table{}
	t.add(headings...)
	return t
}

// Bounds against a stack whose names are megabytes: what a cell may take of the lines below it, and what is shown of
// one at all. Honest names end far below, and --json gives everything.
const (
	alignedCells = 80
	shownRunes   = 2000
)

func (t *table) add(cells ...string) {
	for i := range cells {
		cells[i] = shortened(api.Clean(cells[i]))
	}
	t.rows = append(t.rows, cells)
}

// shortened is a text cut after shownRunes.
func shortened(s string) string {
	if len(s) <= shownRunes {
		return s
	}
	n := 0
	for i := range s {
		if n == shownRunes {
			return s[:i] + "…"
		}
		n++
	}
	return s
}

func (t *table) print(w io.Writer) error {
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], min(ansi.StringWidth(cell), alignedCells))
		}
	}
	var b strings.Builder
	for _, row := range t.rows {
		gap := 0
		for i, cell := range row {
			if cell != "" {
				b.WriteString(strings.Repeat(" ", gap) + cell)
				gap = 0
			}
			gap += max(0, widths[i]-ansi.StringWidth(cell)) + 2
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// facts lines up names and values, one pair a line, leaving out those without a value.
type facts struct{ table }

func (f *facts) add(name, value string) {
	if value != "" {
		f.table.add(name, value)
	}
}
