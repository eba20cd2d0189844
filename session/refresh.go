package session

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"wakey/api"
)

// errIdentity says that the refresh token answered with another user's token.
var errIdentity = errors.New("another user answers")

// refresh asks the server. The order is: free our own superseded sessions, note the attempt, ask,
// check whose token it is, keep it, and only then let anybody see it.
func (m *Manager) refresh(ctx context.Context, lock *Lock, rec Record) (Access, error) {
	c, err := m.Client(rec.ID)
	if err != nil {
		return Access{}, err
	}
	rec.Sessions = m.revokeSuperseded(ctx, c, rec)

	asked := m.now()
	if err := lock.Begin(Attempt{Op: "refresh", At: asked, Lifetime: rec.Lifetime, ClientID: rec.ClientID}); err != nil {
		return Access{}, fmt.Errorf("the attempt can't be noted, so nothing was asked for: %w", err)
	}
	tok, err := c.Refresh(ctx, api.RefreshRequest{
		RefreshToken: rec.RefreshToken, ClientID: rec.ClientID, Lifetime: rec.Lifetime,
	})
	if err == nil && tok.AuthID != rec.UserUUID {
		return Access{}, m.identityChanged(ctx, lock, c, rec, tok)
	}
	if errors.Is(err, api.ErrRefreshRefused) {
		return Access{}, m.refused(ctx, lock, rec, err)
	}
	if err != nil {
		if !mayHaveHappened(err) {
			err = errors.Join(err, lock.End())
		}
		return Access{}, err
	}

	access := newAccess(tok, asked, random())
	keeping, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	kept, err := m.store.Update(keeping, rec.ID, lock.Fenced(func(r *Record) error {
		if r.Name == "" {
			return ErrNoAccount // forgotten meanwhile
		}
		r.Access = access
		r.Sessions = slices.Concat(rec.Sessions, []OpenedSession{{access.SessionUUID, access.ExpiresAt}})
		r.Leaks = slices.DeleteFunc(r.Leaks, func(l Leak) bool { return l.Op == "refresh" && l.Until.Before(asked) })
		r.Problem = nil
		r.TenantUUID, r.Purpose, r.Admin = tok.Metadata.TenantUUID, tok.Metadata.Purpose, isAdmin(tok)
		return nil
	}))
	if errors.Is(err, errUnsure) {
		// It may be kept, so it stays alive, and the note stays for whoever comes next.
		return Access{}, fmt.Errorf("whether the new token was kept is not known: %w", err)
	}
	if err != nil {
		// A token that can't be kept would be a session nobody knows: end it.
		ended := "was revoked again"
		if rerr := c.RevokeToken(ctx, tok.Value); rerr != nil {
			ended = fmt.Sprintf("could not be revoked either (%v)", rerr)
		} else {
			err = errors.Join(err, lock.End())
		}
		return Access{}, fmt.Errorf("the new token could not be kept and %s: %w", ended, err)
	}
	err = lock.End()
	m.publish(kept, 0)
	lifetime := lasting(access.ExpiresAt.Sub(access.ObtainedAt))
	m.report(rec.ID, rec.Name, "refresh", Info, fmt.Sprintf("refreshed: …%s, good for %s", access.Token.Suffix(), lifetime))
	if err != nil {
		m.report(rec.ID, rec.Name, "refresh", Warn, fmt.Sprintf("the attempt's note stays behind: %v", err))
	}
	if now := m.now(); !access.alive(now, 0) {
		// To ask for the next one at once would go on for ever.
		return Access{}, fmt.Errorf("the new token, good for %s, was dead when it came, after %s: sign in again with a longer lifetime, or see to the stack",
			lifetime, now.Sub(asked).Round(time.Second))
	}
	return *access, nil
}

