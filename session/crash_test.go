//go:build unix

package session

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"wakey/api"
)

// changes are what may be under way when a process is killed: from accounts "a b", they have to
// end with what is named here.
var changes = map[string]doing{
	"update": {"a b c", func(s *FileStore, _ string) error {
		_, err := s.Update(testContext(), "00000003", named("c"))
		return err
	}},
	"remove": {"a", func(s *FileStore, _ string) error { return s.Remove(testContext(), "00000002") }},
	"rekey":  {"a b", func(s *FileStore, _ string) error { return s.Rekey(testContext()) }},
	"restore": {"from backup", func(s *FileStore, backup string) error {
		data, err := os.ReadFile(backup)
		if err != nil {
			return err
		}
		_, err = s.Restore(testContext(), bytes.NewReader(data))
		return err
	}},
	"backup":        {"a b", func(s *FileStore, _ string) error { return s.BackupTo(testContext(), s.dir+".backup.age") }},
	"to-passphrase": {"a b", func(s *FileStore, _ string) error { return s.Move(testContext(), PassphraseKey) }},
	"to-keyring":    {"a b", func(s *FileStore, _ string) error { return s.Move(testContext(), KeyringKey) }},
}

type doing struct {
	after string
	do    func(s *FileStore, with string) error
}

// crash makes a change in a directory and kills itself after so many steps of it.
var _ = asChild("crash", func(args []string) error {
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
	return changes[args[1]].do(openTestStore(args[0]), args[3])
})

// killEverywhere makes a change again and again, each time killed one step later, each time on a
// store made by prepare, and has check look at what is left, until the change comes through.
func killEverywhere(t *testing.T, change, backup string, prepare func(t *testing.T) (dir string), check func(t *testing.T, dir string, done bool)) {
	t.Helper()
	for step := 1; ; step++ {
		dir := prepare(t)
		cmd := child(t, "crash", dir, change, strconv.Itoa(step), backup)
		err := cmd.Run()
		if err != nil && !killed(cmd) {
			t.Fatalf("step %d: %v", step, err)
		}
		check(t, dir, err == nil)
		if t.Failed() {
			t.Fatalf("killed after step %d", step)
		}
		if err == nil {
			t.Logf("%d steps", step-1)
			if step < 4 {
				t.Error("these are too few steps to believe")
			}
			return
		}
	}
}

// oldOrNew checks that a store is in one piece and can go on.
func oldOrNew(before, after string) func(t *testing.T, dir string, done bool) {
	return func(t *testing.T, dir string, done bool) {
		t.Helper()
		got := namesIn(t, dir)
		if got != after && (got != before || done) {
			t.Errorf("holds %q, was to go from %q to %q", got, before, after)
		}
		s := openTestStore(dir)
		if _, err := s.Update(t.Context(), "zzzzzzzz", named("z")); err != nil {
			t.Errorf("going on: %v", err)
		}
		if want := strings.TrimSpace(got + " z"); namesIn(t, dir) != want {
			t.Errorf("going on: %q, want %q", namesIn(t, dir), want)
		}
		if index, err := ReadIndex(dir); err != nil || len(index) != len(strings.Fields(got))+1 {
			t.Errorf("index: %d accounts, %v", len(index), err)
		}
		if left, _ := filepath.Glob(dir + "/accounts*.tmp"); left != nil {
			t.Errorf("left behind: %q", left)
		}
		if bad := openToOthers(t, dir); bad != nil {
			t.Errorf("open to others: %q", bad)
		}
	}
}

