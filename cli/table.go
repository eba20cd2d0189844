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

func (t *table) add(cells ...string) {
	for i := range cells {
		cells[i] = api.Clean(cells[i])
	}
	t.rows = append(t.rows, cells)
}

func (t *table) print(w io.Writer) error {
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], ansi.StringWidth(cell))
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
			gap += widths[i] - ansi.StringWidth(cell) + 2
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
