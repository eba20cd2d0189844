package quick

import (
	"strconv"
	"time"
)

// InWords gives a length of time as a person says it: "2 h 5 min", "3 days". It rounds down, so
// that nothing seems to live longer than it does.
func InWords(d time.Duration) string {
	const day = 24 * time.Hour
	if d < 0 {
		d = -d
	}
	count := func(unit time.Duration, word string) string { return strconv.FormatInt(int64(d/unit), 10) + " " + word }
	switch {
	case d < time.Minute:
		return count(time.Second, "s")
	case d < time.Hour:
		return count(time.Minute, "min")
	case d < day:
		hours := count(time.Hour, "h")
		if d %= time.Hour; d < time.Minute {
			return hours
		}
		return hours + " " + count(time.Minute, "min")
	case d < 2*day:
		return "1 day"
	case d < 60*day:
		return count(day, "days")
	case d < 2*365*day:
		return count(30*day, "months")
	default:
		return count(365*day, "years")
	}
}
