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

// ProblemError says that a person has to act before the account works again.
type ProblemError struct {
	Account string // its name
	State   State
	Reason  string
	cause   error
}

func (e *ProblemError) Error() string {
	return fmt.Sprintf("%s: %s: %s", e.Account, e.State, e.Reason)
}

// Unwrap returns what the stack said, when it was the stack.
func (e *ProblemError) Unwrap() error { return e.cause }

// errIdentity says that the refresh token answered with another user's token.
var errIdentity = errors.New("another user answers")

// attempt gets the account a token that good accepts (nil: only one newer than the one we have).
// There is one attempt an account in this process, whose result every caller gets; a caller that
// goes away does not end it.
func (m *Manager) attempt(ctx context.Context, id ID, good func(*Access) bool) (Access, error) {
	m.mu.Lock()
	seen := ""
	if e := m.entries[id]; e != nil {
		seen = e.session()
	}
	m.flying++
	m.mu.Unlock()

	ch := m.flights.DoChan(string(id), func() (any, error) {
		m.setBusy(id, true)
		a, err := m.locked(context.WithoutCancel(ctx), id, seen, good)
		m.finish(id, err)
		return a, err
	})
	select {
	case r := <-ch:
		m.landed()
		a, _ := r.Val.(Access)
		return a, r.Err
	case <-ctx.Done():
		go func() { <-ch; m.landed() }()
		return Access{}, ctx.Err()
	}
}

func (m *Manager) landed() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.flying--
	m.quiet.Broadcast()
}

// Wait returns when no attempt is under way any more.
func (m *Manager) Wait() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.flying > 0 {
		m.quiet.Wait()
	}
}

func (m *Manager) setBusy(id ID, busy bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.entries[id]; e != nil {
		e.busy = busy
		e.plan()
	}
	m.signal()
}

// finish keeps how an attempt ended and says when the next one is due.
func (m *Manager) finish(id ID, err error) {
	now := m.now()
	m.mu.Lock()
	e := m.entries[id]
	if e != nil && errors.Is(err, ErrNoAccount) {
		m.drop(e) // forgotten meanwhile
		m.signal()
		e = nil
	}
	if e == nil {
		m.mu.Unlock()
		return
	}
	e.busy = false
	name := e.rec.Name
	var problem *ProblemError
	if err == nil || errors.As(err, &problem) {
		e.failures, e.err, e.retryAt = 0, nil, time.Time{}
		e.plan()
		m.signal()
		m.mu.Unlock()
		return
	}
	left := time.Duration(0)
	if e.rec.Access != nil {
		left = e.rec.Access.ExpiresAt.Sub(now)
	}
	e.failures++
	e.err = err
	wait := backoff(e.failures, left, random())
	if errors.Is(err, api.ErrSessionCeiling) {
		// Our own session's end makes room; the server clears expired ones once a minute.
		wait = min(wait, max(left, 0)+time.Minute)
	}
	e.retryAt = now.Add(wait)
	e.plan()
	m.signal()
	m.mu.Unlock()
	m.report(id, name, "refresh", Warn, fmt.Sprintf("refresh failed, next try in %s: %v", wait.Round(time.Second), err))
	m.poke()
}

// locked is the attempt under the account's lock: read again, adopt or refresh, keep, publish.
// It returns the token that the account has afterwards, also beside an error.
func (m *Manager) locked(ctx context.Context, id ID, seen string, good func(*Access) bool) (Access, error) {
	m.slots <- struct{}{}
	defer func() { <-m.slots }()

	wait, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	lock, err := m.store.Lock(wait, id)
	if err != nil {
		return Access{}, fmt.Errorf("waiting for the account's lock: %w", err)
	}
	defer lock.Release()
	rec, err := m.store.Get(ctx, id)
	if err != nil {
		return Access{}, err
	}
	if lock.Interrupted != nil {
		if rec, err = m.keepLeak(ctx, rec, *lock.Interrupted); err != nil {
			return value(rec.Access), err
		}
		if err := lock.End(); err != nil {
			return value(rec.Access), err
		}
	}
	m.publish(rec)
	now := m.now()
	if a := rec.Access; a != nil {
		if good == nil && a.SessionUUID != seen && a.alive(now, 0) || good != nil && good(a) {
			return *a, nil
		}
	}
	if rec.Problem != nil && good != nil {
		return value(rec.Access), problemOf(rec, nil)
	}
	if rec.RefreshToken.IsZero() {
		return value(rec.Access), &ProblemError{rec.Name, SignInNeeded, "there is no refresh token: sign in again", nil}
	}
	return m.refresh(ctx, lock, rec)
}

