//go:build !linux

package session

// Harden does nothing here: what there is to switch off belongs to the system's own settings.
func Harden() error { return nil }
