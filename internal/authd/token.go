package authd

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// maxExpiration is ten years of 365 days, in seconds (contract 5).
const maxExpiration = 315360000

func tokenRoutes() []route {
	return []route{
		{method: http.MethodPost, path: "/token", handler: (*request).createToken},
		{method: http.MethodGet, path: "/token/{token}", handler: (*request).showToken},
		{method: http.MethodHead, path: "/token/{token}", handler: (*request).headToken},
		{method: http.MethodDelete, path: "/token/{token}", handler: (*request).deleteToken},
		{method: http.MethodPost, path: "/token/{token}/scopes/check", handler: (*request).checkScopes},
	}
}

// ask is a POST /token whose body passed the schema.
type ask struct {
	lifetime        time.Duration // 0: the server's default
	offline         bool
	clientID        string
	refreshToken    string
	samlSession     string
	tenantID        string
	hasTenantID     bool
	hasDomainName   bool
	mobile          bool
	login, password string
}

// createToken follows the real server's order of decision (contract 5): schema,
// refresh token, SAML, LDAP, password, method, ceiling, creation.
func (q *request) createToken() answer {
	if !q.bodyOK {
		return notUnderstood()
	}
	in, fault := q.tokenSchema()
	if fault != nil {
		return legacy(http.StatusBadRequest, pyRepr(fault))
	}
	login, password, state := basicCredentials(q.http.Header.Get("Authorization"))
	if state == basicBroken {
		return internalError()
	}
	in.mobile = strings.EqualFold(q.http.Header.Get("Wazo-Session-Type"), "mobile")
	if login != "" && password != "" {
		in.login, in.password = login, password
	}

	if strings.ContainsRune(in.refreshToken+in.login, 0) || in.offline && strings.ContainsRune(in.clientID, 0) {
		return internalError() // PostgreSQL takes no NUL (contract 5)
	}

	var u *user
	var from *refreshToken
	switch {
	case in.refreshToken != "":
		from = q.s.refreshTokens[in.refreshToken]
		if from == nil || from.clientID != in.clientID {
			return authenticationFailed()
		}
		// It remembers the login typed at its creation: whoever has that name today
		// gets the token (contract 5).
		u = q.s.loginOwner(from.login)
		if as := q.s.faults.refreshAs(); as != "" {
			u = q.s.users[as]
		}
		if u == nil || !u.enabled {
			return authenticationFailed()
		}
	case in.samlSession != "":
		return authenticationFailed()
	case in.login != "" && (in.hasTenantID || in.hasDomainName):
		if in.hasTenantID && !q.s.knowsTenant(in.tenantID) {
			return modern(http.StatusNotFound, "unknown-tenant", `No such tenant: "`+in.tenantID+`"`,
				dict{{"uuid", in.tenantID}}, "tenants")
		}
		return authenticationFailed()
	default:
		u = q.s.loginOwner(in.login)
		if u == nil || !u.enabled || !u.passwordIs(in.password) || q.s.methodOf(u) != "native" {
			return authenticationFailed()
		}
	}

	if u.hasCeiling() && len(q.s.byUser[u.uuid]) >= q.s.cfg.MaxSessions {
		return legacy(http.StatusTooManyRequests, "User "+u.uuid+" has exceeded the maximum number of active sessions")
	}
	return q.issue(u, in, from)
}

