package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// leaseTime is how long NATS keeps an account's lease for a holder that is not heard of, counted
// from Lock and again from Begin. It is longer than the requests that are made between the two, and
// after Begin, may take. NATS counts in seconds.
var leaseTime = 30 * time.Second

// leaseOwner is what a lease says: who has it, for a person who looks for a machine that hangs.
type leaseOwner struct {
	Host  string    `json:"host"`
	PID   int       `json:"pid"`
	Since time.Time `json:"since"`
}

// Lock waits until this caller alone, on all machines, may ask for tokens of id.
//
// The right is a lease: a key that can be created only while there is none, and that NATS takes away
// when its time is over. It is taken after the lock of this machine, so that one process of a machine
// stands in line at the bucket, however many there are. Errors: errChanged when the account was
// written while it was waited for; ErrCutOff, ErrMoved.
func (s *BucketStore) Lock(ctx context.Context, id ID) (*Lock, error) {
	if err := s.files.checkEngine(); err != nil {
		return nil, err
	}
	local, err := s.files.Lock(ctx, id)
	if err != nil {
		return nil, err
	}
	l, err := s.lease(ctx, id)
	if err != nil {
		local.Release()
		return nil, err
	}
	if l.Interrupted == nil {
		l.Interrupted = local.Interrupted // of the time before the accounts were in the bucket
	}
	end, release := l.end, l.release
	l.end = func() error { return errors.Join(end(), local.End()) }
	l.release = sync.OnceFunc(func() {
		release()
		local.Release()
	})
	return l, nil
}

// lease takes the lease of an account.
func (s *BucketStore) lease(ctx context.Context, id ID) (*Lock, error) {
	rev, err := s.takeLease(ctx, id)
	if err != nil {
		return nil, err
	}
	afterStep("lease taken")
	h := &leaseHolder{store: s, id: id, lease: rev}
	l := &Lock{end: h.end, release: h.release}
	l.begin = func(a Attempt) error { return h.begin(l.seen, a) }
	if l.Interrupted, err = h.interrupted(ctx); err != nil {
		l.Release()
		return nil, err
	}
	return l, nil
}

// takeLease waits for the lease and returns its revision.
func (s *BucketStore) takeLease(ctx context.Context, id ID) (uint64, error) {
	var news *nats.Subscription
	changed := make(chan *nats.Msg, 1)
	for delay := 20 * time.Millisecond; ; delay = min(2*delay, time.Second) {
		lease, err := s.leaseNow(ctx, id, 0)
		if err != nil {
			return 0, err
		}
		rev, err := s.link.put(ctx, bucketWait, lease)
		if err == nil || !errors.Is(err, errConflict) {
			return rev, err
		}
		if news == nil {
			// Whoever has it is about to write the account: nobody needs to wait longer than that.
			if news, err = s.link.subscribe(ctx, accountsKeys+string(id), changed); err != nil {
				return 0, err
			}
			defer func() { _ = news.Unsubscribe() }()
			continue
		}
		select {
		case <-changed:
			return 0, errChanged
		case <-time.After(delay/2 + rand.N(delay)): //nolint:gosec // spreads the waiting, hides nothing
		case <-ctx.Done():
			return 0, fmt.Errorf("%w%s", ctx.Err(), s.whoHolds(id))
		}
	}
}

// leaseNow is the lease as it is about to be taken, or taken anew, when it is at rev.
func (s *BucketStore) leaseNow(ctx context.Context, id ID, rev uint64) (write, error) {
	host, _ := os.Hostname()
	data, err := s.sealJSON(ctx, leaseOwner{host, os.Getpid(), s.now().Add(-s.clockAhead()).UTC()})
	return write{key: leaseKeys + string(id), data: data, rev: rev, ttl: leaseTime}, err
}

// whoHolds says who has the lease, as far as that can be told now.
func (s *BucketStore) whoHolds(id ID) string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	v, err := s.link.get(ctx, time.Second, leaseKeys+string(id))
	if err != nil || v.data == nil {
		return ""
	}
	plain, err := s.open(ctx, v.data)
	var h leaseOwner
	if err != nil || json.Unmarshal(plain, &h) != nil {
		return ""
	}
	return fmt.Sprintf(" (process %d of %s has it)", h.PID, shown(h.Host))
}

