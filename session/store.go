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
	// ErrOvertaken says that the lock was lost, to a pause that was longer than it is kept. Somebody
	// else may have written another token since, and that stays.
	ErrOvertaken = errors.New("the account's lock was lost meanwhile, and what is there stays")
	// ErrCutOff says that the store can't be reached. What Load gives beside it is the last that
	// was known; nothing is asked of a stack for it.
	ErrCutOff = errors.New("cut off from the bucket")

	// errUnsure says that a write may or may not have been made.
	errUnsure = errors.New("no answer came to the write")
	// errChanged says that somebody wrote the account while its lock was waited for: look at it
	// before waiting on, for the token may be there.
	errChanged = errors.New("the account has changed")
)

// Store keeps records. FileStore keeps them on this machine's disk, BucketStore for many machines,
// MemoryStore for one process.
//
// Locks are taken in one order: the account's lock, then, inside Update and Remove alone, the
// store's own.
type Store interface {
	// Load returns every record, in order of name. With ErrCutOff it returns those that were
	// known last as well.
	Load(ctx context.Context) ([]Record, error)
	// Get returns one record as it stands now, whoever wrote it; ErrNoAccount when there is none.
	Get(ctx context.Context, id ID) (Record, error)
	// Update changes one record in one atomic step and returns it as written. fn gets the
	// record as it stands (only the ID is set when it is new); when fn returns an error
	// nothing is written. fn is called again when somebody else was faster. A name that another
	// record has is refused with ErrNameTaken.
	Update(ctx context.Context, id ID, fn func(*Record) error) (Record, error)
	// Remove forgets a record. Removing one that is not there is no error.
	Remove(ctx context.Context, id ID) error
	// Lock waits until this caller alone, in all processes that share the store, may ask the server
	// for tokens of id. errChanged, from a store that many machines wait at, ends the waiting.
	Lock(ctx context.Context, id ID) (*Lock, error)
	// Stamp changes, soon, after another process or another Store value writes, and when the store
	// is cut off or reached again; what is written through this one leaves it as it is, because the
	// writer knows it already.
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
//
// A holder that was stopped for longer than its store waits for it loses the lock without noticing.
// So what it asked for is kept only if nobody has written another token since it read the account.
type Lock struct {
	// Interrupted is the attempt of an earlier holder that died in the middle of it.
	Interrupted *Attempt

	seen    *Record // nil: nothing is known, and any may be overwritten
	begin   func(Attempt) error
	end     func() error
	release func()
}

// See says what the holder read since it has the lock, and goes by from now on.
func (l *Lock) See(r Record) {
	r = r.clone()
	l.seen = &r
}

// Fenced is fn for an Update that keeps what the lock was taken for: it fails with ErrOvertaken
// where the tokens are no longer those that the holder has seen.
func (l *Lock) Fenced(fn func(*Record) error) func(*Record) error {
	return func(r *Record) error {
		if l.seen != nil && !r.sameTokens(l.seen) {
			return ErrOvertaken
		}
		return fn(r)
	}
}

// Begin writes down that a is about to be asked for. It replaces an interrupted attempt,
// which the caller has taken over by then. Where the lock can be lost it makes sure that it is
// held, and that the tokens are still those that the holder has seen: else ErrOvertaken, and nothing may be asked for.
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
