package api

import (
	"context"
	"time"
)

// RefreshToken is what the server lists of a refresh token: never its value (contract 7.1).
type RefreshToken struct {
	ClientID   string
	CreatedAt  time.Time
	Mobile     bool
	UserUUID   string
	TenantUUID string
}

// Page is one page of a list. Total ignores search and filters, Filtered honours them.
type Page[T any] struct {
	Items    []T
	Total    int
	Filtered int
}

// ListOptions are the parameters common to lists. The zero value asks for everything in the
// server's own order.
type ListOptions struct {
	Limit   int // 0: no limit is sent
	Offset  int
	Order   string // a column the endpoint knows
	Desc    bool
	Search  string
	Recurse bool   // sub-tenants too, where the endpoint has it
	Tenant  string // Wazo-Tenant header
	// Filter holds exact filters, by the server's names: client_id, mobile; username, purpose, … (contract 7.1, 10).
	Filter map[string]string
}

// MyRefreshTokens lists the refresh tokens of the token's own user (contract 7.1).
// Order: created_at (default), client_id, mobile.
func (c *Client) MyRefreshTokens(ctx context.Context, token Secret, o ListOptions) (Page[RefreshToken], error) {
	return Page[RefreshToken]{}, errNotYet
}

// UserRefreshTokens lists the refresh tokens of a user of the own tenant or below (contract 7.1).
func (c *Client) UserRefreshTokens(ctx context.Context, token Secret, userUUID string, o ListOptions) (Page[RefreshToken], error) {
	return Page[RefreshToken]{}, errNotYet
}

// AllRefreshTokens lists the refresh tokens of a whole tenant, with Recurse those below too (contract 7.1).
func (c *Client) AllRefreshTokens(ctx context.Context, token Secret, o ListOptions) (Page[RefreshToken], error) {
	return Page[RefreshToken]{}, errNotYet
}

// RevokeMyRefreshToken ends a refresh token of the own user. Access tokens made from it live on until they
// expire (contract 7.2). ErrNotFound: there is none. A client_id that no URL can carry is ErrInvalid with the
// reason, and nothing is sent (see Unrevokable).
func (c *Client) RevokeMyRefreshToken(ctx context.Context, token Secret, clientID string) error {
	return errNotYet
}

// RevokeUserRefreshToken does so for a user of the own tenant or below.
func (c *Client) RevokeUserRefreshToken(ctx context.Context, token Secret, userUUID, clientID string) error {
	return errNotYet
}

// Unrevokable tells whether a client_id can be created on the server but not, or not surely, revoked by it,
// and why (contract 7.3).
func Unrevokable(clientID string) (reason string, bad bool) { return "", false }
