package authd

import (
	"net/http"
	"strings"
	"testing"
)

// as is a client that sends one token with everything.
type as struct {
	client
	token string
}

func (a as) do(method, path string, body any, head ...string) result {
	a.t.Helper()
	return a.client.do(method, "/0.1"+path, body, append(head, "X-Auth-Token", a.token)...)
}

func TestPoliciesChangeWhatTheNextTokenMay(t *testing.T) {
	s, c := newServer(t, Config{})
	_, rt := c.offline("alice", "laptop")
	admin := as{c, c.token("admin")}
	made := admin.do("POST", "/policies", `{"name": "may read", "acl": ["auth.users.read", "!auth.tenants.#"]}`)
	made.wants(t, "a new policy", 200, `{"uuid": "`+made.text("uuid")+`", "tenant_uuid": "`+s.users[alice].tenant+`", "name": "may read", "slug": "mayread",
		"description": null, "acl": ["auth.users.read", "!auth.tenants.#"], "read_only": false, "shared": false}`)
	may := func() bool {
		token := c.refresh(rt, "laptop").text("data", "token")
		return c.do("HEAD", "/0.1/token/"+token+"?scope=auth.users.read", nil).status == 204
	}
	path := "/users/" + alice + "/policies/mayread"
	if r := admin.do("PUT", path, nil); r.status != 204 || !may() {
		t.Errorf("given by its slug: %d, may %v", r.status, may())
	}
	if r := admin.do("PUT", "/policies/mayread", `{"name": "may not", "acl": []}`); r.status != 200 || r.text("slug") != "mayread" || may() {
		t.Errorf("emptied: %d %v, may %v", r.status, r.body, may())
	}
	admin.do("PUT", "/policies/"+made.text("uuid"), `{"name": "may", "acl": ["auth.users.read"]}`)
	if r := admin.do("DELETE", path, nil); r.status != 204 || may() {
		t.Errorf("taken away: %d, may %v", r.status, may())
	}
	if r := admin.do("DELETE", path, nil); r.status != 204 {
		t.Errorf("taken away twice: %d %v", r.status, r.body)
	}
	group := admin.do("POST", "/groups", `{"name": "Read ers"}`)
	if group.status != 200 || group.text("slug") != "Readers" || group.at("system_managed") != false {
		t.Fatalf("a new group: %d %v", group.status, group.body)
	}
	members := "/groups/" + group.text("uuid")
	for _, x := range []struct {
		method, path string
		may          bool
	}{
		{"PUT", "/users/" + alice, false},
		{"PUT", "/policies/mayread", true},
		{"DELETE", "/users/" + alice, false},
		{"PUT", "/users/" + alice, true},
		{"DELETE", "/policies/mayread", false},
		{"PUT", "/policies/mayread", true},
	} {
		if r := admin.do(x.method, members+x.path, nil); r.status != 204 || may() != x.may {
			t.Errorf("%s %s: %d %v, may %v", x.method, x.path, r.status, r.body, may())
		}
	}
	if r := admin.do("GET", members+"/users", nil); r.at("total") != 1.0 || r.text("items", 0, "uuid") != alice {
		t.Errorf("members: %v", r.body)
	}
	if r := admin.do("GET", members+"/policies", nil); r.at("total") != 1.0 || r.text("items", 0, "slug") != "mayread" {
		t.Errorf("a group's policies: %v", r.body)
	}
	if r := admin.do("GET", "/users?group_uuid="+group.text("uuid"), nil); r.at("filtered") != 1.0 {
		t.Errorf("users by group: %v", r.body)
	}
	if r := admin.do("GET", "/users?has_policy_slug=mayread", nil); r.at("filtered") != 1.0 {
		t.Errorf("users by policy: %v", r.body)
	}
	if r := admin.do("GET", "/users?policy_slug=mayread", nil); r.at("filtered") != 0.0 {
		t.Errorf("users by their own policy: %v", r.body)
	}
	if r := admin.do("DELETE", "/policies/mayread", nil); r.status != 204 || may() {
		t.Errorf("gone: %d, may %v", r.status, may())
	}
	if r := admin.do("DELETE", members, nil); r.status != 204 || len(s.users[alice].groups) != 1 {
		t.Errorf("a group that is gone: %d, %d groups", r.status, len(s.users[alice].groups))
	}
}

