package api

import (
	"errors"
	"math"
	"time"
)

// parseUTC reads the server's zone-less UTC, "2026-11-23T06:58:23.156249" or without a fraction (contract 4).
// Should a zone be sent one day, it is honoured.
func parseUTC(s string) (time.Time, error) {
	if t, err := time.Parse("2006-01-02T15:04:05", s); err == nil {
		return t, nil
	}
	return parseZoned(s)
}

// parseZoned reads created_at: RFC 3339 with the offset of the database's time zone (contract 7.1). Historic
// zones have offsets with seconds.
func parseZoned(s string) (time.Time, error) {
	for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04:05Z07:00:00", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("no time of the form 2006-01-02T15:04:05")
}

// unixTime reads Unix seconds with a fraction, as errors carry them (contract 3). Nonsense gives the zero time.
func unixTime(v float64) time.Time {
	if math.IsNaN(v) || v <= 0 || v >= 253402300800 { // the year 10000
		return time.Time{}
	}
	whole, fraction := math.Modf(v)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC()
}
