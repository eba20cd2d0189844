package authd

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// FuzzRequests sends anything anywhere: the server must answer, with a status that
// HTTP knows, and never panic.
func FuzzRequests(f *testing.F) {
	for _, seed := range [][4]string{
		{"POST", "/0.1/token", `{"access_type":"offline","client_id":"a"}`, "Basic YWxpY2U6YWxpY2UtZGVtbw=="},
		{"POST", "/api/auth/0.1/token", `{"refresh_token":"x","client_id":"\ud800"}`, ""},
		{"GET", "/0.1/token/TOKEN?scope=a&tenant=b", "", ""},
		{"POST", "/0.1/token/TOKEN/scopes/check", `{"scopes":["a",1,null],"tenant_uuid":5}`, ""},
		{"GET", "/0.1/users?search=a%20b&limit=1&order=firstname&direction=desc&has_policy_slug=x", "", ""},
		{"PUT", "/0.1/users/" + alice, `{"username":"x","emails":1,"enabled":"on","purpose":"internal"}`, ""},
		{"PUT", "/0.1/admin/users/" + alice + "/emails", `{"emails":[{"address":"a@b.cd","main":1},[],null]}`, ""},
		{"GET", "/0.1/tokens?created_at=2026-01-01&mobile=o&search=%25_%5C", "", ""},
		{"DELETE", "/api/auth/0.1/users/me/tokens/a%2F..%2Fb", "", ""},
		{"DELETE", "/0.1/users/me/tokens/a%2fb%ff", "", ""},
		{"POST", "/0.1/users/password/reset?user_uuid=" + bob, `{"password":null}`, ""},
		{"PUT", "/0.1/users/" + alice + "/password", `{"old_password":"alice-demo","new_password":NaN}`, ""},
		{"OPTIONS", "/0.1/users", "", ""},
		{"GET", "/api", "", ""},
		{"GET", "/api/auth/", "", ""},
		{"GET", "//", "", ""},
		{"POST", "/0.1/saml/sso", `{"domain":"x"}`, ""},
		{"POST", "/0.1/policies", `{"name":"x","slug":"a b","acl":["auth.#",5,"!x"]}`, ""},
		{"PUT", "/0.1/users/" + alice + "/policies/wazo_default_admin_policy", "", ""},
		{"POST", "/0.1/groups", `{"name":"x"}`, ""},
		{"PUT", "/0.1/idp/saml/users", `{"users":[null,{"uuid":"` + alice + `"}]}`, ""},
		{"GET", "/0.1/emails/" + bob + "/confirm?token=TOKEN", "", ""},
		{"GET", "/0.1/policies?order=slug&read_only=1&search=%FF;&tenant_uuid=", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, method, path, body, authorization string) {
		s, c := newServer(t, Config{})
		admin := c.token("admin")
		u, err := url.Parse("http://stack.example" + strings.ReplaceAll(path, "TOKEN", admin))
		if err != nil || !strings.HasPrefix(path, "/") {
			return
		}
		req, err := http.NewRequest(method, u.String(), strings.NewReader(body))
		if err != nil {
			return
		}
		req.Header.Set("X-Auth-Token", admin)
		if authorization != "" {
			req.Header.Set("Authorization", authorization)
		}
		res, err := Transport(s).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if http.StatusText(res.StatusCode) == "" {
			t.Errorf("status %d", res.StatusCode)
		}
	})
}
