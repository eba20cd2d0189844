package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
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

// MyRefreshTokens lists the refresh tokens of the token's own user (contract 7.1).
// Order: created_at (default), client_id, mobile.
func (c *Client) MyRefreshTokens(ctx context.Context, token Secret, o ListOptions) (Page[RefreshToken], error) {
	return list(ctx, c, "/users/me/tokens", token, o, refreshTokenOf)
}

// UserRefreshTokens lists the refresh tokens of a user of the own tenant or below (contract 7.1).
func (c *Client) UserRefreshTokens(ctx context.Context, token Secret, userUUID string, o ListOptions) (Page[RefreshToken], error) {
	path, err := userPath(userUUID, "/tokens")
	if err != nil {
		return Page[RefreshToken]{}, err
	}
	return list(ctx, c, path, token, o, refreshTokenOf)
}

// AllRefreshTokens lists the refresh tokens of a whole tenant, with Recurse those below too (contract 7.1).
func (c *Client) AllRefreshTokens(ctx context.Context, token Secret, o ListOptions) (Page[RefreshToken], error) {
	return list(ctx, c, "/tokens", token, o, refreshTokenOf)
}

// RevokeMyRefreshToken ends a refresh token of the own user. Access tokens made from it live on until they
// expire (contract 7.2). ErrNotFound: there is none. A client_id that no URL can carry is ErrInvalid with the
// reason, and nothing is sent. One of over 192 bytes is ErrServer, though it is deleted: list again.
func (c *Client) RevokeMyRefreshToken(ctx context.Context, token Secret, clientID string) error {
	return c.revokeRefreshToken(ctx, token, "/users/me/tokens/", clientID)
}

// RevokeUserRefreshToken does so for a user of the own tenant or below.
func (c *Client) RevokeUserRefreshToken(ctx context.Context, token Secret, userUUID, clientID string) error {
	path, err := userPath(userUUID, "/tokens/")
	if err != nil {
		return err
	}
	return c.revokeRefreshToken(ctx, token, path, clientID)
}

func (c *Client) revokeRefreshToken(ctx context.Context, token Secret, path, clientID string) error {
	switch {
	case clientID == "":
		return invalid("no client_id was given", "list the refresh tokens and choose one")
	case clientID == ".", clientID == "..", strings.ContainsAny(clientID, "/\x00"):
		reason, _ := Unrevokable(clientID)
		return invalid("the refresh token "+strconv.Quote(tame(clientID, 80, nil))+" cannot be revoked: "+reason,
			"delete or rename its user, or have the stack's administrator remove it")
	}
	return c.nothing(ctx, &request{
		method: http.MethodDelete, path: path + url.PathEscape(clientID), token: token,
		next: "list the refresh tokens again before retrying: it may be revoked all the same",
	})
}

// longest is the length in bytes from which on a client_id does not fit into the bus's routing key (contract 7.3).
const longest = 192

// Unrevokable tells whether a client_id can be created on the server but not, or not surely, be revoked,
// and why (contract 7.3).
func Unrevokable(clientID string) (reason string, bad bool) {
	switch {
	case clientID == "." || clientID == "..":
		return "it is a dot segment, which the stack's web server folds out of the address", true
	case strings.Contains(clientID, "/"):
		return "it holds a slash, which no address of the server can carry", true
	case strings.Contains(clientID, "\x00"):
		return "it holds a NUL, at which the server fails", true
	case strings.Contains(clientID, "#"):
		return "it holds a #, which no user's own permission covers; an administrator can revoke it", true
	case len(clientID) > longest:
		return "it is longer than " + strconv.Itoa(longest) + " bytes, at which the server fails, though it may revoke it", true
	}
	return "", false
}

// refreshTokenOf reads one item of a list. Stacks before 25.09 send no metadata, older ones neither mobile nor the uuids.
func refreshTokenOf(w wireRefreshToken) (RefreshToken, error) {
	if w.ClientID == "" {
		return RefreshToken{}, errors.New("it has no client_id")
	}
	rt := RefreshToken{ClientID: w.ClientID, Mobile: w.Mobile, UserUUID: w.UserUUID, TenantUUID: w.TenantUUID}
	if w.CreatedAt != "" {
		t, err := parseZoned(w.CreatedAt)
		if err != nil {
			return RefreshToken{}, fmt.Errorf("its created_at is %w", err)
		}
		rt.CreatedAt = t
	}
	return rt, nil
}

type wireRefreshToken struct {
	ClientID   string `json:"client_id"`
	CreatedAt  string `json:"created_at"`
	Mobile     bool   `json:"mobile"`
	UserUUID   string `json:"user_uuid"`
	TenantUUID string `json:"tenant_uuid"`
}

func (t RefreshToken) key() string { return t.UserUUID + "/" + t.ClientID }
