package authd

import "net/http"

// serviceRoutes is the rest of contract 11 that needs no identity provider.
func serviceRoutes() []route {
	return []route{
		{method: http.MethodHead, path: "/status", handler: (*request).headStatus},
		{method: http.MethodGet, path: "/backends", handler: (*request).listBackends},
		{method: http.MethodGet, path: "/backends/ldap", acl: "auth.backends.read", handler: (*request).showLDAP},
		{method: http.MethodGet, path: "/idp", acl: "auth.idp.read", handler: (*request).listProviders},
		{method: http.MethodGet, path: "/config", acl: "auth.config.read", handler: (*request).showConfig},
		{method: http.MethodPost, path: "/saml/sso", handler: (*request).startSAML},
	}
}

var identityProviders = []string{"native", "default", "saml", "ldap"}

// headStatus says 200 with the bus down too: no component reports itself (contract 11).
func (q *request) headStatus() answer { return reply(http.StatusOK, "") }

func (q *request) listBackends() answer {
	return reply(http.StatusOK, envelope{[]string{"ldap_user", "wazo_user"}})
}

func (q *request) showLDAP() answer {
	if _, a, ok := q.tenant(); !ok {
		return a
	}
	var unset dict
	for _, key := range []string{
		"tenant_uuid", "host", "port", "protocol_version", "protocol_security", "bind_dn", "user_base_dn",
		"user_login_attribute", "user_email_attribute", "search_filters",
	} {
		unset = append(unset, field{key, nil})
	}
	return reply(http.StatusOK, unset)
}

func (q *request) listProviders() answer {
	n := len(identityProviders)
	return reply(http.StatusOK, listObject[string]{Total: n, Filtered: n, Items: identityProviders})
}

// showConfig is for the master tenant alone; others get a 401 without a reason
// (transcript config_denied_admin).
func (q *request) showConfig() answer {
	if q.token.tenant != q.s.master.uuid {
		return unauthorized(q.token.value, "", "")
	}
	return reply(http.StatusOK, map[string]any{
		"default_token_lifetime":       int(q.s.cfg.TokenLifetime.Seconds()),
		"max_user_concurrent_sessions": q.s.cfg.MaxSessions,
	})
}

// startSAML: no domain is configured here.
func (q *request) startSAML() answer {
	f, a, ok := q.form("saml")
	if !ok {
		return a
	}
	domain := f.text("domain", rule{required: true})
	f.text("redirect_url", rule{required: true})
	if f.fault != nil {
		return f.first("saml")
	}
	return modern(http.StatusInternalServerError, "configuration-error", "SAML client for domain not found or failed",
		dict{{"domain", domain}}, "saml")
}
