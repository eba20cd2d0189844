package api

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// wireToken is a token object as it is sent (contract 4). What may be null or missing on some version is
// empty then.
type wireToken struct {
	Token        string        `json:"token"`
	RefreshToken string        `json:"refresh_token"`
	SessionUUID  string        `json:"session_uuid"`
	AuthID       string        `json:"auth_id"`
	StackUUID    string        `json:"xivo_uuid"`
	IssuedAt     string        `json:"issued_at"`
	ExpiresAt    string        `json:"expires_at"`
	UTCIssuedAt  string        `json:"utc_issued_at"`
	UTCExpiresAt string        `json:"utc_expires_at"`
	ACL          []string      `json:"acl"`
	ACLs         []string      `json:"acls"` // before 20.16
	Metadata     *wireMetadata `json:"metadata"`
	RemoteAddr   string        `json:"remote_addr"`
	UserAgent    string        `json:"user_agent"`
}

type wireMetadata struct {
	UUID        string `json:"uuid"`
	TenantUUID  string `json:"tenant_uuid"`
	PBXUserUUID string `json:"pbx_user_uuid"`
	Purpose     string `json:"purpose"`
	Admin       *bool  `json:"admin"`
}

// token sends a request that is answered by a token object.
func (c *Client) token(ctx context.Context, r *request) (*Token, error) {
	var t *Token
	err := c.call(ctx, r, objectLimit, func(h http.Header, body *bodyReader) error {
		var answer struct {
			Data *wireToken `json:"data"`
		}
		if err := readJSON(h, body, r.secrets(), &answer); err != nil {
			return err
		}
		if answer.Data == nil {
			return &Error{Kind: KindNotWazo, Message: `it has no "data"`}
		}
		var err error
		t, err = tokenOf(answer.Data, h, time.Now())
		return err
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// tokenOf checks what the rest of the program relies on. now stands in for a server that tells no time at all.
func tokenOf(w *wireToken, h http.Header, now time.Time) (*Token, error) {
	bad := func(message string) (*Token, error) {
		return nil, &Error{Kind: KindBadBody, Message: message}
	}
	switch {
	case w.Token == "" && w.AuthID == "" && w.SessionUUID == "":
		return nil, &Error{Kind: KindNotWazo, Message: `its "data" is no token`}
	case !isUUID(w.Token):
		return bad(`its "token" is none`)
	case w.RefreshToken != "" && !isUUID(w.RefreshToken):
		return bad(`its "refresh_token" is none`)
	case w.AuthID == "":
		return bad(`it does not say whose token it is ("auth_id")`)
	case w.SessionUUID != "" && !isUUID(w.SessionUUID):
		return bad(`its "session_uuid" is none`)
	}
	t := &Token{
		Value:           NewSecret(w.Token),
		RefreshToken:    NewSecret(w.RefreshToken),
		SessionUUID:     w.SessionUUID,
		AuthID:          w.AuthID,
		LocalIssuedAt:   w.IssuedAt,
		LocalExpiresAt:  w.ExpiresAt,
		StackUUID:       w.StackUUID,
		ACL:             w.ACL,
		RemoteAddr:      w.RemoteAddr,
		UserAgent:       w.UserAgent,
		SessionsRevoked: -1,
		Date:            date(h),
	}
	if t.ACL == nil {
		t.ACL = w.ACLs
	}
	if m := w.Metadata; m != nil {
		t.Metadata = Metadata(*m)
	}
	if n, err := strconv.Atoi(h.Get("Wazo-Sessions-Revoked")); err == nil && n >= 0 {
		t.SessionsRevoked = n
	}
	if message := t.setTimes(w, now); message != "" {
		return bad(message)
	}
	return t, nil
}

// setTimes fills IssuedAt and ExpiresAt. A server that tells no UTC gives at least the lifetime, as the difference
// of its local times; it is then counted from the server's clock at the answer.
func (t *Token) setTimes(w *wireToken, now time.Time) (wrong string) {
	if w.UTCIssuedAt != "" && w.UTCExpiresAt != "" {
		var err, err2 error
		t.IssuedAt, err = parseUTC(w.UTCIssuedAt)
		t.ExpiresAt, err2 = parseUTC(w.UTCExpiresAt)
		if err != nil || err2 != nil {
			return `its "utc_issued_at" or "utc_expires_at" is no time`
		}
	} else {
		from, err := parseUTC(w.IssuedAt)
		to, err2 := parseUTC(w.ExpiresAt)
		if err != nil || err2 != nil {
			return `it does not say when it expires`
		}
		t.IssuedAt = t.Date
		if t.Date.IsZero() {
			t.IssuedAt = now.UTC().Round(0)
		}
		t.ExpiresAt = t.IssuedAt.Add(to.Sub(from))
	}
	if t.ExpiresAt.Before(t.IssuedAt) {
		return "it expires before it is issued"
	}
	return ""
}
