package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// recording is one exchange with a real wazo-auth.
type recording struct {
	Name    string
	Request struct {
		Method  string
		Path    string
		Headers map[string]string
		Body    any
	}
	Response struct {
		Status   int
		Headers  map[string]string
		BodyKind string `json:"body_kind"`
		Body     json.RawMessage
	}
}

func load(tb testing.TB, name string) *recording {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "recorded", name+".json"))
	if err != nil {
		tb.Fatal(err)
	}
	var r recording
	if err := json.Unmarshal(data, &r); err != nil {
		tb.Fatal(err)
	}
	return &r
}

// token is the X-Auth-Token of the recorded request.
func (r *recording) token() Secret { return NewSecret(r.Request.Headers["X-Auth-Token"]) }

// arg is a string of the recorded request's body.
func (r *recording) arg(name string) string {
	body, _ := r.Request.Body.(map[string]any)
	s, _ := body[name].(string)
	return s
}

// pathToken is the token in a path below /token/.
func (r *recording) pathToken() Secret {
	_, rest, _ := strings.Cut(r.Request.Path, "/token/")
	return NewSecret(rest[:36])
}

// body is what was answered, byte for byte but for the blanks of JSON.
func (r *recording) body(tb testing.TB) []byte {
	tb.Helper()
	if r.Response.BodyKind != "text" {
		if r.Response.BodyKind == "empty" {
			return nil
		}
		return r.Response.Body
	}
	var text string
	if err := json.Unmarshal(r.Response.Body, &text); err != nil {
		tb.Fatal(err)
	}
	return []byte(text)
}

