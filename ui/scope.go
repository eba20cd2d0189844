package ui

import (
	"context"
	"errors"

	"wakey/api"
	"wakey/session"
)

// How much of a stack's lists is asked for.
const (
	firstPage = 200    // shown while the rest is on its way
	pageRows  = 1_000  // a request of what follows
	maxRows   = 20_000 // more than that is searched on the stack
)

// errOtherUser says that an account was signed in again as somebody else since it was listed.
var errOtherUser = errors.New("the account is another user's now; list again")

// scope is whose refresh tokens and sessions are listed. Everything that is revoked is revoked
// in the scope that it was listed in: the stack does not check whose session an own one is
// (contract 8).
type scope struct {
	acc      session.ID
	user     string // the account's user, by uuid
	everyone bool   // of the tenant, instead of the user's own
	below    bool   // and of its sub-tenants
}

// do calls fn with a client and a token of the scope's account, as long as that is still the
// user that the scope was made for.
func (sc scope) do(ctx context.Context, mgr *session.Manager, fn func(context.Context, *api.Client, api.Secret) error) error {
	return mgr.Do(ctx, sc.acc, func(ctx context.Context, c *api.Client, token api.Secret) error {
		a, err := mgr.Account(string(sc.acc))
		if err != nil {
			return err
		}
		if a.UserUUID != sc.user {
			return errOtherUser
		}
		return fn(ctx, c, token)
	})
}

// refreshTokens lists at most limit of them, the newest first, and says how many there are.
func (sc scope) refreshTokens(ctx context.Context, mgr *session.Manager, search string, limit int) (items []api.RefreshToken, total int, err error) {
	err = sc.do(ctx, mgr, func(ctx context.Context, c *api.Client, token api.Secret) error {
		o := api.ListOptions{Order: "created_at", Desc: true, Search: search, Recurse: sc.below}
		if !sc.everyone {
			p, err := c.MyRefreshTokens(ctx, token, o)
			items, total = p.Items, p.Filtered
			for i := range items {
				items[i].UserUUID = sc.user // old stacks leave it out
			}
			return err
		}
		items, total, err = pages(ctx, o, limit, func(ctx context.Context, o api.ListOptions) (api.Page[api.RefreshToken], error) {
			return c.AllRefreshTokens(ctx, token, o)
		})
		return err
	})
	return items, total, err
}

// sessions lists all of them at once: the stack keeps no order to page by (contract 8).
func (sc scope) sessions(ctx context.Context, mgr *session.Manager) (items []api.Session, err error) {
	err = sc.do(ctx, mgr, func(ctx context.Context, c *api.Client, token api.Secret) error {
		list := func() (api.Page[api.Session], error) {
			if sc.everyone {
				return c.AllSessions(ctx, token, api.ListOptions{Recurse: sc.below})
			}
			return c.UserSessions(ctx, token, sc.user, api.ListOptions{})
		}
		p, err := list()
		items = p.Items
		for i := range items {
			if items[i].UserUUID == "" && !sc.everyone {
				items[i].UserUUID = sc.user
			}
		}
		return err
	})
	return items, err
}

// users gives the names of the users in the scope by their uuids.
func (sc scope) users(ctx context.Context, mgr *session.Manager) (map[string]string, error) {
	names := map[string]string{}
	err := sc.do(ctx, mgr, func(ctx context.Context, c *api.Client, token api.Secret) error {
		users, _, err := pages(ctx, api.ListOptions{Recurse: sc.below}, maxRows, func(ctx context.Context, o api.ListOptions) (api.Page[api.User], error) {
			return c.Users(ctx, token, o)
		})
		for _, u := range users {
			names[u.UUID] = shortText(u.Username)
			if u.Username == "" && len(u.Emails) > 0 {
				names[u.UUID] = shortText(u.Emails[0].Address)
			}
		}
		return err
	})
	return names, err
}

// pages walks a list up to limit items. total is how many there are on the stack.
func pages[T any](ctx context.Context, o api.ListOptions, limit int, fetch func(context.Context, api.ListOptions) (api.Page[T], error)) (items []T, total int, err error) {
	counted := func(ctx context.Context, o api.ListOptions) (api.Page[T], error) {
		p, err := fetch(ctx, o)
		total = max(total, p.Filtered)
		return p, err
	}
	if limit <= pageRows {
		o.Limit = limit
		p, err := counted(ctx, o)
		return p.Items, total, err
	}
	for item, err := range api.All(ctx, counted, o, pageRows) {
		if err != nil {
			return nil, 0, err
		}
		if items = append(items, item); len(items) == limit {
			break
		}
	}
	return items, total, nil
}
