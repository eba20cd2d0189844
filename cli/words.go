package cli

import (
	"fmt"
	"time"
)

// inWords gives a length of time as a person says it: "2 h 5 min", "3 days". It rounds down, so
// that nothing seems to live longer than it does.
func inWords(d time.Duration) string {
	if d < 0 {
		d = -d
	}
	day := 24 * time.Hour
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < day:
		h, m := int(d.Hours()), int(d.Minutes())%60
		if m == 0 {
			return fmt.Sprintf("%d h", h)
		}
		return fmt.Sprintf("%d h %d min", h, m)
	case d < 2*day:
		return "1 day"
	case d < 60*day:
		return fmt.Sprintf("%d days", int(d/day))
	case d < 2*365*day:
		return fmt.Sprintf("%d months", int(d/(30*day)))
	default:
		return fmt.Sprintf("%d years", int(d/(365*day)))
	}
}

// when says how far t is from now: "in 42 min", "3 days ago", "–" for no time at all.
func when(t, now time.Time) string {
	if t.IsZero() {
		return "–"
	}
	if d := t.Sub(now); d > 0 {
		return "in " + inWords(d)
	}
	return inWords(now.Sub(t)) + " ago"
}

// rfc3339 is how times stand in JSON: UTC, whole seconds, null for none.
func rfc3339(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}

// seconds is how lengths of time stand in JSON.
func seconds(d time.Duration) any { return int64(d / time.Second) }

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