func TestWhatIsRefusedOfPoliciesAndGroups(t *testing.T) {
	const other = "8e1a3c5e-0000-4000-8000-0000000000ff"
	seed := DemoSeed()
	own := seed.Tenants[0].UUID
	for i := range seed.Users {
		seed.Users[i].Tenant = own
	}
	seed.Tenants = append(seed.Tenants, SeedTenant{UUID: other, Name: "Below", Parent: own})
	seed.Users = append(seed.Users, SeedUser{UUID: unknownID[:35] + "1", Username: "carl", Password: "carl-demo", Tenant: other})
	s, err := New(Config{}, seed)
	if err != nil {
		t.Fatal(err)
	}
	c := client{t, s}
	admin := as{c, c.token("admin")}
	all, admins, carl := s.tenants[own].allUsers.uuid, s.tenants[own].admins.uuid, unknownID[:35]+"1"
	strong := s.addPolicy(&policy{tenant: own, name: "strong", slug: "strong", acl: []string{"#"}})
	denial := s.addPolicy(&policy{tenant: own, name: "denial", slug: "denial", acl: []string{"!nope.#"}})
	legacyText := func(text string, status string) string {
		return `{"reason": ["` + strings.ReplaceAll(text, `"`, `\"`) + `"], "status_code": ` + status + `}`
	}
	unauthorized := func(access string) string {
		return `{"message": "Unauthorized", "error_id": "unauthorized", "details": {"invalid_token": "` + admin.token + `", "required_access": "` + access + `"}}`
	}
	noUser := `{"message": "No such user: \"` + unknownID + `\"", "error_id": "unknown-user", "details": {"uuid": "` + unknownID + `"}, "resource": "users"}`
	noGroup := `{"message": "No such group: \"` + unknownID + `\"", "error_id": "unknown-group", "details": {"uuid": "` + unknownID + `"}, "resource": "groups"}`
	system := `{"message": "Forbidden group modification: \"` + all + `\"", "error_id": "forbidden-group", "details": {"uuid": "` + all + `"}, "resource": "groups"}`
	for _, x := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/policies/" + unknownID, "", 404, legacyText("No such policy {'uuid': '"+unknownID+"'}", "404")},
		{"GET", "/policies/nope", "", 404, legacyText("No such policy {'slug': 'nope'}", "404")},
		{"DELETE", "/policies/nope", "", 404, legacyText("No such policy {'slug': 'nope'}", "404")},
		{"DELETE", "/policies/" + s.adminPolicy.uuid, "", 403, legacyText(`Forbidden policy deletion: "`+s.adminPolicy.uuid+`"`, "403")},
		{"DELETE", "/policies/" + adminPolicySlug, "", 403, legacyText(`Forbidden policy deletion: "`+s.adminPolicy.uuid+`"`, "403")},
		{"POST", "/policies", `{"name": ""}`, 400, legacyText("Invalid value supplied for field: name", "400")},
		{"POST", "/policies", `{"name": "x", "acl": "auth.#"}`, 400, legacyText("Invalid value supplied for field: acl", "400")},
		{"POST", "/policies", `{"name": "denial"}`, 409, legacyText(`Policy "denial" already exists`, "409")},
		{"POST", "/policies", `{"name": "all", "acl": ["auth.#", "#"]}`, 401, unauthorized("#")},
		{"POST", "/policies", `{`, 400, badJSON},
		{"PUT", "/users/" + alice + "/policies/" + unknownID, "", 404, legacyText("No such policy {'uuid': '"+unknownID+"'}", "404")},
		{"PUT", "/users/" + unknownID + "/policies/nope", "", 404, legacyText("No such policy {'slug': 'nope'}", "404")},
		{"PUT", "/users/" + unknownID + "/policies/" + denial.uuid, "", 404, noUser},
		{"DELETE", "/users/" + unknownID + "/policies/" + adminPolicySlug, "", 404, noUser},
		{"PUT", "/users/" + alice + "/policies/" + strong.uuid, "", 401, unauthorized("#")},
		{"DELETE", "/users/" + alice + "/policies/strong", "", 401, unauthorized("#")},
		{"DELETE", "/users/" + alice + "/policies/denial", "", 401, unauthorized("!nope.#")},
		{"GET", "/users/" + unknownID + "/groups", "", 404, noUser},
		{"GET", "/users/" + unknownID + "/policies", "", 200, `{"items": [], "total": 0, "filtered": 0}`},
		{"GET", "/groups/" + unknownID, "", 404, noGroup},
		{"PUT", "/groups/" + unknownID + "/users/" + alice, "", 404, noGroup},
		{"PUT", "/groups/" + unknownID + "/users/" + unknownID, "", 404, noUser},
		{"DELETE", "/groups/" + unknownID + "/users/" + unknownID, "", 404, noGroup},
		{"DELETE", "/groups/" + admins + "/users/" + unknownID, "", 404, noUser},
		{"PUT", "/groups/" + admins + "/users/" + carl, "", 400, `{"message": "Ressources are not in the same tenant", "error_id": "missmatching-tenant",
			"details": {"user_tenant_uuid": "` + other + `", "group_tenant_uuid": "` + own + `"}, "resource": "groups"}`},
		{"PUT", "/groups/" + all + "/users/" + alice, "", 403, system},
		{"DELETE", "/groups/" + all + "/users/" + alice, "", 403, system},
		{"DELETE", "/groups/" + all, "", 403, system},
		{"POST", "/groups", `{}`, 400, `{"message": "Missing data for required field.", "error_id": "invalid-data", "details": {"name": ` + missing + `}, "resource": "groups"}`},
		{"POST", "/groups", `{"name": "` + adminGroupSlug + `"}`, 409, legacyText(`Group "`+adminGroupSlug+`" already exists`, "409")},
		{"PUT", "/idp/oidc/users/" + alice, "", 404, `{"message": "No such IDP type: \"oidc\"", "error_id": "unknown-idp-type", "details": {"idp_type": "oidc"}, "resource": "idp"}`},
		{"PUT", "/idp/saml/users/" + unknownID, "", 404, noUser},
		{"PUT", "/idp/saml/users", `{}`, 400, `{"message": {"users": ` + missing + `}, "error_id": "invalid-list-param", "details": {}, "resource": "users"}`},
		{"PUT", "/idp/saml/users", `{"users": [{"uuid": 1}]}`, 400, `{"message": {"users": {"0": {"uuid": ` + noString + `}}}, "error_id": "invalid-list-param", "details": {}, "resource": "users"}`},
		{"PUT", "/idp/saml/users", `{"users": [{"uuid": "` + unknownID + `"}]}`, 404, noUser},
		{"DELETE", "/users/" + unknownID + "/sessions/" + unknownID, "", 404, noUser},
		{"GET", "/tenants/" + unknownID, "", 404, `{"message": "No such tenant: \"` + unknownID + `\"", "error_id": "unknown-tenant", "details": {"uuid": "` + unknownID + `"}, "resource": "tenants"}`},
	} {
		admin.do(x.method, x.path, x.body).wants(t, x.method+" "+x.path+" "+x.body, x.status, x.want)
	}
	if r := admin.do("PUT", "/users/"+alice+"/policies/denial", nil); r.status != 204 {
		t.Errorf("a denial can be given by everybody: %d %v", r.status, r.body)
	}
	if r := admin.do("GET", "/policies?search=denial", nil); r.at("total") != 4.0 || r.at("items", 1) != nil {
		t.Errorf("total leaves the search out: %v", r.body)
	}
	below := admin.do("GET", "/policies", nil, "Wazo-Tenant", other)
	if below.at("total") != 2.0 || below.text("items", 0, "tenant_uuid") != other {
		t.Errorf("the stock policies pass for the tenant's own: %v", below.body)
	}
}

