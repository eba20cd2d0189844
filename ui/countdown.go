package ui

import (
	"fmt"
	"math"
	"time"
)

// countdown writes the time left: h:mm:ss from an hour, m:ss below, days above two of them.
// A part of a second counts as a whole one, so that 0:00 means that nothing is left.
func countdown(d time.Duration) string {
	s := int64(math.Ceil(d.Seconds()))
	switch {
	case s <= 0:
		return "0:00"
	case s >= 48*3600:
		return fmt.Sprintf("%d d %02d h", s/86400, s/3600%24)
	case s >= 3600:
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// Seconds are shown where they matter: everywhere else they would only make the screen restless,
// and a slow link busy.
const (
	secondsBelow        = 10 * time.Minute // of what expires
	refreshSecondsBelow = 2 * time.Minute  // of what is refreshed
)

// minutesLeft writes a time left to the minute, below which it is rounded: "1 h 58 min", "44 min".
func minutesLeft(d time.Duration) string {
	switch m := int(d.Minutes()); {
	case d >= 48*time.Hour:
		return countdown(d)
	case m < 60:
		return fmt.Sprintf("%d min", m)
	default:
		return fmt.Sprintf("%d h %02d min", m/60, m%60)
	}
}

// span writes a length of time in words that fit a sentence: "2 h", "48 min", "90 s".
func span(d time.Duration) string {
	s := int64(math.Round(d.Seconds()))
	switch {
	case s < 120 && s%60 != 0 || s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min", (s+30)/60)
	case s < 48*3600:
		h, m := s/3600, s%3600/60
		if m == 0 {
			return fmt.Sprintf("%d h", h)
		}
		return fmt.Sprintf("%d h %d min", h, m)
	}
	return plural(int(s/86400), "day")
}

// age writes how long ago then was, in words.
func age(now, then time.Time) string {
	if then.IsZero() {
		return "at an unknown time"
	}
	d := now.Sub(then)
	day := 24 * time.Hour
	switch {
	case d < -time.Minute:
		return "in the future"
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return plural(int(d.Minutes()), "minute") + " ago"
	case d < day:
		return plural(int(d.Hours()), "hour") + " ago"
	case d < 2*day:
		return "yesterday"
	case d < 14*day:
		return plural(int(d/day), "day") + " ago"
	case d < 60*day:
		return plural(int(d/(7*day)), "week") + " ago"
	case d < 730*day:
		return plural(int(d/(30*day)), "month") + " ago"
	}
	return plural(int(d/(365*day)), "year") + " ago"
}

// exact writes a time in full, in this machine's zone and, where that is another, in UTC.
func exact(t time.Time) string { return exactIn(t, time.Local) }

// exactIn is exact in another zone than the machine's.
func exactIn(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return "unknown"
	}
	local := t.In(zone)
	if _, offset := local.Zone(); offset == 0 {
		return t.UTC().Format("2006-01-02 15:04:05") + " UTC"
	}
	return local.Format("2006-01-02 15:04:05 MST") + ", " + t.UTC().Format("15:04:05") + " UTC"
}

// clockTime writes a time of today as 15:04:05, one of this week as Mon 15:04, and any other with
// its date. Which side of now a weekday is on, the words around it say.
func clockTime(now, t time.Time) string {
	now, t = now.Local(), t.Local()
	switch d := t.Sub(now); {
	case now.YearDay() == t.YearDay() && now.Year() == t.Year():
		return t.Format("15:04:05")
	case d.Abs() < 6*24*time.Hour:
		return t.Format("Mon 15:04")
	}
	return t.Format("2006-01-02 15:04")
}
