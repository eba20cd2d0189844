package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

// registry is the stack that the suite of users runs against: an authd of its own, or a real one, as an administrator of a tenant:
//
//	WAKEY_TEST_STACK=URL WAKEY_TEST_ADMIN=… WAKEY_TEST_ADMIN_PASSWORD=… [WAKEY_TEST_FINGERPRINT=SHA256:…] go test -run TestUsers ./api
//
// Every user it makes has a name that no other run has, and is deleted at the end, and every session is ended: those of
// a deleted user live on otherwise (contract 9).
type registry struct {
	*api.Client
	admin  *api.Token
	mark   string       // part of every name
	made   []string     // uuids
	tokens []*api.Token // of the users made
}

func newRegistry(t *testing.T) *registry {
	t.Helper()
	stack, trust := realStack(t)
	r := &registry{mark: randomHex()}
	login, password := os.Getenv("WAKEY_TEST_ADMIN"), os.Getenv("WAKEY_TEST_ADMIN_PASSWORD")
	switch {
	case stack != "" && login == "":
		t.Skip("the stack's administrator is not named: WAKEY_TEST_ADMIN")
	case stack == "":
		server, err := authd.New(authd.Config{}, authd.DemoSeed())
		if err != nil {
			t.Fatal(err)
		}
		running, err := authd.Start(context.WithoutCancel(t.Context()), server, "127.0.0.1:0", false)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = running.Close() })
		t.Cleanup(func() { nothingLeft(t, server, append(r.made, r.admin.AuthID)...) })
		stack, trust.Pin, login, password = running.URL, running.Fingerprint, "admin", "admin-demo"
	}
	c, err := api.NewClient(stack, api.Options{Version: "test", Trust: trust})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	r.Client = c
	r.admin, err = c.CreateToken(t.Context(), api.PasswordRequest{Login: login, Password: api.NewSecret(password), Lifetime: 10 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		for _, uuid := range r.made {
			if err := c.DeleteUser(ctx, r.admin.Value, uuid); err != nil && !errors.Is(err, api.ErrNotFound) {
				t.Errorf("the user %s stays: %v", uuid, err)
			}
		}
		for _, token := range append(r.tokens, r.admin) {
			if err := c.RevokeToken(ctx, token.Value); err != nil {
				t.Errorf("a session stays: %v", err)
			}
		}
	})
	return r
}

// name makes a name that no other run has.
func (r *registry) name(kind string) string { return "wakey-suite-" + r.mark + "-" + kind }

func (r *registry) email(kind string) string { return r.name(kind) + "@example.com" }

// create creates a user, which is deleted at the end.
func (r *registry) create(t *testing.T, u api.NewUser) api.User {
	t.Helper()
	made, err := r.CreateUser(t.Context(), r.admin.Value, u, "")
	if err != nil {
		t.Fatalf("creating %+v: %v", u, err)
	}
	r.made = append(r.made, made.UUID)
	return made
}