func TestIdentityProviderOfAUser(t *testing.T) {
	s, c := newServer(t, Config{})
	admin := as{c, c.token("admin")}
	admin.do("PUT", "/idp/saml/users/"+alice, nil)
	admin.do("PUT", "/idp/ldap/users", `{"users": [{"uuid": "`+bob+`"}]}`)
	if s.users[alice].method != "saml" || s.users[bob].method != "ldap" {
		t.Errorf("methods %s and %s", s.users[alice].method, s.users[bob].method)
	}
	admin.do("DELETE", "/idp/ldap/users/"+alice, nil)
	admin.do("DELETE", "/idp/ldap/users/"+bob, nil)
	if s.users[alice].method != "saml" || s.users[bob].method != "default" {
		t.Errorf("after leaving ldap: methods %s and %s", s.users[alice].method, s.users[bob].method)
	}
}

func TestSAMLBodies(t *testing.T) {
	_, c := newServer(t, Config{})
	fault := func(key string) string {
		return `{"message": "` + key + `", "error_id": "invalid-data", "details": {}, "resource": "saml"}`
	}
	for body, want := range map[string]string{
		`{"redirect_url": "", "domain": "x.org"}`:          fault("redirect_url"),
		`{"redirect_url": 1}`:                              fault("redirect_url"),
		`{"domain": "localhost"}`:                          fault("domain"),
		`{"domain": "a..b"}`:                               fault("domain"),
		`{"domain": "-a.b"}`:                               fault("domain"),
		`{"domain": "a_b.c"}`:                              fault("domain"),
		`{"domain": "` + strings.Repeat("a", 252) + `.b"}`: fault("domain"),
		`[1]`: fault("_schema"),
		`{`:   badJSON,
	} {
		c.do("POST", "/0.1/saml/sso", body).wants(t, body, 400, want)
	}
	c.do("POST", "/0.1/saml/sso", `{}`).wants(t, "no domain", 500, `{"message": "Internal Server Error"}`)
	c.do("POST", "/0.1/saml/sso", `{"domain": "x.example.org."}`).wants(t, "unset", 500,
		`{"message": "SAML client for domain not found or failed", "error_id": "configuration-error", "details": {"domain": "x.example.org."}, "resource": "saml"}`)
}

