package session

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// rename replaces a file. While somebody reads the old one, Windows refuses: readers need
// milliseconds.
func rename(from, to string) error {
	for delay := time.Millisecond; ; delay *= 2 {
		err := os.Rename(from, to)
		busy := errors.Is(err, windows.ERROR_ACCESS_DENIED) || errors.Is(err, windows.ERROR_SHARING_VIOLATION)
		if !busy || delay > time.Second {
			return err
		}
		time.Sleep(delay)
	}
}

// syncDir does nothing: NTFS journals renames by itself.
func syncDir(string) error { return nil }

// checkAccess does nothing: what lies below the user's profile is that user's alone.
func checkAccess(string, fs.FileInfo, fs.FileMode) error { return nil }
