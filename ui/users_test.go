package ui

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
	"wakey/session"
)

const (
	exampleTenant = "8e1a3c5e-0000-4000-8000-000000000001"
	branchTenant  = "8e1a3c5e-0000-4000-8000-000000000002"
)

// testUsers are users of every sort.
func testUsers() []api.User {
	mail := func(address string) api.Email { return api.Email{Address: address, Main: true, Confirmed: true} }
	return []api.User{
		{UUID: aliceUUID, Username: "alice", Firstname: "Alice", Lastname: "Archer", Purpose: "user", Enabled: true, TenantUUID: exampleTenant, AuthenticationMethod: "default", Emails: []api.Email{mail("alice@example.com")}},
		{UUID: bobUUID, Username: "bob", Firstname: "Bob", Lastname: "Baker", Purpose: "user", Enabled: true, TenantUUID: exampleTenant, AuthenticationMethod: "saml", Emails: []api.Email{mail("bob@example.com"), {Address: "b@lab.example.com"}}},
		{UUID: "8e1a3c5e-0000-4000-8000-0000000000e1", Username: "ci", Purpose: "external_api", TenantUUID: branchTenant, AuthenticationMethod: "native"},
		{UUID: "8e1a3c5e-0000-4000-8000-0000000000e2", Firstname: "太郎", Lastname: "山田", Purpose: "user", Enabled: true, TenantUUID: exampleTenant, AuthenticationMethod: "default", Emails: []api.Email{mail("taro@example.jp")}},
		{UUID: "8e1a3c5e-0000-4000-8000-0000000000e3", Purpose: "internal", Enabled: true, TenantUUID: exampleTenant, AuthenticationMethod: "native"},
	}
}

func manyUsers(n int) []api.User {
	base := testUsers()
	out := make([]api.User, n)
	for i := range out {
		out[i] = base[i%2]
		out[i].UUID = fmt.Sprintf("8e1a3c5e-0000-4000-8000-%012x", i+0x1000)
		out[i].Username = fmt.Sprintf("user%05d", i)
	}
	return out
}

func hostileUsers() []api.User {
	var out []api.User
	for i, name := range []string{
		hostileText, strings.Repeat("x", 1<<20), "line\nbreak\r\nmore", strings.Repeat("漢字", 400), "e" + strings.Repeat("\u0301", 500), "\xff\xfe\x9b31m", "👨‍👩‍👧‍👦",
	} {
		out = append(out, api.User{
			UUID: fmt.Sprintf("8e1a3c5e-0000-4000-8000-%012x", i), Username: name, Firstname: name, Lastname: name, Purpose: name, AuthenticationMethod: name, TenantUUID: name,
			Emails: []api.Email{{Address: name, Main: true}},
		})
	}
	return out
}

// showUsers puts users on the screen, as if the stack had listed them for prod.
func showUsers(a *app, list []api.User) *users {
	a.current = "00000004"
	accounts := remoteAccounts()
	for i := range accounts {
		accounts[i].TenantUUID = exampleTenant
	}
	a.setAccounts(accounts, nil)
	a.open(viewUsers)
	v := a.screens[viewUsers].(*users)
	rows := make([]userRow, len(list))
	for i, u := range list {
		rows[i] = rowOfUser(u)
	}
	v.listed, v.total = noon, len(rows)
	v.tenants = map[string]api.Tenant{exampleTenant: {UUID: exampleTenant, Name: "Example"}, branchTenant: {UUID: branchTenant, Name: "Branch office"}}
	v.list.set(rows)
	a.Update(nil)
	return v
}

