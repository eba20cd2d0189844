package session

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// prepare makes the directory when asked to, and sees to it that nobody else can read what is in
// it. A store that does not exist is fine for a reader.
func (s *FileStore) prepare(create bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.prepared {
		return nil
	}
	info, err := os.Stat(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		if !create {
			return nil
		}
		if err := makeDir(s.dir); err != nil {
			return fmt.Errorf("the store's directory can't be made: %w", err)
		}
		info, err = os.Stat(s.dir)
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s should be wakey's directory and is a file: move it away", s.dir)
	}
	if err := checkAccess(s.dir, info, dirMode); err != nil {
		return err
	}
	// These may be links to files elsewhere, which are looked at then.
	for _, name := range []string{accountsName, backupName, indexName, keyName, wrappedName} {
		info, err := os.Stat(s.path(name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := checkAccess(s.path(name), info, fileMode); err != nil {
			return err
		}
	}
	if err := checkInside(s.dir); err != nil {
		return err
	}
	if err := checkInside(s.path(locksName)); err != nil {
		return err
	}
	s.prepared = true
	return nil
}

// checkInside makes sure that the files in a directory of ours, and a directory of locks, are nobody
// else's to read. What comes and goes meanwhile is another wakey's, which sees to it.
func checkInside(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		mode := fileMode
		switch {
		case e.IsDir() && e.Name() == locksName:
			mode = dirMode
		case !e.Type().IsRegular():
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if err := checkAccess(path, info, mode); err != nil {
			if _, gone := os.Lstat(path); errors.Is(gone, fs.ErrNotExist) {
				continue
			}
			return err
		}
	}
	return nil
}

// makeDir makes a directory of ours with its parents.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	return os.Chmod(dir, dirMode) // the umask may have taken some
}
