package session

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"wakey/api"
)

// stores are the implementations that have to keep the contract of Store. Each makes a function
// that opens the same store again, as another process would.
var stores = map[string]func(t *testing.T) (open func() Store){
	"memory": func(*testing.T) func() Store {
		s := NewMemoryStore()
		return func() Store { return s }
	},
	"file": func(t *testing.T) func() Store {
		dir := t.TempDir()
		return func() Store { return openTestStore(dir) }
	},
	"bucket": func(t *testing.T) func() Store {
		b := newTestBucket(t)
		return func() Store { return join(t, b, 1) } // another machine
	},
}

// testPassphrase answers every question.
func testPassphrase(context.Context, PassphraseRequest) (api.Secret, error) {
	return api.NewSecret("correct horse"), nil
}

func openTestStore(dir string) *FileStore {
	return OpenFileStore(dir, StoreOptions{Passphrase: testPassphrase})
}

// eachStore runs fn against every store.
func eachStore(t *testing.T, fn func(t *testing.T, open func() Store)) {
	t.Helper()
	for name, make := range stores {
		t.Run(name, func(t *testing.T) { fn(t, make(t)) })
	}
}

// fullRecord fills every field.
func fullRecord(r *Record) error {
	at := time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.FixedZone("here", 3600))
	r.Name, r.Stack, r.PlainHTTP = "work", "https://pbx.example.com/api/auth/0.1", true
	r.Trust = api.Trust{Pin: "SHA256:abc", CAFile: "/etc/ca.pem"}
	r.Login, r.UserUUID, r.TenantUUID, r.Purpose, r.Admin = "alice", "u-1", "t-1", "user", true
	r.ClientID, r.OldClientIDs = "wakey-host-00000001", []string{"wakey-host-00000000"}
	r.RefreshToken = api.NewSecret("the refresh token, which is a secret of 50 letters")
	r.Lifetime, r.SignedInAt = 2*time.Hour, at
	r.Access = &Access{
		Token: api.NewSecret("12345678-1234-1234-1234-123456789abc"), SessionUUID: "s-2",
		ObtainedAt: at, ExpiresAt: at.Add(2 * time.Hour), RefreshAt: at.Add(90 * time.Minute),
	}
	r.Sessions = []OpenedSession{{"s-1", at}, {"s-2", at.Add(2 * time.Hour)}}
	r.Leaks = []Leak{{At: at, Until: at.Add(time.Hour), Op: "refresh", ClientID: "wakey-host-00000001"}}
	r.Problem = &Problem{State: RevokedElsewhere, Reason: "somebody did it", Since: at}
	return nil
}

func named(name string) func(*Record) error {
	return func(r *Record) error { r.Name = name; return nil }
}

func TestStoreKeepsWhatIsWritten(t *testing.T) {
	eachStore(t, func(t *testing.T, open func() Store) {
		ctx := t.Context()
		written, err := open().Update(ctx, "00000001", func(r *Record) error {
			if !reflect.DeepEqual(*r, Record{ID: "00000001"}) {
				t.Errorf("a new record begins as %+v", *r)
			}
			return fullRecord(r)
		})
		if err != nil {
			t.Fatal(err)
		}
		v := reflect.ValueOf(written)
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && v.Field(i).IsZero() {
				t.Errorf("%s was lost, or the test doesn't set it", f.Name)
			}
		}
		got, err := open().Get(ctx, "00000001")
		if err != nil || !reflect.DeepEqual(got, written) {
			t.Errorf("read\n%+v, %v\nwritten\n%+v", got, err, written)
		}
		all, err := open().Load(ctx)
		if err != nil || len(all) != 1 || !reflect.DeepEqual(all[0], written) {
			t.Errorf("loaded %+v, %v", all, err)
		}
		if got.Version != 1 || got.RefreshToken.Reveal() != "the refresh token, which is a secret of 50 letters" {
			t.Errorf("version %d, refresh token %q", got.Version, got.RefreshToken.Reveal())
		}
	})
}

func TestStoreHandsOutCopies(t *testing.T) {
	eachStore(t, func(t *testing.T, open func() Store) {
		ctx, s := t.Context(), open()
		var kept *Record
		mine, err := s.Update(ctx, "00000001", func(r *Record) error { kept = r; return fullRecord(r) })
		if err != nil {
			t.Fatal(err)
		}
		loaded, _ := s.Load(ctx)
		for _, r := range []*Record{&mine, kept, &loaded[0]} {
			r.Access.SessionUUID, r.Sessions[0].UUID, r.OldClientIDs[0], r.Problem.Reason = "x", "x", "x", "x"
		}
		got, _ := s.Get(ctx, "00000001")
		if got.Access.SessionUUID == "x" || got.Sessions[0].UUID == "x" || got.OldClientIDs[0] == "x" || got.Problem.Reason == "x" {
			t.Errorf("a caller's change reached the store: %+v", got)
		}
	})
}

