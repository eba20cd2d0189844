package session

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"a.wakey/quick"
	"golang.org/x/sys/unix"
)

// ErrNoKernelKeyring says that a key can't be kept unlocked for other processes.
var ErrNoKernelKeyring = errors.New("no kernel keyring here, so the store stays unlocked for this process alone")

// kernelPerm lets whoever possesses the key do everything, and processes of the same user that
// don't (their session has a keyring of its own) find and read it. Nobody else sees it.
const kernelPerm = 0x3f0b0000 // possessor: all; user: view, read, search

// readyFor bounds how long a token that was handed out lies ready in the kernel, whose keys know when they end
// and not when another does: it may outlast by that much the key that makes it of use.
const readyFor = 10 * time.Minute

// KeepReady lets the access token of a, which lives in the store as it stands, lie ready in the kernel's keyring
// beside the store's key, where "wakey token" finds it without opening the store; unless that key isn't there. The
// token has to live for minValid, and only tells that a is the only account. That it can't be kept fails
// nothing.
func (s *FileStore) KeepReady(a Account, token Access, minValid time.Duration, only bool) {
	key, settings := s.openedKey(), quick.Settings()
	if key == nil || settings == "" {
		return
	}
	serial, err := findKernelKey(kernelName(key.recipient))
	if err != nil {
		return
	}
	generation := quick.Generation(s.dir)
	s.mu.Lock()
	known := s.snap
	s.mu.Unlock()
	// What was read has to be what is there: the generation was taken first.
	if stamp, err := s.generation(); err != nil || generation == nil || known == nil || stamp != known.stamp {
		return
	}
	r := quick.Ready{
		KeySerial: serial, Key: kernelName(key.recipient), Generation: generation, Settings: settings,
		ID: string(a.ID), Name: a.Name, Only: only,
		From: token.ObtainedAt, Until: token.ExpiresAt.Add(-minValid), Token: token.Token.Reveal(),
	}
	if ttl := min(readyFor, time.Until(r.Until)); ttl >= time.Second {
		_ = keepInKernel(quick.ReadyName(s.dir), r.Encode(), ttl)
	}
}

// kernelKey gets a secret out of the user's keyring. A kernel without one, or a container that
// may not use it, has none.
func kernelKey(recipient string) (string, bool) {
	id, err := findKernelKey(kernelName(recipient))
	if err != nil {
		return "", false
	}
	buf := make([]byte, 256)
	n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, buf, 0)
	if err != nil || n > len(buf) {
		return "", false
	}
	return string(buf[:n]), true
}

// keepInKernel puts a secret into the user's keyring. It is made in the keyring of the thread
// first, where it is ours to set up whatever session we run in.
func keepInKernel(name string, secret []byte, ttl time.Duration) error {
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // and not unlocked: the thread ends, and its keyring with it
		failed <- linkKey(name, secret, ttl)
	}()
	if err := <-failed; err != nil {
		return fmt.Errorf("%w: %w", ErrNoKernelKeyring, err)
	}
	return nil
}

func linkKey(name string, secret []byte, ttl time.Duration) error {
	id, err := unix.AddKey("user", name, secret, unix.KEY_SPEC_THREAD_KEYRING)
	if err != nil {
		return err
	}
	if err := unix.KeyctlSetperm(id, kernelPerm); err != nil {
		return err
	}
	seconds := int((ttl + time.Second - 1) / time.Second)
	if _, err := unix.KeyctlInt(unix.KEYCTL_SET_TIMEOUT, id, seconds, 0, 0); err != nil {
		return err
	}
	old, oldErr := findKernelKey(name)
	if _, err := unix.KeyctlInt(unix.KEYCTL_LINK, id, unix.KEY_SPEC_USER_KEYRING, 0, 0); err != nil {
		return err
	}
	if oldErr == nil && old != id {
		return invalidate(old) // displaced, but not gone before the kernel tidies up
	}
	return nil
}

func findKernelKey(name string) (int, error) {
	return unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", name, 0)
}

func invalidate(id int) error {
	_, err := unix.KeyctlInt(unix.KEYCTL_INVALIDATE, id, 0, 0, 0)
	if errors.Is(err, unix.ENOKEY) || errors.Is(err, unix.EKEYEXPIRED) || errors.Is(err, unix.EKEYREVOKED) {
		return nil
	}
	return err
}

// kernelForget takes a secret out again. That it was not there is no error.
func kernelForget(name string) error {
	id, err := findKernelKey(name)
	if err != nil {
		return nil //nolint:nilerr // not there, or no keyring at all
	}
	return invalidate(id)
}
