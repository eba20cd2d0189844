package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

// A process that was stopped keeps the account's lock: a token that still lives is given all the same,
// and a person told what to look for.
func TestTokenWhileAnotherKeepsTheLock(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		store := NewMemoryStore()
		m := s.manager(store)
		a := signIn(t, m, "alice", time.Hour)
		time.Sleep(40 * time.Minute)
		held, err := store.Lock(t.Context(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		defer held.Release()
		begun := time.Now()
		got, err := m.Token(t.Context(), a.ID, 25*time.Minute)
		if err != nil || got.SessionUUID != a.SessionUUID {
			t.Errorf("session %s, %v, want the token that still lives", got.SessionUUID, err)
		}
		if waited := time.Since(begun); waited != lockTimeout {
			t.Errorf("waited %s, want %s", waited, lockTimeout)
		}
		wantState(t, m, a.ID, Degraded)
		time.Sleep(20 * time.Minute)
		if _, err := m.Token(t.Context(), a.ID, 0); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "look for one that is stopped") {
			t.Errorf("error %v", err)
		}
	})
}

// Somebody else's token that was written while ours was asked for stays, and ours is revoked.
func TestOvertakenWhileAsking(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		store := NewMemoryStore()
		m, other := s.manager(store), s.manager(NewMemoryStore())
		a := signIn(t, m, "alice", time.Hour)
		theirs := signIn(t, other, "alice", time.Hour)
		rec, err := other.store.Get(t.Context(), theirs.ID)
		if err != nil {
			t.Fatal(err)
		}
		s.Faults().Add(authd.Fault{Path: "/token refresh", Delay: 10 * time.Second, Times: 1})
		go func() {
			time.Sleep(5 * time.Second)
			if _, err := store.Update(t.Context(), a.ID, func(r *Record) error { r.Access = rec.Access; return nil }); err != nil {
				t.Error(err)
			}
		}()
		got, err := m.Refresh(t.Context(), a.ID)
		if err != nil || got.SessionUUID != theirs.SessionUUID {
			t.Errorf("session %s, %v, want theirs, %s", got.SessionUUID, err, theirs.SessionUUID)
		}
		if kept, err := store.Get(t.Context(), a.ID); err != nil || !kept.Access.Token.Equal(rec.Access.Token) {
			t.Errorf("kept …%s, %v, want theirs", kept.Access.Token.Suffix(), err)
		}
		if n := s.Sessions(a.UserUUID); n != 2 {
			t.Errorf("%d sessions, want the two sign-ins'", n)
		}
		if lock, err := store.Lock(t.Context(), a.ID); err != nil || lock.Interrupted != nil {
			t.Errorf("the attempt's note stays behind: %+v, %v", lock.Interrupted, err)
		}
	})
}

// Who joins an attempt that was content with the token there is, and wants another, gets another.
func TestJoinsAnAttemptThatWantsLess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		store := NewMemoryStore()
		m := s.manager(store)
		a := signIn(t, m, "alice", time.Hour)
		held, err := store.Lock(t.Context(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			got, err := m.attempt(t.Context(), a.ID, func(*Access) bool { return true })
			if err != nil || got.SessionUUID != a.SessionUUID {
				t.Errorf("session %s, %v, want the one there is", got.SessionUUID, err)
			}
		})
		synctest.Wait()
		for range 3 {
			wg.Go(func() {
				got, err := m.Refresh(t.Context(), a.ID)
				if err != nil || got.SessionUUID == a.SessionUUID || got.SessionUUID == "" {
					t.Errorf("session %s, %v, want a new one", got.SessionUUID, err)
				}
			})
		}
		synctest.Wait()
		held.Release()
		wg.Wait()
		if n := refreshes(s); n != 1 {
			t.Errorf("%d refreshes for three who wanted one, want 1", n)
		}
	})
}

func TestCancelledCallerBeginsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		m := s.manager(NewMemoryStore())
		a := signIn(t, m, "alice", time.Hour)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := m.Refresh(ctx, a.ID); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		m.Wait()
		if n := refreshes(s); n != 0 {
			t.Errorf("%d refreshes", n)
		}
	})
}