func TestStoreChangeIsAllOrNothing(t *testing.T) {
	eachStore(t, func(t *testing.T, open func() Store) {
		ctx, s := t.Context(), open()
		before, err := s.Update(ctx, "00000001", named("work"))
		if err != nil {
			t.Fatal(err)
		}
		stamp, _ := s.Stamp()
		stop := errors.New("stop")
		for what, fn := range map[string]func(*Record) error{
			"an error":     func(r *Record) error { r.Login = "bob"; return stop },
			"a bad name":   func(r *Record) error { r.Login, r.Name = "bob", "a/b"; return nil },
			"no name":      func(r *Record) error { r.Login, r.Name = "bob", ""; return nil },
			"a long name":  func(r *Record) error { r.Login, r.Name = "bob", fmt.Sprintf("%065d", 0); return nil },
			"control char": func(r *Record) error { r.Login, r.Name = "bob", "a\x1b[2J"; return nil },
		} {
			if _, err := s.Update(ctx, "00000001", fn); err == nil {
				t.Errorf("%s: no error", what)
			}
			if _, err := s.Update(ctx, "00000002", fn); err == nil {
				t.Errorf("%s, new: no error", what)
			}
		}
		if _, err := s.Update(ctx, "../x", named("x")); err == nil {
			t.Error("a path as ID: no error")
		}
		all, _ := open().Load(ctx)
		if len(all) != 1 || !reflect.DeepEqual(all[0], before) {
			t.Errorf("after failed changes: %+v", all)
		}
		if now, _ := s.Stamp(); now != stamp {
			t.Error("a failed change changed the stamp")
		}
	})
}

