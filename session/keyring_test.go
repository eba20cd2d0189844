//go:build linux

package session

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/zalando/go-keyring"

	"wakey/internal/keyringd"
	"wakey/internal/notifyd"
)

// inSession runs the test that calls it once more, alone, in a desktop session of its own: a
// session bus, a home directory, no screen. There it returns true.
func inSession(t *testing.T) bool {
	t.Helper()
	if os.Getenv(sessionEnv) == t.Name() {
		return true
	}
	keyringd.Need(t, "dbus-run-session")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "dbus-run-session", "--", exe, "-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1", "-test.timeout=2m")
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY", "DBUS_", "GNOME_", "XDG_", "GO_TEST", "GOCOVERDIR"} {
			if strings.HasPrefix(v, name) {
				return true
			}
		}
		return false
	})
	cmd.Env = append(cmd.Env, sessionEnv+"="+t.Name(), "HOME="+home, "XDG_RUNTIME_DIR="+home)
	cmd.WaitDelay = 5 * time.Second // a daemon may hold on to our pipe
	// A call that was under way at the end makes the bus start a daemon that outlives it.
	t.Cleanup(func() { keyringd.Sweep(home) })
	out, err := cmd.CombinedOutput()
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("in a session: %v\n%s", err, out)
	}
	return false
}

// items lists the names of wakey's items in the keyring.
func items(t *testing.T) []string {
	t.Helper()
	names, _ := keyringd.Items(t, os.Environ())
	return names
}

func loads(t *testing.T, dir, want string) {
	t.Helper()
	out, err := child(t, "look", dir, "").Output()
	if err != nil || string(out) != want+" <nil>\n" {
		t.Errorf("another process: %s, %v", out, err)
	}
}

func TestKeyringLife(t *testing.T) {
	if !inSession(t) {
		return
	}
	keyringd.Start(t, os.Environ())
	dir := t.TempDir()
	s := OpenFileStore(dir, StoreOptions{})
	if _, err := s.Update(t.Context(), "00000001", named("a")); err != nil {
		t.Fatal(err)
	}
	first := s.key.item()
	if got := items(t); !slices.Equal(got, []string{first}) || !strings.HasPrefix(first, "accounts key ") {
		t.Errorf("items %q, want %q", got, first)
	}
	if _, labels := keyringd.Items(t, os.Environ()); !slices.Equal(labels, []string{"Password for '" + first + "' on 'wakey'"}) {
		t.Errorf("a person sees %q", labels)
	}
	st, err := s.Status(t.Context())
	if err != nil || st.Kind != KeyringKey || !st.Unlocked || !strings.Contains(st.Where, first) {
		t.Errorf("status %+v, %v", st, err)
	}
	loads(t, dir, "1")

	// Another home in the same keyring.
	home := OpenFileStore(t.TempDir(), StoreOptions{})
	if _, err := home.Update(t.Context(), "00000001", named("a")); err != nil {
		t.Fatal(err)
	}
	if got := items(t); len(got) != 2 {
		t.Errorf("items of two homes: %q", got)
	}
	if err := keyring.Delete(keyringService, home.key.item()); err != nil {
		t.Fatal(err)
	}
	_, err = OpenFileStore(home.dir, StoreOptions{}).Load(t.Context())
	says(t, err, ErrKeyLost, home.key.item(), "restore a backup")
	if errors.Is(err, ErrLocked) {
		t.Errorf("unlocking is said to help: %v", err)
	}
	loads(t, dir, "1")

	if err := s.Rekey(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := s.key.item()
	if got := items(t); !slices.Equal(got, []string{second}) || second == first {
		t.Errorf("after a new key: items %q", got)
	}
	loads(t, dir, "1")

	s.o.Passphrase = testPassphrase
	if err := s.Move(t.Context(), PassphraseKey); err != nil {
		t.Fatal(err)
	}
	if got := items(t); got != nil {
		t.Errorf("under a passphrase: items %q", got)
	}
	if got := namesIn(t, dir); got != "a" {
		t.Errorf("names %q", got)
	}
	if err := s.Move(t.Context(), KeyringKey); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.path(wrappedName)); err == nil {
		t.Error("the wrapped key is still there")
	}
	loads(t, dir, "1")

	for _, wrong := range []string{home.key.secret(), "quite another text"} {
		if err := keyring.Set(keyringService, second, wrong); err != nil {
			t.Fatal(err)
		}
		_, err = OpenFileStore(dir, StoreOptions{}).Load(t.Context())
		says(t, err, ErrKeyLost, second, "holds something else")
		if strings.Contains(err.Error(), wrong) {
			t.Errorf("the error quotes it: %v", err)
		}
	}

	// What a lost key is for.
	var backup strings.Builder
	if err := s.Backup(t.Context(), &backup); err != nil {
		t.Fatal(err)
	}
	lost := openTestStore(dir)
	if _, err := lost.Restore(t.Context(), strings.NewReader(backup.String())); err != nil {
		t.Fatal(err)
	}
	loads(t, dir, "1")
	if got := items(t); len(got) != 2 {
		t.Errorf("the old item should stay with what was kept aside: %q", got)
	}
}

