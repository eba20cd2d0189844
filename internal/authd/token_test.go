package authd

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

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
		"Basic YWxpY2U6YWxpY2UtZGVtbw==garbage":          200, // nothing is read after the padding
		"Basic YWxpY2U6YWxpY2UtZGVtbw=.=":                200,
		"Basic =YWxpY2U6YWxpY2UtZGVtbw==":                200, // a padding that pads nothing
		"Basic YWxpY2U6YWxpY2UtZGVtbw==\xe9":             500,
		"Basic \xe9YWxpY2U6YWxpY2UtZGVtbw==":             500,
		"Basic Y":                                        500,
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
