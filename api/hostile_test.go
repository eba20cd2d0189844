package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
)

const (
	aToken   = "01234567-89ab-4cde-8f01-23456789abcd"
	aRefresh = "fedcba98-7654-4321-8fed-cba987654321"
	aUser    = "11111111-2222-4333-8444-555555555555"
)

var token = NewSecret(aToken)

// serve gives a client of a server that answers everything by h.
func serve(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c, err := NewClient(srv.URL+"/0.1", Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// answer is a handler that always says the same.
func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// echo says back every secret of the request, twice, the second time in capitals.
func echo(status int, format string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		body, _ := io.ReadAll(r.Body)
		var sent struct {
			RefreshToken string `json:"refresh_token"`
		}
		_ = json.Unmarshal(body, &sent)
		_, path, _ := strings.Cut(r.URL.Path, "/token/")
		said := strings.Join([]string{r.Header.Get("X-Auth-Token"), path, sent.RefreshToken, password}, " ")
		answer(status, jsonType, fmt.Sprintf(format, said, strings.ToUpper(said)))(w, r)
	}
}

const jsonType = "application/json"

// every calls everything that reads a body.
func every(ctx context.Context, c *Client) map[string]error {
	_, create := c.CreateToken(ctx, PasswordRequest{Login: "bob", Password: NewSecret("a long password"), ClientID: "x"})
	_, refresh := c.Refresh(ctx, RefreshRequest{RefreshToken: NewSecret(aRefresh), ClientID: "x"})
	_, get := c.GetToken(ctx, token)
	_, scopes := c.CheckScopes(ctx, token, []string{"auth.users.read"}, "")
	_, refreshTokens := c.MyRefreshTokens(ctx, token, ListOptions{})
	_, sessions := c.UserSessions(ctx, token, aUser, ListOptions{})
	_, users := c.Users(ctx, token, ListOptions{})
	_, user := c.User(ctx, token, aUser)
	_, emails := c.SetAdminEmails(ctx, token, aUser, nil)
	_, backends := c.Backends(ctx)
	return map[string]error{
		"CreateToken": create, "Refresh": refresh, "GetToken": get, "CheckScopes": scopes, "MyRefreshTokens": refreshTokens,
		"UserSessions": sessions, "Users": users, "User": user, "SetAdminEmails": emails, "Backends": backends,
		"RevokeToken": c.RevokeToken(ctx, token),
		"Revoke":      c.RevokeMyRefreshToken(ctx, token, "x"),
	}
}

// wholesome checks what every error's text must be.
func wholesome(t *testing.T, name string, err error) {
	t.Helper()
	text := err.Error()
	for _, secret := range []string{aToken, aRefresh, "a long password"} {
		if strings.Contains(strings.ToLower(text), secret) {
			t.Errorf("%s: secret in %q", name, text)
		}
	}
	for _, r := range text {
		if unicode.IsControl(r) || r == 0x202e || r == 0x2028 {
			t.Errorf("%s: %U in %q", name, r, text)
		}
	}
	if !strings.Contains(text, "; ") {
		t.Errorf("%s: %q does not say what to do next", name, text)
	}
	if len(text) > 2000 {
		t.Errorf("%s: a text of %d bytes", name, len(text))
	}
}

func TestHostileAnswers(t *testing.T) {
	page := "<html><head><title>Hotel \x1b[31mWiFi " + aToken + "</title></head></html>"
	tests := []struct {
		name  string
		h     http.HandlerFunc
		kinds []error // each error is one of these
	}{
		{"empty", answer(200, jsonType, ""), []error{ErrBadBody}},
		{"garbage", answer(200, jsonType, "\x00\xff\x1b]52;c;aGVsbG8=\x07"), []error{ErrBadBody}},
		{"text", answer(200, "text/plain", "hello "+aToken), []error{ErrNotWazo}},
		{"html", answer(200, "text/html", page), []error{ErrNotWazo}},
		{"html 401", answer(401, "text/html", page), []error{ErrNotWazo}},
		{"html 403", answer(403, "text/html", page), []error{ErrNotWazo}},
		{"html 404", answer(404, "text/html", page), []error{ErrNotWazo}},
		{"html 503", answer(503, "text/html", page), []error{ErrServer}},
		{"html 429", answer(429, "text/html", page), []error{ErrRateLimited}},
		{"other json 404", answer(404, jsonType, `{"error":"`+aToken+`"}`), []error{ErrNotWazo}},
		{"other json", answer(200, jsonType, `{"hello":"`+aToken+`"}`), []error{ErrNotWazo, ErrBadBody}},
		{"null", answer(200, jsonType, "null"), []error{ErrNotWazo, ErrBadBody}},
		{"list", answer(200, jsonType, `["`+aToken+`"]`), []error{ErrNotWazo, ErrBadBody}},
		{"number", answer(200, jsonType, "12"), []error{ErrBadBody}},
		{"truncated", answer(200, jsonType, `{"data":{"token":"`+aToken+`","refresh_token":"`+aRefresh+`","auth_id":`), []error{ErrBadBody}},
		{"truncated list", answer(200, jsonType, `{"items":[{"client_id":"a","uuid":"`+aToken+`"},{"cl`), []error{ErrBadBody, ErrNotWazo}},
		{"deep", answer(200, jsonType, strings.Repeat(`{"data":`, 20000)+strings.Repeat(`}`, 20000)), []error{ErrBadBody}},
		{"deep error", answer(400, jsonType, strings.Repeat(`{"message":`, 9000)+"1"+strings.Repeat(`}`, 9000)), []error{ErrInvalid}},
		{"204", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, []error{ErrNotWazo}},
		{"teapot", answer(418, jsonType, `{"message":"short and stout"}`), []error{ErrUnknown}},
		{"status 999", answer(999, jsonType, `{"message":"?"}`), []error{ErrNotWazo}},
		{"gzip", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			answer(200, jsonType, "\x1f\x8b\x08\x00")(w, r)
		}, []error{ErrBadBody}},
		{"echo", echo(401, `{"message":"no %s","error_id":"unauthorized","details":{"invalid_token":"%s"}}`), []error{ErrUnauthorized}},
		{"echo in a conflict", echo(409, `{"message":"Conflict detected","error_id":"conflict","details":{"%s":{"message":"%s"}}}`), []error{ErrConflict}},
		{"echo in a reason", echo(400, `{"reason":["{'x': ['%s\\n%s']}"],"status_code":400}`), []error{ErrInvalid}},
		{"echo in text", echo(500, `%s%s`), []error{ErrServer}},
		{"echo in html", echo(404, `<html><title>%s %s</title>`), []error{ErrNotWazo}},
		{"escapes", answer(400, jsonType, `{"message":"\u001b[2J\u202egnp\u2028\u0007\u009b31m"}`), []error{ErrInvalid}},
		{"long", answer(400, jsonType, `{"message":"`+strings.Repeat("ü", 100000)+`"}`), []error{ErrInvalid}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := serve(t, tt.h)
			for name, err := range every(t.Context(), c) {
				if err == nil {
					if tt.name == "204" && name == "Revoke" {
						continue
					}
					t.Errorf("%s: no error", name)
					continue
				}
				wholesome(t, name, err)
				if name == "Revoke" {
					continue // reads no body; 200 is not its success
				}
				found := false
				for _, kind := range tt.kinds {
					found = found || errors.Is(err, kind)
				}
				if !found {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// A success with another status is none: hotel networks answer 200 to everything.
func TestRevokeWantsItsOwnStatus(t *testing.T) {
	c := serve(t, answer(200, "text/html", "<html>welcome</html>"))
	for name, err := range map[string]error{
		"RevokeMyRefreshToken": c.RevokeMyRefreshToken(t.Context(), token, "x"),
		"RevokeUserSession":    c.RevokeUserSession(t.Context(), token, aUser, aUser),
		"RevokeToken":          c.RevokeToken(t.Context(), token),
		"CheckToken":           c.CheckToken(t.Context(), token, "", ""),
		"Status":               c.Status(t.Context()),
	} {
		if !errors.Is(err, ErrNotWazo) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWrongTypesAreNamed(t *testing.T) {
	tests := []struct{ body, want string }{
		{`{"data":{"token":12.5}}`, `"data.token" is of type number where text belongs`},
		{`{"data":{"acl":"x"}}`, `"data.acl" is of type string where a list belongs`},
		{`{"data":{"acl":[1]}}`, `where text belongs`},
		{`{"data":[]}`, `"data" is of type array where an object belongs`},
		{`{"data":{"metadata":{"admin":"yes"}}}`, `"data.metadata.admin" is of type string where true or false belongs`},
		{`{"data":{"token":"x","auth_id":"y"}}`, `its "token" is none`},
		{`{"data":{"token":"` + aToken + `","session_uuid":"` + aUser + `"}}`, `whose token`},
		{`{"data":{"token":"` + aToken + `","auth_id":"y"}}`, `does not say when it expires`},
		{`{"data":{"token":"` + aToken + `","auth_id":"y","utc_issued_at":"now","utc_expires_at":"then"}}`, `is no time`},
		{`{"data":{"token":"` + aToken + `","auth_id":"y","utc_issued_at":"2026-01-02T00:00:00","utc_expires_at":"2026-01-01T00:00:00"}}`, `before it is issued`},
	}
	for _, tt := range tests {
		c := serve(t, answer(200, jsonType, tt.body))
		_, err := c.GetToken(t.Context(), token)
		if !errors.Is(err, ErrBadBody) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.body, err)
		}
	}
	lists := []struct{ body, want string }{
		{`{"items":{}}`, `"items" is no list`},
		{`{"items":null}`, `"items" is no list`},
		{`{"items":[{"client_id":1}]}`, `item 1 of the list: "client_id" is of type number where text belongs`},
		{`{"items":[{"client_id":"a"},null]}`, `item 2 of the list: it has no client_id`},
		{`{"items":[{"client_id":"a","created_at":"yesterday"}]}`, `item 1 of the list: its created_at is no time`},
		{`{"items":[],"total":"many"}`, `"total" is no count`},
		{`{"items":[],"filtered":-1}`, `"filtered" is no count`},
		{`{"items":[]} {}`, ``},
	}
	for _, tt := range lists {
		c := serve(t, answer(200, jsonType, tt.body))
		_, err := c.MyRefreshTokens(t.Context(), token, ListOptions{})
		if !errors.Is(err, ErrBadBody) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.body, err)
		}
	}
}

// Nulls and missing keys that some version sends are no errors (contract 4, 13).
func TestNullsAndOldVersions(t *testing.T) {
	const bare = `{"data":{"token":"` + aToken + `","auth_id":"` + aUser + `","xivo_uuid":null,"metadata":null,"acl":null,"acls":["a.b"],` +
		`"issued_at":"2026-10-25T02:30:00.5","expires_at":"2026-10-25T03:30:00.5","remote_addr":null}}`
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", "Sun, 25 Oct 2026 00:30:01 GMT")
		w.Header().Add("Wazo-Sessions-Revoked", "2")
		w.Header().Add("Wazo-Sessions-Revoked", "x")
		answer(200, jsonType, bare)(w, r)
	})
	got, err := c.GetToken(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 10, 25, 0, 30, 1, 0, time.UTC)
	if !got.IssuedAt.Equal(at) || got.ExpiresAt.Sub(got.IssuedAt) != time.Hour || got.SessionUUID != "" || len(got.ACL) != 1 || got.SessionsRevoked != 2 {
		t.Errorf("%+v", got)
	}
	old := `{"items":[{"client_id":"a","created_at":null,"mobile":null}]}`
	p, err := serve(t, answer(200, jsonType, old)).MyRefreshTokens(t.Context(), token, ListOptions{})
	if err != nil || p.Total != 1 || p.Filtered != 1 || p.Items[0].ClientID != "a" || !p.Items[0].CreatedAt.IsZero() {
		t.Errorf("%+v, %v", p, err)
	}
	u, err := serve(t, answer(200, jsonType, `{"uuid":"`+aUser+`","username":null,"emails":null}`)).User(t.Context(), token, aUser)
	if err != nil || !u.Enabled || u.Username != "" || u.AuthenticationMethod != "" {
		t.Errorf("%+v, %v", u, err)
	}
	// Before 22.04 a 401 has no reason: the cause is unknown, and that is what is said.
	_, err = serve(t, answer(401, jsonType, `{"message":"Unauthorized","error_id":"unauthorized","details":{"invalid_token":"`+aToken+`"}}`)).
		MyRefreshTokens(t.Context(), token, ListOptions{})
	if !errors.Is(err, ErrUnauthorized) || errors.Is(err, ErrTokenDead) || errors.Is(err, ErrPermission) {
		t.Error(err)
	}
}

// endless writes until it is no longer read.
func endless(w io.Writer, begin, more string) {
	_, _ = io.WriteString(w, begin)
	chunk := []byte(strings.Repeat(more, 1+(64<<10)/len(more)))
	for n := 0; n < 100<<20; n += len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

func TestLargeBodies(t *testing.T) {
	tests := map[string]struct {
		status      int
		begin, more string
		do          func(context.Context, *Client) error
		want        error
		atMost      uint64 // bytes allocated in all
	}{
		"token": {200, `{"data":{"token":"`, "a", getIt, ErrTooLarge, 16 << 20},
		"acl":   {200, `{"data":{"acl":["`, `a","`, getIt, ErrTooLarge, 64 << 20},
		"blanks": {200, ``, " ", func(ctx context.Context, c *Client) error {
			_, err := c.User(ctx, token, aUser)
			return err
		}, ErrTooLarge, 16 << 20},
		"error":       {500, `{"message":"`, "a", getIt, ErrServer, 32 << 20},
		"list items":  {200, `{"items":[{"client_id":"a"}`, `,{"client_id":"a"}`, listIt, ErrTooLarge, 200 << 20},
		"one item":    {200, `{"items":[{"client_id":"`, `a`, listIt, ErrTooLarge, 400 << 20},
		"empty items": {200, `{"items":[{}`, `,{}`, listIt, ErrBadBody, 16 << 20},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", jsonType)
				w.WriteHeader(tt.status)
				endless(w, tt.begin, tt.more)
			})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := tt.do(t.Context(), c)
			runtime.ReadMemStats(&after)
			if !errors.Is(err, tt.want) {
				t.Errorf("error is %v", err)
			}
			wholesome(t, name, err)
			if used := after.TotalAlloc - before.TotalAlloc; used > tt.atMost {
				t.Errorf("%d MiB allocated", used>>20)
			}
		})
	}
}