// issue makes the access token, its session and, for an offline login, the
// refresh token.
func (q *request) issue(u *user, in ask, from *refreshToken) answer {
	s := q.s
	lifetime := in.lifetime
	if lifetime == 0 {
		lifetime = s.cfg.TokenLifetime
	}
	revoked, published := 0, true
	if in.offline {
		var fresh bool
		if in.mobile {
			revoked = s.dropMobile(u, in.clientID)
		}
		from, fresh = s.offline(u, in, q.now)
		published = !fresh || s.canPublish(u.uuid, in.clientID)
	}
	if !published {
		// The refresh token stays, the access token is never made (contract 5, 7.3).
		return internalError()
	}
	t := &accessToken{
		value: newUUID(), session: newUUID(),
		authID: u.uuid, tenant: u.tenant,
		issued: q.now, expires: q.now.Add(lifetime), expireT: q.now.Add(lifetime).Unix(),
		acl: s.aclOf(u), metadata: s.metadataOf(u),
		remote: remoteHost(q.http), agent: q.http.UserAgent(),
		mobile: in.mobile, from: from, seq: s.next(),
	}
	if isUUID4(u.uuid) {
		t.sessionUser = u.uuid
	}
	s.addToken(t)
	if s.faults.busDown() {
		return internalError() // stored, and unknown to the caller
	}
	data := s.shown(t, false)
	if in.offline {
		data.RefreshToken = from.value
	}
	a := reply(http.StatusOK, envelope{data})
	a.header = map[string]string{"Wazo-Sessions-Revoked": itoa(revoked)}
	return a
}

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

// hasCeiling tells whom the session ceiling binds (contract 5).
func (u *user) hasCeiling() bool { return u.purpose != "internal" && isUUID4(u.uuid) }

// showToken answers GET /token/{token}: no authentication, but scope and tenant
// may be asked about (contract 6).
func (q *request) showToken() answer {
	t, a, ok := q.pathToken()
	if !ok {
		return a
	}
	if q.query.Has("scope") && !t.allows(q.query.Get("scope")) {
		return legacy(http.StatusForbidden, "Unauthorized for "+q.query.Get("scope"))
	}
	if a, ok := q.tokenMayTenant(t, q.query.Get("tenant")); !ok {
		return a
	}
	return reply(http.StatusOK, envelope{q.s.shown(t, true)})
}

func (q *request) headToken() answer {
	if a := q.showToken(); a.status != http.StatusOK {
		return a
	}
	return noContent()
}

func (q *request) pathToken() (*accessToken, answer, bool) {
	t := q.s.liveToken(q.arg["token"], q.now)
	if t == nil {
		return nil, noSuchToken(), false
	}
	return t, answer{}, true
}

// tokenMayTenant checks the tenant a caller asks about; an empty one is ignored.
func (q *request) tokenMayTenant(t *accessToken, tenant string) (answer, bool) {
	if tenant == "" {
		return answer{}, true
	}
	u := q.s.users[t.authID]
	if u == nil {
		return unknownUser(t.authID), false
	}
	if !q.s.sees(u.tenant, tenant) {
		return legacy(http.StatusForbidden, "Unauthorized for tenant "+tenant), false
	}
	return answer{}, true
}

// deleteToken revokes an access token; known, unknown and expired ones alike get
// the same 200, and the refresh token stays (contract 6).
func (q *request) deleteToken() answer {
	if t := q.s.tokens[q.arg["token"]]; t != nil {
		q.s.dropToken(t)
		if q.s.faults.busDown() {
			return internalError()
		}
	}
	return reply(http.StatusOK, envelope{dict{{"message", "success"}}})
}

// checkScopes answers a map from scope to permission (contract 6).
func (q *request) checkScopes() answer {
	if !q.bodyOK {
		return notUnderstood()
	}
	scopes, tenant, fault, broken := q.scopesSchema()
	if fault != nil {
		return legacy(http.StatusBadRequest, pyRepr(fault))
	}
	if broken {
		return internalError()
	}
	t, a, ok := q.pathToken()
	if !ok {
		return a
	}
	if a, ok := q.tokenMayTenant(t, tenant); !ok {
		return a
	}
	verdict := map[string]bool{}
	for _, scope := range scopes {
		verdict[scope] = t.allows(scope)
	}
	return reply(http.StatusOK, map[string]any{"scopes": verdict})
}

