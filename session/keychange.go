package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"a.wakey/quick"
	"filippo.io/age"
)

// ErrHasKey says that a store has its key already.
var ErrHasKey = errors.New("the store has its key already")

// Init makes the key of a new store, kept as kind says. Errors: ErrHasKey, ErrLocked.
func (s *FileStore) Init(ctx context.Context, kind KeyKind) error {
	if kind != KeyringKey && kind != PassphraseKey {
		return fmt.Errorf("a key can't be kept by %q", kind)
	}
	if err := s.prepare(true); err != nil {
		return err
	}
	switch kf, err := s.readKeyFile(); {
	case err == nil:
		return fmt.Errorf("%w (%s): \"wakey store move\" puts it elsewhere", ErrHasKey, kf.Kind)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	_, err := s.createKey(ctx, kind, s.keepNewKey)
	return err
}

// createKey makes the key of a new store, in the keyring when it works and nothing else is asked
// for, and has it kept by keep, which is keepNewKey or installKey.
func (s *FileStore) createKey(ctx context.Context, kind KeyKind, keep func(context.Context, newKey) (*storeKey, error)) (*storeKey, error) {
	k, err := newStoreKey()
	if err != nil {
		return nil, err
	}
	why := errors.New("a passphrase was asked for")
	if kind != PassphraseKey {
		kept, err := keep(ctx, newKey{
			k,
			keyFile{Kind: KeyringKey, Recipient: k.recipient, Item: k.item(), Why: "it works here"},
			func() error {
				return keyringSet(ctx, s.patience(KeyringRequest{New: kind != KeyringKey}), k.item(), k.secret())
			},
		})
		if err == nil || kind == KeyringKey || !isKeyringError(err) {
			return kept, err
		}
		why = err
	}
	kf := keyFile{Kind: PassphraseKey, Recipient: k.recipient, Why: why.Error()}
	if errors.Is(why, ErrKeyringTimeout) {
		kf.Leftover = []string{k.item()} // its prompt may be answered yet
	}
	p, err := s.ask(ctx, PassphraseRequest{New: true, Reason: kf.Why})
	if err != nil {
		return nil, fmt.Errorf("the accounts need a key, which wakey store init --passphrase makes: %w", err)
	}
	return keep(ctx, newKey{k, kf, func() error { return s.writeWrapped(p, k) }})
}

func isKeyringError(err error) bool {
	return errors.Is(err, ErrNoKeyring) || errors.Is(err, ErrKeyringTimeout) || errors.Is(err, ErrKeyringRefused)
}

// newKey is a key with how it is kept.
type newKey struct {
	*storeKey
	file  keyFile
	store func() error
}

// keepNewKey makes k the store's, unless another process was faster: then it is that one's key.
func (s *FileStore) keepNewKey(ctx context.Context, k newKey) (*storeKey, error) {
	lock, err := s.lockStore(ctx, keyLock)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	kf, err := s.readKeyFile()
	if errors.Is(err, fs.ErrNotExist) {
		return s.installKey(ctx, k)
	}
	if err != nil {
		return nil, err
	}
	other, err := s.fetchKey(ctx, kf)
	if err == nil {
		s.setKey(other)
	}
	return other, err
}

// installKey makes k the store's. The lock of the keys is held.
func (s *FileStore) installKey(_ context.Context, k newKey) (*storeKey, error) {
	if err := k.store(); err != nil {
		return nil, err
	}
	afterStep("key kept")
	if err := s.writeKeyFile(k.file); err != nil {
		return nil, err
	}
	s.setKey(k.storeKey)
	return k.storeKey, nil
}

// withKey runs fn with the store's key, while nobody else changes it.
func (s *FileStore) withKey(ctx context.Context, fn func(kf keyFile, k *storeKey) error) error {
	k, err := s.keyFor(ctx)
	if err != nil {
		return err
	}
	lock, err := s.lockStore(ctx, keyLock)
	if err != nil {
		return err
	}
	defer lock.Close()
	kf, err := s.readKeyFile()
	if err != nil {
		return err
	}
	if kf.Recipient != k.recipient {
		return fmt.Errorf("%w meanwhile, by another wakey: try again", errKeyChanged)
	}
	return fn(kf, k)
}

// keyFor opens the key that key.json names now.
func (s *FileStore) keyFor(ctx context.Context) (*storeKey, error) {
	if err := s.prepare(true); err != nil {
		return nil, err
	}
	kf, err := s.readKeyFile()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("the store has no key yet: add an account, or wakey store init")
	}
	if err != nil {
		return nil, err
	}
	k := s.openedKey()
	if k != nil && k.recipient == kf.Recipient {
		return k, nil
	}
	return s.openKey(ctx, k, false)
}

