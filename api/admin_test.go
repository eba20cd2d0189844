package api_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

const (
	parentTenant = "7a000000-0000-4000-8000-000000000001"
	childTenant  = "7a000000-0000-4000-8000-000000000002"
	bobUUID      = "7a000000-0000-4000-8000-0000000000b0"
	childUUID    = "7a000000-0000-4000-8000-0000000000c0"
)

// company is an authd with a tenant, one below it, and an administrator.
func company(t *testing.T, cfg authd.Config) (*authd.Server, *api.Client, *api.Token) {
	t.Helper()
	server, err := authd.New(cfg, authd.Seed{
		Tenants: []authd.SeedTenant{
			{UUID: parentTenant, Name: "Parent", Slug: "parent", DomainNames: []string{"parent.example"}},
			{UUID: childTenant, Name: "Child", Slug: "child", Parent: "parent"},
		},
		Users: []authd.SeedUser{
			{Username: "admin", Password: "admin-pw", Tenant: "parent", Admin: true},
			{UUID: bobUUID, Username: "bob", Password: "bob-pw", Tenant: "parent", Emails: []authd.SeedEmail{{Address: "bob@parent.example", Main: true, Confirmed: true}}},
			{UUID: childUUID, Username: "chris", Password: "chris-pw", Tenant: "child"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := api.NewClient("pbx.example", api.Options{Transport: authd.Transport(server)})
	if err != nil {
		t.Fatal(err)
	}
	admin, err := c.CreateToken(t.Context(), api.PasswordRequest{Login: "admin", Password: api.NewSecret("admin-pw")})
	if err != nil {
		t.Fatal(err)
	}
	if admin.Metadata.Admin == nil || !*admin.Metadata.Admin {
		t.Errorf("%+v", admin.Metadata)
	}
	return server, c, admin
}

func login(t *testing.T, c *api.Client, name, password, clientID string) *api.Token {
	t.Helper()
	token, err := c.CreateToken(t.Context(), api.PasswordRequest{Login: name, Password: api.NewSecret(password), ClientID: clientID})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestAdministratorUsers(t *testing.T) {
	_, c, admin := company(t, authd.Config{})
	ctx, token := t.Context(), admin.Value
	off := false
	eve, err := c.CreateUser(ctx, token, api.NewUser{Username: "eve", Password: api.NewSecret("eve-pw"), Firstname: "Eve", Email: "eve@parent.example"}, "")
	if err != nil || eve.Username != "eve" || eve.TenantUUID != parentTenant || !eve.Enabled || len(eve.Emails) != 1 || !eve.Emails[0].Confirmed {
		t.Fatalf("%+v, %v", eve, err)
	}
	mute, err := c.CreateUser(ctx, token, api.NewUser{Purpose: "external_api", Enabled: &off}, childTenant)
	if err != nil || mute.Enabled || mute.TenantUUID != childTenant || mute.Purpose != "external_api" {
		t.Fatalf("%+v, %v", mute, err)
	}
	_, err = c.CreateUser(ctx, token, api.NewUser{Username: "EVE"}, "")
	var e *api.Error
	if !errors.As(err, &e) || !errors.Is(err, api.ErrConflict) || e.Fields["username"].Constraint != "unique" {
		t.Errorf("%v, %+v", err, e)
	}
	_, err = c.CreateUser(ctx, token, api.NewUser{Email: "nope"}, "")
	if !errors.As(err, &e) || !errors.Is(err, api.ErrInvalid) || e.Fields["email_address"].Message == "" {
		t.Errorf("%v, %+v", err, e)
	}
	_, err = c.CreateUser(ctx, token, api.NewUser{}, nobody)
	wants(t, "a foreign tenant", err, api.ErrWrongTenant)

	// A disabled user stays disabled when something else is changed.
	changed, err := c.UpdateUser(ctx, token, mute.UUID, func(u *api.User) error {
		u.Lastname = "Bot"
		return nil
	})
	wants(t, "out of sight without its tenant", err, nil)
	if changed.Enabled || changed.Lastname != "Bot" || changed.Purpose != "external_api" {
		t.Errorf("%+v", changed)
	}
	_, err = c.UpdateUser(ctx, token, eve.UUID, func(u *api.User) error {
		_, err := c.UpdateUser(ctx, token, eve.UUID, func(u *api.User) error {
			u.Firstname = "Eva"
			return nil
		})
		u.Lastname = "Two"
		return err
	})
	wants(t, "a change in between", err, api.ErrChanged)
	if now, err := c.User(ctx, token, eve.UUID); err != nil || now.Firstname != "Eva" || now.Lastname != "" {
		t.Errorf("%+v, %v", now, err)
	}

	page, err := c.Users(ctx, token, api.ListOptions{Search: "ev", Order: "firstname"})
	if err != nil || len(page.Items) != 1 || page.Items[0].UUID != eve.UUID || page.Filtered != 1 || page.Total != 3 {
		t.Errorf("%+v, %v", page, err)
	}
	page, err = c.Users(ctx, token, api.ListOptions{Recurse: true, Filter: map[string]string{"purpose": "external_api"}})
	if err != nil || len(page.Items) != 1 || page.Items[0].UUID != mute.UUID {
		t.Errorf("%+v, %v", page, err)
	}
	if err := c.DeleteUser(ctx, token, eve.UUID); err != nil {
		t.Error(err)
	}
	wants(t, "deleting again", c.DeleteUser(ctx, token, eve.UUID), api.ErrNotFound)
	_, err = c.User(ctx, token, eve.UUID)
	wants(t, "reading the deleted", err, api.ErrNotFound)
}

func TestAdministratorPasswordsAndEmails(t *testing.T) {
	_, c, admin := company(t, authd.Config{})
	ctx := t.Context()
	bob := login(t, c, "bob", "bob-pw", "phone")
	if err := c.SetOwnPassword(ctx, bob.Value, bobUUID, api.NewSecret("bob-pw"), api.NewSecret("bob-new-pw")); err != nil {
		t.Fatal(err)
	}
	wants(t, "the own token after it", c.CheckToken(ctx, bob.Value, "", ""), api.ErrTokenDead)
	if _, err := c.Refresh(ctx, api.RefreshRequest{RefreshToken: bob.RefreshToken, ClientID: "phone"}); err != nil {
		t.Errorf("the refresh token is gone (contract 9): %v", err)
	}
	if err := c.ResetPassword(ctx, admin.Value, bobUUID, api.NewSecret("third-pw")); err != nil {
		t.Fatal(err)
	}
	login(t, c, "BOB@parent.example", "third-pw", "")

	emails, err := c.SetAdminEmails(ctx, admin.Value, bobUUID, []api.Email{
		{Address: "b@parent.example", Main: true, Confirmed: true}, {Address: "c@parent.example"},
	})
	if err != nil || len(emails) != 2 {
		t.Fatalf("%+v, %v", emails, err)
	}
	u, err := c.User(ctx, admin.Value, bobUUID)
	if err != nil || len(u.Emails) != 2 || !slices.ContainsFunc(u.Emails, func(e api.Email) bool {
		return e.Address == "b@parent.example" && e.Main && e.Confirmed && e.UUID != ""
	}) {
		t.Errorf("%+v, %v", u, err)
	}
	_, err = c.SetAdminEmails(ctx, admin.Value, bobUUID, []api.Email{{Address: "x@parent.example", Main: true}, {Address: "y@parent.example", Main: true}})
	wants(t, "two main addresses", err, api.ErrInvalid)
	if emails, err = c.SetEmails(ctx, admin.Value, bobUUID, nil); err != nil || len(emails) != 0 {
		t.Errorf("%+v, %v", emails, err)
	}
}

func TestAdministratorLists(t *testing.T) {
	_, c, admin := company(t, authd.Config{})
	ctx, token := t.Context(), admin.Value
	bob, chris := login(t, c, "bob", "bob-pw", "phone"), login(t, c, "chris", "chris-pw", "tablet")

	rts, err := c.AllRefreshTokens(ctx, token, api.ListOptions{})
	if err != nil || len(rts.Items) != 1 || rts.Items[0].ClientID != "phone" {
		t.Errorf("%+v, %v", rts, err)
	}
	rts, err = c.AllRefreshTokens(ctx, token, api.ListOptions{Recurse: true, Order: "client_id"})
	if err != nil || len(rts.Items) != 2 || rts.Items[1].UserUUID != childUUID || rts.Items[1].TenantUUID != childTenant {
		t.Errorf("%+v, %v", rts, err)
	}
	sessions, err := c.AllSessions(ctx, token, api.ListOptions{Tenant: childTenant})
	if err != nil || len(sessions.Items) != 1 || sessions.Items[0].UUID != chris.SessionUUID {
		t.Errorf("%+v, %v", sessions, err)
	}
	if err := c.RevokeSession(ctx, token, bob.SessionUUID); err != nil {
		t.Error(err)
	}
	wants(t, "its token", c.CheckToken(ctx, bob.Value, "", ""), api.ErrTokenDead)
	if err := c.RevokeUserRefreshToken(ctx, token, bobUUID, "phone"); err != nil {
		t.Error(err)
	}
	if err := c.RevokeUserSession(ctx, token, childUUID, chris.SessionUUID); err != nil {
		t.Error(err)
	}

	tenants, err := c.Tenants(ctx, token, api.ListOptions{})
	if err != nil || len(tenants.Items) != 2 {
		t.Fatalf("%+v, %v", tenants, err)
	}
	for _, tenant := range tenants.Items {
		if tenant.UUID == childTenant && (tenant.ParentUUID != parentTenant || tenant.Slug != "child") ||
			tenant.UUID == parentTenant && (tenant.Name != "Parent" || !slices.Equal(tenant.DomainNames, []string{"parent.example"})) {
			t.Errorf("%+v", tenant)
		}
	}
	groups, err := c.UserGroups(ctx, token, admin.AuthID, api.ListOptions{})
	if err != nil || !slices.ContainsFunc(groups.Items, func(g api.Group) bool { return g.Name == "wazo_default_admin_group" }) {
		t.Errorf("%+v, %v", groups, err)
	}
	if all, err := c.Groups(ctx, token, api.ListOptions{}); err != nil || len(all.Items) < 2 {
		t.Errorf("%+v, %v", all, err)
	}
	policies, err := c.Policies(ctx, token, api.ListOptions{})
	if err != nil || len(policies.Items) == 0 || policies.Filtered != policies.Total {
		t.Errorf("%+v, %v", policies, err)
	}
	if own, err := c.UserPolicies(ctx, token, bobUUID, api.ListOptions{}); err != nil || len(own.Items) != 0 {
		t.Errorf("%+v, %v", own, err)
	}
	providers, err := c.IdentityProviders(ctx, token)
	if slices.Sort(providers); err != nil || !slices.Equal(providers, []string{"default", "ldap", "native", "saml"}) {
		t.Errorf("%q, %v", providers, err)
	}
}

func TestSessionCeiling(t *testing.T) {
	_, c, _ := company(t, authd.Config{MaxSessions: 3})
	ctx := t.Context()
	var last *api.Token
	for range 3 {
		last = login(t, c, "bob", "bob-pw", "phone")
	}
	_, err := c.CreateToken(ctx, api.PasswordRequest{Login: "bob", Password: api.NewSecret("bob-pw")})
	wants(t, "one session more", err, api.ErrSessionCeiling)
	_, err = c.Refresh(ctx, api.RefreshRequest{RefreshToken: last.RefreshToken, ClientID: "phone"})
	wants(t, "one refresh more", err, api.ErrSessionCeiling)
	_, err = c.CreateToken(ctx, api.PasswordRequest{Login: "bob", Password: api.NewSecret("wrong password")})
	wants(t, "a wrong password at the ceiling", err, api.ErrBadCredentials)
	if err := c.RevokeToken(ctx, last.Value); err != nil {
		t.Fatal(err)
	}
	login(t, c, "bob", "bob-pw", "phone")
}

// A refresh token remembers a login's name: who takes the name gets the token (contract 5).
func TestRefreshTokenOfARenamedUser(t *testing.T) {
	_, c, admin := company(t, authd.Config{})
	ctx := t.Context()
	bob := login(t, c, "bob", "bob-pw", "phone")
	rename := func(u *api.User) error {
		u.Username = "robert"
		return nil
	}
	if _, err := c.UpdateUser(ctx, admin.Value, bobUUID, rename); err != nil {
		t.Fatal(err)
	}
	request := api.RefreshRequest{RefreshToken: bob.RefreshToken, ClientID: "phone"}
	_, err := c.Refresh(ctx, request)
	wants(t, "renamed", err, api.ErrRefreshRefused)
	thief, err := c.CreateUser(ctx, admin.Value, api.NewUser{Username: "bob", Password: api.NewSecret("thief-pw")}, "")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Refresh(ctx, request); err != nil || got.AuthID != thief.UUID {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestFaultsOfAStack(t *testing.T) {
	server, c, admin := company(t, authd.Config{})
	ctx := t.Context()
	faults := server.Faults()
	read := func() error {
		_, err := c.MyRefreshTokens(ctx, admin.Value, api.ListOptions{})
		return err
	}
	faults.Add(authd.Fault{Times: 1, Status: 502, HTML: true})
	if err := read(); !errors.Is(err, api.ErrServer) || !strings.Contains(err.Error(), "web server is up") {
		t.Error(err)
	}
	faults.Add(authd.Fault{Times: 1, Cut: true})
	wants(t, "cut", read(), api.ErrNetwork)
	faults.Add(authd.Fault{Times: 1, Status: 503, HTML: true})
	wants(t, "503", read(), api.ErrServer)
	faults.SetDown(true)
	wants(t, "down", read(), api.ErrNetwork)
	faults.Clear()
	faults.SetDown(false)
	faults.SetBusDown(true)
	_, err := c.CreateToken(ctx, api.PasswordRequest{Login: "bob", Password: api.NewSecret("bob-pw"), ClientID: "phone"})
	if !errors.Is(err, api.ErrServer) || !strings.Contains(err.Error(), "may still have opened a session") {
		t.Error(err)
	}
	faults.SetBusDown(false)
	wants(t, "up again", read(), nil)
}

// Neither the stack's time zone nor this machine's matters.
func TestLifetimeIsTheServers(t *testing.T) {
	_, c, _ := company(t, authd.Config{TokenLifetime: 90 * time.Second, Timezone: time.FixedZone("far", 14*60*60)})
	token := login(t, c, "bob", "bob-pw", "")
	if token.ExpiresAt.Sub(token.IssuedAt) != 90*time.Second || time.Until(token.ExpiresAt) > 91*time.Second {
		t.Errorf("issued %v, expires %v", token.IssuedAt, token.ExpiresAt)
	}
}
