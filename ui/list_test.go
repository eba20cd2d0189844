package ui

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func testList(tb testing.TB, n int) *list[string] {
	tb.Helper()
	a := newTestApp(tb, 80, 24, nil)
	same := func(s string) string { return s }
	l := newList(a.frame, same, same, column[string]{title: "NAME", min: 4, max: 20, text: same, compare: strings.Compare})
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf("row %05d", i)
	}
	l.layout(11)
	l.set(rows)
	return &l
}

func TestListMoves(t *testing.T) {
	l := testList(t, 100)
	for _, c := range []struct {
		do             action
		cursor, offset int
	}{
		{actUp, 0, 0}, {actDown, 1, 0}, {actPageDown, 11, 2}, {actEnd, 99, 90}, {actDown, 99, 90}, {actPageUp, 89, 89}, {actHome, 0, 0},
	} {
		l.do(c.do)
		if l.cursor != c.cursor || l.offset != c.offset {
			t.Errorf("%s: row %d from %d, not %d from %d", c.do, l.cursor, l.offset, c.cursor, c.offset)
		}
	}
}

func TestListKeepsItsRow(t *testing.T) {
	l := testList(t, 100)
	l.choose("row 00042")
	rows := slices.Clone(l.all)
	slices.Reverse(rows)
	l.set(rows)
	if s, _ := l.selected(); s != "row 00042" {
		t.Errorf("after new rows: %q", s)
	}
	l.do(actSort)
	if s, _ := l.selected(); s != "row 00042" || l.all[l.rows[0]] != "row 00000" {
		t.Errorf("after sorting: %q, first %q", s, l.all[l.rows[0]])
	}
	l.do(actReverse)
	if l.all[l.rows[0]] != "row 00099" {
		t.Errorf("reversed: first %q", l.all[l.rows[0]])
	}
	l.set(nil)
	if _, ok := l.selected(); ok {
		t.Error("a row is selected in an empty list")
	}
}

func TestListFilters(t *testing.T) {
	l := testList(t, 1000)
	l.do(actFilter)
	for _, k := range []string{"9", "9", "space", "R", "O"} {
		l.update(keyMsg(k), 80)
	}
	if len(l.rows) != 19 { // 99, 199, … 899, and 990 to 999
		t.Errorf("%d rows are left", len(l.rows))
	}
	l.update(keyMsg("enter"), 80)
	if l.typing() || l.footLines() != 1 {
		t.Error("enter does not end typing, or ends the filter")
	}
	l.do(actBack)
	if len(l.rows) != 1000 || l.footLines() != 0 {
		t.Errorf("%d rows without the filter", len(l.rows))
	}
}

func TestListMarks(t *testing.T) {
	l := testList(t, 10)
	l.do(actMark)
	l.do(actMark)
	if got := l.marked(); !slices.Equal(got, []string{"row 00000", "row 00001"}) {
		t.Errorf("marked %v", got)
	}
	l.markAll(func(s string) bool { return s != "row 00005" })
	if n := len(l.marked()); n != 9 {
		t.Errorf("all but one are %d", n)
	}
	l.set(l.all[:3])
	if n := len(l.marked()); n != 3 {
		t.Errorf("%d marks of 3 rows", n)
	}
	l.do(actUnmark)
	if n := len(l.marked()); n != 0 {
		t.Errorf("%d marks after unmarking", n)
	}
}

func TestListMouse(t *testing.T) {
	l := testList(t, 100)
	if l.update(clickMsg{5, 3}, 80) || l.cursor != 2 {
		t.Errorf("a click goes to row %d", l.cursor)
	}
	if !l.update(clickMsg{5, 3}, 80) {
		t.Error("a second click does not open")
	}
	l.update(wheelMsg(3), 80)
	if l.offset != 3 || l.cursor != 3 {
		t.Errorf("the wheel shows row %d from %d", l.cursor, l.offset)
	}
	l.update(clickMsg{4, 0}, 80)
	l.update(clickMsg{4, 0}, 80)
	if l.sortBy != 0 || !l.desc {
		t.Error("clicks on the title do not sort")
	}
	l.update(clickMsg{5, 50}, 80)
	l.marking = true
	l.update(clickMsg{1, 3}, 80)
	l.update(clickMsg{1, 5}, 80)
	l.update(clickMsg{1, 3}, 80)
	if got := l.marked(); len(got) != 1 || got[0] != l.all[l.rows[l.offset+4]] {
		t.Errorf("clicks left of the rows mark %v", got)
	}
}

// BenchmarkKey is what a key costs with 10,000 rows: Update and View.
func BenchmarkKey(b *testing.B) {
	for name, key := range map[string]string{"down": "down", "page": "pgdown"} {
		b.Run(name, func(b *testing.B) {
			a := newTestApp(b, 120, 40, manyAccounts(10000))
			b.ResetTimer()
			for range b.N {
				press(a, key)
				_ = a.View()
			}
		})
	}
	b.Run("filter", func(b *testing.B) {
		a := newTestApp(b, 120, 40, manyAccounts(10000))
		press(a, "/")
		b.ResetTimer()
		for i := range b.N {
			press(a, []string{"p", "backspace"}[i%2])
			_ = a.View()
		}
	})
	b.Run("sort", func(b *testing.B) {
		a := newTestApp(b, 120, 40, manyAccounts(10000))
		b.ResetTimer()
		for range b.N {
			press(a, "o")
			_ = a.View()
		}
	})
	b.Run("tick", func(b *testing.B) {
		a := newTestApp(b, 120, 40, manyAccounts(10000))
		b.ResetTimer()
		for i := range b.N {
			a.Update(tickMsg{gen: a.tickGen, at: noon.Add(time.Duration(i) * time.Second)})
			_ = a.View()
		}
	})
	b.Run("new accounts", func(b *testing.B) {
		a := newTestApp(b, 120, 40, manyAccounts(10000))
		fresh := manyAccounts(10000)
		b.ResetTimer()
		for range b.N {
			a.setAccounts(fresh, nil)
			_ = a.View()
		}
	})
}
