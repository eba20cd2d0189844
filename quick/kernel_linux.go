package quick

import (
	"bytes"
	"syscall"
	"unsafe"
)

// The kernel's numbers, as in linux/keyctl.h and linux/prctl.h.
const (
	keyctlDescribe  = 6
	keyctlSearch    = 10
	keyctlRead      = 11
	userKeyring     = -4
	prSetDumpable   = 4
	readyLimit      = 4096
	descriptionSize = 512
)

// harden keeps the memory of this process, which is about to hold a token, from other processes of the same
// user and from core dumps.
func harden() {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetDumpable, 0, 0); errno != 0 {
		return // as open as any other program
	}
}

// findKey finds a key in the user's keyring.
func findKey(description string) (id uintptr, ok bool) {
	kind, err := syscall.BytePtrFromString("user")
	if err != nil {
		return 0, false
	}
	name, err := syscall.BytePtrFromString(description)
	if err != nil {
		return 0, false
	}
	keyring := userKeyring
	id, _, errno := syscall.RawSyscall6(syscall.SYS_KEYCTL, keyctlSearch, uintptr(keyring),
		uintptr(unsafe.Pointer(kind)), uintptr(unsafe.Pointer(name)), 0, 0) //nolint:gosec // the kernel takes addresses
	return id, errno == 0
}

// readReady reads the token of the store in dir from the user's keyring, if the key that it depends on is still
// there.
func readReady(dir string) (r Ready, ok bool) {
	id, ok := findKey(ReadyName(dir))
	if !ok {
		return r, false
	}
	b := make([]byte, readyLimit)
	if b = keyctl(keyctlRead, id, b); b == nil {
		return r, false
	}
	if r, ok = parseReady(b); !ok || r.KeySerial <= 0 {
		return r, false
	}
	// "user;0;0;3f0b0000;wakey:age1…": an error when it was taken away or has expired.
	description := keyctl(keyctlDescribe, uintptr(r.KeySerial), make([]byte, descriptionSize))
	return r, bytes.HasSuffix(bytes.TrimRight(description, "\x00"), []byte(";"+r.Key))
}

// keyctl asks for something of a key, and gives what the kernel writes into b; nil for an error or what is longer.
func keyctl(operation, id uintptr, b []byte) []byte {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_KEYCTL, operation, id, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0, 0) //nolint:gosec // likewise
	if errno != 0 || n > uintptr(len(b)) {
		return nil
	}
	return b[:n]
}
