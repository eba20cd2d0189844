package authd

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// serviceRoutes is the rest of contract 11 that needs no identity provider.
func serviceRoutes() []route {
	return []route{
		{method: http.MethodHead, path: "/status", handler: (*request).headStatus},
		{method: http.MethodGet, path: "/backends", handler: (*request).listBackends},
		{method: http.MethodGet, path: "/backends/ldap", acl: "auth.backends.ldap.read", handler: (*request).showLDAP},
		{method: http.MethodGet, path: "/idp", acl: "auth.idp.read", handler: (*request).listProviders},
		{method: http.MethodPut, path: "/idp/{idp_type}/users", acl: "auth.idp.{idp_type}.users.update", handler: (*request).addProviderUsers},
		{method: http.MethodPut, path: "/idp/{idp_type}/users/{user_uuid}", acl: "auth.idp.{idp_type}.users.{user_uuid}.create", handler: (*request).addProviderUser},
		{method: http.MethodDelete, path: "/idp/{idp_type}/users/{user_uuid}", acl: "auth.idp.{idp_type}.users.{user_uuid}.delete", handler: (*request).removeProviderUser},
		{method: http.MethodGet, path: "/config", acl: "auth.config.read", handler: (*request).showConfig},
		{method: http.MethodPatch, path: "/config", acl: "auth.config.update", handler: (*request).showConfig},
		{method: http.MethodGet, path: "/api/api.yml", handler: (*request).showRoutes},
		{method: http.MethodPost, path: "/saml/sso", handler: (*request).startSAML},
	}
}

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

// showConfig is for the master tenant alone; others get a 401 without a reason
// (transcript config_denied_admin). Nothing here can be changed while it runs, so
// PATCH only shows it too.
func (q *request) showConfig() answer {
	if q.token.tenant != q.s.master.uuid {
		return unauthorized(q.token.value, "", "")
	}
	return reply(http.StatusOK, map[string]any{
		"default_token_lifetime":       int(q.s.cfg.TokenLifetime.Seconds()),
		"max_user_concurrent_sessions": q.s.cfg.MaxSessions,
	})
}

// startSAML: no domain is configured here. What is wrong with the body is told by
// the key's name alone.
func (q *request) startSAML() answer {
	if !q.bodyOK {
		return notUnderstood()
	}
	body, ok := q.object()
	if !ok {
		return modern(http.StatusBadRequest, "invalid-data", "_schema", dict{}, "saml")
	}
	f := &form{body: body}
	f.text("redirect_url", rule{check: notEmpty})
	domain, given := f.text("domain", rule{check: domainName}).(string)
	switch {
	case f.fault != nil:
		return modern(http.StatusBadRequest, "invalid-data", f.fault[0].key, dict{}, "saml")
	case !given:
		return internalError()
	}
	return modern(http.StatusInternalServerError, "configuration-error", "SAML client for domain not found or failed",
		dict{{"domain", domain}}, "saml")
}

// domainLabel is one part of a domain name.
var domainLabel = pattern(`^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$`)

// domainName wants 2 to 63 labels and 253 characters at most, besides a final dot.
func domainName(s string) any {
	s = strings.TrimSuffix(s, ".")
	labels := strings.Split(s, ".")
	if len(s) > 253 || len(labels) < 2 || len(labels) > 63 ||
		slices.ContainsFunc(labels, func(label string) bool { return !domainLabel().MatchString(label) }) {
		return "not a domain name" // only the key is told
	}
	return nil
}

// showRoutes is the place of the real server's API description. This one is short: the
// routes, and the ACL that each asks for.
func (q *request) showRoutes() answer {
	var b strings.Builder
	b.WriteString("swagger: '2.0'\ninfo: {title: wazo-auth, version: '0.1'}\nbasePath: /0.1\npaths:\n")
	for i, rt := range q.s.routes {
		if i == 0 || q.s.routes[i-1].path != rt.path {
			fmt.Fprintf(&b, "  %s:\n", rt.path)
		}
		fmt.Fprintf(&b, "    %s: {description: '%s'}\n", strings.ToLower(rt.method), rt.acl)
	}
	return answer{status: http.StatusOK, ctype: "application/x-yaml", body: []byte(b.String())}
}
