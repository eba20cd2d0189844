package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"

	"wakey/api"
)

// ErrWrongPassphrase says that a passphrase does not open the store.
var ErrWrongPassphrase = errors.New("wrong passphrase")

// scryptWork is the logarithm of the work to try one passphrase: about half a second.
var scryptWork = 17

// howToAnswer is for whoever has no terminal to be asked at.
const howToAnswer = "run wakey unlock at a terminal, or name a file with the passphrase in WAKEY_PASSPHRASE_FILE"

// ask gets a passphrase from whoever the program asks.
func (s *FileStore) ask(ctx context.Context, r PassphraseRequest) (api.Secret, error) {
	if s.o.Passphrase == nil {
		return api.Secret{}, fmt.Errorf("%w: %s, and there is nobody to ask: %s", ErrLocked, r.Reason, howToAnswer)
	}
	p, err := s.o.Passphrase(ctx, r)
	if err != nil {
		if ctx.Err() != nil {
			return api.Secret{}, ctx.Err()
		}
		return api.Secret{}, fmt.Errorf("%w: %w", ErrLocked, err)
	}
	if p.IsZero() {
		return api.Secret{}, fmt.Errorf("%w: the passphrase is empty", ErrLocked)
	}
	return p, nil
}

// wrapWith encrypts data under a passphrase, for plain age to open as well.
func wrapWith(w io.Writer, p api.Secret, write func(io.Writer) error) error {
	recipient, err := age.NewScryptRecipient(p.Reveal())
	if err != nil {
		return err
	}
	recipient.SetWorkFactor(scryptWork)
	sealed, err := age.Encrypt(w, recipient)
	if err != nil {
		return err
	}
	if err := write(sealed); err != nil {
		return err
	}
	return sealed.Close()
}

// unwrapAsking opens data, asking up to three times. what is for the person who is asked.
func (s *FileStore) unwrapAsking(ctx context.Context, data []byte, what string) ([]byte, error) {
	reason, last := what, ""
	for left := 2; ; left-- {
		p, err := s.ask(ctx, PassphraseRequest{Reason: reason})
		if err != nil {
			return nil, err
		}
		identity, err := age.NewScryptIdentity(p.Reveal())
		if err != nil {
			return nil, err
		}
		plain, err := decrypt(bytes.NewReader(data), len(data), identity)
		if wrong := new(age.NoIdentityMatchError); !errors.As(err, &wrong) {
			return plain, err
		}
		if left == 0 || p.Reveal() == last { // a file gives the same answer for ever
			return nil, fmt.Errorf("%w: %w: %s", ErrLocked, ErrWrongPassphrase, what)
		}
		last = p.Reveal()
		reason = fmt.Sprintf("wrong passphrase, %d more tries: %s", left, what)
	}
}

// unwrapKey opens key.age.
func (s *FileStore) unwrapKey(ctx context.Context, kf keyFile) (*storeKey, error) {
	path := s.path(wrappedName)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: the key of the accounts: %w: bring it back, or restore a backup (wakey store restore)", ErrDamaged, err)
	}
	plain, err := s.unwrapAsking(ctx, data, "the accounts in "+s.dir+" are locked with a passphrase")
	if errors.Is(err, ErrLocked) || ctx.Err() != nil {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s can't be read (%w): bring back an older copy, or restore a backup (wakey store restore)", ErrDamaged, path, err)
	}
	for line := range strings.Lines(string(plain)) { // two while the key is being changed
		if k, err := parseStoreKey(strings.TrimSpace(line)); err == nil && k.recipient == kf.Recipient {
			return k, nil
		}
	}
	return nil, fmt.Errorf("%w: %s does not hold the key that %s names: they belong to different stores: bring back the one that belongs here, or restore a backup (wakey store restore)",
		ErrDamaged, path, s.path(keyName))
}

// writeWrapped writes key.age: an age identity file, under a passphrase.
func (s *FileStore) writeWrapped(p api.Secret, keys ...*storeKey) error {
	return s.cannotWrite(replaceFile(s.path(wrappedName), "", true, func(w io.Writer) error {
		return wrapKeys(w, p, keys)
	}))
}

// wrapKeys writes an age identity file, under a passphrase.
func wrapKeys(w io.Writer, p api.Secret, keys []*storeKey) error {
	return wrapWith(w, p, func(w io.Writer) error {
		for _, k := range keys {
			if _, err := io.WriteString(w, k.secret()+"\n"); err != nil {
				return err
			}
		}
		return nil
	})
}
