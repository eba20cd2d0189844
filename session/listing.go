package session

import (
	"context"
	"slices"
	"strings"
	"time"

	"wakey/api"
)

// listing is what the server has of a plan's users, and no one else's: the server lets anybody
// revoke any session of the tenant (contract 8), so whatever is revoked has to come from here.
type listing struct {
	at       time.Time
	tokens   []api.RefreshToken
	sessions []api.Session
	// noTokens and noSessions name the permission without which a list can't be had.
	noTokens, noSessions string
}

// doer is Manager.Do for one account, or something more patient.
type doer func(ctx context.Context, fn func(ctx context.Context, c *api.Client, token api.Secret) error) error

// listing asks for the refresh tokens and the sessions of the plan's users.
func (p *Plan) listing(ctx context.Context, now func() time.Time, do doer) (l listing, err error) {
	err = do(ctx, func(ctx context.Context, c *api.Client, token api.Secret) error {
		l = listing{at: now()}
		var tokens api.Page[api.RefreshToken]
		var sessions api.Page[api.Session]
		if p.Tenant == "" {
			tokens, err = c.MyRefreshTokens(ctx, token, api.ListOptions{})
		} else {
			tokens, err = c.AllRefreshTokens(ctx, token, api.ListOptions{})
		}
		if l.noTokens, err = lacking(err, "auth.users.me.tokens.read"); err != nil {
			return err
		}
		if p.Tenant == "" {
			sessions, err = c.UserSessions(ctx, token, p.UserUUID, api.ListOptions{})
		} else {
			sessions, err = c.AllSessions(ctx, token, api.ListOptions{})
		}
		if l.noSessions, err = lacking(err, "auth.users."+p.UserUUID+".sessions.read"); err != nil {
			return err
		}
		for _, rt := range tokens.Items {
			if rt.UserUUID == "" && p.Tenant == "" {
				rt.UserUUID = p.UserUUID // stacks before 21.05 don't tell; the list is the own user's
			}
			if slices.Contains(p.Users, rt.UserUUID) {
				l.tokens = append(l.tokens, rt)
			}
		}
		l.sessions = filter(sessions.Items, func(s api.Session) bool { return slices.Contains(p.Users, s.UserUUID) })
		return nil
	})
	return l, err
}

// holding is what an account of this machine holds of a plan's users.
type holding struct {
	account  ID
	name     string
	user     string
	clientID string
	old      []string // client_ids to be retired
	session  string   // the current one
	token    api.Secret
	lifetime time.Duration // of the longest access token that it has seen
}

// holdings are those of this machine's accounts that are of one of the plan's users, once no process is asking for a
// token any more.
func (m *Manager) holdings(ctx context.Context, p *Plan) ([]holding, error) {
	o, err := m.ours(p.Account)
	if err != nil {
		return nil, err
	}
	if _, err := m.settled(ctx, p.Account, o); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []holding
	for _, e := range m.entries {
		r := &e.rec
		if r.Stack != p.Stack || !slices.Contains(p.Users, r.UserUUID) {
			continue
		}
		h := holding{account: r.ID, name: r.Name, user: r.UserUUID, clientID: r.ClientID, old: slices.Clone(r.OldClientIDs), lifetime: r.Lifetime}
		if r.Access != nil {
			h.session, h.token = r.Access.SessionUUID, r.Access.Token
			h.lifetime = max(h.lifetime, r.Access.ExpiresAt.Sub(r.Access.ObtainedAt))
		}
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b holding) int { return strings.Compare(a.name, b.name) })
	return all, nil
}
