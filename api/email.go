package api

import (
	"context"
	"net/http"
)

// Email is an e-mail address of a user. A confirmed one is also a login.
type Email struct {
	UUID      string // made by the server; not sent
	Address   string
	Main      bool // exactly one is, unless there are none
	Confirmed bool
}

// SetEmails replaces the whole list of the own e-mails. Confirmed is not sent: only an administrator may say so.
func (c *Client) SetEmails(ctx context.Context, token Secret, userUUID string, emails []Email) ([]Email, error) {
	return c.setEmails(ctx, token, "", userUUID, emails)
}

// SetAdminEmails replaces the whole list of a user's e-mails as an administrator. Changing the address used to sign
// in kills the refresh tokens made with it before 26.07 (contract 5). The server does not check the user's tenant.
func (c *Client) SetAdminEmails(ctx context.Context, token Secret, userUUID string, emails []Email) ([]Email, error) {
	return c.setEmails(ctx, token, "/admin", userUUID, emails)
}

func (c *Client) setEmails(ctx context.Context, token Secret, prefix, userUUID string, emails []Email) ([]Email, error) {
	path, err := userPath(userUUID, "/emails")
	if err != nil {
		return nil, err
	}
	body := struct {
		Emails []newEmail `json:"emails"`
	}{make([]newEmail, 0, len(emails))}
	for _, e := range emails {
		n := newEmail{Address: e.Address, Main: e.Main}
		if prefix != "" {
			n.Confirmed = &e.Confirmed
		}
		body.Emails = append(body.Emails, n)
	}
	var answer []wireEmail
	if err := c.object(ctx, &request{method: http.MethodPut, path: prefix + path, token: token, body: body}, &answer); err != nil {
		return nil, err
	}
	if answer == nil {
		return nil, c.notWazo("it is no list of e-mails")
	}
	set := make([]Email, 0, len(answer))
	for _, w := range answer {
		set = append(set, emailOf(w))
	}
	return set, nil
}

type newEmail struct {
	Address   string `json:"address"`
	Main      bool   `json:"main"`
	Confirmed *bool  `json:"confirmed,omitempty"`
}

// wireEmail is an e-mail as it is sent; an unconfirmed one is null in the answer to a PUT (emails_admin_put).
type wireEmail struct {
	UUID      string `json:"uuid"`
	Address   string `json:"address"`
	Main      bool   `json:"main"`
	Confirmed bool   `json:"confirmed"`
}

func emailOf(w wireEmail) Email { return Email(w) }
