package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"wakey/api"
)

// StolenResult is what came of trying a refresh token.
type StolenResult struct {
	Works    bool
	ClientID string // with which it works
	UserUUID string // whose tokens it makes; empty when the session ceiling kept it from making one
	Session  string // that the try opened
	// Closed tells that the session is over, and that this was seen.
	Closed bool
	Tried  int // client_ids
}

// maxStolenTries bounds the requests; the server does not (contract 1).
const maxStolenTries = 200

// TryStolen tries whether a refresh token that somebody else has, or may have, still works.
// The server wants the client_id with it (contract 5); the account's own ones, every one listed and those of
// more are tried. If it works, the session that the try opened is closed at once; revoke the
// refresh token then, by its ClientID. Errors: those of Do, and of the requests; then
// nothing is known.
func (m *Manager) TryStolen(ctx context.Context, id ID, value api.Secret, more []string) (StolenResult, error) {
	rec, err := m.store.Get(ctx, id)
	if err != nil {
		return StolenResult{}, err
	}
	c, err := m.Client(id)
	if err != nil {
		return StolenResult{}, err
	}
	clientIDs := append(append(slices.Clone(more), rec.ClientID), rec.OldClientIDs...)
	err = m.Do(ctx, id, func(ctx context.Context, c *api.Client, token api.Secret) error {
		page, err := c.MyRefreshTokens(ctx, token, api.ListOptions{})
		for _, rt := range page.Items {
			clientIDs = append(clientIDs, rt.ClientID)
		}
		return err
	})
	var problem *ProblemError
	if err != nil && !errors.Is(err, api.ErrPermission) && !errors.As(err, &problem) {
		return StolenResult{}, err
	}
	r, err := tryStolen(ctx, c, value, clientIDs)
	if err == nil && r.Works {
		m.report(id, rec.Name, "respond", Alarm, r.Text(value, rec.UserUUID))
	}
	return r, err
}

func tryStolen(ctx context.Context, c *api.Client, value api.Secret, clientIDs []string) (r StolenResult, err error) {
	for _, clientID := range distinct(clientIDs) {
		if r.Tried == maxStolenTries {
			break
		}
		r.Tried++
		// The shortest life there is, so that the session ends even if closing it fails.
		tok, err := c.Refresh(ctx, api.RefreshRequest{RefreshToken: value, ClientID: clientID, Lifetime: time.Second})
		switch {
		case errors.Is(err, api.ErrRefreshRefused), errors.Is(err, api.ErrInvalid):
			continue
		case errors.Is(err, api.ErrSessionCeiling):
			// The ceiling is asked about after the refresh token was found good (contract 5).
			r.Works, r.ClientID = true, clientID
			return r, nil
		case err != nil:
			return r, fmt.Errorf("trying the refresh token …%s: %w", value.Suffix(), err)
		}
		r.Works, r.ClientID, r.UserUUID, r.Session = true, clientID, tok.AuthID, tok.SessionUUID
		err = c.RevokeToken(context.WithoutCancel(ctx), tok.Value)
		r.Closed = err == nil && errors.Is(c.CheckToken(ctx, tok.Value, "", ""), api.ErrTokenDead)
		return r, nil
	}
	return r, nil
}

// Text says what came of it, for a person. value is what was tried, and user whose account it was tried for.
func (r *StolenResult) Text(value api.Secret, user string) string {
	if !r.Works {
		return fmt.Sprintf("the stack refuses the refresh token …%s with each of the %s it was tried with", value.Suffix(), count(r.Tried, "client_id"))
	}
	text := fmt.Sprintf("THE STOLEN REFRESH TOKEN …%s STILL WORKS, with the client_id %s", value.Suffix(), shown(r.ClientID))
	if r.UserUUID != "" && r.UserUUID != user {
		text += fmt.Sprintf(", for another user (%s)", shown(r.UserUUID))
	}
	switch {
	case r.Closed:
		text += "; the session that trying it opened is closed"
	case r.Session != "":
		text += "; the session that trying it opened could not be closed, and ends by itself in a second"
	}
	return text + "; revoke it"
}

func distinct(list []string) []string {
	var out []string
	for _, s := range list {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
