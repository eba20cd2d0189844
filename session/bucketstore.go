package session

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// BucketStore keeps the records in a JetStream key-value bucket, for any number of machines. NATS
// replicates it and orders what is written; it never sees plain text, nor the key. Beside it this
// machine keeps a copy in accounts.age, out of which the last tokens are given while the bucket can't
// be reached. Its methods may be called from any goroutine.
//
// The bucket's keys:
//
//	key          the age identity under the passphrase
//	index        the accounts' IDs with their names, which makes names unique
//	account.ID   one record
//	lease.ID     who may ask for tokens of it; gone when its time is over, see Lock
//	note.ID      what is being asked for
//
// All values but the first are age files for that identity. Its public half is known to the machines
// alone, so that whoever has the bucket can't write an account either.
type BucketStore struct {
	bucket Bucket
	files  *FileStore // the copy, and how this machine keeps the key
	link   *link
	news   news
	now    func() time.Time

	mu    sync.Mutex
	older []*storeKey   // keys that some value may still need, while the key is being changed
	ahead time.Duration // how far this machine's clock is ahead of NATS's
	timed bool          // ahead was measured
}

func openBucketStore(dir string, b Bucket, o StoreOptions) *BucketStore {
	s := &BucketStore{bucket: b, files: OpenFileStore(dir, o), now: time.Now}
	s.files.copies = true
	s.news.one = make(gate, 1)
	s.link = newLink(b, s.news.lost)
	return s
}

// Dir returns the directory of this machine's copy.
func (s *BucketStore) Dir() string { return s.files.Dir() }

// Files returns this machine's copy, which also knows how the key is kept here.
func (s *BucketStore) Files() *FileStore { return s.files }

// Status tells how this machine keeps the key, without asking anybody.
func (s *BucketStore) Status(ctx context.Context) (KeyStatus, error) { return s.files.Status(ctx) }

// Close ends the connection to NATS.
func (s *BucketStore) Close() { s.link.close() }

// The keys of the bucket.
const (
	keyKey       = "key"
	indexKey     = "index"
	accountsKeys = "account."
	leaseKeys    = "lease."
	noteKeys     = "note."
)

// tombTime is how long it can be seen that a key was taken away.
const tombTime = 24 * time.Hour