// detailsOf are what hangs on a user.
func detailsOf(u api.User) session.UserDetails {
	return session.UserDetails{
		User: u, Missing: map[string]string{},
		Tokens: []api.RefreshToken{
			{ClientID: "phone-7c1e", CreatedAt: noon.Add(-100 * 24 * time.Hour), UserUUID: u.UUID},
			{ClientID: "old/plugin", CreatedAt: noon.Add(-800 * 24 * time.Hour), UserUUID: u.UUID},
			{ClientID: "tablet-0f11", CreatedAt: noon.Add(-30 * time.Second), UserUUID: u.UUID},
		},
		Sessions: []api.Session{{UUID: "9c0a77e1-0000-4000-8000-0000000000f1", UserUUID: u.UUID}, {UUID: "9c0a77e1-0000-4000-8000-0000000000f2", UserUUID: u.UUID}},
		Groups:   []api.Group{{UUID: branchTenant, Name: "wazo-all-users-tenant-" + exampleTenant, SystemManaged: true}, {UUID: exampleTenant, Name: "sales"}},
		Policies: []api.Policy{{UUID: exampleTenant, Name: "call recordings", ACL: make([]string, 3)}},
	}
}

// showCard opens the card of a user whose details are there.
func showCard(a *app, u api.User, d session.UserDetails) *userCard {
	v := showUsers(a, testUsers())
	c := &userCard{f: a.frame, v: v, scope: v.scope, d: session.UserDetails{User: u}, list: newGrouped(a.frame)}
	a.push(c)
	c.d, c.loaded = d, true
	c.fill()
	return c
}

