package api

import (
	"context"
	"time"
)

// Token is an access token with what the server says of it (contract 4).
type Token struct {
	Value          Secret
	RefreshToken   Secret // only in the answer to an offline sign-in
	SessionUUID    string
	AuthID         string    // the user's uuid, or "wazo-auth" for internal tokens
	IssuedAt       time.Time // UTC, from utc_issued_at
	ExpiresAt      time.Time // UTC, from utc_expires_at
	LocalIssuedAt  string    // server-local time without a zone, as sent; for display alone
	LocalExpiresAt string
	StackUUID      string // xivo_uuid, may be empty
	ACL            []string
	Metadata       Metadata
	RemoteAddr     string
	UserAgent      string
	// SessionsRevoked is the header Wazo-Sessions-Revoked; -1 when the server sent none (before 26.05).
	SessionsRevoked int
	// Date is the server's clock when it answered (header Date, whole seconds); zero if it told none.
	Date time.Time
}

// Metadata is the token's metadata. Everything may be missing (mail tokens: all of it).
type Metadata struct {
	UUID        string
	TenantUUID  string
	PBXUserUUID string
	Purpose     string
	Admin       *bool // nil where the stack does not tell
}

// PasswordRequest asks for an access token by user name (or confirmed e-mail) and password.
type PasswordRequest struct {
	Login    string
	Password Secret
	ClientID string        // not empty: also ask for a refresh token of this client_id (access_type offline)
	Lifetime time.Duration // 0: the server's default (7200 s)
}

// RefreshRequest asks for an access token by refresh token.
type RefreshRequest struct {
	RefreshToken Secret
	ClientID     string
	Lifetime     time.Duration // 0: the server's default (7200 s)
}

// CreateToken signs in with a password (contract 5). With a ClientID the answer carries a refresh token too;
// the same ClientID gives the same refresh token again. It opens a session.
// Errors: ErrBadCredentials, ErrSessionCeiling, ErrInvalid, ErrServer, ErrNotWazo, ErrNetwork, ErrCertificate.
func (c *Client) CreateToken(ctx context.Context, r PasswordRequest) (*Token, error) {
	return nil, errNotYet
}

// Refresh makes an access token from a refresh token (contract 5). It opens a session and closes none; the
// answer carries no refresh token. A refresh token remembers a login name: compare AuthID with the user expected.
// Errors: ErrRefreshRefused, ErrSessionCeiling, and those of CreateToken.
func (c *Client) Refresh(ctx context.Context, r RefreshRequest) (*Token, error) {
	return nil, errNotYet
}

// GetToken reads an access token (contract 6); it needs no other authentication. Times are whole
// seconds, up to one second earlier than CreateToken told. A dead token is ErrTokenDead.
func (c *Client) GetToken(ctx context.Context, token Secret) (*Token, error) {
	return nil, errNotYet
}

// CheckToken asks whether a token lives and, where given, may do scope and see tenant (contract 6).
// An empty scope or tenant is not asked. nil: yes. ErrTokenDead, ErrPermission or ErrWrongTenant: no;
// with both scope and tenant the server does not tell which it was, and ErrPermission stands for either.
func (c *Client) CheckToken(ctx context.Context, token Secret, scope, tenant string) error {
	return errNotYet
}

// RevokeToken ends an access token and its session; the refresh token stays (contract 6).
// The server says yes to unknown and expired tokens too.
func (c *Client) RevokeToken(ctx context.Context, token Secret) error { return errNotYet }

// CheckScopes asks for many scopes at once (contract 6; stacks since 20.13). Each scope asked is a key of the answer.
func (c *Client) CheckScopes(ctx context.Context, token Secret, scopes []string, tenant string) (map[string]bool, error) {
	return nil, errNotYet
}
