package session

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// shelf keeps small files without secrets in the store's directory, or, without one, for as long
// as the process lives.
type shelf struct {
	dir string
	one gate
	mem map[string][]byte
}

// gate lets one goroutine of this process through at a time. Unlike a mutex it may be waited at
// while whoever is inside waits for another process's lock, also in a bubble of testing/synctest.
type gate chan struct{}

func (g gate) pass() (leave func()) {
	g <- struct{}{}
	return func() { <-g }
}

const (
	shelfWait = 5 * time.Second
	// maxShelved bounds what is read back: a file of ours never comes near it.
	maxShelved = 16 << 20
)

func newShelf(dir string) *shelf {
	return &shelf{dir: dir, one: make(gate, 1), mem: map[string][]byte{}}
}

// read returns a file's content; nil when there is none.
func (s *shelf) read(name string) ([]byte, error) {
	if s.dir == "" {
		defer s.one.pass()()
		return s.mem[name], nil
	}
	path := filepath.Join(s.dir, name)
	if info, err := os.Stat(path); err == nil && info.Size() > maxShelved {
		return nil, fmt.Errorf("%s is larger than anything written there: look at it, then remove it", path)
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

// update changes a file in one step, alone among all processes. fn gets what is there, nil for
// nothing, and gives what shall be; nil removes the file. When fn fails nothing changes.
func (s *shelf) update(name string, fn func(old []byte) ([]byte, error)) error {
	defer s.one.pass()()
	if s.dir == "" {
		b, err := fn(s.mem[name])
		if err == nil {
			s.mem[name] = b
		}
		return err
	}
	if err := makeDir(s.dir); err != nil {
		return err
	}
	unlock, err := holdFile(filepath.Join(s.dir, "notes.lock"), shelfWait)
	if err != nil {
		return err
	}
	defer unlock()
	old, err := s.read(name)
	if err != nil {
		return err
	}
	b, err := fn(old)
	if err != nil || b != nil && bytes.Equal(old, b) {
		return err
	}
	path := filepath.Join(s.dir, name)
	if b == nil {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	return replaceFile(path, "", true, writer(b))
}

// writer writes b into what replaceFile is about to put into place.
func writer(b []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}
}

// names lists the files whose names begin and end so, sorted.
func (s *shelf) names(prefix, suffix string) ([]string, error) {
	var names []string
	fits := func(name string) {
		if strings.HasPrefix(name, prefix) && strings.HasSuffix(name, suffix) && len(name) > len(prefix)+len(suffix) {
			names = append(names, name)
		}
	}
	if s.dir == "" {
		defer s.one.pass()()
		for name, b := range s.mem {
			if b != nil {
				fits(name)
			}
		}
	} else {
		entries, err := os.ReadDir(s.dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			fits(e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}
