package session

import (
	"fmt"
	"testing"
	"time"

	"wakey/api"
)

// benchStore is a store of n accounts as they are after a day of use.
func benchStore(b *testing.B, n int) *FileStore {
	b.Helper()
	s := openTestStore(b.TempDir())
	if err := s.Init(b.Context(), PassphraseKey); err != nil {
		b.Fatal(err)
	}
	snap := emptySnapshot()
	now := time.Now().Round(0).UTC()
	for i := range n {
		r := Record{
			ID: ID(fmt.Sprintf("%08x", i)), Name: fmt.Sprintf("user%05d@pbx.example.com", i), Version: 20,
			Stack: "https://pbx.example.com/api/auth/0.1", Trust: api.Trust{Pin: "SHA256:3q2+796tvu/erb7v3q2+796tvu/erb7v3q2+796tvu8"},
			Login: fmt.Sprintf("user%05d", i), UserUUID: fmt.Sprintf("aaaaaaaa-0000-4000-8000-%012x", i), TenantUUID: "11111111-1111-4111-8111-111111111111",
			Purpose: "user", ClientID: fmt.Sprintf("wakey-workstation-%08x", i), RefreshToken: api.NewSecret(fmt.Sprintf("0123456789abcdefghijklmnopqrstuvwxyz-%012x", i)),
			SignedInAt: now, Access: &Access{
				Token: api.NewSecret(fmt.Sprintf("12345678-1234-1234-1234-%012x", i)), SessionUUID: fmt.Sprintf("87654321-1234-1234-1234-%012x", i),
				ObtainedAt: now, ExpiresAt: now.Add(2 * time.Hour), RefreshAt: now.Add(90 * time.Minute),
			},
			Sessions: []OpenedSession{{fmt.Sprintf("87654321-1234-1234-1235-%012x", i), now}, {fmt.Sprintf("87654321-1234-1234-1234-%012x", i), now.Add(2 * time.Hour)}},
		}
		if err := snap.put(&r); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.writeAccounts(snap, s.key.identity.Recipient()); err != nil {
		b.Fatal(err)
	}
	return s
}

// sizes runs a benchmark with a store such as most people have, and with the largest foreseen.
func sizes(b *testing.B, run func(b *testing.B, s *FileStore)) {
	b.Helper()
	for _, n := range []int{3, 10_000} {
		b.Run(fmt.Sprintf("accounts=%d", n), func(b *testing.B) {
			s := benchStore(b, n)
			b.ReportAllocs()
			run(b, s)
		})
	}
}

// openedBench is another process's view of s, with the key at hand.
func openedBench(s *FileStore) *FileStore {
	fresh := OpenFileStore(s.dir, StoreOptions{})
	fresh.key = s.key
	return fresh
}

// What a command that needs one account does: open the store, read one record.
func BenchmarkOpenGet(b *testing.B) {
	sizes(b, func(b *testing.B, s *FileStore) {
		b.Helper()
		for b.Loop() {
			if _, err := openedBench(s).Get(b.Context(), "00000001"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// What the manager does when it starts.
func BenchmarkOpenLoad(b *testing.B) {
	sizes(b, func(b *testing.B, s *FileStore) {
		b.Helper()
		for b.Loop() {
			if _, err := openedBench(s).Load(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// What a running manager does when another process changed one account.
func BenchmarkReload(b *testing.B) {
	sizes(b, func(b *testing.B, s *FileStore) {
		b.Helper()
		m := New(openedBench(s), Options{})
		if err := m.Load(b.Context()); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			b.StopTimer()
			benchUpdate(b, s)
			b.StartTimer()
			if err := m.Load(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func benchUpdate(b *testing.B, s *FileStore) {
	b.Helper()
	if _, err := s.Update(b.Context(), "00000001", func(r *Record) error { r.Lifetime++; return nil }); err != nil {
		b.Fatal(err)
	}
}

// One change by the process that made the last one.
func BenchmarkUpdate(b *testing.B) {
	sizes(b, func(b *testing.B, s *FileStore) {
		b.Helper()
		for b.Loop() {
			benchUpdate(b, s)
		}
	})
}

// One change by a process that has just begun.
func BenchmarkOpenUpdate(b *testing.B) {
	sizes(b, func(b *testing.B, s *FileStore) {
		b.Helper()
		for b.Loop() {
			benchUpdate(b, openedBench(s))
		}
	})
}

func BenchmarkStamp(b *testing.B) {
	sizes(b, func(b *testing.B, s *FileStore) {
		b.Helper()
		for b.Loop() {
			if _, err := s.Stamp(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkReadIndex(b *testing.B) {
	sizes(b, func(b *testing.B, s *FileStore) {
		b.Helper()
		benchUpdate(b, s)
		for b.Loop() {
			if all, err := ReadIndex(s.dir); err != nil || len(all) < 3 {
				b.Fatal(len(all), err)
			}
		}
	})
}
