package session

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
)

// copyAll makes this machine's copy that of recs, which are all there are. The copy is for bad
// times: that it can't be written fails nothing.
func (s *BucketStore) copyAll(ctx context.Context, recs []Record) { s.copyWith(ctx, onlyThese(recs)) }

// onlyThese makes recs all that a snapshot has.
func onlyThese(recs []Record) func(*snapshot) ([]ID, error) {
	return func(snap *snapshot) ([]ID, error) {
		changed, err := putOther(snap, recs)
		there := make(map[ID]bool, len(recs))
		for _, r := range recs {
			there[r.ID] = true
		}
		for _, id := range slices.Clone(snap.book.ids) {
			if !there[id] {
				snap.remove(id)
				changed = append(changed, id)
			}
		}
		return changed, err
	}
}

// copyOne takes a record into this machine's copy.
func (s *BucketStore) copyOne(ctx context.Context, r Record) {
	s.copyWith(ctx, func(snap *snapshot) ([]ID, error) { return putOther(snap, []Record{r}) })
}

// dropCopy takes a record out of this machine's copy.
func (s *BucketStore) dropCopy(ctx context.Context, id ID) {
	s.copyWith(ctx, func(snap *snapshot) ([]ID, error) {
		if _, ok, err := snap.get(id); !ok || err != nil {
			return nil, err
		}
		snap.remove(id)
		return []ID{id}, nil
	})
}

// putOther puts those records into snap that it has otherwise, and names them.
func putOther(snap *snapshot, recs []Record) (changed []ID, err error) {
	for i := range recs {
		line, err := encodeRecord(&recs[i])
		if err != nil {
			return changed, err
		}
		if id := recs[i].ID; !bytes.Equal(line, snap.book.lines[id]) {
			snap.book.put(id, line)
			changed = append(changed, id)
		}
	}
	return changed, nil
}

func (s *BucketStore) copyWith(ctx context.Context, change func(*snapshot) ([]ID, error)) {
	if k := s.files.openedKey(); k != nil {
		_ = s.files.mirror(context.WithoutCancel(ctx), k, change)
	}
}

// mirror changes a copy of a bucket's records: change names what it changed in the snapshot. One that
// can't be read is begun anew. Nothing is written when nothing changes.
func (s *FileStore) mirror(ctx context.Context, k *storeKey, change func(*snapshot) ([]ID, error)) error {
	if err := s.prepare(true); err != nil {
		return err
	}
	if now, err := s.readWith(k); err == nil {
		if ids, err := change(now.next()); err != nil || len(ids) == 0 {
			return err
		}
	}
	lock, err := s.lockStore(ctx, storeLock)
	if err != nil {
		return err
	}
	defer lock.Close()
	return s.mirrorLocked(k, change)
}

func (s *FileStore) mirrorLocked(k *storeKey, change func(*snapshot) ([]ID, error)) error {
	if err := s.checkEngine(); err != nil {
		return err
	}
	before, err := s.readWith(k)
	if errors.Is(err, ErrDamaged) || errors.Is(err, errKeyChanged) {
		_ = os.Remove(s.path(backupName))
		before, err = emptySnapshot(), nil
	}
	if err != nil {
		return err
	}
	after := before.next()
	ids, err := change(after)
	if err != nil || len(ids) == 0 {
		return err
	}
	if err := s.writeAccounts(after, k.identity.Recipient()); err != nil {
		return err
	}
	s.writeIndex(before, after, ids)
	return nil
}
