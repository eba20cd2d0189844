package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"a.wakey/quick"
	"github.com/godbus/dbus/v5"
	"github.com/zalando/go-keyring"
)

// Errors of the keyring. All but ErrKeyLost are also ErrLocked.
var (
	// ErrNoKeyring says that no keyring is to be reached from here.
	ErrNoKeyring = errors.New("there is no keyring here")
	// ErrKeyringTimeout says that the keyring didn't answer.
	ErrKeyringTimeout = errors.New("the keyring does not answer")
	// ErrKeyringRefused says that the keyring stays locked or failed.
	ErrKeyringRefused = errors.New("the keyring refuses")
	// ErrKeyLost says that the keyring answers and has no key, or another.
	ErrKeyLost = errors.New("the keyring does not have the key of this store")
)

// keyringService is what the keyring's items are filed under.
const keyringService = "wakey"

// keyringTimeout bounds each call when nobody is in front of it: a locked keyring that asks for
// its password on a screen nobody looks at never answers. Somebody who is there is told after
// keyringSlow.
var (
	keyringTimeout = 5 * time.Second
	keyringSlow    = time.Second
)

// KeyringRequest says what the keyring is asked for.
type KeyringRequest struct {
	// New says that it is to keep a key. Where it doesn't, a passphrase can.
	New bool
}

// keyringWait waits for a keyring as long as a person wants to; nil: nobody is there.
type keyringWait func(ctx context.Context)

// patience is how the store's person waits for the keyring.
func (s *FileStore) patience(r KeyringRequest) keyringWait {
	if s.o.Keyring == nil {
		return nil
	}
	return func(ctx context.Context) { s.o.Keyring(ctx, r) }
}

// keyringName is what people call the keyring here.
func keyringName() string {
	switch runtime.GOOS {
	case "darwin":
		return "the macOS keychain"
	case "windows":
		return "the Windows Credential Manager"
	}
	return "the keyring (Secret Service)"
}

// keyringGuard refuses where the mere question would start things: without a session bus the
// D-Bus library runs dbus-launch, which leaves a bus and a keyring daemon behind each time.
func keyringGuard() error {
	switch runtime.GOOS {
	case "darwin", "windows":
		return nil
	}
	bus := "/run/user/" + strconv.Itoa(os.Getuid()) + "/bus"
	switch os.Getenv("DBUS_SESSION_BUS_ADDRESS") {
	case "", "autolaunch:":
	case "disabled:":
		return fmt.Errorf("%w: no session bus (DBUS_SESSION_BUS_ADDRESS says disabled)", ErrNoKeyring)
	default:
		return nil
	}
	if _, err := os.Stat(bus); err == nil {
		return nil
	}
	return fmt.Errorf("%w: no session bus (DBUS_SESSION_BUS_ADDRESS is not set, and there is no %s)", ErrNoKeyring, bus)
}

// keyringCall runs one call to the keyring, which can't be cancelled: when nobody waits for it any
// more it is left to itself.
func keyringCall(ctx context.Context, wait keyringWait, call func() (string, error)) (string, error) {
	if err := keyringGuard(); err != nil {
		return "", err
	}
	type answer struct {
		secret string
		err    error
	}
	answered := make(chan answer, 1)
	go func() {
		secret, err := call()
		answered <- answer{secret, err}
	}()
	began := time.Now()
	waiting, over := context.WithCancel(ctx)
	defer over()
	select {
	case a := <-answered:
		return a.secret, keyringError(a.err)
	case <-outOfPatience(waiting, wait):
		if err := ctx.Err(); err != nil {
			return "", err
		}
		return "", fmt.Errorf("%w (waited %v): answer its prompt or unlock it, then try again", ErrKeyringTimeout, time.Since(began).Round(100*time.Millisecond))
	}
}

// outOfPatience is closed when nobody waits for the keyring any more, and when ctx ends.
func outOfPatience(ctx context.Context, wait keyringWait) <-chan struct{} {
	alone := keyringTimeout
	if wait != nil {
		alone = keyringSlow
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		timer := time.NewTimer(alone)
		defer timer.Stop()
		select {
		case <-timer.C:
			if wait != nil {
				wait(ctx)
			}
		case <-ctx.Done():
		}
	}()
	return over
}

