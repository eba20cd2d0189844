package api

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// never is a client whose every request fails the test.
func never(t *testing.T) *Client {
	return serve(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s %s was sent", r.Method, r.RequestURI) })
}

func TestRefusedBeforeSending(t *testing.T) {
	c := never(t)
	ctx := t.Context()
	create := func(r PasswordRequest) error {
		_, err := c.CreateToken(ctx, r)
		return err
	}
	refresh := func(r RefreshRequest) error {
		_, err := c.Refresh(ctx, r)
		return err
	}
	page := func(_ any, err error) error { return err }
	pw := NewSecret("geheim99")
	for name, err := range map[string]error{
		"no login":           create(PasswordRequest{Password: pw}),
		"no password":        create(PasswordRequest{Login: "bob"}),
		"colon":              create(PasswordRequest{Login: "a:b", Password: pw}),
		"lifetime":           create(PasswordRequest{Login: "bob", Password: pw, Lifetime: time.Millisecond}),
		"negative lifetime":  create(PasswordRequest{Login: "bob", Password: pw, Lifetime: -time.Hour}),
		"endless lifetime":   create(PasswordRequest{Login: "bob", Password: pw, Lifetime: 11 * 365 * 24 * time.Hour}),
		"client_id":          create(PasswordRequest{Login: "bob", Password: pw, ClientID: "a/b"}),
		"no refresh token":   refresh(RefreshRequest{ClientID: "x"}),
		"no client_id":       refresh(RefreshRequest{RefreshToken: token}),
		"no token":           c.RevokeToken(ctx, Secret{}),
		"token of the path":  c.RevokeToken(ctx, NewSecret("../users")),
		"check":              c.CheckToken(ctx, NewSecret("x"), "", ""),
		"user":               page(c.UserSessions(ctx, token, "me", ListOptions{})),
		"user of the path":   page(c.User(ctx, token, "../tenants")),
		"session":            c.RevokeSession(ctx, token, "x"),
		"session of a user":  c.RevokeUserSession(ctx, token, aUser, "../x"),
		"empty password":     c.ResetPassword(ctx, token, aUser, Secret{}),
		"empty old password": c.SetOwnPassword(ctx, token, aUser, Secret{}, pw),
		"token of two lines": page(c.Users(ctx, NewSecret("a\r\nX: y"), ListOptions{})),
		"revoke slash":       c.RevokeMyRefreshToken(ctx, token, "a/b"),
		"revoke dot":         c.RevokeMyRefreshToken(ctx, token, "."),
		"revoke dots":        c.RevokeUserRefreshToken(ctx, token, aUser, ".."),
		"revoke NUL":         c.RevokeMyRefreshToken(ctx, token, "a\x00b"),
		"revoke nothing":     c.RevokeMyRefreshToken(ctx, token, ""),
	} {
		var e *Error
		if !errors.As(err, &e) || e.Kind != KindInvalid || e.Status != 0 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		wholesome(t, name, err)
	}
}

func TestUnrevokable(t *testing.T) {
	for clientID, want := range map[string]string{
		"wakey-host-0a1b2c3d": "", "a.b": "", "...": "", "-_.:+*;{} \t?%ü": "", strings.Repeat("L", 192): "", "": "",
		"a/b": "slash", "/": "slash", ".": "dot segment", "..": "dot segment", "a#b": "administrator", strings.Repeat("L", 193): "192 bytes",
		strings.Repeat("ü", 97): "192 bytes", "a\x00": "NUL",
	} {
		reason, bad := Unrevokable(clientID)
		if bad != (want != "") || !strings.Contains(reason, want) {
			t.Errorf("%q: %q, %v", clientID, reason, bad)
		}
	}
}

func TestClientIDsInPaths(t *testing.T) {
	for clientID, want := range map[string]string{
		"a b": "a%20b", "50%": "50%25", "%2F": "%252F", "a?b": "a%3Fb", "a#b": "a%23b", "ü": "%C3%BC", "a+b;c:d*e{f}": "a+b%3Bc:d%2Ae%7Bf%7D", "...": "...", "\t\x1b": "%09%1B",
	} {
		var path string
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			path, _, _ = strings.Cut(r.RequestURI, "?")
			w.WriteHeader(http.StatusNoContent)
		})
		err := c.RevokeMyRefreshToken(t.Context(), token, clientID)
		got := strings.TrimPrefix(path, "/0.1/users/me/tokens/")
		// Go leaves some characters alone that may be escaped; both forms mean the same.
		if err != nil || unescaped(got) != clientID || strings.ContainsAny(got, " ?#/") {
			t.Errorf("%q: %q, want %q, %v", clientID, got, want, err)
		}
	}
}

func unescaped(s string) string {
	r := httptest.NewRequest(http.MethodGet, "/"+s, nil)
	return strings.TrimPrefix(r.URL.Path, "/")
}

