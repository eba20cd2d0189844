package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
)

// SetOwnPassword changes a password knowing the old one; a wrong one is ErrBadCredentials. Since 26.04 it ends every
// session of the user, this one too; refresh tokens stay and work (contract 9). ErrUnsupported: the password is kept
// elsewhere (SAML or LDAP).
func (c *Client) SetOwnPassword(ctx context.Context, token Secret, userUUID string, old, fresh Secret) error {
	path, err := userPath(userUUID, "/password")
	if err != nil {
		return err
	}
	if old.IsZero() || fresh.IsZero() {
		return invalid("the old or the new password is empty", "give both")
	}
	body := struct {
		Old string `json:"old_password"`
		New string `json:"new_password"`
	}{old.Reveal(), fresh.Reveal()}
	err = c.nothing(ctx, &request{
		method: http.MethodPut, path: path, token: token, body: body, hidden: []Secret{old, fresh},
		legacy401: KindBadCredentials, next: "sign in with the new password to see whether it was changed all the same",
	})
	if e, ok := errors.AsType[*Error](err); ok && e.Kind == KindBadCredentials {
		e.lead, e.next = "the old password is wrong", "type it again"
	}
	return err
}

// ResetPassword sets a user's password without the old one, as an administrator (contract 10). A refusal comes
// without a reason (ErrUnauthorized).
func (c *Client) ResetPassword(ctx context.Context, token Secret, userUUID string, fresh Secret) error {
	if !isUUID(userUUID) {
		return invalid("that is no user", "give the user's uuid")
	}
	if fresh.IsZero() {
		return invalid("the new password is empty", "give one")
	}
	password := fresh.Reveal()
	return c.resetPassword(ctx, token, userUUID, &password)
}

// RemovePassword takes a user's password away, as an administrator: nobody signs in with one until another is set
// (contract 10). Errors as ResetPassword.
func (c *Client) RemovePassword(ctx context.Context, token Secret, userUUID string) error {
	if !isUUID(userUUID) {
		return invalid("that is no user", "give the user's uuid")
	}
	return c.resetPassword(ctx, token, userUUID, nil)
}

func (c *Client) resetPassword(ctx context.Context, token Secret, userUUID string, password *string) error {
	r := &request{
		method: http.MethodPost, path: "/users/password/reset", query: url.Values{"user_uuid": {userUUID}}, token: token,
		body: struct {
			Password *string `json:"password"`
		}{password},
		next: "whether the password is another now is not known: set it again",
	}
	if password != nil {
		r.hidden = []Secret{NewSecret(*password)}
	}
	return c.nothing(ctx, r)
}
