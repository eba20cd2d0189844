package cli

import "golang.org/x/sys/unix"

// hasKernelKeyring tells whether keys can be kept in the kernel: containers often forbid it.
func hasKernelKeyring() bool {
	_, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_USER_KEYRING, true)
	return err == nil
}