// At most 8 requests are under way, whoever asks.
func TestAtMostEightAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		busy := &busyTransport{next: authd.Transport(s)}
		m := New(NewMemoryStore(), Options{Transport: busy})
		var ids []ID
		for i := range 50 {
			a, err := m.SignIn(t.Context(), SignInRequest{
				Name: fmt.Sprint("account", i), Stack: "pbx.example.com", Login: "alice", Password: api.NewSecret("alice-pass"),
			})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, a.ID)
		}
		begun := time.Now()
		var wg sync.WaitGroup
		for _, id := range ids {
			wg.Go(func() {
				if _, err := m.Refresh(t.Context(), id); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		// Fifty of 40 ms each, eight at once.
		if took := time.Since(begun); busy.most != maxRequests || took != 7*40*time.Millisecond {
			t.Errorf("%d at once, %s for all", busy.most, took)
		}
	})
}

// Thousands of accounts whose stack swallows every request leave those of another one in peace.
func TestDeadStackKeepsNobodyWaiting(t *testing.T) {
	bubble(t, func(t *testing.T) {
		well, ill := newStack(t, authd.Config{}), newStack(t, authd.Config{MaxSessions: 1000})
		store := NewMemoryStore()
		m := New(store, Options{Transport: byHost{"well.example.com": authd.Transport(well), "ill.example.com": authd.Transport(ill)}})
		for i := range 400 {
			if _, err := m.SignIn(t.Context(), SignInRequest{
				Name: fmt.Sprint("ill", i), Stack: "ill.example.com", Login: "alice", Password: api.NewSecret("alice-pass"), Lifetime: 10 * time.Minute,
			}); err != nil {
				t.Fatal(err)
			}
		}
		ill.Faults().Add(authd.Fault{Delay: time.Hour})
		a, err := m.SignIn(t.Context(), SignInRequest{
			Stack: "well.example.com", Login: "alice", Password: api.NewSecret("alice-pass"), Lifetime: 2 * time.Minute,
		})
		if err != nil {
			t.Fatal(err)
		}
		run(t, m)
		for range 3600 {
			time.Sleep(time.Second)
			if got := account(t, m, a.ID); !time.Now().Before(got.ExpiresAt) {
				t.Fatalf("expired %s ago, %s", time.Since(got.ExpiresAt), got.State)
			}
		}
		countBetween(t, "refreshes of the other stack's account in an hour", refreshes(well), 30, 45)
	})
}

// byHost sends each request to the stack it is for.
type byHost map[string]http.RoundTripper

func (b byHost) RoundTrip(r *http.Request) (*http.Response, error) { return b[r.URL.Host].RoundTrip(r) }

// Run's end leaves nothing behind that still asks, nor an account that is never asked for again.
func TestRunEndsWithNothingUnderWay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{MaxSessions: 1000})
		m := New(NewMemoryStore(), Options{Transport: &busyTransport{next: authd.Transport(s)}})
		for i := range 30 {
			if _, err := m.SignIn(t.Context(), SignInRequest{
				Name: fmt.Sprint("account", i), Stack: "pbx.example.com", Login: "alice", Password: api.NewSecret("alice-pass"), Lifetime: time.Minute,
			}); err != nil {
				t.Fatal(err)
			}
		}
		for round := range 200 {
			time.Sleep(2 * time.Minute) // all are due
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- m.Run(ctx) }()
			time.Sleep(time.Duration(round%4) * 40 * time.Millisecond) // just as some of them are done
			cancel()
			if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			asked := refreshes(s)
			time.Sleep(time.Second)
			if n := refreshes(s); n != asked {
				t.Fatalf("round %d: %d requests after the end", round, n-asked)
			}
		}
		stop := run(t, m)
		time.Sleep(5 * time.Second)
		stop()
		for _, a := range m.Accounts() {
			if a.State != Active {
				t.Errorf("%s is %s", a.Name, a.State)
			}
		}
	})
}

