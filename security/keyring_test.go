//go:build linux

package security_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"wakey/internal/keyringd"
)

// desktop gives a world a session bus with a real keyring, unlocked, in place of the passphrase's file.
func (w *world) desktop() *exec.Cmd {
	w.t.Helper()
	keyringd.Need(w.t, "age")
	w.env = slices.DeleteFunc(w.env, func(v string) bool {
		return strings.HasPrefix(v, "WAKEY_PASSPHRASE_FILE=") || strings.HasPrefix(v, "DBUS_SESSION_BUS_ADDRESS=")
	})
	w.env = keyringd.Bus(w.t, w.env, w.home)
	return keyringd.Start(w.t, w.env)
}

// tool runs a program of the desktop, the real one, and gives what it wrote.
func (w *world) tool(stdin, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(w.t.Context(), name, args...)
	cmd.Env, cmd.Dir, cmd.Stdin = w.env, w.home, strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// theItem is the one there is. Its secret is one to look for.
func (w *world) theItem() string {
	w.t.Helper()
	names, _ := keyringd.Items(w.t, w.env)
	if len(names) != 1 {
		w.t.Fatalf("items in the keyring: %q, want one", names)
	}
	secret, err := w.tool("", "secret-tool", "lookup", "service", "wakey", "username", names[0])
	if err != nil || !strings.HasPrefix(secret, "AGE-SECRET-KEY-") {
		w.t.Fatalf("the item: %v: %.15s", err, secret)
	}
	w.know("identity", strings.TrimPrefix(secret, "AGE-SECRET-KEY-"))
	return names[0]
}

// The key in a real keyring: made by the first sign-in, read, replaced, removed and made again, and the recovery by hand that
// docs/security.md describes.
func TestKeyInTheKeyring(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newStack(t))
	w.desktop()
	w.login("alice", alicePassword, "prod")
	first := w.theItem()
	if _, labels := keyringd.Items(t, w.env); !regexp.MustCompile(`^Password for 'accounts key \w+' on 'wakey'$`).MatchString(labels[0]) {
		t.Errorf("a person sees %q", labels)
	}
	token := strings.TrimSpace(w.must("token", "prod"))
	for _, args := range [][]string{{"status", "prod"}, {"store", "status"}, {"doctor"}} {
		if out := w.must(args...); !strings.Contains(out, "kept by the keyring") || !strings.Contains(out, first) || !strings.Contains(out, "it works here") {
			t.Errorf("%s: where the key is and why: %s", args, out)
		}
	}
	x := w.sit("screen", 140, 40, command{})
	x.sees("active", "keyring", "kept by", "it works here")
	x.types("q")
	x.ends()

	// By hand.
	key, err := w.tool("", "secret-tool", "lookup", "service", "wakey", "username", first)
	if err == nil {
		err = os.WriteFile(w.beside("key.txt"), []byte(key), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	plain, err := w.tool("", "age", "-d", "-i", w.beside("key.txt"), w.store("accounts.age"))
	if err != nil || !strings.Contains(plain, token) || !json.Valid([]byte(plain)) {
		t.Errorf("plain age: %v: %.40s", err, plain)
	}

	w.must("store", "rekey")
	if second := w.theItem(); second == first {
		t.Error("the key was not replaced")
	}
	w.must("token", "prod")
	w.must("store", "move", "--passphrase", "--new-passphrase-file", w.beside("passphrase"))
	if names, _ := keyringd.Items(w.t, w.env); names != nil {
		t.Errorf("moved away: items %q", names)
	}
	w.must("token", "prod", "--passphrase-file", w.beside("passphrase"))
	w.must("store", "move", "--keyring", "--passphrase-file", w.beside("passphrase"))
	last := w.theItem()
	w.must("token", "prod")

	// Somebody removes it.
	if out, err := w.tool("", "secret-tool", "clear", "service", "wakey", "username", last); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if r := w.run(command{args: []string{"refresh", "prod"}, code: 1}); !strings.Contains(r.stderr, last) || !strings.Contains(r.stderr, "restore a backup") {
		t.Errorf("lost: %s", r.stderr)
	}
	w.check(t)
}

// A keyring in trouble: locked, without an answer, killed in the middle. Nothing is lost, and what is said helps.
func TestKeyringInTrouble(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newStack(t))
	keyring := w.desktop()
	w.login("alice", alicePassword, "prod")
	w.theItem()
	refresh := func(words ...string) {
		t.Helper()
		r := w.run(command{args: []string{"refresh", "prod"}, code: 4})
		for _, word := range words {
			if !strings.Contains(r.stderr, word) {
				t.Errorf("no %q: %s", word, r.stderr)
			}
		}
	}
	keyringd.Lock(t, w.env)
	refresh("the store is locked", "unlock it, then try again")
	keyringd.Unlock(t, w.env)
	w.must("refresh", "prod")

	// It stands still: a command gives up, and the screen waits until somebody has enough, or it goes on.
	signal := func(s syscall.Signal) {
		t.Helper()
		if err := keyring.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP)
	x := w.sit("screen, silent keyring", 120, 40, command{})
	x.sees("Waiting for the keyring", "waiting for the keyring…", "Leave it locked")
	x.types(keyEnter)
	x.sees("The accounts could not be opened", "the keyring does not answer")
	refresh("the keyring does not answer", "answer its prompt or unlock it, then try again")
	x.types("u")
	x.sees("Waiting for the keyring", "Leave it locked")
	signal(syscall.SIGCONT)
	x.sees("active", "kept by")
	x.types("q")
	x.ends()

	// Killed while a command waits for its answer.
	signal(syscall.SIGSTOP)
	d := w.start(command{args: []string{"refresh", "prod"}})
	waitUntil(t, "the question on its way", func() bool { return connected(d.cmd.Process.Pid) })
	if err := keyring.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-d.over; err == nil || !strings.Contains(string(d.output()), "the store is locked") {
		t.Errorf("killed in the middle: %v: %s", err, d.output())
	}
	w.note("killed in the middle", "stderr", d.output())
	keyringd.Unlock(t, w.env) // of the daemon that is started in its place
	w.must("refresh", "prod")
	w.check(t)
}

// connected tells whether a process talks to somebody over a socket.
func connected(pid int) bool {
	fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	return slices.ContainsFunc(fds, func(fd string) bool {
		to, _ := os.Readlink(fd)
		return strings.HasPrefix(to, "socket:")
	})
}

// A keyring without an answer when the first account needs a key: the screen waits, and goes on with a passphrase when told to.
func TestPassphraseInsteadOfTheKeyring(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newStack(t))
	keyring := w.desktop()
	if err := keyring.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	x := w.sit("screen, first account", 120, 40, command{})
	x.sees("No account yet")
	x.types("n")
	x.sees("Sign in to a Wazo stack")
	x.types(w.stack.URL, keyEnter, "alice", keyEnter, alicePassword, keyEnter)
	x.sees("Trust this key")
	x.types(keyTab, keyEnter)
	x.sees("Waiting for the keyring", "Use a passphrase")
	x.types(keyEnter)
	x.sees("A passphrase for the store", "the keyring does not answer")
	x.types(passphrase, keyEnter, passphrase, keyEnter)
	x.sees("signed in alice", "active", "kept by")
	if strings.Contains(x.screen(), "opening the store") {
		t.Errorf("it is still being opened:\n%s", x.screen())
	}
	x.types("q")
	x.ends()
	w.learn()
	w.must("token", "alice@127.0.0.1", "--passphrase-file", w.beside("passphrase"))
	w.check(t)
}

