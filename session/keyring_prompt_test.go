//go:build linux

package session

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"wakey/internal/keyringd"
)

// prompter shows the keyring's prompts, to nobody: they are never answered.
type prompter struct{ shown atomic.Int32 }

// BeginPrompting is called by the keyring when it wants to show a prompt.
func (p *prompter) BeginPrompting(dbus.ObjectPath) *dbus.Error {
	p.shown.Add(1)
	return nil
}

// StopPrompting is called when it no longer does.
func (*prompter) StopPrompting(dbus.ObjectPath) *dbus.Error { return nil }

// startPrompter makes a prompter of this process.
func startPrompter(t *testing.T) *prompter {
	t.Helper()
	bus, err := dbus.SessionBusPrivate()
	if err == nil {
		err = errors.Join(bus.Auth(nil), bus.Hello())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bus.Close() })
	p := &prompter{}
	if err := bus.Export(p, "/org/gnome/keyring/Prompter", "org.gnome.keyring.internal.Prompter"); err != nil {
		t.Fatal(err)
	}
	if reply, err := bus.RequestName("org.gnome.keyring.SystemPrompter", dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("%v, %v", reply, err)
	}
	return p
}

// A prompt that nobody answers, of a daemon that is killed while it shows it: the question that has
// no answer any more is not waited for again.
func TestKeyringKilledWhilePrompting(t *testing.T) {
	if !inSession(t) {
		return
	}
	daemon := keyringd.Start(t, os.Environ())
	p := startPrompter(t)
	s := filledInKeyring(t)
	keyringd.Lock(t, os.Environ())
	keyringTimeout = 300 * time.Millisecond
	fresh := OpenFileStore(s.dir, StoreOptions{})
	for range 2 {
		_, err := fresh.Load(t.Context())
		says(t, err, ErrKeyringTimeout, "answer its prompt")
	}
	for deadline := time.Now().Add(time.Minute); p.shown.Load() == 0; {
		if time.Now().After(deadline) {
			t.Fatal("no prompt")
		}
	}
	if n := p.shown.Load(); n != 1 {
		t.Errorf("%d prompts, want one for both", n)
	}
	if err := daemon.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = daemon.Wait()
	keyringd.Unlock(t, os.Environ()) // of the daemon that the bus starts instead
	keyringTimeout = 30 * time.Second
	if _, err := fresh.Load(t.Context()); err != nil {
		t.Errorf("with a new daemon: %v", err)
	}
}

// Where a person is, the keyring is waited for until it answers or the person has enough.
func TestKeyringIsWaitedFor(t *testing.T) {
	if !inSession(t) {
		return
	}
	daemon := keyringd.Start(t, os.Environ())
	s := filledInKeyring(t)
	keyringTimeout, keyringSlow = time.Nanosecond, time.Millisecond // the first is for where nobody is
	stop(t, daemon)
	var asked []KeyringRequest
	a := &answers{give: []string{"x"}}
	person := StoreOptions{Passphrase: a.answer, Keyring: func(_ context.Context, r KeyringRequest) {
		asked = append(asked, r)
	}}
	_, err := OpenFileStore(s.dir, person).Load(t.Context())
	says(t, err, ErrKeyringTimeout, "answer its prompt")
	if len(asked) != 1 || asked[0].New || len(a.asked) != 0 {
		t.Errorf("told %+v, asked %+v", asked, a.asked)
	}
	fresh := OpenFileStore(t.TempDir(), person)
	if _, err := fresh.Update(t.Context(), "00000001", named("a")); err != nil {
		t.Errorf("with a passphrase instead: %v", err)
	}
	if len(asked) != 2 || !asked[1].New || len(a.asked) != 1 || !a.asked[0].New || !strings.Contains(a.asked[0].Reason, "does not answer") {
		t.Errorf("told %+v, asked %+v", asked, a.asked)
	}
	says(t, OpenFileStore(t.TempDir(), person).Init(t.Context(), KeyringKey), ErrKeyringTimeout)
	if len(asked) != 3 || asked[2].New || len(a.asked) != 1 {
		t.Errorf("told %+v, asked %+v", asked, a.asked)
	}

	var waits atomic.Int32 // the last may not be over when the keyring has answered
	person.Keyring = func(ctx context.Context, _ KeyringRequest) {
		if waits.Add(1) == 1 {
			if err := daemon.Process.Signal(syscall.SIGCONT); err != nil {
				t.Error(err)
			}
		}
		<-ctx.Done() // it has answered
	}
	if _, err := OpenFileStore(s.dir, person).Load(t.Context()); err != nil || waits.Load() == 0 {
		t.Errorf("after %d waits: %v", waits.Load(), err)
	}
}
