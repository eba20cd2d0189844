package session

import (
	"context"
	"crypto/sha256"
	"maps"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// JetStream tells of every write that it has made, by a message to whoever listens: no consumer, no
// state on the servers, however many machines there are. What gets lost on the way costs nothing
// but that people see it later, for every attempt reads the account again under its lease.

const (
	// newsTrust is how long what was heard counts for the whole, give or take a quarter.
	newsTrust = 5 * time.Minute
	// newsRetry is how long after a look that failed the next one is due.
	newsRetry = 5 * time.Second
	// newsExpected bounds the own writes that are remembered until they are heard of.
	newsExpected = 1000
)

// seenRecord is an account as the bucket has it at a revision.
type seenRecord struct {
	rec Record
	rev uint64
}

// heard is a message about a write.
type heard struct {
	value

	key string
}

// news is what is known of the bucket by listening.
type news struct {
	one gate // takes in what was heard

	mu       sync.Mutex
	listens  *nats.Subscription // nil: nobody has asked for a stamp yet
	epoch    uint64             // grows with what others write, and when nothing is certain any more
	lives    uint64             // grows when messages may have been missed
	whole    bool               // index and seen, with pending, are all there is
	until    time.Time          // and are believed to be
	tried    time.Time          // when the bucket was last read as a whole
	index    bucketIndex
	seen     map[ID]seenRecord
	pending  []heard
	expected map[[sha256.Size]byte]bool
}

// subscribe listens to what is written to the keys.
func (l *link) subscribe(ctx context.Context, keys string, to chan *nats.Msg) (*nats.Subscription, error) {
	ctx, cancel := context.WithTimeout(ctx, bucketTry)
	defer cancel()
	nc, err := l.connected(ctx)
	if err != nil {
		return nil, err
	}
	sub, err := nc.ChanSubscribe(l.bucket.news(keys), to)
	if err != nil {
		return nil, err
	}
	return sub, nc.FlushWithContext(ctx)
}

// Stamp changes soon after somebody else wrote, and when the bucket is cut off or reached again. The
// first call begins to listen.
func (s *BucketStore) Stamp() (string, error) {
	s.listen()
	n := &s.news
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.whole && time.Since(n.tried) > newsRetry {
		n.tried = time.Now()
		n.epoch++
	}
	if n.whole && time.Now().After(n.until) {
		n.whole = false
		n.epoch++
		s.mistime()
	}
	return strconv.FormatUint(n.epoch, 10), nil
}

// listen begins to listen unless it does.
func (s *BucketStore) listen() {
	n := &s.news
	n.mu.Lock()
	sub := n.listens
	n.mu.Unlock()
	if sub != nil && sub.IsValid() || s.link.gone() && sub != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), bucketGlance)
	defer cancel()
	nc, err := s.link.connected(ctx)
	if err != nil {
		return
	}
	for _, keys := range []string{indexKey, accountsKeys + ">"} { // of leases and notes nobody needs to hear
		if sub, err = nc.Subscribe(s.bucket.news(keys), n.hear(s.bucket.news(""))); err != nil {
			return
		}
	}
	_ = nc.FlushWithContext(ctx) // else nothing is heard, and what is known is trusted for newsTrust
	n.mu.Lock()
	n.listens = sub
	n.mu.Unlock()
	n.lost()
}

// hear notes what was written to a key, which comes after prefix in the subject.
func (n *news) hear(prefix string) func(*nats.Msg) {
	return func(m *nats.Msg) {
		key := strings.TrimPrefix(m.Subject, prefix)
		rev, err := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
		if err != nil {
			return
		}
		h := heard{value{data: m.Data, rev: rev}, key}
		if m.Header.Get(tombHeader) != "" {
			h.data = nil
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		if sum := fingerprintOf(key, h.data); n.expected[sum] {
			delete(n.expected, sum)
		} else {
			n.epoch++
		}
		n.pending = append(n.pending, h)
	}
}

func fingerprintOf(key string, data []byte) [sha256.Size]byte {
	return sha256.Sum256(append([]byte(key+" "), data...))
}

// expect says that what will be heard of these writes is no news.
func (n *news) expect(writes []write) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listens == nil {
		return
	}
	if n.expected == nil || len(n.expected) > newsExpected {
		n.expected = map[[sha256.Size]byte]bool{}
	}
	for _, w := range writes {
		n.expected[fingerprintOf(w.key, w.data)] = true
	}
}

// lost says that messages may have been missed.
func (n *news) lost() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.whole, n.pending = false, nil
	n.lives++
	n.epoch++
}

// failed says that the bucket could not be read as a whole.
func (n *news) failed() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.whole, n.tried = false, time.Now()
}

// begin is called before the bucket is read as a whole, and complete when it was, or when what was
// heard since was taken in.
func (n *news) begin() (lives uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tried = time.Now()
	return n.lives
}

func (n *news) complete(lives uint64, index bucketIndex, seen map[ID]seenRecord) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listens == nil || lives != n.lives {
		return
	}
	if !n.whole {
		n.until = time.Now().Add(newsTrust*3/4 + rand.N(newsTrust/2)) //nolint:gosec // spreads load, guards nothing
	}
	n.whole, n.index, n.seen = true, index, seen
}

// take gives what is known as a whole and what was heard since; not ok when that is not enough.
func (n *news) take() (index bucketIndex, seen map[ID]seenRecord, pending []heard, lives uint64, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.whole {
		return index, nil, nil, 0, false
	}
	pending, n.pending = n.pending, nil
	return n.index, n.seen, pending, n.lives, true
}

// fromNews gives all records by what was heard, without reading the bucket again; not ok when it has
// to be read.
func (s *BucketStore) fromNews(ctx context.Context) (recs []Record, ok bool, err error) {
	defer s.news.one.pass()()
	index, seen, pending, lives, ok := s.news.take()
	if !ok {
		return nil, false, nil
	}
	next := maps.Clone(seen)
	defer func() {
		if err != nil {
			s.news.failed() // what was taken is not taken in
		}
	}()
	for _, h := range pending {
		if h.key == indexKey {
			if h.rev > index.rev {
				if index, err = s.openIndex(ctx, h.value); err != nil {
					return nil, false, err
				}
			}
			continue
		}
		id := ID(strings.TrimPrefix(h.key, accountsKeys))
		if h.rev <= next[id].rev {
			continue
		}
		if h.data == nil {
			delete(next, id)
			continue
		}
		r, err := s.openRecord(ctx, id, h.value)
		if err != nil {
			return nil, false, err
		}
		next[id] = seenRecord{r, h.rev}
	}
	for id := range next {
		if _, listed := index.Names[id]; !listed {
			delete(next, id)
		}
	}
	for id := range index.Names {
		if _, known := next[id]; known {
			continue
		}
		r, v, err := s.getRecord(ctx, bucketGlance, id)
		if err != nil {
			return nil, false, err
		}
		if v.data != nil {
			next[id] = seenRecord{r, v.rev}
		}
	}
	s.news.complete(lives, index, next)
	return recordsOf(next), true, nil
}
