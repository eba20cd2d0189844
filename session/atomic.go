package session

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// These modes hold whatever the umask says.
const (
	dirMode  fs.FileMode = 0o700
	fileMode fs.FileMode = 0o600
)

// afterStep is called after each step of a change on disk; only tests set it, to end the
// process there.
var afterStep = func(string) {}

// replaceFile writes path as a whole or not at all, by way of path+".tmp" beside it, and follows
// path where it is a symbolic link. With a backup the present file is kept under that name, at
// no time without one of the two. The caller holds the lock that excludes other writers.
func replaceFile(path, backup string, sync bool, write func(io.Writer) error) error {
	target, err := linkTarget(path)
	if err != nil {
		return err
	}
	tmp := target + ".tmp"
	if err := writeNew(tmp, sync, write); err != nil {
		_ = os.Remove(tmp)
		return err
	}
	afterStep("temporary file written")
	if backup != "" {
		if err := keepAs(target, backup); err != nil {
			_ = os.Remove(tmp)
			return fmt.Errorf("keeping the generation before: %w", err)
		}
		afterStep("backup kept")
	}
	if err := rename(tmp, target); err != nil {
		_ = os.Remove(tmp)
		return err
	}
	afterStep("file replaced")
	if sync {
		// The change is made: an error would deny it. What can be lost is that a power cut undoes it.
		_ = syncDir(filepath.Dir(target))
	}
	return nil
}

// linkTarget is where the file behind path is, or has to be.
func linkTarget(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return path, nil //nolint:nilerr // no such file yet, or the write will tell
	}
	target, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		to, _ := os.Readlink(path)
		return "", fmt.Errorf("%s is a link to %s, which is not there (is a disk not mounted?): bring it back, or remove the link", path, to)
	}
	return target, err
}

// writeNew writes a file that nobody else knows yet.
func writeNew(path string, sync bool, write func(io.Writer) error) (err error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a killed process
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Chmod(fileMode); err != nil {
		return err
	}
	afterStep("temporary file made")
	w := bufio.NewWriterSize(f, 1<<16)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if !sync {
		return nil
	}
	return f.Sync()
}

// openOurs opens a file that stays where it is, making it when it isn't there, and sees to its mode.
func openOurs(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Mode().Perm() != fileMode {
		err = f.Chmod(fileMode)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// keepAs keeps the file also as backup: by a second link, or by a copy where there are none.
func keepAs(path, backup string) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	tmp := backup + ".tmp"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if os.Link(path, tmp) != nil {
		if err := copyFile(path, tmp); err != nil {
			return err
		}
	}
	if err := rename(tmp, backup); err != nil {
		return err
	}
	_ = os.Remove(tmp) // renaming does nothing when both are links to one file, as after a kill
	return nil
}

// copyFile copies a file to a name that is free.
func copyFile(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	return writeNew(to, true, func(w io.Writer) error {
		_, err := io.Copy(w, src)
		return err
	})
}
