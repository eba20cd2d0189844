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
// goes away does not end it. Whoever joins one that was content with less begins another.
func (m *Manager) attempt(ctx context.Context, id ID, good func(*Access) bool) (Access, error) {
	m.mu.Lock()
	seen := ""
	if e := m.entries[id]; e != nil {
		seen = e.session()
	}
	m.mu.Unlock()
	forced := good == nil
	if forced {
		good = func(a *Access) bool { return a.alive(m.now(), 0) && a.SessionUUID != seen }
	}
	for {
		if err := ctx.Err(); err != nil {
			return Access{}, err
		}
		m.fly()
		ours := false
		ch := m.flights.DoChan(string(id), func() (any, error) {
			ours = true
			m.setBusy(id)
			a, err := m.locked(context.WithoutCancel(ctx), id, good, forced)
			m.finish(id, err)
			return a, err
		})
		select {
		case r := <-ch:
			m.landed()
			if a, _ := r.Val.(Access); ours || r.Err != nil || good(&a) {
				return a, r.Err
			}
		case <-ctx.Done():
			go func() { <-ch; m.landed() }()
			return Access{}, ctx.Err()
		}
	}
}

func (m *Manager) fly() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.flying++
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
	for m.flying > 0 || m.workers > 0 {
		m.quiet.Wait()
	}
}

func (m *Manager) setBusy(id ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.entries[id]; e != nil {
		e.busy = true
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
	m.report(id, name, "refresh", Warn, fmt.Sprintf("refresh failed, next try in %s: %v", lasting(wait), err))
	m.poke()
}

// locked is the attempt under the account's lock: read again, adopt or refresh, keep, publish. A
// problem that only a person ends stops it, unless it is forced.
func (m *Manager) locked(ctx context.Context, id ID, good func(*Access) bool, forced bool) (Access, error) {
	m.slots <- struct{}{}
	defer func() { <-m.slots }()

	lock, err := m.lock(ctx, id, func() bool {
		rec, err := m.reread(ctx, id)
		over, _, _ := outcome(&rec, good, forced)
		return err != nil || over
	})
	if errors.Is(err, errChanged) {
		return m.adopted(ctx, id, good, forced, err)
	}
	if err != nil {
		return Access{}, err
	}
	defer lock.Release()
	asOf := m.changesNow()
	rec, err := m.store.Get(ctx, id)
	if err != nil {
		return Access{}, err
	}
	if lock.Interrupted != nil {
		if rec, err = m.keepLeak(ctx, rec, *lock.Interrupted); err != nil {
			return Access{}, err
		}
		if err := lock.End(); err != nil {
			return Access{}, err
		}
	}
	lock.See(rec)
	m.publish(rec, asOf)
	if over, a, err := outcome(&rec, good, forced); over {
		return a, err
	}
	a, err := m.refresh(ctx, lock, rec)
	if errors.Is(err, ErrOvertaken) {
		return m.adopted(ctx, id, good, forced, err)
	}
	return a, err
}

// reread reads an account again and lets everybody in this process see it.
func (m *Manager) reread(ctx context.Context, id ID) (Record, error) {
	asOf := m.changesNow()
	rec, err := m.store.Get(ctx, id)
	if err == nil {
		m.publish(rec, asOf)
	}
	return rec, err
}

// adopted takes what somebody else has written in place of an attempt that ended with err.
func (m *Manager) adopted(ctx context.Context, id ID, good func(*Access) bool, forced bool, err error) (Access, error) {
	rec, rerr := m.reread(ctx, id)
	if rerr != nil {
		return Access{}, rerr
	}
	if over, a, why := outcome(&rec, good, forced); over {
		return a, why
	}
	return Access{}, err
}

// outcome tells whether a record as it stands ends the attempt, and how.
func outcome(rec *Record, good func(*Access) bool, forced bool) (over bool, a Access, err error) {
	switch {
	case rec.Access != nil && good(rec.Access):
		return true, *rec.Access, nil
	case rec.Problem != nil && !forced:
		return true, Access{}, problemOf(*rec, nil)
	case rec.RefreshToken.IsZero():
		return true, Access{}, &ProblemError{rec.Name, SignInNeeded, "there is no refresh token: sign in again", nil}
	}
	return false, Access{}, nil
}

// lock takes the account's lock. enough, where it is not nil, is asked each time that the account
// changes meanwhile, and ends the waiting with errChanged. Other errors: those of the store;
// context.DeadlineExceeded with what to do when somebody keeps it for longer than any refresh takes.
func (m *Manager) lock(ctx context.Context, id ID, enough func() bool) (*Lock, error) {
	wait, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	lock, err := m.store.Lock(wait, id)
	for errors.Is(err, errChanged) && (enough == nil || !enough()) {
		lock, err = m.store.Lock(wait, id)
	}
	switch {
	case err == nil:
		return lock, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrCutOff):
		return nil, fmt.Errorf("another wakey has held this account's lock for %v: look for one that is stopped or hangs: %w", lockTimeout, err)
	}
	return nil, fmt.Errorf("the account's lock can't be had: %w", err)
}

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

// publish lets everybody in this process see a record that the store had after asOf changes of
// entries; 0 for one that was just written.
func (m *Manager) publish(r Record, asOf uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.adopt(r, asOf)
	m.signal()
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

func problemOf(r Record, cause error) *ProblemError {
	return &ProblemError{r.Name, r.Problem.State, r.Problem.Reason, cause}
}

func isAdmin(t *api.Token) bool { return t.Metadata.Admin != nil && *t.Metadata.Admin }