func TestKeyringLocked(t *testing.T) {
	if !inSession(t) {
		return
	}
	keyringd.Start(t, os.Environ())
	s := filledInKeyring(t)
	keyringd.Lock(t, os.Environ())
	keyringTimeout = time.Second // the prompt that nobody sees may stay for ever
	start := time.Now()
	_, err := OpenFileStore(s.dir, StoreOptions{}).Load(t.Context())
	if err == nil || !errors.Is(err, ErrLocked) || !errors.Is(err, ErrKeyringRefused) && !errors.Is(err, ErrKeyringTimeout) {
		t.Errorf("locked: %v", err)
	}
	says(t, err, ErrLocked, "unlock it")
	t.Logf("after %v: %v", time.Since(start).Round(time.Millisecond), err)
	if _, err := s.Update(t.Context(), "00000002", named("b")); err != nil {
		t.Errorf("a process that has the key needs no keyring: %v", err)
	}
	// A new store falls back to a passphrase, and says why.
	a := &answers{give: []string{"x"}}
	fresh := a.open(t.TempDir())
	if err := fresh.Init(t.Context(), KeyringKey); !errors.Is(err, ErrKeyringRefused) && !errors.Is(err, ErrKeyringTimeout) {
		t.Errorf("insisting on the keyring: %v", err)
	}
	if _, err := fresh.Update(t.Context(), "00000001", named("a")); err != nil || len(a.asked) != 1 || !strings.Contains(a.asked[0].Reason, "keyring") {
		t.Errorf("%v, asked %+v", err, a.asked)
	}

	keyringd.Unlock(t, os.Environ())
	if _, err := OpenFileStore(s.dir, StoreOptions{}).Load(t.Context()); err != nil {
		t.Errorf("unlocked again: %v", err)
	}
}

// filledInKeyring is a store with the account "a", its key in the keyring.
func filledInKeyring(t *testing.T) *FileStore {
	t.Helper()
	s := OpenFileStore(t.TempDir(), StoreOptions{})
	if _, err := s.Update(t.Context(), "00000001", named("a")); err != nil {
		t.Fatal(err)
	}
	return s
}