// Move keeps the key of the store elsewhere. Killed at any point, it is kept in one place or
// both. Errors: ErrLocked and those of the keyring.
func (s *FileStore) Move(ctx context.Context, to KeyKind) error {
	if to != KeyringKey && to != PassphraseKey {
		return fmt.Errorf("a key can't be kept by %q", to)
	}
	return s.withKey(ctx, func(kf keyFile, k *storeKey) error {
		if kf.Kind == to {
			return s.removeLeftovers(ctx, kf)
		}
		keep := s.toKeyring
		if to == PassphraseKey {
			keep = s.toPassphrase
		}
		next, err := keep(ctx, kf, k)
		if err != nil {
			return err
		}
		afterStep("key kept")
		if err := s.writeKeyFile(next); err != nil {
			return err
		}
		afterStep("key switched")
		return s.removeLeftovers(ctx, next)
	})
}

// toPassphrase keeps the key under a passphrase as well. The item in the keyring is left over then.
func (s *FileStore) toPassphrase(ctx context.Context, kf keyFile, k *storeKey) (keyFile, error) {
	next := keyFile{Kind: PassphraseKey, Recipient: k.recipient, Why: movedHere, Leftover: withItem(kf.Leftover, kf.Item)}
	p, err := s.ask(ctx, PassphraseRequest{New: true, Reason: "it will lock the accounts in " + s.dir})
	if err != nil {
		return next, err
	}
	return next, s.writeWrapped(p, k)
}

// toKeyring keeps the key in the keyring as well.
func (s *FileStore) toKeyring(ctx context.Context, kf keyFile, k *storeKey) (keyFile, error) {
	if err := s.noteItem(&kf, k.item()); err != nil {
		return kf, err
	}
	next := keyFile{Kind: KeyringKey, Recipient: k.recipient, Item: k.item(), Why: movedHere, Leftover: kf.Leftover}
	return next, keyringSet(ctx, s.patience(KeyringRequest{}), k.item(), k.secret())
}

const movedHere = "it was moved here"

// Rekey gives the store a new key, and a new passphrase when it is kept by one. Killed at any
// point, the accounts open with the key that key.json names. Processes that hold the old key open
// the new one when they next need it.
func (s *FileStore) Rekey(ctx context.Context) error {
	return s.withKey(ctx, func(kf keyFile, old *storeKey) error {
		next, k, tidy, err := s.keepNextKey(ctx, kf, old)
		if err != nil {
			return err
		}
		err = s.switchKey(ctx, next, k, old.identity.Recipient(), func() (*snapshot, error) {
			snap, err := s.readWith(old)
			if err != nil {
				return nil, err
			}
			return snap.next(), nil
		})
		if err != nil {
			return err
		}
		return errors.Join(s.forgetInKernel(old.recipient), tidy(), s.removeLeftovers(ctx, next))
	})
}

