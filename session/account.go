// Package session keeps accounts signed in: it holds their tokens, refreshes them before they
// expire, and is the only place that writes them down. It knows no terminal.
package session

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"wakey/api"
)

// ID names an account on this machine for as long as it exists: 8 hexadecimal digits. The name
// a person gives may change, the ID does not.
type ID string

// State says how an account stands.
type State string

// The states of an account.
const (
	Active           State = "active"            // a good token, nothing to do
	Refreshing       State = "refreshing"        // a refresh is under way
	Degraded         State = "degraded"          // refreshes fail for now, the token is still good
	Expired          State = "expired"           // refreshes fail for now and the token is dead
	SignInNeeded     State = "sign-in needed"    // no refresh token, or the person signed out half-way
	RevokedElsewhere State = "revoked elsewhere" // the stack refuses our refresh token
	IdentityChanged  State = "identity changed"  // the refresh token answers for another user
)

// NeedsPerson tells whether nothing will get better until a person acts.
func (s State) NeedsPerson() bool {
	return s == SignInNeeded || s == RevokedElsewhere || s == IdentityChanged
}

// Account is what the manager tells of an account: everything but the secrets. All times are
// wall times of this machine's clock.
type Account struct {
	ID         ID
	Name       string
	Stack      string // base URL of wazo-auth, as api.NormalizeStack gives it
	Login      string // user name or e-mail, as signed in with
	UserUUID   string
	TenantUUID string
	Purpose    string
	Admin      bool
	ClientID   string // of our refresh token; empty when the account holds none
	Trust      api.Trust
	PlainHTTP  bool
	Lifetime   time.Duration // asked for; 0 means the server's default
	SignedInAt time.Time

	State   State
	Reason  string    // why it is not active, and what to do next; empty when active
	RetryAt time.Time // when the next attempt is due; zero when none is planned

	TokenSuffix string // last 8 characters of the access token; empty when there is none
	SessionUUID string
	ObtainedAt  time.Time // when the access token was asked for
	ExpiresAt   time.Time // zero when there is no access token
	RefreshAt   time.Time // the instant drawn for the next refresh

	OwnSessions   []OpenedSession // opened by this machine and not known to be over
	TotalSessions int             // of this user on the stack at CountedAt; -1 when never counted
	CountedAt     time.Time
	Leaks         []Leak

	// LookedAt is when the watch last looked at the account's user on the stack; zero: never, as far
	// as this process knows. OpenFindings is how many things a person should still look at, the
	// gravest of which is Noticed. An account's own problem is told by its State.
	LookedAt     time.Time
	NextLookAt   time.Time // when Run looks next; zero when it does not
	OpenFindings int
	Noticed      Finding
}

// OpenedSession is a session that this machine opened.
type OpenedSession struct {
	UUID      string
	ExpiresAt time.Time
}

// Leak is a request for a token whose answer this machine never got to keep: the server may
// hold a session (and, after a sign-in, a refresh token) that nobody here knows.
type Leak struct {
	At       time.Time
	Until    time.Time // such a session is over by then
	Op       string    // "refresh" or "sign-in"
	ClientID string
}

// Accounts returns every account, in order of name.
func (m *Manager) Accounts() []Account {
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]Account, 0, len(m.entries))
	for _, e := range m.entries {
		all = append(all, m.account(e, now))
	}
	slices.SortFunc(all, func(a, b Account) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Len is how many accounts there are.
func (m *Manager) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.order)
}

// Account finds one by ID or by name. Errors: ErrNoAccount.
func (m *Manager) Account(nameOrID string) (Account, error) {
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.entries[ID(nameOrID)]; e != nil {
		return m.account(e, now), nil
	}
	for _, e := range m.entries {
		if e.rec.Name == nameOrID {
			return m.account(e, now), nil
		}
	}
	return Account{}, fmt.Errorf("%w: %q", ErrNoAccount, nameOrID)
}

// account is how an entry stands, which the store and the watch have a part in. m.mu is held.
func (m *Manager) account(e *entry, now time.Time) Account {
	r := &e.rec
	a := accountOf(r)
	a.State = e.state(now)
	a.TotalSessions, a.CountedAt = e.total, e.counted
	a.LookedAt, a.OpenFindings = e.noticed.at, e.noticed.open
	if f := e.noticed.gravest; f != nil {
		a.Noticed = *f
	}
	if !m.watchPaused {
		a.NextLookAt = e.lookAt
	}
	a.OwnSessions = slices.DeleteFunc(a.OwnSessions, func(s OpenedSession) bool { return s.ExpiresAt.Before(now) })
	switch {
	case r.Problem != nil:
	case e.err != nil:
		a.Reason, a.RetryAt = e.err.Error(), e.retryAt
	case a.State == SignInNeeded:
		a.Reason = "the access token has expired and there is no refresh token: sign in again"
	}
	if m.cutOff != nil && a.Reason == "" {
		a.Reason = m.cutOff.Error()
		if a.State == Active {
			a.State = Degraded
		}
	}
	return a
}

// accountOf is what the record alone tells; the state is that of its problem, if it has one.
func accountOf(r *Record) Account {
	a := Account{
		ID: r.ID, Name: r.Name, Stack: r.Stack, Login: r.Login, UserUUID: r.UserUUID, TenantUUID: r.TenantUUID,
		Purpose: r.Purpose, Admin: r.Admin, ClientID: r.ClientID, Trust: r.Trust, PlainHTTP: r.PlainHTTP,
		Lifetime: r.Lifetime, SignedInAt: r.SignedInAt, TotalSessions: -1,
		OwnSessions: slices.Clone(r.Sessions), Leaks: slices.Clone(r.Leaks),
	}
	if t := r.Access; t != nil {
		a.TokenSuffix, a.SessionUUID = t.Token.Suffix(), t.SessionUUID
		a.ObtainedAt, a.ExpiresAt, a.RefreshAt = t.ObtainedAt, t.ExpiresAt, t.RefreshAt
	}
	if r.Problem != nil {
		a.State, a.Reason = r.Problem.State, r.Problem.Reason
	}
	return a
}
