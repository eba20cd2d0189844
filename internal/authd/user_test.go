package authd

import (
	"strings"
	"testing"
)

func TestPasswordReset(t *testing.T) {
	s, c := newServer(t, Config{})
	at, rt := c.offline("alice", "laptop")
	admin := c.token("admin")
	if r := c.do("POST", "/0.1/users/password/reset?user_uuid="+alice, `{"password": "fresh"}`, "X-Auth-Token", admin); r.status != 204 {
		t.Fatalf("an administrator sets a password: %d %v", r.status, r.body)
	}
	if r := c.do("GET", "/0.1/token/"+at, nil); r.status != 404 {
		t.Errorf("the session survived: %d", r.status)
	}
	if r := c.refresh(rt, "laptop"); r.status != 200 {
		t.Errorf("the refresh token did not survive: %d", r.status)
	}
	if r := c.login("alice", "fresh", nil); r.status != 200 {
		t.Errorf("signing in with the new password: %d", r.status)
	}
	if r := c.do("POST", "/0.1/users/password/reset?token="+admin+"&user_uuid="+alice, `{"password": null}`); r.status != 204 {
		t.Errorf("removing the password: %d %v", r.status, r.body)
	}
	if r := c.login("alice", "fresh", nil); r.status != 401 {
		t.Errorf("signing in without a password: %d", r.status)
	}

	if r := c.do("GET", "/0.1/users/password/reset?login=alice@example.com", nil); r.status != 204 {
		t.Errorf("asking for a mail: %d", r.status)
	}
	var mailed string
	for value, one := range s.tokens {
		if one.authID == "wazo-auth" {
			mailed = value
		}
	}
	if r := c.do("POST", "/0.1/users/password/reset?user_uuid="+bob, `{"password": "x"}`, "X-Auth-Token", mailed); r.status != 401 || r.at("details", "reason") != nil {
		t.Errorf("a mailed token for somebody else: %d %v", r.status, r.body)
	}
	for range 2 { // it can be used again within its life
		if r := c.do("POST", "/0.1/users/password/reset?user_uuid="+alice+"&token="+mailed, `{"password": "again"}`); r.status != 204 {
			t.Errorf("a mailed token: %d %v", r.status, r.body)
		}
	}
	for path, want := range map[string]int{"": 400, "?username=alice&email=alice@example.com": 400, "?email=nope": 400, "?username=nobody": 204} {
		if r := c.do("GET", "/0.1/users/password/reset"+path, nil); r.status != want {
			t.Errorf("reset%s: %d, want %d", path, r.status, want)
		}
	}
	if r := c.do("POST", "/0.1/users/password/reset?user_uuid="+alice, `{"password": ""}`, "X-Auth-Token", admin); r.status != 400 || r.text("message") == "" {
		t.Errorf("an empty password: %d %v", r.status, r.body)
	}
}

func TestPasswordOfManagedUser(t *testing.T) {
	s, c := newServer(t, Config{})
	at := c.token("alice")
	s.users[alice].method = "ldap"
	r := c.do("PUT", "/0.1/users/"+alice+"/password", `{"old_password": "alice-demo", "new_password": "x"}`, "X-Auth-Token", at)
	if r.status != 405 || r.text("error_id") != "password-managed-externally" {
		t.Errorf("%d %v", r.status, r.body)
	}
}

