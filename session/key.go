package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"filippo.io/age"
)

// KeyKind says what keeps the key of a store.
type KeyKind string

// The kinds of keys.
const (
	NoKey         KeyKind = "none"       // nothing was ever written
	KeyringKey    KeyKind = "keyring"    // the operating system's keyring holds it
	PassphraseKey KeyKind = "passphrase" // it lies beside the accounts, wrapped by a passphrase
)

// KeyStatus says which key a store uses.
type KeyStatus struct {
	Kind      KeyKind
	Where     string // for a person
	Why       string // why it is kept there
	Recipient string // age1…, the public half; it opens nothing
	Unlocked  bool   // this process or the kernel holds it: nobody will be asked
}

// storeKey is an open key.
type storeKey struct {
	identity  *age.X25519Identity
	recipient string
}

func newStoreKey() (*storeKey, error) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, err
	}
	return &storeKey{identity, identity.Recipient().String()}, nil
}

func parseStoreKey(secret string) (*storeKey, error) {
	identity, err := age.ParseX25519Identity(secret)
	if err != nil {
		return nil, errors.New("it is no age identity") // age's own error may quote it
	}
	return &storeKey{identity, identity.Recipient().String()}, nil
}

func (k *storeKey) secret() string { return k.identity.String() }

// item is what a person finds the key by in the keyring. Each key has its own, so that two
// homes, or the old and the new key of one, are never in each other's way.
func (k *storeKey) item() string { return "accounts key " + k.recipient[4:12] }

// keyFile is key.json. Replacing it is the one step that makes another key the store's.
type keyFile struct {
	Version   int      `json:"version"`
	Kind      KeyKind  `json:"kind"`
	Recipient string   `json:"recipient"`
	Item      string   `json:"item,omitempty"` // of the keyring's service "wakey"
	Why       string   `json:"why,omitempty"`
	Leftover  []string `json:"leftover,omitempty"` // items to be removed from the keyring when they are not Item
}

// readKeyFile gives fs.ErrNotExist for a store that has no key and needs none.
func (s *FileStore) readKeyFile() (keyFile, error) {
	var kf keyFile
	data, err := os.ReadFile(s.path(keyName))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(s.path(accountsName)); err != nil {
			return kf, fs.ErrNotExist
		}
		// Accounts come after their key: if another process has just made both, it is there now.
		if data, err = os.ReadFile(s.path(keyName)); errors.Is(err, fs.ErrNotExist) {
			return kf, fmt.Errorf("%w: %s, which says where the key of the accounts is, is gone: bring it back, or restore a backup (wakey store restore)",
				ErrDamaged, s.path(keyName))
		}
	}
	if err != nil {
		return kf, fmt.Errorf("the store's key can't be looked up: %w", err)
	}
	if err := json.Unmarshal(data, &kf); err != nil {
		return kf, fmt.Errorf("%w: %s can't be read (%w): bring back an older copy, or restore a backup (wakey store restore)", ErrDamaged, s.path(keyName), err)
	}
	if err := checkVersion(kf.Version); err != nil {
		return kf, fmt.Errorf("%s: %w", s.path(keyName), err)
	}
	return kf, nil
}

func (s *FileStore) writeKeyFile(kf keyFile) error {
	kf.Version = formatVersion
	data, err := json.MarshalIndent(kf, "", "  ")
	if err != nil {
		return err
	}
	return s.cannotWrite(replaceFile(s.path(keyName), "", true, func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	}))
}

func (s *FileStore) openedKey() *storeKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.key
}

func (s *FileStore) setKey(k *storeKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = k
}

// openKey returns the store's key, asking whoever holds it unless this process or the kernel
// does. A store that has none gets one when create is set. stale is a key that turned out not
// to be the store's any more.
func (s *FileStore) openKey(ctx context.Context, stale *storeKey, create bool) (*storeKey, error) {
	if k := s.openedKey(); k != nil && k != stale {
		return k, nil
	}
	select {
	case s.keySlot <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-s.keySlot }()
	if k := s.openedKey(); k != nil && k != stale {
		return k, nil
	}
	kf, err := s.readKeyFile()
	if errors.Is(err, fs.ErrNotExist) && create {
		return s.createKey(ctx, "", s.keepNewKey)
	}
	if err != nil {
		return nil, err
	}
	if stale != nil && kf.Recipient == stale.recipient {
		return nil, s.wrongKey()
	}
	k, err := s.fetchKey(ctx, kf)
	if err != nil {
		return nil, err
	}
	s.setKey(k)
	return k, nil
}

// fetchKey gets the key that kf names: from the kernel, else from the keyring or by passphrase.
func (s *FileStore) fetchKey(ctx context.Context, kf keyFile) (*storeKey, error) {
	if secret, ok := kernelKey(kf.Recipient); ok {
		if k, err := parseStoreKey(secret); err == nil && k.recipient == kf.Recipient {
			return k, nil
		}
	}
	switch kf.Kind {
	case KeyringKey:
		return keyringKey(ctx, s.patience(KeyringRequest{}), kf)
	case PassphraseKey:
		return s.unwrapKey(ctx, kf)
	default:
		return nil, fmt.Errorf("%s names a kind of key (%q) that this wakey doesn't know: update it", s.path(keyName), kf.Kind)
	}
}

// Status tells which key the store uses, without asking anybody.
func (s *FileStore) Status(ctx context.Context) (KeyStatus, error) {
	if err := ctx.Err(); err != nil {
		return KeyStatus{}, err
	}
	if err := s.prepare(false); err != nil {
		return KeyStatus{}, err
	}
	kf, err := s.readKeyFile()
	if errors.Is(err, fs.ErrNotExist) {
		return KeyStatus{Kind: NoKey, Where: s.dir, Why: "nothing was written yet: the first account makes the key"}, nil
	}
	if err != nil {
		return KeyStatus{}, err
	}
	st := KeyStatus{Kind: kf.Kind, Why: kf.Why, Recipient: kf.Recipient, Where: s.path(wrappedName)}
	if kf.Kind == KeyringKey {
		st.Where = fmt.Sprintf("the item %q of %q in %s", kf.Item, keyringService, keyringName())
	}
	if k := s.openedKey(); k != nil && k.recipient == kf.Recipient {
		st.Unlocked = true
	} else if _, ok := kernelKey(kf.Recipient); ok {
		st.Unlocked = true
	}
	return st, nil
}
