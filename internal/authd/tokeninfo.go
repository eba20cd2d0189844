package authd

import "net/http"

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
	if t.authID == internalID {
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
	f := &form{body: body}
	scopes = f.texts("scopes")
	tenant, _ = f.text("tenant_uuid", rule{nullable: true}).(string)
	return scopes, tenant, f.fault, !f.has("scopes")
}