func getIt(ctx context.Context, c *Client) error {
	_, err := c.GetToken(ctx, token)
	return err
}

func listIt(ctx context.Context, c *Client) error {
	_, err := c.MyRefreshTokens(ctx, token, ListOptions{})
	return err
}

// A bomb that the transport would unpack by itself, had it asked for compression.
func TestGzipBomb(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	endless(z, `{"items":[`, " ")
	_ = z.Close()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Accept-Encoding"); got != "" {
			t.Errorf("Accept-Encoding is %q", got)
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", jsonType)
		_, _ = w.Write(bomb.Bytes())
	})
	err := listIt(t.Context(), c)
	if !errors.Is(err, ErrBadBody) || !strings.Contains(err.Error(), "compressed") {
		t.Error(err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var visits atomic.Int32
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	defer target.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, location := range []string{target.URL + "/0.1/token/" + aToken, "/elsewhere/" + aToken, "//" + target.Listener.Addr().String(), "http://[bad/" + aToken, ""} {
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", location)
				w.WriteHeader(status)
			})
			for name, err := range every(t.Context(), c) {
				if !errors.Is(err, ErrNotWazo) {
					t.Errorf("%d to %q: %s: %v", status, location, name, err)
					continue
				}
				wholesome(t, name, err)
				if location != "" && strings.HasPrefix(location, target.URL) && !strings.Contains(err.Error(), target.URL) {
					t.Errorf("%q does not name the target", err)
				}
			}
			resp, err := c.Do(t.Context(), "GET", "/auth/0.1/x", nil, nil, token)
			if err == nil {
				_ = resp.Body.Close()
			}
		}
	}
	if n := visits.Load(); n != 0 {
		t.Errorf("%d redirects were followed", n)
	}
}

