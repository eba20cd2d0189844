package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

// dueSoon signs alice in for an hour, runs a manager and waits until just before the refresh.
func dueSoon(t *testing.T, s *stack, store Store) (*Manager, Account) {
	t.Helper()
	m := s.manager(store)
	a := signIn(t, m, "alice", time.Hour)
	run(t, m)
	time.Sleep(time.Until(a.RefreshAt.Add(-time.Second)))
	s.ResetRequests()
	return m, a
}

func TestServerTrouble(t *testing.T) {
	tests := []struct {
		name     string
		fault    authd.Fault
		lasts    time.Duration
		state    State // in the end of the trouble
		lo, hi   int   // refreshes asked for meanwhile
		sessions int   // on the server at most when it is over
		leaks    bool  // each may have opened a session that nobody knows
	}{
		{"500 for an hour", authd.Fault{Path: "/token refresh", Status: 500}, time.Hour, Expired, 12, 50, 2, true},
		{"502 page of a proxy", authd.Fault{Path: "/token refresh", Status: 502, HTML: true}, time.Hour, Expired, 12, 50, 2, true},
		{"a captive portal's page", authd.Fault{Path: "/token refresh", Status: 200, HTML: true}, 10 * time.Minute, Degraded, 3, 14, 2, false},
		{"asked too often", authd.Fault{Path: "/token refresh", Status: 429, HTML: true}, 10 * time.Minute, Degraded, 3, 14, 2, false},
		{"too many sessions", authd.Fault{Path: "/token refresh", Status: 429}, 10 * time.Minute, Degraded, 3, 14, 2, false},
		// The server acts on each of them, after we have given up.
		{"slow answers", authd.Fault{Path: "/token refresh", Delay: time.Minute}, 10 * time.Minute, Degraded, 3, 14, 14, true},
		{"cut in the middle of the answer", authd.Fault{Path: "/token refresh", Cut: true, Times: 1}, 5 * time.Minute, Active, 2, 2, 3, true},
		{"acted on, then 500", authd.Fault{Path: "/token refresh", Status: 500, After: true, Times: 2}, 5 * time.Minute, Active, 3, 3, 4, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := newStack(t, authd.Config{})
				store := NewMemoryStore()
				m, a := dueSoon(t, s, store)
				s.Faults().Add(tt.fault)
				time.Sleep(tt.lasts)
				for account(t, m, a.ID).State == Refreshing {
					time.Sleep(time.Second)
				}
				wantState(t, m, a.ID, tt.state)
				countBetween(t, "refreshes asked for", refreshes(s), tt.lo, tt.hi)
				s.Faults().Clear()
				time.Sleep(backoffMax + time.Second)
				got := wantState(t, m, a.ID, Active)
				if got.SessionUUID == a.SessionUUID {
					t.Error("still the old token")
				}
				countBetween(t, "sessions", s.Sessions(aliceUUID), 1, tt.sessions)
				rec, err := store.Get(t.Context(), a.ID)
				if err != nil {
					t.Fatal(err)
				}
				if unknown := s.Sessions(aliceUUID) - len(rec.Sessions); len(got.Leaks) < unknown || len(got.Leaks) > 0 != tt.leaks {
					t.Errorf("%d leaks told, %d sessions that nobody knows", len(got.Leaks), unknown)
				}
			})
		})
	}
}

func TestLeakIsTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		m, a := dueSoon(t, s, NewMemoryStore())
		s.Faults().Add(authd.Fault{Path: "/token refresh", Cut: true, Times: 1})
		time.Sleep(5 * time.Minute)
		got := wantState(t, m, a.ID, Active)
		if len(got.Leaks) != 1 || got.Leaks[0].Op != "refresh" {
			t.Fatalf("leaks: %+v, want the one refresh whose answer was lost", got.Leaks)
		}
		if until := got.Leaks[0].Until.Sub(got.Leaks[0].At); until != time.Hour {
			t.Errorf("the lost session is over after %s, want the lifetime asked for", until)
		}
	})
}

// Whoever dies after keeping a token and before taking back the note of it has lost nothing.
func TestKeptIsNoLeak(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		store := NewMemoryStore()
		m := s.manager(store)
		a := signIn(t, m, "alice", time.Hour)
		lock, err := store.Lock(t.Context(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := lock.Begin(Attempt{Op: "sign-in", At: a.ObtainedAt, ClientID: a.ClientID}); err != nil {
			t.Fatal(err)
		}
		lock.Release()
		if _, err := m.Refresh(t.Context(), a.ID); err != nil {
			t.Fatal(err)
		}
		if got := account(t, m, a.ID); len(got.Leaks) != 0 {
			t.Errorf("leaks: %+v, want none", got.Leaks)
		}
		if lock, err = store.Lock(t.Context(), a.ID); err != nil || lock.Interrupted != nil {
			t.Errorf("the note stays behind: %v", err)
		}
		lock.Release()
	})
}