// A daemon that has the name on the bus and never answers.
func TestKeyringSilent(t *testing.T) {
	if !inSession(t) {
		return
	}
	daemon := keyringd.Start(t, os.Environ())
	s := filledInKeyring(t)
	keyringTimeout = 300 * time.Millisecond
	stop(t, daemon)
	fresh := OpenFileStore(s.dir, StoreOptions{})
	asked := map[*flight]bool{}
	for range 3 {
		_, err := fresh.Load(t.Context())
		says(t, err, ErrKeyringTimeout, "answer its prompt")
		says(t, err, ErrLocked)
		flightsMu.Lock()
		for _, f := range flights {
			asked[f] = true
		}
		flightsMu.Unlock()
	}
	if len(asked) != 1 {
		t.Errorf("%d questions are under way, want one for all", len(asked))
	}
	ctx, cancel := withTimeout(t, time.Millisecond)
	_, err := fresh.Load(ctx)
	says(t, err, ctx.Err())
	cancel()
	if st, err := fresh.Status(t.Context()); err != nil || st.Kind != KeyringKey || st.Unlocked {
		t.Errorf("status asks the keyring: %+v, %v", st, err)
	}
	a := &answers{give: []string{"x"}}
	if _, err := a.open(t.TempDir()).Update(t.Context(), "00000001", named("a")); err != nil || len(a.asked) != 1 || !strings.Contains(a.asked[0].Reason, "does not answer") {
		t.Errorf("a new store: %v, asked %+v", err, a.asked)
	}
	keyringTimeout = 10 * time.Second
	if err := daemon.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if _, err := fresh.Load(t.Context()); err != nil {
		t.Errorf("when it answers again: %v", err)
	}
}

// stop stops a process and waits until it stands still.
func stop(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(string(readFile(t, fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))), ") T ") { //nolint:revive // see above
	}
}

func TestKeyringKilled(t *testing.T) {
	if !inSession(t) {
		return
	}
	daemon := keyringd.Start(t, os.Environ())
	s := filledInKeyring(t)
	stop(t, daemon)
	done := make(chan error)
	fresh := OpenFileStore(s.dir, StoreOptions{})
	go func() {
		_, err := fresh.Load(t.Context())
		done <- err
	}()
	for asked := false; !asked; { // the question is on its way
		flightsMu.Lock()
		asked = len(flights) > 0
		flightsMu.Unlock()
	}
	if err := daemon.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	err := <-done
	says(t, err, ErrLocked, "keyring")
	t.Logf("killed in the middle: %v", err)
	_ = daemon.Wait()

	keyringd.Unlock(t, os.Environ()) // of the daemon that the bus starts instead
	if _, err := fresh.Load(t.Context()); err != nil {
		t.Errorf("with a new daemon: %v", err)
	}
}

