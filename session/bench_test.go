package session

import (
	"context"
	"fmt"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

// fill gives a new store n accounts whose tokens live for a day and are not due.
func fill(tb testing.TB, store Store, n int) []ID {
	tb.Helper()
	ids := make([]ID, n)
	all := make([]Record, n)
	now := time.Now()
	for i := range ids {
		ids[i] = ID(fmt.Sprintf("%08x", i))
		all[i] = likely(ids[i], i, now)
	}
	if s, ok := store.(*FileStore); ok {
		fillFile(tb, s, all)
		return ids
	}
	for _, r := range all {
		_, err := store.Update(tb.Context(), r.ID, func(old *Record) error { *old = r; return nil })
		if err != nil {
			tb.Fatal(err)
		}
	}
	return ids
}

// fillFile writes all accounts at one go: one by one is ten thousand times the whole file.
func fillFile(tb testing.TB, s *FileStore, all []Record) {
	tb.Helper()
	snap := emptySnapshot()
	for i := range all {
		if err := snap.put(&all[i]); err != nil {
			tb.Fatal(err)
		}
	}
	key, err := s.openKey(tb.Context(), nil, true)
	if err != nil {
		tb.Fatal(err)
	}
	if err := s.writeAccounts(snap, key.identity.Recipient()); err != nil {
		tb.Fatal(err)
	}
	s.writeIndex(nil, snap, nil)
}

// likely is a record of the size that real ones have.
func likely(id ID, i int, now time.Time) Record {
	uuid := func(kind int) string { return fmt.Sprintf("%08x-%04x-4000-8000-%012x", i, kind, i) }
	name := fmt.Sprintf("user%d", i)
	lifetime := 24 * time.Hour
	return Record{
		ID: id, Name: name + "@pbx.example.com", Stack: "https://pbx.example.com/api/auth/0.1", Login: name,
		Trust:    api.Trust{Pin: "SHA256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg"},
		UserUUID: uuid(1), TenantUUID: uuid(2), Purpose: "user", ClientID: "wakey-host-" + string(id),
		RefreshToken: api.NewSecret(uuid(3)), Lifetime: lifetime, SignedInAt: now,
		Access: &Access{
			Token: api.NewSecret(uuid(4)), SessionUUID: uuid(5),
			ObtainedAt: now, ExpiresAt: now.Add(lifetime), RefreshAt: now.Add(lifetime * 3 / 4),
		},
		Sessions: []OpenedSession{{uuid(6), now}, {uuid(5), now.Add(lifetime)}},
	}
}

// BenchmarkScan looks at 10,000 accounts of which none is due.
func BenchmarkScan(b *testing.B) {
	store := NewMemoryStore()
	fill(b, store, 10000)
	m := New(store, Options{})
	if err := m.Load(b.Context()); err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		m.scan(b.Context(), now)
	}
}

// BenchmarkRefresh refreshes one account: lock, read, note, ask the stack, keep, publish, and
// revoke the session before the last.
func BenchmarkRefresh(b *testing.B) {
	for _, c := range []struct {
		name   string
		open   func(b *testing.B) Store
		others int
	}{
		{"store=memory/accounts=1", func(*testing.B) Store { return NewMemoryStore() }, 0},
		{"store=file/accounts=1", fileStore, 0},
		{"store=file/accounts=10000", fileStore, 9999},
	} {
		b.Run(c.name, func(b *testing.B) {
			server, err := authd.New(authd.Config{}, authd.DemoSeed())
			if err != nil {
				b.Fatal(err)
			}
			store := c.open(b)
			fill(b, store, c.others)
			m := New(store, Options{Transport: authd.Transport(server)})
			a, err := m.SignIn(b.Context(), SignInRequest{
				Stack: "pbx.example.com", Login: "alice", Password: api.NewSecret("alice-demo"),
			})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.Refresh(b.Context(), a.ID); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStoreWrite changes one account of 10,000.
func BenchmarkStoreWrite(b *testing.B) {
	store := fileStore(b)
	ids := fill(b, store, 10000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_, err := store.Update(b.Context(), ids[i%len(ids)], func(r *Record) error {
			r.SignedInAt = r.SignedInAt.Add(time.Second)
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStoreRead reads 10,000 accounts, as a process does that begins.
func BenchmarkStoreRead(b *testing.B) {
	first := fileStore(b).(*FileStore)
	fill(b, first, 10000)
	b.ReportAllocs()
	for b.Loop() {
		all, err := openTestStore(first.Dir()).Load(b.Context())
		if err != nil || len(all) != 10000 {
			b.Fatal(len(all), err)
		}
	}
}

// BenchmarkStoreGet reads one account of 10,000, as "wakey token" does.
func BenchmarkStoreGet(b *testing.B) {
	first := fileStore(b).(*FileStore)
	ids := fill(b, first, 10000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := openTestStore(first.Dir()).Get(b.Context(), ids[5000]); err != nil {
			b.Fatal(err)
		}
	}
}

func fileStore(b *testing.B) Store {
	b.Helper()
	s := openTestStore(b.TempDir())
	if err := s.Init(context.WithoutCancel(b.Context()), PassphraseKey); err != nil {
		b.Fatal(err)
	}
	return s
}
