package session

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// keyValue is the value of the bucket's key "key".
type keyValue struct {
	Version int    `json:"version"`
	Key     string `json:"key"`             // names the identity without telling its public half
	Older   bool   `json:"older,omitempty"` // a change is under way: some values are for older identities
	Wrapped []byte `json:"wrapped"`         // what key.age is: identities under a passphrase, the present one first
}

// keyID names a key to whoever has its public half.
func keyID(recipient string) string {
	sum := sha256.Sum256([]byte(recipient))
	return hex.EncodeToString(sum[:8])
}

// openKey gives the bucket's key as this machine keeps it.
func (s *BucketStore) openKey(ctx context.Context) (*storeKey, error) {
	if k := s.files.openedKey(); k != nil {
		return k, nil
	}
	if s.otherKey(ctx) {
		return s.fetchKey(ctx)
	}
	k, err := s.files.openKey(ctx, nil, false)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrDamaged) || errors.Is(err, ErrKeyLost) {
		return s.fetchKey(ctx) // it was never kept here, or whoever was about to was killed
	}
	return k, err
}

// otherKey tells whether this machine keeps, under a passphrase, another key than the bucket has now:
// its passphrase may be no more.
func (s *BucketStore) otherKey(ctx context.Context) bool {
	kf, err := s.files.readKeyFile()
	if err != nil || kf.Kind != PassphraseKey {
		return false
	}
	if _, open := kernelKey(kf.Recipient); open {
		return false
	}
	kv, v, err := s.getKey(ctx, bucketGlance)
	return err == nil && v.data != nil && kv.Key != keyID(kf.Recipient)
}

// getKey reads the bucket's key as it lies there.
func (s *BucketStore) getKey(ctx context.Context, patience time.Duration) (kv keyValue, v value, err error) {
	v, err = s.link.get(ctx, patience, keyKey)
	if err != nil || v.data == nil {
		return kv, v, err
	}
	if err := json.Unmarshal(v.data, &kv); err != nil {
		return kv, v, s.damaged(keyKey, err)
	}
	if err := checkVersion(kv.Version); err != nil {
		return kv, v, fmt.Errorf("the key of bucket %q: %w", s.bucket.Name, err)
	}
	return kv, v, nil
}

// fetchKey opens the key that lies in the bucket, by its passphrase, and keeps it on this machine the
// way the one before was kept: somebody has changed it.
func (s *BucketStore) fetchKey(ctx context.Context) (*storeKey, error) {
	kv, v, err := s.getKey(ctx, bucketWait)
	if err != nil {
		return nil, err
	}
	if v.data == nil {
		return nil, s.damaged(keyKey, errors.New("it is gone"))
	}
	keys, err := s.unwrap(ctx, kv)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.older = keys[1:]
	s.mu.Unlock()
	if k := s.files.openedKey(); k != nil && k.recipient == keys[0].recipient {
		return k, nil
	}
	return keys[0], s.files.adoptKey(ctx, keys[0], kv.Wrapped, "")
}

