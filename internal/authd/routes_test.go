package authd

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// allowed is what the Allow header says for each path of the contract; {u} stands for
// a user's uuid, {x} for any other.
var allowed = map[string]string{
	"/token":                          "OPTIONS, POST",
	"/token/{x}":                      "DELETE, GET, HEAD, OPTIONS",
	"/token/{x}/scopes/check":         "OPTIONS, POST",
	"/tokens":                         "GET, HEAD, OPTIONS",
	"/users/me/tokens":                "GET, HEAD, OPTIONS",
	"/users/me/tokens/laptop":         "DELETE, OPTIONS",
	"/users/{u}/tokens":               "GET, HEAD, OPTIONS",
	"/users/{u}/tokens/laptop":        "DELETE, OPTIONS",
	"/sessions":                       "GET, HEAD, OPTIONS",
	"/sessions/{x}":                   "DELETE, OPTIONS",
	"/users/{u}/sessions":             "GET, HEAD, OPTIONS",
	"/users/{u}/sessions/{x}":         "DELETE, OPTIONS",
	"/users":                          "GET, HEAD, OPTIONS, POST",
	"/users/{u}":                      "DELETE, GET, HEAD, OPTIONS, PUT",
	"/users/{u}/password":             "OPTIONS, PUT",
	"/users/password/reset":           "GET, HEAD, OPTIONS, POST",
	"/users/{u}/emails":               "OPTIONS, PUT",
	"/admin/users/{u}/emails":         "OPTIONS, PUT",
	"/users/{u}/emails/{x}/confirm":   "GET, HEAD, OPTIONS",
	"/emails/{x}/confirm":             "GET, HEAD, OPTIONS, PUT",
	"/users/{u}/groups":               "GET, HEAD, OPTIONS",
	"/users/{u}/policies":             "GET, HEAD, OPTIONS",
	"/users/{u}/policies/{x}":         "DELETE, OPTIONS, PUT",
	"/users/{u}/policies/some_policy": "DELETE, OPTIONS, PUT",
	"/groups/{x}/users/{u}":           "DELETE, OPTIONS, PUT",
	"/policies/{x}":                   "DELETE, GET, HEAD, OPTIONS, PUT",
	"/status":                         "HEAD, OPTIONS",
	"/backends":                       "GET, HEAD, OPTIONS",
	"/idp":                            "GET, HEAD, OPTIONS",
	"/idp/saml/users":                 "OPTIONS, PUT",
	"/idp/saml/users/{u}":             "DELETE, OPTIONS, PUT",
	"/config":                         "GET, HEAD, OPTIONS, PATCH",
	"/saml/sso":                       "OPTIONS, POST",
}

const unknownID = "00000000-0000-4000-8000-000000000000"

func filled(path string) string {
	return "/0.1" + strings.NewReplacer("{u}", alice, "{x}", unknownID).Replace(path)
}

func TestWrongMethods(t *testing.T) {
	_, c := newServer(t, Config{})
	for _, path := range slices.Sorted(maps.Keys(allowed)) {
		allow := allowed[path]
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"} {
			r := c.do(method, filled(path), nil)
			switch right := slices.Contains(strings.Split(allow, ", "), method); {
			case method == "OPTIONS":
				if r.status != 200 || r.body != "" || r.header.Get("Allow") != allow || r.header.Get("Content-Type") != typeHTML {
					t.Errorf("OPTIONS %s: %d %v %q", path, r.status, r.header, r.body)
				}
			case right && (r.status == 405 || r.header.Get("Allow") != ""):
				t.Errorf("%s %s is refused: %d %v", method, path, r.status, r.body)
			case !right && (r.status != 405 || r.header.Get("Allow") != allow || r.header.Get("Content-Type") != typeJSON):
				t.Errorf("%s %s: %d %v", method, path, r.status, r.header)
			case !right && method != "HEAD" && r.text("message") != "The method is not allowed for the requested URL.":
				t.Errorf("%s %s: %v", method, path, r.body)
			}
		}
	}
}

