package session

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

const (
	rootTenant = "22222222-1111-4111-8111-111111111111"
	subTenant  = "22222222-2222-4222-8222-222222222222"
	peteUUID   = "bbbbbbbb-0000-4000-8000-000000000001"
	subUUID    = "bbbbbbbb-0000-4000-8000-000000000002"
)

// office is a stack with a tenant, one below, an administrator who is signed in, and a log in dir.
type office struct {
	*authd.Server
	*Manager

	id  ID
	dir string
}

func newOffice(t *testing.T) *office {
	t.Helper()
	return newOfficeBehind(t, func(rt http.RoundTripper) http.RoundTripper { return rt })
}

// newOfficeBehind puts something between the manager and the stack.
func newOfficeBehind(t *testing.T, wrap func(http.RoundTripper) http.RoundTripper) *office {
	t.Helper()
	s, err := authd.New(authd.Config{}, authd.Seed{
		Tenants: []authd.SeedTenant{{UUID: rootTenant, Name: "Root", Slug: "root"}, {UUID: subTenant, Name: "Sub", Slug: "sub", Parent: "root"}},
		Users: []authd.SeedUser{
			{Username: "boss", Password: "boss-pass", Tenant: "root", Admin: true},
			{Username: "clerk", Password: "clerk-pass", Tenant: "root"},
			{
				UUID: peteUUID, Username: "pete", Password: "pete-pass", Firstname: "Pete", Lastname: "Miller", Tenant: "root", Groups: []string{"sales"},
				Emails: []authd.SeedEmail{{Address: "pete@root.example", Main: true, Confirmed: true}},
			},
			{UUID: subUUID, Username: "sue", Password: "sue-pass", Tenant: "sub"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{Server: s, dir: t.TempDir()}
	o.Manager = New(NewMemoryStore(), Options{Version: "test", Transport: wrap(authd.Transport(s)), Dir: o.dir})
	o.id = o.login(t, "boss")
	return o
}

func (o *office) login(t *testing.T, user string) ID { return signIn(t, o.Manager, user, time.Hour).ID }

// device signs in as somebody, with nothing of the manager.
func (o *office) device(t *testing.T, user, password, clientID string) *api.Token {
	t.Helper()
	c, err := api.NewClient("pbx.example.com", api.Options{Transport: authd.Transport(o.Server)})
	if err != nil {
		t.Fatal(err)
	}
	token, err := c.CreateToken(t.Context(), api.PasswordRequest{Login: user, Password: api.NewSecret(password), ClientID: clientID})
	if err != nil {
		t.Fatalf("signing in as %s: %v", user, err)
	}
	return token
}

func (o *office) alive(t *testing.T, token *api.Token) bool {
	t.Helper()
	c, err := o.Client(o.id)
	if err != nil {
		t.Fatal(err)
	}
	return c.CheckToken(t.Context(), token.Value, "", "") == nil
}

// log is all that the audit log has.
func (o *office) log(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(o.dir, "audit.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (o *office) wantLog(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(o.log(t), text) {
			t.Errorf("the log does not tell %q:\n%s", text, o.log(t))
		}
	}
}

func read(t *testing.T, o *office, uuid string) api.User {
	t.Helper()
	u, err := o.ReadUser(t.Context(), o.id, uuid)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestUserIsCreatedChangedAndLogged(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	secret := NewPassword()
	u, err := o.CreateUser(ctx, o.id, api.NewUser{Username: "eve", Firstname: "Eve", Email: "eve@root.example", Password: secret}, "")
	if err != nil || u.TenantUUID != rootTenant || !u.Enabled {
		t.Fatalf("%+v, %v", u, err)
	}
	o.device(t, "eve", secret.Reveal(), "")
	wanted := u
	wanted.Lastname, wanted.Enabled = "Adams", false
	now, err := o.ChangeUser(ctx, o.id, u, wanted)
	if err != nil || now.Enabled || now.Lastname != "Adams" || now.Firstname != "Eve" {
		t.Fatalf("%+v, %v", now, err)
	}
	o.wantLog(t, "created eve", "changed lastname, enabled of eve", `"lastname":" → Adams"`, `"enabled":"yes → no"`, u.UUID)

	// Somebody else changes her meanwhile: nothing is written.
	other := now
	other.Firstname = "Eva"
	if _, err := o.ChangeUser(ctx, o.id, now, other); err != nil {
		t.Fatal(err)
	}
	late := now
	late.Lastname = "Late"
	if there, err := o.ChangeUser(ctx, o.id, now, late); !errors.Is(err, api.ErrChanged) || there.Firstname != "Eva" || !strings.Contains(err.Error(), "firstname") {
		t.Errorf("%+v, %v", there, err)
	}
	if there := read(t, o, u.UUID); there.Lastname != "Adams" {
		t.Errorf("%+v", there)
	}

	emails := []api.Email{{Address: "e@root.example", Main: true, Confirmed: true}, {Address: "eve@root.example"}}
	if _, err := o.SetUserEmails(ctx, o.id, u, emails); err != nil {
		t.Fatal(err)
	}
	if _, err := o.SetUserEmails(ctx, o.id, u, nil); !errors.Is(err, api.ErrChanged) {
		t.Errorf("the list is another meanwhile: %v", err)
	}
	o.wantLog(t, "changed the e-mails of eve", "e@root.example (main, confirmed), eve@root.example")
	if strings.Contains(o.log(t), secret.Reveal()) {
		t.Error("the log holds the password")
	}
}

// What is refused here is refused before anything is sent, all of it at once, and in the server's words.
func TestUserIsCheckedBeforeItIsSent(t *testing.T) {
	o := newOffice(t)
	o.ResetRequests()
	_, err := o.CreateUser(t.Context(), o.id, api.NewUser{Username: strings.Repeat("x", 257), Email: "nope", Purpose: "admin"}, "")
	e, ok := errors.AsType[*api.Error](err)
	if !ok || e.Fields["username"].Message != "Length must be between 1 and 256." || e.Fields["email_address"].Message != "Not a valid email address." ||
		e.Fields["purpose"].Message != "Must be one of: user, internal, external_api." {
		t.Errorf("%+v", err)
	}
	_, err = o.ChangeUser(t.Context(), o.id, api.User{UUID: peteUUID}, api.User{UUID: peteUUID, Username: "a\x00"})
	if !errors.Is(err, api.ErrInvalid) {
		t.Error(err)
	}
	_, err = o.SetUserEmails(t.Context(), o.id, api.User{UUID: peteUUID}, []api.Email{{Address: "a@root.example"}, {Address: "A@root.example"}})
	if e, ok := errors.AsType[*api.Error](err); !ok || len(e.Fields) != 2 || e.Fields["emails.1.address"].Message == "" {
		t.Errorf("%+v", err)
	}
	if n := len(o.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// An answer that never comes, and a 500, are no rollback (contract 5): the stack is asked whether it happened.
func TestUserIsLookedForAfterADoubtfulAnswer(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	o.Faults().Add(authd.Fault{Method: "POST", Path: "/users", Status: 502, HTML: true, After: true, Times: 1})
	u, err := o.CreateUser(ctx, o.id, api.NewUser{Username: "eve"}, "")
	if err != nil || u.Username != "eve" {
		t.Fatalf("%+v, %v", u, err)
	}
	o.Faults().Add(authd.Fault{Method: "POST", Path: "/users", Status: 502, HTML: true, Times: 1})
	if _, err := o.CreateUser(ctx, o.id, api.NewUser{Username: "adam"}, ""); !errors.Is(err, api.ErrServer) || strings.Contains(err.Error(), "not known") {
		t.Errorf("it did not happen: %v", err)
	}
	if _, err := o.FindUser(ctx, o.id, "adam", ""); !errors.Is(err, ErrNoUser) {
		t.Error(err)
	}
	wanted := u
	wanted.Firstname = "Eve"
	o.Faults().Add(authd.Fault{Method: "PUT", Path: "/users/{user_uuid}", Status: 500, After: true, Times: 1})
	if now, err := o.ChangeUser(ctx, o.id, u, wanted); err != nil || now.Firstname != "Eve" {
		t.Errorf("%+v, %v", now, err)
	}
	o.Faults().Add(authd.Fault{Method: "DELETE", Path: "/users/{user_uuid}", Status: 500, After: true, Times: 1})
	if _, err := o.DeleteUser(ctx, o.id, u, true); err != nil {
		t.Error(err)
	}
}

func TestUserIsFound(t *testing.T) {
	o := newOffice(t)
	for name, want := range map[string]string{
		"pete": peteUUID, "PETE": peteUUID, "pete@root.example": peteUUID, "Pete@Root.Example": peteUUID, peteUUID: peteUUID,
		strings.ToUpper(peteUUID): peteUUID, "sue": subUUID,
	} {
		if u, err := o.FindUser(t.Context(), o.id, name, ""); err != nil || u.UUID != want {
			t.Errorf("%s: %+v, %v", name, u, err)
		}
	}
	for _, name := range []string{"", "pet", "Pete Miller", "p_te", "%", "a\x00", "\x1b[2J", aliceUUID} {
		if u, err := o.FindUser(t.Context(), o.id, name, ""); !errors.Is(err, ErrNoUser) || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q: %+v, %v", name, u, err)
		}
	}
	if _, err := o.FindUser(t.Context(), o.id, "pete", subTenant); !errors.Is(err, ErrNoUser) {
		t.Errorf("found outside of the tenant: %v", err)
	}
	for name, want := range map[string]string{"sub": subTenant, "Sub": subTenant, subTenant: subTenant, "": ""} {
		if got, err := o.FindTenant(t.Context(), o.id, name); err != nil || got != want {
			t.Errorf("tenant %q: %q, %v", name, got, err)
		}
	}
	if _, err := o.FindTenant(t.Context(), o.id, "nowhere"); err == nil {
		t.Error("found a tenant that is not there")
	}
}

// A password change leaves refresh tokens alive (contract 9), until they are ended too.
func TestPasswordAndWhatItLeaves(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	phone := o.device(t, "pete", "pete-pass", "phone")
	pete := read(t, o, peteUUID)
	fresh := NewPassword()
	if err := o.SetUserPassword(ctx, o.id, pete, api.Secret{}, fresh); err != nil {
		t.Fatal(err)
	}
	if o.alive(t, phone) || len(o.RefreshTokens(peteUUID)) != 1 {
		t.Error("the session lives, or the refresh token does not")
	}
	o.device(t, "pete", fresh.Reveal(), "laptop")
	e, err := o.EndAccess(ctx, o.id, pete, Ending{Tokens: true, Sessions: true})
	if err != nil || len(e.Tokens) != 2 || len(e.Sessions) != 1 || len(e.Left) != 0 {
		t.Errorf("%+v, %v", e, err)
	}
	if len(o.RefreshTokens(peteUUID)) != 0 || o.Sessions(peteUUID) != 0 {
		t.Errorf("left: %v, %d sessions", o.RefreshTokens(peteUUID), o.Sessions(peteUUID))
	}
	if err := o.SetUserPassword(ctx, o.id, pete, api.Secret{}, api.Secret{}); err != nil {
		t.Error(err)
	}
	o.wantLog(t, "set the password of pete", "revoked 2 refresh tokens and 1 session of pete", "took the password of pete")
	if strings.Contains(o.log(t), fresh.Reveal()) {
		t.Error("the log holds the password")
	}
}

func TestOwnPasswordKeepsTheAccount(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	clerk := o.login(t, "clerk")
	a := account(t, o.Manager, clerk)
	phone := o.device(t, "clerk", "clerk-pass", "phone")
	me := api.User{UUID: a.UserUUID, Username: "clerk"}
	if err := o.SetUserPassword(ctx, clerk, me, api.NewSecret("wrong"), api.NewSecret("new-pass")); !errors.Is(err, api.ErrBadCredentials) {
		t.Error(err)
	}
	err := o.SetUserPassword(ctx, clerk, me, api.Secret{}, api.NewSecret("new-pass"))
	if e, ok := errors.AsType[*api.Error](err); !ok || e.Permission != "auth.users.password.reset."+a.UserUUID+".create" {
		t.Errorf("which permission is missing is not told: %v", err)
	}
	if err := o.SetUserPassword(ctx, clerk, me, api.NewSecret("clerk-pass"), api.NewSecret("new-pass")); err != nil {
		t.Fatal(err)
	}
	if o.alive(t, phone) {
		t.Error("the other session lives")
	}
	if now := account(t, o.Manager, clerk); now.State != Active || now.SessionUUID == a.SessionUUID {
		t.Errorf("the account has no new access token: %+v", now)
	}
	e, err := o.EndAccess(ctx, clerk, me, Ending{Tokens: true, Sessions: true})
	if err != nil || len(e.Tokens) != 1 || e.Kept != 2 {
		t.Errorf("%+v, %v", e, err)
	}
	if now := o.RefreshTokens(a.UserUUID); len(now) != 1 || now[0] != a.ClientID {
		t.Errorf("left: %v", now)
	}
}

// A deletion leaves access tokens alive (contract 9), unless they are ended first.
func TestDeletionAndWhatItLeaves(t *testing.T) {
	for _, end := range []bool{true, false} {
		o := newOffice(t)
		phone := o.device(t, "pete", "pete-pass", "phone")
		d, err := o.DeleteUser(t.Context(), o.id, read(t, o, peteUUID), end)
		if err != nil || d.NotSeen != "" {
			t.Fatalf("%+v, %v", d, err)
		}
		if o.alive(t, phone) == end || (len(d.Alive) == 0) != end || len(d.Sessions) == 1 != end {
			t.Errorf("ended first: %v, alive %v, %+v", end, o.alive(t, phone), d)
		}
		o.wantLog(t, "deleted pete")
	}
	o := newOffice(t)
	if _, err := o.DeleteUser(t.Context(), o.id, read(t, o, account(t, o.Manager, o.id).UserUUID), true); !errors.Is(err, ErrOwnUser) {
		t.Error(err)
	}
	clerk := o.login(t, "clerk")
	_, err := o.DeleteUser(t.Context(), clerk, read(t, o, peteUUID), false)
	if e, ok := errors.AsType[*api.Error](err); !ok || e.Permission != "auth.users."+peteUUID+".delete" {
		t.Error(err)
	}
}

// A session that is opened while the user is being deleted is ended, too.
func TestDeletionEndsWhatCameMeanwhile(t *testing.T) {
	var o *office
	var late *api.Token
	o = newOfficeBehind(t, func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodDelete && strings.HasSuffix(r.URL.Path, "/users/"+peteUUID) {
				late = o.device(t, "pete", "pete-pass", "")
			}
			return next.RoundTrip(r)
		})
	})
	d, err := o.DeleteUser(t.Context(), o.id, read(t, o, peteUUID), true)
	if err != nil || len(d.Sessions) != 1 || len(d.Alive) != 0 || o.alive(t, late) {
		t.Errorf("%+v, %v, the late one lives: %v", d, err, o.alive(t, late))
	}
}

func TestDetailsTellWhatIsMissing(t *testing.T) {
	o := newOffice(t)
	o.device(t, "pete", "pete-pass", "phone")
	d, err := o.UserDetails(t.Context(), o.id, peteUUID)
	if err != nil || d.User.Username != "pete" || len(d.Tokens) != 1 || len(d.Sessions) != 1 || len(d.Groups) != 2 || len(d.Missing) != 0 {
		t.Errorf("%+v, %v", d, err)
	}
	clerk := o.login(t, "clerk")
	d, err = o.UserDetails(t.Context(), clerk, peteUUID)
	if err != nil || len(d.Missing) != 5 || d.Missing["user"] != "auth.users."+peteUUID+".read" || d.Missing["tokens"] != "auth.users."+peteUUID+".tokens.read" {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := o.UserDetails(t.Context(), o.id, aliceUUID); !errors.Is(err, api.ErrNotFound) {
		t.Error(err)
	}
}

// A user's name may do things to a terminal: the log and the events tell it made harmless.
func TestHostileNamesAreTamedInTheLog(t *testing.T) {
	o := newOffice(t)
	if _, err := o.CreateUser(t.Context(), o.id, api.NewUser{Username: "\x1b]0;owned\x07\u202eeve"}, ""); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(o.log(t), "\x1b\u202e") {
		t.Errorf("%q", o.log(t))
	}
	for _, e := range o.Events() {
		if strings.ContainsAny(e.Text, "\x1b\u202e") {
			t.Errorf("%q", e.Text)
		}
	}
}

func TestNewPasswordsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		p := NewPassword().Reveal()
		if len(p) != 23 || seen[p] {
			t.Errorf("%q", p)
		}
		seen[p] = true
	}
}
