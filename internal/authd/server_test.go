package authd

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const (
	alice = "8e1a3c5e-0000-4000-8000-00000000000a"
	bob   = "8e1a3c5e-0000-4000-8000-00000000000b"
	admin = "8e1a3c5e-0000-4000-8000-0000000000ad"
)

// client is a bare HTTP client of the server under test.
type client struct {
	t *testing.T
	h http.Handler
}

type result struct {
	status int
	header http.Header
	body   any // decoded JSON, or the text
}

func newServer(t *testing.T, cfg Config) (*Server, client) {
	t.Helper()
	s, err := New(cfg, DemoSeed())
	if err != nil {
		t.Fatal(err)
	}
	return s, client{t, s}
}

// do sends a request; head holds pairs of header names and values.
func (c client) do(method, path string, body any, head ...string) result {
	c.t.Helper()
	var raw []byte
	switch b := body.(type) {
	case nil:
	case string:
		raw = []byte(b)
	default:
		var err error
		if raw, err = json.Marshal(b); err != nil {
			c.t.Fatal(err)
		}
	}
	req, err := http.NewRequest(method, "http://stack.example"+path, bytes.NewReader(raw))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("User-Agent", "lab-recorder/1.0")
	for i := 0; i < len(head); i += 2 {
		req.Header.Set(head[i], head[i+1])
	}
	res, err := Transport(c.h).RoundTrip(req)
	if err != nil {
		c.t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	out := result{status: res.StatusCode, header: res.Header, body: string(text)}
	if len(text) > 0 && res.Header.Get("Content-Type") == typeJSON {
		if err := json.Unmarshal(text, &out.body); err != nil {
			c.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
	return out
}

// at digs into a decoded body: keys and indexes.
func (r result) at(path ...any) any {
	v := r.body
	for _, p := range path {
		switch p := p.(type) {
		case string:
			o, _ := v.(map[string]any)
			v = o[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func (r result) text(path ...any) string {
	s, _ := r.at(path...).(string)
	return s
}

func (c client) login(login, password string, body map[string]any) result {
	c.t.Helper()
	req, _ := http.NewRequest(http.MethodPost, "http://x", nil)
	req.SetBasicAuth(login, password)
	if body == nil {
		body = map[string]any{}
	}
	return c.do("POST", "/0.1/token", body, "Authorization", req.Header.Get("Authorization"))
}

func (c client) token(login string) string {
	c.t.Helper()
	r := c.login(login, login+"-demo", nil)
	if r.status != http.StatusOK {
		c.t.Fatalf("signing in %s: %d %v", login, r.status, r.body)
	}
	return r.text("data", "token")
}

func (c client) offline(login, clientID string) (access, refresh string) {
	c.t.Helper()
	r := c.login(login, login+"-demo", map[string]any{"access_type": "offline", "client_id": clientID})
	if r.status != http.StatusOK {
		c.t.Fatalf("signing in %s: %d %v", login, r.status, r.body)
	}
	return r.text("data", "token"), r.text("data", "refresh_token")
}

func (c client) refresh(refresh, clientID string) result {
	c.t.Helper()
	return c.do("POST", "/0.1/token", map[string]any{"refresh_token": refresh, "client_id": clientID})
}

func TestRefreshOpensASession(t *testing.T) {
	s, c := newServer(t, Config{})
	_, rt := c.offline("alice", "laptop")
	_, again := c.offline("alice", "laptop")
	if rt != again {
		t.Errorf("a second sign-in with the same client_id gave %s, want the same %s", again, rt)
	}
	r := c.refresh(rt, "laptop")
	if r.status != http.StatusOK || r.text("data", "auth_id") != alice {
		t.Fatalf("refresh: %d %v", r.status, r.body)
	}
	if r.at("data", "refresh_token") != nil {
		t.Error("the answer to a refresh has a refresh_token")
	}
	if n := s.Sessions(alice); n != 3 {
		t.Errorf("%d sessions, want 3", n)
	}
	if n := s.Count("POST", "/token refresh"); n != 1 {
		t.Errorf("counted %d refreshes, want 1", n)
	}
	if n := s.Count("POST", "/token"); n != 3 {
		t.Errorf("counted %d POST /token, want 3", n)
	}
}

func TestExpiryIsTruncatedAndPurgedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := newServer(t, Config{})
		time.Sleep(10*time.Second + 900*time.Millisecond)
		r := c.login("alice", "alice-demo", map[string]any{"expiration": 5})
		value := r.text("data", "token")
		if got := r.text("data", "utc_expires_at"); got != "2000-01-01T00:00:15.900000" {
			t.Errorf("POST shows %s", got)
		}
		if got := c.do("GET", "/0.1/token/"+value, nil).text("data", "utc_expires_at"); got != "2000-01-01T00:00:15.000000" {
			t.Errorf("GET shows %s", got)
		}
		time.Sleep(4*time.Second + 200*time.Millisecond) // 15.1: past the stored second
		if got := c.do("GET", "/0.1/token/"+value, nil).status; got != http.StatusNotFound {
			t.Errorf("after the stored expiry: %d", got)
		}
		if n := s.Sessions(alice); n != 1 {
			t.Errorf("before the purge %d sessions, want 1", n)
		}
		time.Sleep(40 * time.Second) // 55.1
		c.login("alice", "alice-demo", map[string]any{"expiration": 10})
		time.Sleep(20 * time.Second) // 75.1: one expired before the first minute, one after
		if n := s.Sessions(alice); n != 1 {
			t.Errorf("after the first purge %d sessions, want 1", n)
		}
		time.Sleep(45 * time.Second) // 120.1
		if n := s.Sessions(alice); n != 0 {
			t.Errorf("after the second purge %d sessions, want 0", n)
		}
	})
}

func TestCeiling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := newServer(t, Config{MaxSessions: 3, TokenLifetime: 10 * time.Second})
		at, rt := c.offline("alice", "laptop")
		c.refresh(rt, "laptop")
		c.refresh(rt, "laptop")
		r := c.refresh(rt, "laptop")
		if r.status != http.StatusTooManyRequests || r.text("reason", 0) != "User "+alice+" has exceeded the maximum number of active sessions" {
			t.Fatalf("fourth session: %d %v", r.status, r.body)
		}
		if r := c.login("alice", "wrong", nil); r.status != http.StatusUnauthorized {
			t.Errorf("a wrong password at the ceiling: %d", r.status)
		}
		if r := c.login("bob", "bob-demo", nil); r.status != http.StatusOK {
			t.Errorf("the ceiling binds others: %d", r.status)
		}
		time.Sleep(30 * time.Second)
		if r := c.refresh(rt, "laptop"); r.status != http.StatusTooManyRequests {
			t.Errorf("expired sessions count until the purge, got %d", r.status)
		}
		if r := c.do("DELETE", "/0.1/token/"+at, nil); r.status != http.StatusOK {
			t.Errorf("revoking an expired token: %d", r.status)
		}
		if r := c.refresh(rt, "laptop"); r.status != http.StatusOK {
			t.Errorf("after freeing one: %d", r.status)
		}
		if n := s.Sessions(alice); n != 3 {
			t.Errorf("%d sessions, want 3", n)
		}
	})
}

func TestRefreshTokenRevokedLeavesAccessTokens(t *testing.T) {
	s, c := newServer(t, Config{})
	at, rt := c.offline("alice", "gone.soon")
	del := func() result {
		return c.do("DELETE", "/0.1/users/me/tokens/gone.soon", nil, "X-Auth-Token", at)
	}
	if r := del(); r.status != http.StatusNoContent {
		t.Fatalf("revoking: %d %v", r.status, r.body)
	}
	if r := del(); r.status != http.StatusNotFound {
		t.Errorf("revoking again: %d", r.status)
	}
	if r := c.refresh(rt, "gone.soon"); r.status != http.StatusUnauthorized {
		t.Errorf("refresh with a revoked token: %d", r.status)
	}
	if n := s.Sessions(alice); n != 1 {
		t.Errorf("%d sessions, want 1", n)
	}
}

func TestErrorsEchoTheToken(t *testing.T) {
	_, c := newServer(t, Config{})
	at := c.token("alice")
	r := c.do("GET", "/0.1/tokens", nil, "X-Auth-Token", at)
	if r.status != http.StatusUnauthorized || r.text("details", "invalid_token") != at || r.text("details", "reason") != reasonMissing {
		t.Errorf("%d %v", r.status, r.body)
	}
}

func TestBothPrefixes(t *testing.T) {
	_, c := newServer(t, Config{})
	at := c.token("alice")
	for path, server := range map[string]string{"/0.1": "Cheroot/9.0.0", "/api/auth/0.1": "nginx/1.22.1"} {
		r := c.do("GET", path+"/token/"+strings.ToUpper(at), nil)
		if r.status != http.StatusOK || r.header.Get("Server") != server {
			t.Errorf("%s: %d %s", path, r.status, r.header.Get("Server"))
		}
	}
}

func TestProxyFoldsPaths(t *testing.T) {
	s, c := newServer(t, Config{})
	at, _ := c.offline("alice", "laptop")
	const path = "/users/me/tokens/other/..//laptop"
	if r := c.do("DELETE", "/0.1"+path, nil, "X-Auth-Token", at); r.status != 404 {
		t.Errorf("the daemon folds: %d", r.status)
	}
	if r := c.do("GET", "/api/auth/../other", nil); r.header.Get("Content-Type") != typeNginxHTML {
		t.Errorf("out of the service: %d %v", r.status, r.header)
	}
	if r := c.do("DELETE", "/api/auth/0.1"+path, nil, "X-Auth-Token", at); r.status != 204 || len(s.RefreshTokens(alice)) != 0 {
		t.Errorf("the proxy does not fold: %d", r.status)
	}
}

func TestFaults(t *testing.T) {
	s, c := newServer(t, Config{})
	_, rt := c.offline("alice", "laptop")
	f := s.Faults()

	f.Add(Fault{Path: "/token refresh", Times: 2, Status: 502, HTML: true})
	for range 2 {
		if r := c.refresh(rt, "laptop"); r.status != 502 || r.header.Get("Content-Type") != "text/html" {
			t.Errorf("proxy fault: %d %v", r.status, r.header)
		}
	}
	if n := s.Sessions(alice); n != 1 {
		t.Errorf("a refused refresh took effect: %d sessions", n)
	}
	f.Add(Fault{Path: "/token", Times: 1, Status: 500, After: true})
	if r := c.refresh(rt, "laptop"); r.status != 500 {
		t.Errorf("late fault: %d", r.status)
	}
	if n := s.Sessions(alice); n != 2 {
		t.Errorf("a late fault must leave its effect: %d sessions, want 2", n)
	}
	f.RefreshAs(bob, 1)
	if r := c.refresh(rt, "laptop"); r.text("data", "auth_id") != bob {
		t.Errorf("refresh as bob: %v", r.body)
	}
	if r := c.refresh(rt, "laptop"); r.text("data", "auth_id") != alice {
		t.Errorf("refresh after that: %v", r.body)
	}

	f.Add(Fault{Times: 1, Cut: true})
	req, _ := http.NewRequest(http.MethodGet, "http://stack.example/0.1/backends", nil)
	if res, err := Transport(s).RoundTrip(req); err == nil {
		if _, err = io.ReadAll(res.Body); err == nil {
			t.Error("a cut answer read to its end")
		}
	}
	f.SetDown(true)
	if _, err := Transport(s).RoundTrip(req); err == nil {
		t.Error("a server that is down answered")
	}
	f.Clear()
	if r := c.refresh(rt, "laptop"); r.status != 200 {
		t.Errorf("after Clear: %d", r.status)
	}
}
