package ui

import (
	"context"
	"net/http"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
	"wakey/session"
)

// stack is a server with a manager that has one account on it.
type stack struct {
	*authd.Server

	url string // as a person types it
	pin string
	mgr *session.Manager
	acc session.Account
}

// newStack starts the demo's stack on loopback, and signs its first user in. What is given stands before it.
func newStack(tb testing.TB, before ...func(http.Handler) http.Handler) *stack {
	tb.Helper()
	return newStackOf(tb, authd.DemoSeed(), before...)
}

// newStackOf starts a stack with other users; the first is signed in.
func newStackOf(tb testing.TB, seed authd.Seed, before ...func(http.Handler) http.Handler) *stack {
	tb.Helper()
	srv, err := authd.New(authd.Config{}, seed)
	if err != nil {
		tb.Fatal(err)
	}
	var h http.Handler = srv
	for _, b := range before {
		h = b(h)
	}
	run, err := authd.Start(tb.Context(), h, "127.0.0.1:0", false)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { run.Close() })
	s := &stack{Server: srv, url: run.URL, pin: run.Fingerprint, mgr: session.New(session.NewMemoryStore(), session.Options{})}
	user := seed.Users[0]
	s.acc, err = s.mgr.SignIn(tb.Context(), session.SignInRequest{
		Name: "demo", Stack: s.base(tb), Login: user.Username, Password: api.NewSecret(user.Password),
		Lifetime: time.Hour, Trust: api.Trust{Pin: s.pin},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func (s *stack) base(tb testing.TB) string {
	tb.Helper()
	base, err := api.NormalizeStack(s.url, false)
	if err != nil {
		tb.Fatal(err)
	}
	return base
}

// open is Options.Open for the stack's manager.
func (s *stack) open(context.Context, session.StoreOptions) (*session.Manager, error) {
	return s.mgr, nil
}

// troubled is a stack whose account has lost its refresh token, which the next refresh is going to
// find out.
func troubled(t *testing.T) *stack {
	t.Helper()
	s := newStack(t)
	s.RevokeRefreshTokens(s.acc.UserUUID)
	return s
}