func TestKeyringTwentyProcesses(t *testing.T) {
	if !inSession(t) {
		return
	}
	keyringd.Start(t, os.Environ())
	dir := filepath.Join(t.TempDir(), "wakey")
	cmds := make([]*exec.Cmd, 20)
	for i := range cmds {
		cmds[i] = child(t, "many", dir, "2", fmt.Sprintf("%08d", i))
		if err := cmds[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	for _, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	if got := items(t); len(got) != 1 {
		t.Errorf("items %q", got)
	}
	loads(t, dir, "21")
}

// Nothing is started where there is no session bus, whatever is installed.
func TestNoSessionBus(t *testing.T) {
	if _, err := os.Stat(fmt.Sprintf("/run/user/%d/bus", os.Getuid())); err == nil {
		t.Skip("this user has a session bus")
	}
	bin := t.TempDir()
	trap := "#!/bin/sh\necho \"$0 $*\" >> " + bin + "/started\n"
	for _, name := range []string{"dbus-launch", "dbus-daemon", "gnome-keyring-daemon"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(trap), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, address := range []string{"", "autolaunch:"} {
		for range 3 {
			cmd := child(t, "no-bus", t.TempDir())
			cmd.Env = append(cmd.Env, "PATH="+bin+":"+os.Getenv("PATH"), "DBUS_SESSION_BUS_ADDRESS="+address, sessionEnv+"=none")
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(out)) {
				if !strings.Contains(line, "no session bus") {
					t.Errorf("address %q: %s", address, line)
				}
			}
		}
	}
	if data, err := os.ReadFile(filepath.Join(bin, "started")); err == nil {
		t.Errorf("started: %s", data)
	}
	if left := keyringd.Daemons(bin); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

// no-bus tries everything that may ask a keyring and prints what it is told.
var _ = asChild("no-bus", func(args []string) error {
	ctx := testContext()
	a := &answers{give: []string{"x"}}
	s := a.open(args[0])
	fmt.Println(s.Init(ctx, KeyringKey))
	if _, err := s.Update(ctx, "00000001", named("a")); err != nil {
		return err
	}
	fmt.Println(a.asked[0].Reason)
	fmt.Println(s.Move(ctx, KeyringKey))
	kf, err := s.readKeyFile()
	if err != nil {
		return err
	}
	kf.Kind, kf.Item = KeyringKey, s.key.item()
	if err := s.writeKeyFile(kf); err != nil {
		return err
	}
	_, err = OpenFileStore(args[0], StoreOptions{}).Load(ctx)
	fmt.Println(err)
	if !errors.Is(err, ErrLocked) || !errors.Is(err, ErrNoKeyring) {
		return err
	}
	return nil
})

// A bus on which nobody offers a keyring.
func TestBusWithoutKeyring(t *testing.T) {
	if !inSession(t) {
		return
	}
	address, stop := notifyd.Bus(t, nil, false)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
	a := &answers{give: []string{"x"}}
	s := a.open(t.TempDir())
	says(t, s.Init(t.Context(), KeyringKey), ErrNoKeyring, "nothing on the session bus offers one")
	if _, err := s.Update(t.Context(), "00000001", named("a")); err != nil || len(a.asked) != 1 {
		t.Errorf("%v, asked %+v", err, a.asked)
	}
	stop()
	says(t, openTestStore(t.TempDir()).Init(t.Context(), KeyringKey), ErrNoKeyring) // the bus itself is gone
}

func TestKilledAtEveryStepWithKeyring(t *testing.T) {
	if !inSession(t) {
		return
	}
	keyringd.Start(t, os.Environ())
	for _, c := range []struct {
		change string
		kind   KeyKind
	}{{"rekey", KeyringKey}, {"to-passphrase", KeyringKey}, {"to-keyring", PassphraseKey}, {"update", NoKey}} {
		t.Run(c.change, func(t *testing.T) {
			prepare := func(t *testing.T) string {
				t.Helper()
				dir := t.TempDir()
				if c.kind == NoKey {
					return filepath.Join(dir, "wakey")
				}
				s := openTestStore(dir)
				if err := s.Init(t.Context(), c.kind); err != nil {
					t.Fatal(err)
				}
				filled(t, dir)
				return dir
			}
			before, after := "a b", "a b"
			if c.kind == NoKey {
				before, after = "", "c"
			}
			killEverywhere(t, c.change, "", prepare, func(t *testing.T, dir string, done bool) {
				t.Helper()
				oldOrNew(before, after)(t, dir, done)
				s := openTestStore(dir)
				kf, err := s.readKeyFile()
				if err != nil {
					t.Fatal(err)
				}
				// The next change of the key tidies up: no key but the store's stays behind.
				if err := s.Move(t.Context(), kf.Kind); err != nil {
					t.Errorf("tidying up: %v", err)
				}
				want := []string{kf.Item}
				if kf.Kind == PassphraseKey {
					want = nil
				}
				got := items(t)
				if c.kind == NoKey && len(got) == 2 {
					got = slices.DeleteFunc(got, func(i string) bool { return i != kf.Item }) // made, and never named
				}
				if !slices.Equal(got, want) {
					t.Errorf("items %q, want %q", got, want)
				}
				if kf.Item != "" {
					_ = keyringRemove(t.Context(), kf.Item)
				}
				for _, item := range items(t) {
					_ = keyringRemove(t.Context(), item)
				}
			})
		})
	}
}