func TestKilledAtEveryStep(t *testing.T) {
	backup := backupOf(t, "backup", "from")
	full := func(t *testing.T) string {
		t.Helper()
		dir := t.TempDir()
		filled(t, dir)
		return dir
	}
	empty := func(t *testing.T) string { t.Helper(); return filepath.Join(t.TempDir(), "wakey") }
	for _, change := range []string{"update", "remove", "rekey"} {
		t.Run(change, func(t *testing.T) {
			killEverywhere(t, change, "", full, oldOrNew("a b", changes[change].after))
		})
	}
	t.Run("backup", func(t *testing.T) {
		killEverywhere(t, "backup", "", full, func(t *testing.T, dir string, done bool) {
			t.Helper()
			made := dir + ".backup.age"
			if _, err := os.Stat(made); errors.Is(err, os.ErrNotExist) && !done {
				if err := openTestStore(dir).BackupTo(t.Context(), made); err != nil {
					t.Errorf("backing up again: %v", err)
				}
			}
			other := openTestStore(t.TempDir())
			if got, err := other.Restore(t.Context(), bytes.NewReader(readFile(t, made))); err != nil || got.Accounts != 2 {
				t.Errorf("the backup that is there: %+v, %v", got, err)
			}
			if info, err := os.Stat(made); err != nil || info.Mode().Perm() != fileMode {
				t.Errorf("%v, %v", info.Mode(), err)
			}
			oldOrNew("a b", "a b")(t, dir, done)
		})
	})
	t.Run("restore", func(t *testing.T) {
		killEverywhere(t, "restore", backup, full, oldOrNew("a b", "backup from"))
	})
	t.Run("first update", func(t *testing.T) {
		killEverywhere(t, "update", "", empty, oldOrNew("", "c"))
	})
	t.Run("restore to nothing", func(t *testing.T) {
		killEverywhere(t, "restore", backup, empty, oldOrNew("", "backup from"))
	})
	t.Run("restore over damage", func(t *testing.T) {
		damaged := func(t *testing.T) string {
			t.Helper()
			dir := full(t)
			writeFile(t, filepath.Join(dir, accountsName), []byte("damaged"))
			return dir
		}
		killEverywhere(t, "restore", backup, damaged, func(t *testing.T, dir string, done bool) {
			t.Helper()
			if data, err := os.ReadFile(filepath.Join(dir, accountsName)); err == nil && string(data) == "damaged" && !done {
				return // nothing happened yet
			}
			aside, _ := filepath.Glob(filepath.Join(dir, accountsName+".before-restore-*"))
			if len(aside) != 1 || string(readFile(t, aside[0])) != "damaged" {
				t.Errorf("kept aside: %q", aside)
			}
			oldOrNew("backup from", "backup from")(t, dir, done)
		})
	})
	t.Run("restore without key", func(t *testing.T) {
		keyless := func(t *testing.T) string {
			t.Helper()
			dir := full(t)
			if err := os.Remove(filepath.Join(dir, keyName)); err != nil {
				t.Fatal(err)
			}
			return dir
		}
		killEverywhere(t, "restore", backup, keyless, func(t *testing.T, dir string, done bool) {
			t.Helper()
			s := openTestStore(dir)
			if _, err := s.Load(t.Context()); errors.Is(err, ErrDamaged) && !done {
				if _, err := s.Restore(t.Context(), bytes.NewReader(readFile(t, backup))); err != nil {
					t.Errorf("restoring again: %v", err)
				}
			}
			oldOrNew("backup from", "backup from")(t, dir, done)
		})
	})
}

// begin takes an account's lock, begins an attempt, says so and waits to be killed.
var _ = asChild("begin", func(args []string) error {
	leaseTime = time.Second // where it is one
	s, err := OpenStore(args[0], StoreOptions{Passphrase: testPassphrase})
	if err != nil {
		return err
	}
	l, err := s.Lock(testContext(), "00000001")
	if err != nil {
		return err
	}
	if err := l.Begin(Attempt{Op: "refresh", At: time.Unix(1, 0).UTC(), ClientID: args[1]}); err != nil {
		return err
	}
	fmt.Println("begun")
	select {}
})

// many adds to a counter in a store, over and over.
var _ = asChild("many", func(args []string) error {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	s := openTestStore(args[0])
	for range n {
		for _, id := range []ID{"shared00", ID(args[2])} {
			if _, err := s.Update(testContext(), id, func(r *Record) error {
				r.Name = string(id)
				r.RefreshToken = api.NewSecret(strconv.FormatUint(r.Version, 10))
				r.Lifetime++
				return nil
			}); err != nil {
				return err
			}
		}
		fmt.Println("counted")
	}
	return nil
})

