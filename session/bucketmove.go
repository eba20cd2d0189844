package session

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// MoveToBucket puts this machine's accounts into a bucket, which is made where there is none, and makes
// it the store. Killed at any point the accounts are all in the file, and after that in both, and it
// can be called again. An account that is in the bucket already stays as it is there unless this machine
// has a later token of it. Processes that run meanwhile get ErrMoved. Errors: as InitBucket, and ErrNameTaken
// when the bucket has another account of a name. It returns how many accounts there were.
func MoveToBucket(ctx context.Context, dir string, i BucketInit, o StoreOptions) (accounts int, err error) {
	s, err := newBucket(dir, i, o)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	file := OpenFileStore(dir, o)
	recs, err := file.Load(ctx)
	if err != nil {
		return 0, err
	}
	var keys []*storeKey
	var kv keyValue
	if _, err = s.ensureStream(ctx, i.Replicas); err != nil {
		return 0, err
	}
	afterStep("bucket made")
	_, v, err := s.getKey(ctx, bucketWait)
	if err == nil && v.data == nil {
		s.files.setKey(file.openedKey())
		err = s.makeKey(ctx, i.Kind)
		afterStep("bucket's key made")
	}
	if err != nil && !errors.Is(err, errConflict) {
		return 0, err
	}
	if kv, _, err = s.getKey(ctx, bucketWait); err != nil {
		return 0, err
	}
	if k := file.openedKey(); k != nil && keyID(k.recipient) == kv.Key {
		keys = []*storeKey{k}
	} else if keys, err = s.unwrap(ctx, kv); err != nil {
		return 0, err
	}
	s.files.setKey(keys[0])
	s.older = keys[1:]

	// Once while others work on, then what they changed meanwhile, while nobody writes.
	if err := s.take(ctx, recs); err != nil {
		return 0, err
	}
	lock, err := file.lockStore(ctx, storeLock)
	if err != nil {
		return 0, err
	}
	defer lock.Close()
	if recs, err = file.Load(ctx); err != nil {
		return 0, err
	}
	if err := s.take(ctx, recs); err != nil {
		return 0, err
	}
	afterStep("accounts in the bucket")
	if err := file.writeEngine(i.Bucket); err != nil {
		return 0, err
	}
	afterStep("bucket is the store")
	if k := file.openedKey(); k != nil && k.recipient == keys[0].recipient {
		return len(recs), nil
	}
	// The file was under another key. Killed before this, the next look at the bucket does it.
	return len(recs), s.files.adoptKey(ctx, keys[0], kv.Wrapped, i.Kind)
}

// take puts records into the bucket that are later than what is there.
func (s *BucketStore) take(ctx context.Context, recs []Record) error {
	for _, r := range recs {
		_, err := s.changeAt(ctx, r.ID, func(old Record, exists bool) (*Record, error) {
			if !exists {
				return &r, nil
			}
			if !r.latest().After(old.latest()) {
				return nil, errAsItIs
			}
			later := r.clone()
			later.Version = max(old.Version, r.Version) + 1
			return &later, nil
		})
		if err != nil {
			return fmt.Errorf("%s: %w", r.Name, err)
		}
		afterStep("account in the bucket")
	}
	return nil
}

// errAsItIs says that a record needs no change.
var errAsItIs = errors.New("it stays as it is")

// latest is when the last token of the record was asked for.
func (r *Record) latest() time.Time {
	if r.Access != nil && r.Access.ObtainedAt.After(r.SignedInAt) {
		return r.Access.ObtainedAt
	}
	return r.SignedInAt
}

// MoveToFile makes a file of this machine the store again, with the accounts that the bucket has now.
// The bucket stays as it is, for other machines. Killed at any point the accounts are in the bucket.
// Errors: those of Load; ErrCutOff, for what this machine saw last may not be all there is.
func (s *BucketStore) MoveToFile(ctx context.Context) (accounts int, err error) {
	if err := s.files.checkEngine(); err != nil {
		return 0, err
	}
	lock, err := s.files.lockStore(ctx, storeLock)
	if err != nil {
		return 0, err
	}
	defer lock.Close()
	s.news.lost() // what was heard is not enough
	recs, err := s.loadBucket(ctx)
	if err != nil {
		return 0, err
	}
	k, err := s.openKey(ctx)
	if err != nil {
		return 0, err
	}
	err = s.files.mirrorLocked(k, onlyThese(recs))
	if err != nil {
		return 0, err
	}
	afterStep("accounts in the file")
	return len(recs), s.files.removeEngine()
}
