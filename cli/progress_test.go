package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
)

func TestProgressLine(t *testing.T) {
	begun := time.Now()
	for _, c := range []struct {
		p     progress
		after time.Duration
		want  string
	}{
		{progress{total: 4, done: 1}, 0, "━━━━────────────  1 of 4"},
		{progress{total: 10_000, done: 2_500, failed: 3}, 10 * time.Second, "━━━━────────────  2500 of 10000, 3 failed, 250 a second, 30 s left"},
		{progress{total: 32, done: 1}, 0, "╸───────────────  1 of 32"},
		{progress{total: 3, done: 3}, 2 * time.Second, "━━━━━━━━━━━━━━━━  3 of 3, 2 a second, 0 s left"},
		{progress{}, time.Hour, "────────────────  0 of 0"},
	} {
		c.p.begun = begun
		if got := c.p.line(begun.Add(c.after)); got != c.want {
			t.Errorf("%+v: %q, want %q", c.p, got, c.want)
		}
	}
	full := progress{total: 200_000, done: 123_456, failed: 123_456, begun: begun}
	if n := ansi.StringWidth(full.line(begun.Add(9 * time.Hour))); n > 79 {
		t.Errorf("the longest line has %d cells", n)
	}
}

// Where no person looks there is no bar.
func TestNoProgressInAFile(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out, 10)
	for range 10 {
		p.step(false)
	}
	p.end()
	if out.Len() > 0 {
		t.Errorf("%q", out.String())
	}
}

// The bar is drawn now and then, not for each line, and is gone before a line of text and at the end.
func TestProgressIsDrawnSparingly(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out, 1_000_000)
	p.w = &out
	for range 10_000 {
		p.step(false)
	}
	if n := strings.Count(out.String(), "of 1000000"); n == 0 || n > 100 {
		t.Errorf("drawn %d times", n)
	}
	p.clear()
	if !strings.HasSuffix(out.String(), "\r\x1b[K") {
		t.Errorf("%q", out.String()[out.Len()-20:])
	}
	before := out.Len()
	p.clear()
	if out.Len() != before {
		t.Error("cleared twice")
	}
	p.step(false)
	if !strings.HasSuffix(out.String(), "\x1b[K") || out.Len() == before {
		t.Error("not drawn again below the line of text")
	}
	p.end()
}
