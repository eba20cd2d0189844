package session

import (
	"context"
	"errors"
	"fmt"
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

func problemOf(r Record, cause error) *ProblemError {
	return &ProblemError{r.Name, r.Problem.State, r.Problem.Reason, cause}
}
