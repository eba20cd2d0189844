package cli

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// progress is a bar on a terminal; elsewhere nothing.
type progress struct {
	w      io.Writer // nil: no terminal
	total  int
	done   int
	failed int
	begun  time.Time
	drawn  time.Time // zero: it is not on the screen
}

// How long the bar is, in cells, and how often it is drawn.
const (
	barCells = 16
	barEvery = 100 * time.Millisecond
)

func newProgress(w io.Writer, total int) *progress {
	p := &progress{total: total, begun: time.Now()}
	if isTerminal(w) {
		p.w = w
	}
	return p
}

// step counts one more.
func (p *progress) step(failed bool) {
	p.done++
	if failed {
		p.failed++
	}
	if now := time.Now(); p.w != nil && now.Sub(p.drawn) >= barEvery {
		p.drawn = now
		fmt.Fprintf(p.w, "\r%s\x1b[K", p.line(now))
	}
}

// clear makes room for a line of text on the same terminal. The next step draws the bar below it.
func (p *progress) clear() {
	if p.w != nil && !p.drawn.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.drawn = time.Time{}
	}
}

func (p *progress) end() { p.clear() }

// line is the bar: ━━━━╸───  1,234 of 10,000, 2 failed, 85 a second, 1 min left.
func (p *progress) line(now time.Time) string {
	halves := 2 * barCells * p.done / max(1, p.total)
	bar := strings.Repeat("━", halves/2)
	if halves%2 == 1 {
		bar += "╸"
	}
	bar += strings.Repeat("─", barCells-(halves+1)/2)
	text := fmt.Sprintf("%s  %d of %d", bar, p.done, p.total)
	if p.failed > 0 {
		text += fmt.Sprintf(", %d failed", p.failed)
	}
	if took := now.Sub(p.begun); took >= time.Second && p.done > 0 {
		left := time.Duration(float64(took) / float64(p.done) * float64(p.total-p.done))
		text += fmt.Sprintf(", %.0f a second, %s left", float64(p.done)/took.Seconds(), inWords(left))
	}
	return text
}
