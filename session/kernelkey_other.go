//go:build !linux

package session

import (
	"errors"
	"time"
)

// ErrNoKernelKeyring says that a key can't be kept unlocked for other processes.
var ErrNoKernelKeyring = errors.New("this system has no kernel keyring, so the store stays unlocked for this process alone")

func kernelKey(string) (string, bool) { return "", false }

func keepInKernel(string, []byte, time.Duration) error { return ErrNoKernelKeyring }

func kernelForget(string) error { return nil }

// KeepReady does nothing: only Linux has a keyring in its kernel.
func (s *FileStore) KeepReady(Account, Access, time.Duration, bool) {}