// Twenty processes at once make one key, and all of them read it.
func TestTwentyProcessesOneKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newStack(t))
	w.desktop()
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			w.run(command{stdin: alicePassword, args: []string{
				"login", w.stack.URL, "--user", "alice", "--password-stdin", "--account", fmt.Sprintf("a%02d", i), "--fingerprint", w.stack.Fingerprint,
			}})
		})
	}
	all.Wait()
	w.theItem()
	for i := range 20 {
		all.Go(func() { w.run(command{args: []string{"refresh", fmt.Sprintf("a%02d", i)}}) })
	}
	all.Wait()
	if n := len(strings.Fields(w.must("list", "--jq", ".[].name"))); n != 20 {
		t.Errorf("%d accounts, want 20", n)
	}
	w.check(t)
}

// Without a session bus nothing is started, least of all one: the D-Bus library would run dbus-launch.
func TestNothingIsStartedWithoutABus(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(fmt.Sprintf("/run/user/%d/bus", os.Getuid())); err == nil {
		t.Skip("this user has a session bus")
	}
	w := newWorld(t, newStack(t))
	w.env = slices.DeleteFunc(w.env, func(v string) bool { return strings.HasPrefix(v, "DBUS_SESSION_BUS_ADDRESS=") })
	r := w.run(command{stdin: alicePassword, args: []string{
		"login", w.stack.URL, "--user", "alice", "--password-stdin", "--account", "prod", "--fingerprint", w.stack.Fingerprint,
	}})
	if out := w.must("status", "prod"); !strings.Contains(out, "kept by a passphrase") || !strings.Contains(out, "no session bus") {
		t.Errorf("%s\n%s", r.stderr, out)
	}
	w.run(command{args: []string{"store", "move", "--keyring"}, code: 1})
	if w.saw("dbus-launch", "dbus-launch") {
		t.Error("dbus-launch was started")
	}
	if left := keyringd.Daemons(w.home); left != nil {
		t.Errorf("left behind: %v", left)
	}
}
