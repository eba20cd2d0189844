//go:build unix

package session

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// rename replaces a file.
func rename(from, to string) error { return os.Rename(from, to) }

// syncDir makes the renames in dir outlast a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) { // some network file systems can't
		return err
	}
	return nil
}

// checkAccess makes sure that path, a file or a directory, is ours and nobody else's to read.
func checkAccess(path string, info fs.FileInfo, mode fs.FileMode) error {
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to user %d and you are user %d: run wakey as its owner, or choose another place with XDG_DATA_HOME", path, st.Uid, os.Geteuid())
	}
	if info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	if err := os.Chmod(path, info.Mode().Perm()&mode); err != nil {
		return fmt.Errorf("others may read %s (mode %#o), and that can't be changed: %w", path, info.Mode().Perm(), err)
	}
	if now, err := os.Stat(path); err != nil || now.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("others may read %s, and its file system keeps no modes: move the directory to one that does", path)
	}
	return nil
}