func TestQueueOrder(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	until := func(left time.Duration) *Access {
		return &Access{ObtainedAt: now.Add(left - time.Hour), ExpiresAt: now.Add(left)}
	}
	want := []*entry{ // whoever comes first
		{rec: Record{ID: "8", Access: until(time.Second)}},
		{rec: Record{ID: "7", Access: until(time.Minute)}},
		{rec: Record{ID: "6"}},
		{rec: Record{ID: "5", Access: until(-time.Minute)}},
		{rec: Record{ID: "3", Access: until(-time.Second)}},
		{rec: Record{ID: "4", Access: until(-time.Second)}},
		{rec: Record{ID: "2", Access: until(time.Second)}, failures: 1},
		{rec: Record{ID: "1", Access: until(-time.Second)}, failures: 3},
	}
	for i, a := range want {
		for j, b := range want {
			if got := a.before(b, now); got != cmp.Compare(i, j) {
				t.Errorf("%s before %s: %d", a.rec.ID, b.rec.ID, got)
			}
		}
	}
}

// When a suspended machine wakes and thousands are dead, those with the shortest lives are not let die
// again while they wait for the rest.
func TestStormAfterSuspend(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{MaxSessions: 10000})
		m := New(NewMemoryStore(), Options{Now: s.now, Transport: authd.Transport(s)})
		var short []ID
		for i := range 1000 {
			lifetime := 2 * time.Hour
			if i%200 == 0 {
				lifetime = time.Minute
			}
			a, err := m.SignIn(t.Context(), SignInRequest{
				Name: fmt.Sprint("account", i), Stack: "pbx.example.com", Login: "alice", Password: api.NewSecret("alice-pass"), Lifetime: lifetime,
			})
			if err != nil {
				t.Fatal(err)
			}
			if lifetime == time.Minute {
				short = append(short, a.ID)
			}
		}
		run(t, m)
		time.Sleep(time.Second)
		s.Faults().Add(authd.Fault{Path: "/token refresh", Delay: 2 * time.Second}) // four a second: the storm takes minutes
		s.shift(8 * time.Hour)
		s.ExpireTokens(aliceUUID)
		s.ResetRequests()
		time.Sleep(heartbeat + 10*time.Second)
		for range 200 {
			time.Sleep(time.Second)
			for _, id := range short {
				if a := account(t, m, id); !s.now().Before(a.ExpiresAt) {
					t.Fatalf("%s is dead again after %d refreshes", a.Name, refreshes(s))
				}
			}
		}
		time.Sleep(5 * time.Minute)
		for _, a := range m.Accounts() {
			if a.State != Active && a.State != Refreshing {
				t.Errorf("%s is %s", a.Name, a.State)
			}
		}
		countBetween(t, "refreshes", refreshes(s), 1000, 1060)
	})
}

// Another process's attempt may take as long as its requests may: whoever waits for it waits longer.
func TestWaitsLongerThanAnAttemptTakes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		store := NewMemoryStore()
		m, other := s.manager(store), s.manager(store)
		a := signIn(t, m, "alice", 10*time.Hour)
		if _, err := m.Refresh(t.Context(), a.ID); err != nil { // there is something to revoke now
			t.Fatal(err)
		}
		if err := other.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.Faults().Add(authd.Fault{Path: endSession, Delay: time.Hour})
		s.Faults().Add(authd.Fault{Path: "/token refresh", Delay: requestTimeout - time.Second})
		s.ResetRequests()
		var wg sync.WaitGroup
		var got [2]Access
		for i, m := range []*Manager{m, other} {
			wg.Go(func() {
				var err error
				if got[i], err = m.Refresh(t.Context(), a.ID); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := refreshes(s); n != 1 || got[0].SessionUUID != got[1].SessionUUID {
			t.Errorf("%d refreshes, sessions %s and %s, want one for both", n, got[0].SessionUUID, got[1].SessionUUID)
		}
	})
}
