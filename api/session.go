package api

import "context"

// Session is what the server lists of a session: no date, no client, no token (contract 8).
type Session struct {
	UUID       string
	Mobile     bool
	TenantUUID string
	UserUUID   string // empty for internal tokens
}

// UserSessions lists the sessions of a user; there is no "me" form (contract 8). Expired ones stay listed for up
// to a minute. The server keeps no order that paging could rely on: leave Limit at 0 or use All.
func (c *Client) UserSessions(ctx context.Context, token Secret, userUUID string, o ListOptions) (Page[Session], error) {
	return Page[Session]{}, errNotYet
}

// AllSessions lists the sessions of a whole tenant, with Recurse those below too (contract 8).
func (c *Client) AllSessions(ctx context.Context, token Secret, o ListOptions) (Page[Session], error) {
	return Page[Session]{}, errNotYet
}

// RevokeUserSession ends a session and its access token at once; the refresh token stays. The server says yes to
// unknown sessions too, and does not check whose session it is (contract 8).
func (c *Client) RevokeUserSession(ctx context.Context, token Secret, userUUID, sessionUUID string) error {
	return errNotYet
}

// RevokeSession does so through the administrators' path, which an ordinary user's token may not take.
func (c *Client) RevokeSession(ctx context.Context, token Secret, sessionUUID string) error {
	return errNotYet
}