func TestPreflight(t *testing.T) {
	_, c := newServer(t, Config{})
	ask := func(method, path, asked, headers string) result {
		return c.do(method, path, nil, "Origin", "https://x.example", "Access-Control-Request-Method", asked, "Access-Control-Request-Headers", headers)
	}
	r := ask("OPTIONS", "/0.1/users/me/tokens", "get", "X-Auth-Token, x-evil,Wazo-Tenant")
	if r.status != 200 || r.header.Get("Access-Control-Allow-Origin") != "https://x.example" || r.header.Get("Vary") != "Origin" ||
		r.header.Get("Access-Control-Allow-Methods") != corsMethods || r.header.Get("Access-Control-Allow-Headers") != "Wazo-Tenant, X-Auth-Token" {
		t.Errorf("%d %v", r.status, r.header)
	}
	for _, r := range []result{ask("GET", "/0.1/backends", "GET", "wazo-tenant"), ask("OPTIONS", "/0.1/token", "BREW", "wazo-tenant"), ask("OPTIONS", "/0.1/token", "", "wazo-tenant")} {
		if r.header.Get("Access-Control-Allow-Methods") != "" || r.header.Get("Access-Control-Allow-Headers") != "" || r.header.Get("Vary") != "Origin" {
			t.Errorf("no preflight: %v", r.header)
		}
	}
}

func TestPathsThatAreNone(t *testing.T) {
	_, c := newServer(t, Config{})
	paths := []string{"/", "/0.1", "/0.1/", "/0.2/token", "/1.0/token", "/token", "/0.1/token/" + alice[:35], "/0.1/users/register", "/0.1/users/me/policies"}
	for path := range allowed {
		paths = append(paths, filled(path)+"/", strings.Replace(filled(path), "/0.1/", "/1.0/", 1))
		if strings.Contains(path, "{") {
			for _, id := range []string{"abc", "me", strings.ReplaceAll(alice, "-", ""), alice + "0", "g" + alice[1:]} {
				replaced := strings.NewReplacer("{u}", id, "{x}", id).Replace(path)
				if replaced != "/policies/"+id && replaced != "/users/me" && allowed[strings.Replace(replaced, id, "me", 1)] == "" {
					paths = append(paths, "/0.1"+replaced)
				}
			}
		}
	}
	for _, path := range paths {
		for _, method := range []string{"GET", "POST", "OPTIONS"} {
			r := c.do(method, path, nil)
			if r.status != 404 || r.header.Get("Content-Type") != typeHTML || r.body != pageNotFound {
				t.Errorf("%s %s: %d %v", method, path, r.status, r.body)
			}
		}
		if r := c.do("HEAD", path, nil); r.status != 404 || r.body != "" {
			t.Errorf("HEAD %s: %d %v", path, r.status, r.body)
		}
	}
}

