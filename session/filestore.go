package session

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"filippo.io/age"
	"github.com/adrg/xdg"

	"wakey/api"
)

// The files of a store. Every one is 0600, in a directory of 0700.
const (
	accountsName = "accounts.age"     // the accounts with their tokens
	backupName   = "accounts.age.bak" // the generation before
	indexName    = "index.json"       // the accounts without their tokens
	keyName      = "key.json"         // where the key of accounts.age is
	wrappedName  = "key.age"          // the key itself under a passphrase
	locksName    = "locks"            // the accounts' locks, and what is being asked for
	storeLock    = "store.lock"       // held while accounts.age is read and written again
	keyLock      = "key.lock"         // held while the key is made or changed; taken before store.lock
)

// ErrDamaged says that the store's files are not what was written.
var ErrDamaged = errors.New("the store is damaged")

// errKeyChanged says that accounts.age needs a key that is not open.
var errKeyChanged = errors.New("the key of the store was changed")

// FileStore keeps the records in one encrypted file. Its methods may be called from any
// goroutine, and any number of processes may use one directory.
type FileStore struct {
	dir     string
	o       StoreOptions
	copies  bool          // a bucket's records, of which this is what was last seen
	keySlot chan struct{} // holds a value while somebody opens the key, which may mean to ask a person

	mu       sync.Mutex
	prepared bool
	snap     *snapshot // the newest generation read or written
	before   *snapshot // that which a commit of ours is about to replace; nil: none is under way
	foreign  uint64    // generations read that somebody else wrote
	key      *storeKey // open; nil: not yet
	queue    []*change
	writing  bool
}

// StoreOptions say how the key of a file store is had.
type StoreOptions struct {
	// Passphrase asks for the store's passphrase; nil when there is nobody to ask.
	Passphrase func(ctx context.Context, r PassphraseRequest) (api.Secret, error)
	// Keyring is called when the keyring has not answered for a second: it may be showing its own
	// prompt. It returns when the person does not want to wait any longer, and when ctx ends, as it
	// does once the keyring has answered. Nil: nobody is there, and 5 seconds are waited.
	Keyring func(ctx context.Context, r KeyringRequest)
}

// PassphraseRequest says what a passphrase is asked for.
type PassphraseRequest struct {
	New    bool   // the passphrase is chosen: ask twice
	Reason string // why it is asked for, for a person: no keyring here, wrong passphrase
}

// DefaultDir is where the store lives: wakey below the XDG data directory or its equal.
func DefaultDir() string { return filepath.Join(xdg.DataHome, "wakey") }

// OpenFileStore returns the store in dir. It reads nothing and asks nobody until the first call
// that needs a record.
func OpenFileStore(dir string, o StoreOptions) *FileStore {
	return &FileStore{dir: dir, o: o, keySlot: make(chan struct{}, 1)}
}

// Dir returns the store's directory.
func (s *FileStore) Dir() string { return s.dir }

func (s *FileStore) path(name string) string { return filepath.Join(s.dir, name) }

// Load returns every record, in order of name. Errors: ErrLocked, ErrDamaged, ErrNewer.
func (s *FileStore) Load(ctx context.Context) ([]Record, error) {
	snap, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	all, err := snap.all()
	if err != nil {
		return nil, s.damaged(err)
	}
	return all, nil
}

// changed returns the records whose marks are not those in have, and the IDs of the others: of ten
// thousand accounts it parses the one that another process refreshed. Errors: those of Load.
func (s *FileStore) changed(ctx context.Context, have map[ID]uint64) (changed []Record, same []ID, err error) {
	snap, err := s.read(ctx)
	if err != nil {
		return nil, nil, err
	}
	if changed, same, err = snap.changed(have); err != nil {
		return nil, nil, s.damaged(err)
	}
	return changed, same, nil
}

// Get returns one record. Errors: ErrNoAccount and those of Load.
func (s *FileStore) Get(ctx context.Context, id ID) (Record, error) {
	snap, err := s.read(ctx)
	if err != nil {
		return Record{}, err
	}
	r, ok, err := snap.get(id)
	if err != nil {
		return Record{}, s.damaged(err)
	}
	if !ok {
		return Record{}, fmt.Errorf("%w: %s", ErrNoAccount, id)
	}
	return r, nil
}

// Stamp changes whenever somebody else writes. It needs no key.
func (s *FileStore) Stamp() (string, error) {
	stamp, err := s.generation()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.before != nil || s.snap != nil && s.snap.stamp == stamp {
		stamp = "known " + strconv.FormatUint(s.foreign, 10)
	}
	return stamp, err
}

// generation names what accounts.age holds; "" when there is none.
func (s *FileStore) generation() (string, error) {
	f, err := os.Open(s.path(accountsName))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	stamp, _, err := stampOf(f)
	return stamp, err
}

// headSize spans the age header, whose keys are drawn anew for each write: unlike an inode or a
// time it never comes again.
const headSize = 256

