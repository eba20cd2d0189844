package session

import (
	"context"
	"net/http"
	"time"

	"wakey/api"
)

// Options of a manager. The zero value is right for everybody but tests.
type Options struct {
	Version   string            // wakey's own, for the User-Agent
	Transport http.RoundTripper // replaces the network
	Now       func() time.Time  // the wall clock
}

// Manager keeps accounts signed in.
type Manager struct{}

// New returns a manager of the accounts in store. It does nothing until it is asked or Run.
func New(store Store, o Options) *Manager { return &Manager{} }

// Run loads the accounts and keeps them fresh until ctx ends, then waits for what is under way.
// An error means that the store could not be read (errors.Is ErrLocked: it needs its passphrase).
func (m *Manager) Run(ctx context.Context) error { return nil }

// Load reads the store. Run does it by itself; a command that only looks calls it once.
func (m *Manager) Load(ctx context.Context) error { return nil }

// Accounts returns every account, in order of name.
func (m *Manager) Accounts() []Account { return nil }

// Account finds one by ID or by name.
func (m *Manager) Account(nameOrID string) (Account, error) { return Account{}, nil }

// Changed has a value when something is worth looking at Accounts and Events again.
func (m *Manager) Changed() <-chan struct{} { return nil }

// Events returns the last 200 things that happened, oldest first.
func (m *Manager) Events() []Event { return nil }

// Event is something that happened to an account.
type Event struct {
	Time    time.Time
	Account ID
	Name    string // the account's name then
	Level   Level
	Text    string
}

// Level says how much an event matters.
type Level int

// The levels of an event.
const (
	Info  Level = iota
	Warn        // something failed and is being retried
	Alarm       // a person should look
)

// Token returns an access token of the account that lives for minValid at least, refreshing it
// when it must.
func (m *Manager) Token(ctx context.Context, id ID, minValid time.Duration) (Access, error) {
	return Access{}, nil
}

// Refresh makes a new access token now, whatever is left of the current one.
func (m *Manager) Refresh(ctx context.Context, id ID) (Access, error) { return Access{}, nil }

// SignInRequest says who signs in where.
type SignInRequest struct {
	Name      string // of the account; empty: made from login and stack
	Stack     string
	Login     string
	Password  api.Secret
	Lifetime  time.Duration // of each access token; 0: the server's default
	Online    bool          // no refresh token: the account ends with its access token
	Trust     api.Trust
	PlainHTTP bool
}

// SignIn signs in and keeps the account. An account of that name on the same stack and login is
// signed in again and keeps its ID. On an error nothing is kept, here or on the server.
// A certificate that nobody vouches for gives an *api.CertError with its fingerprint: ask the
// person, then call again with Trust.Pin set.
func (m *Manager) SignIn(ctx context.Context, r SignInRequest) (Account, error) {
	return Account{}, nil
}

// SignOut revokes the account's refresh token and the sessions it opened, then forgets it. On an
// error the account stays.
func (m *Manager) SignOut(ctx context.Context, id ID) error { return nil }

// Forget removes the account from this machine without touching the server.
func (m *Manager) Forget(ctx context.Context, id ID) error { return nil }

// Rename gives the account another name on this machine.
func (m *Manager) Rename(ctx context.Context, id ID, name string) error { return nil }

// Do calls fn with a client of the account's stack and a good access token. When fn fails
// because the token is dead, it is refreshed and fn called once more.
func (m *Manager) Do(ctx context.Context, id ID, fn func(ctx context.Context, c *api.Client, token api.Secret) error) error {
	return nil
}
