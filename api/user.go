package api

import (
	"context"
	"encoding/json"
)

// User is an account of the server (contract 10). Empty names are null on the server.
type User struct {
	UUID       string
	Username   string
	Firstname  string
	Lastname   string
	Purpose    string // user, internal or external_api
	Emails     []Email
	Enabled    bool
	TenantUUID string
	// AuthenticationMethod is default, native, ldap or saml; empty on stacks before 24.08.
	AuthenticationMethod string

	raw map[string]json.RawMessage // the object as read, so that what this client does not know survives a write
}

// Email is an e-mail address of a user. A confirmed one is also a login.
type Email struct {
	UUID      string
	Address   string
	Main      bool
	Confirmed bool
}

// NewUser is a user to create. Everything may be left out.
type NewUser struct {
	UUID                 string // a version 4 UUID; empty: the server makes one
	Username             string
	Password             Secret
	Firstname            string
	Lastname             string
	Email                string // stored confirmed and main
	Purpose              string // empty: user
	Enabled              *bool  // nil: true
	AuthenticationMethod string // empty: the server's default
}

// Users lists users (contract 10). Order: username (default), firstname, lastname. Search looks into names and e-mails.
func (c *Client) Users(ctx context.Context, token Secret, o ListOptions) (Page[User], error) {
	return Page[User]{}, errNotYet
}

// User reads a user. ErrNotFound: unknown or out of sight.
func (c *Client) User(ctx context.Context, token Secret, userUUID string) (User, error) {
	return User{}, errNotYet
}

// CreateUser creates a user in tenant; empty: the token's own. ErrConflict: login or e-mail is taken.
func (c *Client) CreateUser(ctx context.Context, token Secret, u NewUser, tenant string) (User, error) {
	return User{}, errNotYet
}

// UpdateUser changes a user. PUT replaces the whole object and defaults what is left out (a disabled user would be
// enabled again, contract 10), so it reads, lets edit change the copy, reads again, and writes everything back.
// ErrChanged: somebody else changed the user meanwhile; nothing was written. An edit that changes nothing writes nothing.
// The server has no conditional write: a change within the last round trip can still be lost.
func (c *Client) UpdateUser(ctx context.Context, token Secret, userUUID string, edit func(*User) error) (User, error) {
	return User{}, errNotYet
}

// DeleteUser deletes a user and its refresh tokens. Its access tokens stay valid until they expire (contract 9).
func (c *Client) DeleteUser(ctx context.Context, token Secret, userUUID string) error {
	return errNotYet
}

// SetOwnPassword changes a password knowing the old one; wrong: ErrBadCredentials. Since 26.04 it ends every
// session of the user, this one too; refresh tokens stay and work (contract 9).
func (c *Client) SetOwnPassword(ctx context.Context, token Secret, userUUID string, old, new Secret) error {
	return errNotYet
}

// ResetPassword sets a user's password without the old one, as an administrator (contract 10).
func (c *Client) ResetPassword(ctx context.Context, token Secret, userUUID string, new Secret) error {
	return errNotYet
}

// SetEmails replaces the whole list of the own e-mails; Confirmed cannot be set.
func (c *Client) SetEmails(ctx context.Context, token Secret, userUUID string, emails []Email) ([]Email, error) {
	return nil, errNotYet
}

// SetAdminEmails replaces the whole list of a user's e-mails as an administrator. Changing the address used to sign
// in kills the refresh tokens made with it before 26.07 (contract 5). The server does not check the user's tenant.
func (c *Client) SetAdminEmails(ctx context.Context, token Secret, userUUID string, emails []Email) ([]Email, error) {
	return nil, errNotYet
}

// UserGroups lists the groups of a user.
func (c *Client) UserGroups(ctx context.Context, token Secret, userUUID string, o ListOptions) (Page[Group], error) {
	return Page[Group]{}, errNotYet
}

// UserPolicies lists the policies given to a user directly. The default user policy is not among them, and an unknown
// user has an empty list (contract 2, 10).
func (c *Client) UserPolicies(ctx context.Context, token Secret, userUUID string, o ListOptions) (Page[Policy], error) {
	return Page[Policy]{}, errNotYet
}
