package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"
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
// the same ClientID gives the same refresh token again. A client_id that could not be revoked later is refused
// here (see Unrevokable). It opens a session.
// Errors: ErrBadCredentials, ErrSessionCeiling, ErrInvalid, ErrServer, ErrNotWazo, ErrNetwork, ErrCertificate.
func (c *Client) CreateToken(ctx context.Context, r PasswordRequest) (*Token, error) {
	switch {
	case r.Login == "" || r.Password.IsZero():
		return nil, invalid("the user name or the password is empty", "give both")
	case strings.Contains(r.Login, ":"):
		return nil, invalid("a user name with a colon cannot be sent", "sign in with the user's e-mail address")
	}
	seconds, err := wholeSeconds(r.Lifetime)
	if err != nil {
		return nil, err
	}
	body := tokenRequest{Expiration: seconds}
	if r.ClientID != "" {
		if reason, bad := Unrevokable(r.ClientID); bad {
			return nil, invalid("a refresh token of this client_id could not be revoked later: "+reason, "choose another client_id")
		}
		body.AccessType, body.ClientID = "offline", r.ClientID
	}
	return c.token(ctx, &request{
		method: http.MethodPost, path: "/token", login: r.Login, pass: r.Password, body: body,
		legacy401: KindBadCredentials, next: afterFault,
	})
}

// Refresh makes an access token from a refresh token (contract 5). It opens a session and closes none; the
// answer carries no refresh token. A refresh token remembers a login name: compare AuthID with the user expected.
// Errors: ErrRefreshRefused, ErrSessionCeiling, and those of CreateToken.
func (c *Client) Refresh(ctx context.Context, r RefreshRequest) (*Token, error) {
	if r.RefreshToken.IsZero() || r.ClientID == "" {
		return nil, invalid("a refresh needs the refresh token and its client_id", "sign in again")
	}
	seconds, err := wholeSeconds(r.Lifetime)
	if err != nil {
		return nil, err
	}
	return c.token(ctx, &request{
		method: http.MethodPost, path: "/token", hidden: []Secret{r.RefreshToken},
		body:      tokenRequest{Expiration: seconds, ClientID: r.ClientID, RefreshToken: r.RefreshToken.Reveal()},
		legacy401: KindRefreshRefused, next: afterFault,
	})
}

// afterFault reminds of what a fault leaves behind (contract 5, bus outage).
const afterFault = "try again in a moment, not at once: a sign-in that fails like this may still have opened a session"

// GetToken reads an access token (contract 6); it needs no other authentication. Times are whole
// seconds, up to one second earlier than CreateToken told. A dead token is ErrTokenDead.
func (c *Client) GetToken(ctx context.Context, token Secret) (*Token, error) {
	path, err := tokenPath(token)
	if err != nil {
		return nil, err
	}
	return c.token(ctx, &request{method: http.MethodGet, path: path, hidden: []Secret{token}, tokenPath: true})
}

// CheckToken asks whether a token lives and, where given, may do scope and see tenant (contract 6).
// An empty scope or tenant is not asked. nil: yes. ErrTokenDead, ErrPermission or ErrWrongTenant: no;
// with both scope and tenant the server does not tell which it was, and ErrPermission stands for either.
func (c *Client) CheckToken(ctx context.Context, token Secret, scope, tenant string) error {
	path, err := tokenPath(token)
	if err != nil {
		return err
	}
	query := url.Values{}
	if scope != "" {
		query.Set("scope", scope)
	}
	if tenant != "" {
		query.Set("tenant", tenant)
	}
	return c.nothing(ctx, &request{
		method: http.MethodHead, path: path, query: query, hidden: []Secret{token}, tokenPath: true, scope: scope,
	})
}

// RevokeToken ends an access token and its session; the refresh token stays (contract 6).
// The server says yes to unknown and expired tokens too.
func (c *Client) RevokeToken(ctx context.Context, token Secret) error {
	path, err := tokenPath(token)
	if err != nil {
		return err
	}
	var answer struct {
		Data *struct{} `json:"data"`
	}
	err = c.object(ctx, &request{method: http.MethodDelete, path: path, hidden: []Secret{token}, tokenPath: true}, &answer)
	if err == nil && answer.Data == nil {
		return c.notWazo("it does not say that the token is gone")
	}
	return err
}

// CheckScopes asks for many scopes at once (contract 6; stacks since 20.13). Each scope asked is a key of the answer.
func (c *Client) CheckScopes(ctx context.Context, token Secret, scopes []string, tenant string) (map[string]bool, error) {
	path, err := tokenPath(token)
	if err != nil {
		return nil, err
	}
	body := struct {
		Scopes []string `json:"scopes"`
		Tenant string   `json:"tenant_uuid,omitempty"`
	}{append([]string{}, scopes...), tenant}
	var answer struct {
		Scopes map[string]bool `json:"scopes"`
	}
	err = c.object(ctx, &request{
		method: http.MethodPost, path: path + "/scopes/check", body: body, hidden: []Secret{token}, tokenPath: true,
	}, &answer)
	if err != nil {
		return nil, err
	}
	for _, scope := range scopes {
		if _, told := answer.Scopes[scope]; !told {
			return nil, c.notWazo("it does not speak of every scope that was asked")
		}
	}
	return answer.Scopes, nil
}

// notWazo is an answer with the right status and the wrong content.
func (c *Client) notWazo(message string) error {
	return &Error{Kind: KindNotWazo, Host: StackName(c.base), Message: message}
}

// tokenPath gives the path of an access token. The server answers what is no UUID with a page of
// HTML (contract 1), so it is not asked.
func tokenPath(token Secret) (string, error) {
	if !isUUID(token.Reveal()) {
		return "", invalid("that is no access token", "give one of 36 characters, such as 00000000-0000-4000-8000-000000000000")
	}
	return "/token/" + token.Reveal(), nil
}

// tokenRequest is the body of POST /token (contract 5).
type tokenRequest struct {
	AccessType   string `json:"access_type,omitempty"`
	ClientID     string `json:"client_id,omitempty"`
	Expiration   int64  `json:"expiration,omitempty"`
	RefreshToken string `json:"refresh_token,omitempty"`
}

// wholeSeconds turns a lifetime into what the server takes: 1 second to ten years (contract 5).
func wholeSeconds(d time.Duration) (int64, error) {
	const most = 315360000 * time.Second
	if d < 0 || d > 0 && d < time.Second || d > most {
		return 0, invalid("a lifetime of "+d.String()+" is not possible", "choose one from 1 second to 10 years")
	}
	return int64(d / time.Second), nil
}