func TestRenamedLoginBelongsToWhoTakesIt(t *testing.T) {
	_, c := newServer(t, Config{})
	admin := c.token("admin")
	rt := c.login("alice@example.com", "alice-demo", offline("laptop-of-mail")).text("data", "refresh_token")
	put := func(uuid, body string) {
		t.Helper()
		if r := c.do("PUT", "/0.1/admin/users/"+uuid+"/emails", body, "X-Auth-Token", admin); r.status != 200 {
			t.Fatalf("e-mails: %d %v", r.status, r.body)
		}
	}
	put(alice, `{"emails": []}`)
	if r := c.refresh(rt, "laptop-of-mail"); r.status != 401 {
		t.Errorf("the login is gone: %d", r.status)
	}
	put(bob, `{"emails": [{"address": "alice@example.com", "main": true}]}`)
	if r := c.refresh(rt, "laptop-of-mail"); r.status != 401 {
		t.Errorf("an unconfirmed e-mail is no login: %d", r.status)
	}
	put(bob, `{"emails": [{"address": "alice@example.com", "main": true, "confirmed": true}]}`)
	if r := c.refresh(rt, "laptop-of-mail"); r.text("data", "auth_id") != bob {
		t.Errorf("the login is bob's now: %d %v", r.status, r.body)
	}
}

func TestEmailRules(t *testing.T) {
	_, c := newServer(t, Config{})
	admin := c.token("admin")
	const path = "/0.1/admin/users/" + alice + "/emails"
	first := c.do("PUT", path, `{"emails": [{"address": "alice@example.com", "main": true}]}`, "X-Auth-Token", admin)
	if first.status != 200 || first.at(0, "confirmed") != true {
		t.Errorf("an address that stays keeps its confirmation: %d %v", first.status, first.body)
	}
	for body, want := range map[string]string{
		`{}`:                                   `emails`,
		`{"emails": null}`:                     `emails`,
		`{"emails": [{"address": "a@x.org"}]}`: `_schema`,
		`{"emails": [{"address": "a@x.org", "main": true}, {"address": "a@x.org"}]}`: `_schema`,
		`{"emails": [{"address": "nope", "main": true}]}`:                            `emails`,
		`{"emails": [{"main": true}]}`:                                               `emails`,
		`{"emails": [{"address": "a@x.org", "main": true, "confirmed": "perhaps"}]}`: `emails`,
	} {
		r := c.do("PUT", path, body, "X-Auth-Token", admin)
		if r.status != 400 || r.at("message", want) == nil {
			t.Errorf("%s: %d %v", body, r.status, r.body)
		}
	}
	id := first.text(0, "uuid")
	confirm := "/0.1/users/" + alice + "/emails/" + id + "/confirm"
	if r := c.do("GET", confirm, nil, "X-Auth-Token", admin); r.status != 409 {
		t.Errorf("confirming twice: %d", r.status)
	}
}

func TestListParameters(t *testing.T) {
	_, c := newServer(t, Config{})
	at, _ := c.offline("alice", "one")
	c.offline("alice", "two%")
	admin := c.token("admin")
	for query, want := range map[string]int{
		"limit=99999999999999999999": 500, "offset=99999999999999999999": 500, "limit=-5": 400, "limit=1.5": 400, "limit=": 400,
		"direction=up": 400, "recurse=perhaps": 400, "mobile=": 500, "mobile=t": 200, "created_at=2026": 500,
		"created_at=2026-11-23T07:12:21.431158-05:00": 200, "client_id=%00": 500, "user_uuid=x": 200, "offset=5": 200,
	} {
		if r := c.do("GET", "/0.1/tokens?"+query, nil, "X-Auth-Token", admin); r.status != want {
			t.Errorf("%s: %d %v, want %d", query, r.status, r.body, want)
		}
	}
	for query, want := range map[string]float64{"search=": 2, "search=O": 2, "search=ne": 1, "search=t%20%25": 1, "search=_w": 1, "search=x": 0, "client_id=ONE": 0} {
		if r := c.do("GET", "/0.1/users/me/tokens?"+query, nil, "X-Auth-Token", at); r.at("filtered") != want {
			t.Errorf("%s: filtered %v, want %v", query, r.at("filtered"), want)
		}
	}
	created := c.do("GET", "/0.1/users/me/tokens", nil, "X-Auth-Token", at).text("items", 0, "created_at")
	if r := c.do("GET", "/0.1/users/me/tokens?created_at="+strings.ReplaceAll(created, "+", "%2B"), nil, "X-Auth-Token", at); r.at("filtered") != 1.0 {
		t.Errorf("created_at=%s: %v", created, r.body)
	}
	if r := c.do("GET", "/0.1/users/password/reset/", nil); r.status != 404 {
		t.Errorf("a trailing slash: %d", r.status)
	}
}

