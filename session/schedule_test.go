package session

import (
	"testing"
	"time"

	"wakey/api"
)

func TestNewAccess(t *testing.T) {
	issued := time.Date(2026, 11, 23, 12, 0, 0, 900_000_000, time.UTC) // the server's clock, a day off
	asked := time.Date(2026, 11, 24, 15, 30, 0, 0, time.UTC)
	tok := &api.Token{SessionUUID: "s", IssuedAt: issued, ExpiresAt: issued.Add(time.Hour)}
	for _, tt := range []struct {
		draw    float64
		refresh time.Duration
	}{{0, 42 * time.Minute}, {0.5, 45 * time.Minute}, {0.999, 48 * time.Minute}} {
		a := newAccess(tok, asked, tt.draw)
		// The server refuses from the whole second on: 0.9 s less than it said.
		if left := a.ExpiresAt.Sub(asked); left != time.Hour-900*time.Millisecond {
			t.Errorf("lives for %s", left)
		}
		if at := a.RefreshAt.Sub(asked).Round(time.Minute / 10); (at - tt.refresh).Abs() > 6*time.Second {
			t.Errorf("draw %v: refresh after %s, want about %s", tt.draw, at, tt.refresh)
		}
	}
}

func TestAlive(t *testing.T) {
	made := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	a := &Access{ObtainedAt: made, ExpiresAt: made.Add(time.Minute), RefreshAt: made.Add(45 * time.Second)}
	tests := []struct {
		name     string
		a        *Access
		at       time.Duration // after it was made
		minValid time.Duration
		alive    bool
		due      bool
	}{
		{"no token", nil, 0, 0, false, true},
		{"fresh", a, 0, 0, true, false},
		{"enough left", a, 20 * time.Second, 30 * time.Second, true, false},
		{"too little left", a, 40 * time.Second, 25 * time.Second, false, false},
		{"more than half its life is never asked of it", a, time.Second, time.Hour, true, false},
		{"due", a, 45 * time.Second, 0, true, true},
		{"dead", a, time.Minute, 0, false, true},
		{"the clock is a little behind", a, -3 * time.Second, 0, true, false},
		{"the clock was set back", a, -time.Hour, 0, false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := made.Add(tt.at)
			if got := tt.a.alive(now, tt.minValid); got != tt.alive {
				t.Errorf("alive %v", got)
			}
			if got := tt.a.due(now); got != tt.due {
				t.Errorf("due %v", got)
			}
		})
	}
}

func TestBackoff(t *testing.T) {
	tests := []struct {
		n    int
		left time.Duration
		lo   time.Duration // with the most taken off
		hi   time.Duration
	}{
		{1, 0, time.Second, 2 * time.Second},
		{2, 0, 2 * time.Second, 4 * time.Second},
		{5, 0, 16 * time.Second, 32 * time.Second},
		{8, 0, 128 * time.Second, 256 * time.Second},
		{9, 0, 150 * time.Second, 5 * time.Minute},
		{1000, 0, 150 * time.Second, 5 * time.Minute},
		{9, 4 * time.Minute, time.Minute, time.Minute}, // a quarter of what is left
		{1, time.Second, time.Second, time.Second},     // but never a spin
		{9, -time.Hour, 150 * time.Second, 5 * time.Minute},
	}
	for _, tt := range tests {
		if got := backoff(tt.n, tt.left, 0); got != tt.hi {
			t.Errorf("backoff(%d, %s) at most %s, want %s", tt.n, tt.left, got, tt.hi)
		}
		if got := backoff(tt.n, tt.left, 1); got != tt.lo {
			t.Errorf("backoff(%d, %s) at least %s, want %s", tt.n, tt.left, got, tt.lo)
		}
	}
}

func TestNewClientID(t *testing.T) {
	for host, want := range map[string]string{
		"laptop":        "wakey-laptop-",
		"Bürö.Example":  "wakey-b-r--example-",
		"":              "wakey-host-",
		"../../../../x": "wakey-x-",
	} {
		got := newClientID(host)
		if len(got) != len(want)+8 || got[:len(want)] != want {
			t.Errorf("%q gives %q", host, got)
		}
		if reason, bad := api.Unrevokable(got); bad {
			t.Errorf("%q: %s", got, reason)
		}
	}
	if n := len(newClientID(string(make([]byte, 300)) + "a")); n > 64 {
		t.Errorf("%d bytes", n)
	}
}
