package session

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"wakey/api"
)

// UserDetails is what a stack tells of one user. What the account may not read is empty, and Missing has the permission
// that it takes, under "user", "groups", "policies", "tokens" or "sessions".
type UserDetails struct {
	User     api.User
	Groups   []api.Group
	Policies []api.Policy // those given directly; every user also has the default one (contract 2)
	Tokens   []api.RefreshToken
	Sessions []api.Session
	Missing  map[string]string
}

// UserDetails reads a user and everything that hangs on it. Errors: api.ErrNotFound for a user out of sight.
func (m *Manager) UserDetails(ctx context.Context, id ID, userUUID string) (d UserDetails, err error) {
	err = m.Do(ctx, id, func(ctx context.Context, c *api.Client, token api.Secret) error {
		d = UserDetails{User: api.User{UUID: userUUID}, Missing: map[string]string{}}
		for _, part := range []struct {
			name, path string
			read       func() error
		}{
			{"user", "", func() error {
				u, err := c.User(ctx, token, userUUID)
				if err == nil {
					d.User = u
				}
				return err
			}},
			{"tokens", ".tokens", func() error {
				return pageItems(&d.Tokens)(c.UserRefreshTokens(ctx, token, userUUID, api.ListOptions{}))
			}},
			{"sessions", ".sessions", func() error { return pageItems(&d.Sessions)(c.UserSessions(ctx, token, userUUID, api.ListOptions{})) }},
			{"groups", ".groups", func() error { return pageItems(&d.Groups)(c.UserGroups(ctx, token, userUUID, api.ListOptions{})) }},
			{"policies", ".policies", func() error { return pageItems(&d.Policies)(c.UserPolicies(ctx, token, userUUID, api.ListOptions{})) }},
		} {
			permission, err := lacking(part.read(), "auth.users."+userUUID+part.path+".read")
			if err != nil {
				return err
			}
			if permission != "" {
				d.Missing[part.name] = permission
			}
		}
		// The stack ends any session of the tenant through any user's path (contract 8): what it lists for somebody else
		// is not to be ended as this user's.
		d.Sessions = filter(d.Sessions, func(s api.Session) bool { return s.UserUUID == userUUID || s.UserUUID == "" })
		return nil
	})
	return d, err
}

// pageItems puts what a page holds into list.
func pageItems[T any](list *[]T) func(api.Page[T], error) error {
	return func(p api.Page[T], err error) error {
		*list = p.Items
		return err
	}
}

// Ending is what EndAccess is to end.
type Ending struct {
	Tokens    bool
	ClientIDs []string // of the refresh tokens these alone; none: all
	Sessions  bool
	UUIDs     []string // of the sessions these alone; none: all, for which was made from which refresh token nobody is told (contract 7.2)
}

// Ended is what EndAccess came to.
type Ended struct {
	Tokens   []string // client_ids that were revoked, and that the stack lists no more
	Sessions []string // uuids
	Kept     int      // of accounts of this machine
	Left     []error  // what is not proven to be over, one by one
}

// errStillListed is what is left to say of what was revoked and is there all the same.
var errStillListed = errors.New("the stack said yes, and still lists it; try again")

// EndAccess revokes a user's refresh tokens, then its sessions, and lists again, as a yes is no proof and an error neither (contract 5).
// What accounts of this machine hold it leaves alone. Errors are those of the lists, and api.ErrNotFound for what is not
// listed in the beginning, before anything is revoked: what could not be ended is in Left.
func (m *Manager) EndAccess(ctx context.Context, id ID, u api.User, what Ending) (Ended, error) {
	d, err := m.UserDetails(ctx, id, u.UUID)
	if err != nil {
		return Ended{}, err
	}
	tokens, sessions, err := d.chosen(what)
	if err != nil {
		return Ended{}, err
	}
	var e Ended
	for _, a := range m.OwnAccounts(id, u.UUID) {
		own := func(s string) bool {
			return s == a.ClientID || s == a.SessionUUID || slices.ContainsFunc(a.OwnSessions, func(o OpenedSession) bool { return o.UUID == s })
		}
		before := len(tokens) + len(sessions)
		tokens, sessions = slices.DeleteFunc(tokens, own), slices.DeleteFunc(sessions, own)
		e.Kept += before - len(tokens) - len(sessions)
	}
	failed := map[string]error{}
	for _, clientID := range tokens {
		failed[clientID] = m.Do(ctx, id, func(ctx context.Context, c *api.Client, token api.Secret) error {
			return c.RevokeUserRefreshToken(ctx, token, u.UUID, clientID)
		})
	}
	for _, session := range sessions {
		failed[session] = m.Do(ctx, id, func(ctx context.Context, c *api.Client, token api.Secret) error {
			return c.RevokeUserSession(ctx, token, u.UUID, session)
		})
	}
	if len(failed) == 0 {
		return e, nil
	}
	if d, err = m.UserDetails(ctx, id, u.UUID); err != nil {
		return e, fmt.Errorf("whether they are gone is not proven: %w", err)
	}
	listed := map[string]bool{}
	for _, t := range d.Tokens {
		listed[t.ClientID] = true
	}
	for _, s := range d.Sessions {
		listed[s.UUID] = true
	}
	e.Tokens = e.over("refresh token", tokens, listed, failed)
	e.Sessions = e.over("session", sessions, listed, failed)
	if len(e.Tokens)+len(e.Sessions) > 0 {
		m.toldUser(id, u, fmt.Sprintf("revoked %s and %s of", count(len(e.Tokens), "refresh token"), count(len(e.Sessions), "session")), nil)
	}
	return e, nil
}

