package authd

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// These hold authd to sentences of the contract that no recorded exchange shows.

func TestTokenBodies(t *testing.T) {
	_, c := newServer(t, Config{})
	const basic = "Basic YWxpY2U6YWxpY2UtZGVtbw=="
	for _, body := range []string{"{}", "null", "[]", `""`, "0", "0.0", "false", "\ufeff{}", ` {"foo": NaN} `, `{"backend":"x"}`, `{"expiration": 1e2}`, `{"expiration": "+9_0"}`} {
		if r := c.do("POST", "/0.1/token", body, "Authorization", basic); r.status != http.StatusOK {
			t.Errorf("%q: %d %v", body, r.status, r.body)
		}
	}
	for _, body := range []string{"", "{", "{}x", "\xff", "{'a':1}"} {
		r := c.do("POST", "/0.1/token", body, "Authorization", basic)
		if r.status != http.StatusBadRequest || r.text("message") == "" {
			t.Errorf("%q: %d %v, want a bare 400", body, r.status, r.body)
		}
	}
	for body, reason := range map[string]string{
		"[1]":                     "{'_schema': ['Invalid input type.']}",
		`"x"`:                     "{'_schema': ['Invalid input type.']}",
		"true":                    "{'_schema': ['Invalid input type.']}",
		`{"expiration": NaN}`:     "{'expiration': {'message': 'Not a valid integer.', 'constraint_id': 'type', 'constraint': 'integer'}}",
		`{"expiration": "1h"}`:    "{'expiration': {'message': 'Not a valid integer.', 'constraint_id': 'type', 'constraint': 'integer'}}",
		`{"expiration": -1}`:      "{'expiration': [{'constraint_id': 'range', 'constraint': {'min': 1, 'max': 315360000}, 'message': 'Must be greater than or equal to 1 and less than or equal to 315360000.'}]}",
		`{"refresh_token": null}`: "{'refresh_token': {'message': 'Field may not be null.', 'constraint_id': 'not_null', 'constraint': 'not_null'}}",
		`{"backend": 1, "saml_session_id": ""}`: "{'backend': {'message': 'Not a valid string.', 'constraint_id': 'type', 'constraint': 'string'}, " +
			"'saml_session_id': [{'constraint_id': 'length', 'constraint': {'min': 1, 'max': 1024}, 'message': 'Length must be between 1 and 1024.'}]}",
	} {
		r := c.do("POST", "/0.1/token", body, "Authorization", basic)
		if r.status != http.StatusBadRequest || r.text("reason", 0) != reason {
			t.Errorf("%s: %d %v", body, r.status, r.body)
		}
	}
}

func TestCredentials(t *testing.T) {
	_, c := newServer(t, Config{})
	for header, want := range map[string]int{
		"Basic YWxpY2U6YWxpY2UtZGVtbw==":                 200,
		"Basic YWxp Y2U6YWxpY2UtZGVtbw==":                200, // what is not of the alphabet is skipped
		"Basic YWxpY2U6YWxpY2UtZGVtbw=":                  500,
		"Basic YWxpY2U6YWxpY2UtZGVtb":                    500,
		"Basic YWxpY2U=":                                 401, // no colon
		"Basic ":                                         401,
		"basic YWxpY2U6YWxpY2UtZGVtbw==":                 401,
		"Basic QUxJQ0VARVhBTVBMRS5DT006YWxpY2UtZGVtbw==": 200, // the e-mail, in capitals
		"Basic YWxpY2U6QUxJQ0UtREVNTw==":                 401, // the password in capitals
	} {
		if r := c.do("POST", "/0.1/token", "{}", "Authorization", header); r.status != want {
			t.Errorf("%s: %d, want %d", header, r.status, want)
		}
	}
}

func TestClientIDs(t *testing.T) {
	s, c := newServer(t, Config{MaxSessions: 1000})
	at, _ := c.offline("alice", "own")
	admin := c.token("admin")
	for _, x := range []struct {
		id                string
		create            int
		direct, throughIt int // answers to a deletion by the user
	}{
		{"laptop", 200, 204, 204},
		{"a.b-c_d:e+f*g;{h}", 200, 204, 204},
		{"a\tb c", 200, 204, 204},
		{"ü", 200, 204, 204},
		{"a?b%", 200, 204, 204},
		{"a/b", 200, 404, 404},
		{"a#b", 200, 401, 401},
		{".", 200, 204, 404},
		{"..", 200, 204, 404},
		{"x/../y", 200, 404, 404},
		{strings.Repeat("L", 192), 200, 204, 204},
		{strings.Repeat("L", 193), 500, 500, 500},
		{"nul\x00", 500, 404, 404},
	} {
		for prefix, want := range map[string]int{"/0.1": x.direct, "/api/auth/0.1": x.throughIt} {
			r := c.login("alice", "alice-demo", map[string]any{"access_type": "offline", "client_id": x.id})
			if r.status != x.create {
				t.Errorf("%.20q: created with %d, want %d", x.id, r.status, x.create)
			}
			if strings.Contains(x.id, "\x00") {
				continue
			}
			path := prefix + "/users/me/tokens/" + escapeSegment(x.id)
			if r := c.do("DELETE", path, nil, "X-Auth-Token", at); r.status != want {
				t.Errorf("%.20q: DELETE under %s: %d %v, want %d", x.id, prefix, r.status, r.body, want)
			}
			if want == 401 {
				path = prefix + "/users/" + alice + "/tokens/" + escapeSegment(x.id)
				if r := c.do("DELETE", path, nil, "X-Auth-Token", admin); r.status != 204 {
					t.Errorf("%.20q: an administrator's DELETE: %d", x.id, r.status)
				}
			}
			if want == 500 && len(s.RefreshTokens(alice)) != 1+len(leftOver(s, x.id)) {
				t.Errorf("%.20q: not deleted: %q", x.id, s.RefreshTokens(alice))
			}
			s.mu.Lock()
			if rt := s.users[alice].refreshTokens[x.id]; rt != nil {
				s.dropRefreshToken(rt)
			}
			s.mu.Unlock()
		}
	}
}

