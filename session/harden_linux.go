package session

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Harden keeps the memory of this process, which holds tokens, from core dumps and from other
// processes of the same user (ptrace, /proc/PID/mem).
func Harden() error {
	var limit unix.Rlimit
	err := unix.Getrlimit(unix.RLIMIT_CORE, &limit)
	if err == nil {
		limit.Cur = 0
		err = unix.Setrlimit(unix.RLIMIT_CORE, &limit)
	}
	return errors.Join(err, unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
}