// usersScenes are the states of the view, its forms and its dialogs.
func usersScenes() map[string]func(a *app) {
	long := strings.Repeat("very-long-", 30)
	bob := testUsers()[1]
	with := func(do func(a *app, v *users)) func(*app) {
		return func(a *app) {
			v := showUsers(a, testUsers())
			a.mgr = noManager()
			do(a, v)
		}
	}
	return map[string]func(a *app){
		"users listed": func(a *app) { showUsers(a, testUsers()) },
		"users below": func(a *app) {
			v := showUsers(a, testUsers())
			v.scope.below = true
			v.list.cols = v.columns()
			v.list.set(v.list.all)
			v.list.sortBy = 3
		},
		"users many": func(a *app) {
			v := showUsers(a, manyUsers(200))
			v.total = 12_345
			press(a, " ", "a")
		},
		"users typed":    func(a *app) { showUsers(a, testUsers()); press(a, "/"); typeText(a, "bak") },
		"users searched": func(a *app) { showUsers(a, manyUsers(3)).search = "user0" },
		"users not found": func(a *app) {
			showUsers(a, nil).search = "nobody"
		},
		"users none": func(a *app) { showUsers(a, nil) },
		"users denied": func(a *app) {
			v := showUsers(a, nil)
			v.listed, v.err = time.Time{}, &api.Error{Kind: api.KindPermission, Permission: "auth.users.read"}
		},
		"users failed": func(a *app) {
			v := showUsers(a, nil)
			v.listed, v.err = time.Time{}, &api.Error{Kind: api.KindServer, Status: 502}
		},
		"users slow": func(a *app) {
			v := showUsers(a, nil)
			v.listed = time.Time{}
			v.job = a.jobs.add(&job{title: "listing the users", slow: true, cancel: func() {}}).id
		},
		"users hostile": func(a *app) { showUsers(a, hostileUsers()) },
		"users result": func(a *app) {
			showUsers(a, testUsers()).result = result{toastWarn, "deleted 2 users; 3 sessions ended first; 1 not"}
		},
		"user create": with(func(_ *app, v *users) { v.create() }),
		"user create, all wrong": with(func(a *app, v *users) {
			v.create()
			d := a.dialogs[0].(*form)
			d.named("way").set(passwordTyped)
			d.wrong = "it is " + long + "; do something about it"
			for _, x := range d.fields {
				x.wrong = "it is " + long
			}
		}),
		"user create denied": with(func(_ *app, v *users) {
			v.may = func(string) bool { return false }
			v.create()
		}),
		"user edit":         with(func(a *app, v *users) { a.push(newUserEdit(v, bob)) }),
		"user edit hostile": with(func(a *app, v *users) { a.push(newUserEdit(v, hostileUsers()[0])) }),
		"user rename": with(func(a *app, v *users) {
			wanted := bob
			wanted.Username, wanted.Enabled = "robert", false
			a.push(v.confirmChange(bob, wanted, detailsOf(bob), func(bool) tea.Cmd { return nil }))
		}),
		"user password": with(func(_ *app, v *users) { v.setPassword(bob) }),
		"own password": with(func(a *app, v *users) {
			v.may = func(p string) bool { return strings.HasSuffix(p, ".password.update") }
			v.setPassword(testUsers()[0])
			d := a.dialogs[0].(*form)
			d.named("old_password").in.set("secret-old")
			d.named("old_password").wrong = "the old password is wrong"
		}),
		"user password once": with(func(a *app, _ *users) { a.push(newOnce(a.frame, "bob", api.NewSecret("abcde-fghij-klmno-pqrst"))) }),
		"user password shown": with(func(a *app, _ *users) {
			a.push(newOnce(a.frame, "bob", api.NewSecret("abcde-fghij-klmno-pqrst")))
			press(a, "v")
		}),
		"user e-mails": with(func(a *app, v *users) {
			e := newEmailsEdit(v, bob)
			a.push(e.form)
			press(a, "tab", "tab", "tab", "tab", "tab", "tab")
			typeText(a, "alice@example.com")
			e.list()
			e.refused(&api.Error{Kind: api.KindConflict, Fields: map[string]api.FieldError{"x": {Message: `The login "alice@example.com" is already used`}}}, map[string]string{"x": "emails.2.address"})
		}),
		"users disable": with(func(a *app, v *users) { press(a, "a"); v.askEnable(v.list.marked(), false) }),
		"users delete": with(func(a *app, v *users) {
			a.push(v.confirmDelete(v.list.all, map[string]session.UserDetails{bobUUID: detailsOf(bob)}))
		}),
		"users delete own": with(func(a *app, v *users) { a.push(v.confirmDelete(v.list.all[:1], nil)) }),
		"user card":        func(a *app) { showCard(a, bob, detailsOf(bob)) },
		"user card denied": func(a *app) {
			d := session.UserDetails{User: bob, Missing: map[string]string{}}
			for _, part := range []string{"tokens", "sessions", "groups", "policies"} {
				d.Missing[part] = "auth.users." + bobUUID + "." + part + ".read"
			}
			showCard(a, bob, d)
		},
		"user card result": func(a *app) {
			showCard(a, bob, detailsOf(bob)).result = result{toastGood, "phone-7c1e is gone: pbx.example.com lists it no more; 2 sessions ended"}
		},
		"user card loading": func(a *app) { showCard(a, bob, session.UserDetails{User: bob}).loaded = false },
		"user card failed": func(a *app) {
			showCard(a, bob, session.UserDetails{User: bob}).err = &api.Error{Kind: api.KindNotFound, Message: `No such user: "` + bobUUID + `"`}
		},
		"user card hostile": func(a *app) {
			u := hostileUsers()[0]
			d := detailsOf(u)
			for _, t := range hostileTokens() {
				d.Tokens = append(d.Tokens, t)
				d.Groups = append(d.Groups, api.Group{Name: t.ClientID})
				d.Policies = append(d.Policies, api.Policy{Name: t.ClientID})
			}
			showCard(a, u, d)
		},
		"user card, revoke":     func(a *app) { showCard(a, bob, detailsOf(bob)); press(a, "x") },
		"user card, session":    func(a *app) { showCard(a, bob, detailsOf(bob)); press(a, "j", "j", "j", "x") },
		"user card, policy":     func(a *app) { showCard(a, bob, detailsOf(bob)); press(a, "j", "j", "j", "j", "j", "j", "j", "x") },
		"user card, everywhere": func(a *app) { showCard(a, bob, detailsOf(bob)); press(a, "X") },
	}
}

