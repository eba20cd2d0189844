package api

import (
	"context"
	"net/http"
)

// Session is what the server lists of a session: no date, no client, no token (contract 8).
type Session struct {
	UUID       string
	Mobile     bool
	TenantUUID string
	UserUUID   string // empty for internal tokens
}

// UserSessions lists the sessions of a user; there is no "me" form (contract 8). Expired ones stay listed for up
// to a minute. The server keeps no order that paging could rely on: leave Limit at 0, or use All.
func (c *Client) UserSessions(ctx context.Context, token Secret, userUUID string, o ListOptions) (Page[Session], error) {
	path, err := userPath(userUUID, "/sessions")
	if err != nil {
		return Page[Session]{}, err
	}
	return list(ctx, c, path, token, o, sessionOf)
}

// AllSessions lists the sessions of a whole tenant, with Recurse those below too (contract 8).
func (c *Client) AllSessions(ctx context.Context, token Secret, o ListOptions) (Page[Session], error) {
	return list(ctx, c, "/sessions", token, o, sessionOf)
}

// RevokeUserSession ends a session and its access token at once; the refresh token stays. The server says yes to
// unknown sessions too, and does not check whose session it is (contract 8).
func (c *Client) RevokeUserSession(ctx context.Context, token Secret, userUUID, sessionUUID string) error {
	path, err := userPath(userUUID, "/sessions/")
	if err != nil {
		return err
	}
	return c.revokeSession(ctx, token, path, sessionUUID)
}

// RevokeSession does so through the administrators' path, which an ordinary user's token may not take.
func (c *Client) RevokeSession(ctx context.Context, token Secret, sessionUUID string) error {
	return c.revokeSession(ctx, token, "/sessions/", sessionUUID)
}

func (c *Client) revokeSession(ctx context.Context, token Secret, path, sessionUUID string) error {
	if !isUUID(sessionUUID) {
		return invalid("that is no session", "give the uuid of one, as it is listed")
	}
	return c.nothing(ctx, &request{
		method: http.MethodDelete, path: path + sessionUUID, token: token,
		next: "list the sessions again before retrying: it may be revoked all the same",
	})
}

// userPath gives the path of a user; what is no UUID gets an HTML page from the server (contract 1) and is not sent.
func userPath(userUUID, rest string) (string, error) {
	if !isUUID(userUUID) {
		return "", invalid("that is no user", "give the user's uuid")
	}
	return "/users/" + userUUID + rest, nil
}

func sessionOf(w wireSession) (Session, error) {
	return Session(w), needUUID(w.UUID)
}

type wireSession struct {
	UUID       string `json:"uuid"`
	Mobile     bool   `json:"mobile"`
	TenantUUID string `json:"tenant_uuid"`
	UserUUID   string `json:"user_uuid"`
}

func (s Session) key() string { return s.UUID }