// stampOf names the generation in f, of which it reads the head.
func stampOf(f *os.File) (stamp string, head []byte, err error) {
	info, err := f.Stat()
	if err != nil {
		return "", nil, err
	}
	head = make([]byte, headSize)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", nil, err
	}
	head = head[:n]
	// Size and time tell of somebody else's hand on the file.
	sum := sha256.Sum256(fmt.Appendf(head, " %d %d", info.Size(), info.ModTime().UnixNano()))
	return hex.EncodeToString(sum[:8]), head, nil
}

// read returns the accounts as they stand, decrypting them only when they changed.
func (s *FileStore) read(ctx context.Context) (*snapshot, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.prepare(false); err != nil {
		return nil, err
	}
	if err := s.checkEngine(); err != nil {
		return nil, err
	}
	for {
		key := s.openedKey()
		snap, err := s.readWith(key)
		if !errors.Is(err, errKeyChanged) {
			return snap, err
		}
		if _, err := s.openKey(ctx, key, false); err != nil {
			return nil, err
		}
	}
}

// readWith reads the accounts with key. Errors: errKeyChanged when it takes another.
func (s *FileStore) readWith(key *storeKey) (*snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.before != nil {
		return s.before, nil // nobody else may write, and ours is not known to be written yet
	}
	f, err := os.Open(s.path(accountsName))
	if errors.Is(err, fs.ErrNotExist) {
		_, older := os.Stat(s.path(backupName))
		// Looked for again: it and its backup may have been written between the two looks.
		if f, err = os.Open(s.path(accountsName)); errors.Is(err, fs.ErrNotExist) {
			return s.missing(older == nil)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the accounts can't be read: %w", err)
	}
	defer f.Close()
	stamp, head, err := stampOf(f)
	if err != nil {
		return nil, fmt.Errorf("the accounts can't be read: %w", err)
	}
	if s.snap != nil && s.snap.stamp == stamp {
		return s.snap, nil
	}
	if key == nil {
		return nil, errKeyChanged
	}
	s.snap = nil // nobody needs it while the next one takes as much room again
	data, err := decrypt(io.MultiReader(bytes.NewReader(head), f), sizeOf(f), key.identity)
	if wrong := new(age.NoIdentityMatchError); errors.As(err, &wrong) {
		return nil, errKeyChanged
	}
	if err != nil {
		return nil, s.damaged(err)
	}
	snap, err := parseSnapshot(stamp, data)
	if errors.Is(err, ErrNewer) {
		return nil, fmt.Errorf("%s was %w", f.Name(), err)
	}
	if err != nil {
		return nil, s.damaged(err)
	}
	s.snap = snap
	s.foreign++
	return snap, nil
}

// missing is what no accounts.age means: a store that was never written, or a loss.
func (s *FileStore) missing(older bool) (*snapshot, error) {
	if _, err := linkTarget(s.path(accountsName)); err != nil {
		return nil, err
	}
	if older {
		return nil, fmt.Errorf("%w: %s is gone, but the generation before it is there: bring it back, or copy %s to that name",
			ErrDamaged, s.path(accountsName), s.path(backupName))
	}
	if s.snap == nil || s.snap.stamp != "" {
		s.snap = emptySnapshot()
	}
	return s.snap, nil
}

func sizeOf(f *os.File) int {
	info, err := f.Stat()
	if err != nil {
		return 0
	}
	return int(info.Size())
}

func decrypt(r io.Reader, size int, identities ...age.Identity) ([]byte, error) {
	plain, err := age.Decrypt(bufio.NewReaderSize(r, 1<<16), identities...)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	buf.Grow(size + bytes.MinRead)
	_, err = buf.ReadFrom(plain)
	return buf.Bytes(), err
}

// damaged keeps accounts.age aside and says what to do.
func (s *FileStore) damaged(cause error) error {
	path := s.path(accountsName)
	advice := "restore a backup (wakey store restore)"
	if _, err := os.Stat(s.path(backupName)); err == nil {
		advice = fmt.Sprintf("copy the generation before, %s, to %s", s.path(backupName), path)
	}
	kept := ""
	if info, err := os.Stat(path); err == nil {
		aside := path + ".damaged-" + info.ModTime().UTC().Format("20060102T150405Z")
		if _, err := os.Stat(aside); err == nil || copyFile(path, aside) == nil {
			kept = fmt.Sprintf(" It was kept as %s.", aside)
		}
	}
	return fmt.Errorf("%w: %s can't be read (%w).%s To go on, %s", ErrDamaged, path, cause, kept, advice)
}

func (s *FileStore) wrongKey() error {
	return fmt.Errorf("%w: %s does not open with the key that %s names: they belong to different stores, or one is older: bring back the one that belongs here, or restore a backup (wakey store restore)",
		ErrDamaged, s.path(accountsName), s.path(keyName))
}

// writtenAt is when accounts.age was last written; zero when there is none.
func (s *FileStore) writtenAt() time.Time {
	info, err := os.Stat(s.path(accountsName))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
