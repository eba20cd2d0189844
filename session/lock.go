package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// acquire waits until this process alone has the lock at path. The kernel gives it up when the
// process ends, however it ends.
func acquire(ctx context.Context, path string) (*flock.Flock, error) {
	for delay := time.Millisecond; ; delay = min(2*delay, 20*time.Millisecond) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		l := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(fileMode))
		ok, err := l.TryLock()
		if err != nil {
			return nil, fmt.Errorf("locking: %w", err)
		}
		if ok {
			current, err := isCurrent(l, path)
			if current {
				return l, nil
			}
			if err = errors.Join(err, l.Close()); err != nil {
				return nil, fmt.Errorf("locking: %w", err)
			}
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(delay/2 + rand.N(delay)): //nolint:gosec // spreads the waiting, hides nothing
		}
	}
}

// isCurrent tells whether the locked file is still the one at path: the holder before us may
// have removed it.
func isCurrent(l *flock.Flock, path string) (bool, error) {
	locked, err := l.Stat()
	if err != nil {
		return false, err
	}
	there, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil || !os.SameFile(locked, there) {
		return false, err
	}
	if locked.Mode().Perm() != fileMode {
		return true, os.Chmod(path, fileMode) // the umask took more than it should
	}
	return true, nil
}

// Lock waits until this caller alone, in all processes, may ask for tokens of id. Beside the
// lock lies the attempt under way; both are gone when nothing is.
func (s *FileStore) Lock(ctx context.Context, id ID) (*Lock, error) {
	if err := validID(id); err != nil {
		return nil, err
	}
	if err := s.prepare(true); err != nil {
		return nil, err
	}
	if err := s.checkEngine(); err != nil {
		return nil, err
	}
	path := filepath.Join(s.dir, locksName, string(id))
	if err := makeDir(filepath.Dir(path)); err != nil {
		return nil, s.cannotWrite(err)
	}
	file, err := acquire(ctx, path+".lock")
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, s.cannotWrite(err)
	}
	note := path + ".attempt"
	l := &Lock{
		begin: func(a Attempt) error { return s.cannotWrite(writeAttempt(note, a)) },
		end: func() error {
			if err := os.Remove(note); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return s.cannotWrite(err)
			}
			afterStep("note taken back")
			return nil
		},
		release: sync.OnceFunc(func() {
			_ = os.Remove(file.Path()) // whoever waits for it looks again, see isCurrent
			afterStep("lock's file removed")
			_ = file.Close()
		}),
	}
	if l.Interrupted, err = readAttempt(note); err != nil {
		l.Release()
		return nil, err
	}
	return l, nil
}

func writeAttempt(path string, a Attempt) (err error) {
	data, err := json.Marshal(a)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Chmod(fileMode); err != nil {
		return err
	}
	afterStep("note begun")
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil { // it is there to be found after a crash
		return err
	}
	afterStep("note written")
	return nil
}

// readAttempt gives nil when there is none, and when only a part of it was written: whoever did
// that never came to ask.
func readAttempt(path string) (*Attempt, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // there is none
	}
	if err != nil {
		return nil, err
	}
	var a Attempt
	if json.Unmarshal(data, &a) != nil {
		return nil, nil //nolint:nilnil,nilerr // see above
	}
	return &a, nil
}
