// Package session keeps accounts signed in: it holds their tokens, refreshes them before they
// expire, and is the only place that writes them down. It knows no terminal.
package session

import (
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