func TestRefusedRefreshToken(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		store := &countingStore{Store: NewMemoryStore()}
		m, a := dueSoon(t, s, store)
		store.locked.Store(0)
		s.RevokeRefreshTokens(aliceUUID)
		time.Sleep(10 * time.Second)
		got := wantState(t, m, a.ID, RevokedElsewhere)
		if !got.State.NeedsPerson() || got.TokenSuffix == "" {
			t.Errorf("%+v", got)
		}
		if _, err := m.Token(t.Context(), a.ID, 0); err != nil {
			t.Errorf("the token still lives but is not given: %v", err)
		}
		time.Sleep(3 * time.Hour)
		if n := store.locked.Load(); n != 1 {
			t.Errorf("%d attempts for an account that nothing but a person helps", n)
		}
		var problem *ProblemError
		if _, err := m.Token(t.Context(), a.ID, 0); !errors.As(err, &problem) || problem.State != RevokedElsewhere {
			t.Errorf("error %v", err)
		}
		if n := refreshes(s); n != 1 {
			t.Errorf("asked %d times with a refresh token known to be dead", n)
		}
		last := m.Events()[len(m.Events())-1]
		if last.Level != Alarm {
			t.Errorf("last event %+v, want an alarm", last)
		}
		// The person may try again, and signing in again heals.
		if _, err := m.Refresh(t.Context(), a.ID); !errors.Is(err, api.ErrRefreshRefused) {
			t.Errorf("error %v", err)
		}
		b := signIn(t, m, "alice", time.Hour)
		if b.ID != a.ID || b.ClientID == a.ClientID {
			t.Errorf("signed in again as %s with %s", b.ID, b.ClientID)
		}
		wantState(t, m, a.ID, Active)
	})
}

func TestIdentityChanged(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		m, a := dueSoon(t, s, NewMemoryStore())
		s.Faults().RefreshAs(bobUUID, 1)
		time.Sleep(10 * time.Second)
		got := wantState(t, m, a.ID, IdentityChanged)
		if got.SessionUUID != a.SessionUUID {
			t.Error("took another user's token")
		}
		if n := s.Sessions(bobUUID); n != 0 {
			t.Errorf("%d sessions of the other user stand", n)
		}
		time.Sleep(3 * time.Hour)
		if n := refreshes(s); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestSessionCeiling(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{MaxSessions: 4})
		m := s.manager(NewMemoryStore())
		a := signIn(t, m, "alice", time.Hour)
		if _, err := m.Refresh(t.Context(), a.ID); err != nil { // the sign-in's session is superseded now
			t.Fatal(err)
		}
		other := s.manager(NewMemoryStore()) // another machine of the same user
		for i := range 2 {
			if _, err := other.SignIn(t.Context(), SignInRequest{
				Name: fmt.Sprint("other", i), Stack: "pbx.example.com", Login: "alice",
				Password: api.NewSecret("alice-pass"), Lifetime: 10 * time.Hour,
			}); err != nil {
				t.Fatal(err)
			}
		}
		theirs := other.Accounts()
		if _, err := m.Refresh(t.Context(), a.ID); err != nil {
			t.Fatalf("with a superseded session of its own to end: %v", err)
		}
		for _, o := range theirs {
			tok, _ := other.Token(t.Context(), o.ID, 0)
			c, _ := other.Client(o.ID)
			if err := c.CheckToken(t.Context(), tok.Token, "", ""); err != nil {
				t.Errorf("a session of another machine was ended: %v", err)
			}
		}
	})
}

func TestSessionCeilingWithNothingToFree(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{MaxSessions: 2})
		other := s.manager(NewMemoryStore())
		theirs, err := other.SignIn(t.Context(), SignInRequest{
			Name: "other", Stack: "pbx.example.com", Login: "alice",
			Password: api.NewSecret("alice-pass"), Lifetime: 100 * time.Hour,
		})
		if err != nil {
			t.Fatal(err)
		}
		m, a := dueSoon(t, s, NewMemoryStore())
		time.Sleep(5 * time.Minute)
		got := wantState(t, m, a.ID, Degraded)
		if !strings.Contains(got.Reason, "session") {
			t.Errorf("reason %q does not speak of sessions", got.Reason)
		}
		// Our own session's end makes room, within the minute that the server takes to clear it.
		time.Sleep(time.Until(a.ExpiresAt) + 3*time.Minute)
		wantState(t, m, a.ID, Active)
		countBetween(t, "refreshes asked for", refreshes(s), 2, 40)
		tok, _ := other.Token(t.Context(), theirs.ID, 0)
		c, _ := other.Client(theirs.ID)
		if err := c.CheckToken(t.Context(), tok.Token, "", ""); err != nil {
			t.Errorf("a session of another machine was ended: %v", err)
		}
	})
}

