package ui

import (
	"context"
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

// newStack starts the demo's stack on loopback, and signs its first user in.
func newStack(t testing.TB) *stack {
	t.Helper()
	srv, err := authd.New(authd.Config{}, authd.DemoSeed())
	if err != nil {
		t.Fatal(err)
	}
	run, err := authd.Start(t.Context(), srv, "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { run.Close() })
	s := &stack{Server: srv, url: run.URL, pin: run.Fingerprint, mgr: session.New(session.NewMemoryStore(), session.Options{})}
	user := authd.DemoSeed().Users[0]
	s.acc, err = s.mgr.SignIn(t.Context(), session.SignInRequest{
		Name: "demo", Stack: s.base(t), Login: user.Username, Password: api.NewSecret(user.Password),
		Lifetime: time.Hour, Trust: api.Trust{Pin: s.pin},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stack) base(t testing.TB) string {
	t.Helper()
	base, err := api.NormalizeStack(s.url, false)
	if err != nil {
		t.Fatal(err)
	}
	return base
}

// open is Options.Open for the stack's manager.
func (s *stack) open(context.Context, func(context.Context, session.PassphraseRequest) (api.Secret, error)) (*session.Manager, error) {
	return s.mgr, nil
}
