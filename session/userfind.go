package session

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"wakey/api"
)

// ErrNoUser says that nobody is called that, or that whoever is, is out of the account's sight.
var ErrNoUser = errors.New("no such user")

// FindUser finds a user by uuid, by username or by e-mail, however they are capitalised: the stack has one name space for
// both (contract 10). It looks in the tenant (a uuid; empty: the account's own) and below. Errors: ErrNoUser.
func (m *Manager) FindUser(ctx context.Context, id ID, name, tenant string) (found api.User, err error) {
	err = m.Do(ctx, id, func(ctx context.Context, c *api.Client, token api.Secret) error {
		userUUID := strings.ToLower(name)
		if uuid.Validate(name) != nil || len(name) != 36 {
			u, err := search(ctx, c, token, name, tenant)
			if err != nil {
				return err
			}
			found, userUUID = u, u.UUID
		}
		u, err := c.User(ctx, token, userUUID)
		if permission, other := lacking(err, ""); permission != "" && found.UUID != "" {
			return nil // what the list tells has to do
		} else if other != nil {
			err = other
		}
		if errors.Is(err, api.ErrNotFound) {
			return fmt.Errorf("%w: %s", ErrNoUser, shown(name))
		}
		found = u
		return err
	})
	return found, err
}

// search asks for the name as it is written first, which costs the stack little, and then for all that look like it.
func search(ctx context.Context, c *api.Client, token api.Secret, name, tenant string) (api.User, error) {
	if name == "" || strings.ContainsRune(name, 0) {
		return api.User{}, fmt.Errorf("%w: %q", ErrNoUser, name)
	}
	filter := func(by string) api.ListOptions { return api.ListOptions{Filter: map[string]string{by: name}} }
	for _, o := range []api.ListOptions{filter("username"), filter("email_address"), {Search: name}} {
		o.Recurse, o.Tenant = true, tenant
		for u, err := range api.All(ctx, func(ctx context.Context, o api.ListOptions) (api.Page[api.User], error) {
			return c.Users(ctx, token, o)
		}, o, usersPage) {
			if err != nil {
				return api.User{}, err
			}
			if isCalled(u, name) {
				return u, nil
			}
		}
	}
	return api.User{}, fmt.Errorf("%w: %s", ErrNoUser, shown(name))
}

// usersPage is how many users a request of a long list asks for.
const usersPage = 500

func isCalled(u api.User, name string) bool {
	if strings.EqualFold(u.Username, name) {
		return true
	}
	for _, e := range u.Emails {
		if strings.EqualFold(e.Address, name) {
			return true
		}
	}
	return false
}

// FindTenant gives the uuid of a tenant that is named by its uuid, its slug or its name. Errors: api.ErrNotFound.
func (m *Manager) FindTenant(ctx context.Context, id ID, name string) (found string, err error) {
	if name == "" || uuid.Validate(name) == nil && len(name) == 36 {
		return strings.ToLower(name), nil
	}
	err = m.Do(ctx, id, func(ctx context.Context, c *api.Client, token api.Secret) error {
		page, err := c.Tenants(ctx, token, api.ListOptions{})
		if err != nil {
			return err
		}
		var named []string
		for _, t := range page.Items {
			if t.Slug == name {
				found = t.UUID
				return nil
			}
			if strings.EqualFold(t.Name, name) {
				named = append(named, t.UUID)
			}
		}
		switch len(named) {
		case 0:
			return fmt.Errorf("there is no tenant %s in sight; give one's uuid, slug or name", shown(name))
		case 1:
			found = named[0]
			return nil
		}
		return fmt.Errorf("there are %d tenants called %s; give the uuid or the slug of one", len(named), shown(name))
	})
	return found, err
}