func TestSessionBudget(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		m := s.manager(NewMemoryStore())
		a := signIn(t, m, "alice", 10*time.Hour)
		c, err := m.Client(a.ID)
		if err != nil {
			t.Fatal(err)
		}
		var before Access
		for i := range 1000 {
			now, err := m.Refresh(t.Context(), a.ID)
			if err != nil {
				t.Fatalf("refresh %d: %v", i, err)
			}
			if n := s.Sessions(aliceUUID); n > 3 {
				t.Fatalf("%d sessions after %d refreshes", n, i+1)
			}
			// Whoever was given the token just before is in the middle of using it.
			if err := c.CheckToken(t.Context(), before.Token, "", ""); i > 0 && err != nil {
				t.Fatalf("refresh %d ended the session of its predecessor: %v", i, err)
			}
			before = now
		}
		n, err := m.CountSessions(t.Context(), a.ID)
		if err != nil || n != s.Sessions(aliceUUID) {
			t.Errorf("counted %d, %v; the server has %d", n, err, s.Sessions(aliceUUID))
		}
		got := account(t, m, a.ID)
		if got.TotalSessions != n || len(got.OwnSessions) > 3 {
			t.Errorf("account knows %d sessions, %d its own", got.TotalSessions, len(got.OwnSessions))
		}
	})
}

func TestTwoManagersOneStore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		store := NewMemoryStore()
		m, n := s.manager(store), s.manager(store)
		a := signIn(t, m, "alice", time.Hour)
		run(t, m)
		run(t, n)
		time.Sleep(24 * time.Hour)
		wantState(t, m, a.ID, Active)
		if x, y := account(t, m, a.ID), account(t, n, a.ID); x.SessionUUID != y.SessionUUID {
			t.Errorf("they hold different tokens: …%s, …%s", x.TokenSuffix, y.TokenSuffix)
		}
		countBetween(t, "refreshes of both in a day", refreshes(s), 29, 35)
	})
}

func TestOneFlight(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		m := s.manager(NewMemoryStore())
		a := signIn(t, m, "alice", time.Hour)
		time.Sleep(2 * time.Hour)
		s.Faults().Add(authd.Fault{Path: "/token refresh", Delay: 5 * time.Second})
		gone, cancel := context.WithCancel(t.Context())
		first := make(chan error, 1)
		go func() {
			_, err := m.Token(gone, a.ID, 0)
			first <- err
		}()
		time.Sleep(time.Second)
		var wg sync.WaitGroup
		got := make([]string, 20)
		for i := range got {
			wg.Go(func() {
				tok, err := m.Token(t.Context(), a.ID, time.Minute)
				if err != nil {
					t.Error(err)
				}
				got[i] = tok.SessionUUID
			})
		}
		time.Sleep(time.Second)
		cancel() // the caller that began it leaves; the attempt goes on
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Errorf("the caller that left got %v", err)
		}
		wg.Wait()
		m.Wait()
		for _, g := range got {
			if g != got[0] || g == "" {
				t.Fatalf("different tokens: %v", got)
			}
		}
		if n := refreshes(s); n != 1 {
			t.Errorf("%d refreshes", n)
		}
	})
}

// Who waits for an attempt that fails gets its failure, and does not ask again one after the other.
func TestOneFlightThatFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		m := s.manager(NewMemoryStore())
		a := signIn(t, m, "alice", time.Hour)
		time.Sleep(2 * time.Hour)
		s.Faults().Add(authd.Fault{Path: "/token refresh", Delay: 5 * time.Second, Status: http.StatusInternalServerError})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := m.Token(t.Context(), a.ID, time.Minute); !errors.Is(err, api.ErrServer) {
					t.Errorf("error %v", err)
				}
			})
		}
		wg.Wait()
		if n := refreshes(s); n != 1 {
			t.Errorf("%d refreshes for 20 callers at once", n)
		}
	})
}

// gateway answers in the stack's place: somebody has to sign in to it first.
type gateway struct {
	next http.RoundTripper
	shut atomic.Bool
}

func (g *gateway) RoundTrip(r *http.Request) (*http.Response, error) {
	if !g.shut.Load() {
		return g.next.RoundTrip(r)
	}
	return &http.Response{
		Status: "401 Unauthorized", StatusCode: http.StatusUnauthorized, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(`{"message":"Unauthorized"}`)), Request: r,
	}, nil
}

// A 401 that is not the stack's does not end the account.
func TestGatewayInBetween(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		g := &gateway{next: authd.Transport(s)}
		m := New(NewMemoryStore(), Options{Transport: g})
		a := signIn(t, m, "alice", time.Hour)
		run(t, m)
		g.shut.Store(true)
		time.Sleep(50 * time.Minute)
		wantState(t, m, a.ID, Degraded)
		g.shut.Store(false)
		time.Sleep(backoffMax + time.Second)
		wantState(t, m, a.ID, Active)
		countBetween(t, "refreshes that reached the stack", refreshes(s), 1, 1)
	})
}
