//go:build !linux

package cli

func hasKernelKeyring() bool { return false }
