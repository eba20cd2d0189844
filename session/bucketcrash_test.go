//go:build unix

package session

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"filippo.io/age"

	"wakey/api"
)

// bucketChanges are what may be under way between a machine and its bucket when the process is killed.
var bucketChanges = map[string]func(dir string, b Bucket) error{
	"init": func(dir string, b Bucket) error {
		_, err := InitBucket(testContext(), dir, BucketInit{b, 1, PassphraseKey}, StoreOptions{Passphrase: testPassphrase})
		return err
	},
	"to-bucket": func(dir string, b Bucket) error {
		_, err := MoveToBucket(testContext(), dir, BucketInit{b, 1, PassphraseKey}, StoreOptions{Passphrase: testPassphrase})
		return err
	},
	"to-file": func(dir string, _ Bucket) error {
		s, err := bucketIn(dir)
		if err == nil {
			_, err = s.MoveToFile(testContext())
		}
		return err
	},
	"rekey": func(dir string, _ Bucket) error {
		s, err := bucketIn(dir)
		if err == nil {
			err = s.Rekey(testContext())
		}
		return err
	},
}

func bucketIn(dir string) (*BucketStore, error) {
	s, err := OpenStore(dir, StoreOptions{Passphrase: testPassphrase})
	if err != nil {
		return nil, err
	}
	b, ok := s.(*BucketStore)
	if !ok {
		return nil, fmt.Errorf("%s is no machine of a bucket", dir)
	}
	return b, nil
}