func TestKilledHolderLeavesItsAttempt(t *testing.T) {
	dir := t.TempDir()
	for round := range 5 {
		cmd := child(t, "begin", dir, strconv.Itoa(round))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if line := make([]byte, 6); !readsFull(out, line) || string(line) != "begun\n" {
			t.Fatalf("the child said %q", line)
		}
		ctx, cancel := withTimeout(t, 50*time.Millisecond)
		_, err = openTestStore(dir).Lock(ctx, "00000001")
		cancel()
		says(t, err, ctx.Err())
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		l, err := openTestStore(dir).Lock(t.Context(), "00000001")
		if err != nil {
			t.Fatal(err)
		}
		if l.Interrupted == nil || l.Interrupted.ClientID != strconv.Itoa(round) {
			t.Errorf("round %d: interrupted %+v", round, l.Interrupted)
		}
		if round%2 == 0 {
			if err := l.End(); err != nil {
				t.Fatal(err)
			}
		}
		l.Release()
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "locks", "*")); left != nil {
		t.Errorf("left behind: %q", left)
	}
}

// A half-written note is one of an attempt that was never made.
func TestHalfWrittenAttempt(t *testing.T) {
	dir := t.TempDir()
	s := openTestStore(dir)
	l, err := s.Lock(t.Context(), "00000001")
	if err == nil {
		err = l.Begin(Attempt{Op: "refresh"})
	}
	if err != nil {
		t.Fatal(err)
	}
	l.Release()
	note := filepath.Join(dir, "locks", "00000001.attempt")
	whole := readFile(t, note)
	for n := range whole {
		writeFile(t, note, whole[:n])
		l, err := s.Lock(t.Context(), "00000001")
		if err != nil || l.Interrupted != nil {
			t.Fatalf("%q: %+v, %v", whole[:n], l, err)
		}
		l.Release()
	}
}

// A lock's file is removed by each holder, so that whoever opened it just before may lock a file
// that is no longer there.
func TestLockFilesThatComeAndGo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	l, err := acquire(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for _, replace := range []bool{false, true} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if replace {
			writeFile(t, path, nil)
		}
		if ok, err := isCurrent(l, path); ok || err != nil {
			t.Errorf("a lock on a file that is gone holds: %v, %v", ok, err)
		}
		writeFile(t, path, nil)
	}
	l.Close()

	var holders atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 300 {
				l, err := acquire(t.Context(), path)
				if err != nil {
					t.Error(err)
					return
				}
				if n := holders.Add(1); n != 1 {
					t.Errorf("%d holders", n)
				}
				for range 20 {
					_, _ = os.Stat(path)
				}
				holders.Add(-1)
				_ = os.Remove(path)
				_ = l.Close()
			}
		})
	}
	wg.Wait()
}

func TestManyProcessesLoseNothing(t *testing.T) {
	const processes, rounds = 20, 10
	dir := t.TempDir()
	cmds := make([]*exec.Cmd, processes)
	for i := range cmds {
		cmds[i] = child(t, "many", dir, strconv.Itoa(rounds), fmt.Sprintf("%08d", i))
		if err := cmds[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	for _, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	all, err := openTestStore(dir).Load(t.Context())
	if err != nil || len(all) != processes+1 {
		t.Fatalf("%d accounts, %v", len(all), err)
	}
	for _, r := range all {
		want := rounds
		if r.ID == "shared00" {
			want *= processes
		}
		if int(r.Lifetime) != want || int(r.Version) != want {
			t.Errorf("%s counted to %d (version %d), want %d", r.ID, r.Lifetime, r.Version, want)
		}
	}
}

// Killed at random instants, processes lose at most the change that they had not been told of.
func TestKilledAtRandom(t *testing.T) {
	dir := t.TempDir()
	counted := 0
	for round := range 40 {
		cmd := child(t, "many", dir, "1000000", "00000001")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line := make([]byte, len("counted\n"))
		for range 1 + round%3 {
			if !readsFull(out, line) {
				t.Fatal("the child ended")
			}
			counted++
		}
		// Each round waits a little longer, by looking at the store instead of a clock.
		for range round * 20 {
			if _, err := os.Stat(filepath.Join(dir, accountsName)); err != nil {
				t.Fatal(err)
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for readsFull(out, line) { // what it said before it died
			counted++
		}
		_ = cmd.Wait()
		r, err := openTestStore(dir).Get(t.Context(), "00000001")
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if n := int(r.Lifetime); n < counted || n > counted+1 {
			t.Fatalf("round %d: %d changes kept, %d were told of", round, n, counted)
		}
		counted = int(r.Lifetime)
	}
	t.Logf("%d changes", counted)
}