// keyringError sorts the library's errors, most of which are plain text.
func keyringError(err error) error {
	if err == nil || errors.Is(err, keyring.ErrNotFound) {
		return err
	}
	var fault dbus.Error
	var connection *net.OpError
	switch {
	case errors.As(err, &connection), errors.Is(err, dbus.ErrClosed), errors.Is(err, io.EOF):
		return fmt.Errorf("%w: the session bus can't be reached (%w)", ErrNoKeyring, err)
	case errors.Is(err, keyring.ErrUnsupportedPlatform):
		return fmt.Errorf("%w: %w", ErrNoKeyring, err)
	case errors.As(err, &fault) && (strings.HasSuffix(fault.Name, ".ServiceUnknown") || strings.Contains(fault.Name, ".Spawn.") || strings.HasSuffix(fault.Name, ".NameHasNoOwner")):
		return fmt.Errorf("%w: nothing on the session bus offers one (%w)", ErrNoKeyring, err)
	case errors.As(err, &fault) && strings.HasSuffix(fault.Name, ".IsLocked"), strings.Contains(err.Error(), "failed to unlock"):
		return fmt.Errorf("%w: it is locked, and its prompt was dismissed or could not be shown: unlock it, then try again (%w)", ErrKeyringRefused, err)
	}
	return fmt.Errorf("%w: %w", ErrKeyringRefused, err)
}

// flight is a question to the keyring under way.
type flight struct {
	done   chan struct{}
	secret string
	err    error
}

// flights are joined by whoever asks the same again: one prompt, however often a program tries.
var (
	flightsMu sync.Mutex
	flights   = map[string]*flight{}
)

// openItem reads an item of the keyring, if it is open; tests leave the keyring of whoever runs them alone.
var openItem = quick.OpenItem

func keyringGet(ctx context.Context, wait keyringWait, item string) (string, error) {
	return keyringCall(ctx, wait, func() (string, error) {
		if secret, ok := openItem(keyringService, item, keyringTimeout/5); ok { // at once, or the library is asked
			return secret, nil
		}
		question := keyringOwner() + " " + item
		flightsMu.Lock()
		f := flights[question]
		if f == nil {
			f = &flight{done: make(chan struct{})}
			flights[question] = f
			go func() {
				f.secret, f.err = keyring.Get(keyringService, item)
				flightsMu.Lock()
				delete(flights, question)
				flightsMu.Unlock()
				close(f.done)
			}()
		}
		flightsMu.Unlock()
		<-f.done
		return f.secret, f.err
	})
}

// keyringOwner names the process that answers for the keyring, "" when there is none to name: a
// daemon that was killed while it showed its prompt leaves a question without an answer for ever,
// which is not to be joined when another daemon is there.
func keyringOwner() string {
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		return ""
	}
	bus, err := dbus.SessionBus()
	if err != nil {
		return ""
	}
	var owner string
	_ = bus.BusObject().Call("org.freedesktop.DBus.GetNameOwner", 0, "org.freedesktop.secrets").Store(&owner)
	return owner
}

// keyringSet stores an item and reads it back.
func keyringSet(ctx context.Context, wait keyringWait, item, secret string) error {
	_, err := keyringCall(ctx, wait, func() (string, error) { return "", keyring.Set(keyringService, item, secret) })
	if err != nil {
		return err
	}
	got, err := keyringGet(ctx, wait, item)
	if err != nil {
		return err
	}
	if got != secret {
		return fmt.Errorf("%w: it does not give back what it was given", ErrKeyringRefused)
	}
	return nil
}

// keyringRemove removes an item, for which nobody is kept waiting. Removing one that is not there is
// no error.
func keyringRemove(ctx context.Context, item string) error {
	_, err := keyringCall(ctx, nil, func() (string, error) { return "", keyring.Delete(keyringService, item) })
	if errors.Is(err, keyring.ErrNotFound) {
		return nil
	}
	return err
}

// keyringKey gets the store's key from the keyring.
func keyringKey(ctx context.Context, wait keyringWait, kf keyFile) (*storeKey, error) {
	secret, err := keyringGet(ctx, wait, kf.Item)
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return nil, fmt.Errorf("%w: no item %q of %q in %s; if another keyring or login has it, use that; else restore a backup (wakey store restore)",
			ErrKeyLost, kf.Item, keyringService, keyringName())
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, ErrNoKeyring):
		return nil, fmt.Errorf("%w: its key is in the keyring, and %w; use the session that made the store, or there: wakey store move --passphrase", ErrLocked, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrLocked, err)
	}
	k, err := parseStoreKey(secret)
	if err == nil && k.recipient != kf.Recipient {
		err = fmt.Errorf("it belongs to %s and the store needs that of %s", k.recipient, kf.Recipient)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the item %q of %q holds something else (%w): somebody changed it; restore a backup (wakey store restore)",
			ErrKeyLost, kf.Item, keyringService, err)
	}
	return k, nil
}