// acls is the ACL that each route asks for (contract 7 to 11), with alice's uuid and
// unknownID filled in.
var acls = []struct{ method, path, acl string }{
	{"GET", "/tokens", "auth.tokens.read"},
	{"GET", "/users/me/tokens", "auth.users.me.tokens.read"},
	{"DELETE", "/users/me/tokens/a.b%20c", "auth.users.me.tokens.a_b c.delete"},
	{"GET", "/users/{u}/tokens", "auth.users.{u}.tokens.read"},
	{"DELETE", "/users/{u}/tokens/..", "auth.users.{u}.tokens.__.delete"},
	{"GET", "/sessions", "auth.sessions.read"},
	{"DELETE", "/sessions/{x}", "auth.sessions.{x}.delete"},
	{"GET", "/users/{u}/sessions", "auth.users.{u}.sessions.read"},
	{"DELETE", "/users/{u}/sessions/{x}", "auth.users.{u}.sessions.{x}.delete"},
	{"GET", "/users", "auth.users.read"},
	{"POST", "/users", "auth.users.create"},
	{"GET", "/users/{u}", "auth.users.{u}.read"},
	{"HEAD", "/users/{u}", "auth.users.{u}.read"},
	{"PUT", "/users/{u}", "auth.users.{u}.update"},
	{"DELETE", "/users/{u}", "auth.users.{u}.delete"},
	{"PUT", "/users/{u}/password", "auth.users.{u}.password.update"},
	{"PUT", "/users/{u}/emails", "auth.users.{u}.emails.update"},
	{"PUT", "/admin/users/{u}/emails", "auth.admin.users.{u}.emails.update"},
	{"GET", "/users/{u}/emails/{x}/confirm", "auth.users.{u}.emails.{x}.confirm.read"},
	{"GET", "/emails/{x}/confirm", "auth.emails.{x}.confirm.update"},
	{"PUT", "/emails/{x}/confirm", "auth.emails.{x}.confirm.update"},
	{"GET", "/users/{u}/groups", "auth.users.{u}.groups.read"},
	{"GET", "/users/{u}/policies", "auth.users.{u}.policies.read"},
	{"PUT", "/users/{u}/policies/{x}", "auth.users.{u}.policies.{x}.create"},
	{"DELETE", "/users/{u}/policies/a.slug", "auth.users.{u}.policies.a_slug.delete"},
	{"PUT", "/groups/{x}/users/{u}", "auth.groups.{x}.users.{u}.create"},
	{"DELETE", "/groups/{x}/users/{u}", "auth.groups.{x}.users.{u}.delete"},
	{"GET", "/groups", "auth.groups.read"},
	{"POST", "/groups", "auth.groups.create"},
	{"GET", "/groups/{x}", "auth.groups.{x}.read"},
	{"PUT", "/groups/{x}", "auth.groups.{x}.update"},
	{"DELETE", "/groups/{x}", "auth.groups.{x}.delete"},
	{"GET", "/groups/{x}/users", "auth.groups.{x}.users.read"},
	{"GET", "/groups/{x}/policies", "auth.groups.{x}.policies.read"},
	{"PUT", "/groups/{x}/policies/slug", "auth.groups.{x}.policies.slug.create"},
	{"DELETE", "/groups/{x}/policies/slug", "auth.groups.{x}.policies.slug.delete"},
	{"GET", "/policies", "auth.policies.read"},
	{"POST", "/policies", "auth.policies.create"},
	{"GET", "/policies/{x}", "auth.policies.{x}.read"},
	{"PUT", "/policies/slug", "auth.policies.slug.update"},
	{"DELETE", "/policies/slug", "auth.policies.slug.delete"},
	{"GET", "/tenants", "auth.tenants.read"},
	{"GET", "/tenants/{x}", "auth.tenants.{x}.read"},
	{"GET", "/backends/ldap", "auth.backends.ldap.read"},
	{"GET", "/idp", "auth.idp.read"},
	{"PUT", "/idp/saml/users", "auth.idp.saml.users.update"},
	{"PUT", "/idp/nope/users/{u}", "auth.idp.nope.users.{u}.create"},
	{"DELETE", "/idp/saml/users/{u}", "auth.idp.saml.users.{u}.delete"},
	{"GET", "/config", "auth.config.read"},
	{"PATCH", "/config", "auth.config.update"},
}

func TestEveryRouteAsksForItsACL(t *testing.T) {
	seed := DemoSeed()
	seed.Users = append(seed.Users, SeedUser{Username: "zero", Password: "zero-demo", ACL: []string{"!auth.#"}})
	s, err := New(Config{}, seed)
	if err != nil {
		t.Fatal(err)
	}
	c := client{t, s}
	zero := c.token("zero")
	tested := map[string]bool{}
	for _, x := range acls {
		want := strings.TrimPrefix(filled(x.acl), "/0.1")
		path := strings.ReplaceAll(filled(x.path), alice, strings.ToUpper(alice)) // any letter case, told in lower case
		for token, reason := range map[string]string{
			"": reasonNotFound, unknownID: reasonNotFound, "no uuid": reasonNotFound, zero: reasonMissing,
		} {
			r := c.do(x.method, path, "not even JSON", "X-Auth-Token", token, "Wazo-Tenant", "nor a tenant")
			details := map[string]any{"invalid_token": token, "reason": reason, "required_access": want}
			if reason == reasonMissing {
				details["tenant_uuid"] = nil
			}
			switch {
			case r.status != 401:
				t.Errorf("%s %s with %q: %d %v", x.method, x.path, token, r.status, r.body)
			case x.method != "HEAD" && (r.text("message") != "Unauthorized" || r.text("error_id") != "unauthorized" ||
				fmt.Sprint(r.at("details")) != fmt.Sprint(details) || r.at("resource") != nil):
				t.Errorf("%s %s with %q: %v", x.method, x.path, token, r.body)
			}
		}
		for _, rt := range s.routes {
			if rt.method == x.method && rt.acl != "" && len(rt.parts) == strings.Count(x.path, "/") {
				q := request{s: s, http: &http.Request{Method: x.method}, path: strings.Split(filled(x.path), "/")[2:], arg: map[string]string{}}
				if found, _ := q.find(); found != nil {
					tested[found.method+found.path] = true
				}
			}
		}
	}
	for _, rt := range s.routes {
		if rt.acl != "" && !tested[rt.method+rt.path] {
			t.Errorf("%s %s is in no test", rt.method, rt.path)
		}
	}
}

