package api

import (
	"testing"
	"time"
)

func TestParseTimes(t *testing.T) {
	at := time.Date(2026, 11, 23, 6, 58, 23, 0, time.UTC)
	for s, want := range map[string]time.Time{
		"2026-11-23T06:58:23":          at,
		"2026-11-23T06:58:23.156249":   at.Add(156249 * time.Microsecond),
		"2026-11-23T06:58:23.000000":   at,
		"2026-11-23T06:58:23Z":         at,
		"2026-11-23T06:58:23.5+00:00":  at.Add(500 * time.Millisecond),
		"2026-11-23T01:58:23-05:00":    at,
		"2026-11-23T12:51:23.1+05:53":  at.Add(100 * time.Millisecond),
		"2026-11-23T12:51:51+05:53:28": at,
		"2026-11-23T12:28:23.25+05:30": at.Add(250 * time.Millisecond),
		"2024-02-29T23:59:59.999999":   time.Date(2024, 2, 29, 23, 59, 59, 999999000, time.UTC),
	} {
		for name, parse := range map[string]func(string) (time.Time, error){"parseUTC": parseUTC, "parseZoned": parseZoned} {
			if got, err := parse(s); err != nil || !got.Equal(want) {
				t.Errorf("%s %q: %v, %v", name, s, got, err)
			}
		}
	}
	for _, s := range []string{"", "now", "2026-11-23", "2026-11-23 06:58:23", "2026-13-01T00:00:00", "2026-02-30T00:00:00", "2026-11-23T06:58:23\x1b", "1795437309", "2026-11-23T06:58:23.156249 UTC"} {
		if got, err := parseUTC(s); err == nil {
			t.Errorf("%q: %v", s, got)
		}
	}
}

func TestUnixTime(t *testing.T) {
	if got := unixTime(1795437309.25); !got.Equal(time.Date(2026, 11, 23, 12, 35, 9, 25e7, time.UTC)) {
		t.Error(got)
	}
	for _, v := range []float64{0, -1, 1e300, 253402300800} {
		if got := unixTime(v); !got.IsZero() {
			t.Errorf("%v: %v", v, got)
		}
	}
}
