package session

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
)

// snapshot is one generation of the accounts. It keeps their lines and parses those it is asked
// for: a command that needs one account of ten thousand parses one, and whoever needs all of
// them holds the only copy.
type snapshot struct {
	stamp string // of accounts.age; empty: there was none
	book  *book
}

func emptySnapshot() *snapshot { return &snapshot{book: newBook()} }

func parseSnapshot(stamp string, data []byte) (*snapshot, error) {
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
	return &snapshot{stamp: stamp, book: b}, nil
}

// get returns a record, and whether there is one.
func (s *snapshot) get(id ID) (Record, bool, error) {
	line, ok := s.book.lines[id]
	if !ok {
		return Record{}, false, nil
	}
	r, err := decodeRecord(line)
	if err != nil {
		return Record{}, false, fmt.Errorf("account %s: %w", id, err)
	}
	r.mark = markOf(line)
	return *r, true, nil
}

var markSeed = maphash.MakeSeed()

// markOf tells lines apart, within this process.
func markOf(line []byte) uint64 { return maphash.Bytes(markSeed, line) }

// changed returns the records whose marks are not those in have, and the IDs of the others.
func (s *snapshot) changed(have map[ID]uint64) (changed []Record, same []ID, err error) {
	changed = make([]Record, 0, max(0, len(s.book.ids)-len(have)))
	for _, id := range s.book.ids {
		if mark, ok := have[id]; ok && mark == markOf(s.book.lines[id]) {
			same = append(same, id)
			continue
		}
		r, _, err := s.get(id)
		if err != nil {
			return nil, nil, err
		}
		changed = append(changed, r)
	}
	return changed, same, nil
}

// all returns the records in order of name.
func (s *snapshot) all() ([]Record, error) {
	out, _, err := s.changed(nil)
	slices.SortFunc(out, byName)
	return out, err
}

// next is a copy to be changed into the generation after this one.
func (s *snapshot) next() *snapshot {
	return &snapshot{book: &book{ids: slices.Clone(s.book.ids), lines: maps.Clone(s.book.lines)}}
}

func (s *snapshot) put(r *Record) error {
	line, err := encodeRecord(r)
	if err != nil {
		return err
	}
	s.book.put(r.ID, line)
	r.mark = markOf(line)
	return nil
}

func (s *snapshot) remove(id ID) {
	delete(s.book.lines, id)
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
