//go:build unix

package session

import (
	"errors"

	"golang.org/x/sys/unix"
)

// limits are what Harden changes.
type limits struct {
	core  unix.Rlimit
	umask int
}

// before is how they were; nil before Harden.
var before *limits

// Harden keeps the memory of this process, which holds tokens, from core dumps and, on Linux,
// from other processes of the same user, and what it writes from other users, whatever the umask.
// It is for main, before anything else; what it starts inherits the limit of core dumps and the
// umask.
func Harden() error {
	before = &limits{umask: unix.Umask(0o077)}
	err := unix.Getrlimit(unix.RLIMIT_CORE, &before.core)
	if err == nil {
		none := before.core
		none.Cur = 0
		err = unix.Setrlimit(unix.RLIMIT_CORE, &none)
	}
	return errors.Join(err, noDump())
}

// Soften gives back what Harden took, for a program that is about to replace this one.
func Soften() error {
	if before == nil {
		return nil
	}
	unix.Umask(before.umask)
	return unix.Setrlimit(unix.RLIMIT_CORE, &before.core)
}