// unwrap opens the identities of the bucket, of which the first is the present one.
func (s *BucketStore) unwrap(ctx context.Context, kv keyValue) ([]*storeKey, error) {
	plain, err := s.files.unwrapAsking(ctx, kv.Wrapped, fmt.Sprintf("the accounts in the bucket %q are locked with a passphrase", s.bucket.Name))
	if errors.Is(err, ErrLocked) || ctx.Err() != nil {
		return nil, err
	}
	if err != nil {
		return nil, s.damaged(keyKey, err)
	}
	var keys []*storeKey
	for line := range strings.Lines(string(plain)) {
		k, err := parseStoreKey(strings.TrimSpace(line))
		if err != nil {
			return nil, s.damaged(keyKey, err)
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 || keyID(keys[0].recipient) != kv.Key {
		return nil, s.damaged(keyKey, errors.New("it holds another key than it says"))
	}
	return keys, nil
}

// adoptKey makes k, which wrapped holds under a passphrase, the key of this machine's copy, which is
// begun anew. kind says how it is kept; empty: as the one before, or by the passphrase.
func (s *FileStore) adoptKey(ctx context.Context, k *storeKey, wrapped []byte, kind KeyKind) error {
	if err := s.prepare(true); err != nil {
		return err
	}
	lock, err := s.lockStore(ctx, keyLock)
	if err != nil {
		return err
	}
	defer lock.Close()
	old, err := s.readKeyFile()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, name := range []string{accountsName, backupName} {
		if err := os.Remove(s.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s.cannotWrite(err)
		}
	}
	if kind == "" {
		kind = old.Kind
	}
	next := newKey{
		k,
		keyFile{Kind: PassphraseKey, Recipient: k.recipient, Why: "it is that of the bucket", Leftover: withItem(old.Leftover, old.Item)},
		func() error { return s.cannotWrite(replaceFile(s.path(wrappedName), "", true, writer(wrapped))) },
	}
	if kind == KeyringKey {
		next.file.Kind, next.file.Item = KeyringKey, k.item()
		next.store = func() error { return keyringSet(ctx, s.patience(KeyringRequest{}), k.item(), k.secret()) }
	}
	if _, err := s.installKey(ctx, next); err != nil {
		return err
	}
	return s.removeLeftovers(ctx, next.file)
}

// makeKey puts this machine's key, made if need be and kept as kind says, into a bucket that has none.
// Errors: errConflict when another machine was faster.
func (s *BucketStore) makeKey(ctx context.Context, kind KeyKind) error {
	k, err := s.files.keyFor(ctx)
	if _, serr := s.files.readKeyFile(); errors.Is(serr, fs.ErrNotExist) {
		if err = s.files.Init(ctx, kind); err == nil {
			k, err = s.files.keyFor(ctx)
		}
	}
	if err != nil {
		return err
	}
	wrapped, err := os.ReadFile(s.files.path(wrappedName))
	if errors.Is(err, fs.ErrNotExist) { // the keyring has it
		wrapped, err = s.wrap(ctx, k)
	}
	if err != nil {
		return err
	}
	return s.putKey(ctx, keyValue{Key: keyID(k.recipient), Wrapped: wrapped}, 0)
}

// wrap puts keys under a passphrase that is asked for.
func (s *BucketStore) wrap(ctx context.Context, keys ...*storeKey) ([]byte, error) {
	p, err := s.files.ask(ctx, PassphraseRequest{New: true, Reason: fmt.Sprintf("each machine that joins the bucket %q will need it", s.bucket.Name)})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = wrapKeys(&b, p, keys)
	return b.Bytes(), err
}

// putKey puts a key into the bucket, where it has to be at a revision.
func (s *BucketStore) putKey(ctx context.Context, kv keyValue, rev uint64) error {
	kv.Version = formatVersion
	data, err := json.Marshal(kv)
	if err != nil {
		return err
	}
	_, err = s.link.put(ctx, bucketWait, write{key: keyKey, data: data, rev: rev})
	return err
}

// Rekey gives the bucket a new key, under a passphrase that is asked for. Killed at any point, all
// that is in the bucket opens with what the passphrase unlocks, and Rekey can be called again. Each
// machine opens the new key, by the passphrase, when it next meets it.
func (s *BucketStore) Rekey(ctx context.Context) error {
	if err := s.files.checkEngine(); err != nil {
		return err
	}
	kv, v, err := s.getKey(ctx, bucketWait)
	if err != nil {
		return err
	}
	if v.data == nil {
		return s.damaged(keyKey, errors.New("it is gone"))
	}
	present, err := s.openKey(ctx)
	if err != nil {
		return err
	}
	if kv.Older || kv.Key != keyID(present.recipient) {
		if present, err = s.fetchKey(ctx); err != nil {
			return err
		}
	}
	k, err := newStoreKey()
	if err != nil {
		return err
	}
	s.mu.Lock()
	older := append([]*storeKey{present}, s.older...)
	s.mu.Unlock()
	p, err := s.files.ask(ctx, PassphraseRequest{New: true, Reason: fmt.Sprintf("each machine of the bucket %q will need it", s.bucket.Name)})
	if err != nil {
		return err
	}
	var all, alone bytes.Buffer
	if err := errors.Join(wrapKeys(&all, p, append([]*storeKey{k}, older...)), wrapKeys(&alone, p, []*storeKey{k})); err != nil {
		return err
	}
	if err := s.putKey(ctx, keyValue{Key: keyID(k.recipient), Older: true, Wrapped: all.Bytes()}, v.rev); err != nil {
		return fmt.Errorf("the key of the bucket could not be changed: %w", err)
	}
	afterStep("bucket's key changed")
	if err := s.files.adoptKey(ctx, k, all.Bytes(), ""); err != nil {
		return err
	}
	s.mu.Lock()
	s.older = older
	s.mu.Unlock()
	if err := s.sealAnew(ctx); err != nil {
		return err
	}
	if _, v, err = s.getKey(ctx, bucketWait); err != nil {
		return err
	}
	if err := s.putKey(ctx, keyValue{Key: keyID(k.recipient), Wrapped: alone.Bytes()}, v.rev); err != nil {
		return err
	}
	s.mu.Lock()
	s.older = nil
	s.mu.Unlock()
	if err := errors.Join(kernelForget(present.recipient), s.files.adoptKey(ctx, k, alone.Bytes(), "")); err != nil {
		return err
	}
	_, err = s.Load(ctx) // into the copy, which was begun anew
	return err
}

// sealAnew encrypts everything for the present key: the accounts, then the index, until no account
// came meanwhile. Whoever still writes for an older key has to have read what was there, and so
// meets the new one.
func (s *BucketStore) sealAnew(ctx context.Context) error {
	for {
		index, err := s.getIndex(ctx, bucketWait)
		if err != nil {
			return err
		}
		for id := range index.Names {
			if err := s.sealAccountAnew(ctx, id); err != nil {
				return err
			}
			afterStep("account encrypted anew")
		}
		if index.rev == 0 {
			return nil
		}
		data, err := s.sealIndex(ctx, index)
		if err != nil {
			return err
		}
		write := write{key: indexKey, data: data, rev: index.rev}
		if _, err = s.link.put(ctx, bucketWait, write); !errors.Is(err, errConflict) {
			afterStep("index encrypted anew")
			return err
		}
	}
}

func (s *BucketStore) sealAccountAnew(ctx context.Context, id ID) error {
	for {
		v, err := s.link.get(ctx, bucketWait, accountsKeys+string(id))
		if err != nil || v.data == nil {
			return err
		}
		plain, err := s.open(ctx, v.data)
		if err != nil {
			return err
		}
		data, err := s.seal(ctx, plain)
		if err != nil {
			return err
		}
		write := write{key: accountsKeys + string(id), data: data, rev: v.rev}
		if _, err = s.link.put(ctx, bucketWait, write); !errors.Is(err, errConflict) {
			return err
		}
	}
}
