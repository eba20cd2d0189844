package session

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

const endSession = "/users/{user_uuid}/sessions/{session_uuid}"

// Making room on the server is worth one request's time, not the refresh.
func TestRevocationThatHangs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		m := s.manager(NewMemoryStore())
		a := signIn(t, m, "alice", 10*time.Hour)
		s.Faults().Add(authd.Fault{Path: endSession, Delay: time.Hour})
		for i := range 6 {
			before := s.Count("DELETE", "")
			begun := time.Now()
			if _, err := m.Refresh(t.Context(), a.ID); err != nil {
				t.Fatalf("refresh %d: %v", i, err)
			}
			if took := time.Since(begun); took > requestTimeout {
				t.Errorf("refresh %d took %s", i, took)
			}
			if n := s.Count("DELETE", "") - before; n > 1 {
				t.Errorf("refresh %d: %d revocations that hang, want one at most", i, n)
			}
		}
		if n := len(account(t, m, a.ID).OwnSessions); n != 7 {
			t.Errorf("%d sessions known, want all 7", n)
		}
		s.Faults().Clear()
		if _, err := m.Refresh(t.Context(), a.ID); err != nil {
			t.Fatal(err)
		}
		if known, there := len(account(t, m, a.ID).OwnSessions), s.Sessions(aliceUUID); known != 2 || there != 2 {
			t.Errorf("%d sessions known, %d on the server, want the new one and its predecessor", known, there)
		}
	})
}

// And so are many revocations that are slow, all together.
func TestRevocationsThatAreSlow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		m := s.manager(NewMemoryStore())
		a := signIn(t, m, "alice", 10*time.Hour)
		refresh := func() {
			t.Helper()
			begun := time.Now()
			if _, err := m.Refresh(t.Context(), a.ID); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begun); took > requestTimeout {
				t.Errorf("a refresh took %s", took)
			}
		}
		s.Faults().Add(authd.Fault{Path: endSession, Status: http.StatusUnauthorized})
		for range 8 {
			refresh()
		}
		s.Faults().Clear()
		s.Faults().Add(authd.Fault{Path: endSession, Delay: 4 * time.Second})
		for range 4 {
			refresh()
		}
		if known, there := len(account(t, m, a.ID).OwnSessions), s.Sessions(aliceUUID); known != 2 || there != 2 {
			t.Errorf("%d sessions known, %d on the server, want the new one and its predecessor", known, there)
		}
	})
}

// A user who may not revoke sessions does not get one futile request more with each refresh.
func TestRevocationThatIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		m := s.manager(NewMemoryStore())
		a := signIn(t, m, "alice", 10*time.Hour)
		s.Faults().Add(authd.Fault{Path: endSession, Status: http.StatusUnauthorized})
		for range 50 {
			if _, err := m.Refresh(t.Context(), a.ID); err != nil {
				t.Fatal(err)
			}
		}
		countBetween(t, "revocations tried with 50 refreshes", s.Count("DELETE", ""), 1, 50)
	})
}

// rewriting changes the answers to refreshes that succeed.
type rewriting struct {
	next   http.RoundTripper
	change func(body []byte) []byte
}

func (w *rewriting) RoundTrip(r *http.Request) (*http.Response, error) {
	refresh := false
	if r.Body != nil {
		sent, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		refresh = bytes.Contains(sent, []byte(`"refresh_token"`))
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	resp, err := w.next.RoundTrip(r)
	if err != nil || !refresh || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(w.change(body))), -1
	resp.Header.Del("Content-Length")
	return resp, nil
}

// A stack that gives tokens without a life is not asked for ever.
func TestTokensDeadOnArrival(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		m := New(NewMemoryStore(), Options{Now: s.now, Transport: &rewriting{authd.Transport(s), func(body []byte) []byte {
			var answer map[string]map[string]any
			if err := json.Unmarshal(body, &answer); err != nil {
				t.Error(err)
			}
			answer["data"]["utc_expires_at"] = answer["data"]["utc_issued_at"]
			out, err := json.Marshal(answer)
			if err != nil {
				t.Error(err)
			}
			return out
		}}})
		a := signIn(t, m, "alice", time.Hour)
		run(t, m)
		time.Sleep(2 * time.Hour)
		got := wantState(t, m, a.ID, Expired)
		if !strings.Contains(got.Reason, "dead when it came") || got.RetryAt.IsZero() {
			t.Errorf("reason %q, next try at %s", got.Reason, got.RetryAt)
		}
		countBetween(t, "refreshes in 75 minutes", refreshes(s), 15, 40)
	})
}

