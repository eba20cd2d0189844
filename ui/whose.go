package ui

import (
	"time"

	"charm.land/lipgloss/v2"

	"wakey/session"
)

// whose says who holds a refresh token or a session, as far as this machine can know. The
// order is that of the list: what needs a look first.
type whose int

const (
	whoseNew      whose = iota // unknown, and not there when one last looked
	whoseUnknown               // nobody on this machine knows it
	whoseLeft                  // of a sign-in of this machine that was cut off
	whoseOtherNew              // of another user, and made since one last looked at the tenant
	whoseOther                 // of another user, whom this machine knows nothing of
	whoseKnown                 // somebody has labelled it
	whoseOurs                  // of another account of this machine
	whoseThis                  // of the account one looks at
)

// ours tells whether an account of this machine holds it.
func (x whose) ours() bool { return x == whoseOurs || x == whoseThis }

// look is a shape and a colour for it.
func (x whose) look(s *styles) (shape string, st lipgloss.Style) {
	switch x {
	case whoseNew:
		return shapeAlarm, s.bad
	case whoseUnknown:
		return "?", s.warn
	case whoseLeft:
		return "▲", s.warn
	case whoseOtherNew:
		return "+", s.info
	case whoseKnown:
		return "◆", s.info
	case whoseOurs:
		return "○", s.good
	case whoseThis:
		return "●", s.good
	case whoseOther:
	}
	return "·", s.muted
}

// clientKey names a refresh token on the stack of a scope: one user has one of a client_id
// (contract 5).
type clientKey struct{ user, client string }

// owners are what this machine knows of who holds what on a stack.
type owners struct {
	tokens   map[clientKey]string // the account's name
	left     map[clientKey]bool
	sessions map[string]ownSession // by uuid
	users    map[string]bool       // of accounts of this machine
}

// ownSession is a session that this machine opened.
type ownSession struct {
	session.OpenedSession

	account session.ID
	name    string
	current bool // it is the one of the account's access token
}

// ownersOf gathers what the accounts of one stack hold.
func ownersOf(accounts []session.Account, stack string) owners {
	o := owners{map[clientKey]string{}, map[clientKey]bool{}, map[string]ownSession{}, map[string]bool{}}
	for i := range accounts {
		a := &accounts[i]
		if a.Stack != stack {
			continue
		}
		o.users[a.UserUUID] = true
		if a.ClientID != "" {
			o.tokens[clientKey{a.UserUUID, a.ClientID}] = a.Name
		}
		for _, l := range a.Leaks {
			if l.ClientID != "" {
				o.left[clientKey{a.UserUUID, l.ClientID}] = true
			}
		}
		for _, s := range a.OwnSessions {
			o.sessions[s.UUID] = ownSession{s, a.ID, a.Name, s.UUID == a.SessionUUID}
		}
		if a.SessionUUID != "" {
			o.sessions[a.SessionUUID] = ownSession{session.OpenedSession{UUID: a.SessionUUID, ExpiresAt: a.ExpiresAt}, a.ID, a.Name, true}
		}
	}
	return o
}

// holdings is a mark that changes when an account of the stack gets another refresh token or
// another session.
func holdings(accounts []session.Account, stack string) string {
	var b []byte
	for i := range accounts {
		if a := &accounts[i]; a.Stack == stack {
			b = append(b, a.ID...)
			b = append(b, a.Name...)
			b = append(b, a.ClientID...)
			b = append(b, a.SessionUUID...)
		}
	}
	return string(b)
}

// knowledge is what a job reads beside a list: labels, and what the watch found new.
type knowledge struct {
	labels       map[clientKey]string
	newTokens    map[string]bool // client_ids of the scope's user
	newSessions  map[string]bool // uuids
	findingsHeld bool            // there is something that can be said to have been seen
	since        time.Time       // of everyone's: what was made after it is new
}

// learn reads what this machine knows about the scope's stack, and notes down that a list was
// looked at whose newest line was made then. It reads files.
func learn(mgr *session.Manager, sc scope, newest time.Time) (knowledge, error) {
	k := knowledge{labels: map[clientKey]string{}, newTokens: map[string]bool{}, newSessions: map[string]bool{}}
	a, err := mgr.Account(string(sc.acc))
	if err != nil {
		return k, err
	}
	known, err := mgr.KnownClients()
	if err != nil {
		return k, err
	}
	for _, c := range known {
		if c.Stack == a.Stack {
			k.labels[clientKey{c.UserUUID, c.ClientID}] = c.Label
		}
	}
	if sc.everyone && !newest.IsZero() {
		if k.since, err = mgr.SawTenant(sc.acc, sc.below, newest); err != nil {
			return k, err
		}
		if k.since.IsZero() { // the first look: nothing can be new
			k.since = newest
		}
	}
	found, err := mgr.Findings(sc.acc)
	for _, f := range found {
		if !f.New || f.Seen || f.Gone {
			continue
		}
		switch f.Kind {
		case session.UnknownClient:
			k.newTokens[f.Subject] = true
		case session.UnknownSessions:
			for _, uuid := range f.Sessions {
				k.newSessions[uuid] = true
			}
		default:
		}
	}
	k.findingsHeld = len(k.newTokens)+len(k.newSessions) > 0
	return k, err
}
