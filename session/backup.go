package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"
)

// Backup writes the accounts with their tokens to w, under a passphrase that it asks for. Plain
// age opens it as well. The key of the store is not in it.
func (s *FileStore) Backup(ctx context.Context, w io.Writer) error {
	snap, err := s.read(ctx)
	if err != nil {
		return err
	}
	if snap.stamp == "" {
		return errors.New("there is nothing to back up: no account was ever added")
	}
	if _, err := snap.all(); err != nil { // a backup that can't be restored is none
		return s.damaged(err)
	}
	p, err := s.ask(ctx, PassphraseRequest{New: true, Reason: "it will lock the backup"})
	if err != nil {
		return err
	}
	return wrapWith(w, p, snap.book.write)
}

// BackupTo writes a backup to a new file. Killed at any point, the file is whole or not there; what
// is left of it then, encrypted as well, has the ending .wakey-partial, and the next try replaces it.
func (s *FileStore) BackupTo(ctx context.Context, path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is there already: choose another name, or move it away", path)
	}
	partial := path + ".wakey-partial"
	defer func() { _ = os.Remove(partial) }()
	if err := writeNew(partial, true, func(w io.Writer) error { return s.Backup(ctx, w) }); err != nil {
		return err
	}
	afterStep("backup written")
	// A link, not a rename: a file that appeared meanwhile stays.
	if err := os.Link(partial, path); errors.Is(err, fs.ErrExist) {
		return err
	} else if err != nil {
		if err := rename(partial, path); err != nil { // a file system without links
			return err
		}
	}
	afterStep("backup named")
	_ = syncDir(filepath.Dir(path)) // what can be lost is that a power cut undoes it
	return nil
}

// Restored says what Restore did.
type Restored struct {
	Accounts int
	Kept     []string // the files that were there before, under their new names
}

// Restore replaces the accounts by those of a backup. What is there, readable or not, is kept
// under other names first. A store whose key is open keeps it; one whose key is lost, and a new
// one, get a new key. Killed at any point, the store holds the accounts of before or those of the
// backup. Errors: ErrLocked, ErrNewer, ErrDamaged when r holds no backup.
func (s *FileStore) Restore(ctx context.Context, r io.Reader) (Restored, error) {
	if err := s.prepare(true); err != nil {
		return Restored{}, err
	}
	snap, err := s.readBackup(ctx, r)
	if err != nil {
		return Restored{}, err
	}
	old, err := s.keyToRestoreWith(ctx)
	if err != nil {
		return Restored{}, err
	}
	lock, err := s.lockStore(ctx, keyLock)
	if err != nil {
		return Restored{}, err
	}
	defer lock.Close()
	kf, kerr := s.readKeyFile()
	if old != nil && (kerr != nil || kf.Recipient != old.recipient) {
		return Restored{}, fmt.Errorf("%w meanwhile, by another wakey: try again", errKeyChanged)
	}
	done := Restored{Accounts: len(snap.book.ids)}
	if done.Kept, err = s.keepAside(); err != nil {
		return Restored{}, s.cannotWrite(err)
	}
	afterStep("kept aside")
	switch {
	case old != nil:
		return done, s.replaceAccounts(ctx, snap, old)
	case kerr != nil: // no key is named: make one as the first account does
		k, err := s.createKey(ctx, "", s.installKey)
		if err != nil {
			return done, err
		}
		return done, s.replaceAccounts(ctx, snap, k)
	}
	return done, s.restoreUnderNewKey(ctx, snap, kf)
}

// readBackup reads and checks all of a backup.
func (s *FileStore) readBackup(ctx context.Context, r io.Reader) (*snapshot, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("reading the backup: %w", err)
	}
	if !bytes.HasPrefix(data, []byte("age-encryption.org/v1\n-> scrypt ")) {
		return nil, fmt.Errorf("%w: this is no backup of wakey: name the file that wakey store backup made", ErrDamaged)
	}
	plain, err := s.unwrapAsking(ctx, data, "the backup is locked with a passphrase")
	if errors.Is(err, ErrLocked) || ctx.Err() != nil {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: this is no whole backup of wakey (%w)", ErrDamaged, err)
	}
	snap, err := parseSnapshot("", plain)
	if errors.Is(err, ErrNewer) {
		return nil, fmt.Errorf("the backup was %w", err)
	}
	if err == nil {
		_, err = snap.all()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the backup's accounts can't be read (%w)", ErrDamaged, err)
	}
	return snap, nil
}

// keyToRestoreWith is the store's key, nil when it has none or has lost it. One that is only
// locked may not be replaced by a new one.
func (s *FileStore) keyToRestoreWith(ctx context.Context) (*storeKey, error) {
	k, err := s.keyFor(ctx)
	switch {
	case err == nil:
		return k, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, ErrLocked):
		return nil, fmt.Errorf("%w; if it can't be unlocked any more, move %s away and restore again", err, s.dir)
	case errors.Is(err, ErrNewer):
		return nil, err
	}
	return nil, nil //nolint:nilnil // see above
}

// keepAside copies what a restored store replaces.
func (s *FileStore) keepAside() ([]string, error) {
	var kept []string
	suffix := ".before-restore-" + time.Now().UTC().Format("20060102T150405.000Z")
	for _, name := range []string{accountsName, backupName, keyName, wrappedName} {
		if _, err := os.Stat(s.path(name)); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := copyFile(s.path(name), s.path(name)+suffix); err != nil {
			return kept, err
		}
		kept = append(kept, s.path(name)+suffix)
	}
	return kept, nil
}

// replaceAccounts writes the accounts of a backup with the store's own key.
func (s *FileStore) replaceAccounts(ctx context.Context, snap *snapshot, k *storeKey) error {
	lock, err := s.lockStore(ctx, storeLock)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := s.outdate(snap, k); err != nil {
		return err
	}
	if err := s.writeAccounts(snap, k.identity.Recipient()); err != nil {
		return err
	}
	s.writeIndex(nil, snap, nil)
	return nil
}

// outdate gives the records of a backup later versions than those they replace, so that running
// processes take them over.
func (s *FileStore) outdate(snap *snapshot, k *storeKey) error {
	now, err := s.readWith(k)
	if err != nil {
		return nil //nolint:nilerr // unreadable: nobody has taken anything over from it
	}
	for _, id := range snap.book.ids {
		r, _, err := snap.get(id)
		if err != nil {
			return err
		}
		current, ok, err := now.get(id)
		if err != nil || !ok || current.Version < r.Version {
			continue
		}
		r.Version = current.Version + 1
		if err := snap.put(&r); err != nil {
			return err
		}
	}
	return nil
}

// restoreUnderNewKey makes a new key of the kind that the lost one had.
func (s *FileStore) restoreUnderNewKey(ctx context.Context, snap *snapshot, kf keyFile) error {
	lost, err := age.ParseX25519Recipient(kf.Recipient)
	if err != nil {
		return fmt.Errorf("%w: %s names no key (%w): move %s away and restore again", ErrDamaged, s.path(keyName), err, s.dir)
	}
	next, k, tidy, err := s.keepNextKey(ctx, kf, nil)
	if err != nil {
		return err
	}
	err = s.switchKey(ctx, next, k, lost, func() (*snapshot, error) { return snap, nil })
	return errors.Join(err, tidy())
}