func TestDo(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Echo", r.Method+" "+r.RequestURI+" "+r.Header.Get("X-Auth-Token")+" "+r.Header.Get("Accept")+" "+string(body))
		w.WriteHeader(http.StatusTeapot)
	}))
	defer srv.Close()
	stack, err := NewClient(srv.URL, Options{})
	if err != nil {
		t.Fatal(err)
	}
	direct, err := NewClient(srv.URL+"/0.1", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		c          *Client
		path, want string
	}{
		{stack, "/auth/0.1/users?limit=1", "/api/auth/0.1/users?limit=1"},
		{stack, "/confd/1.1/infos", "/api/confd/1.1/infos"},
		{stack, "/auth/0.1/users/me/tokens/a%20b", "/api/auth/0.1/users/me/tokens/a%20b"},
		{stack, "/auth/0.10/x#y", "/api/auth/0.10/x"},
		{direct, "/auth/0.1/users", "/0.1/users"},
		{direct, "/auth/0.1", "/0.1"},
	} {
		resp, err := tt.c.Do(t.Context(), "PUT", tt.path, http.Header{"accept": {"x"}}, strings.NewReader("body"), token)
		if err != nil {
			t.Error(tt.path, err)
			continue
		}
		_ = resp.Body.Close()
		if got := resp.Header.Get("Echo"); resp.StatusCode != http.StatusTeapot || got != "PUT "+tt.want+" "+aToken+" x body" {
			t.Errorf("%s: %d %q", tt.path, resp.StatusCode, got)
		}
	}
	for _, path := range []string{"", "users", "//evil.example/x", "https://evil.example/x", "@evil.example", "/\x1b", "/%zz", "\\\\evil"} {
		if _, err := stack.Do(t.Context(), "GET", path, nil, nil, token); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", path, err)
		}
	}
	for _, path := range []string{"/confd/1.1/infos", "/auth/0.10/x"} {
		if _, err := direct.Do(t.Context(), "GET", path, nil, nil, token); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", path, err)
		}
	}
	if _, err := stack.Do(t.Context(), "GET", "/x", http.Header{"A b": {"c"}}, nil, token); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	srv.Close()
	_, err = stack.Do(t.Context(), "GET", "/auth/0.1/token/"+aRefresh+"?token="+aToken, nil, nil, token)
	if !errors.Is(err, ErrNetwork) {
		t.Fatal(err)
	}
	wholesome(t, "Do", err)
	if e, ok := errors.AsType[*Error](err); !ok || strings.Contains(e.Path, aRefresh) || strings.Contains(e.Path, aToken) {
		t.Errorf("path %q", e.Path)
	}
}

// bubble is a network without sockets: it calls a handler, and honours the request's context.
type bubble struct{ h http.Handler }

func (b bubble) RoundTrip(r *http.Request) (*http.Response, error) {
	done := make(chan *http.Response, 1)
	go func() {
		w := httptest.NewRecorder()
		b.h.ServeHTTP(w, r)
		done <- w.Result()
	}()
	select {
	case resp := <-done:
		return resp, r.Context().Err()
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// With its own transport the client lives in a synctest bubble, where 15 seconds pass at once.
func TestTimeoutInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := NewClient("pbx.example", Options{Transport: bubble{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete {
				answer(200, jsonType, `{"data":{}}`)(w, r)
				return
			}
			<-r.Context().Done()
		})}})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		err = getIt(t.Context(), c)
		if waited := time.Since(start); !errors.Is(err, ErrNetwork) || waited != defaultTimeout || !strings.Contains(err.Error(), "longer than 15s") {
			t.Errorf("%v after %v", err, waited)
		}
		if err := c.RevokeToken(t.Context(), token); err != nil {
			t.Error(err)
		}
	})
}

// Nothing but what contract 1 and 5 name goes out with a sign-in, and the password only as Basic credentials.
func TestSignInOnTheWire(t *testing.T) {
	var got *http.Request
	var body string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, body = r, string(b)
		answer(401, jsonType, `{"reason":["Authentication Failed"],"timestamp":[1],"status_code":401}`)(w, r)
	})
	_, err := c.CreateToken(t.Context(), PasswordRequest{Login: "jürgen", Password: NewSecret("gehéim:99"), ClientID: "wakey-x", Lifetime: 90*time.Second + 999*time.Millisecond})
	if !errors.Is(err, ErrBadCredentials) {
		t.Fatal(err)
	}
	if want := "Basic " + base64.StdEncoding.EncodeToString([]byte("jürgen:gehéim:99")); got.Header.Get("Authorization") != want {
		t.Errorf("Authorization is %q", got.Header.Get("Authorization"))
	}
	if body != `{"access_type":"offline","client_id":"wakey-x","expiration":90}` {
		t.Errorf("body is %s", body)
	}
	for name := range got.Header {
		switch name {
		case "Authorization", "Content-Type", "Content-Length", "User-Agent", "Accept":
		default:
			t.Errorf("header %s: %q", name, got.Header[name])
		}
	}
}
