package session

// Harden does nothing: Windows writes no dumps of a program unless its administrator says so.
func Harden() error { return nil }

// Soften does nothing, as Harden does.
func Soften() error { return nil }
