package session

import (
	"context"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"wakey/internal/authd"
)

// Whoever brings the generation before back, as the message about a damaged store says, has running
// processes go on from there, although its records have versions that they have seen already.
func TestEarlierGenerationBroughtBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		dir := t.TempDir()
		store := &countingStore{Store: openTestStore(dir)}
		m := s.manager(store)
		a := signIn(t, m, "alice", time.Hour)
		run(t, m)
		time.Sleep(time.Second)
		accounts := filepath.Join(dir, accountsName)
		early := readFile(t, accounts)
		for range 3 {
			if _, err := m.Refresh(t.Context(), a.ID); err != nil {
				t.Fatal(err)
			}
		}
		writeFile(t, accounts, []byte("damaged"))
		time.Sleep(time.Second)
		writeFile(t, accounts, early)
		time.Sleep(2 * heartbeat)
		if got := account(t, m, a.ID); got.SessionUUID != a.SessionUUID {
			t.Errorf("session %s, the store's is %s", got.SessionUUID, a.SessionUUID)
		}
		// What is refreshed from there on is seen at once, and asked for once.
		s.ResetRequests()
		store.locked.Store(0)
		time.Sleep(time.Hour)
		rec, err := store.Get(t.Context(), a.ID)
		if got := account(t, m, a.ID); err != nil || got.SessionUUID != rec.Access.SessionUUID || got.SessionUUID == a.SessionUUID {
			t.Errorf("session %s, the store's is %s, %v", got.SessionUUID, rec.Access.SessionUUID, err)
		}
		if n, attempts := refreshes(s), store.locked.Load(); n != 1 || attempts != 1 {
			t.Errorf("%d refreshes and %d attempts in an hour, want 1", n, attempts)
		}
	})
}

// countingStore counts the attempts.
type countingStore struct {
	Store
	locked atomic.Int64
}

func (c *countingStore) Lock(ctx context.Context, id ID) (*Lock, error) {
	c.locked.Add(1)
	return c.Store.Lock(ctx, id)
}

// slowStore reads everything, and gives it when the test says so.
type slowStore struct {
	Store
	read chan struct{}
}

func (s *slowStore) Load(ctx context.Context) ([]Record, error) {
	recs, err := s.Store.Load(ctx)
	<-s.read
	return recs, err
}

// What was read before a change of ours does not undo it.
func TestOldReadingUndoesNothing(t *testing.T) {
	tests := map[string]struct {
		change func(t *testing.T, m *Manager, alice ID)
		names  string
	}{
		"signed in": {func(t *testing.T, m *Manager, _ ID) { t.Helper(); signIn(t, m, "bob", time.Hour) }, "alice bob"},
		"forgotten": {func(t *testing.T, m *Manager, alice ID) {
			t.Helper()
			if err := m.Forget(t.Context(), alice); err != nil {
				t.Error(err)
			}
		}, ""},
		"refreshed": {func(t *testing.T, m *Manager, alice ID) {
			t.Helper()
			if _, err := m.Refresh(t.Context(), alice); err != nil {
				t.Error(err)
			}
		}, "alice"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := newStack(t, authd.Config{})
				store := &slowStore{Store: NewMemoryStore(), read: make(chan struct{}, 10)}
				store.read <- struct{}{} // for the sign-in
				m := s.manager(store)
				a := signIn(t, m, "alice", time.Hour)
				ended := make(chan error, 1)
				go func() { ended <- m.Load(t.Context()) }()
				synctest.Wait()
				tt.change(t, m, a.ID)
				store.read <- struct{}{}
				store.read <- struct{}{}
				if err := <-ended; err != nil {
					t.Fatal(err)
				}
				var names []string
				for _, a := range m.Accounts() {
					names = append(names, a.Name)
					if rec, err := store.Get(t.Context(), a.ID); err != nil || a.SessionUUID != rec.Access.SessionUUID {
						t.Errorf("%s has session %s, the store's is %s, %v", a.Name, a.SessionUUID, rec.Access.SessionUUID, err)
					}
				}
				if got := strings.Join(names, " "); got != tt.names {
					t.Errorf("accounts %q, want %q", got, tt.names)
				}
			})
		})
	}
}