// leaseHolder is a lease that was taken, with the note of what it was taken for.
type leaseHolder struct {
	store *BucketStore
	id    ID
	lease uint64 // its revision
	note  uint64 // the note's; 0: there is none
}

func (h *leaseHolder) noteKey() string { return noteKeys + string(h.id) }

// interrupted reads the note of an earlier holder.
func (h *leaseHolder) interrupted(ctx context.Context) (*Attempt, error) {
	v, err := h.store.link.get(ctx, bucketWait, h.noteKey())
	if err != nil || v.data == nil {
		return nil, err
	}
	h.note = v.rev
	a, err := h.store.openNote(ctx, v)
	return &a, err
}

// openNote decrypts a note. One that can't be read is of an attempt of which no more is known than
// when it was begun.
func (s *BucketStore) openNote(ctx context.Context, v value) (Attempt, error) {
	a := Attempt{Op: "refresh", At: v.at}
	plain, err := s.open(ctx, v.data)
	switch {
	case errors.Is(err, ErrDamaged):
	case err != nil:
		return a, err
	default:
		_ = json.Unmarshal(plain, &a) // see above
	}
	a.At = a.At.Add(s.clockAhead())
	return a, nil
}

// begin makes sure that the account is still what the holder has seen, writes the note, unless somebody else's is there
// by now, then takes the lease anew, which proves that nobody else had it meanwhile.
func (h *leaseHolder) begin(seen *Record, a Attempt) error {
	ctx, cancel := context.WithTimeout(context.Background(), bucketWait)
	defer cancel()
	s := h.store
	r, _, err := s.getRecord(ctx, bucketWait, h.id)
	if err != nil {
		return err
	}
	if seen != nil && !r.sameTokens(seen) {
		return ErrOvertaken
	}
	a.At = a.At.Add(-s.clockAhead())
	note, err := s.sealJSON(ctx, a)
	if err != nil {
		return err
	}
	rev, err := s.link.put(ctx, bucketWait, write{key: h.noteKey(), data: note, rev: h.note})
	if err != nil {
		return overtaken(err)
	}
	h.note = rev
	afterStep("note written")
	lease, err := s.leaseNow(ctx, h.id, h.lease)
	if err != nil {
		return err
	}
	if rev, err = s.link.put(ctx, bucketWait, lease); err != nil {
		return overtaken(errors.Join(err, h.end()))
	}
	h.lease = rev
	afterStep("lease proven")
	return nil
}

// overtaken says what a conflict means to a holder.
func overtaken(err error) error {
	if errors.Is(err, errConflict) {
		return fmt.Errorf("%w (%w)", ErrOvertaken, err)
	}
	return err
}

func (h *leaseHolder) end() error {
	if h.note == 0 {
		return nil
	}
	err := h.store.link.erase(context.Background(), h.note)
	if err == nil {
		h.note = 0
	}
	return err
}

// release gives the lease up. Where that fails its time takes it away.
func (h *leaseHolder) release() { _ = h.store.link.erase(context.Background(), h.lease) }

// takeOrphans returns what was cut off and has no account that could tell, and forgets it: sign-ins
// before theirs came to exist, refreshes of one that was forgotten since. What is under way now is left
// alone.
func (s *BucketStore) takeOrphans(ctx context.Context) ([]Attempt, error) {
	orphans, err := s.files.takeOrphans(ctx)
	if err != nil {
		return orphans, err
	}
	info, err := s.link.info(ctx, bucketGlance, s.bucket.subject(noteKeys+">"))
	if errors.Is(err, ErrCutOff) || err == nil && len(info.State.Subjects) == 0 {
		return orphans, nil
	}
	if err != nil {
		return orphans, err
	}
	index, err := s.getIndex(ctx, bucketGlance)
	if err != nil {
		return orphans, err
	}
	for subject := range info.State.Subjects {
		id := ID(strings.TrimPrefix(subject, s.bucket.subject(noteKeys)))
		if _, there := index.Names[id]; there || validID(id) != nil {
			continue // whoever refreshes that account next meets the note
		}
		left, err := takeNote(ctx, s, id, time.Second)
		orphans = append(orphans, left...)
		if err != nil {
			return orphans, err
		}
	}
	return orphans, nil
}
