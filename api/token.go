package api

import (
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
