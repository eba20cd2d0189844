//go:build unix && !linux

package session

// noDump does nothing: these systems let only debuggers with rights of their own look.
func noDump() error { return nil }
