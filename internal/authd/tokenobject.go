package authd

import "time"

type envelope struct {
	Data any `json:"data"`
}

// tokenObject is contract 4.
type tokenObject struct {
	Token        string   `json:"token"`
	AuthID       string   `json:"auth_id"`
	XivoUserUUID *string  `json:"xivo_user_uuid"`
	XivoUUID     *string  `json:"xivo_uuid"`
	IssuedAt     string   `json:"issued_at"`
	ExpiresAt    string   `json:"expires_at"`
	UTCIssuedAt  string   `json:"utc_issued_at"`
	UTCExpiresAt string   `json:"utc_expires_at"`
	ACL          []string `json:"acl"`
	Metadata     any      `json:"metadata"`
	SessionUUID  string   `json:"session_uuid"`
	RemoteAddr   string   `json:"remote_addr"`
	UserAgent    string   `json:"user_agent"`
	RefreshToken string   `json:"refresh_token,omitempty"`
}

type metadata struct {
	UUID        string  `json:"uuid"`
	TenantUUID  string  `json:"tenant_uuid"`
	AuthID      string  `json:"auth_id"`
	PBXUserUUID *string `json:"pbx_user_uuid"`
	XivoUUID    *string `json:"xivo_uuid"`
	Purpose     string  `json:"purpose"`
	Admin       *bool   `json:"admin,omitempty"`
}

// shown is a token as it is answered. stored is for GET, which knows whole seconds
// only (contract 4).
func (s *Server) shown(t *accessToken, stored bool) tokenObject {
	issued, expires := t.issued, t.expires
	if stored {
		issued, expires = time.Unix(issued.Unix(), 0), time.Unix(t.expireT, 0)
	}
	o := tokenObject{
		Token: t.value, AuthID: t.authID, XivoUUID: s.stackUUID(),
		IssuedAt: isoLocal(issued.In(s.cfg.Timezone)), ExpiresAt: isoLocal(expires.In(s.cfg.Timezone)),
		UTCIssuedAt: issued.UTC().Format(isoMicro), UTCExpiresAt: expires.UTC().Format(isoMicro),
		ACL: t.acl, Metadata: t.metadata, SessionUUID: t.session, RemoteAddr: t.remote, UserAgent: t.agent,
	}
	if m, ok := t.metadata.(metadata); ok {
		o.XivoUserUUID = m.PBXUserUUID
	} else {
		o.XivoUUID = nil
	}
	return o
}

const isoMicro = "2006-01-02T15:04:05.000000"

// isoLocal is a time without its zone; a fraction of exactly 0 disappears.
func isoLocal(t time.Time) string {
	if t.Nanosecond()/1000 == 0 {
		return t.Format("2006-01-02T15:04:05")
	}
	return t.Format(isoMicro)
}

func (s *Server) stackUUID() *string {
	if s.cfg.StackUUID == "" {
		return nil
	}
	return &s.cfg.StackUUID
}

func (s *Server) metadataOf(u *user) metadata {
	m := metadata{UUID: u.uuid, TenantUUID: u.tenant, AuthID: u.uuid, XivoUUID: s.stackUUID(), Purpose: u.purpose}
	if u.purpose == "user" {
		m.PBXUserUUID = &u.uuid
		admin := s.isAdmin(u)
		m.Admin = &admin
	}
	return m
}