func TestWhatTheProxyAdds(t *testing.T) {
	_, c := newServer(t, Config{})
	const basic = "Basic YWxpY2U6YWxpY2UtZGVtbw=="
	for path, want := range map[string]string{"/0.1/token": "192.0.2.7", "/api/auth/0.1/token": "127.0.0.1"} {
		r := c.do("POST", path, "{}", "Authorization", basic, "X-Forwarded-For", "198.51.100.1, 192.0.2.7")
		if r.text("data", "remote_addr") != want {
			t.Errorf("%s: remote_addr %q, want %s", path, r.text("data", "remote_addr"), want)
		}
	}
	big := `{"expiration": "` + strings.Repeat(" ", maxBody) + `"}`
	if r := c.do("POST", "/api/auth/0.1/token", big, "Authorization", basic); r.status != http.StatusRequestEntityTooLarge || r.header.Get("Content-Type") != typeNginxHTML {
		t.Errorf("a body of more than 1 MiB through the proxy: %d %v", r.status, r.header)
	}
}

func TestQueriesAsTheyCome(t *testing.T) {
	_, c := newServer(t, Config{})
	alice := as{c, c.token("alice")}
	for _, id := range []string{"a;b", "50%", "c+d", "ü"} {
		c.offline("alice", id)
	}
	for query, want := range map[string]float64{
		"client_id=a;b": 1, "client_id=a%3Bb": 1, "client_id=50%": 1, "client_id=50%25": 1, "client_id=c%2Bd": 1, "client_id=c+d": 0,
		"client_id=%c3%bc": 1, "client_id=a;b&client_id=x": 1, "search=a%09b": 0, "search=a%20b": 1, "&&search=%C3%9C": 1, "client_id": 0,
	} {
		if r := alice.do("GET", "/users/me/tokens?"+query, nil); r.at("filtered") != want {
			t.Errorf("%s: filtered %v, want %v: %v", query, r.at("filtered"), want, r.body)
		}
	}
}

func TestRoutesAreDescribed(t *testing.T) {
	s, c := newServer(t, Config{})
	r := c.do("GET", "/0.1/api/api.yml", nil)
	text, _ := r.body.(string)
	for _, rt := range s.routes {
		if !strings.Contains(text, "\n  "+rt.path+":\n") {
			t.Errorf("%s is not described", rt.path)
		}
	}
	if r.status != 200 || strings.Count(text, "\n  /token/{token}:\n") != 1 {
		t.Errorf("%d\n%s", r.status, text)
	}
}