// leftOver lists the refresh tokens other than "own" and this one.
func leftOver(s *Server, id string) []string {
	var list []string
	for _, other := range s.RefreshTokens(alice) {
		if other != "own" && other != id {
			list = append(list, other)
		}
	}
	return list
}

// escapeSegment escapes every byte, dots left alone so that folding shows.
func escapeSegment(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if s[i] == '.' {
			b.WriteByte('.')
			continue
		}
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

func TestParallelFirstLoginsShareOneRefreshToken(t *testing.T) {
	s, c := newServer(t, Config{})
	var wg sync.WaitGroup
	values := make([]string, 8)
	for i := range values {
		wg.Go(func() { _, values[i] = c.offline("alice", "same") })
	}
	wg.Wait()
	for _, v := range values {
		if v == "" || v != values[0] {
			t.Errorf("refresh tokens differ: %q", values)
			break
		}
	}
	if n := s.Sessions(alice); n != 8 {
		t.Errorf("%d sessions, want 8", n)
	}
}

func TestMobile(t *testing.T) {
	s, c := newServer(t, Config{})
	mobile := func(id string) result {
		return c.do("POST", "/0.1/token", map[string]any{"access_type": "offline", "client_id": id},
			"Authorization", "Basic YWxpY2U6YWxpY2UtZGVtbw==", "Wazo-Session-Type", "MOBILE")
	}
	_, desk := c.offline("alice", "desk")
	first := mobile("phone")
	rt := first.text("data", "refresh_token")
	c.refresh(rt, "phone")
	if _, same := c.offline("alice", "phone"); same != rt {
		t.Error("a sign-in that is not mobile must get the mobile refresh token")
	}
	if n := s.Sessions(alice); n != 4 {
		t.Fatalf("%d sessions, want 4", n)
	}
	second := mobile("tablet")
	if got := second.header.Get("Wazo-Sessions-Revoked"); got != "3" {
		t.Errorf("revoked %s sessions, want 3", got)
	}
	if r := c.refresh(rt, "phone"); r.status != 401 {
		t.Errorf("the old phone refreshes: %d", r.status)
	}
	if r := c.refresh(desk, "desk"); r.status != 200 {
		t.Errorf("the desk does not refresh: %d", r.status)
	}
	// A mobile sign-in takes over the client_id of another device.
	if got := mobile("desk").header.Get("Wazo-Sessions-Revoked"); got != "3" {
		t.Errorf("taking over the desk revoked %s sessions, want 3", got)
	}
	if r := c.refresh(desk, "desk"); r.status != 401 {
		t.Errorf("the desk's old token refreshes: %d", r.status)
	}
}

func TestWhoHasNoCeiling(t *testing.T) {
	seed := DemoSeed()
	seed.Users = append(seed.Users,
		SeedUser{Username: "svc", Password: "svc-demo", Purpose: "internal"},
		SeedUser{Username: "api", Password: "api-demo", Purpose: "external_api"},
		SeedUser{UUID: "8e1a3c5e-0000-1000-8000-000000000001", Username: "old", Password: "old-demo"})
	s, err := New(Config{MaxSessions: 2}, seed)
	if err != nil {
		t.Fatal(err)
	}
	c := client{t, s}
	for login, want := range map[string]int{"svc": 200, "api": 429, "old": 200, "alice": 429} {
		var r result
		for range 3 {
			r = c.login(login, login+"-demo", nil)
		}
		if r.status != want {
			t.Errorf("%s: third sign-in %d, want %d", login, r.status, want)
		}
	}
}

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

func TestRateLimitIsTheProxysAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := newServer(t, Config{})
		count := func(path string) (refused int) {
			for range 40 {
				if c.do("GET", path, nil).status == 429 {
					refused++
				}
			}
			return refused
		}
		if n := count("/api/auth/0.1/backends"); n != 24 {
			t.Errorf("%d of 40 at once refused, want 24: 1 and a burst of 15 pass", n)
		}
		if n := count("/0.1/backends"); n != 0 {
			t.Errorf("the daemon itself refused %d", n)
		}
		time.Sleep(time.Second)
		if n := count("/api/auth/0.1/backends"); n != 24 {
			t.Errorf("a second later %d refused, want 24", n)
		}
	})
}

func TestStateStaysBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := newServer(t, Config{TokenLifetime: 20 * time.Second})
		_, rt := c.offline("alice", "laptop")
		for range 15000 {
			if r := c.refresh(rt, "laptop"); r.status != 200 {
				t.Fatalf("%d %v", r.status, r.body)
			}
			time.Sleep(time.Second)
		}
		if n := len(s.tokens) + len(s.sessions) + len(s.byUser[alice]); n > 3*100 {
			t.Errorf("%d tokens and sessions are kept", n)
		}
		if n := len(s.Requests()); n != keepRequests {
			t.Errorf("%d requests are kept, want %d", n, keepRequests)
		}
		if n := s.Count("POST", "/token refresh"); n != 15000 {
			t.Errorf("counted %d refreshes", n)
		}
	})
}
