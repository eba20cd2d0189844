package session

import (
	"context"

	"wakey/api"
)

// FileStore keeps the records in one encrypted file.
type FileStore struct{}

// StoreOptions say how the key of a file store is had.
type StoreOptions struct {
	// Passphrase asks for the store's passphrase; nil when there is nobody to ask.
	Passphrase func(ctx context.Context, r PassphraseRequest) (api.Secret, error)
}

// PassphraseRequest says what a passphrase is asked for.
type PassphraseRequest struct {
	New    bool   // a new store: the passphrase is chosen, ask twice
	Reason string // why it is asked for, for a person: no keyring here, wrong passphrase
}

// DefaultDir is where the store lives: wakey below the XDG data directory or its equal.
func DefaultDir() string { return "" }

// OpenFileStore returns the store in dir. It reads nothing and asks nobody until the first call
// that needs a record.
func OpenFileStore(dir string, o StoreOptions) *FileStore { return &FileStore{} }

// ReadIndex reads the accounts as last written down beside the store in dir, without their
// secrets and without the key: what the first frame, the shell prompt and completion show.
// No index is no error.
func ReadIndex(dir string) ([]Account, error) { return nil, nil }