func TestUsersNeedNoName(t *testing.T) {
	_, c := newServer(t, Config{})
	admin := c.token("admin")
	r := c.do("POST", "/0.1/users", "{}", "X-Auth-Token", admin)
	if r.status != 200 || r.at("username") != nil || r.text("purpose") != "user" || r.at("enabled") != true {
		t.Errorf("%d %v", r.status, r.body)
	}
	last := c.do("GET", "/0.1/users?order=username&offset=3", nil, "X-Auth-Token", admin)
	if last.text("items", 0, "uuid") != r.text("uuid") {
		t.Errorf("a user without a name comes last: %v", last.body)
	}
	for body, key := range map[string]string{
		`{"username": 5}`: "username", `{"enabled": "perhaps"}`: "enabled", `{"purpose": null}`: "purpose", `{"uuid": null}`: "uuid",
	} {
		if r := c.do("POST", "/0.1/users", body, "X-Auth-Token", admin); r.status != 400 || r.at("details", key) == nil {
			t.Errorf("%s: %d %v", body, r.status, r.body)
		}
	}
	if r := c.do("POST", "/0.1/users", `{"username": "a\u0000"}`, "X-Auth-Token", admin); r.status != 500 {
		t.Errorf("NUL: %d", r.status)
	}
	if r := c.do("POST", "/0.1/users", `{"username": "a\ud800"}`, "X-Auth-Token", admin); r.status != 500 {
		t.Errorf("half a surrogate pair: %d", r.status)
	}
	if r := c.do("POST", "/0.1/users", `{"uuid": "`+alice+`"}`, "X-Auth-Token", admin); r.status != 409 {
		t.Errorf("a uuid in use: %d", r.status)
	}
}

func TestPoliciesAndGroups(t *testing.T) {
	s, c := newServer(t, Config{})
	at, rt := c.offline("alice", "laptop")
	admin := c.token("admin")
	group := s.tenants[s.users[alice].tenant].admins.uuid
	path := "/0.1/groups/" + group + "/users/" + alice
	if r := c.do("PUT", path, nil, "X-Auth-Token", at); r.status != 401 {
		t.Errorf("an ordinary user makes itself administrator: %d", r.status)
	}
	if r := c.do("PUT", path, nil, "X-Auth-Token", admin); r.status != 204 {
		t.Fatalf("%d %v", r.status, r.body)
	}
	if r := c.do("GET", "/0.1/users", nil, "X-Auth-Token", at); r.status != 401 {
		t.Errorf("an old token got a new ACL: %d", r.status)
	}
	fresh := c.refresh(rt, "laptop")
	if r := c.do("GET", "/0.1/users", nil, "X-Auth-Token", fresh.text("data", "token")); r.status != 200 {
		t.Errorf("a refresh must read the ACL again: %d", r.status)
	}
	if fresh.at("data", "metadata", "admin") != true {
		t.Error("metadata.admin")
	}
	all := s.tenants[s.users[alice].tenant].allUsers.uuid
	if r := c.do("DELETE", "/0.1/groups/"+all+"/users/"+alice, nil, "X-Auth-Token", admin); r.status != 403 {
		t.Errorf("a system group: %d", r.status)
	}
	strong := s.addPolicy(&policy{tenant: s.master.uuid, name: "all", slug: "all", acl: []string{"#"}})
	if r := c.do("PUT", "/0.1/users/"+alice+"/policies/"+strong.uuid, nil, "X-Auth-Token", admin); r.status != 401 {
		t.Errorf("granting more than one has: %d", r.status)
	}
	if r := c.do("GET", "/0.1/users/00000000-0000-4000-8000-000000000000/policies", nil, "X-Auth-Token", admin); r.status != 200 || r.at("total") != 0.0 {
		t.Errorf("policies of an unknown user: %d %v", r.status, r.body)
	}
	if r := c.do("GET", "/0.1/policies/"+adminPolicySlug, nil, "X-Auth-Token", admin); r.text("slug") != adminPolicySlug {
		t.Errorf("a policy by its slug: %d %v", r.status, r.body)
	}
}

