package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// streamConfig is the part of a stream's configuration that a bucket of ours is about.
type streamConfig struct {
	Name              string     `json:"name"`
	Description       string     `json:"description,omitempty"`
	Subjects          []string   `json:"subjects"`
	Retention         string     `json:"retention"`
	Storage           string     `json:"storage"`
	Replicas          int        `json:"num_replicas"`
	MaxMsgsPerSubject int        `json:"max_msgs_per_subject"`
	MaxMsgs           int        `json:"max_msgs"`
	MaxBytes          int        `json:"max_bytes"`
	MaxConsumers      int        `json:"max_consumers"`
	Discard           string     `json:"discard"`
	AllowRollup       bool       `json:"allow_rollup_hdrs"`
	AllowTTL          bool       `json:"allow_msg_ttl"`
	AllowAtomic       bool       `json:"allow_atomic"`
	DenyDelete        bool       `json:"deny_delete"`
	Republish         *republish `json:"republish,omitempty"`
	// Compression and duplicates stay as the server has them: a ciphertext is never sent twice.
}

type republish struct {
	Source      string `json:"src"`
	Destination string `json:"dest"`
}

// config is the stream that a bucket is. Any tool for NATS shows it as a key-value bucket. Deletions
// are allowed, for that is how a lease is given back; reads are of the leader alone.
func (b Bucket) config(replicas int) streamConfig {
	return streamConfig{
		Name: b.stream(), Description: "accounts of wakey, encrypted", Subjects: []string{b.subject(">")},
		Retention: "limits", Storage: "file", Replicas: replicas, MaxMsgsPerSubject: 1, MaxMsgs: -1, MaxBytes: -1, MaxConsumers: -1,
		Discard: "new", AllowRollup: true, AllowTTL: true, AllowAtomic: true,
		Republish: &republish{b.subject(">"), b.news(">")},
	}
}

// unfit says why a stream can't be our bucket.
func (b Bucket) unfit(c streamConfig) error {
	want := b.config(c.Replicas)
	switch {
	case !c.AllowTTL || !c.AllowAtomic:
		return fmt.Errorf("the bucket %q can't do what wakey needs (values that end by themselves, writes of several keys): it takes NATS 2.12 or newer, and a bucket that wakey made", b.Name)
	case c.DenyDelete || c.Republish == nil || *c.Republish != *want.Republish:
		return fmt.Errorf("there is a bucket %q that wakey didn't make: choose another name", b.Name)
	}
	return nil
}

// BucketInit says how a machine begins to use a bucket.
type BucketInit struct {
	Bucket   Bucket
	Replicas int     // of a bucket that is made
	Kind     KeyKind // what keeps its key on this machine
}

// InitBucket makes the bucket the store of this machine, which has no accounts yet, and makes the
// bucket itself, with its key, where there is none. It tells whether it did. Killed at any point it
// can be called again. Errors: ErrInBucket, ErrCutOff, ErrLocked.
func InitBucket(ctx context.Context, dir string, i BucketInit, o StoreOptions) (made bool, err error) {
	s, err := newBucket(dir, i, o)
	if err != nil {
		return false, err
	}
	defer s.Close()
	if _, err := os.Lstat(s.files.path(accountsName)); err == nil {
		return false, errors.New("this machine has accounts of its own: \"wakey store move --nats\" takes them into the bucket")
	}
	if made, err = s.found(ctx, i); err != nil {
		return made, err
	}
	lock, err := s.files.lockStore(ctx, storeLock)
	if err != nil {
		return made, err
	}
	defer lock.Close()
	return made, s.files.writeEngine(i.Bucket)
}

// newBucket is a store that is not this machine's yet.
func newBucket(dir string, i BucketInit, o StoreOptions) (*BucketStore, error) {
	if err := i.Bucket.Check(); err != nil {
		return nil, err
	}
	if err := i.Bucket.CheckFiles(); err != nil {
		return nil, err
	}
	if i.Replicas < 1 || i.Replicas > 5 {
		return nil, fmt.Errorf("%d replicas: JetStream keeps 1 to 5, and 3 outlast the loss of one", i.Replicas)
	}
	if b, there, err := readEngine(dir); err != nil {
		return nil, err
	} else if there {
		return nil, fmt.Errorf("%w already: %q at %s", ErrInBucket, b.Name, b.URL)
	}
	s := openBucketStore(dir, i.Bucket, o)
	return s, s.files.prepare(true)
}

// found makes the bucket and its key, or opens those that are there.
func (s *BucketStore) found(ctx context.Context, i BucketInit) (made bool, err error) {
	if made, err = s.ensureStream(ctx, i.Replicas); err != nil {
		return made, err
	}
	afterStep("bucket made")
	_, v, err := s.getKey(ctx, bucketWait)
	if err != nil {
		return made, err
	}
	if v.data == nil {
		err = s.makeKey(ctx, i.Kind)
		if err == nil || !errors.Is(err, errConflict) {
			return made, err
		}
	}
	kv, _, err := s.getKey(ctx, bucketWait)
	if err != nil {
		return made, err
	}
	if kf, err := s.files.readKeyFile(); err == nil {
		if k, err := s.files.fetchKey(ctx, kf); err == nil && keyID(k.recipient) == kv.Key {
			s.files.setKey(k)
			return made, nil // from an earlier try
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return made, err
	}
	return made, s.joinKey(ctx, kv, i.Kind)
}

// joinKey keeps the bucket's key on this machine.
func (s *BucketStore) joinKey(ctx context.Context, kv keyValue, kind KeyKind) error {
	keys, err := s.unwrap(ctx, kv)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.older = keys[1:]
	s.mu.Unlock()
	return s.files.adoptKey(ctx, keys[0], kv.Wrapped, kind)
}

// ensureStream makes the bucket unless it is there, and checks that it is one of ours.
func (s *BucketStore) ensureStream(ctx context.Context, replicas int) (made bool, err error) {
	info, err := s.link.info(ctx, bucketWait, "")
	if errors.Is(err, errNoBucket) {
		made = true
		err = s.link.persist(ctx, bucketWait, func(ctx context.Context) error {
			return s.link.call(ctx, "CREATE", s.bucket.config(replicas), &info)
		})
		if isCode(err, codeNameInUse) { // another machine was faster
			made = false
			info, err = s.link.info(ctx, bucketWait, "")
		}
	}
	if isCode(err, codeNoPeers, codeNoCluster) {
		return false, fmt.Errorf("%w: these servers can't keep %d replicas; --replicas 1 keeps one, which is lost with its server", err, replicas)
	}
	if err != nil {
		return false, err
	}
	return made, s.bucket.unfit(info.Config)
}

// The error codes of a bucket that can't be made.
const (
	codeNoPeers   = 10005
	codeNoCluster = 10074
)