// Load returns every record, in order of name. While the bucket can't be reached they are those that
// this machine saw last, with ErrCutOff. Other errors: ErrLocked, ErrDamaged, ErrNewer, ErrMoved.
func (s *BucketStore) Load(ctx context.Context) ([]Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.files.checkEngine(); err != nil {
		return nil, err
	}
	recs, err := s.loadBucket(ctx)
	if err != nil {
		s.news.failed()
	}
	if errors.Is(err, ErrCutOff) {
		copied, cerr := s.files.Load(ctx)
		if cerr != nil {
			return nil, fmt.Errorf("%w; and what was seen last can't be had: %w", err, cerr)
		}
		return copied, err
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(recs, byName)
	s.copyAll(ctx, recs)
	return recs, nil
}

func (s *BucketStore) loadBucket(ctx context.Context) ([]Record, error) {
	if recs, ok, err := s.fromNews(ctx); ok || err != nil {
		return recs, err
	}
	begun := s.news.begin()
	index, err := s.getIndex(ctx, bucketGlance)
	if err != nil {
		return nil, err
	}
	if err := s.setClock(ctx); err != nil {
		return nil, err
	}
	seen := make(map[ID]seenRecord, len(index.Names))
	ids := make(chan ID, len(index.Names))
	for id := range index.Names {
		ids <- id
	}
	close(ids)
	var mu sync.Mutex
	var first error
	var workers sync.WaitGroup
	for range min(bucketReaders, len(index.Names)) {
		workers.Go(func() {
			for id := range ids {
				r, v, err := s.getRecord(ctx, bucketGlance, id)
				mu.Lock()
				switch {
				case err != nil && first == nil:
					first = err
				case v.data != nil: // else it was removed meanwhile
					seen[id] = seenRecord{r, v.rev}
				}
				stop := first != nil
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	workers.Wait()
	if first != nil {
		return nil, first
	}
	s.news.complete(begun, index, seen)
	return recordsOf(seen), nil
}

// bucketReaders read accounts at once.
const bucketReaders = 32

func recordsOf(seen map[ID]seenRecord) []Record {
	recs := make([]Record, 0, len(seen))
	for _, r := range seen {
		recs = append(recs, r.rec.clone())
	}
	return recs
}

// Get returns one record as the leader of the bucket has it. Errors: ErrNoAccount, ErrCutOff and those
// of Load.
func (s *BucketStore) Get(ctx context.Context, id ID) (Record, error) {
	if err := validID(id); err != nil {
		return Record{}, fmt.Errorf("%w: %s", ErrNoAccount, id)
	}
	if err := s.setClock(ctx); err != nil {
		return Record{}, err
	}
	r, v, err := s.getRecord(ctx, bucketWait, id)
	if err != nil {
		return Record{}, err
	}
	if v.data == nil {
		return Record{}, fmt.Errorf("%w: %s", ErrNoAccount, id)
	}
	s.copyOne(ctx, r)
	return r, nil
}

// getRecord reads an account; a value without data is none.
func (s *BucketStore) getRecord(ctx context.Context, patience time.Duration, id ID) (Record, value, error) {
	v, err := s.link.get(ctx, patience, accountsKeys+string(id))
	if err != nil || v.data == nil {
		return Record{}, v, err
	}
	r, err := s.openRecord(ctx, id, v)
	return r, v, err
}

// getIndex reads the index. Errors: those of Load.
func (s *BucketStore) getIndex(ctx context.Context, patience time.Duration) (bucketIndex, error) {
	v, err := s.link.get(ctx, patience, indexKey)
	if err != nil {
		return bucketIndex{}, err
	}
	return s.openIndex(ctx, v)
}

// Update changes one record, whoever else writes to the bucket. fn must not call the store. Errors:
// those of fn and Load, ErrNameTaken, ErrCutOff.
func (s *BucketStore) Update(ctx context.Context, id ID, fn func(*Record) error) (Record, error) {
	return s.change(ctx, id, func(old Record, exists bool) (*Record, error) {
		r, err := changed(old, exists, id, fn)
		return &r, err
	})
}

// Remove forgets a record.
func (s *BucketStore) Remove(ctx context.Context, id ID) error {
	_, err := s.change(ctx, id, func(Record, bool) (*Record, error) { return nil, nil }) //nolint:nilnil // nil: no record
	return err
}

// change makes of a record what to says, nil for none, in one step: the record and, where its name
// changes, the index.
func (s *BucketStore) change(ctx context.Context, id ID, to func(old Record, exists bool) (*Record, error)) (Record, error) {
	if err := s.files.checkEngine(); err != nil {
		return Record{}, err
	}
	return s.changeAt(ctx, id, to)
}

// changeAt is change for a bucket that may not be this machine's store yet.
func (s *BucketStore) changeAt(ctx context.Context, id ID, to func(old Record, exists bool) (*Record, error)) (Record, error) {
	if err := validID(id); err != nil {
		return Record{}, err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	if err := s.setClock(ctx); err != nil {
		return Record{}, err
	}
	for delay := time.Millisecond; ; delay = min(2*delay, 50*time.Millisecond) {
		old, v, err := s.getRecord(ctx, bucketWait, id)
		if err != nil {
			return Record{}, err
		}
		r, err := to(old, v.data != nil)
		if errors.Is(err, errAsItIs) {
			return old, nil
		}
		if err != nil {
			return Record{}, err
		}
		if r == nil && v.data == nil {
			return Record{}, nil
		}
		writes, err := s.writes(ctx, id, r, old.Name, v.rev)
		if err != nil {
			return Record{}, err
		}
		s.news.expect(writes)
		_, err = s.link.put(ctx, bucketWait, writes...)
		if errors.Is(err, errConflict) {
			select {
			case <-time.After(rand.N(delay)): //nolint:gosec // spreads the waiting, hides nothing
				continue
			case <-ctx.Done():
				return Record{}, fmt.Errorf("others write the account all the time: %w", ctx.Err())
			}
		}
		if err != nil {
			return Record{}, err
		}
		if r == nil {
			s.dropCopy(ctx, id)
			return Record{}, nil
		}
		s.copyOne(ctx, *r)
		return *r, nil
	}
}

// bounded gives work that its caller waits for without end an end.
func (s *BucketStore) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, bucketWait)
}

// writes is what makes r, nil for none, of the account whose name was old and which is at rev.
func (s *BucketStore) writes(ctx context.Context, id ID, r *Record, old string, rev uint64) ([]write, error) {
	account := write{key: accountsKeys + string(id), rev: rev, ttl: tombTime}
	name := ""
	if r != nil {
		line, err := s.sealRecord(ctx, r)
		if err != nil {
			return nil, err
		}
		account.data, account.ttl, name = line, 0, r.Name
	}
	if name == old {
		return []write{account}, nil
	}
	index, err := s.getIndex(ctx, bucketWait)
	if err != nil {
		return nil, err
	}
	for other, taken := range index.Names {
		if taken == name && other != id {
			return nil, nameTaken(name)
		}
	}
	index.Names[id] = name
	if r == nil {
		delete(index.Names, id)
	}
	listed, err := s.sealIndex(ctx, index)
	return []write{account, {key: indexKey, data: listed, rev: index.rev}}, err
}
