//go:build unix

package quick

import (
	"io"
	"io/fs"
	"syscall"
)

// file is an open file without all that os.File brings along: pollers, finalizers and the threads that run them.
type file int

func openFile(path string) (file, error) {
	for {
		fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return -1, &fs.PathError{Op: "open", Path: path, Err: err}
		}
		return file(fd), nil
	}
}

func (f file) close() { _ = syscall.Close(int(f)) }

// Read reads as os.File does.
func (f file) Read(b []byte) (int, error) {
	for {
		switch n, err := syscall.Read(int(f), b); {
		case err == syscall.EINTR:
		case err != nil:
			return 0, err
		case n == 0 && len(b) > 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}
