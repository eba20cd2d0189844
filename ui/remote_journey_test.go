package ui

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
	"wakey/session"
)

var admin = authd.DemoSeed().Users[2]

// stranger signs a device in that no account of this machine knows. Without a client_id it has
// no refresh token.
func (s *stack) stranger(tb testing.TB, u authd.SeedUser, clientID string) *api.Token {
	tb.Helper()
	c, err := api.NewClient(s.url, api.Options{Trust: api.Trust{Pin: s.pin}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.Close)
	t, err := c.CreateToken(tb.Context(), api.PasswordRequest{Login: u.Username, Password: api.NewSecret(u.Password), ClientID: clientID})
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// adminAccount signs the administrator in beside the first account.
func (s *stack) adminAccount(tb testing.TB) {
	tb.Helper()
	if _, err := s.mgr.SignIn(tb.Context(), session.SignInRequest{
		Name: "admin", Stack: s.base(tb), Login: admin.Username, Password: api.NewSecret(admin.Password), Lifetime: time.Hour, Trust: api.Trust{Pin: s.pin},
	}); err != nil {
		tb.Fatal(err)
	}
}

func TestUnknownDeviceIsRevokedAndProvenGone(t *testing.T) {
	s := newStack(t)
	s.stranger(t, authd.DemoSeed().Users[0], "phone-7c1e")
	tm := startProgram(t, Options{Open: s.open}, 120, 34)
	tm.until("active")
	tm.typed("3")
	tm.until("unknown       phone-7c1e", "this machine  "+s.acc.ClientID, "2 refresh tokens, 1 unknown")
	tm.typed("x")
	tm.until("Revoke 1 refresh token of alice", "× phone-7c1e", "[x] also revoke the one session", "Revoke 1 token, 1 session", "they expire")
	tm.typed(keyEnter) // the safe button has the focus
	tm.gone("× phone-7c1e")
	if got := s.RefreshTokens(s.acc.UserUUID); len(got) != 2 {
		t.Fatalf("left after keeping: %v", got)
	}
	tm.typed("x")
	tm.until("× phone-7c1e")
	tm.typed(keyTab, keyEnter)
	tm.until("phone-7c1e is gone", "lists it no more; 1 of 1 session ended", "1 refresh token ")
	logged := 0
	for _, e := range s.mgr.Events() {
		if e.Op == "revoke" && strings.HasSuffix(e.Text, ": revoked") {
			logged++
		}
	}
	if logged != 2 {
		t.Errorf("the log tells of %d revocations, want 2: %+v", logged, s.mgr.Events())
	}
	if got := s.RefreshTokens(s.acc.UserUUID); !slices.Equal(got, []string{s.acc.ClientID}) {
		t.Errorf("left on the stack: %v", got)
	}
	if n := s.Sessions(s.acc.UserUUID); n != 1 {
		t.Errorf("%d sessions left, not only ours", n)
	}
}

func TestAccessTokensLiveOnWhenSessionsAreKept(t *testing.T) {
	s := newStack(t)
	s.stranger(t, authd.DemoSeed().Users[0], "phone-7c1e")
	tm := startProgram(t, Options{Open: s.open}, 120, 34)
	tm.until("active")
	tm.typed("3")
	tm.until("phone-7c1e")
	tm.typed("x")
	tm.until("[x] also revoke")
	tm.typed(" ")
	tm.until("[ ] also revoke", "Revoke 1 token  ")
	tm.typed(keyTab, keyEnter)
	tm.until("phone-7c1e is gone", "Access tokens made before may live until")
	if n := s.Sessions(s.acc.UserUUID); n != 2 {
		t.Errorf("%d sessions", n)
	}
}

// A stack that says 500 may have revoked all the same, and one that says nothing at all has not:
// only the list tells (contract 5).
func TestErrorsAreHeldAgainstTheList(t *testing.T) {
	s := newStack(t)
	for _, id := range []string{"phone-1", "phone-2"} {
		s.stranger(t, authd.DemoSeed().Users[0], id)
	}
	tm := startProgram(t, Options{Open: s.open}, 120, 34)
	tm.until("active")
	tm.typed("3")
	tm.until("phone-1", "phone-2")
	s.Faults().SetBusDown(true)
	tm.typed("A", "x")
	tm.until("Revoke 2 refresh tokens")
	tm.typed(" ", keyTab, keyEnter)
	tm.until("2 of 2 refresh tokens gone")
	s.Faults().SetBusDown(false)

	for _, id := range []string{"phone-3", "phone-4"} {
		s.stranger(t, authd.DemoSeed().Users[0], id)
	}
	tm.typed("r")
	tm.until("phone-3", "phone-4")
	s.Faults().Add(authd.Fault{Path: "/users/me/tokens/{client_id}", Status: 503, Times: 2})
	tm.typed("A", "x")
	tm.until("Revoke 2 refresh tokens")
	tm.typed(" ", keyTab, keyEnter)
	tm.until("Revoked 0, 2 failed", "phone-3", "phone-4", "try this again")
	tm.typed("r")
	tm.until("Revoked 1, 1 failed")
	tm.typed("r")
	tm.until("2 of 2 refresh tokens gone")
	tm.gone("failed") // no list of failures is left behind
	if got := s.RefreshTokens(s.acc.UserUUID); !slices.Equal(got, []string{s.acc.ClientID}) {
		t.Errorf("left on the stack: %v", got)
	}
}

func TestGoneAlreadyCountsAsRevoked(t *testing.T) {
	s := newStack(t)
	s.stranger(t, authd.DemoSeed().Users[0], "phone-7c1e")
	tm := startProgram(t, Options{Open: s.open}, 120, 34)
	tm.until("active")
	tm.typed("3")
	tm.until("phone-7c1e")
	tm.typed("x")
	tm.until("× phone-7c1e")
	err := s.mgr.Do(t.Context(), s.acc.ID, func(ctx context.Context, c *api.Client, token api.Secret) error {
		return c.RevokeMyRefreshToken(ctx, token, "phone-7c1e")
	})
	if err != nil {
		t.Fatal(err)
	}
	tm.typed(keyTab, keyEnter)
	tm.until("phone-7c1e is gone")
}

func TestOwnRefreshTokenHasToBeTyped(t *testing.T) {
	s := newStack(t)
	tm := startProgram(t, Options{Open: s.open}, 120, 34)
	tm.until("active")
	tm.typed("3")
	tm.until("this machine")
	tm.typed("x")
	tm.until("is this machine's own", "type revoke to go on")
	tm.typed(keyTab, keyEnter)
	tm.until("type revoke to go on")
	if got := s.RefreshTokens(s.acc.UserUUID); len(got) != 1 {
		t.Fatal("revoked without the word")
	}
	tm.typed("revoke", keyEnter)
	tm.until("is gone", "alice has no refresh token")
}

func TestAdministratorRevokesOthersTokensByTyping(t *testing.T) {
	s := newStack(t)
	s.stranger(t, authd.DemoSeed().Users[1], "phone-of-bob")
	s.adminAccount(t)
	tm := startProgram(t, Options{Open: s.open}, 140, 40)
	tm.until("demo", "admin")
	tm.typed("3")
	tm.until("this machine")
	if strings.Contains(tm.screen(), "phone-of-bob") {
		t.Fatal("listed somebody else's at once")
	}
	tm.typed("e")
	tm.until("everyone in the tenant of admin", "phone-of-bob", "bob", "other user", "account demo")
	tm.typed("/", "phone-of", keyEnter, "x")
	tm.until("Revoke 1 refresh token of 1 user", "of bob", "type revoke to go on", "[ ] also revoke the one session")
	tm.typed("revoke", " ")
	tm.until("[x] also revoke")
	tm.typed(keyEnter)
	tm.until("phone-of-bob is gone", "1 of 1 session ended")
	if got := s.RefreshTokens(bob.UUID); len(got) != 0 || s.Sessions(bob.UUID) != 0 {
		t.Errorf("bob has %v and %d sessions", got, s.Sessions(bob.UUID))
	}
	if got := s.RefreshTokens(s.acc.UserUUID); len(got) != 1 {
		t.Errorf("alice has %v", got)
	}
}

func TestSessionsAllButOurs(t *testing.T) {
	s := newStack(t)
	for range 3 {
		s.stranger(t, authd.DemoSeed().Users[0], "")
	}
	tm := startProgram(t, Options{Open: s.open}, 120, 34)
	tm.until("active")
	tm.typed("4")
	tm.until("4 of 100 sessions, 1 ours", "not ours", "demo, current")
	tm.typed("A")
	tm.until("3 marked")
	tm.typed("x")
	tm.until("Revoke 3 sessions of alice", "The refresh tokens stay")
	tm.typed(keyTab, keyEnter)
	tm.until("3 of 3 sessions ended", "1 of 100 sessions, 1 ours")
	if n := s.Sessions(s.acc.UserUUID); n != 1 {
		t.Errorf("%d sessions left", n)
	}
}

func TestOurCurrentSessionIsRefreshedAfterwards(t *testing.T) {
	s := newStack(t)
	tm := startProgram(t, Options{Open: s.open}, 120, 34)
	tm.until("active")
	tm.typed("4")
	tm.until("demo, current")
	tm.typed("x")
	tm.until("uses one of them now", "wakey refreshes it right after")
	tm.typed(keyTab, keyEnter)
	tm.until("1 of 1 session ended", "demo, current")
	a, err := s.mgr.Account("demo")
	if err != nil || a.SessionUUID == s.acc.SessionUUID || a.State != session.Active {
		t.Errorf("the account is %s with session %s, %v", a.State, a.SessionUUID, err)
	}
}

// The stack ends any session of the tenant through one's own path (contract 8): what it lists for
// somebody else must never be sent there.
func TestSessionsOfAnotherUserAreLeftAlone(t *testing.T) {
	a := newTestApp(t, 100, 30, testAccounts(noon))
	v := showSessions(a, false, []api.Session{{UUID: "9c0a77e1-0000-4000-8000-0000000000f1", UserUUID: bobUUID}})
	c := v.confirmRevoke(v.list.all)
	if c.yes != "" || len(c.items) != 0 || len(c.kept)+len(c.text) == 0 {
		t.Errorf("offered to end %v", c.items)
	}
}

func TestFailedListSaysWhatToDo(t *testing.T) {
	a := newTestApp(t, 100, 30, testAccounts(noon))
	scenes()["tokens refused"](a)
	for _, want := range []string{"lacks a permission", "(auth.users.", ".tokens.read", "ask an administrator", "Press r"} {
		if !strings.Contains(plainFrame(a), want) {
			t.Errorf("%q is not told:\n%s", want, plainFrame(a))
		}
	}
	s := newStack(t)
	tm := startProgram(t, Options{Open: s.open}, 120, 34)
	tm.until("active")
	s.Faults().Add(authd.Fault{Path: "/users/me/tokens", Status: 500, Times: 1})
	tm.typed("3")
	tm.until("The refresh tokens of alice can't be listed", "failed (status 500)", "Press r to ask again")
	tm.typed("r")
	tm.until("this machine")
}

func TestLateListOfALeftViewIsDropped(t *testing.T) {
	s := newStack(t)
	s.stranger(t, authd.DemoSeed().Users[0], "phone-7c1e")
	a := newTestApp(t, 120, 34, s.mgr.Accounts())
	a.mgr = s.mgr
	v := a.screens[viewRefreshTokens].(*refreshTokens)
	late := collect[answerMsg](press(a, "3"))
	press(a, "1")
	for _, m := range late {
		a.Update(m)
	}
	if len(late) == 0 || len(v.list.all) != 0 || !v.listed.IsZero() {
		t.Errorf("%d answers; the view that was left shows %d rows", len(late), len(v.list.all))
	}
	for _, m := range collect[answerMsg](press(a, "3")) {
		a.Update(m)
	}
	if len(v.list.all) != 2 {
		t.Errorf("the view shows %d rows", len(v.list.all))
	}
	// the answer of an earlier listing comes after the later one was asked for
	first := collect[answerMsg](press(a, "r"))
	s.stranger(t, authd.DemoSeed().Users[0], "phone-2")
	second := collect[answerMsg](press(a, "r"))
	for _, m := range append(second, first...) {
		a.Update(m)
	}
	if len(v.list.all) != 3 {
		t.Errorf("an answer that was overtaken is shown: %d rows", len(v.list.all))
	}
	// a confirmation does not come up in another view
	asked := collect[answerMsg](press(a, "x"))
	press(a, "1")
	for _, m := range asked {
		a.Update(m)
	}
	if len(asked) == 0 || len(a.dialogs) != 0 {
		t.Errorf("%d answers, %d dialogs", len(asked), len(a.dialogs))
	}
}

func TestListFollowsTheAccount(t *testing.T) {
	s := newStack(t)
	s.adminAccount(t)
	a := newTestApp(t, 120, 34, s.mgr.Accounts())
	a.mgr = s.mgr
	a.current = s.acc.ID
	v := a.screens[viewRefreshTokens].(*refreshTokens)
	alices := collect[answerMsg](press(a, "3"))
	for _, x := range s.mgr.Accounts() {
		if x.Name == "admin" {
			a.current = x.ID
		}
	}
	admins := collect[answerMsg](v.update(changedMsg{}))
	for _, m := range append(admins, alices...) {
		a.Update(m)
	}
	if len(v.list.all) != 1 || v.list.all[0].UserUUID != admin.UUID {
		t.Errorf("shown for the administrator: %+v", v.list.all)
	}
}

func TestLabelsMakeKnown(t *testing.T) {
	s := newStack(t)
	s.stranger(t, authd.DemoSeed().Users[0], "phone-7c1e")
	tm := startProgram(t, Options{Open: s.open}, 120, 34)
	tm.until("active")
	tm.typed("3")
	tm.until("unknown       phone-7c1e")
	tm.typed("l")
	tm.until("Whose is phone-7c1e?")
	tm.typed("my phone", keyEnter)
	tm.until("known: my phone")
}

func TestSlowListIsShownAndStopped(t *testing.T) {
	s := newStack(t)
	tm := startProgram(t, Options{Open: s.open}, 120, 34)
	tm.until("active")
	s.Faults().Add(authd.Fault{Path: "/users/me/tokens", Delay: 5 * time.Second, Times: 1})
	tm.typed("3")
	tm.until("Listing the refresh tokens of alice", "esc stops")
	tm.typed(keyEsc)
	tm.until("were not listed", "Press r to ask the stack")
	tm.typed("r")
	tm.until("this machine")
}

// TestTenantTellsWhatIsNewSinceTheLastLook is an administrator's day: who signed in since.
func TestTenantTellsWhatIsNewSinceTheLastLook(t *testing.T) {
	s := newStack(t)
	s.stranger(t, bob, "phone-of-bob")
	s.adminAccount(t)
	a := newTestApp(t, 140, 40, s.mgr.Accounts())
	a.mgr, a.now = s.mgr, time.Now()
	for _, x := range a.accounts {
		if x.Name == "admin" {
			a.current = x.ID
		}
	}
	look := func(keys ...string) {
		t.Helper()
		answers(a, press(a, keys...))
	}
	look("3")
	look("e")
	row := func(id string) string { return lineOf(plainFrame(a), id) }
	if l := row("phone-of-bob"); !strings.Contains(l, "other user") || strings.Contains(l, "new") {
		t.Errorf("at the first look: %q", l)
	}
	look("1")
	s.stranger(t, bob, "tablet-of-bob")
	s.stranger(t, authd.DemoSeed().Users[0], "tablet-of-alice")
	look("3")
	look("r")
	for id, want := range map[string]string{"tablet-of-bob": "other user, new", "phone-of-bob": "other user ", "tablet-of-alice": "new, unknown"} {
		if l := row(id); !strings.Contains(l, want) {
			t.Errorf("%s is not told to be %q: %q", id, want, l)
		}
	}
	has(t, a, "2 new")
	look("r") // still the same visit
	if l := row("tablet-of-bob"); !strings.Contains(l, "other user, new") {
		t.Errorf("listed again: %q", l)
	}
	look("1")
	look("3")
	look("r")
	if l := row("tablet-of-bob"); strings.Contains(l, "new") {
		t.Errorf("at the next look: %q", l)
	}
	// another's may be known too
	v := a.screens[viewRefreshTokens].(*refreshTokens)
	v.list.choose(bob.UUID + "/tablet-of-bob")
	look("l")
	typeText(a, "bob's old tablet")
	look("enter")
	if l := row("tablet-of-bob"); !strings.Contains(l, "known: bob's old tablet") {
		t.Errorf("labelled: %q", l)
	}
}
