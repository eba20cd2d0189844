package ui

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
	"wakey/session"
)

const keyRight = "\x1b[C"

var alice = authd.DemoSeed().Users[0]

// revocations are the names of what a stack was asked to revoke.
type revocations struct {
	mu    sync.Mutex
	names []string
}

func (r *revocations) before(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodDelete {
			r.mu.Lock()
			r.names = append(r.names, req.URL.Path[strings.LastIndexByte(req.URL.Path, '/')+1:])
			r.mu.Unlock()
		}
		h.ServeHTTP(w, req)
	})
}

// unlisted gives those that are neither in what was on the screen nor our own.
func (r *revocations) unlisted(seen string, ours ...string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, name := range r.names {
		if !strings.Contains(seen, name) && !strings.Contains(strings.Join(ours, " "), name) {
			all = append(all, name)
		}
	}
	return all
}

// stolen is the account's refresh token, in other hands.
func (s *stack) stolen(t *testing.T) (*api.Client, api.RefreshRequest) {
	t.Helper()
	rec, err := s.mgr.Store().Get(t.Context(), s.acc.ID)
	if err != nil {
		t.Fatal(err)
	}
	c, err := api.NewClient(s.url, api.Options{Trust: api.Trust{Pin: s.pin}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, api.RefreshRequest{RefreshToken: rec.RefreshToken, ClientID: rec.ClientID}
}

// A person is told, presses "!", answers, and the thief has nothing left; whatever was revoked had been on
// the screen, what appeared meanwhile too.
func TestRespondToATheft(t *testing.T) {
	var asked revocations
	s := newStack(t, asked.before)
	s.mgr = session.New(s.mgr.Store(), session.Options{Watch: time.Second})
	phone := s.stranger(t, alice, "phone-7c1e")
	if err := s.mgr.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.mgr.Label(s.acc.ID, "phone-7c1e", "my phone"); err != nil {
		t.Fatal(err)
	}
	tm := startProgram(t, Options{Open: s.open, Hint: "a hint"}, 140, 50)
	tm.until("active", "looked just now")
	if strings.Contains(tm.screen(), shapeAlarm) {
		t.Fatalf("an alarm before the theft\n%s", tm.screen())
	}
	c, loot := s.stolen(t)
	first, err := c.Refresh(t.Context(), loot)
	if err != nil {
		t.Fatal(err)
	}
	evil := s.stranger(t, alice, "wakey-laptop-00bad000")
	tm.until("‼ demo: unknown client_id wakey-laptop-00bad000, ! responds", "has appeared: somebody has signed in")

	tm.typed("!")
	tm.until("Somebody else has a token of alice", "× wakey-laptop-00bad000", "phone-7c1e", "it is known as my phone", "[x] change the password",
		"which takes the password: change it", "Begin: end 1 refresh token and 3 sessions")
	seen := tm.screen()
	tm.typed(keyEnter) // the safe button has the focus
	tm.until("! responds", "EXPIRES IN")
	if n := len(s.RefreshTokens(alice.UUID)); n != 3 || len(asked.unlisted("")) > 0 {
		t.Fatalf("%d refresh tokens after not now, revoked %v", n, asked.unlisted(""))
	}
	tm.typed("!")
	tm.until("Begin: end")
	seen += tm.screen()
	tm.typed(keyRight, keyEnter)
	tm.until("The password of alice", "a hint", "◐ rotate our own refresh token")
	late := s.stranger(t, alice, "late-sign-in")
	tm.typed("wrong", keyEnter)
	tm.until("That password is wrong")
	tm.typed(alice.Password, keyEnter)
	tm.until("A new password for alice")
	tm.typed("new-pass", keyEnter, "other", keyEnter)
	tm.until("the two are not the same")
	tm.typed("new-pass", keyEnter)
	tm.until("Appeared since you saw the plan: 1 token", "late-sign-in")
	seen += tm.screen()
	tm.typed(keyTab, keyEnter)
	tm.until("✓ It is over", "The refresh token wakey-laptop-00bad000 is dead", "✓ change the password")
	tm.gone("! responds")

	for name, rt := range map[string]api.RefreshRequest{
		"stolen": loot, "its own": {RefreshToken: evil.RefreshToken, ClientID: "wakey-laptop-00bad000"},
		"late": {RefreshToken: late.RefreshToken, ClientID: "late-sign-in"},
	} {
		if _, err := c.Refresh(t.Context(), rt); !errors.Is(err, api.ErrRefreshRefused) {
			t.Errorf("the thief's refresh token, %s: %v", name, err)
		}
	}
	for name, at := range map[string]*api.Token{"made from the stolen one": first, "of its sign-in": evil, "late": late} {
		if _, err := c.MyRefreshTokens(t.Context(), at.Value, api.ListOptions{}); !errors.Is(err, api.ErrTokenDead) {
			t.Errorf("the thief's access token, %s: %v", name, err)
		}
	}
	if _, err := c.CreateToken(t.Context(), api.PasswordRequest{Login: alice.Username, Password: api.NewSecret(alice.Password)}); !errors.Is(err, api.ErrBadCredentials) {
		t.Errorf("the old password: %v", err)
	}
	if _, err := c.Refresh(t.Context(), api.RefreshRequest{RefreshToken: phone.RefreshToken, ClientID: "phone-7c1e"}); err != nil {
		t.Errorf("the phone, which was left alone: %v", err)
	}
	if more := asked.unlisted(seen, s.acc.ClientID, s.acc.SessionUUID); len(more) > 0 {
		t.Errorf("revoked without having been on the screen: %v\n%s", more, seen)
	}

	// The report, and the stolen value once more.
	t.Chdir(t.TempDir())
	tm.typed("w")
	tm.until("The report is written")
	if files, _ := filepath.Glob("wakey-*"); len(files) != 2 {
		t.Errorf("the report is %v", files)
	}
	tm.typed(keyEsc)
	tm.gone("The report is written")
	tm.typed("t")
	tm.until("A stolen refresh token")
	tm.typed(loot.RefreshToken.Reveal(), keyEnter)
	tm.until("It is dead", "The stack refuses the refresh token …"+loot.RefreshToken.Suffix())
	tm.typed(keyEsc)
	tm.gone("It is dead")
	tm.typed(keyEsc)
	tm.until("EXPIRES IN", "active")
	if strings.Contains(tm.out.String(), loot.RefreshToken.Reveal()) || strings.Contains(tm.out.String(), "new-pass") {
		t.Error("a secret was on the screen")
	}
}

// What has appeared is left alone without a yes.
func TestRespondLeavesWhatIsNotWanted(t *testing.T) {
	t.Parallel()
	var asked revocations
	s := newStack(t, asked.before)
	s.stranger(t, alice, "phone-7c1e")
	kept := s.stranger(t, alice, "ci-runner")
	tm := startProgram(t, Options{Open: s.open}, 120, 50)
	tm.until("active")
	tm.typed("!")
	tm.until("revoke 2 refresh tokens", "[ ] change the password")
	for y, line := range strings.Split(tm.screen(), "\n") {
		if strings.Contains(line, "× ci-runner") {
			tm.typed(click(10, y+1))
		}
	}
	tm.until("▌    × ci-runner", "space keep it")
	tm.typed(" ")
	tm.until("revoke 1 refresh token ", "you keep it")
	seen := tm.screen()
	tm.typed(keyRight, keyEnter)
	tm.until("The password of alice")
	s.stranger(t, alice, "late-sign-in")
	tm.typed(alice.Password, keyEnter)
	tm.until("Appeared since you saw the plan: 1 token, 1 session")
	tm.typed(keyEnter)
	tm.until("✓ It is over", "left alone, as you wished")
	if got := strings.Join(s.RefreshTokens(alice.UUID), " "); !strings.Contains(got, "ci-runner late-sign-in wakey-") || strings.Contains(got, "phone") {
		t.Errorf("left on the stack: %s", got)
	}
	if more := asked.unlisted(seen, s.acc.ClientID, s.acc.SessionUUID); len(more) > 0 {
		t.Errorf("revoked without having been on the screen: %v", more)
	}

	// What was kept is what was stolen: it works, and the session that trying it opened is closed.
	before := s.Sessions(alice.UUID)
	tm.typed("t")
	tm.until("A stolen refresh token")
	tm.typed(kept.RefreshToken.Reveal(), keyEnter)
	tm.until("IT STILL WORKS", "…"+kept.RefreshToken.Suffix()+" STILL WORKS", "ci-runner", "is closed", "revoke it")
	if n := s.Sessions(alice.UUID); n != before {
		t.Errorf("%d sessions, %d before the try", n, before)
	}
	tm.typed(keyEsc)
	tm.gone("IT STILL WORKS")
	if strings.Contains(tm.out.String(), kept.RefreshToken.Reveal()) {
		t.Error("a secret was on the screen")
	}
}

// A lost connection stops it where it is, and it goes on from there: at once, or after wakey was ended.
func TestRespondGoesOn(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	evil := s.stranger(t, alice, "evil")
	tm := startProgram(t, Options{Open: s.open}, 120, 50)
	tm.until("active")
	tm.typed("!")
	tm.until("Begin:")
	tm.typed(keyRight, keyEnter)
	tm.until("The password of alice")
	s.Faults().SetDown(true)
	tm.typed(alice.Password, keyEnter)
	tm.until("It is not over", `cut off at the step "rotate our own refresh token"`, "r goes on where it stopped")
	tm.typed(keyEsc)
	tm.until("EXPIRES IN")
	tm.typed("!")
	tm.until("r try again")
	s.Faults().SetDown(false)
	tm.typed("r")
	tm.until("An earlier response was cut off")
	tm.typed("q")
	if err := tm.ended(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.mgr.Incidents(); err != nil {
		t.Fatal(err)
	}

	tm = startProgram(t, Options{Open: s.open}, 120, 50)
	tm.until("active", "‼ demo: a response was cut off, ! goes on")
	tm.typed("!")
	tm.until("An earlier response was cut off")
	tm.typed("R")
	tm.until("The password of alice")
	tm.typed(alice.Password, keyEnter)
	tm.until("✓ It is over")
	tm.gone("a response was cut off")
	c, _ := s.stolen(t)
	if _, err := c.Refresh(t.Context(), api.RefreshRequest{RefreshToken: evil.RefreshToken, ClientID: "evil"}); !errors.Is(err, api.ErrRefreshRefused) {
		t.Errorf("the thief's refresh token: %v", err)
	}
}

// Without our own access nothing can be seen: then the password is asked for first.
func TestRespondWhenOurAccessIsGone(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	tm := startProgram(t, Options{Open: s.open}, 120, 50)
	tm.until("active")
	s.RevokeRefreshTokens(alice.UUID)
	s.RevokeSessions(alice.UUID)
	s.stranger(t, alice, "evil")
	tm.typed("!")
	tm.until("Somebody has revoked this machine's own access", "sign in again with the password")
	tm.typed(keyEnter)
	tm.until("The password of alice")
	tm.typed(alice.Password, keyEnter)
	tm.until("× evil", "Begin: end 1 refresh token")
	if n := len(s.RefreshTokens(alice.UUID)); n != 2 {
		t.Errorf("%d refresh tokens: something was revoked already", n)
	}
}

// It goes on while one looks at something else, asks wherever one is, and is not stopped by accident.
func TestRespondBehindTheViews(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.stranger(t, alice, "evil")
	tm := startProgram(t, Options{Open: s.open}, 120, 50)
	tm.until("active")
	tm.typed("!")
	tm.until("Begin:")
	s.Faults().Add(authd.Fault{Path: "/users/{user_uuid}/sessions", Delay: 300 * time.Millisecond})
	tm.typed(keyRight, keyEnter)
	tm.until("The response is under way")
	tm.typed("6")
	tm.until("◐ responding to the theft of demo, ! shows it")
	tm.until("The password of alice")
	s.Faults().Add(authd.Fault{Path: "/users/me/tokens", Delay: time.Hour}) // until it is stopped
	tm.typed(keyEsc)                                                        // declined: the rest is done all the same
	tm.gone("The password of alice")
	tm.until("! shows it", "HAPPENED")
	tm.typed(keyEsc) // back, and no more than that
	tm.until("EXPIRES IN", "◐ responding to the theft of demo")
	tm.typed("q")
	tm.until("Quit while work is under way?", "responding to the theft")
	tm.typed(keyEsc)
	tm.gone("Quit while")
	tm.typed("!")
	tm.until("The response is under way")
	tm.typed("s")
	tm.until("Stop the response?", "thief may still be in")
	tm.typed(keyEnter)
	tm.gone("Stop the response?")
	tm.typed("s")
	tm.until("Stop the response?")
	tm.typed(keyTab, keyEnter)
	tm.until("It is not over. You stopped it", "r goes on where it stopped")
	s.Faults().Clear()
	tm.typed("r")
	tm.until("Something is left open", "Give the password", "! begins again")
	tm.typed("!")
	tm.until("Nothing is changed yet", "revoke no session", "  Begin  ")
	tm.typed(keyEsc)
	tm.until("EXPIRES IN")
}

// Nobody looks at the stack while nobody looks at the terminal.
func TestWatchPausesWithoutFocus(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.mgr = session.New(s.mgr.Store(), session.Options{Watch: time.Second})
	tm := startProgram(t, Options{Open: s.open}, 120, 40)
	tm.until("active", "looked just now")
	looks := func() int { return s.Count(http.MethodGet, "/users/me/tokens") }
	tm.typed("\x1b[O") // the focus is lost
	next := func() time.Time {
		a, err := s.mgr.Account(string(s.acc.ID))
		if err != nil {
			t.Error(err)
		}
		return a.NextLookAt
	}
	tm.untilTrue("a paused watch", func() bool { return next().IsZero() })
	tm.typed("\x1b[I")
	tm.untilTrue("a watch that goes on", func() bool { return !next().IsZero() })
	n := looks()
	tm.untilTrue("another look", func() bool { return looks() > n })
}

// A person who knows what it was says so, and the alarm is over.
func TestItWasMe(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.mgr = session.New(s.mgr.Store(), session.Options{Watch: time.Second})
	tm := startProgram(t, Options{Open: s.open}, 120, 40)
	tm.until("active", "looked just now")
	s.stranger(t, alice, "my-new-phone")
	tm.until("‼ demo: unknown client_id my-new-phone, ! responds")
	tm.typed("!")
	tm.until("S it was me")
	tm.typed("S")
	tm.until("counts as seen", "EXPIRES IN")
	tm.gone("! responds ")
	if alerts := s.mgr.Alerts(); len(alerts) != 0 {
		t.Errorf("still calling for somebody: %+v", alerts)
	}
	if n := len(s.RefreshTokens(alice.UUID)); n != 2 {
		t.Errorf("%d refresh tokens", n)
	}
}

// Everyone in the tenant takes an administrator and a word.
func TestRespondForEveryone(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.adminAccount(t)
	s.stranger(t, bob, "phone-of-bob")
	tm := startProgram(t, Options{Open: s.open}, 140, 50)
	tm.until("demo", "admin")
	tm.typed("!")
	tm.until("a token of admin", "e everyone")
	tm.typed("e")
	tm.until("everyone in the tenant of admin, 3 users", "phone-of-bob", "of bob, made just now", "this signs out the account demo")
	tm.typed(keyRight, keyEnter)
	tm.until("Sign out everyone in the tenant", "type everyone to go on")
	tm.typed(keyEnter)
	tm.gone("type everyone")
	if n := len(s.RefreshTokens(bob.UUID)); n != 1 {
		t.Fatal("revoked without the word")
	}
	tm.typed(keyEnter)
	tm.until("type everyone to go on")
	tm.typed("everyone", keyEnter)
	tm.until("The password of admin")
	tm.typed(admin.Password, keyEnter)
	tm.until("✓ It is over")
	if n := len(s.RefreshTokens(bob.UUID)) + s.Sessions(bob.UUID); n != 0 {
		t.Errorf("bob has %d things left", n)
	}
}
