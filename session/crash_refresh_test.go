//go:build unix

package session

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

// crashSignIn is the sign-in that is cut off; at is "URL fingerprint".
func crashSignIn(m *Manager, at string) (Account, error) {
	url, pin, _ := strings.Cut(at, " ")
	return m.SignIn(testContext(), SignInRequest{
		Name: "alice", Stack: url, Login: "alice", Password: api.NewSecret("alice-pass"), Trust: api.Trust{Pin: pin}, Lifetime: time.Hour,
	})
}

func init() {
	changes["sign-in"] = doing{"alice", func(s *FileStore, at string) error {
		_, err := crashSignIn(New(s, Options{}), at)
		return err
	}}
	changes["refresh"] = doing{"alice", func(s *FileStore, _ string) error {
		m := New(s, Options{})
		if err := m.Load(testContext()); err != nil {
			return err
		}
		_, err := m.Refresh(testContext(), m.Accounts()[0].ID)
		return err
	}}
}

// crashStack is a server that processes reach, and where it is, as crashSignIn takes it.
func crashStack(t *testing.T) (s *stack, at string) {
	t.Helper()
	s = newStack(t, authd.Config{})
	running, err := authd.Start(t.Context(), s, "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	return s, running.URL + " " + running.Fingerprint
}

// Killed at any step of a refresh, the account has its token of before or the new one and refreshes on,
// and whatever session nobody knows of has been told.
func TestRefreshKilledAtEveryStep(t *testing.T) {
	s, at := crashStack(t)
	var before Account
	prepare := func(t *testing.T) string {
		t.Helper()
		s.RevokeSessions(aliceUUID)
		s.RevokeRefreshTokens(aliceUUID)
		dir := t.TempDir()
		var err error
		if before, err = crashSignIn(New(openTestStore(dir), Options{}), at); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	lost := 0
	killEverywhere(t, "refresh", at, prepare, func(t *testing.T, dir string, done bool) {
		t.Helper()
		store := openTestStore(dir)
		rec, err := store.Get(t.Context(), before.ID)
		if err != nil {
			t.Fatal(err)
		}
		known := len(rec.Sessions)
		unknown := s.Sessions(aliceUUID) - known
		if kept := rec.Access.SessionUUID != before.SessionUUID; kept != (known == 2) || done && !kept {
			t.Errorf("neither the old state nor the new one: %d sessions, session %s", known, rec.Access.SessionUUID)
		}
		m := New(store, Options{})
		if err := m.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Refresh(t.Context(), before.ID); err != nil {
			t.Errorf("going on: %v", err)
		}
		got := wantState(t, m, before.ID, Active)
		if len(got.Leaks) < unknown || done && len(got.Leaks) > 0 {
			t.Errorf("%d sessions that nobody knows, %d told: %+v", unknown, len(got.Leaks), got.Leaks)
		}
		lost += unknown
		if held := s.RefreshTokens(aliceUUID); !slices.Equal(held, []string{before.ClientID}) {
			t.Errorf("the server holds the refresh tokens %q", held)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, locksName, "*")); left != nil {
			t.Errorf("left behind: %q", left)
		}
	})
	if lost == 0 {
		t.Error("no kill met the time between an answer and its keeping")
	}
}

// Killed at any step of a sign-in, there is an account that refreshes, or none, and whatever the server
// was left with has been told.
func TestSignInKilledAtEveryStep(t *testing.T) {
	s, at := crashStack(t)
	prepare := func(t *testing.T) string {
		t.Helper()
		s.RevokeSessions(aliceUUID)
		s.RevokeRefreshTokens(aliceUUID)
		dir := t.TempDir()
		if err := openTestStore(dir).Init(t.Context(), PassphraseKey); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	lost := 0
	killEverywhere(t, "sign-in", at, prepare, func(t *testing.T, dir string, done bool) {
		t.Helper()
		held := s.RefreshTokens(aliceUUID)
		m := New(openTestStore(dir), Options{})
		if err := m.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		m.tellOrphans(t.Context())
		all := m.Accounts()
		if len(all) == 1 {
			if _, err := m.Refresh(t.Context(), all[0].ID); err != nil {
				t.Errorf("the account does not refresh: %v", err)
			}
			if got := account(t, m, all[0].ID); len(got.Leaks) > 0 {
				t.Errorf("all is known, and leaks are told: %+v", got.Leaks)
			}
			return
		}
		if done {
			t.Error("no account")
		}
		if len(held) > 0 {
			lost++
			if told := m.Events(); !slices.ContainsFunc(told, func(e Event) bool { return strings.Contains(e.Text, held[0]) }) {
				t.Errorf("the server holds a refresh token of %s, and it is told: %+v", held[0], told)
			}
		}
		if _, err := crashSignIn(m, at); err != nil {
			t.Errorf("signing in again: %v", err)
		}
	})
	if lost == 0 {
		t.Error("no kill met the time between an answer and its keeping")
	}
}