func (r *registry) read(t *testing.T, uuid string) api.User {
	t.Helper()
	u, err := r.User(t.Context(), r.admin.Value, uuid)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (r *registry) signIn(t *testing.T, login, password, clientID string) (*api.Token, error) {
	t.Helper()
	token, err := r.CreateToken(t.Context(), api.PasswordRequest{Login: login, Password: api.NewSecret(password), ClientID: clientID, Lifetime: 5 * time.Minute})
	return r.keep(token), err
}

// keep remembers a token that has to be revoked.
func (r *registry) keep(token *api.Token) *api.Token {
	if token != nil {
		r.tokens = append(r.tokens, token)
	}
	return token
}

// answerOf is an answer as it came.
type answerOf struct {
	status int
	json   map[string]any
	html   bool
}

// field is the message that the answer's details, or its message, have for a field.
func (a answerOf) field(name string) string {
	at := a.json["details"]
	if object, ok := a.json["message"].(map[string]any); ok {
		at = object
	}
	for step := range strings.SplitSeq(name, ".") {
		object, _ := at.(map[string]any)
		at = object[step]
	}
	if list, ok := at.([]any); ok && len(list) > 0 {
		at = list[0]
	}
	switch v := at.(type) {
	case map[string]any:
		text, _ := v["message"].(string)
		return text
	case string:
		return v
	}
	return ""
}

// raw sends what the typed calls can't.
func (r *registry) raw(t *testing.T, token api.Secret, method, path, body string) answerOf {
	t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	resp, err := r.Do(t.Context(), method, "/auth/0.1"+path, http.Header{"Content-Type": {"application/json"}}, in, token)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answerOf{status: resp.StatusCode, html: bytes.HasPrefix(bytes.TrimSpace(text), []byte("<"))}
	_ = json.Unmarshal(text, &a.json)
	if uuid, _ := a.json["uuid"].(string); method == http.MethodPost && path == "/users" && resp.StatusCode == http.StatusOK {
		r.made = append(r.made, uuid)
	}
	return a
}

// wantsField fails unless err is of kind and blames the field, in words that begin so.
func wantsField(t *testing.T, what string, err, kind error, field, words string) {
	t.Helper()
	e, ok := errors.AsType[*api.Error](err)
	if !ok || !errors.Is(err, kind) || !strings.HasPrefix(e.Fields[field].Message, words) {
		t.Errorf("%s: %v, want %v at %s: %s", what, err, kind, field, words)
	}
}

func TestUsers(t *testing.T) {
	r := newRegistry(t)
	t.Run("Create", func(t *testing.T) { r.testCreate(t) })
	t.Run("CreateRefused", func(t *testing.T) { r.testCreateRefused(t) })
	t.Run("Check", func(t *testing.T) { r.testCheck(t) })
	t.Run("Read", func(t *testing.T) { r.testRead(t) })
	t.Run("List", func(t *testing.T) { r.testList(t) })
	t.Run("Replace", func(t *testing.T) { r.testReplace(t) })
	t.Run("ReplaceRefused", func(t *testing.T) { r.testReplaceRefused(t) })
	t.Run("Disable", func(t *testing.T) { r.testDisable(t) })
	t.Run("Method", func(t *testing.T) { r.testMethod(t) })
	t.Run("Rename", func(t *testing.T) { r.testRename(t) })
	t.Run("Delete", func(t *testing.T) { r.testDelete(t) })
	t.Run("OwnPassword", func(t *testing.T) { r.testOwnPassword(t) })
	t.Run("ResetPassword", func(t *testing.T) { r.testResetPassword(t) })
	t.Run("Emails", func(t *testing.T) { r.testEmails(t) })
	t.Run("GroupsAndPolicies", func(t *testing.T) { r.testGroupsAndPolicies(t) })
	t.Run("OrdinaryUser", func(t *testing.T) { r.testOrdinaryUser(t) })
}

// Every field that a new user can have, and what it is when it is left out.
func (r *registry) testCreate(t *testing.T) {
	off := false
	const id = "c0ffee00-0000-4000-8000-0000"
	full := r.create(t, api.NewUser{
		UUID: id + r.mark, Username: r.name("full"), Password: api.NewSecret("full-pw"), Firstname: "Fü ll", Lastname: strings.Repeat("l", 300),
		Email: r.email("full"), Purpose: "external_api", Enabled: &off, AuthenticationMethod: "saml",
	})
	if full.UUID != id+r.mark || full.Username != r.name("full") || full.Firstname != "Fü ll" || len(full.Lastname) != 300 || full.Purpose != "external_api" ||
		full.Enabled || full.AuthenticationMethod != "saml" || full.TenantUUID != r.admin.Metadata.TenantUUID {
		t.Errorf("%+v", full)
	}
	if len(full.Emails) != 1 || full.Emails[0].Address != r.email("full") || !full.Emails[0].Main || !full.Emails[0].Confirmed || full.Emails[0].UUID == "" {
		t.Errorf("the e-mail is not stored confirmed and main: %+v", full.Emails)
	}
	nameless := r.create(t, api.NewUser{})
	if nameless.UUID == "" || nameless.Username != "" || nameless.Firstname != "" || nameless.Lastname != "" || nameless.Purpose != "user" || !nameless.Enabled ||
		nameless.AuthenticationMethod != "default" || len(nameless.Emails) != 0 {
		t.Errorf("%+v", nameless)
	}
	if robot := r.create(t, api.NewUser{Username: r.name("robot"), Purpose: "internal"}); robot.AuthenticationMethod != "native" {
		t.Errorf("%+v", robot)
	}
	for body, wants := range map[string]func(answerOf) bool{
		`{"username":null,"password":null,"firstname":null,"lastname":null,"email_address":null}`: func(a answerOf) bool { return a.json["username"] == nil },
		`{"username":"` + r.name("ignored") + `","emails":[{"address":"x"}],"shoesize":5}`: func(a answerOf) bool {
			emails, ok := a.json["emails"].([]any)
			return ok && len(emails) == 0
		},
		`{"username":"` + strings.Repeat("é", 256-len(r.name(""))) + r.name("") + `"}`: func(answerOf) bool { return true },
		`{"enabled":"off"}`: func(a answerOf) bool { return a.json["enabled"] == false },
	} {
		if a := r.raw(t, r.admin.Value, http.MethodPost, "/users", body); a.status != http.StatusOK || !wants(a) {
			t.Errorf("%s: %d %v", body, a.status, a.json)
		}
	}
	// By username and by e-mail, however they are capitalised.
	r.create(t, api.NewUser{Username: r.name("login"), Password: api.NewSecret("login-pw"), Email: r.email("login")})
	for _, login := range []string{strings.ToUpper(r.name("login")), r.email("login")} {
		if _, err := r.signIn(t, login, "login-pw", ""); err != nil {
			t.Errorf("%s: %v", login, err)
		}
	}
}

func (r *registry) testCreateRefused(t *testing.T) {
	ctx := t.Context()
	there := r.create(t, api.NewUser{Username: r.name("taken"), Email: r.email("taken")})
	for what, c := range map[string]struct {
		u     api.NewUser
		field string
		words string
	}{
		"its username":           {api.NewUser{Username: strings.ToUpper(r.name("taken"))}, "username", `The login "`},
		"its e-mail":             {api.NewUser{Email: strings.ToUpper(r.email("taken"))}, "email_address", `The login "`},
		"its e-mail as username": {api.NewUser{Username: r.email("taken")}, "username", `The login "`},
	} {
		_, err := r.CreateUser(ctx, r.admin.Value, c.u, "")
		wantsField(t, what, err, api.ErrConflict, c.field, c.words)
	}
	_, err := r.CreateUser(ctx, r.admin.Value, api.NewUser{UUID: there.UUID}, "")
	wants(t, "its uuid", err, api.ErrConflict)
	_, err = r.CreateUser(ctx, r.admin.Value, api.NewUser{}, nobody)
	wants(t, "a foreign tenant", err, api.ErrWrongTenant)
	_, err = r.CreateUser(ctx, r.admin.Value, api.NewUser{Username: r.name("nul") + "\x00"}, "")
	wants(t, "a NUL", err, api.ErrServer)
	r.refusals(t, http.MethodPost, "/users", map[string][2]string{
		`{"uuid":"x"}`:    {"uuid", "Not a valid UUID."},
		`{"uuid":5}`:      {"uuid", "Not a valid"},
		`{"username":""}`: {"username", "Length must be between 1 and 256."},
		`{"username":"` + strings.Repeat("é", 257) + `"}`: {"username", "Length must be between 1 and 256."},
		`{"username":5}`:                         {"username", "Not a valid string."},
		`{"password":""}`:                        {"password", "Shorter than minimum length 1."},
		`{"password":5}`:                         {"password", "Not a valid string."},
		`{"firstname":5}`:                        {"firstname", "Not a valid string."},
		`{"lastname":[]}`:                        {"lastname", "Not a valid string."},
		`{"email_address":"nope"}`:               {"email_address", "Not a valid email address."},
		`{"email_address":""}`:                   {"email_address", "Not a valid email address."},
		`{"purpose":"admin"}`:                    {"purpose", "Must be one of: user, internal, external_api."},
		`{"purpose":null}`:                       {"purpose", "Field may not be null."},
		`{"enabled":null}`:                       {"enabled", "Field may not be null."},
		`{"enabled":"perhaps"}`:                  {"enabled", "Not a valid boolean."},
		`{"authentication_method":null}`:         {"authentication_method", "Field may not be null."},
		`{"username":"","email_address":"nope"}`: {"username", "Length must be"}, // the first error alone
		`[1]`:                                    {"_schema", "Invalid input type."},
	})
	_, err = r.CreateUser(ctx, r.admin.Value, api.NewUser{AuthenticationMethod: "oidc"}, "")
	wantsField(t, "a method that is none", err, api.ErrInvalid, "authentication_method", "Invalid authentication method oidc")
	for _, body := range []string{"", "{", `{"username":"` + "\xff" + `"}`} {
		if a := r.raw(t, r.admin.Value, http.MethodPost, "/users", body); a.status != http.StatusBadRequest {
			t.Errorf("%q: %d", body, a.status)
		}
	}
}

// refusals sends bodies that are refused with 400, each for one field.
func (r *registry) refusals(t *testing.T, method, path string, bodies map[string][2]string) {
	t.Helper()
	for body, want := range bodies {
		a := r.raw(t, r.admin.Value, method, path, body)
		if a.status != http.StatusBadRequest || a.json["error_id"] != "invalid-data" || !strings.HasPrefix(a.field(want[0]), want[1]) {
			t.Errorf("%.80s: %d %v, want %s: %s", body, a.status, a.json, want[0], want[1])
		}
	}
}

// What Check refuses, the stack refuses with the same words, and what Check lets through, the stack takes.
func (r *registry) testCheck(t *testing.T) {
	texts := func(set func(*api.NewUser, string), values ...string) (all []api.NewUser) {
		for _, v := range values {
			u := api.NewUser{}
			set(&u, v)
			all = append(all, u)
		}
		return all
	}
	users := slices.Concat(
		texts(func(u *api.NewUser, s string) { u.Username = s },
			strings.Repeat("漢", 256-len(r.mark))+r.mark, strings.Repeat("漢", 257), "a b "+r.mark, "\x1b[2J"+r.mark, "\u202e"+r.mark, " ", r.mark+"\n"),
		texts(func(u *api.NewUser, s string) { u.Purpose = s }, "user", "internal", "external_api", "User", "admin", " user"),
		texts(func(u *api.NewUser, s string) { u.UUID = s }, "x", "c0ffee00-0000-4000-8000-00000000000", "c0ffee00-0000-1000-8000-00"+r.mark+"00"),
		texts(func(u *api.NewUser, s string) { u.Firstname = s }, strings.Repeat("x", 5000), "\t", "<b>"),
		texts(func(u *api.NewUser, s string) { u.Email = s },
			"a"+r.mark+"@b.cd", "a.b"+r.mark+"@b.cd", "a+b"+r.mark+"@b-c.de", "ü"+r.mark+"@bücher.example", "a"+r.mark+"@localhost", "a"+r.mark+"@[127.0.0.1]",
			"a_b'"+r.mark+"@b.cd", `"a.b`+r.mark+`"@b.cd`, "U"+r.mark+"@B.CD", "x@y@z"+r.mark+".org", "nope", "@b.cd", "a@", "a@b", "a b@c.de", "a@b..cd",
			".a@b.cd", "a.@b.cd", "a..b@c.de", "a@-b.cd", "a@b-.cd", "a@b.c", "a@b c.de", "a@[1.2.3]", "a@b.cd ", " a@b.cd", "a@b.cd\n", "a,b@c.de", "a@b_c.de",
			"a@"+strings.Repeat("x", 64)+".de", `"a"b"@c.de`, "a@b.cd, c@d.ef", "<a@b.cd>", "mailto:a@b.cd"),
	)
	for _, u := range users {
		checked := u.Check()
		made, err := r.CreateUser(t.Context(), r.admin.Value, u, "")
		if err == nil {
			r.made = append(r.made, made.UUID)
		}
		told, refused := errors.AsType[*api.Error](err)
		own, wrong := errors.AsType[*api.Error](checked)
		switch {
		case wrong != refused:
			t.Errorf("%+.80v: Check says %v, the stack %v", u, checked, err)
		case wrong && (len(own.Fields) != 1 || len(told.Fields) != 1):
			t.Errorf("%+.80v: Check blames %v, the stack %v", u, own.Fields, told.Fields)
		case wrong:
			for name, f := range told.Fields {
				if own.Fields[name].Message != f.Message {
					t.Errorf("%+.80v: Check says %v, the stack %v", u, own.Fields, told.Fields)
				}
			}
		}
	}
	for _, u := range []api.NewUser{{Username: "a\x00"}, {Lastname: "\xff"}, {Password: api.NewSecret("\xff")}, {AuthenticationMethod: "\x00"}} {
		if !errors.Is(u.Check(), api.ErrInvalid) {
			t.Errorf("%+v passes, which no stack takes", u)
		}
	}
}

func (r *registry) testRead(t *testing.T) {
	made := r.create(t, api.NewUser{Username: r.name("read")})
	if u := r.read(t, strings.ToUpper(made.UUID)); u.UUID != made.UUID || u.Username != r.name("read") {
		t.Errorf("%+v", u)
	}
	if a := r.raw(t, r.admin.Value, http.MethodHead, "/users/"+made.UUID, ""); a.status != http.StatusOK {
		t.Errorf("HEAD: %d", a.status)
	}
	_, err := r.User(t.Context(), r.admin.Value, nobody)
	wants(t, "an unknown user", err, api.ErrNotFound)
	for _, path := range []string{"/users/me", "/users/nobody", "/users/"} {
		if a := r.raw(t, r.admin.Value, http.MethodGet, path, ""); a.status != http.StatusNotFound || !a.html {
			t.Errorf("%s: %d %v", path, a.status, a.json)
		}
	}
	if _, err := r.User(t.Context(), r.admin.Value, "me"); !errors.Is(err, api.ErrInvalid) {
		t.Error(err)
	}
}

func (r *registry) testList(t *testing.T) {
	ctx := t.Context()
	a := r.create(t, api.NewUser{Username: r.name("list-a"), Firstname: "Zoe" + r.mark, Lastname: "Miller" + r.mark, Email: r.email("list-a"), Purpose: "internal"})
	b := r.create(t, api.NewUser{Username: r.name("list-b"), Firstname: "Abe" + r.mark, Lastname: "Zander" + r.mark})
	list := func(o api.ListOptions) (uuids []string, p api.Page[api.User]) {
		t.Helper()
		p, err := r.Users(ctx, r.admin.Value, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range p.Items {
			uuids = append(uuids, u.UUID)
		}
		return uuids, p
	}
	search := r.name("list")
	for what, c := range map[string]struct {
		o    api.ListOptions
		want []string
	}{
		"by username, the usual order": {api.ListOptions{Search: search}, []string{a.UUID, b.UUID}},
		"backwards":                    {api.ListOptions{Search: search, Order: "username", Desc: true}, []string{b.UUID, a.UUID}},
		"by first name":                {api.ListOptions{Search: search, Order: "firstname"}, []string{b.UUID, a.UUID}},
		"by last name":                 {api.ListOptions{Search: search, Order: "lastname"}, []string{a.UUID, b.UUID}},
		"the second page":              {api.ListOptions{Search: search, Limit: 1, Offset: 1}, []string{b.UUID}},
		"a first name":                 {api.ListOptions{Search: strings.ToUpper("zoe" + r.mark)}, []string{a.UUID}},
		"a last name":                  {api.ListOptions{Search: "zander" + r.mark}, []string{b.UUID}},
		"an e-mail":                    {api.ListOptions{Search: r.email("list-a")}, []string{a.UUID}},
		"exactly":                      {api.ListOptions{Filter: map[string]string{"username": r.name("list-b")}}, []string{b.UUID}},
		"exactly, capitalised":         {api.ListOptions{Filter: map[string]string{"username": strings.ToUpper(r.name("list-b"))}}, nil},
		"by uuid":                      {api.ListOptions{Filter: map[string]string{"uuid": a.UUID}}, []string{a.UUID}},
		"by e-mail":                    {api.ListOptions{Filter: map[string]string{"email_address": r.email("list-a")}}, []string{a.UUID}},
		"by purpose":                   {api.ListOptions{Search: search, Filter: map[string]string{"purpose": "internal"}}, []string{a.UUID}},
		"enabled is no filter":         {api.ListOptions{Search: search, Filter: map[string]string{"enabled": "false", "login": "x"}}, []string{a.UUID, b.UUID}},
	} {
		if got, _ := list(c.o); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
	if _, p := list(api.ListOptions{Search: search, Limit: 1}); p.Filtered != 2 || p.Total < 3 {
		t.Errorf("total ignores the search, filtered does not: %d, %d", p.Total, p.Filtered)
	}
	_, err := r.Users(ctx, r.admin.Value, api.ListOptions{Order: "purpose"})
	wantsField(t, "an order that is none", err, api.ErrInvalid, "order", "Must be one of: username, firstname, lastname.")
	_, err = r.Users(ctx, r.admin.Value, api.ListOptions{Tenant: nobody})
	wants(t, "a foreign tenant", err, api.ErrWrongTenant)
}

// PUT forgets what is left out (contract 10); what this client writes forgets nothing.
func (r *registry) testReplace(t *testing.T) {
	ctx := t.Context()
	off := false
	u := r.create(t, api.NewUser{Username: r.name("put"), Firstname: "Pu", Lastname: "Tt", Email: r.email("put"), Purpose: "external_api", Enabled: &off, AuthenticationMethod: "ldap"})
	wanted := u
	wanted.Lastname = ""
	now, err := r.WriteUser(ctx, r.admin.Value, u, wanted)
	if err != nil || now.Lastname != "" || now.Firstname != "Pu" || now.Enabled || now.Purpose != "external_api" || now.AuthenticationMethod != "ldap" || len(now.Emails) != 1 {
		t.Errorf("%+v, %v", now, err)
	}
	every := now
	every.Username, every.Firstname, every.Lastname, every.Purpose, every.Enabled, every.AuthenticationMethod = r.name("put2"), "A", "B", "user", true, "native"
	if now, err = r.WriteUser(ctx, r.admin.Value, now, every); err != nil || now.Username != r.name("put2") || !now.Enabled || now.AuthenticationMethod != "native" {
		t.Errorf("%+v, %v", now, err)
	}
	_, err = r.WriteUser(ctx, r.admin.Value, u, wanted)
	wants(t, "from an old reading", err, api.ErrChanged)
	page, err := r.Users(ctx, r.admin.Value, api.ListOptions{Filter: map[string]string{"uuid": u.UUID}})
	if err != nil || len(page.Items) != 1 {
		t.Fatal(err)
	}
	_, err = r.WriteUser(ctx, r.admin.Value, page.Items[0], wanted)
	wants(t, "from a list", err, api.ErrInvalid)

	if _, err := r.UpdateUser(ctx, r.admin.Value, u.UUID, func(u *api.User) error { u.Enabled = false; return nil }); err != nil {
		t.Fatal(err)
	}
	if a := r.raw(t, r.admin.Value, http.MethodPut, "/users/"+u.UUID, `{}`); a.status != http.StatusOK {
		t.Errorf("%d %v", a.status, a.json)
	}
	if bare := r.read(t, u.UUID); bare.Username != "" || bare.Firstname != "" || !bare.Enabled || bare.Purpose != "user" || bare.AuthenticationMethod != "default" || len(bare.Emails) != 1 {
		t.Errorf("PUT {} leaves %+v", bare)
	}
}

func (r *registry) testReplaceRefused(t *testing.T) {
	ctx := t.Context()
	r.create(t, api.NewUser{Username: r.name("puttaken"), Email: r.email("puttaken")})
	u := r.create(t, api.NewUser{Username: r.name("putrefused")})
	for _, taken := range []string{strings.ToUpper(r.name("puttaken")), r.email("puttaken")} {
		wanted := u
		wanted.Username = taken
		_, err := r.WriteUser(ctx, r.admin.Value, u, wanted)
		wantsField(t, taken, err, api.ErrConflict, "username", `The login "`)
	}
	r.refusals(t, http.MethodPut, "/users/"+u.UUID, map[string][2]string{
		`{"username":""}`:                {"username", "Length must be between 1 and 256."},
		`{"firstname":5}`:                {"firstname", "Not a valid string."},
		`{"lastname":5}`:                 {"lastname", "Not a valid string."},
		`{"purpose":"x"}`:                {"purpose", "Must be one of: user, internal, external_api."},
		`{"enabled":null}`:               {"enabled", "Field may not be null."},
		`{"authentication_method":null}`: {"authentication_method", "Field may not be null."},
		`[1]`:                            {"_schema", "Invalid input type."},
	})
	wanted := u
	wanted.AuthenticationMethod = "oidc"
	_, err := r.WriteUser(ctx, r.admin.Value, u, wanted)
	wantsField(t, "a method that is none", err, api.ErrInvalid, "authentication_method", "Invalid authentication method oidc")
	if a := r.raw(t, r.admin.Value, http.MethodPut, "/users/"+nobody, `{}`); a.status != http.StatusNotFound || a.json["error_id"] != "unknown-user" {
		t.Errorf("an unknown user: %d %v", a.status, a.json)
	}
	if a := r.raw(t, r.admin.Value, http.MethodPatch, "/users/"+u.UUID, `{}`); a.status != http.StatusMethodNotAllowed {
		t.Errorf("PATCH: %d", a.status)
	}
	if now := r.read(t, u.UUID); now.Username != u.Username {
		t.Errorf("%+v", now)
	}
}
