package ui

import (
	"strings"
	"time"
)

// phase says where in its life a token is. The gauge and the countdown change with it.
type phase int

const (
	phaseNone    phase = iota // there is no token
	phaseGood                 // before its refresh
	phaseRefresh              // its refresh is due
	phaseEnding               // it is about to die
	phaseDead
)

// lifetimeOf is a token's life as three instants.
type lifetimeOf struct{ from, refresh, until time.Time }

// whole is that life in whole seconds, as the stack tells it: it cuts them off, and the expiry is a bit
// less than a second around it, for the way that the answer took.
func (l lifetimeOf) whole() lifetimeOf {
	return lifetimeOf{l.from.Truncate(time.Second), l.refresh, l.until.Round(time.Second)}
}

// left is the part of the lifetime that is left at now, 0 to 1.
func (l lifetimeOf) left(now time.Time) float64 {
	total := l.until.Sub(l.from)
	if total <= 0 {
		return 0
	}
	return clamp(float64(l.until.Sub(now))/float64(total), 0, 1)
}

// phase tells where in the life now is. The last tenth, a minute at most, is its end.
func (l lifetimeOf) phase(now time.Time) phase {
	rest := l.until.Sub(now)
	switch {
	case l.until.IsZero():
		return phaseNone
	case rest <= 0:
		return phaseDead
	case rest <= min(time.Minute, l.until.Sub(l.from)/10):
		return phaseEnding
	case !l.refresh.IsZero() && !now.Before(l.refresh):
		return phaseRefresh
	}
	return phaseGood
}

// drawGauge is a bar of w cells that counts in half cells: filled is what is left of the
// lifetime, the mark is the instant of the refresh. The filling runs from the left and shrinks towards it, so the
// refresh comes when its end meets the mark.
func drawGauge(l lifetimeOf, now time.Time, w int) string {
	if w <= 0 {
		return ""
	}
	halves := int(l.left(now)*float64(2*w) + 0.5)
	if halves == 0 && l.until.After(now) {
		halves = 1 // alive is never drawn as dead
	}
	at := -1
	if total := l.until.Sub(l.from); total > 0 && !l.refresh.IsZero() {
		at = int(clamp(float64(l.until.Sub(l.refresh))/float64(total), 0, 1) * float64(w))
		at = min(at, w-1)
	}
	var b strings.Builder
	for i := range w {
		switch {
		case i == at:
			b.WriteString("┃")
		case halves >= 2*i+2:
			b.WriteString("━")
		case halves == 2*i+1:
			b.WriteString("╸")
		default:
			b.WriteString("─")
		}
	}
	return b.String()
}

func clamp(v, low, high float64) float64 { return max(low, min(v, high)) }
