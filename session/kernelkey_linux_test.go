package session

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"a.wakey/quick"
	"golang.org/x/sys/unix"
)

// unlocked is a store whose key is in the kernel for a minute.
func unlocked(t *testing.T) *FileStore {
	t.Helper()
	s := filled(t, t.TempDir())
	if err := s.Unlock(t.Context(), time.Minute); err != nil {
		if errors.Is(err, ErrNoKernelKeyring) {
			t.Skipf("%v", err)
		}
		t.Fatal(err)
	}
	recipient := s.key.recipient
	t.Cleanup(func() { kernelForget(kernelName(recipient)) })
	return s
}

// look reads a store with nobody to ask, in a session keyring of its own if that is wanted.
var _ = asChild("look", func(args []string) error {
	runtime.LockOSThread()
	if args[1] == "own-session" {
		if _, err := unix.KeyctlJoinSessionKeyring("of its own"); err != nil {
			return err
		}
	}
	all, err := OpenFileStore(args[0], StoreOptions{}).Load(testContext())
	fmt.Println(len(all), err)
	return nil
})

// unlock makes a store, unlocks it from one session and reads it from another.
var _ = asChild("unlock", func(args []string) error {
	s := openTestStore(args[0])
	if _, err := s.Update(testContext(), "00000001", named("a")); err != nil {
		return err
	}
	if err := s.Unlock(testContext(), time.Minute); err != nil {
		return err
	}
	defer kernelForget(kernelName(s.key.recipient))
	return children["look"]([]string{args[0], "own-session"})
})

// find looks for a key in the kernel, also where another user's would be.
var _ = asChild("find", func(args []string) error {
	_, ok := kernelKey(args[0])
	fmt.Println(ok)
	keys, err := os.ReadFile("/proc/keys")
	fmt.Println(err, strings.Contains(string(keys), args[0]))
	return nil
})

var _ = asChild("harden", func([]string) error {
	var allowed syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_CORE, &allowed)
	allowed.Cur = allowed.Max // or there may be nothing to forbid
	if err := errors.Join(err, syscall.Setrlimit(syscall.RLIMIT_CORE, &allowed), Harden()); err != nil {
		return err
	}
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	var limit syscall.Rlimit
	err = errors.Join(err, syscall.Getrlimit(syscall.RLIMIT_CORE, &limit))
	fmt.Println(dumpable, limit.Cur, err)
	return nil
})

func TestUnlockedForOtherProcesses(t *testing.T) {
	s := unlocked(t)
	for _, session := range []string{"same-session", "own-session"} {
		out, err := child(t, "look", s.dir, session).Output()
		if err != nil || string(out) != "2 <nil>\n" {
			t.Errorf("%s: %s, %v", session, out, err)
		}
	}
	st, err := OpenFileStore(s.dir, StoreOptions{}).Status(t.Context())
	if err != nil || !st.Unlocked {
		t.Errorf("status %+v, %v", st, err)
	}
	if err := s.Unlock(t.Context(), time.Hour); err != nil { // again, and longer
		t.Fatal(err)
	}
	keys := readFile(t, "/proc/keys")
	line := regexp.MustCompile(`(?m)^[0-9a-f]+ I--Q--- .*wakey:`+s.key.recipient+`.*$`).FindAllString(string(keys), -1)
	if len(line) != 1 || !regexp.MustCompile(` (1h|60m|59m) 3f0b0000 `).MatchString(line[0]) {
		t.Errorf("the kernel lists it as %q", line)
	}

	if err := s.Relock(t.Context()); err != nil {
		t.Fatal(err)
	}
	out, err := child(t, "look", s.dir, "same-session").Output()
	if err != nil || !strings.HasPrefix(string(out), "0 the store is locked") {
		t.Errorf("locked again: %s, %v", out, err)
	}
	s.o.Passphrase = nil
	if _, err := s.Get(t.Context(), "00000001"); !errors.Is(err, ErrLocked) {
		t.Errorf("in the process that locked it: %v", err)
	}
	if err := s.Relock(t.Context()); err != nil {
		t.Errorf("twice: %v", err)
	}
}

func TestUnlockedForThisUserAlone(t *testing.T) {
	asRoot(t)
	s := unlocked(t)
	recipient := s.key.recipient
	if out, err := child(t, "find", recipient).Output(); err != nil || string(out) != "true\n<nil> true\n" {
		t.Fatalf("the user's own process: %s, %v", out, err)
	}
	cmd := asUser(t, "find", recipient)
	if out, err := cmd.Output(); err != nil || string(out) != "false\n<nil> false\n" {
		t.Errorf("another user: %s, %v", out, err)
	}
	out, err := asUser(t, "unlock", filepath.Join(userDir(t), "wakey")).Output()
	if err != nil || string(out) != "1 <nil>\n" {
		t.Errorf("a user without rights: %s, %v", out, err)
	}
	id, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", kernelName(recipient), 0)
	if err != nil {
		t.Fatal(err)
	}
	desc, err := unix.KeyctlString(unix.KEYCTL_DESCRIBE, id)
	if err != nil || !strings.Contains(desc, ";3f0b0000;") {
		t.Errorf("%s, %v", desc, err)
	}
}

func TestUnlockRefusesNonsense(t *testing.T) {
	s := filled(t, t.TempDir())
	for _, ttl := range []time.Duration{0, -time.Hour, time.Millisecond} {
		if err := s.Unlock(t.Context(), ttl); err == nil {
			t.Errorf("for %v: no error", ttl)
		}
	}
	if err := openTestStore(filepath.Join(t.TempDir(), "none")).Unlock(t.Context(), time.Hour); err == nil {
		t.Error("a store without a key: no error")
	}
}

// A key under the right name with the wrong content, which any process of the user can plant.
func TestForeignKernelKey(t *testing.T) {
	s := unlocked(t)
	other, err := newStoreKey()
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{other.secret(), "x", strings.Repeat("x", 1000)} {
		if err := keepInKernel(kernelName(s.key.recipient), []byte(secret), time.Minute); err != nil {
			t.Fatal(err)
		}
		if got := namesIn(t, s.dir); got != "a b" {
			t.Errorf("names %q", got)
		}
	}
}

func TestRekeyForgetsTheUnlockedKey(t *testing.T) {
	s := unlocked(t)
	old := s.key.recipient
	if err := s.Rekey(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok := kernelKey(old); ok {
		t.Error("the kernel still has the old key")
	}
}

func TestHarden(t *testing.T) {
	out, err := child(t, "harden").Output()
	if err != nil || string(out) != "0 0 <nil>\n" {
		t.Errorf("%s, %v", out, err)
	}
}

// A token that lies ready is looked up without a look at the store: it goes when others may write as well.
func TestNothingLiesReadyInABucket(t *testing.T) {
	s := unlocked(t)
	name := quick.ReadyName(s.dir)
	if err := keepInKernel(name, []byte("a token"), time.Minute); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kernelForget(name) })
	if _, err := MoveToBucket(t.Context(), s.dir, BucketInit{newTestBucket(t), 1, PassphraseKey}, StoreOptions{Passphrase: testPassphrase}); err != nil {
		t.Fatal(err)
	}
	if _, err := findKernelKey(name); err == nil {
		t.Error("the token of before lies ready")
	}
}
