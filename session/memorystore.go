package session

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// memoryStore keeps records for one process: the demo's, and the tests' in synctest bubbles.
type memoryStore struct {
	mu       sync.Mutex
	records  map[ID]Record
	names    map[string]ID
	locks    map[ID]chan struct{} // each holds a value while its lock is held
	attempts map[ID]Attempt       // begun, not ended
}

// NewMemoryStore returns a store that ends with the process. It does no I/O.
func NewMemoryStore() Store {
	return &memoryStore{
		records:  map[ID]Record{},
		names:    map[string]ID{},
		locks:    map[ID]chan struct{}{},
		attempts: map[ID]Attempt{},
	}
}

// Load returns every record, in order of name.
func (s *memoryStore) Load(ctx context.Context) ([]Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Record, 0, len(s.records))
	for _, r := range s.records {
		all = append(all, r.clone())
	}
	slices.SortFunc(all, byName)
	return all, nil
}

func byName(a, b Record) int { return strings.Compare(a.Name, b.Name) }

// Get returns one record.
func (s *memoryStore) Get(ctx context.Context, id ID) (Record, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.records[id]
	if !ok {
		return Record{}, fmt.Errorf("%w: %s", ErrNoAccount, id)
	}
	return r.clone(), nil
}

// Update changes one record.
func (s *memoryStore) Update(ctx context.Context, id ID, fn func(*Record) error) (Record, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old, exists := s.records[id]
	r, err := changed(old, exists, id, fn)
	if err != nil {
		return Record{}, err
	}
	if other, taken := s.names[r.Name]; taken && other != id {
		return Record{}, nameTaken(r.Name)
	}
	delete(s.names, old.Name)
	s.names[r.Name] = id
	s.records[id] = r
	return r.clone(), nil
}

// Remove forgets a record.
func (s *memoryStore) Remove(ctx context.Context, id ID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, exists := s.records[id]; exists {
		delete(s.names, old.Name)
		delete(s.records, id)
	}
	return nil
}

// Lock waits until this caller alone may ask for tokens of id.
func (s *memoryStore) Lock(ctx context.Context, id ID) (*Lock, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	held := s.locks[id]
	if held == nil {
		held = make(chan struct{}, 1)
		s.locks[id] = held
	}
	s.mu.Unlock()
	select {
	case held <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &Lock{
		begin:   func(a Attempt) error { s.note(id, &a); return nil },
		end:     func() error { s.note(id, nil); return nil },
		release: sync.OnceFunc(func() { <-held }),
	}
	if a, ok := s.attempts[id]; ok {
		l.Interrupted = &a
	}
	return l, nil
}

func (s *memoryStore) note(id ID, a *Attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a == nil {
		delete(s.attempts, id)
		return
	}
	s.attempts[id] = *a
}

// Stamp never changes: every write goes through this store.
func (s *memoryStore) Stamp() (string, error) { return "", nil }
