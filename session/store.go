package session

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Errors of every store.
var (
	ErrNoAccount = errors.New("no such account")
	ErrNameTaken = errors.New("an account of that name exists already")
	// ErrLocked says that the store needs its passphrase (or a keyring that answers) first.
	ErrLocked = errors.New("the store is locked")
)

// Store keeps records. FileStore keeps them on disk, MemoryStore for one process.
//
// Locks are taken in one order: the account's lock, then, inside Update and Remove alone, the
// store's own.
type Store interface {
	// Load returns every record, in order of name.
	Load(ctx context.Context) ([]Record, error)
	// Get returns one record as it stands now, whoever wrote it; ErrNoAccount when there is none.
	Get(ctx context.Context, id ID) (Record, error)
	// Update changes one record in one atomic step and returns it as written. fn gets the
	// record as it stands (only the ID is set when it is new); when fn returns an error
	// nothing is written. A name that another record has is refused with ErrNameTaken.
	Update(ctx context.Context, id ID, fn func(*Record) error) (Record, error)
	// Remove forgets a record. Removing one that is not there is no error.
	Remove(ctx context.Context, id ID) error
	// Lock waits until this caller alone, in all processes, may ask the server for tokens of id.
	Lock(ctx context.Context, id ID) (*Lock, error)
	// Stamp changes whenever another process, or another Store value on the same files, writes;
	// what is written through this one leaves it as it is, because the writer knows it already.
	// It is cheap enough to ask twice a second.
	Stamp() (string, error)
}

// Attempt is written down while a token is being asked for, so that whoever comes after a
// crash knows what the server may hold.
type Attempt struct {
	Op       string        `json:"op"` // "refresh" or "sign-in"
	At       time.Time     `json:"at"`
	Lifetime time.Duration `json:"lifetime"` // of the token asked for; 0: the server's default
	ClientID string        `json:"client_id"`
	Stack    string        `json:"stack,omitempty"` // of a sign-in, whose account may not exist yet
	Login    string        `json:"login,omitempty"`
}

// Lock is the right to ask for tokens of one account. Release it exactly once.
type Lock struct {
	// Interrupted is the attempt of an earlier holder that died in the middle of it.
	Interrupted *Attempt
	begin       func(Attempt) error
	end         func() error
	release     func()
}

// Begin writes down that a is about to be asked for. It replaces an interrupted attempt,
// which the caller has taken over by then.
func (l *Lock) Begin(a Attempt) error { return l.begin(a) }

// End says that what was begun is over and its outcome kept.
func (l *Lock) End() error { return l.end() }

// Release gives the lock up.
func (l *Lock) Release() { l.release() }

// changed is the record that fn makes of old, as a store writes it: with the next version, and
// with times that have neither a zone nor a monotonic reading, so that it reads back the same.
func changed(old Record, exists bool, id ID, fn func(*Record) error) (Record, error) {
	if err := validID(id); err != nil {
		return Record{}, err
	}
	work := old.clone()
	work.ID = id
	if err := fn(&work); err != nil {
		return Record{}, err
	}
	r := work.clone() // fn may have kept hold of the other
	if !exists || r.Name != old.Name {
		if err := ValidName(r.Name); err != nil {
			return Record{}, err
		}
	}
	r.ID, r.Version = id, old.Version+1
	eachTime(&r, func(t *time.Time) { *t = t.Round(0).UTC() })
	return r, nil
}

// eachTime calls fn with every time in r.
func eachTime(r *Record, fn func(*time.Time)) {
	fn(&r.SignedInAt)
	if a := r.Access; a != nil {
		fn(&a.ObtainedAt)
		fn(&a.ExpiresAt)
		fn(&a.RefreshAt)
	}
	for i := range r.Sessions {
		fn(&r.Sessions[i].ExpiresAt)
	}
	for i := range r.Leaks {
		fn(&r.Leaks[i].At)
		fn(&r.Leaks[i].Until)
	}
	if r.Problem != nil {
		fn(&r.Problem.Since)
	}
}

// validID refuses what can't be part of a file's name.
func validID(id ID) error {
	ok := id != "" && len(id) <= 64
	for _, c := range id {
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9')
	}
	if !ok {
		return fmt.Errorf("%q is no account ID", id)
	}
	return nil
}

func nameTaken(name string) error {
	return fmt.Errorf("%w: %q; choose another name", ErrNameTaken, name)
}
