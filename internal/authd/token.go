package authd

import (
	"net/http"
	"strings"
)

func tokenRoutes() []route {
	return []route{
		{method: http.MethodPost, path: "/token", handler: (*request).createToken},
		{method: http.MethodGet, path: "/token/{token}", handler: (*request).showToken},
		{method: http.MethodHead, path: "/token/{token}", handler: (*request).headToken},
		{method: http.MethodDelete, path: "/token/{token}", handler: (*request).deleteToken},
		{method: http.MethodPost, path: "/token/{token}/scopes/check", handler: (*request).checkScopes},
	}
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

	if in.holdsNUL() {
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
		if in.tenantID != "" && !q.s.knowsTenant(in.tenantID) {
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
		remote: q.clientAddress(), agent: q.http.UserAgent(),
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

// hasCeiling tells whom the session ceiling binds (contract 5).
func (u *user) hasCeiling() bool { return u.purpose != "internal" && isUUID4(u.uuid) }