func TestDisablingEndsSessions(t *testing.T) {
	s, c := newServer(t, Config{})
	at, rt := c.offline("alice", "laptop")
	admin := c.token("admin")
	put := func(enabled bool) {
		t.Helper()
		if r := c.do("PUT", "/0.1/users/"+alice, map[string]any{"username": "alice", "enabled": enabled}, "X-Auth-Token", admin); r.status != 200 {
			t.Fatalf("%d %v", r.status, r.body)
		}
	}
	put(false)
	if r := c.do("GET", "/0.1/token/"+at, nil); r.status != 404 || s.Sessions(alice) != 0 {
		t.Errorf("a disabled user keeps a session: %d", r.status)
	}
	if r := c.refresh(rt, "laptop"); r.status != 401 {
		t.Errorf("a disabled user refreshes: %d", r.status)
	}
	put(true)
	if r := c.refresh(rt, "laptop"); r.status != 200 {
		t.Errorf("enabled again, no refresh: %d", r.status)
	}
}

func TestDeletedUserLeavesNoRefreshToken(t *testing.T) {
	s, c := newServer(t, Config{})
	at, rt := c.offline("alice", "laptop")
	admin := c.token("admin")
	if r := c.do("DELETE", "/0.1/users/"+alice, nil, "X-Auth-Token", admin); r.status != 204 {
		t.Fatalf("%d %v", r.status, r.body)
	}
	if r := c.do("POST", "/0.1/users", `{"uuid": "`+alice+`", "username": "alice", "password": "x"}`, "X-Auth-Token", admin); r.status != 200 {
		t.Fatalf("%d %v", r.status, r.body)
	}
	if r := c.refresh(rt, "laptop"); r.status != 401 || len(s.RefreshTokens(alice)) != 0 {
		t.Errorf("a refresh token outlived its user: %d", r.status)
	}
	if r := c.do("GET", "/0.1/token/"+at, nil); r.status != 200 {
		t.Errorf("an access token did not outlive its user: %d", r.status)
	}
	list := c.do("GET", "/0.1/sessions", nil, "X-Auth-Token", admin)
	if list.at("total") != 2.0 {
		t.Errorf("sessions: %v", list.body)
	}
}

func TestSessionsWithoutAUser(t *testing.T) {
	seed := DemoSeed()
	seed.Users = append(seed.Users, SeedUser{UUID: "8e1a3c5e-0000-1000-8000-000000000001", Username: "old", Password: "old-demo"},
		SeedUser{Username: "root", Password: "root-demo", Master: true})
	s, err := New(Config{}, seed)
	if err != nil {
		t.Fatal(err)
	}
	c := client{t, s}
	c.token("old")
	root := c.token("root")
	c.do("GET", "/0.1/users/password/reset?username=alice", nil)
	nobody := func(path string) (n int) {
		list := c.do("GET", path, nil, "X-Auth-Token", root)
		items, _ := list.at("items").([]any)
		for i := range items {
			if list.at("items", i, "user_uuid") == nil {
				n++
			}
		}
		return n
	}
	if n := nobody("/0.1/sessions?recurse=true"); n != 2 {
		t.Errorf("%d sessions without a user, want those of a mail and of a user whose uuid is not version 4", n)
	}
	if n := nobody("/0.1/sessions"); n != 1 {
		t.Errorf("%d sessions without a user in the master tenant, want that of the mail", n)
	}
}