// replay answers as recorded, and insists on being asked as recorded.
func replay(t *testing.T, rec *recording) *Client {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		compareRequest(t, rec, r)
		for name, value := range rec.Response.Headers {
			switch name {
			case "Content-Length", "Connection":
			default:
				w.Header().Set(name, value)
			}
		}
		w.WriteHeader(rec.Response.Status)
		_, _ = w.Write(rec.body(t))
	}))
	t.Cleanup(srv.Close)
	prefix := "/0.1"
	if strings.HasPrefix(rec.Request.Path, "/api/") {
		prefix = "/api/auth/0.1"
	}
	c, err := NewClient(srv.URL+prefix, Options{Version: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func compareRequest(t *testing.T, rec *recording, r *http.Request) {
	t.Helper()
	want, err := url.ParseRequestURI(rec.Request.Path)
	if err != nil {
		t.Error(err)
		return
	}
	if r.Method != rec.Request.Method || r.URL.EscapedPath() != want.EscapedPath() || !reflect.DeepEqual(r.URL.Query(), want.Query()) {
		t.Errorf("asked %s %s, recorded %s %s", r.Method, r.RequestURI, rec.Request.Method, rec.Request.Path)
	}
	for _, name := range []string{"X-Auth-Token", "Wazo-Tenant", "Authorization", "Content-Type"} {
		if got := r.Header.Get(name); got != rec.Request.Headers[name] {
			t.Errorf("header %s is %q, recorded %q", name, got, rec.Request.Headers[name])
		}
	}
	if ua := r.Header.Get("User-Agent"); !strings.HasPrefix(ua, "wakey/1.2.3 (") {
		t.Errorf("User-Agent is %q", ua)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	var got any
	if len(bytes.TrimSpace(body)) > 0 {
		if err := json.Unmarshal(body, &got); err != nil {
			t.Error(err)
		}
	}
	if !reflect.DeepEqual(got, rec.Request.Body) {
		t.Errorf("body is %s, recorded %v", body, rec.Request.Body)
	}
}

// The uuids of the recorded stack's people.
const (
	recBob     = "aaaaaaaa-0000-4000-8000-000000000001"
	recDana    = "aaaaaaaa-0000-4000-8000-000000000003"
	recNewUser = "aaaaaaaa-0000-4000-8000-000000000090"
	recNobody  = "00000000-0000-4000-8000-000000000000"
	recTenantA = "11111111-1111-4111-8111-11111111111a"
	recTenantB = "22222222-2222-4222-8222-22222222222b"
)

// signIn sends a password request with the credentials that were recorded.
func signIn(rec *recording) (PasswordRequest, bool) {
	r := http.Request{Header: http.Header{"Authorization": {rec.Request.Headers["Authorization"]}}}
	login, password, ok := r.BasicAuth()
	p := PasswordRequest{Login: login, Password: NewSecret(password)}
	if rec.arg("access_type") == "offline" {
		p.ClientID = rec.arg("client_id")
	}
	body, _ := rec.Request.Body.(map[string]any)
	if seconds, ok := body["expiration"].(float64); ok {
		p.Lifetime = time.Duration(seconds) * time.Second
	}
	return p, ok
}

type call func(ctx context.Context, c *Client, rec *recording) (any, error)

func signInCall(ctx context.Context, c *Client, rec *recording) (any, error) {
	p, _ := signIn(rec)
	return c.CreateToken(ctx, p)
}

func refreshCall(ctx context.Context, c *Client, rec *recording) (any, error) {
	return c.token(ctx, &request{
		method: http.MethodPost, path: "/token", body: rec.Request.Body,
		hidden: []Secret{NewSecret(rec.arg("refresh_token"))}, legacy401: KindRefreshRefused,
	})
}

func getCall(ctx context.Context, c *Client, rec *recording) (any, error) {
	return c.GetToken(ctx, rec.pathToken())
}

func checkCall(scope, tenant string) call {
	return func(ctx context.Context, c *Client, rec *recording) (any, error) {
		return nil, c.CheckToken(ctx, rec.pathToken(), scope, tenant)
	}
}

func listCall(list func(*Client, context.Context, Secret, ListOptions) (Page[RefreshToken], error), o ListOptions) call {
	return func(ctx context.Context, c *Client, rec *recording) (any, error) {
		p, err := list(c, ctx, rec.token(), o)
		return p, err
	}
}

func userListCall(user string, o ListOptions) call {
	return func(ctx context.Context, c *Client, rec *recording) (any, error) {
		return c.UserRefreshTokens(ctx, rec.token(), user, o)
	}
}

func revokeCall(clientID string) call {
	return func(ctx context.Context, c *Client, rec *recording) (any, error) {
		return nil, c.RevokeMyRefreshToken(ctx, rec.token(), clientID)
	}
}

func revokeUserCall(user, clientID string) call {
	return func(ctx context.Context, c *Client, rec *recording) (any, error) {
		return nil, c.RevokeUserRefreshToken(ctx, rec.token(), user, clientID)
	}
}

func sessionsCall(user string, o ListOptions) call {
	return func(ctx context.Context, c *Client, rec *recording) (any, error) {
		if user == "" {
			return c.AllSessions(ctx, rec.token(), o)
		}
		return c.UserSessions(ctx, rec.token(), user, o)
	}
}

// lastSegment is the uuid at the end of a path.
func lastSegment(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// raw sends a body as it was recorded, for requests this client would not make.
func rawCall(method, path string) call {
	return func(ctx context.Context, c *Client, rec *recording) (any, error) {
		return nil, c.call(ctx, &request{method: method, path: path, token: rec.token(), body: rec.Request.Body}, objectLimit, nil)
	}
}

func TestRecordedFailures(t *testing.T) {
	tests := []struct {
		name string
		do   call
		want Error // Kind, Permission, Tenant, Message and Fields; what is left empty must be empty
	}{
		{"token_unknown_user", signInCall, Error{Kind: KindBadCredentials}},
		{"nginx_wrong_password", signInCall, Error{Kind: KindBadCredentials}},
		{"token_expiration_bad_zero", func(ctx context.Context, c *Client, rec *recording) (any, error) {
			p, _ := signIn(rec)
			return c.token(ctx, &request{method: http.MethodPost, path: "/token", login: p.Login, pass: p.Password, body: rec.Request.Body})
		}, Error{
			Kind: KindInvalid, Message: "expiration: Must be greater than or equal to 1 and less than or equal to 315360000.",
			Fields: map[string]FieldError{"expiration": {"Must be greater than or equal to 1 and less than or equal to 315360000.", "range"}},
		}},
		{"refresh_with_offline", refreshCall, Error{
			Kind: KindInvalid, Message: `cannot use the "access_type" "offline" with a refresh token`,
			Fields: map[string]FieldError{"_schema": {Message: `cannot use the "access_type" "offline" with a refresh token`}},
		}},
		{"refresh_client_id_mismatch", refreshCall, Error{Kind: KindRefreshRefused}},
		{"refresh_unknown", refreshCall, Error{Kind: KindRefreshRefused}},
		{"refresh_token_in_get_token", getCall, Error{Kind: KindTokenDead}},
		{"token_get_unknown", getCall, Error{Kind: KindTokenDead}},
		{"token_head_unknown", checkCall("", ""), Error{Kind: KindTokenDead}},
		{"token_scope_denied_head", checkCall("auth.tokens.read", ""), Error{Kind: KindPermission, Permission: "auth.tokens.read"}},
		{"token_tenant_foreign", func(ctx context.Context, c *Client, rec *recording) (any, error) {
			return c.token(ctx, &request{method: http.MethodGet, path: "/token/" + rec.pathToken().Reveal(), query: url.Values{"tenant": {recTenantB}}, tokenPath: true})
		}, Error{Kind: KindWrongTenant, Tenant: recTenantB}},
		{"scopes_check_unknown_token", func(ctx context.Context, c *Client, rec *recording) (any, error) {
			return c.CheckScopes(ctx, rec.pathToken(), []string{"x"}, "")
		}, Error{Kind: KindTokenDead}},
		{"token_get_collection", rawCall(http.MethodGet, "/token"), Error{Kind: KindUnsupported}},
		{"user_patch", rawCall(http.MethodPatch, "/users/"+recNewUser), Error{Kind: KindUnsupported}},
		{"me_tokens_no_token", listCall((*Client).MyRefreshTokens, ListOptions{}), Error{Kind: KindTokenDead, Permission: "auth.users.me.tokens.read"}},
		{"me_tokens_unknown_token", listCall((*Client).MyRefreshTokens, ListOptions{}), Error{Kind: KindTokenDead, Permission: "auth.users.me.tokens.read"}},
		{"refresh_token_as_x_auth_token", listCall((*Client).MyRefreshTokens, ListOptions{}), Error{Kind: KindTokenDead, Permission: "auth.users.me.tokens.read"}},
		{"me_tokens_acl_missing", listCall((*Client).MyRefreshTokens, ListOptions{}), Error{Kind: KindPermission, Permission: "auth.users.me.tokens.read"}},
		{"tokens_denied", listCall((*Client).AllRefreshTokens, ListOptions{}), Error{Kind: KindPermission, Permission: "auth.tokens.read"}},
		{"me_tokens_foreign_tenant", listCall((*Client).MyRefreshTokens, ListOptions{Tenant: recTenantB}), Error{Kind: KindWrongTenant, Tenant: recTenantB}},
		{"tokens_bad_order_user_uuid", listCall((*Client).AllRefreshTokens, ListOptions{Order: "user_uuid"}), Error{
			Kind: KindInvalid, Message: "order: Must be one of: created_at, client_id, mobile.",
			Fields: map[string]FieldError{"order": {"Must be one of: created_at, client_id, mobile.", "enum"}},
		}},
		{"tokens_bad_limit_abc", listCall((*Client).AllRefreshTokens, ListOptions{Filter: map[string]string{"limit": "abc"}}), Error{
			Kind: KindInvalid, Message: "limit: Not a valid integer.",
			Fields: map[string]FieldError{"limit": {"Not a valid integer.", "type"}},
		}},
		{"tokens_of_unknown_user", userListCall(recNobody, ListOptions{}), Error{Kind: KindNotFound, Message: `No such user: "` + recNobody + `"`}},
		{"rt_delete_me_again", revokeCall("gone.soon"), Error{Kind: KindNotFound, Message: `unknown refresh_token for client_id "gone.soon"`}},
		{"rt_delete_other_user_denied", revokeUserCall("aaaaaaaa-0000-4000-8000-000000000002", "laptop"), Error{
			Kind: KindPermission, Permission: "auth.users.aaaaaaaa-0000-4000-8000-000000000002.tokens.laptop.delete",
		}},
		{"rt_delete_cid_hash_direct", revokeCall("a#b"), Error{Kind: KindPermission, Permission: "auth.users.me.tokens.a#b.delete"}},
		{"rt_cid_193_delete", revokeCall(strings.Repeat("L", 193)), Error{Kind: KindServer, Message: "Internal Server Error"}},
		{"token_deleted_use", listCall((*Client).MyRefreshTokens, ListOptions{}), Error{Kind: KindTokenDead, Permission: "auth.users.me.tokens.read"}},
		{"user_sessions_bad_order", sessionsCall(recDana, ListOptions{Order: "uuid"}), Error{
			Kind: KindInvalid, Message: "order: Must be one of: mobile.",
			Fields: map[string]FieldError{"order": {"Must be one of: mobile.", "enum"}},
		}},
		{"session_delete_global_denied", func(ctx context.Context, c *Client, rec *recording) (any, error) {
			return nil, c.RevokeSession(ctx, rec.token(), lastSegment(rec.Request.Path))
		}, Error{Kind: KindPermission, Permission: "auth.sessions.d8874a81-ca96-45c4-a0c1-b6278f0f81f2.delete"}},
		{"ceiling_refresh_429", refreshCall, Error{Kind: KindSessionCeiling}},
		{"user_create_dup_username", createCall, Error{
			Kind: KindConflict, Message: `username: The login "NewUser" is already used`,
			Fields: map[string]FieldError{"username": {`The login "NewUser" is already used`, "unique"}},
		}},
		{"user_create_bad_auth_method", createCall, Error{
			Kind: KindInvalid, Message: "authentication_method: Invalid authentication method oidc",
			Fields: map[string]FieldError{"authentication_method": {Message: "Invalid authentication method oidc"}},
		}},
		{"user_create_two_errors", rawCall(http.MethodPost, "/users"), Error{
			Kind: KindInvalid, Message: "username: Length must be between 1 and 256.",
			Fields: map[string]FieldError{"username": {"Length must be between 1 and 256.", "length"}},
		}},
		{"user_create_foreign_tenant", func(ctx context.Context, c *Client, rec *recording) (any, error) {
			return c.CreateUser(ctx, rec.token(), NewUser{Username: rec.arg("username")}, recTenantB)
		}, Error{Kind: KindWrongTenant, Tenant: recTenantB}},
		{"user_get_unknown", func(ctx context.Context, c *Client, rec *recording) (any, error) {
			return c.User(ctx, rec.token(), recNobody)
		}, Error{Kind: KindNotFound, Message: `No such user: "` + recNobody + `"`}},
		{"user_delete_again", func(ctx context.Context, c *Client, rec *recording) (any, error) {
			return nil, c.DeleteUser(ctx, rec.token(), recNewUser)
		}, Error{Kind: KindNotFound, Message: `No such user: "` + recNewUser + `"`}},
		{"password_wrong_old", ownPasswordCall, Error{Kind: KindBadCredentials}},
		{"password_missing_field", rawCall(http.MethodPut, "/users/"+recNewUser+"/password"), Error{
			Kind: KindInvalid, Message: "old_password: Missing data for required field.",
			Fields: map[string]FieldError{"old_password": {"Missing data for required field.", "required"}},
		}},
		{"password_reset_denied", func(ctx context.Context, c *Client, rec *recording) (any, error) {
			return nil, c.ResetPassword(ctx, rec.token(), recNewUser, NewSecret(rec.arg("password")))
		}, Error{Kind: KindUnauthorized}},
		{"emails_two_main", adminEmailsCall, Error{
			Kind: KindInvalid, Message: "Only one address should be main",
			Fields: map[string]FieldError{"_schema": {Message: "Only one address should be main"}},
		}},
		{"emails_taken", adminEmailsCall, Error{
			Kind: KindConflict, Message: `email_address: The login "carol@lab-a.example.com" is already used`,
			Fields: map[string]FieldError{"email_address": {`The login "carol@lab-a.example.com" is already used`, "unique"}},
		}},
		{"tenants_denied", func(ctx context.Context, c *Client, rec *recording) (any, error) {
			return c.Tenants(ctx, rec.token(), ListOptions{})
		}, Error{Kind: KindPermission, Permission: "auth.tenants.read"}},
		{"idp_denied", func(ctx context.Context, c *Client, rec *recording) (any, error) {
			return c.IdentityProviders(ctx, rec.token())
		}, Error{Kind: KindPermission, Permission: "auth.idp.read"}},
		{"unknown_route", rawCall(http.MethodGet, "/nope"), Error{Kind: KindNotWazo, Message: `a web page titled "404 Not Found"`}},
		{"nginx_unknown_route", rawCall(http.MethodGet, "/nope"), Error{Kind: KindUnsupported}},
		{"nginx_status_429", func(ctx context.Context, c *Client, _ *recording) (any, error) {
			return nil, c.Status(ctx)
		}, Error{Kind: KindRateLimited}},
		{"nginx_http_redirect", signInCall, Error{Kind: KindNotWazo, Message: "it points to https://127.0.0.1:8443"}},
		{"bus_down_online_login", signInCall, Error{Kind: KindServer, Message: "Internal Server Error"}},
		{"scopes_check_no_scopes", func(ctx context.Context, c *Client, rec *recording) (any, error) {
			return nil, c.call(ctx, &request{method: http.MethodPost, path: "/token/" + rec.pathToken().Reveal() + "/scopes/check", body: rec.Request.Body}, objectLimit, nil)
		}, Error{Kind: KindServer, Message: "Internal Server Error"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := load(t, tt.name)
			c := replay(t, rec)
			_, err := tt.do(t.Context(), c, rec)
			e, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("error is %v", err)
			}
			if e.Kind != tt.want.Kind || e.Permission != tt.want.Permission || e.Tenant != tt.want.Tenant || e.Message != tt.want.Message ||
				!maps.Equal(e.Fields, tt.want.Fields) {
				t.Errorf("got  %+v\nwant %+v", e, tt.want)
			}
			if e.Status != rec.Response.Status || e.Method != rec.Request.Method || e.ServerTime.IsZero() {
				t.Errorf("status %d, method %q, server time %v", e.Status, e.Method, e.ServerTime)
			}
			text := err.Error()
			for _, secret := range []string{rec.token().Reveal(), rec.arg("refresh_token"), rec.arg("password")} {
				if secret != "" && (strings.Contains(text, secret) || strings.Contains(e.Path, secret)) {
					t.Errorf("secret %q in %q, path %q", secret, text, e.Path)
				}
			}
			if strings.Contains(rec.Request.Path, "/token/") && strings.Contains(e.Path, rec.pathToken().Reveal()) {
				t.Errorf("token in path %q", e.Path)
			}
			t.Log(text)
		})
	}
}

func createCall(ctx context.Context, c *Client, rec *recording) (any, error) {
	return c.CreateUser(ctx, rec.token(), NewUser{
		UUID: rec.arg("uuid"), Username: rec.arg("username"), Password: NewSecret(rec.arg("password")), Firstname: rec.arg("firstname"),
		Lastname: rec.arg("lastname"), Email: rec.arg("email_address"), AuthenticationMethod: rec.arg("authentication_method"),
	}, "")
}

func ownPasswordCall(ctx context.Context, c *Client, rec *recording) (any, error) {
	return nil, c.SetOwnPassword(ctx, rec.token(), recNewUser, NewSecret(rec.arg("old_password")), NewSecret(rec.arg("new_password")))
}

// adminEmailsCall sends the recorded addresses; as they leave out what is false, it sends them raw.
func adminEmailsCall(ctx context.Context, c *Client, rec *recording) (any, error) {
	var answer []wireEmail
	return answer, c.object(ctx, &request{method: http.MethodPut, path: "/admin/users/" + recNewUser + "/emails", token: rec.token(), body: rec.Request.Body}, &answer)
}