// What a form holds of a user that it can't show as it is (a line break, a blank at the end) stays as it is.
func TestFormLeavesAloneWhatWasNotChanged(t *testing.T) {
	a := newTestApp(t, 100, 30, testAccounts(noon))
	v := showUsers(a, testUsers())
	before := testUsers()[1]
	before.Firstname, before.Lastname, before.AuthenticationMethod, before.Purpose = " Bob\n ", "\x1b[2JBaker\u202e", "oidc", "robot"
	e := &userEdit{v: v, before: before, form: newUserEdit(v, before)}
	if changes := session.UserChanges(before, e.wanted()); len(changes) != 0 {
		t.Errorf("changed by showing it: %+v", changes)
	}
	e.named("firstname").in.set("Robert")
	if wanted := e.wanted(); wanted.Firstname != "Robert" || wanted.Lastname != before.Lastname || wanted.AuthenticationMethod != "oidc" {
		t.Errorf("%+v", wanted)
	}
}

// Somebody else's change is taken over where the person has changed nothing, and the person's own is kept.
func TestFormMeetsAnotherChange(t *testing.T) {
	a := newTestApp(t, 100, 30, testAccounts(noon))
	v := showUsers(a, testUsers())
	before := testUsers()[1]
	e := &userEdit{v: v, before: before, form: newUserEdit(v, before)}
	e.named("lastname").in.set("Mine")
	now := before
	now.Firstname, now.Lastname, now.Enabled = "Theirs", "Theirs too", false
	e.rebase(now)
	wanted := e.wanted()
	if wanted.Firstname != "Theirs" || wanted.Lastname != "Mine" || wanted.Enabled || e.before.Lastname != "Theirs too" {
		t.Errorf("%+v", wanted)
	}
	if !strings.Contains(e.wrong, "firstname, lastname, enabled") {
		t.Error(e.wrong)
	}
}

func TestEmailsFormKeepsOneMain(t *testing.T) {
	a := newTestApp(t, 100, 40, testAccounts(noon))
	e := newEmailsEdit(showUsers(a, testUsers()), testUsers()[1])
	a.push(e.form)
	press(a, "tab", "tab", "tab", "tab", "space") // the second one's main
	if got := session.EmailsText(e.list()); got != "bob@example.com (confirmed), b@lab.example.com (main)" {
		t.Error(got)
	}
	press(a, "tab", "tab")
	typeText(a, "c@example.com")
	if got := session.EmailsText(e.list()); got != "bob@example.com (confirmed), b@lab.example.com (main), c@example.com" {
		t.Error(got)
	}
	press(a, "shift+tab", "shift+tab", "shift+tab", "ctrl+u")
	if got := session.EmailsText(e.list()); got != "bob@example.com (confirmed), c@example.com" {
		t.Error(got)
	}
	press(a, "ctrl+s") // no main one: that concerns all of them
	if len(a.dialogs) != 1 || !strings.Contains(plainFrame(a), "At least one address should be main") {
		t.Errorf("\n%s", plainFrame(a))
	}
}

// Every screen of the view holds what a password field or a secret holds back.
func TestUsersScreensHideSecrets(t *testing.T) {
	for name, scene := range usersScenes() {
		a := newTestApp(t, 100, 40, testAccounts(noon))
		scene(a)
		for _, secret := range []string{"secret-old", "abcde-fghij"} {
			if strings.Contains(plainFrame(a), secret) && name != "user password shown" {
				t.Errorf("%s shows a password", name)
			}
		}
	}
	a := newTestApp(t, 100, 40, testAccounts(noon))
	usersScenes()["user password shown"](a)
	press(a, "esc")
	if strings.Contains(plainFrame(a), "abcde") || len(a.dialogs) != 0 {
		t.Error("it is still on the screen")
	}
}

func TestEveryUserSceneIsNamedInGoldens(t *testing.T) {
	for name := range usersScenes() {
		if strings.Contains(name, "hostile") || slices.Contains(goldenScenes, name) {
			continue
		}
		t.Errorf("%q has no golden frame", name)
	}
}
