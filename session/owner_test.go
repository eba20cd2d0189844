package session

import (
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

func TestOwnerOf(t *testing.T) {
	m := newStack(t, authd.Config{}).manager(NewMemoryStore())
	alice, bob := signIn(t, m, "alice", time.Hour), signIn(t, m, "bob", time.Hour)
	for _, a := range []Account{alice, bob} {
		rec, err := m.Store().Get(t.Context(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		// Copies: the same text, kept elsewhere.
		again := func(s api.Secret) api.Secret { return api.NewSecret(string([]byte(s.Reveal()))) }
		for kind, token := range map[TokenKind]api.Secret{AccessKind: again(rec.Access.Token), RefreshKind: again(rec.RefreshToken)} {
			if got, k := m.OwnerOf(token); got.ID != a.ID || k != kind {
				t.Errorf("a token of %s, kind %d, is told to be of %q, kind %d", a.Name, kind, got.Name, k)
			}
		}
	}
	for _, token := range []api.Secret{{}, api.NewSecret("8e1a3c5e-0000-4000-8000-00000000000a"), api.NewSecret("x")} {
		if got, k := m.OwnerOf(token); got.ID != "" || k != NoKind {
			t.Errorf("a stranger's token is told to be of %q, kind %d", got.Name, k)
		}
	}
}
