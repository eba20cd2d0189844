package session

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

// failing makes a store's updates fail once armed.
type failingStore struct {
	Store
	fail error
}

func (f *failingStore) Update(ctx context.Context, id ID, fn func(*Record) error) (Record, error) {
	if f.fail != nil {
		return Record{}, f.fail
	}
	return f.Store.Update(ctx, id, fn)
}

func TestNothingHalfSaved(t *testing.T) {
	errFull := errors.New("no space left on device")
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		store := &failingStore{Store: NewMemoryStore(), fail: errFull}
		m := s.manager(store)
		_, err := m.SignIn(t.Context(), SignInRequest{
			Stack: "pbx.example.com", Login: "alice", Password: api.NewSecret("alice-pass"),
		})
		if !errors.Is(err, errFull) {
			t.Fatalf("error %v", err)
		}
		if len(m.Accounts()) != 0 || s.Sessions(aliceUUID) != 0 || len(s.RefreshTokens(aliceUUID)) != 0 {
			t.Errorf("left behind: %v, %d sessions, refresh tokens %v",
				m.Accounts(), s.Sessions(aliceUUID), s.RefreshTokens(aliceUUID))
		}

		store.fail = nil
		a := signIn(t, m, "alice", time.Hour)
		store.fail = errFull
		if _, err := m.Refresh(t.Context(), a.ID); !errors.Is(err, errFull) {
			t.Fatalf("error %v", err)
		}
		if n := s.Sessions(aliceUUID); n != 1 {
			t.Errorf("%d sessions, want the sign-in's alone", n)
		}
		got := wantState(t, m, a.ID, Degraded)
		if got.SessionUUID != a.SessionUUID || len(got.Leaks) != 0 {
			t.Errorf("%+v", got)
		}
	})
}

func TestSignInErrorsKeepNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		m := s.manager(NewMemoryStore())
		req := SignInRequest{Name: "a", Stack: "pbx.example.com", Login: "alice", Password: api.NewSecret("wrong")}
		if _, err := m.SignIn(t.Context(), req); !errors.Is(err, api.ErrBadCredentials) {
			t.Errorf("wrong password: %v", err)
		}
		s.Faults().Add(authd.Fault{Path: "/token password", Status: http.StatusBadGateway, HTML: true, Times: 1})
		req.Password = api.NewSecret("alice-pass")
		if _, err := m.SignIn(t.Context(), req); err == nil {
			t.Error("a proxy's page passed for a token")
		}
		if n := len(m.Accounts()); n != 0 {
			t.Errorf("%d accounts", n)
		}
		// An answer that is lost: the next try asks for the same client_id, so that the server
		// hands out the refresh token it made instead of a second one.
		s.Faults().Add(authd.Fault{Path: "/token password", Cut: true, Times: 1})
		if _, err := m.SignIn(t.Context(), req); !errors.Is(err, api.ErrNetwork) {
			t.Errorf("cut: %v", err)
		}
		if _, err := m.SignIn(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		if ids := s.RefreshTokens(aliceUUID); len(ids) != 1 {
			t.Errorf("refresh tokens %v, want one", ids)
		}
		req.Login, req.Password = "bob", api.NewSecret("bob-pass")
		if _, err := m.SignIn(t.Context(), req); !errors.Is(err, ErrNameTaken) {
			t.Errorf("name of another user's account: %v", err)
		}
	})
}

func TestSignInAgainLeavesNothingBehind(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		m := s.manager(NewMemoryStore())
		a := signIn(t, m, "alice", time.Hour)
		b := signIn(t, m, "alice", time.Hour)
		if a.ID != b.ID {
			t.Error("a new account instead of the old one")
		}
		if ids := s.RefreshTokens(aliceUUID); len(ids) != 1 || ids[0] != b.ClientID {
			t.Errorf("refresh tokens %v, want %s", ids, b.ClientID)
		}
		if n := s.Sessions(aliceUUID); n != 1 {
			t.Errorf("%d sessions", n)
		}
	})
}

func TestSignOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		m := s.manager(NewMemoryStore())
		a := signIn(t, m, "alice", time.Hour)
		if _, err := m.Refresh(t.Context(), a.ID); err != nil {
			t.Fatal(err)
		}
		s.Faults().SetDown(true)
		if err := m.SignOut(t.Context(), a.ID); err == nil {
			t.Error("signed out without a server")
		}
		if len(m.Accounts()) != 1 {
			t.Fatal("forgotten without being revoked")
		}
		s.Faults().Clear()
		if err := m.SignOut(t.Context(), a.ID); err != nil {
			t.Fatal(err)
		}
		if len(m.Accounts()) != 0 || s.Sessions(aliceUUID) != 0 || len(s.RefreshTokens(aliceUUID)) != 0 {
			t.Errorf("left behind: %v, %d sessions, refresh tokens %v",
				m.Accounts(), s.Sessions(aliceUUID), s.RefreshTokens(aliceUUID))
		}
	})
}

func TestOnlineAccountEndsWithItsToken(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		m := s.manager(NewMemoryStore())
		a, err := m.SignIn(t.Context(), SignInRequest{
			Stack: "pbx.example.com", Login: "alice", Password: api.NewSecret("alice-pass"), Online: true, Lifetime: time.Hour,
		})
		if err != nil {
			t.Fatal(err)
		}
		run(t, m)
		time.Sleep(59 * time.Minute)
		wantState(t, m, a.ID, Active)
		time.Sleep(2 * time.Minute)
		wantState(t, m, a.ID, SignInNeeded)
		if n := s.Count("", ""); n != 1 || len(s.RefreshTokens(aliceUUID)) != 0 {
			t.Errorf("%d requests, refresh tokens %v", n, s.RefreshTokens(aliceUUID))
		}
	})
}
