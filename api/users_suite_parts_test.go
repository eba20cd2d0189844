package api_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"wakey/api"
)

// person is a user with a password who is signed in on a device.
func (r *registry) person(t *testing.T, kind string) (api.User, *api.Token) {
	t.Helper()
	u := r.create(t, api.NewUser{Username: r.name(kind), Password: api.NewSecret(kind + "-pw"), Email: r.email(kind)})
	token, err := r.signIn(t, u.Username, kind+"-pw", "wakey-suite-phone")
	if err != nil {
		t.Fatal(err)
	}
	return u, token
}

func (r *registry) refresh(t *testing.T, from *api.Token) (*api.Token, error) {
	t.Helper()
	token, err := r.Refresh(t.Context(), api.RefreshRequest{RefreshToken: from.RefreshToken, ClientID: "wakey-suite-phone"})
	return r.keep(token), err
}

// clientIDs are those of the refresh tokens that the stack lists of a user.
func (r *registry) clientIDs(t *testing.T, uuid string) (ids []string) {
	t.Helper()
	page, err := r.UserRefreshTokens(t.Context(), r.admin.Value, uuid, api.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, rt := range page.Items {
		ids = append(ids, rt.ClientID)
	}
	return ids
}

func (r *registry) edit(t *testing.T, u api.User, edit func(*api.User)) api.User {
	t.Helper()
	now, err := r.UpdateUser(t.Context(), r.admin.Value, u.UUID, func(u *api.User) error { edit(u); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return now
}

// Disabling ends sessions (since 26.04) and leaves refresh tokens, which are refused until the user is enabled again.
func (r *registry) testDisable(t *testing.T) {
	u, token := r.person(t, "disable")
	r.edit(t, u, func(u *api.User) { u.Enabled = false })
	wants(t, "its access token", r.CheckToken(t.Context(), token.Value, "", ""), api.ErrTokenDead)
	_, err := r.refresh(t, token)
	wants(t, "its refresh token", err, api.ErrRefreshRefused)
	_, err = r.signIn(t, u.Username, "disable-pw", "")
	wants(t, "its password", err, api.ErrBadCredentials)
	if ids := r.clientIDs(t, u.UUID); len(ids) != 1 {
		t.Errorf("listed: %q", ids)
	}
	r.edit(t, u, func(u *api.User) { u.Enabled = true })
	if _, err := r.refresh(t, token); err != nil {
		t.Errorf("enabled again: %v", err)
	}
}

// Who is bound to SAML has no password any more; what was signed in stays (contract 9).
func (r *registry) testMethod(t *testing.T) {
	u, token := r.person(t, "method")
	r.edit(t, u, func(u *api.User) { u.AuthenticationMethod = "saml" })
	if err := r.CheckToken(t.Context(), token.Value, "", ""); err != nil {
		t.Error(err)
	}
	fresh, err := r.refresh(t, token)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.signIn(t, u.Username, "method-pw", "")
	wants(t, "its password", err, api.ErrBadCredentials)
	err = r.SetOwnPassword(t.Context(), fresh.Value, u.UUID, api.NewSecret("method-pw"), api.NewSecret("x"))
	wants(t, "a password kept elsewhere", err, api.ErrUnsupported)
}

// A refresh token remembers the login: it is dead after a renaming, stays listed, and works for whoever takes the name.
func (r *registry) testRename(t *testing.T) {
	u, token := r.person(t, "rename")
	r.edit(t, u, func(u *api.User) { u.Username = r.name("renamed") })
	_, err := r.refresh(t, token)
	wants(t, "its refresh token", err, api.ErrRefreshRefused)
	if err := r.CheckToken(t.Context(), token.Value, "", ""); err != nil {
		t.Errorf("its access token: %v", err)
	}
	if ids := r.clientIDs(t, u.UUID); len(ids) != 1 {
		t.Errorf("listed: %q", ids)
	}
	heir := r.create(t, api.NewUser{Username: r.name("rename")})
	if got, err := r.refresh(t, token); err != nil || got.AuthID != heir.UUID {
		t.Errorf("%+v, %v", got, err)
	}
	if err := r.RevokeUserRefreshToken(t.Context(), r.admin.Value, u.UUID, "wakey-suite-phone"); err != nil {
		t.Error(err)
	}
	_, err = r.refresh(t, token)
	wants(t, "after it was revoked", err, api.ErrRefreshRefused)
}

// A deletion takes the refresh tokens and leaves the access tokens (contract 9).
func (r *registry) testDelete(t *testing.T) {
	ctx := t.Context()
	u, token := r.person(t, "delete")
	if err := r.DeleteUser(ctx, r.admin.Value, u.UUID); err != nil {
		t.Fatal(err)
	}
	wants(t, "again", r.DeleteUser(ctx, r.admin.Value, u.UUID), api.ErrNotFound)
	_, err := r.refresh(t, token)
	wants(t, "its refresh token", err, api.ErrRefreshRefused)
	if err := r.CheckToken(ctx, token.Value, "", ""); err != nil {
		t.Errorf("its access token: %v", err)
	}
	sessions, err := r.AllSessions(ctx, r.admin.Value, api.ListOptions{})
	if err != nil || !slices.ContainsFunc(sessions.Items, func(s api.Session) bool { return s.UUID == token.SessionUUID }) {
		t.Errorf("its session is not listed any more: %v", err)
	}
	if err := r.RevokeSession(ctx, r.admin.Value, token.SessionUUID); err != nil {
		t.Error(err)
	}
	wants(t, "its access token, then", r.CheckToken(ctx, token.Value, "", ""), api.ErrTokenDead)
	r.create(t, api.NewUser{Username: u.Username}) // the name is free
}

func (r *registry) testOwnPassword(t *testing.T) {
	ctx := t.Context()
	u, token := r.person(t, "own")
	set := func(old, fresh string) error {
		return r.SetOwnPassword(ctx, token.Value, u.UUID, api.NewSecret(old), api.NewSecret(fresh))
	}
	wants(t, "a wrong old one", set("wrong", "x"), api.ErrBadCredentials)
	wants(t, "an empty old one", set("", "x"), api.ErrInvalid)
	wants(t, "an empty new one", set("own-pw", ""), api.ErrInvalid)
	for body, want := range map[string][2]string{
		`{"new_password":"x"}`:                        {"old_password", "Missing data for required field."},
		`{"old_password":"own-pw"}`:                   {"new_password", "Missing data for required field."},
		`{"old_password":"own-pw","new_password":""}`: {"new_password", "Shorter than minimum length 1."},
		`{"old_password":"","new_password":"x"}`:      {"old_password", "Shorter than minimum length 1."},
		`{"old_password":null,"new_password":"x"}`:    {"old_password", "Field may not be null."},
		`{"old_password":"own-pw","new_password":5}`:  {"new_password", "Not a valid string."},
	} {
		if a := r.raw(t, token.Value, http.MethodPut, "/users/"+u.UUID+"/password", body); a.status != http.StatusBadRequest || a.field(want[0]) != want[1] {
			t.Errorf("%s: %d %v", body, a.status, a.json)
		}
	}
	if err := set("own-pw", "own-pw-2"); err != nil {
		t.Fatal(err)
	}
	wants(t, "the access token after it", r.CheckToken(ctx, token.Value, "", ""), api.ErrTokenDead)
	if _, err := r.refresh(t, token); err != nil {
		t.Errorf("the refresh token after it: %v", err)
	}
	_, err := r.signIn(t, u.Username, "own-pw", "")
	wants(t, "the old one", err, api.ErrBadCredentials)
	if _, err := r.signIn(t, u.Username, "own-pw-2", ""); err != nil {
		t.Error(err)
	}
}

func (r *registry) testResetPassword(t *testing.T) {
	ctx := t.Context()
	u, token := r.person(t, "reset")
	if err := r.ResetPassword(ctx, r.admin.Value, u.UUID, api.NewSecret("reset-pw-2")); err != nil {
		t.Fatal(err)
	}
	wants(t, "the access token after it", r.CheckToken(ctx, token.Value, "", ""), api.ErrTokenDead)
	if _, err := r.refresh(t, token); err != nil {
		t.Errorf("the refresh token after it: %v", err)
	}
	own, err := r.signIn(t, u.Username, "reset-pw-2", "")
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "without the permission", r.ResetPassword(ctx, own.Value, u.UUID, api.NewSecret("x")), api.ErrUnauthorized)
	wants(t, "an unknown token", r.ResetPassword(ctx, api.NewSecret(nobody), u.UUID, api.NewSecret("x")), api.ErrUnauthorized)
	wants(t, "of nobody", r.ResetPassword(ctx, r.admin.Value, nobody, api.NewSecret("x")), api.ErrNotFound)
	wants(t, "an empty one", r.ResetPassword(ctx, r.admin.Value, u.UUID, api.Secret{}), api.ErrInvalid)
	for _, body := range []string{`{}`, `{"password":""}`, `{"password":5}`, `[1]`} {
		if a := r.raw(t, r.admin.Value, http.MethodPost, "/users/password/reset?user_uuid="+u.UUID, body); a.status != http.StatusBadRequest {
			t.Errorf("%s: %d %v", body, a.status, a.json)
		}
	}
	if err := r.RemovePassword(ctx, r.admin.Value, u.UUID); err != nil {
		t.Error(err)
	}
	_, err = r.signIn(t, u.Username, "reset-pw-2", "")
	wants(t, "without a password", err, api.ErrBadCredentials)

	// Asking for a mailed link tells nobody whether the user exists.
	for query, want := range map[string]int{
		"username=" + r.name("nobody"): 204, "login=" + r.name("nobody"): 204, "email=" + r.email("nobody"): 204,
		"": 400, "email=nope": 400, "username=a&login=b": 400, "username=": 400, "username=" + strings.Repeat("x", 257): 400,
	} {
		if a := r.raw(t, api.Secret{}, http.MethodGet, "/users/password/reset?"+query, ""); a.status != want {
			t.Errorf("%.40s: %d, want %d: %v", query, a.status, want, a.json)
		}
	}
}

func (r *registry) testEmails(t *testing.T) {
	ctx := t.Context()
	u, token := r.person(t, "emails")
	r.create(t, api.NewUser{Email: r.email("mailtaken")})
	one, two := r.email("one"), r.email("two")
	set, err := r.SetAdminEmails(ctx, r.admin.Value, u.UUID, []api.Email{{Address: one, Main: true, Confirmed: true}, {Address: two}})
	if err != nil || len(set) != 2 || set[0].Address != one || !set[0].Main || set[1].Confirmed || set[1].UUID == "" {
		t.Errorf("%+v, %v", set, err)
	}
	if now := r.read(t, u.UUID); len(now.Emails) != 2 {
		t.Errorf("%+v", now.Emails)
	}
	for what, emails := range map[string][]api.Email{
		"two main":       {{Address: one, Main: true}, {Address: two, Main: true}},
		"no main":        {{Address: one}},
		"the same twice": {{Address: one, Main: true}, {Address: one}},
		"a bad one":      {{Address: one, Main: true}, {Address: "nope"}},
		"an empty one":   {{Address: one, Main: true}, {Address: ""}},
	} {
		_, err := r.SetAdminEmails(ctx, r.admin.Value, u.UUID, emails)
		wants(t, what, err, api.ErrInvalid)
		if checked := api.CheckEmails(emails); !errors.Is(checked, api.ErrInvalid) {
			t.Errorf("%s: CheckEmails lets it through", what)
		}
		if e, ok := errors.AsType[*api.Error](err); ok && strings.HasPrefix(what, "a ") && e.Fields["emails.1.address"].Message != "Not a valid email address." {
			t.Errorf("%s: %+v", what, e.Fields)
		}
	}
	_, err = r.SetAdminEmails(ctx, r.admin.Value, u.UUID, []api.Email{{Address: strings.ToUpper(r.email("mailtaken")), Main: true}})
	wantsField(t, "another's", err, api.ErrConflict, "email_address", `The login "`)
	_, err = r.SetAdminEmails(ctx, r.admin.Value, nobody, nil)
	wants(t, "of nobody", err, api.ErrNotFound)
	r.refusals(t, http.MethodPut, "/admin/users/"+u.UUID+"/emails", map[string][2]string{
		`{}`:                         {"emails", "Missing data for required field."},
		`{"emails":[{"main":true}]}`: {"emails.0.address", "Missing data for required field."},
		`{"emails":[{"address":5}]}`: {"emails.0.address", "Not a valid string."},
		`{"emails":[{"address":"a@b.cd","main":"perhaps"}]}`: {"emails.0.main", "Not a valid boolean."},
		`[1]`: {"_schema", "Invalid input type."},
	})

	// What is confirmed an administrator says; whoever else may write the list keeps what was.
	if set, err = r.SetEmails(ctx, r.admin.Value, u.UUID, []api.Email{{Address: one, Main: true}, {Address: two, Confirmed: true}}); err != nil {
		t.Error(err)
	}
	for _, e := range r.read(t, u.UUID).Emails {
		if e.Confirmed != (e.Address == one) {
			t.Errorf("%+v", e)
		}
	}
	_, err = r.SetEmails(ctx, token.Value, u.UUID, nil)
	wants(t, "as an ordinary user", err, api.ErrPermission)
	_, err = r.SetAdminEmails(ctx, token.Value, u.UUID, nil)
	wants(t, "as an ordinary user, for an administrator", err, api.ErrPermission)

	// Mailing the link that confirms.
	byAddress := map[string]string{}
	for _, e := range set {
		byAddress[e.Address] = e.UUID
	}
	for id, want := range map[string]int{byAddress[one]: http.StatusConflict, nobody: http.StatusNotFound} {
		if a := r.raw(t, r.admin.Value, http.MethodGet, "/users/"+u.UUID+"/emails/"+id+"/confirm", ""); a.status != want {
			t.Errorf("%s: %d, want %d: %v", id, a.status, want, a.json)
		}
	}

	// The refresh token was made with the username: another e-mail does not matter.
	if _, err := r.refresh(t, token); err != nil {
		t.Error(err)
	}
	if set, err = r.SetAdminEmails(ctx, r.admin.Value, u.UUID, nil); err != nil || len(set) != 0 {
		t.Errorf("%+v, %v", set, err)
	}
}

func (r *registry) testGroupsAndPolicies(t *testing.T) {
	ctx, token := t.Context(), r.admin.Value
	u, _ := r.person(t, "groups")
	groups, err := r.UserGroups(ctx, token, u.UUID, api.ListOptions{})
	if err != nil || len(groups.Items) == 0 {
		t.Fatalf("%+v, %v", groups, err)
	}
	_, err = r.UserGroups(ctx, token, nobody, api.ListOptions{})
	wants(t, "groups of nobody", err, api.ErrNotFound)
	policies, err := r.UserPolicies(ctx, token, u.UUID, api.ListOptions{})
	if err != nil || len(policies.Items) != 0 {
		t.Errorf("%+v, %v", policies, err)
	}
	if policies, err = r.UserPolicies(ctx, token, nobody, api.ListOptions{}); err != nil || len(policies.Items) != 0 {
		t.Errorf("an unknown user has an empty list: %+v, %v", policies, err)
	}
	err = r.RemoveUserFromGroup(ctx, token, u.UUID, groups.Items[0].UUID)
	wants(t, "out of a group that the stack keeps", err, api.ErrPermission)
	wants(t, "out of no group", r.RemoveUserFromGroup(ctx, token, u.UUID, nobody), api.ErrNotFound)
	wants(t, "no policy", r.RemoveUserPolicy(ctx, token, u.UUID, nobody), api.ErrNotFound)

	all, err := r.Policies(ctx, token, api.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	given := ""
	for _, p := range all.Items {
		may := !slices.ContainsFunc(p.ACL, func(access string) bool { return !api.Allows(r.admin.ACL, access, r.admin.AuthID, r.admin.SessionUUID) })
		path := "/users/" + u.UUID + "/policies/" + p.UUID
		a := r.raw(t, token, http.MethodPut, path, "")
		switch {
		case may && a.status == http.StatusNoContent:
			given = p.UUID
		case may || a.status != http.StatusUnauthorized:
			t.Errorf("%s, which one may give: %v: %d %v", p.Slug, may, a.status, a.json)
		default:
			wants(t, "taking what one has not", r.RemoveUserPolicy(ctx, token, u.UUID, p.UUID), api.ErrUnauthorized)
		}
	}
	if given == "" {
		t.Skip("the stack has no policy that the administrator may give")
	}
	policies, err = r.UserPolicies(ctx, token, u.UUID, api.ListOptions{})
	if err != nil || len(policies.Items) == 0 {
		t.Errorf("%+v, %v", policies, err)
	}
	if err := r.RemoveUserPolicy(ctx, token, u.UUID, given); err != nil {
		t.Error(err)
	}
}

// Each call names the permission that an ordinary user lacks.
func (r *registry) testOrdinaryUser(t *testing.T) {
	ctx := t.Context()
	u, token := r.person(t, "ordinary")
	other := r.create(t, api.NewUser{Username: r.name("other")})
	_, list := r.Users(ctx, token.Value, api.ListOptions{})
	_, self := r.User(ctx, token.Value, u.UUID)
	_, read := r.User(ctx, token.Value, other.UUID)
	_, create := r.CreateUser(ctx, token.Value, api.NewUser{}, "")
	_, write := r.WriteUser(ctx, token.Value, other, api.User{UUID: other.UUID, Enabled: true})
	_, groups := r.UserGroups(ctx, token.Value, u.UUID, api.ListOptions{})
	_, policies := r.UserPolicies(ctx, token.Value, u.UUID, api.ListOptions{})
	_, own := r.SetEmails(ctx, token.Value, u.UUID, nil)
	_, admin := r.SetAdminEmails(ctx, token.Value, u.UUID, nil)
	password := r.SetOwnPassword(ctx, token.Value, other.UUID, api.NewSecret("x"), api.NewSecret("y"))
	for access, err := range map[string]error{
		"auth.users.read": list, "auth.users." + u.UUID + ".read": self, "auth.users." + other.UUID + ".read": read, "auth.users.create": create,
		"auth.users." + other.UUID + ".delete":          r.DeleteUser(ctx, token.Value, other.UUID),
		"auth.users." + other.UUID + ".password.update": password,
		"auth.users." + u.UUID + ".groups.read":         groups, "auth.users." + u.UUID + ".policies.read": policies,
		"auth.users." + u.UUID + ".emails.update": own, "auth.admin.users." + u.UUID + ".emails.update": admin,
		"auth.users." + u.UUID + ".policies.x.delete":            r.RemoveUserPolicy(ctx, token.Value, u.UUID, "x"),
		"auth.groups." + nobody + ".users." + u.UUID + ".delete": r.RemoveUserFromGroup(ctx, token.Value, u.UUID, nobody),
	} {
		if e, ok := errors.AsType[*api.Error](err); !ok || !errors.Is(err, api.ErrPermission) || e.Permission != access {
			t.Errorf("%s: %v", access, err)
		}
	}
	wants(t, "writing, which reads first", write, api.ErrPermission)
	if a := r.raw(t, token.Value, http.MethodPut, "/users/"+other.UUID, `{}`); a.status != http.StatusUnauthorized {
		t.Errorf("PUT: %d", a.status)
	}
	if now := r.read(t, other.UUID); now.Username != other.Username {
		t.Errorf("%+v", now)
	}
}