// refresh asks the server. The order is: free our own superseded sessions, note the attempt, ask,
// check whose token it is, keep it, and only then let anybody see it.
func (m *Manager) refresh(ctx context.Context, lock *Lock, rec Record) (Access, error) {
	c, err := m.Client(rec.ID)
	if err != nil {
		return value(rec.Access), err
	}
	ctx, cancel := context.WithTimeout(ctx, 3*requestTimeout)
	defer cancel()
	rec.Sessions = m.revokeSuperseded(ctx, c, rec)

	asked := m.now()
	if err := lock.Begin(Attempt{Op: "refresh", At: asked, Lifetime: rec.Lifetime, ClientID: rec.ClientID}); err != nil {
		return value(rec.Access), fmt.Errorf("the attempt can't be noted, so nothing was asked for: %w", err)
	}
	tok, err := c.Refresh(ctx, api.RefreshRequest{
		RefreshToken: rec.RefreshToken, ClientID: rec.ClientID, Lifetime: rec.Lifetime,
	})
	if err == nil && tok.AuthID != rec.UserUUID {
		return value(rec.Access), m.identityChanged(ctx, lock, c, rec, tok)
	}
	if errors.Is(err, api.ErrRefreshRefused) {
		return value(rec.Access), m.refused(ctx, lock, rec, err)
	}
	if err != nil {
		if !mayHaveHappened(err) {
			err = errors.Join(err, lock.End())
		}
		return value(rec.Access), err
	}

	access := newAccess(tok, asked, random())
	kept, err := m.store.Update(ctx, rec.ID, func(r *Record) error {
		if r.Name == "" {
			return ErrNoAccount // forgotten meanwhile
		}
		r.Access = access
		r.Sessions = slices.Concat(rec.Sessions, []OpenedSession{{access.SessionUUID, access.ExpiresAt}})
		r.Leaks = slices.DeleteFunc(r.Leaks, func(l Leak) bool { return l.Op == "refresh" && l.Until.Before(asked) })
		r.Problem = nil
		r.TenantUUID, r.Purpose, r.Admin = tok.Metadata.TenantUUID, tok.Metadata.Purpose, isAdmin(tok)
		return nil
	})
	if err != nil {
		// A token that can't be kept would be a session nobody knows: end it.
		ended := "was revoked again"
		if rerr := c.RevokeToken(context.WithoutCancel(ctx), tok.Value); rerr != nil {
			ended = fmt.Sprintf("could not be revoked either (%v)", rerr)
		} else {
			err = errors.Join(err, lock.End())
		}
		return value(rec.Access), fmt.Errorf("the new token could not be kept and %s: %w", ended, err)
	}
	err = lock.End()
	m.publish(kept)
	m.report(rec.ID, rec.Name, "refresh", Info, fmt.Sprintf("refreshed: …%s, good for %s", access.Token.Suffix(),
		access.ExpiresAt.Sub(access.ObtainedAt).Round(time.Second)))
	if err != nil {
		m.report(rec.ID, rec.Name, "refresh", Warn, fmt.Sprintf("the attempt's note stays behind: %v", err))
	}
	return *access, nil
}

// revokeSuperseded ends our own sessions but the current one, which becomes the predecessor of
// the token about to be made, and returns those that still stand. Each refresh opens a session
// and closes none, and a user has 100 (contract 5). On the usual schedule the superseded ones
// have expired long before and this costs no request.
func (m *Manager) revokeSuperseded(ctx context.Context, c *api.Client, rec Record) []OpenedSession {
	now := m.now()
	var standing []OpenedSession
	for _, s := range rec.Sessions {
		if s.ExpiresAt.Before(now) {
			if now.Before(s.ExpiresAt.Add(listedAfter)) {
				standing = append(standing, s) // the watch may meet it
			}
			continue
		}
		superseded := rec.Access != nil && s.UUID != rec.Access.SessionUUID
		if superseded && rec.Access.alive(now, 0) &&
			c.RevokeUserSession(ctx, rec.Access.Token, rec.UserUUID, s.UUID) == nil {
			continue
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
	lifetime := a.Lifetime
	if lifetime == 0 {
		lifetime = defaultLifetime
	}
	l := Leak{At: a.At, Until: a.At.Add(lifetime), Op: a.Op, ClientID: a.ClientID}
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
	kept, err := m.store.Update(ctx, rec.ID, func(r *Record) error {
		if r.Name == "" {
			return ErrNoAccount
		}
		r.Problem = p
		return nil
	})
	if err != nil {
		return errors.Join(cause, err)
	}
	err = lock.End()
	m.publish(kept)
	m.report(rec.ID, rec.Name, "refresh", Alarm, string(p.State)+": "+p.Reason)
	return errors.Join(problemOf(kept, cause), err)
}

// publish lets everybody in this process see a record that the store has.
func (m *Manager) publish(r Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.adopt(r)
	m.signal()
}

// mayHaveHappened tells whether the server may have acted on a request that failed with err.
// Only a connection that never came about, or an answer that refuses, says that it has not; a
// 500 is no rollback (contract 5, bus outage).
func mayHaveHappened(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns), errors.As(err, &op) && op.Op == "dial", errors.Is(err, api.ErrCertificate):
		return false
	}
	return errors.Is(err, api.ErrNetwork) || errors.Is(err, api.ErrServer) || errors.Is(err, context.DeadlineExceeded)
}

func problemOf(r Record, cause error) *ProblemError {
	return &ProblemError{r.Name, r.Problem.State, r.Problem.Reason, cause}
}

func value(a *Access) Access {
	if a == nil {
		return Access{}
	}
	return *a
}

func isAdmin(t *api.Token) bool { return t.Metadata.Admin != nil && *t.Metadata.Admin }