// withoutTenant are the routes that don't look at Wazo-Tenant.
var withoutTenant = map[string]bool{
	"PUT /users/{u}/password": true, "PUT /users/{u}/emails": true, "PUT /admin/users/{u}/emails": true,
	"GET /users/{u}/emails/{x}/confirm": true, "GET /emails/{x}/confirm": true, "PUT /emails/{x}/confirm": true, "GET /idp": true, "GET /config": true, "PATCH /config": true,
}

func TestTenantOutOfSight(t *testing.T) {
	const other = "8e1a3c5e-0000-4000-8000-0000000000ff"
	seed := DemoSeed()
	own := seed.Tenants[0].UUID
	for i := range seed.Users {
		seed.Users[i].Tenant = own
	}
	seed.Tenants = append(seed.Tenants, SeedTenant{UUID: other, Name: "Other"})
	s, err := New(Config{}, seed)
	if err != nil {
		t.Fatal(err)
	}
	c := client{t, s}
	admin := c.token("admin")
	for _, x := range acls {
		if x.method == "HEAD" || strings.Contains(x.path, "nope") {
			continue
		}
		for _, tenant := range []string{other, unknownID, "garbage", strings.ToUpper(own), "*", other + "," + own} {
			r := c.do(x.method, filled(x.path), "{}", "X-Auth-Token", admin, "Wazo-Tenant", tenant)
			refused := r.status == 401 && r.text("error_id") == "unauthorized-tenant"
			if withoutTenant[x.method+" "+x.path] {
				if refused {
					t.Errorf("%s %s for tenant %s: %v", x.method, x.path, tenant, r.body)
				}
				continue
			}
			if x.method == "POST" && x.path == "/groups" {
				continue // the body comes first
			}
			if !refused || r.text("message") != "Unauthorized tenant" || fmt.Sprint(r.at("details")) != fmt.Sprint(map[string]any{"tenant_uuid": tenant}) {
				t.Errorf("%s %s for tenant %s: %d %v", x.method, x.path, tenant, r.status, r.body)
			}
		}
	}
}

// TestTokenThatOutlivesItsUser: the token stays good, but whatever looks the user up
// says that there is none (contract 9).
func TestTokenThatOutlivesItsUser(t *testing.T) {
	_, c := newServer(t, Config{})
	token := c.token("admin")
	own := c.do("GET", "/0.1/token/"+token, nil).text("data", "session_uuid")
	if r := c.do("DELETE", "/0.1/users/"+admin, nil, "X-Auth-Token", token); r.status != 204 {
		t.Fatalf("deleting oneself: %d %v", r.status, r.body)
	}
	for _, x := range []string{"GET /tokens", "GET /users/me/tokens", "GET /users", "GET /sessions", "GET /tenants", "GET /policies", "DELETE /sessions/" + own, "DELETE /users/" + admin + "/sessions/" + own} {
		method, path, _ := strings.Cut(x, " ")
		if r := c.do(method, "/0.1"+path, nil, "X-Auth-Token", token); r.status != 404 || r.text("details", "uuid") != admin {
			t.Errorf("%s: %d %v", x, r.status, r.body)
		}
	}
	for path, want := range map[string]int{"": 200, "?scope=auth.tokens.read": 200, "?scope=confd.wizard": 200, "?scope=nope": 403, "?tenant=x": 404} {
		if r := c.do("GET", "/0.1/token/"+token+path, nil); r.status != want {
			t.Errorf("GET /token%s: %d %v, want %d", path, r.status, r.body, want)
		}
	}
	if r := c.do("DELETE", "/0.1/token/"+token, nil); r.status != 200 {
		t.Errorf("revoking it: %d", r.status)
	}
}