// bucket-crash makes a change and kills itself after so many steps of it.
var _ = asChild("bucket-crash", func(args []string) error {
	left, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	afterStep = func(string) {
		if left--; left == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	return bucketChanges[args[1]](args[0], Bucket{URL: args[3], Name: args[4]})
})

// killBucketEverywhere makes a change again and again, each time killed one step later, with a new bucket
// each time, and has check look at what is left and go on, until the change comes through.
func killBucketEverywhere(t *testing.T, change string, prepare func(t *testing.T, b Bucket) (dir string), check func(t *testing.T, dir string, b Bucket, done bool)) {
	t.Helper()
	for step := 1; ; step++ {
		b := newTestBucket(t)
		dir := prepare(t, b)
		cmd := child(t, "bucket-crash", dir, change, strconv.Itoa(step), b.URL, b.Name)
		err := cmd.Run()
		if err != nil && !killed(cmd) {
			t.Fatalf("step %d: %v", step, err)
		}
		check(t, dir, b, err == nil)
		if bad := openToOthers(t, dir); bad != nil {
			t.Errorf("open to others: %q", bad)
		}
		if t.Failed() {
			t.Fatalf("killed after step %d", step)
		}
		if err == nil {
			if t.Logf("%d steps", step-1); step < 4 {
				t.Error("these are too few steps to believe")
			}
			return
		}
	}
}

// tokensOf gives the names of all accounts of a store, each with what its refresh token ends with.
func tokensOf(t *testing.T, s Store) string {
	t.Helper()
	all, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range all {
		names = append(names, r.Name+"="+r.RefreshToken.Reveal())
	}
	return strings.Join(names, " ")
}

const bothAccounts = "a=refresh token of a b=refresh token of b"

// addBoth gives a store two accounts with refresh tokens.
func addBoth(t *testing.T, s Store) {
	t.Helper()
	for id, name := range map[ID]string{"00000001": "a", "00000002": "b"} {
		if _, err := s.Update(t.Context(), id, func(r *Record) error {
			r.Name, r.RefreshToken = name, api.NewSecret("refresh token of "+name)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func openedStore(t *testing.T, dir string) Store {
	t.Helper()
	s, err := OpenStore(dir, StoreOptions{Passphrase: testPassphrase})
	if err != nil {
		t.Fatal(err)
	}
	if b, ok := s.(*BucketStore); ok {
		t.Cleanup(b.Close)
	}
	return s
}

func TestKilledWhileMovingToABucket(t *testing.T) {
	for name, others := range map[string]bool{"of its own": false, "that is there, under another key": true} {
		t.Run("bucket "+name, func(t *testing.T) {
			killBucketEverywhere(t, "to-bucket", func(t *testing.T, b Bucket) string {
				t.Helper()
				if others {
					join(t, b, 1)
				}
				dir := t.TempDir()
				addBoth(t, openTestStore(dir))
				return dir
			}, func(t *testing.T, dir string, b Bucket, done bool) {
				t.Helper()
				old := openTestStore(dir) // of a process that was there before
				if got := tokensOf(t, openedStore(t, dir)); got != bothAccounts {
					t.Errorf("holds %q", got)
				}
				if !done {
					if err := bucketChanges["to-bucket"](dir, b); err != nil && !errors.Is(err, ErrInBucket) {
						t.Errorf("again: %v", err)
					}
				}
				if _, ok := openedStore(t, dir).(*BucketStore); !ok || tokensOf(t, openedStore(t, dir)) != bothAccounts {
					t.Errorf("moved: %q", tokensOf(t, openedStore(t, dir)))
				}
				if got := tokensOf(t, join(t, b, 1)); got != bothAccounts {
					t.Errorf("another machine sees %q", got)
				}
				_, err := old.Update(t.Context(), "00000001", named("c"))
				says(t, err, ErrMoved)
				_, err = old.Lock(t.Context(), "00000001")
				says(t, err, ErrMoved)
			})
		})
	}
}

func TestKilledWhileMovingToAFile(t *testing.T) {
	killBucketEverywhere(t, "to-file", func(t *testing.T, b Bucket) string {
		t.Helper()
		addBoth(t, join(t, b, 1))
		return join(t, b, 1).Dir()
	}, func(t *testing.T, dir string, b Bucket, done bool) {
		t.Helper()
		if got := tokensOf(t, openedStore(t, dir)); got != bothAccounts {
			t.Errorf("holds %q", got)
		}
		if _, ok := openedStore(t, dir).(*BucketStore); ok {
			if err := bucketChanges["to-file"](dir, b); done || err != nil {
				t.Errorf("again: %v", err)
			}
		}
		if got := namesIn(t, dir); got != "a b" {
			t.Errorf("the file holds %q", got)
		}
		if got := tokensOf(t, join(t, b, 1)); got != bothAccounts {
			t.Errorf("other machines see %q", got)
		}
	})
}

func TestKilledWhileJoining(t *testing.T) {
	killBucketEverywhere(t, "init", func(t *testing.T, _ Bucket) string { t.Helper(); return t.TempDir() }, func(t *testing.T, dir string, b Bucket, done bool) {
		t.Helper()
		if !done {
			if err := bucketChanges["init"](dir, b); err != nil && !errors.Is(err, ErrInBucket) {
				t.Errorf("again: %v", err)
			}
		}
		addBoth(t, openedStore(t, dir))
		if got := tokensOf(t, join(t, b, 1)); got != bothAccounts {
			t.Errorf("another machine sees %q", got)
		}
	})
}

// A change of the key that is killed locks nobody out: neither a machine that knew the old one nor one
// that comes then; and when it has come through, the old key opens nothing.
func TestKilledWhileChangingTheBucketsKey(t *testing.T) {
	var running *BucketStore
	var old *storeKey
	killBucketEverywhere(t, "rekey", func(t *testing.T, b Bucket) string {
		t.Helper()
		running = join(t, b, 1)
		addBoth(t, running)
		old = running.files.openedKey()
		return join(t, b, 1).Dir()
	}, func(t *testing.T, dir string, b Bucket, done bool) {
		t.Helper()
		for what, s := range map[string]Store{"a running machine": running, "the machine itself": openedStore(t, dir), "a new one": join(t, b, 1)} {
			if got := tokensOf(t, s); got != bothAccounts {
				t.Errorf("%s sees %q", what, got)
			}
			if _, err := s.Update(t.Context(), "00000001", func(r *Record) error { r.Lifetime++; return nil }); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, err := running.Update(t.Context(), "00000003", named("c")); err != nil {
			t.Errorf("a new account: %v", err)
		}
		if !done {
			if err := bucketChanges["rekey"](dir, b); err != nil {
				t.Errorf("again: %v", err)
			}
		}
		if got := tokensOf(t, join(t, b, 1)); got != bothAccounts+" c=" {
			t.Errorf("afterwards a machine sees %q", got)
		}
		for _, key := range []string{indexKey, accountsKeys + "00000001", accountsKeys + "00000002", accountsKeys + "00000003"} {
			v, err := running.link.get(t.Context(), bucketWait, key)
			if err != nil {
				t.Fatal(err)
			}
			_, err = decrypt(bytes.NewReader(v.data), len(v.data), old.identity)
			if wrong := new(age.NoIdentityMatchError); !errors.As(err, &wrong) {
				t.Errorf("the old key opens %s: %v", key, err)
			}
		}
	})
}

// What a file's account was asked for when its process died is known in the bucket as well.
func TestMovedWithAnInterruptedAttempt(t *testing.T) {
	dir := t.TempDir()
	s := openTestStore(dir)
	addBoth(t, s)
	l, err := s.Lock(t.Context(), "00000001")
	if err == nil {
		err = l.Begin(Attempt{Op: "refresh", ClientID: "of before"})
	}
	if err != nil {
		t.Fatal(err)
	}
	l.Release()
	b := newTestBucket(t)
	if err := bucketChanges["to-bucket"](dir, b); err != nil {
		t.Fatal(err)
	}
	moved := openedStore(t, dir)
	for _, want := range []string{"of before", ""} {
		l, err := moved.Lock(t.Context(), "00000001")
		if err != nil {
			t.Fatal(err)
		}
		if got := l.Interrupted; (got == nil) != (want == "") || got != nil && got.ClientID != want {
			t.Errorf("interrupted: %+v, want %q", got, want)
		}
		if err := l.End(); err != nil {
			t.Error(err)
		}
		l.Release()
	}
	if left, _ := filepath.Glob(filepath.Join(dir, locksName, "*")); left != nil {
		t.Errorf("left behind: %q", left)
	}
}

// Of an account that is in the bucket already, the later token stays.
func TestMovedToWhereItIsAlready(t *testing.T) {
	b := newTestBucket(t)
	there := join(t, b, 1)
	at := func(day int, token string) func(*Record) error {
		return func(r *Record) error {
			if err := fullRecord(r); err != nil {
				return err
			}
			r.Access.ObtainedAt = r.Access.ObtainedAt.AddDate(0, 0, day)
			r.Access.Token = api.NewSecret(token)
			return nil
		}
	}
	for i, c := range []struct {
		file, bucket int
		want         string
	}{{1, 2, "bucket"}, {3, 2, "file"}, {2, 2, "bucket"}} {
		id := ID(fmt.Sprintf("%08d", i))
		name := func(fn func(*Record) error) func(*Record) error {
			return func(r *Record) error { err := fn(r); r.Name = string(id); return err }
		}
		dir := t.TempDir()
		if _, err := there.Update(t.Context(), id, name(at(c.bucket, "bucket"))); err != nil {
			t.Fatal(err)
		}
		if _, err := openTestStore(dir).Update(t.Context(), id, name(at(c.file, "file"))); err != nil {
			t.Fatal(err)
		}
		if err := bucketChanges["to-bucket"](dir, b); err != nil {
			t.Fatal(err)
		}
		if r, err := there.Get(t.Context(), id); err != nil || r.Access.Token.Reveal() != c.want {
			t.Errorf("file of day %d, bucket of day %d: the %s's stays, %v", c.file, c.bucket, r.Access.Token.Reveal(), err)
		}
	}
	dir := t.TempDir()
	if _, err := openTestStore(dir).Update(t.Context(), "zzzzzzzz", named("00000000")); err != nil {
		t.Fatal(err)
	}
	says(t, bucketChanges["to-bucket"](dir, b), ErrNameTaken)
	if got := namesIn(t, dir); got != "00000000" {
		t.Errorf("after a move that failed: %q", got)
	}
}