// chosen are the client_ids and the sessions that are meant.
func (d *UserDetails) chosen(what Ending) (tokens, sessions []string, err error) {
	for _, t := range d.Tokens {
		tokens = append(tokens, t.ClientID)
	}
	for _, s := range d.Sessions {
		sessions = append(sessions, s.UUID)
	}
	for _, part := range []struct {
		wanted bool
		list   *[]string
		only   []string
		name   string
		noun   string
	}{
		{what.Tokens, &tokens, what.ClientIDs, "tokens", "refresh token of the client_id "},
		{what.Sessions, &sessions, what.UUIDs, "sessions", "session "},
	} {
		switch permission := d.Missing[part.name]; {
		case !part.wanted:
			*part.list = nil
			continue
		case permission != "":
			return nil, nil, &api.Error{Kind: api.KindPermission, Permission: permission}
		case len(part.only) == 0:
			continue
		}
		for _, name := range part.only {
			if !slices.Contains(*part.list, name) {
				return nil, nil, &api.Error{Kind: api.KindNotFound, Message: "the user has no " + part.noun + shown(name)}
			}
		}
		*part.list = slices.Clone(part.only)
	}
	return tokens, sessions, nil
}

// over are those of names that are listed no more; the others are left.
func (e *Ended) over(what string, names []string, listed map[string]bool, failed map[string]error) (gone []string) {
	for _, name := range names {
		err := failed[name]
		switch {
		case !listed[name]:
			gone = append(gone, name)
			continue
		case err == nil:
			err = errStillListed
		}
		e.Left = append(e.Left, fmt.Errorf("%s %s: %w", what, shown(name), err))
	}
	return gone
}

// LeaveGroup takes a user out of a group. Errors: those of api.Client.RemoveUserFromGroup.
func (m *Manager) LeaveGroup(ctx context.Context, id ID, u api.User, g api.Group) error {
	err := m.Do(ctx, id, func(ctx context.Context, c *api.Client, token api.Secret) error {
		return c.RemoveUserFromGroup(ctx, token, u.UUID, g.UUID)
	})
	if err == nil {
		m.toldUser(id, u, "took out of the group "+shown(g.Name)+":", nil)
	}
	return err
}

// LosePolicy takes a policy from a user. Errors: those of api.Client.RemoveUserPolicy.
func (m *Manager) LosePolicy(ctx context.Context, id ID, u api.User, p api.Policy) error {
	err := m.Do(ctx, id, func(ctx context.Context, c *api.Client, token api.Secret) error {
		return c.RemoveUserPolicy(ctx, token, u.UUID, p.UUID)
	})
	if err == nil {
		m.toldUser(id, u, "took the policy "+shown(p.Name)+" from", nil)
	}
	return err
}

// ErrOwnUser refuses to delete the user that this machine is signed in as.
var ErrOwnUser = errors.New("an account of this machine is signed in as that user: sign it out first, and delete the user as another administrator")

// Deletion is what DeleteUser came to.
type Deletion struct {
	Ended

	// Alive are sessions of the user that the stack still lists; their access tokens work until they expire (contract 9).
	Alive []string
	// NotSeen is the permission without which nobody can tell whether any are; empty when it was looked.
	NotSeen string
}

// DeleteUser deletes a user, and its refresh tokens with it. Its access tokens the stack leaves alive (contract 9): with
// endAccess they are ended first, and what was made meanwhile afterwards. Errors: ErrOwnUser; those of EndAccess, before
// the user is deleted, when something could not be ended; those of api.Client.DeleteUser.
func (m *Manager) DeleteUser(ctx context.Context, id ID, u api.User, endAccess bool) (d Deletion, err error) {
	if len(m.OwnAccounts(id, u.UUID)) > 0 {
		return d, ErrOwnUser
	}
	if endAccess {
		if d.Ended, err = m.EndAccess(ctx, id, u, Ending{Tokens: true, Sessions: true}); err != nil {
			return d, err
		}
		stuck := slices.DeleteFunc(slices.Clone(d.Left), func(err error) bool { return errors.Is(err, api.ErrInvalid) })
		if len(stuck) > 0 { // a refresh token that no address can name goes with its user
			return d, errors.Join(stuck...)
		}
		d.Left = nil
	}
	err = m.Do(ctx, id, func(ctx context.Context, c *api.Client, token api.Secret) error {
		return c.DeleteUser(ctx, token, u.UUID)
	})
	if mayHaveHappened(err) {
		if _, rerr := m.readAgain(ctx, id, u.UUID); errors.Is(rerr, api.ErrNotFound) {
			err = nil
		}
	}
	if err != nil {
		return d, err
	}
	m.toldUser(id, u, "deleted", nil)
	m.lookForLeftovers(ctx, id, u, endAccess, &d)
	return d, nil
}

// lookForLeftovers looks for sessions of a user that was deleted, which the stack goes on listing (contract 8), and ends
// them when that was wanted: a session may have been opened while the user was being deleted.
func (m *Manager) lookForLeftovers(ctx context.Context, id ID, u api.User, end bool, d *Deletion) {
	err := m.Do(ctx, id, func(ctx context.Context, c *api.Client, token api.Secret) error {
		page, err := c.AllSessions(ctx, token, api.ListOptions{Tenant: u.TenantUUID})
		if err != nil {
			return err
		}
		d.Alive = nil
		for _, s := range page.Items {
			if s.UserUUID != u.UUID {
				continue
			}
			if end && c.RevokeSession(ctx, token, s.UUID) == nil {
				d.Sessions = append(d.Sessions, s.UUID)
				continue
			}
			d.Alive = append(d.Alive, s.UUID)
		}
		return nil
	})
	permission, other := lacking(err, "auth.sessions.read")
	d.NotSeen = permission
	if other != nil {
		d.NotSeen = other.Error()
	}
}