// keepNextKey makes a key and keeps it the way kf says, beside the old one if that is open. It is
// the store's when key.json names it; tidy then takes away what was needed until then.
func (s *FileStore) keepNextKey(ctx context.Context, kf keyFile, old *storeKey) (next keyFile, k *storeKey, tidy func() error, err error) {
	if k, err = newStoreKey(); err != nil {
		return next, nil, nil, err
	}
	next = keyFile{Kind: kf.Kind, Recipient: k.recipient, Why: kf.Why}
	if kf.Kind == PassphraseKey {
		p, err := s.ask(ctx, PassphraseRequest{New: true, Reason: "it will lock the accounts in " + s.dir})
		if err != nil {
			return next, nil, nil, err
		}
		keys := []*storeKey{k}
		if old != nil {
			keys = append(keys, old)
		}
		next.Leftover = kf.Leftover
		return next, k, func() error { return s.writeWrapped(p, k) }, s.writeWrapped(p, keys...)
	}
	next.Item = k.item()
	if err := s.noteItem(&kf, next.Item); err != nil {
		return next, nil, nil, err
	}
	next.Leftover = kf.Leftover
	if old != nil { // else what was kept aside may still want the lost one, should it come back
		next.Leftover = withItem(kf.Leftover, kf.Item)
	}
	return next, k, func() error { return nil }, keyringSet(ctx, s.patience(KeyringRequest{}), next.Item, k.secret())
}

// switchKey writes the accounts that get gives for both keys, makes k the store's, then writes
// them for k alone. old is the recipient of the key until now.
func (s *FileStore) switchKey(ctx context.Context, next keyFile, k *storeKey, old age.Recipient, get func() (*snapshot, error)) error {
	lock, err := s.lockStore(ctx, storeLock)
	if err != nil {
		return err
	}
	defer lock.Close()
	afterStep("key kept")
	snap, err := get()
	if err != nil {
		return err
	}
	if err := s.writeAccounts(snap, old, k.identity.Recipient()); err != nil {
		return err
	}
	afterStep("accounts written for both keys")
	if err := s.writeKeyFile(next); err != nil {
		return err
	}
	afterStep("key switched")
	s.setKey(k)
	for range 2 { // the generation before, too, is then for k alone
		snap = snap.next()
		if err := s.writeAccounts(snap, k.identity.Recipient()); err != nil {
			return err
		}
	}
	s.writeIndex(nil, snap, nil)
	return nil
}

// noteItem writes down that the keyring may hold an item that is not yet, or no longer, the key.
func (s *FileStore) noteItem(kf *keyFile, item string) error {
	kf.Leftover = withItem(kf.Leftover, item)
	return s.writeKeyFile(*kf)
}

func withItem(items []string, item string) []string {
	if item == "" || slices.Contains(items, item) {
		return items
	}
	return append(slices.Clone(items), item)
}

// removeLeftovers takes away the keys that are no longer the store's. What can't be removed now
// stays noted for the next time.
func (s *FileStore) removeLeftovers(ctx context.Context, kf keyFile) error {
	if kf.Kind == KeyringKey {
		if err := os.Remove(s.path(wrappedName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s.cannotWrite(err)
		}
	}
	var left []string
	for _, item := range kf.Leftover {
		if item != kf.Item && keyringRemove(ctx, item) != nil {
			left = append(left, item)
		}
	}
	if slices.Equal(left, kf.Leftover) {
		return nil
	}
	kf.Leftover = left
	return s.writeKeyFile(kf)
}

// Unlock puts the key into the kernel's keyring for ttl, where every process of this user finds it
// without asking. Errors: ErrLocked, ErrNoKernelKeyring.
func (s *FileStore) Unlock(ctx context.Context, ttl time.Duration) error {
	if ttl < time.Second {
		return fmt.Errorf("unlocking for %v is no use", ttl)
	}
	k, err := s.keyFor(ctx)
	if err != nil {
		return err
	}
	return keepInKernel(kernelName(k.recipient), []byte(k.secret()), ttl)
}

// Relock takes the key out of the kernel's keyring and out of this store.
func (s *FileStore) Relock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.setKey(nil)
	s.mu.Lock()
	s.snap = nil
	s.mu.Unlock()
	kf, err := s.readKeyFile()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.forgetInKernel(kf.Recipient)
}

// kernelName is what the kernel's keyring knows a store's key by.
func kernelName(recipient string) string { return "wakey:" + recipient }

// forgetInKernel takes a key of the store out of the kernel's keyring, and the token that lies ready there.
func (s *FileStore) forgetInKernel(recipient string) error {
	return errors.Join(kernelForget(kernelName(recipient)), kernelForget(quick.ReadyName(s.dir)))
}
