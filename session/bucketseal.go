package session

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"filippo.io/age"
)

// bucketRecord is an account in the bucket.
type bucketRecord struct {
	Version int             `json:"version"` // of the format
	Account json.RawMessage `json:"account"`
}

// bucketIndex is the list of the accounts in the bucket.
type bucketIndex struct {
	Version int           `json:"version"`
	Names   map[ID]string `json:"names"`

	rev uint64
}

// openRecord decrypts an account. One that was put under another's key is refused.
func (s *BucketStore) openRecord(ctx context.Context, id ID, v value) (Record, error) {
	plain, err := s.open(ctx, v.data)
	if err != nil {
		return Record{}, err
	}
	var doc bucketRecord
	if err := json.Unmarshal(plain, &doc); err != nil {
		return Record{}, s.damaged(accountsKeys+string(id), err)
	}
	if err := checkVersion(doc.Version); err != nil {
		return Record{}, fmt.Errorf("account %s of bucket %q: %w", id, s.bucket.Name, err)
	}
	r, err := decodeRecord(doc.Account)
	if err == nil && r.ID != id {
		err = fmt.Errorf("it is the account %s", shown(string(r.ID)))
	}
	if err != nil {
		return Record{}, s.damaged(accountsKeys+string(id), err)
	}
	s.toLocal(r)
	return *r, nil
}

func (s *BucketStore) openIndex(ctx context.Context, v value) (bucketIndex, error) {
	index := bucketIndex{Names: map[ID]string{}, rev: v.rev}
	if v.data == nil {
		return index, nil
	}
	plain, err := s.open(ctx, v.data)
	if err != nil {
		return index, err
	}
	if err := json.Unmarshal(plain, &index); err != nil {
		return index, s.damaged(indexKey, err)
	}
	if err := checkVersion(index.Version); err != nil {
		return index, fmt.Errorf("bucket %q: %w", s.bucket.Name, err)
	}
	for id := range index.Names {
		if err := validID(id); err != nil {
			return index, s.damaged(indexKey, err)
		}
	}
	index.rev = v.rev
	return index, nil
}

func (s *BucketStore) damaged(key string, cause error) error {
	return fmt.Errorf("%w: %s of bucket %q can't be read (%w): put a backup of the bucket back, or go on with what this machine saw last by removing %s",
		ErrDamaged, key, s.bucket.Name, cause, s.files.path(engineName))
}

func (s *BucketStore) sealIndex(ctx context.Context, index bucketIndex) ([]byte, error) {
	index.Version = formatVersion
	return s.sealJSON(ctx, index)
}

func (s *BucketStore) sealRecord(ctx context.Context, r *Record) ([]byte, error) {
	c := r.clone()
	s.toBucket(&c)
	line, err := encodeRecord(&c)
	if err != nil {
		return nil, err
	}
	return s.sealJSON(ctx, bucketRecord{formatVersion, line})
}

func (s *BucketStore) sealJSON(ctx context.Context, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return s.seal(ctx, plain)
}

// seal encrypts for the bucket's key.
func (s *BucketStore) seal(ctx context.Context, plain []byte) ([]byte, error) {
	k, err := s.openKey(ctx)
	if err != nil {
		return nil, err
	}
	return sealFor(k, plain)
}

func sealFor(k *storeKey, plain []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := age.Encrypt(&b, k.identity.Recipient())
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// open decrypts a value of the bucket, with the key that it was changed to if need be.
func (s *BucketStore) open(ctx context.Context, data []byte) ([]byte, error) {
	k, err := s.openKey(ctx)
	if err != nil {
		return nil, err
	}
	plain, err := decrypt(bytes.NewReader(data), len(data), s.identities(k)...)
	wrong := new(age.NoIdentityMatchError)
	if !errors.As(err, &wrong) {
		if err != nil {
			err = s.damaged("a value", err)
		}
		return plain, err
	}
	if k, err = s.fetchKey(ctx); err != nil {
		return nil, err
	}
	plain, err = decrypt(bytes.NewReader(data), len(data), s.identities(k)...)
	if err != nil {
		err = s.damaged("a value", err)
	}
	return plain, err
}

// identities are the keys that a value may be for.
func (s *BucketStore) identities(k *storeKey) []age.Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]age.Identity, 0, 1+len(s.older))
	all = append(all, k.identity)
	for _, older := range s.older {
		all = append(all, older.identity)
	}
	return all
}