// An answer that is the stack's and can't be read may be that of a token: whoever gets it says so.
func TestAnswerNotUnderstoodIsALeak(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		spoilt := 1
		m := New(NewMemoryStore(), Options{Now: s.now, Transport: &rewriting{authd.Transport(s), func(body []byte) []byte {
			if spoilt--; spoilt >= 0 {
				return body[:len(body)/2]
			}
			return body
		}}})
		a := signIn(t, m, "alice", time.Hour)
		time.Sleep(time.Minute)
		if _, err := m.Refresh(t.Context(), a.ID); !errors.Is(err, api.ErrBadBody) {
			t.Fatalf("half an answer: %v", err)
		}
		if _, err := m.Refresh(t.Context(), a.ID); err != nil {
			t.Fatal(err)
		}
		if got := account(t, m, a.ID); len(got.Leaks) != 1 || s.Sessions(aliceUUID) != len(got.OwnSessions)+1 {
			t.Errorf("leaks %+v; %d sessions known, %d on the server", got.Leaks, len(got.OwnSessions), s.Sessions(aliceUUID))
		}
	})
}

// Where nobody answered, nothing can have happened.
func TestConnectionRefusedIsNoLeak(t *testing.T) {
	server, err := authd.New(authd.Config{}, authd.DemoSeed())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stack, err := authd.Start(ctx, server, "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	store := NewMemoryStore()
	m := New(store, Options{})
	a, err := m.SignIn(t.Context(), SignInRequest{
		Stack: stack.URL, Login: "alice", Password: api.NewSecret("alice-demo"), Trust: api.Trust{Pin: stack.Fingerprint},
	})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	for {
		_, err := m.Refresh(t.Context(), a.ID)
		if err == nil {
			continue // it is still ending
		}
		if !errors.Is(err, api.ErrNetwork) {
			t.Fatal(err)
		}
		if strings.Contains(err.Error(), "refused") {
			break
		}
	}
	lock, err := store.Lock(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	if lock.Interrupted != nil {
		t.Errorf("noted as cut off: %+v", lock.Interrupted)
	}
}

// An account that is forgotten while it is refreshed stays forgotten, and so does its session.
func TestForgottenWhileRefreshing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		store := NewMemoryStore()
		m := s.manager(store)
		a := signIn(t, m, "alice", time.Hour)
		s.Faults().Add(authd.Fault{Path: "/token refresh", Delay: 5 * time.Second})
		ended := make(chan error, 1)
		go func() {
			_, err := m.Refresh(t.Context(), a.ID)
			ended <- err
		}()
		time.Sleep(time.Second)
		if err := store.Remove(t.Context(), a.ID); err != nil { // by another process
			t.Fatal(err)
		}
		if err := <-ended; !errors.Is(err, ErrNoAccount) {
			t.Errorf("error %v", err)
		}
		if all := m.Accounts(); len(all) != 0 {
			t.Errorf("back again: %+v", all)
		}
		if n := s.Sessions(aliceUUID); n != 1 {
			t.Errorf("%d sessions, want the sign-in's alone", n)
		}
	})
}

// What is kept of an account does not grow with what goes wrong.
func TestRecordDoesNotGrow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{MaxSessions: 10000})
		store := NewMemoryStore()
		m := s.manager(store)
		a := signIn(t, m, "alice", time.Hour)
		s.Faults().Add(authd.Fault{Path: "/token refresh", Cut: true})
		for range 500 {
			time.Sleep(time.Second)
			if _, err := m.Refresh(t.Context(), a.ID); err == nil {
				t.Fatal("refreshed")
			}
		}
		if n := len(account(t, m, a.ID).Leaks); n != maxLeaks {
			t.Errorf("%d leaks kept, want the last %d", n, maxLeaks)
		}
		s.Faults().Clear()
		run(t, m)
		time.Sleep(24 * time.Hour)
		rec, err := store.Get(t.Context(), a.ID)
		if err != nil || len(rec.Leaks) != 0 || len(rec.Sessions) > 3 {
			t.Errorf("a day later: %d leaks, %d sessions, %v", len(rec.Leaks), len(rec.Sessions), err)
		}
	})
}

// A token's life is counted from when it was asked for: how long the answer was on its way, or the stack
// thought, can't be told.
func TestSlowAnswerMakesNoTokenYounger(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		m := s.manager(NewMemoryStore())
		a := signIn(t, m, "alice", time.Hour)
		time.Sleep(time.Minute)
		s.Faults().Add(authd.Fault{Path: "/token refresh", Delay: 10 * time.Second})
		asked := s.now()
		got, err := m.Refresh(t.Context(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		if until := asked.Add(time.Hour); got.ExpiresAt.After(until) || got.ExpiresAt.Before(until.Add(-time.Second)) {
			t.Errorf("good until %s after it was asked for, want an hour", got.ExpiresAt.Sub(asked))
		}
	})
}