func TestStoreNames(t *testing.T) {
	eachStore(t, func(t *testing.T, open func() Store) {
		ctx, s := t.Context(), open()
		for id, name := range map[ID]string{"00000001": "work", "00000002": "home", "00000003": "été \"5\" <&>"} {
			if _, err := s.Update(ctx, id, named(name)); err != nil {
				t.Fatal(err)
			}
		}
		for id, name := range map[ID]string{"00000001": "home", "00000004": "work", "00000005": "été \"5\" <&>"} {
			if _, err := open().Update(ctx, id, named(name)); !errors.Is(err, ErrNameTaken) {
				t.Errorf("%s takes the name %s: %v", id, name, err)
			}
		}
		if _, err := s.Update(ctx, "00000001", named("alpha")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Update(ctx, "00000002", named("work")); err != nil {
			t.Errorf("a name given up is still taken: %v", err)
		}
		if err := s.Remove(ctx, "00000001"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Update(ctx, "00000006", named("alpha")); err != nil {
			t.Errorf("a removed account's name is still taken: %v", err)
		}
		var names []string
		all, _ := open().Load(ctx)
		for _, r := range all {
			names = append(names, r.Name)
		}
		if want := []string{"alpha", "work", "été \"5\" <&>"}; !reflect.DeepEqual(names, want) {
			t.Errorf("names %q, want %q", names, want)
		}
	})
}

func TestStoreRemove(t *testing.T) {
	eachStore(t, func(t *testing.T, open func() Store) {
		ctx, s := t.Context(), open()
		if _, err := s.Get(ctx, "00000001"); !errors.Is(err, ErrNoAccount) {
			t.Errorf("of an empty store: %v", err)
		}
		if err := s.Remove(ctx, "00000001"); err != nil {
			t.Errorf("removing nothing: %v", err)
		}
		if _, err := s.Update(ctx, "00000001", named("work")); err != nil {
			t.Fatal(err)
		}
		if err := open().Remove(ctx, "00000001"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(ctx, "00000001"); !errors.Is(err, ErrNoAccount) {
			t.Errorf("after removal: %v", err)
		}
		if all, err := s.Load(ctx); err != nil || len(all) != 0 {
			t.Errorf("after removal: %v, %v", all, err)
		}
	})
}

func TestStoreLosesNoUpdate(t *testing.T) {
	const workers, rounds = 8, 25
	eachStore(t, func(t *testing.T, open func() Store) {
		ctx := t.Context()
		var wg sync.WaitGroup
		for w := range workers {
			s := open()
			wg.Go(func() {
				own := ID(fmt.Sprintf("%08d", w+1))
				for range rounds {
					if _, err := s.Update(ctx, own, named(string(own))); err != nil {
						t.Error(err)
					}
					if _, err := s.Update(ctx, "shared00", func(r *Record) error {
						r.Name = "shared"
						r.Lifetime++
						return nil
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		all, err := open().Load(ctx)
		if err != nil || len(all) != workers+1 {
			t.Fatalf("%d records, %v", len(all), err)
		}
		for _, r := range all {
			want := uint64(rounds)
			if r.Name == "shared" {
				want *= workers
				if uint64(r.Lifetime) != want {
					t.Errorf("counted %d of %d", r.Lifetime, want)
				}
			}
			if r.Version != want {
				t.Errorf("%s: version %d, want %d", r.Name, r.Version, want)
			}
		}
	})
}

func TestStampTellsOfOthersWrites(t *testing.T) {
	eachStore(t, func(t *testing.T, open func() Store) {
		ctx := t.Context()
		mine, theirs := open(), open()
		stamp := func() string {
			t.Helper()
			now, err := mine.Stamp()
			if err != nil {
				t.Fatal(err)
			}
			return now
		}
		// settled is the stamp once what it tells of has been read.
		settled := func() string {
			t.Helper()
			for {
				before := stamp()
				if _, err := mine.Load(ctx); err != nil {
					t.Fatal(err)
				}
				if now := stamp(); now == before {
					return now
				}
			}
		}
		stamp() // from now on it listens, where there is something to listen to
		if _, err := mine.Update(ctx, "00000001", named("a")); err != nil {
			t.Fatal(err)
		}
		before := settled()
		for range 5 {
			if _, err := mine.Update(ctx, "00000001", func(r *Record) error { r.Lifetime++; return nil }); err != nil {
				t.Fatal(err)
			}
			if now := stamp(); now != before {
				t.Fatalf("my own write changed the stamp from %q to %q", before, now)
			}
		}
		if mine == theirs {
			return // there are no others
		}
		for i := range 5 {
			if _, err := theirs.Update(ctx, "00000001", func(r *Record) error { r.Lifetime++; return nil }); err != nil {
				t.Fatal(err)
			}
			if i%2 == 0 { // seen in passing, by an update of mine
				if _, err := mine.Update(ctx, "00000002", func(r *Record) error { r.Name = "b"; return nil }); err != nil {
					t.Fatal(err)
				}
			}
			eventually(t, fmt.Sprintf("another stamp after their write %d", i), func() bool { return stamp() != before })
			before = settled()
			if all, err := mine.Load(ctx); err != nil || all[0].Lifetime != time.Duration(6+i) {
				t.Fatalf("loaded %+v, %v after their write %d", all, err, i)
			}
		}
		if err := theirs.Remove(ctx, "00000001"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "another stamp after they removed it", func() bool { return stamp() != before })
		settled()
		if all, err := mine.Load(ctx); err != nil || len(all) != 1 || all[0].Name != "b" {
			t.Errorf("loaded %+v, %v", all, err)
		}
	})
}

func TestStoreLockExcludes(t *testing.T) {
	eachStore(t, func(t *testing.T, open func() Store) {
		ctx := t.Context()
		var wg sync.WaitGroup
		var holders, counted atomic.Int64 // locks of files order nothing that the race detector sees
		for range 8 {
			s := open()
			wg.Go(func() {
				for range 100 {
					l, err := s.Lock(ctx, "00000001")
					if err != nil {
						t.Error(err)
						return
					}
					if n := holders.Add(1); n != 1 {
						t.Errorf("%d holders", n)
					}
					counted.Add(1)
					holders.Add(-1)
					l.Release()
				}
			})
		}
		wg.Wait()
		if n := counted.Load(); n != 800 {
			t.Errorf("%d of 800 had the lock", n)
		}
	})
}

func TestStoreLockGivesWay(t *testing.T) {
	eachStore(t, func(t *testing.T, open func() Store) {
		s, other := open(), open()
		held, err := s.Lock(t.Context(), "00000001")
		if err != nil {
			t.Fatal(err)
		}
		for _, waiter := range []Store{s, other} {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
			if _, err := waiter.Lock(ctx, "00000001"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a held lock: %v", err)
			}
			cancel()
		}
		free, err := other.Lock(t.Context(), "00000002")
		if err != nil {
			t.Fatalf("another account's lock: %v", err)
		}
		free.Release()
		held.Release()
		again, err := other.Lock(t.Context(), "00000001")
		if err != nil {
			t.Fatal(err)
		}
		again.Release()
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Lock(gone, "00000001"); !errors.Is(err, context.Canceled) {
			t.Errorf("with a cancelled context: %v", err)
		}
	})
}

func TestStoreInterruptedAttempt(t *testing.T) {
	eachStore(t, func(t *testing.T, open func() Store) {
		ctx := t.Context()
		lock := func(want *Attempt) *Lock {
			t.Helper()
			l, err := open().Lock(ctx, "00000001")
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(l.Interrupted, want) {
				t.Errorf("interrupted: %+v, want %+v", l.Interrupted, want)
			}
			return l
		}
		at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		first := Attempt{Op: "sign-in", At: at, Lifetime: time.Hour, ClientID: "wakey-a-very-long-name-indeed", Stack: "https://a", Login: "alice"}
		second := Attempt{Op: "refresh", At: at, ClientID: "c"}
		l := lock(nil)
		if err := l.Begin(first); err != nil {
			t.Fatal(err)
		}
		l.Release()
		l = lock(&first)
		if err := l.Begin(second); err != nil {
			t.Fatal(err)
		}
		l.Release()
		l = lock(&second)
		if err := l.End(); err != nil {
			t.Fatal(err)
		}
		l.Release()
		lock(nil).Release()
	})
}

// A holder that was paused for so long that somebody else had the lock meanwhile overwrites nothing.
func TestStoreFencesAPausedHolder(t *testing.T) {
	eachStore(t, func(t *testing.T, open func() Store) {
		ctx, s, other := t.Context(), open(), open()
		read, err := s.Update(ctx, "00000001", fullRecord)
		if err != nil {
			t.Fatal(err)
		}
		newToken := func(value string) func(*Record) error {
			return func(r *Record) error {
				r.Access.Token, r.Access.SessionUUID = api.NewSecret(value), "of "+value
				return nil
			}
		}
		paused, err := s.Lock(ctx, "00000001")
		if err != nil {
			t.Fatal(err)
		}
		defer paused.Release()
		paused.See(read)
		// What has nothing to do with tokens is nobody's business.
		if _, err := other.Update(ctx, "00000001", named("renamed")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Update(ctx, "00000001", paused.Fenced(func(r *Record) error { r.Login = "bob"; return nil })); err != nil {
			t.Fatalf("the tokens are the same: %v", err)
		}
		newer, err := other.Update(ctx, "00000001", newToken("newer"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Update(ctx, "00000001", paused.Fenced(newToken("older"))); !errors.Is(err, ErrOvertaken) {
			t.Errorf("an older token over a newer one: %v", err)
		}
		if got, err := open().Get(ctx, "00000001"); err != nil || !reflect.DeepEqual(got, newer) {
			t.Errorf("holds %+v, %v, want what the other wrote", got, err)
		}
		paused.See(newer)
		if _, err := other.Update(ctx, "00000001", func(r *Record) error { r.RefreshToken = api.NewSecret("another"); return nil }); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Update(ctx, "00000001", paused.Fenced(newToken("older"))); !errors.Is(err, ErrOvertaken) {
			t.Errorf("over another sign-in: %v", err)
		}
	})
}

// A holder that is gone keeps nobody waiting for ever, and what it asked for is known.
func TestStoreLockOfOneWhoIsGone(t *testing.T) {
	attempt := Attempt{Op: "refresh", At: time.Unix(1, 0).UTC(), ClientID: "gone"}
	eachStore(t, func(t *testing.T, open func() Store) {
		leaveAttempt(t, open, attempt)
		ctx, cancel := withTimeout(t, time.Minute)
		defer cancel()
		l, err := open().Lock(ctx, "00000001")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Release()
		if l.Interrupted == nil || !reflect.DeepEqual(*l.Interrupted, attempt) {
			t.Errorf("interrupted: %+v, want %+v", l.Interrupted, attempt)
		}
	})
}

// leaveAttempt has somebody begin an attempt and be gone: a process that is killed, where several
// share the store.
func leaveAttempt(t *testing.T, open func() Store, a Attempt) {
	t.Helper()
	d, ok := open().(interface{ Dir() string })
	if !ok { // nothing is shared with another process
		l, err := open().Lock(t.Context(), "00000001")
		if err == nil {
			err = l.Begin(a)
		}
		if err != nil {
			t.Fatal(err)
		}
		l.Release()
		return
	}
	cmd := child(t, "begin", d.Dir(), a.ClientID)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if line := make([]byte, 6); !readsFull(out, line) || string(line) != "begun\n" {
		t.Fatalf("the child said %q", line)
	}
	ctx, cancel := withTimeout(t, 50*time.Millisecond)
	_, err = open().Lock(ctx, "00000001")
	cancel()
	says(t, err, context.DeadlineExceeded)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
}

func TestMemoryStoreInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewMemoryStore()
		for i := range 10_000 {
			id := ID(fmt.Sprintf("%08x", i))
			if _, err := s.Update(t.Context(), id, named(string(id))); err != nil {
				t.Fatal(err)
			}
		}
		held, err := s.Lock(t.Context(), "00000001")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			time.Sleep(time.Hour)
			held.Release()
		}()
		start := time.Now()
		next, err := s.Lock(t.Context(), "00000001")
		if err != nil || time.Since(start) != time.Hour {
			t.Errorf("had the lock after %v, %v", time.Since(start), err)
		}
		next.Release()
	})
}
