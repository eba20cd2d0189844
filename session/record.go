package session

import (
	"time"

	"wakey/api"
)

// Record is an account as the store keeps it.
type Record struct {
	ID         ID
	Name       string
	Stack      string
	PlainHTTP  bool
	Trust      api.Trust
	Login      string
	UserUUID   string
	TenantUUID string
	Purpose    string
	Admin      bool
	ClientID   string
	// OldClientIDs are our earlier client_ids whose refresh tokens are still to be revoked.
	OldClientIDs []string
	RefreshToken api.Secret
	Lifetime     time.Duration
	SignedInAt   time.Time
	Access       *Access         // nil: no access token
	Sessions     []OpenedSession // opened by us, oldest first, the current one last
	Leaks        []Leak
	Problem      *Problem // nil: none
	// Version grows by one with every change; the store sets it.
	Version uint64
	// mark tells the line that a file store read it from, or wrote it to, from others; 0 for other stores.
	mark uint64
}

// Access is an access token and its times, anchored to this machine's wall clock.
type Access struct {
	Token       api.Secret
	SessionUUID string
	ObtainedAt  time.Time
	ExpiresAt   time.Time
	RefreshAt   time.Time
}

// Problem is a state that only a person ends.
type Problem struct {
	State  State // SignInNeeded, RevokedElsewhere or IdentityChanged
	Reason string
	Since  time.Time
}

// clone copies r deeply enough that changing the copy does not touch r.
func (r Record) clone() Record {
	r.OldClientIDs = append([]string(nil), r.OldClientIDs...)
	r.Sessions = append([]OpenedSession(nil), r.Sessions...)
	r.Leaks = append([]Leak(nil), r.Leaks...)
	if r.Access != nil {
		a := *r.Access
		r.Access = &a
	}
	if r.Problem != nil {
		p := *r.Problem
		r.Problem = &p
	}
	return r
}

// sameTokens tells whether both hold the same refresh token and the same access token.
func (r *Record) sameTokens(o *Record) bool {
	session := func(a *Access) string {
		if a == nil {
			return ""
		}
		return a.SessionUUID + " " + a.Token.Reveal()
	}
	return r.ClientID == o.ClientID && r.RefreshToken.Equal(o.RefreshToken) && session(r.Access) == session(o.Access)
}

// keeps tells whether the outcome of an attempt is in the record: whoever made it died between
// writing that and taking back its note.
func (r *Record) keeps(a Attempt) bool {
	return r.Access != nil && r.Access.ObtainedAt.Equal(a.At) && r.ClientID == a.ClientID
}
