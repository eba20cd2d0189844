//go:build linux

package keyringd

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"wakey/internal/notifyd"
)

// masterPassword unlocks every keyring that is started here.
const masterPassword = "master password"

const (
	service = "org.freedesktop.secrets"
	path    = "/org/freedesktop/secrets"
	calls   = "org.freedesktop.Secret.Service."
	// login is the collection that the keyring keeps everything in.
	login dbus.ObjectPath = path + "/collection/login"
)

// Need skips a test where the machine doesn't have a program.
func Need(tb testing.TB, programs ...string) {
	tb.Helper()
	for _, program := range append(programs, "dbus-daemon", "gnome-keyring-daemon", "secret-tool") {
		if _, err := exec.LookPath(program); err != nil {
			tb.Skipf("%s is not installed (apt-get install age dbus gnome-keyring libsecret-tools)", program)
		}
	}
}

// Start starts a keyring, unlocked, on the session bus that env names. It ends with the test.
func Start(tb testing.TB, env []string) *exec.Cmd {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), "gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets")
	cmd.Env, cmd.Stdin = env, strings.NewReader(masterPassword)
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	collection := connect(tb, env, login)
	for late := time.Now().Add(time.Minute); ; {
		var locked dbus.Variant
		// Asked without this flag, the bus would start another one.
		err := collection.Call("org.freedesktop.DBus.Properties.Get", dbus.FlagNoAutoStart, "org.freedesktop.Secret.Collection", "Locked").Store(&locked)
		if err == nil && locked.Value() == false {
			return cmd
		}
		if time.Now().After(late) {
			tb.Fatalf("the keyring does not begin: %v, %v", locked, err)
		}
	}
}

// Lock locks the keyring on the session bus that env names.
func Lock(tb testing.TB, env []string) {
	tb.Helper()
	if err := connect(tb, env, path).Call(calls+"Lock", 0, []dbus.ObjectPath{login}).Err; err != nil {
		tb.Fatal(err)
	}
}

// Unlock unlocks it, as a person does at its prompt.
func Unlock(tb testing.TB, env []string) {
	tb.Helper()
	keyring := connect(tb, env, path)
	var none dbus.Variant
	var session dbus.ObjectPath
	if err := keyring.Call(calls+"OpenSession", 0, "plain", dbus.MakeVariant("")).Store(&none, &session); err != nil {
		tb.Fatal(err)
	}
	secret := struct {
		Session     dbus.ObjectPath
		Parameters  []byte
		Value       []byte
		ContentType string
	}{session, nil, []byte(masterPassword), "text/plain"}
	if err := keyring.Call("org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface.UnlockWithMasterPassword", 0, login, secret).Err; err != nil {
		tb.Fatal(err)
	}
}

// connect gives an object of the keyring on the session bus that env names.
func connect(tb testing.TB, env []string, object dbus.ObjectPath) dbus.BusObject {
	tb.Helper()
	address := ""
	for _, v := range env {
		if a, ok := strings.CutPrefix(v, "DBUS_SESSION_BUS_ADDRESS="); ok {
			address = a
		}
	}
	bus, err := dbus.Connect(address)
	if err != nil {
		tb.Fatalf("the session bus %q: %v", address, err)
	}
	tb.Cleanup(func() { _ = bus.Close() })
	return bus.Object(service, object)
}

// Items lists wakey's items in the keyring that a program with env finds: their names, and the labels that people see.
func Items(tb testing.TB, env []string) (names, labels []string) {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), "secret-tool", "search", "--all", "service", "wakey")
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	if err != nil && len(out) > 0 {
		tb.Fatalf("%v: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "attribute.username = "); ok {
			names = append(names, name)
		}
		if label, ok := strings.CutPrefix(strings.TrimSpace(line), "label = "); ok {
			labels = append(labels, label)
		}
	}
	return names, labels
}

// Daemons are the buses and keyrings that run with mark in their environment. One that has ended and waits for its
// parent has none any more.
func Daemons(mark string) (pids []int) {
	environs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range environs {
		name, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "comm"))
		environ, err := os.ReadFile(path)
		isDaemon := strings.HasPrefix(string(name), "dbus") || strings.HasPrefix(string(name), "gnome-keyring")
		if err != nil || !isDaemon || !strings.Contains(string(environ), mark) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// Sweep ends them, and what they start meanwhile: a call that was under way when a test ended makes the bus start a
// keyring that outlives both.
func Sweep(mark string) {
	for late := time.Now().Add(time.Minute); time.Now().Before(late); {
		left := Daemons(mark)
		if left == nil {
			return
		}
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// Bus starts a session bus with env, which starts a keyring of its own accord when one is called and none is there, as that
// of a desktop does. What it started ends with it, known by home, the directory that env names. It gives env with its address.
func Bus(tb testing.TB, env []string, home string) []string {
	tb.Helper()
	tb.Cleanup(func() { Sweep(home) })
	address, _ := notifyd.Bus(tb, env, true)
	return append(env, "DBUS_SESSION_BUS_ADDRESS="+address)
}
