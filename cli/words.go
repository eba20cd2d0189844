package cli

import (
	"time"

	"a.wakey/quick"
)

// inWords gives a length of time as a person says it: "2 h 5 min", "3 days".
func inWords(d time.Duration) string { return quick.InWords(d) }

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
