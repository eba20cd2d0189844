package ui

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

// asAdmin runs the program as the administrator, in the view of users. Its account stands before the first one.
func asAdmin(t *testing.T, s *stack, w, h int) *terminal {
	t.Helper()
	s.adminAccount(t)
	tm := startProgram(t, Options{Open: s.open}, w, h)
	tm.until("admin", "demo")
	tm.typed("5")
	tm.until("users of Example", "alice@example.com", "bob@example.com")
	return tm
}

// onStack reads a user as the administrator.
func (s *stack) onStack(t *testing.T, name string) (u api.User) {
	t.Helper()
	a, err := s.mgr.Account("admin")
	if err != nil {
		t.Fatal(err)
	}
	if u, err = s.mgr.FindUser(t.Context(), a.ID, name, ""); err != nil {
		t.Fatal(err)
	}
	return u
}

// change changes a user behind the program's back.
func (s *stack) change(t *testing.T, uuid string, edit func(*api.User)) {
	t.Helper()
	a, err := s.mgr.Account("admin")
	if err != nil {
		t.Fatal(err)
	}
	err = s.mgr.Do(t.Context(), a.ID, func(ctx context.Context, c *api.Client, token api.Secret) error {
		_, err := c.UpdateUser(ctx, token, uuid, func(u *api.User) error { edit(u); return nil })
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

const (
	keyDown  = "\x1b[B"
	keySave  = "\x13"
	keyClear = "\x15"
)

// row moves the cursor to the user of the row that begins with text.
func (tm *terminal) row(text string) {
	tm.t.Helper()
	tm.typed("g")
	tm.untilTrue("the cursor on the first row", func() bool { return lineWith(tm.screen(), "▌") == lineWith(tm.screen(), "USERNAME")+1 })
	for range 50 {
		if strings.Contains(lineOf(tm.screen(), "▌"), " "+text+" ") {
			return
		}
		before := tm.screen()
		tm.typed("j")
		tm.untilTrue("the cursor moves", func() bool { return tm.screen() != before })
	}
	tm.t.Fatalf("no row %s:\n%s", text, tm.screen())
}

func TestUserIsCreatedAndItsPasswordCopied(t *testing.T) {
	s := newStack(t)
	tm := asAdmin(t, s, 140, 36)
	tm.typed("c")
	tm.until("Create a user on 127.0.0.1", "generated")
	tm.typed("carol", keyEnter, "Carol", keyEnter, "Cole", keyEnter, "carol@example.com", keySave)
	tm.until("The password of carol", "•••••-•••••")
	tm.typed("y")
	tm.until("sent the password of carol to the terminal's clipboard")
	var sent []string
	tm.untilTrue("OSC 52", func() bool {
		sent = regexp.MustCompile(`]52;c;([A-Za-z0-9+/=]+)[\a\x1b]`).FindStringSubmatch(tm.out.String())
		return sent != nil
	})
	password, err := base64.StdEncoding.DecodeString(sent[1])
	if err != nil || len(password) != 23 {
		t.Fatalf("%q, %v", password, err)
	}
	tm.typed(keyEsc)
	tm.gone("The password of carol")
	tm.until("✓ created carol", "4 users")
	if !strings.Contains(lineOf(tm.screen(), "▌"), "carol") {
		t.Errorf("the cursor is not on the new user:\n%s", tm.screen())
	}
	if strings.Contains(tm.out.String(), string(password)) {
		t.Error("the password was written to the screen")
	}
	s.stranger(t, authd.SeedUser{Username: "carol", Password: string(password)}, "")
	if u := s.onStack(t, "carol"); u.Firstname != "Carol" || u.Lastname != "Cole" || u.Emails[0].Address != "carol@example.com" || !u.Enabled {
		t.Errorf("%+v", u)
	}
}

// What the stack refuses stands at its field, in the stack's words; what can be known here, before anything is sent.
func TestRefusalsStandAtTheirField(t *testing.T) {
	s := newStack(t)
	tm := asAdmin(t, s, 140, 36)
	s.ResetRequests()
	tm.typed("c")
	tm.until("Create a user")
	tm.typed("x", keyEnter, keyEnter, keyEnter, "nope", keySave)
	tm.until("× Not a valid email address.")
	if n := s.Count(http.MethodPost, "/users"); n != 0 {
		t.Errorf("%d requests", n)
	}
	at := func(text string) {
		t.Helper()
		tm.until(text)
		if i := lineWith(tm.screen(), "E-mail   "); lineWith(tm.screen(), text) != i+1 {
			t.Errorf("%s is not told at the e-mail:\n%s", text, tm.screen())
		}
	}
	at("Not a valid email address.")
	tm.typed(keyClear, "ALICE@example.com", keySave)
	at(`The login "ALICE@example.com" is already`)
	tm.typed(keyClear, "x@example.com")
	tm.gone("is already")
	s.Faults().SetDown(true)
	tm.typed(keySave)
	tm.until("whether x was created is not known: no answer")
	s.Faults().SetDown(false)
	tm.typed(keySave)
	tm.until("The password of x")
}

func TestUserIsEditedWhileSomebodyElseDoesSo(t *testing.T) {
	s := newStack(t)
	tm := asAdmin(t, s, 140, 36)
	tm.row("bob")
	tm.typed("e")
	tm.until("Edit bob", "Baker")
	s.change(t, bob.UUID, func(u *api.User) { u.Firstname = "Theirs" })
	tm.typed(keyDown, keyDown, keyClear, "Mine", keySave)
	tm.until("somebody else has changed firstname meanwhile", "Theirs", "Mine")
	if u := s.onStack(t, "bob"); u.Lastname != "Baker" {
		t.Errorf("written all the same: %+v", u)
	}
	tm.typed(keySave)
	tm.until("✓ changed lastname of bob")
	if u := s.onStack(t, "bob"); u.Firstname != "Theirs" || u.Lastname != "Mine" || len(u.Emails) != 1 || !u.Enabled {
		t.Errorf("%+v", u)
	}
}

// The refresh tokens that a renaming kills are named, and revoked with it.
func TestRenamingSaysWhatDies(t *testing.T) {
	s := newStack(t)
	s.stranger(t, bob, "phone-7c1e")
	tm := asAdmin(t, s, 140, 36)
	tm.row("bob")
	tm.typed("e")
	tm.until("Edit bob")
	tm.typed(keyClear, "robert", keySave)
	tm.until("Rename bob to robert", "× phone-7c1e", "e-mail address live on", "works for whoever is called bob", "[x] also revoke 1 refresh token")
	tm.typed(keyEnter) // the safe button has the focus
	tm.gone("Rename bob")
	if u := s.onStack(t, bob.UUID); u.Username != "bob" {
		t.Fatal("renamed without a yes")
	}
	tm.typed(keySave)
	tm.until("Rename bob to robert")
	tm.typed(keyTab, keyEnter)
	tm.until("✓ changed username of robert; 1 refresh token revoked", "▌  ●  robert")
	if got := s.RefreshTokens(bob.UUID); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
}

// A colleague's phone was stolen: its refresh token and the sessions end, from the user's card.
func TestStolenPhoneOfAColleague(t *testing.T) {
	s := newStack(t)
	s.stranger(t, bob, "phone-7c1e")
	s.stranger(t, bob, "laptop")
	tm := asAdmin(t, s, 140, 36)
	tm.row("bob")
	tm.typed(keyEnter)
	tm.until("Refresh tokens 2", "phone-7c1e", "laptop", "Sessions 2", "Groups 1", "the stack's own")
	for !strings.Contains(lineOf(tm.screen(), "phone-7c1e"), "▌   phone") {
		before := tm.screen()
		tm.typed("j")
		tm.untilTrue("the cursor moves", func() bool { return tm.screen() != before })
	}
	tm.typed("x")
	tm.until("Revoke a refresh token of bob", "× phone-7c1e", "[x] also end the 2 sessions")
	tm.typed(keyTab, keyEnter)
	tm.until("phone-7c1e is gone", "lists it no more; 2 sessions ended", "Sessions 0")
	if got := s.RefreshTokens(bob.UUID); len(got) != 1 || got[0] != "laptop" || s.Sessions(bob.UUID) != 0 {
		t.Errorf("left: %v, %d sessions", got, s.Sessions(bob.UUID))
	}
	s.stranger(t, bob, "")
	tm.typed("r")
	tm.until("Sessions 1")
	tm.typed("X")
	tm.until("Sign bob out everywhere", "× laptop", "type revoke")
	tm.typed("revoke", keyEnter)
	tm.until("laptop is gone", "Refresh tokens 0")
	if got := s.RefreshTokens(bob.UUID); len(got) != 0 || s.Sessions(bob.UUID) != 0 {
		t.Errorf("left: %v, %d sessions", got, s.Sessions(bob.UUID))
	}
}

// What this machine holds itself is left alone, however it is asked for.
func TestOwnThingsAreLeftAloneInTheCard(t *testing.T) {
	s := newStack(t)
	tm := asAdmin(t, s, 140, 36)
	tm.row("alice")
	tm.typed(keyEnter)
	tm.until("Refresh tokens 1", "account demo of this machine   │")
	tm.typed("x")
	tm.until("Left alone", "The account demo of this machine holds this refresh")
	tm.typed(keyEsc)
	tm.gone("Left alone")
	tm.typed("X")
	tm.until("Nothing to revoke")
	if len(s.RefreshTokens(s.acc.UserUUID)) != 1 || s.Sessions(s.acc.UserUUID) != 1 {
		t.Error("revoked")
	}
}

func TestPasswordOfAnotherIsSet(t *testing.T) {
	s := newStack(t)
	s.stranger(t, bob, "phone-7c1e")
	tm := asAdmin(t, s, 140, 36)
	tm.row("bob")
	tm.typed("p")
	tm.until("Set the password of bob", "refresh tokens go on working")
	tm.typed(" ")
	tm.until("typed", "New password")
	tm.typed(keyDown, "a new one", keyDown, "another", keySave)
	tm.until("it is not the same")
	tm.typed(keyClear, "a new one", keySave)
	tm.until("✓ bob has a new password; 1 refresh token of it still listed")
	if s.Sessions(bob.UUID) != 0 || len(s.RefreshTokens(bob.UUID)) != 1 {
		t.Errorf("%d sessions, %v", s.Sessions(bob.UUID), s.RefreshTokens(bob.UUID))
	}
	tm.typed("p")
	tm.until("Set the password of bob")
	tm.typed(keyDown, " ", keySave)
	tm.until("The password of bob")
	tm.typed(keyEsc)
	tm.gone("The password of bob")
	tm.until("1 refresh token revoked")
	if len(s.RefreshTokens(bob.UUID)) != 0 {
		t.Errorf("%v", s.RefreshTokens(bob.UUID))
	}
	tm.typed("q")
	if err := tm.ended(); err != nil || strings.Contains(tm.out.String(), "a new one") {
		t.Errorf("the password was written to the terminal, or %v", err)
	}
}

// An ordinary user is told which permission is missing, and changes its own password; the account goes on.
func TestOrdinaryUserIsToldAndChangesItsOwnPassword(t *testing.T) {
	s := newStack(t)
	s.stranger(t, authd.DemoSeed().Users[0], "phone")
	tm := startProgram(t, Options{Open: s.open}, 120, 34)
	tm.until("active")
	tm.typed("5")
	tm.until("alice may not list the users of 127.0.0.1", "permission auth.users.read is missing", "Press p to change alice's own")
	tm.typed("p")
	tm.until("Set the password of alice", "Old password")
	tm.typed("wrong", keyDown, keyDown, "fresh-pw", keyDown, "fresh-pw", keySave)
	tm.until("the old password is wrong")
	tm.typed("alice-demo", keySave)
	tm.until("✓ alice has a new password")
	if a, err := s.mgr.Account("demo"); err != nil || a.SessionUUID == s.acc.SessionUUID || a.State != "active" {
		t.Errorf("%+v, %v", a, err)
	}
	s.stranger(t, authd.SeedUser{Username: "alice", Password: "fresh-pw"}, "")
	for _, secret := range []string{"alice-demo", "fresh-pw"} {
		if strings.Contains(tm.out.String(), secret) {
			t.Errorf("%s was written to the terminal", secret)
		}
	}
}

func TestEmailsAreChanged(t *testing.T) {
	s := newStack(t)
	tm := asAdmin(t, s, 140, 36)
	tm.row("bob")
	tm.typed("m")
	tm.until("E-mails of bob", "[x] confirmed")
	tm.typed(keyDown, keyDown, keyDown, "b@lab.example.com", keyDown, " ", keyDown, " ", keySave)
	tm.until("✓ changed the e-mails of bob", "b@lab.example.com +1")
	if u := s.onStack(t, "bob"); len(u.Emails) != 2 {
		t.Errorf("%+v", u.Emails)
	}
	tm.typed("m")
	tm.until("E-mails of bob", "b@lab.example.com")
	tm.typed(keyClear, keySave)
	tm.until("× bob@example.com  no login any more", "before 26.07")
	tm.typed(keyTab, keyEnter)
	tm.gone("b@lab.example.com +1")
	if u := s.onStack(t, "bob"); len(u.Emails) != 1 || u.Emails[0].Address != "b@lab.example.com" || !u.Emails[0].Confirmed {
		t.Errorf("%+v", u.Emails)
	}
}

func TestUsersAreDisabledAndDeleted(t *testing.T) {
	s := newStack(t)
	s.stranger(t, bob, "phone-7c1e")
	tm := asAdmin(t, s, 140, 36)
	tm.row("bob")
	tm.typed("s")
	tm.until("Disable bob", "× bob  Bob Baker", "and work again")
	tm.typed(keyTab, keyEnter)
	tm.until("✓ disabled bob", "disabled")
	if s.Sessions(bob.UUID) != 0 || len(s.RefreshTokens(bob.UUID)) != 1 {
		t.Errorf("%d sessions", s.Sessions(bob.UUID))
	}
	tm.row("bob")
	tm.typed("s")
	tm.until("✓ enabled bob")
	s.stranger(t, bob, "")
	tm.row("bob")
	tm.typed("d")
	tm.until("Delete bob", "1 refresh token, 1 session", "[x] end their access first: 1 session", "type delete")
	tm.typed(keyTab, keyEnter)
	tm.until("type delete")
	tm.typed("delete", keyEnter)
	tm.until("✓ deleted bob; 1 session ended first", "2 users")
	if s.Sessions(bob.UUID) != 0 {
		t.Errorf("%d sessions live", s.Sessions(bob.UUID))
	}
	tm.row("admin")
	tm.typed("d")
	tm.until("Not deleted", "An account of this machine is that user")
	if _, err := s.mgr.Account("admin"); err != nil {
		t.Error(err)
	}
}

// A long list is asked for page by page as one goes down, sorted and searched by the stack.
func TestUsersArePagedSortedAndSearched(t *testing.T) {
	seed := authd.DemoSeed()
	for i := range 700 {
		seed.Users = append(seed.Users, authd.SeedUser{Username: fmt.Sprintf("u%03d", i), Lastname: fmt.Sprintf("L%03d", 999-i), Tenant: "example"})
	}
	s := newStackOf(t, seed)
	s.adminAccount(t)
	tm := startProgram(t, Options{Open: s.open}, 140, 36)
	tm.until("admin")
	s.ResetRequests()
	tm.typed("5")
	tm.until("the first 200 of 703 users")
	if n := s.Count(http.MethodGet, "/users"); n != 1 {
		t.Errorf("%d requests for the first page", n)
	}
	tm.typed("G")
	tm.until("the first 400 of 703 users")
	tm.typed("G")
	tm.until("the first 600 of 703 users")
	tm.typed("G")
	tm.until(" 703 users", "u596")
	tm.gone("the first")
	tm.typed("G")
	tm.until("▌  ●  u699")
	tm.typed("o", "o", "o", "g")
	tm.until("LAST NAME↑", "the first 200", "▌  ●  admin")
	tm.typed("j", "j", "j")
	tm.until("▌  ●  u699")
	tm.typed("O")
	tm.until("LAST NAME↓", "the first 200")
	tm.typed("/", "u42", keyEnter)
	tm.until("searched on the stack for u42", "10 users", "u420", "u429")
	tm.gone("u419")
	tm.typed(keyEsc)
	tm.until("the first 200 of 703 users")
	tm.typed("/", "zzz", keyEnter)
	tm.until("No user's names or e-mails hold zzz")
	tm.typed(keyEsc)
	tm.until("the first 200 of 703 users")
}

func TestSubTenantsOnDemand(t *testing.T) {
	seed := authd.DemoSeed()
	seed.Tenants = append(seed.Tenants, authd.SeedTenant{UUID: branchTenant, Name: "Branch office", Slug: "branch", Parent: "example"})
	for i := range seed.Users {
		seed.Users[i].Tenant = "example"
	}
	seed.Users = append(seed.Users, authd.SeedUser{Username: "dave", Tenant: "branch"})
	s := newStackOf(t, seed)
	tm := asAdmin(t, s, 140, 36)
	if strings.Contains(tm.screen(), "dave") {
		t.Fatal("listed a sub-tenant's at once")
	}
	tm.typed("b")
	tm.until("and below", "dave", "Branch office", "4 users")
	tm.typed("c")
	tm.until("Create a user", "Tenant")
	tm.typed("eve")
	for range 8 {
		tm.typed(keyDown)
	}
	for range 3 {
		if strings.Contains(lineOf(tm.screen(), "  Tenant "), "Branch") {
			break
		}
		before := tm.screen()
		tm.typed(" ")
		tm.untilTrue("another choice", func() bool { return tm.screen() != before })
	}
	tm.typed(keySave)
	tm.until("The password of eve")
	if u := s.onStack(t, "eve"); u.TenantUUID != branchTenant {
		t.Errorf("%+v", u)
	}
}

// Late answers of a view that was left, or of another account, reach nobody.
func TestLateUsersAreDropped(t *testing.T) {
	s := newStack(t)
	s.adminAccount(t)
	a := newTestApp(t, 120, 34, s.mgr.Accounts())
	a.mgr = s.mgr
	v := a.screens[viewUsers].(*users)
	late := collect[answerMsg](press(a, "5"))
	press(a, "1")
	for _, m := range late {
		a.Update(m)
	}
	if len(late) == 0 || len(v.list.all) != 0 {
		t.Errorf("%d answers; the view that was left shows %d rows", len(late), len(v.list.all))
	}
	for _, m := range collect[answerMsg](press(a, "5")) {
		a.Update(m)
	}
	if len(v.list.all) != 3 {
		t.Errorf("%d rows", len(v.list.all))
	}
	asked := collect[answerMsg](press(a, "d"))
	press(a, "1")
	for _, m := range asked {
		a.Update(m)
	}
	if len(asked) == 0 || len(a.dialogs) != 0 {
		t.Errorf("%d answers, %d dialogs", len(asked), len(a.dialogs))
	}
}

// Whoever opens the view before the store is open sees the users when it is.
func TestUsersAreListedWhenTheStoreOpens(t *testing.T) {
	s := newStack(t)
	s.adminAccount(t)
	a := newTestApp(t, 120, 34, s.mgr.Accounts())
	press(a, "5")
	a.mgr = s.mgr
	for _, m := range collect[answerMsg](a.setAccounts(s.mgr.Accounts(), nil)) {
		a.Update(m)
	}
	if n := len(a.screens[viewUsers].(*users).list.all); n != 3 {
		t.Errorf("%d users", n)
	}
}

// Everything can be done with the mouse, too.
func TestUsersByMouse(t *testing.T) {
	s := newStack(t)
	tm := asAdmin(t, s, 140, 36)
	at := func(text string) string {
		t.Helper()
		tm.until(text)
		screen := tm.screen()
		y := lineWith(screen, text)
		before, _, _ := strings.Cut(strings.Split(screen, "\n")[y], text)
		return click(len(plainCells(before))+2, y+1)
	}
	tm.typed(at("LAST NAME"))
	tm.until("LAST NAME↑")
	tm.typed(at("LAST NAME"))
	tm.until("LAST NAME↓")
	tm.untilTrue("sorted by the stack", func() bool { return lineWith(tm.screen(), "Baker") == lineWith(tm.screen(), "USERNAME")+1 })
	tm.typed(at("Baker"))
	tm.until("▌  ●  bob")
	tm.typed(at("Baker"))
	tm.until("Groups 1")
	tm.typed(keyEsc)
	tm.gone("Groups 1")
	tm.typed("e")
	tm.until("Edit bob")
	tm.typed(at("First name"), keyClear, "Robert", at("may sign in"))
	tm.until("[ ] may sign in", "Robert")
	tm.typed(at("[ ] may sign in"))
	tm.until("[x] may sign in")
	tm.typed(at(" Save "))
	tm.until("✓ changed firstname of bob")
}

// An address that is taken stands at its own field, in the stack's words.
func TestTakenEmailStandsAtItsField(t *testing.T) {
	s := newStack(t)
	tm := asAdmin(t, s, 140, 36)
	tm.row("bob")
	tm.typed("m")
	tm.until("E-mails of bob", "[x] confirmed")
	tm.typed(keyDown, keyDown, keyDown, "Alice@example.com", keySave)
	tm.until(`The login "Alice@example.com" is already`)
	if y := lineWith(tm.screen(), `The login "Alice`); lineWith(tm.screen(), "Address       Alice@example.com") != y-1 {
		t.Errorf("not told at its field:\n%s", tm.screen())
	}
}

// A form that waits for a slow stack says so, and can stop waiting.
func TestSlowFormIsShownAndStopped(t *testing.T) {
	s := newStack(t)
	tm := asAdmin(t, s, 140, 36)
	s.Faults().Add(authd.Fault{Method: http.MethodPost, Path: "/users", Delay: time.Minute, Times: 1}) // ends when nobody waits any more
	tm.typed("c")
	tm.until("Create a user")
	tm.typed("carol", keySave)
	tm.until("Creating… esc stops waiting")
	tm.typed("x", keySave) // neither is taken
	tm.typed(keyEsc)
	tm.until("may still happen there", " Create ")
	if n := s.Count(http.MethodPost, "/users"); n > 1 {
		t.Errorf("%d requests", n)
	}
	tm.typed(keyEsc)
	tm.gone("Create a user")
}

// A group is left, and what the stack keeps itself is not.
func TestGroupIsLeft(t *testing.T) {
	seed := authd.DemoSeed()
	seed.Users[1].Groups = []string{"sales"}
	s := newStackOf(t, seed)
	tm := asAdmin(t, s, 140, 36)
	tm.row("bob")
	tm.typed(keyEnter)
	tm.until("Groups 2", "sales")
	tm.typed("x")
	tm.until("Take bob out of the group sales", "until they are refreshed")
	tm.typed(keyTab, keyEnter)
	tm.until("✓ the group sales is taken away", "Groups 1")
	tm.typed("x")
	tm.until("out of the group wazo-all-users")
	tm.typed(keyTab, keyEnter)
	tm.until("nothing was changed")
}
