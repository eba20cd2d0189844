package session

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

const (
	aliceUUID = "aaaaaaaa-0000-4000-8000-000000000001"
	bobUUID   = "aaaaaaaa-0000-4000-8000-000000000002"
	tenant    = "11111111-1111-4111-8111-111111111111"
)

// stack is a server with alice and bob, and the clock of the machine that talks to it.
type stack struct {
	*authd.Server
	offset atomic.Int64 // of this machine's wall clock against the server's
}

func newStack(t *testing.T, cfg authd.Config) *stack {
	t.Helper()
	s, err := authd.New(cfg, authd.Seed{
		Tenants: []authd.SeedTenant{{UUID: tenant, Name: "Example", Slug: "example"}},
		Users: []authd.SeedUser{
			{UUID: aliceUUID, Username: "alice", Password: "alice-pass", Tenant: tenant},
			{UUID: bobUUID, Username: "bob", Password: "bob-pass", Tenant: tenant},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &stack{Server: s}
}

func (s *stack) now() time.Time { return time.Now().Add(time.Duration(s.offset.Load())) }

func (s *stack) shift(d time.Duration) { s.offset.Add(int64(d)) }

func (s *stack) manager(store Store) *Manager {
	return New(store, Options{Version: "test", Transport: authd.Transport(s), Now: s.now})
}

func signIn(t *testing.T, m *Manager, login string, lifetime time.Duration) Account {
	t.Helper()
	a, err := m.SignIn(t.Context(), SignInRequest{
		Name: login, Stack: "https://pbx.example.com", Login: login,
		Password: api.NewSecret(login + "-pass"), Lifetime: lifetime,
	})
	if err != nil {
		t.Fatalf("signing in as %s: %v", login, err)
	}
	return a
}

// run runs m until the test's end, and fails the test if it can't.
func run(t *testing.T, m *Manager) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

// bubble runs f in a synctest bubble; managers run by it end with f.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func account(t *testing.T, m *Manager, id ID) Account {
	t.Helper()
	a, err := m.Account(string(id))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func wantState(t *testing.T, m *Manager, id ID, want State) Account {
	t.Helper()
	a := account(t, m, id)
	if a.State != want {
		t.Fatalf("state %q (%s), want %q", a.State, a.Reason, want)
	}
	return a
}

func refreshes(s *stack) int { return s.Count("POST", "/token refresh") }

// countBetween fails unless n lies in [lo, hi].
func countBetween(t *testing.T, what string, n, lo, hi int) {
	t.Helper()
	if n < lo || n > hi {
		t.Errorf("%s: %d, want %d to %d", what, n, lo, hi)
	}
}

func TestDayOfRefreshes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		m := s.manager(NewMemoryStore())
		a := signIn(t, m, "alice", time.Hour)
		run(t, m)
		least := math.Inf(1)
		for range 24 * 60 {
			time.Sleep(time.Minute)
			got := account(t, m, a.ID)
			least = min(least, got.ExpiresAt.Sub(s.now()).Seconds()/3600)
			if n := s.Sessions(aliceUUID); n > 3 {
				t.Fatalf("%d sessions", n)
			}
		}
		if least < 0.18 {
			t.Errorf("a token got to %.0f %% of its life", 100*least)
		}
		countBetween(t, "refreshes in a day", refreshes(s), 29, 35)
		if n := s.Count("", ""); n != refreshes(s)+1 {
			t.Errorf("%d requests for %d refreshes and a sign-in", n, refreshes(s))
		}
	})
}

func TestRefreshInstantIsDrawnOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		store := NewMemoryStore()
		m := s.manager(store)
		a := signIn(t, m, "alice", time.Hour)
		at := account(t, m, a.ID).RefreshAt
		if share := at.Sub(a.ObtainedAt).Hours(); share < 0.7 || share > 0.8 {
			t.Errorf("refresh at %.2f of the lifetime", share)
		}
		run(t, m)
		other := s.manager(store)
		for range 20 {
			time.Sleep(2 * time.Minute)
			if err := other.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := account(t, m, a.ID).RefreshAt; !got.Equal(at) {
				t.Fatalf("the instant moved from %s to %s", at, got)
			}
			if got := account(t, other, a.ID).RefreshAt; !got.Equal(at) {
				t.Fatalf("another process sees %s, not %s", got, at)
			}
		}
	})
}

func TestSuspendedLaptop(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		m := s.manager(NewMemoryStore())
		a := signIn(t, m, "alice", time.Hour)
		run(t, m)
		time.Sleep(10 * time.Minute)
		s.shift(8 * time.Hour) // timers stood still, the wall clock did not
		s.ExpireTokens(aliceUUID)
		time.Sleep(31 * time.Second)
		if got := wantState(t, m, a.ID, Active); got.SessionUUID == a.SessionUUID {
			t.Error("not refreshed within a heartbeat")
		}
		time.Sleep(10 * time.Minute)
		if n := refreshes(s); n != 1 {
			t.Errorf("%d refreshes, want 1", n)
		}
	})
}

func TestClockSetBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		m := s.manager(NewMemoryStore())
		a := signIn(t, m, "alice", time.Hour)
		b := signIn(t, m, "bob", time.Hour)
		run(t, m)
		time.Sleep(30 * time.Minute)
		s.shift(-20 * time.Minute) // still after the tokens were made: only the loop can tell
		time.Sleep(31 * time.Second)
		if account(t, m, a.ID).SessionUUID == a.SessionUUID || account(t, m, b.ID).SessionUUID == b.SessionUUID {
			t.Error("not refreshed within a heartbeat")
		}
		s.shift(-2 * time.Hour)
		time.Sleep(20 * time.Minute)
		if n := refreshes(s); n != 4 {
			t.Errorf("%d refreshes for two accounts and two jumps, want 4", n)
		}
	})
}

// A wait for the next try that was reckoned by a clock which was set back since is not waited for.
func TestClockSetBackWhileRetrying(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		m := s.manager(NewMemoryStore())
		a := signIn(t, m, "alice", 10*time.Hour)
		run(t, m)
		time.Sleep(time.Until(a.RefreshAt.Add(-time.Second)))
		s.Faults().SetDown(true)
		time.Sleep(20 * time.Minute)
		wantState(t, m, a.ID, Degraded)
		s.Faults().SetDown(false)
		s.shift(-2 * time.Hour)
		time.Sleep(31 * time.Second)
		wantState(t, m, a.ID, Active)
		time.Sleep(20 * time.Minute)
		if n := refreshes(s); n != 1 {
			t.Errorf("%d refreshes, want 1", n)
		}
	})
}

// The monotonic clock stands still while a machine is suspended, and must have no part in how much time has passed.
func TestNowIsWallTime(t *testing.T) {
	if now := New(NewMemoryStore(), Options{}).now(); strings.Contains(now.String(), "m=") {
		t.Errorf("now is %s, with a monotonic reading", now)
	}
}

func TestTokenFromTheFutureIsNotBelieved(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		m := s.manager(NewMemoryStore())
		a := signIn(t, m, "alice", time.Hour)
		s.shift(-2 * time.Hour) // and no loop runs: a command started later
		got, err := m.Token(t.Context(), a.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got.SessionUUID == a.SessionUUID || refreshes(s) != 1 {
			t.Error("a token made two hours from now was handed out")
		}
	})
}

func TestWrongClocksAndZones(t *testing.T) {
	zones := []string{"UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati"}
	for _, skew := range []time.Duration{-24 * time.Hour, 0, 24 * time.Hour} {
		for _, name := range zones {
			t.Run(fmt.Sprintf("%s/%s", skew, name), func(t *testing.T) {
				zone, err := time.LoadLocation(name)
				if err != nil {
					t.Fatal(err)
				}
				bubble(t, func(t *testing.T) {
					s := newStack(t, authd.Config{Timezone: zone})
					s.shift(skew)
					m := s.manager(NewMemoryStore())
					a := signIn(t, m, "alice", time.Hour)
					if left := a.ExpiresAt.Sub(s.now()); left < 59*time.Minute || left > time.Hour {
						t.Fatalf("%s left of an hour", left)
					}
					run(t, m)
					time.Sleep(6 * time.Hour)
					wantState(t, m, a.ID, Active)
					countBetween(t, "refreshes in 6 h", refreshes(s), 7, 9)
				})
			})
		}
	}
}

func TestAutumnHour(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{Timezone: zone})
		// Local time there goes from 01:59:59 back to 01:00:00 at 06:00 UTC.
		time.Sleep(time.Until(time.Date(2000, 10, 29, 5, 10, 0, 0, time.UTC)))
		m := s.manager(NewMemoryStore())
		a := signIn(t, m, "alice", 20*time.Minute)
		run(t, m)
		for range 180 {
			time.Sleep(time.Minute)
			wantState(t, m, a.ID, Active)
		}
		countBetween(t, "refreshes in 3 h", refreshes(s), 10, 13)
	})
}

func TestServerDownForAnHour(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		m := s.manager(NewMemoryStore())
		a := signIn(t, m, "alice", time.Hour)
		run(t, m)
		time.Sleep(time.Until(a.RefreshAt.Add(-time.Minute)))
		var asked atomic.Int32
		s.Faults().SetDown(true)
		m.mu.Lock()
		clear(m.clients)
		m.o.Transport = counting{authd.Transport(s), &asked}
		m.mu.Unlock()

		time.Sleep(5 * time.Minute)
		got := wantState(t, m, a.ID, Degraded)
		if got.TokenSuffix != a.TokenSuffix || got.RetryAt.IsZero() {
			t.Errorf("degraded without its token or a next try: %+v", got)
		}
		if _, err := m.Token(t.Context(), a.ID, 0); err != nil {
			t.Errorf("the token still lives but is not given: %v", err)
		}
		time.Sleep(55 * time.Minute)
		wantState(t, m, a.ID, Expired)
		countBetween(t, "requests in an hour without a server", int(asked.Load()), 10, 50)

		s.Faults().SetDown(false)
		time.Sleep(backoffMax + time.Second)
		wantState(t, m, a.ID, Active)
	})
}

// counting counts the requests that a transport is given.
type counting struct {
	next  http.RoundTripper
	count *atomic.Int32
}

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.count.Add(1)
	return c.next.RoundTrip(r)
}
