package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
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
	return list(ctx, c, "/users", token, o, userOf)
}

// User reads a user. ErrNotFound: unknown or out of sight.
func (c *Client) User(ctx context.Context, token Secret, userUUID string) (User, error) {
	path, err := userPath(userUUID, "")
	if err != nil {
		return User{}, err
	}
	return c.user(ctx, &request{method: http.MethodGet, path: path, token: token})
}

// CreateUser creates a user in tenant; empty: the token's own. ErrConflict: login or e-mail is taken.
func (c *Client) CreateUser(ctx context.Context, token Secret, u NewUser, tenant string) (User, error) {
	body := map[string]any{}
	for name, value := range map[string]string{
		"uuid": u.UUID, "username": u.Username, "password": u.Password.Reveal(), "firstname": u.Firstname, "lastname": u.Lastname,
		"email_address": u.Email, "purpose": u.Purpose, "authentication_method": u.AuthenticationMethod,
	} {
		if value != "" {
			body[name] = value
		}
	}
	if u.Enabled != nil {
		body["enabled"] = *u.Enabled
	}
	return c.user(ctx, &request{
		method: http.MethodPost, path: "/users", token: token, tenant: tenant, body: body, hidden: []Secret{u.Password},
	})
}

// DeleteUser deletes a user and its refresh tokens. Its access tokens stay valid until they expire (contract 9).
func (c *Client) DeleteUser(ctx context.Context, token Secret, userUUID string) error {
	path, err := userPath(userUUID, "")
	if err != nil {
		return err
	}
	return c.nothing(ctx, &request{method: http.MethodDelete, path: path, token: token})
}

// UserGroups lists the groups of a user.
func (c *Client) UserGroups(ctx context.Context, token Secret, userUUID string, o ListOptions) (Page[Group], error) {
	path, err := userPath(userUUID, "/groups")
	if err != nil {
		return Page[Group]{}, err
	}
	return list(ctx, c, path, token, o, groupOf)
}

// UserPolicies lists the policies given to a user directly. The default user policy is not among them, and an unknown
// user has an empty list (contract 2, 10).
func (c *Client) UserPolicies(ctx context.Context, token Secret, userUUID string, o ListOptions) (Page[Policy], error) {
	path, err := userPath(userUUID, "/policies")
	if err != nil {
		return Page[Policy]{}, err
	}
	return list(ctx, c, path, token, o, policyOf)
}

// RemoveUserPolicy takes a policy, by uuid or slug, from a user. Its access tokens keep what they may do until they are
// refreshed (contract 2). Errors: ErrPermission also when it holds an access that the token itself has not.
func (c *Client) RemoveUserPolicy(ctx context.Context, token Secret, userUUID, policy string) error {
	path, err := userPath(userUUID, "/policies/")
	if err != nil {
		return err
	}
	return c.nothing(ctx, &request{method: http.MethodDelete, path: path + url.PathEscape(policy), token: token})
}

// RemoveUserFromGroup takes a user out of a group. Its access tokens keep what they may do until they are refreshed
// (contract 2). The stack's own groups refuse.
func (c *Client) RemoveUserFromGroup(ctx context.Context, token Secret, userUUID, groupUUID string) error {
	path, err := userPath(userUUID, "")
	if err != nil {
		return err
	}
	if !isUUID(groupUUID) {
		return invalid("that is no group", "give the group's uuid")
	}
	return c.nothing(ctx, &request{method: http.MethodDelete, path: "/groups/" + groupUUID + path, token: token})
}

// user sends a request that is answered by a user object.
func (c *Client) user(ctx context.Context, r *request) (User, error) {
	var raw map[string]json.RawMessage
	var w wireUser
	err := c.call(ctx, r, objectLimit, func(h http.Header, body *bodyReader) error {
		data, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(data, &w); err != nil {
			return bodyError(err, h, data, r.secrets())
		}
		if _, err := userOf(w); err != nil {
			return &Error{Kind: KindNotWazo, Message: "it is no user: " + err.Error()}
		}
		return json.Unmarshal(data, &raw)
	})
	if err != nil {
		return User{}, err
	}
	u, err := userOf(w)
	u.raw = raw
	return u, err
}

type wireUser struct {
	UUID       string      `json:"uuid"`
	Username   string      `json:"username"`
	Firstname  string      `json:"firstname"`
	Lastname   string      `json:"lastname"`
	Purpose    string      `json:"purpose"`
	Emails     []wireEmail `json:"emails"`
	Enabled    *bool       `json:"enabled"`
	TenantUUID string      `json:"tenant_uuid"`
	Method     string      `json:"authentication_method"`
}

// userOf reads a user. Stacks before 18.03 knew no disabled users.
func userOf(w wireUser) (User, error) {
	if err := needUUID(w.UUID); err != nil {
		return User{}, err
	}
	u := User{
		UUID: w.UUID, Username: w.Username, Firstname: w.Firstname, Lastname: w.Lastname, Purpose: w.Purpose,
		Enabled: w.Enabled == nil || *w.Enabled, TenantUUID: w.TenantUUID, AuthenticationMethod: w.Method,
	}
	for _, e := range w.Emails {
		u.Emails = append(u.Emails, emailOf(e))
	}
	return u, nil
}

func (u User) key() string { return u.UUID }
