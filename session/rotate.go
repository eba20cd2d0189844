package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"wakey/api"
)

// ErrNotRetired says that an account works, with a new refresh token, and that an old one of it
// still stands on the server.
var ErrNotRetired = errors.New("an old refresh token is not revoked yet")

// Rotate gives the account another refresh token and revokes the one it has, with the sessions
// made here. A wrong password changes nothing (api.ErrBadCredentials).
//
// The new sign-in, under a new client_id, comes before the revocation. The other order, revoke and then sign
// in, would leave no refresh token at all wherever it is cut off; this one leaves the old one
// working until the new one is written down, and afterwards it is known by its client_id and
// revoked at the next chance: by the watch, the next sign-in, or Rotate again. ErrNotRetired
// says that it came to that. Nothing is won by revoking first: whoever has the old refresh token may use
// it until it is revoked, and the access tokens made from it outlive that either way (contract 7.2).
func (m *Manager) Rotate(ctx context.Context, id ID, password api.Secret) (Account, error) {
	rec, err := m.store.Get(ctx, id)
	if err != nil {
		return Account{}, err
	}
	a, err := m.SignIn(ctx, SignInRequest{
		Name: rec.Name, Stack: rec.Stack, Login: rec.Login, Password: password, Lifetime: rec.Lifetime,
		Trust: rec.Trust, PlainHTTP: rec.PlainHTTP, user: rec.UserUUID,
	})
	if err != nil {
		return Account{}, err
	}
	if err := m.retire(ctx, id); err != nil {
		return a, err
	}
	m.report(id, rec.Name, "rotate", Info, fmt.Sprintf("rotated: the refresh token of %s is revoked, %s has taken its place", shown(rec.ClientID), a.ClientID))
	return m.Account(string(id))
}

// retire revokes what earlier sign-ins of the account left on the server, if anything. Errors:
// ErrNotRetired with the cause, and those of the store.
func (m *Manager) retire(ctx context.Context, id ID) error {
	rec, err := m.store.Get(ctx, id)
	if err != nil || len(rec.OldClientIDs) == 0 {
		return err
	}
	access, err := m.Token(ctx, id, 0)
	if err != nil {
		return fmt.Errorf("%w (%s): %w", ErrNotRetired, shown(strings.Join(rec.OldClientIDs, ", ")), err)
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
	if rec, err = m.store.Get(ctx, id); err != nil {
		return err
	}
	if rec.Access == nil {
		rec.Access = &access
	}
	m.retireOld(ctx, c, rec)
	if rec, err = m.store.Get(ctx, id); err == nil && len(rec.OldClientIDs) > 0 {
		err = fmt.Errorf("%w: %s; try again when the stack answers", ErrNotRetired, shown(strings.Join(rec.OldClientIDs, ", ")))
	}
	return err
}

// takeOver reads the account under its lock, and keeps what an attempt that was cut off may have left
// on the server, before another takes its place. An account that is yet to be has nowhere to keep it.
func (m *Manager) takeOver(ctx context.Context, lock *Lock, id ID) error {
	rec, err := m.store.Get(ctx, id)
	if errors.Is(err, ErrNoAccount) {
		lock.See(Record{})
		return nil
	}
	if err == nil && lock.Interrupted != nil {
		rec, err = m.keepLeak(ctx, rec, *lock.Interrupted)
	}
	lock.See(rec)
	return err
}

// oldClientIDs are the client_ids that the sign-in under clientID makes superfluous: the account's so far,
// and those of sign-ins that were cut off, which may have left a refresh token that nobody has.
func oldClientIDs(old *Record, clientID string) []string {
	ids := slices.Clone(old.OldClientIDs)
	add := func(id string) {
		if id != "" && id != clientID && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, l := range old.Leaks {
		if l.Op == "sign-in" {
			add(l.ClientID)
		}
	}
	add(old.ClientID)
	return ids
}

func errOtherUser(login string) error {
	return fmt.Errorf("%w: %s is somebody else's name on this stack now, so nothing was changed; sign in under your own as a new account", errIdentity, shown(login))
}
