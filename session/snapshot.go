package session

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// snapshot is one generation of the accounts. Its lines are parsed when they are asked for:
// a command that needs one account of ten thousand parses one.
type snapshot struct {
	stamp string // of accounts.age; empty: there was none
	book  *book

	mu      sync.Mutex
	records map[ID]*Record // parsed so far; never changed, only replaced
}

func emptySnapshot() *snapshot { return &snapshot{book: newBook(), records: map[ID]*Record{}} }

// parseSnapshot reads a generation. What it has in common with an earlier one is taken from there.
func parseSnapshot(stamp string, data []byte, earlier *snapshot) (*snapshot, error) {
	b, err := parseBook(data, func(raw []byte) (ID, []byte, error) {
		r, err := decodeRecord(raw)
		if err != nil {
			return "", nil, err
		}
		if err := validID(r.ID); err != nil {
			return "", nil, err
		}
		line, err := encodeRecord(r)
		return r.ID, line, err
	})
	if err != nil {
		return nil, err
	}
	s := &snapshot{stamp: stamp, book: b, records: map[ID]*Record{}}
	if earlier == nil {
		return s, nil
	}
	earlier.mu.Lock()
	defer earlier.mu.Unlock()
	for id, line := range b.lines {
		old := earlier.book.lines[id]
		if bytes.Equal(old, line) {
			b.lines[id] = old
			if r := earlier.records[id]; r != nil {
				s.records[id] = r
			}
		} else {
			b.lines[id] = bytes.Clone(line) // or one line would hold the whole of data in memory
		}
	}
	return s, nil
}

// get returns a record that the caller must not change, and whether there is one.
func (s *snapshot) get(id ID) (*Record, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.parsed(id)
}

func (s *snapshot) parsed(id ID) (*Record, bool, error) {
	if r := s.records[id]; r != nil {
		return r, true, nil
	}
	line, ok := s.book.lines[id]
	if !ok {
		return nil, false, nil
	}
	r, err := decodeRecord(line)
	if err != nil {
		return nil, false, fmt.Errorf("account %s: %w", id, err)
	}
	s.records[id] = r
	return r, true, nil
}

// all returns copies of the records in order of name.
func (s *snapshot) all() ([]Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Record, 0, len(s.book.ids))
	for _, id := range s.book.ids {
		r, _, err := s.parsed(id)
		if err != nil {
			return nil, err
		}
		out = append(out, r.clone())
	}
	slices.SortFunc(out, byName)
	return out, nil
}

// next is a copy to be changed into the generation after this one.
func (s *snapshot) next() *snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &snapshot{
		book:    &book{ids: slices.Clone(s.book.ids), lines: maps.Clone(s.book.lines)},
		records: maps.Clone(s.records),
	}
}

func (s *snapshot) put(r *Record) error {
	line, err := encodeRecord(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.book.put(r.ID, line)
	s.records[r.ID] = r
	return nil
}

func (s *snapshot) remove(id ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.book.lines, id)
	delete(s.records, id)
	s.book.ids = slices.DeleteFunc(s.book.ids, func(i ID) bool { return i == id })
}

// nameTaken tells whether another account than id has the name. It compares the encoded form,
// which follows the ID in each line.
func (s *snapshot) nameTaken(id ID, name string) (bool, error) {
	encoded, err := json.Marshal(name)
	if err != nil {
		return false, err
	}
	want := slices.Concat([]byte(`,"name":`), encoded, []byte(","))
	for other, line := range s.book.lines {
		if _, rest, _ := cutID(line); other != id && bytes.HasPrefix(rest, want) {
			return true, nil
		}
	}
	return false, nil
}
