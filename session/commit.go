package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"syscall"
	"time"

	"a.wakey/quick"
	"filippo.io/age"
	"github.com/gofrs/flock"
)

// storeLockTimeout is how long others may hold the store, who need milliseconds for a change.
const storeLockTimeout = 20 * time.Second

// change is an Update or a Remove waiting for its turn.
type change struct {
	id   ID
	fn   func(*Record) error // nil: remove
	key  *storeKey           // the store's when it was made
	done chan struct{}
	rec  Record
	err  error
}

// Update changes one record. Updates that wait for the store's lock in one process are written
// together. fn must not call the store. Errors: those of fn and Load, ErrNameTaken; after any
// error nothing is changed.
func (s *FileStore) Update(ctx context.Context, id ID, fn func(*Record) error) (Record, error) {
	return s.submit(ctx, id, fn)
}

// Remove forgets a record.
func (s *FileStore) Remove(ctx context.Context, id ID) error {
	snap, err := s.read(ctx)
	if err != nil {
		return err
	}
	if snap.stamp == "" {
		return nil // nothing was ever written
	}
	_, err = s.submit(ctx, id, nil)
	return errors.Join(err, kernelForget(quick.ReadyName(s.dir)))
}

func (s *FileStore) submit(ctx context.Context, id ID, fn func(*Record) error) (Record, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, err
	}
	if err := s.prepare(true); err != nil {
		return Record{}, err
	}
	var stale *storeKey
	for {
		key, err := s.openKey(ctx, stale, true)
		if err != nil {
			return Record{}, err
		}
		c := &change{id: id, fn: fn, key: key, done: make(chan struct{})}
		s.enqueue(c)
		select {
		case <-c.done:
		case <-ctx.Done():
			if s.withdraw(c) {
				return Record{}, ctx.Err()
			}
			<-c.done // it is being written, which doesn't take long
		}
		if !errors.Is(c.err, errKeyChanged) {
			return c.rec, c.err
		}
		stale = key
	}
}

func (s *FileStore) enqueue(c *change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, c)
	if !s.writing {
		s.writing = true
		go s.writeQueue()
	}
}

// withdraw takes c back unless it is being written already.
func (s *FileStore) withdraw(c *change) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.queue, c)
	if i < 0 {
		return false
	}
	s.queue = slices.Delete(s.queue, i, i+1)
	return true
}

// writeQueue writes until nothing waits any more. What waits when the lock is had goes into one write.
func (s *FileStore) writeQueue() {
	for s.waiting() {
		lock, err := s.lockStore(context.Background(), storeLock)
		s.mu.Lock()
		batch := s.queue
		s.queue = nil
		s.mu.Unlock()
		if err == nil {
			s.commit(batch)
			_ = lock.Close()
		}
		for _, c := range batch {
			if err != nil {
				c.err = err
			}
			close(c.done)
		}
	}
}

func (s *FileStore) waiting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing = len(s.queue) > 0
	return s.writing
}

// lockStore takes one of the store's own locks.
func (s *FileStore) lockStore(ctx context.Context, name string) (*flock.Flock, error) {
	wait, cancel := context.WithTimeout(ctx, storeLockTimeout)
	defer cancel()
	lock, err := acquire(wait, s.path(name))
	switch {
	case err == nil:
		return lock, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("another wakey has held %s for %v: look for one that is stopped or hangs", s.path(name), storeLockTimeout)
	}
	return nil, s.cannotWrite(err)
}

// commit applies the changes in one write. The store's lock is held.
func (s *FileStore) commit(batch []*change) {
	fail := func(err error) {
		for _, c := range batch {
			if c.err == nil {
				c.rec, c.err = Record{}, err
			}
		}
	}
	kf, err := s.readKeyFile()
	if err = errors.Join(err, s.checkEngine()); err != nil {
		fail(err)
		return
	}
	var key *storeKey
	for _, c := range batch {
		if c.key.recipient == kf.Recipient {
			key = c.key
		} else {
			c.err = errKeyChanged
		}
	}
	if key == nil {
		return
	}
	before, err := s.readWith(key)
	if err != nil {
		fail(err)
		return
	}
	after := before.next()
	var ids []ID
	for _, c := range batch {
		if c.err != nil {
			continue
		}
		did, err := c.apply(after)
		if err != nil {
			c.err = err
		} else if did {
			ids = append(ids, c.id)
		}
	}
	if len(ids) == 0 {
		return
	}
	s.replacing(before)
	err = s.writeAccounts(after, key.identity.Recipient())
	s.replacing(nil)
	if err != nil {
		fail(err)
		return
	}
	s.writeIndex(before, after, ids)
}

// replacing has whoever reads meanwhile get before, instead of decrypting what is being written.
func (s *FileStore) replacing(before *snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = before
}

// apply makes the change in snap, and tells whether there was one.
func (c *change) apply(snap *snapshot) (bool, error) {
	old, exists, err := snap.get(c.id)
	if err != nil {
		return false, err
	}
	if c.fn == nil {
		snap.remove(c.id)
		return exists, nil
	}
	r, err := changed(old, exists, c.id, c.fn)
	if err != nil {
		return false, err
	}
	if r.Name != old.Name {
		if taken, err := snap.nameTaken(c.id, r.Name); taken || err != nil {
			return false, errors.Join(err, nameTaken(r.Name))
		}
	}
	err = snap.put(&r)
	c.rec = r
	return true, err
}

// writeAccounts makes snap the present generation, readable with any of the recipients' keys.
// The store's lock is held.
func (s *FileStore) writeAccounts(snap *snapshot, recipients ...age.Recipient) error {
	err := replaceFile(s.path(accountsName), s.path(backupName), true, func(w io.Writer) error {
		sealed, err := age.Encrypt(w, recipients...)
		if err != nil {
			return err
		}
		if err := snap.book.write(sealed); err != nil {
			return err
		}
		return sealed.Close()
	})
	if err != nil {
		return s.cannotWrite(err)
	}
	stamp, err := s.generation()
	s.mu.Lock()
	defer s.mu.Unlock()
	snap.stamp, s.snap = stamp, snap
	if err != nil {
		s.snap = nil // it is written, and will be read again
	}
	return nil
}

// cannotWrite says what a failed write means and what to do.
func (s *FileStore) cannotWrite(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return fmt.Errorf("no room in %s, nothing was changed: make some and try again: %w", s.dir, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%s can't be written, nothing was changed: see its owner and mode, or choose another place with XDG_DATA_HOME: %w", s.dir, err)
	}
	return fmt.Errorf("the store in %s could not be written, nothing was changed: %w", s.dir, err)
}