// revokeSuperseded ends our own sessions but the current one, which becomes the predecessor of
// the token about to be made, and returns those that still stand. Each refresh opens a session
// and closes none, and a user has 100 (contract 5). On the usual schedule the superseded ones
// have expired long before and this costs no request. The first that fails ends it, for one request's
// time is all that it may take: the refresh waits, and the next one tries again.
func (m *Manager) revokeSuperseded(ctx context.Context, c *api.Client, rec Record) []OpenedSession {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	now := m.now()
	may := rec.Access.alive(now, 0)
	var standing []OpenedSession
	for _, s := range rec.Sessions {
		if s.ExpiresAt.Before(now) {
			if now.Before(s.ExpiresAt.Add(listedAfter)) {
				standing = append(standing, s) // the watch may meet it
			}
			continue
		}
		if may && s.UUID != rec.Access.SessionUUID {
			if may = c.RevokeUserSession(ctx, rec.Access.Token, rec.UserUUID, s.UUID) == nil; may {
				continue
			}
		}
		standing = append(standing, s)
	}
	return standing
}

// keepLeak writes down that an earlier attempt ended without anybody keeping its outcome.
func (m *Manager) keepLeak(ctx context.Context, rec Record, a Attempt) (Record, error) {
	if rec.keeps(a) {
		return rec, nil
	}
	l := a.leak()
	kept, err := m.store.Update(ctx, rec.ID, func(r *Record) error {
		if r.Name == "" {
			return ErrNoAccount
		}
		r.Leaks = append(r.Leaks, l)
		if over := len(r.Leaks) - maxLeaks; over > 0 {
			r.Leaks = r.Leaks[over:]
		}
		return nil
	})
	if err != nil {
		return rec, err
	}
	m.report(rec.ID, rec.Name, a.Op, Warn, fmt.Sprintf("a %s begun at %s was cut off: until %s the stack may hold a session that nobody here knows",
		a.Op, a.At.Format(time.TimeOnly), l.Until.Format(time.TimeOnly)))
	return kept, nil
}

const (
	// defaultLifetime is the server's default_token_lifetime (contract 5).
	defaultLifetime = 2 * time.Hour
	// maxLeaks is the session ceiling: more can't stand on the server.
	maxLeaks = 100
)

// refused ends the account's refreshing: the stack answered, and it does not know our refresh
// token (or its user's name) any more. The evidence stays in the record.
func (m *Manager) refused(ctx context.Context, lock *Lock, rec Record, cause error) error {
	p := &Problem{RevokedElsewhere, "the stack refuses its refresh token: it was revoked elsewhere, or the user was renamed, disabled or deleted; sign in again", m.now()}
	return m.stop(ctx, lock, rec, p, cause)
}

// identityChanged ends the session just opened for somebody else and stops: a refresh token
// remembers a login name, and that name is another user's now (contract 5).
func (m *Manager) identityChanged(ctx context.Context, lock *Lock, c *api.Client, rec Record, tok *api.Token) error {
	ended := "its session was revoked"
	if err := c.RevokeToken(ctx, tok.Value); err != nil {
		ended = "its session could not be revoked and ends at " + tok.ExpiresAt.Format(time.RFC3339)
	}
	p := &Problem{IdentityChanged, fmt.Sprintf("the name %q is another user's now (%s instead of %s); %s; sign in again as yourself",
		api.Clean(rec.Login), api.Clean(tok.AuthID), rec.UserUUID, ended), m.now()}
	return m.stop(ctx, lock, rec, p, errIdentity)
}

func (m *Manager) stop(ctx context.Context, lock *Lock, rec Record, p *Problem, cause error) error {
	kept, err := m.store.Update(ctx, rec.ID, lock.Fenced(func(r *Record) error {
		if r.Name == "" {
			return ErrNoAccount
		}
		r.Problem = p
		return nil
	}))
	if err != nil {
		return errors.Join(cause, err)
	}
	err = lock.End()
	m.publish(kept, 0)
	m.report(rec.ID, rec.Name, "refresh", Alarm, string(p.State)+": "+p.Reason)
	return errors.Join(problemOf(kept, cause), err)
}

// mayHaveHappened tells whether the server may have acted on a request that failed with err.
// Only a connection that never came about, or an answer that refuses or is somebody else's, says that
// it has not; a 500 is no rollback (contract 5, bus outage).
func mayHaveHappened(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns), errors.As(err, &op) && op.Op == "dial", errors.Is(err, api.ErrCertificate):
		return false
	}
	return errors.Is(err, api.ErrNetwork) || errors.Is(err, api.ErrServer) || errors.Is(err, api.ErrBadBody)
}

func isAdmin(t *api.Token) bool { return t.Metadata.Admin != nil && *t.Metadata.Admin }
