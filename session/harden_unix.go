//go:build unix

package session

import (
	"errors"

	"golang.org/x/sys/unix"
)

// coreLimit is what the limit of core dumps was before Harden.
var coreLimit *unix.Rlimit

// Harden keeps the memory of this process, which holds tokens, from core dumps and, on Linux,
// from other processes of the same user. It is for main, before anything else; what it starts
// inherits the limit of core dumps.
func Harden() error {
	var limit unix.Rlimit
	err := unix.Getrlimit(unix.RLIMIT_CORE, &limit)
	if err == nil {
		was := limit
		coreLimit = &was
		limit.Cur = 0
		err = unix.Setrlimit(unix.RLIMIT_CORE, &limit)
	}
	return errors.Join(err, noDump())
}

// AllowCore gives the limit of core dumps back, for a program that is about to replace this one.
func AllowCore() error {
	if coreLimit == nil {
		return nil
	}
	return unix.Setrlimit(unix.RLIMIT_CORE, coreLimit)
}