// A 50,000 item list is ordinary work.
func TestLongList(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"total":50000,"filtered":50000,"items":[`)
	for i := range 50000 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"client_id":"device-%d\u001b[31m","created_at":"2026-11-23T07:35:08.269501-05:00","mobile":false,"user_uuid":"%s","tenant_uuid":"%s","metadata":{"a":[1,{}]}}`, i, aUser, aUser)
	}
	b.WriteString(`]}`)
	p, err := serve(t, answer(200, jsonType, b.String())).MyRefreshTokens(t.Context(), token, ListOptions{})
	if err != nil || len(p.Items) != 50000 || p.Items[49999].ClientID != "device-49999\x1b[31m" {
		t.Errorf("%d items, %v", len(p.Items), err)
	}
}

// A gateway that wants to be signed in to says nothing about the refresh token.
func TestGatewayRefusesNoRefreshToken(t *testing.T) {
	c := serve(t, answer(401, jsonType, `{"message":"Unauthorized"}`))
	_, err := c.Refresh(t.Context(), RefreshRequest{RefreshToken: NewSecret(aRefresh), ClientID: "x"})
	if !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "Unauthorized") {
		t.Errorf("refresh: %v", err)
	}
	_, err = c.CreateToken(t.Context(), PasswordRequest{Login: "bob", Password: NewSecret("a long password")})
	if !errors.Is(err, ErrUnknown) {
		t.Errorf("sign-in: %v", err)
	}
}
