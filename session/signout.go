package session

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"wakey/api"
)

// SignOut revokes the account's refresh token and the sessions that it opened, then forgets it.
// On an error the account stays and SignOut can be called again. Errors: those of the store and
// of the api; a refresh token that is gone already is none.
func (m *Manager) SignOut(ctx context.Context, id ID) error {
	a, err := m.Token(ctx, id, 0)
	if _, ok := errors.AsType[*ProblemError](err); ok {
		// Without a token of any kind nothing can be revoked, and the stack refuses our refresh
		// token: there is nothing left to end but what expires by itself.
		return m.Forget(ctx, id)
	}
	if err != nil {
		return fmt.Errorf("signing out needs the stack: %w", err)
	}
	c, err := m.Client(id)
	if err != nil {
		return err
	}
	lock, err := m.lock(ctx, id, nil)
	if err != nil {
		return err
	}
	defer lock.Release()
	rec, err := m.store.Update(ctx, id, func(r *Record) error {
		if r.Name == "" {
			return ErrNoAccount
		}
		r.Problem = &Problem{SignInNeeded, "signing out was cut off: sign out again, or sign in", m.now()}
		return nil
	})
	if err != nil {
		return err
	}
	if rec.Access != nil {
		a = *rec.Access // the one we have now: somebody may have refreshed meanwhile
	}
	if err := m.revokeAll(ctx, c, rec, a); err != nil {
		m.publish(rec, 0)
		return err
	}
	return m.forget(ctx, rec)
}

// revokeAll ends on the server all that the account has there, the session that does it last.
func (m *Manager) revokeAll(ctx context.Context, c *api.Client, rec Record, a Access) error {
	for _, clientID := range append(slices.Clone(rec.OldClientIDs), rec.ClientID) {
		if clientID == "" {
			continue
		}
		if err := c.RevokeMyRefreshToken(ctx, a.Token, clientID); err != nil && !errors.Is(err, api.ErrNotFound) {
			return err
		}
	}
	now := m.now()
	for _, s := range rec.Sessions {
		if s.UUID == a.SessionUUID || s.ExpiresAt.Before(now) {
			continue
		}
		if err := c.RevokeUserSession(ctx, a.Token, rec.UserUUID, s.UUID); err != nil {
			return err
		}
	}
	return c.RevokeToken(ctx, a.Token)
}

// Forget removes the account from this machine without touching the server: its refresh token
// stays listed there until somebody revokes it.
func (m *Manager) Forget(ctx context.Context, id ID) error {
	rec, err := m.store.Get(ctx, id)
	if err != nil {
		return err
	}
	return m.forget(ctx, rec)
}

func (m *Manager) forget(ctx context.Context, rec Record) error {
	if err := m.store.Remove(ctx, rec.ID); err != nil {
		return err
	}
	_ = m.shelf.update(watchFile(rec.ID), func([]byte) ([]byte, error) { return nil, nil })
	m.mu.Lock()
	if e := m.entries[rec.ID]; e != nil {
		m.drop(e)
	}
	m.mu.Unlock()
	m.report(rec.ID, rec.Name, "forget", Info, "forgotten on this machine")
	return nil
}