// scopesSchema checks the body of scopes/check. broken stands for the 500 of a
// body without "scopes".
func (q *request) scopesSchema() (scopes []string, tenant string, fault dict, broken bool) {
	body, ok := q.object()
	if !ok {
		return nil, "", dict{{"_schema", []any{"Invalid input type."}}}, false
	}
	value, given := body["scopes"]
	switch list := value.(type) {
	case []any:
		var bad dict
		for i, item := range list {
			text, ok := item.(string)
			switch {
			case item == nil:
				bad = append(bad, field{itoa(i), errNull()})
			case !ok:
				bad = append(bad, field{itoa(i), errString()})
			}
			scopes = append(scopes, text)
		}
		if bad != nil {
			fault = append(fault, field{"scopes", bad})
		}
	case nil:
		if given {
			fault = append(fault, field{"scopes", errNull()})
		}
	default:
		fault = append(fault, field{"scopes", errType("Not a valid list.", "list")})
	}
	if value := body["tenant_uuid"]; value != nil {
		text, ok := value.(string)
		if !ok {
			fault = append(fault, field{"tenant_uuid", errString()})
		}
		tenant = text
	}
	return scopes, tenant, fault, !given
}

// tokenSchema checks the body of POST /token (contract 5).
func (q *request) tokenSchema() (ask, dict) {
	var in ask
	body, ok := q.object()
	if !ok {
		return in, dict{{"_schema", []any{"Invalid input type."}}}
	}
	f := &form{body: body}
	text := func(key string, check func(string) any) string {
		s, _ := f.text(key, rule{check: check}).(string)
		return s
	}
	text("backend", nil)
	if value, given := body["expiration"]; given {
		n, problem := expiration(value)
		if problem != nil {
			f.wrong("expiration", problem)
		}
		in.lifetime = time.Duration(n) * time.Second
	}
	in.offline = text("access_type", oneOf("online", "offline")) == "offline"
	in.clientID = text("client_id", between(1, 1024))
	in.refreshToken = text("refresh_token", nil)
	in.tenantID = text("tenant_id", nil)
	domain := text("domain_name", nil)
	in.samlSession = text("saml_session_id", between(1, 1024))
	in.hasTenantID, in.hasDomainName = f.has("tenant_id"), f.has("domain_name")
	if f.fault != nil {
		return in, f.fault
	}

	var wrong []any
	if in.offline && in.refreshToken != "" {
		wrong = append(wrong, `cannot use the "access_type" "offline" with a refresh token`)
	} else if in.offline && in.clientID == "" {
		wrong = append(wrong, `"client_id" must be specified when using "access_type" is "offline"`)
	}
	if in.refreshToken != "" && in.clientID == "" {
		wrong = append(wrong, `"client_id" must be specified when using a "refresh_token"`)
	}
	if in.refreshToken != "" && in.samlSession != "" {
		wrong = append(wrong, `"saml_session_id" and "refresh_token" must not be used at the same time`)
	}
	if in.tenantID != "" && domain != "" {
		wrong = append(wrong, `"tenant_id" and "domain_name" must not be used at the same time`)
	}
	if wrong != nil {
		return in, dict{{"_schema", wrong}}
	}
	return in, nil
}

// expiration reads a lifetime in seconds as Python's int() would: 90.9 and " 90 "
// are 90 (contract 5).
func expiration(value any) (int64, any) {
	var n int64
	switch v := value.(type) {
	case nil:
		return 0, errNull()
	case json.Number:
		if i, ok := pyInt(v.String()); ok {
			n = clampInt(i)
			break
		}
		f, err := v.Float64()
		if err != nil {
			return 0, errInteger()
		}
		n = int64(max(-1, min(f, maxExpiration+1)))
	case string:
		i, ok := pyInt(v)
		if !ok {
			return 0, errInteger()
		}
		n = clampInt(i)
	default:
		return 0, errInteger()
	}
	if n < 1 || n > maxExpiration {
		return 0, errRange(1, maxExpiration)
	}
	return n, nil
}
