package session

import "golang.org/x/sys/unix"

// noDump closes this process's memory to other processes of the same user (ptrace,
// /proc/PID/mem, /proc/PID/environ). A program that replaces it is open again.
func noDump() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
