package main_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"wakey/internal/authd"
)

// Users of the demo's stack, and where they live in these tests.
const (
	host  = "pbx.example.com"
	alice = "8e1a3c5e-0000-4000-8000-00000000000a"
	bob   = "8e1a3c5e-0000-4000-8000-00000000000b"
)

const pressLeft, pressRight = "\x1b[D", "\x1b[C"

// TestAdministratorsDay is the work on other people's refresh tokens and sessions, most of it with
// the mouse.
func TestAdministratorsDay(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	stack := m.stack(host, authd.DemoSeed())
	m.device(host, "bob", "tablet-of-bob")
	m.device(host, "bob", "phone-of-bob")
	for range 3 {
		m.device(host, "alice", "")
	}
	m.login(host, "alice", "prod")
	m.login(host, "admin", "boss")
	x := m.terminal(120, 34)
	x.see("prod", "boss", "active", "passphrase")

	// Accounts: sort by a title, choose, open.
	x.click("EXPIRES IN")
	x.see("↑EXPIRES IN")
	x.click("boss  ")
	x.until("the account chosen", func(s string) bool { return strings.Contains(line(s, "▌"), "boss") })
	x.click("▌")
	x.click("boss  ")
	x.see("Permissions 74", "auth.#")

	// Refresh tokens: everyone's, one marked, revoked only once the word is typed.
	x.click("3 Refresh tokens")
	x.see("this machine", "1 refresh token")
	x.click("e everyone's")
	x.see("everyone in the tenant of admin", "tablet-of-bob", "phone-of-bob", "account prod")
	x.typeKeys("/", "tablet", "\r")
	x.until("the filter", func(s string) bool { return strings.Contains(s, "1 of 4") && line(s, "phone-of-bob") == "" })
	x.clickAt(1, "other user    tablet-of-bob")
	x.see("1 marked")
	x.click("x revoke")
	x.see("Revoke 1 refresh token of 1 user", "of bob", "live until they expire", "type revoke to go on")
	x.click("Revoke 1 token  ")
	x.typeKeys("revoke")
	x.until("the word", func(s string) bool { return strings.Contains(line(s, "type revoke"), ": revoke") })
	x.click("Revoke 1 token  ")
	x.see("tablet-of-bob is gone")
	if got := stack.RefreshTokens(bob); !slices.Equal(got, []string{"phone-of-bob"}) {
		t.Errorf("bob has %v", got)
	}

	// Sessions: all but ours, of the other account.
	x.click("1 Accounts")
	x.click("prod  ")
	x.click("4 Sessions")
	x.see("4 of 100 sessions, 1 ours", "prod, current", "not ours")
	x.click("A all but ours")
	x.see("3 marked")
	x.typeKeys("x")
	x.see("Revoke 3 sessions of alice", "The refresh tokens stay")
	x.typeKeys(pressLeft)
	x.click("Revoke 3 sessions  ")
	x.see("3 of 3 sessions ended", "1 of 100 sessions, 1 ours")
	if n := stack.Sessions(alice); n != 1 {
		t.Errorf("%d sessions of alice are left", n)
	}

	// Activity: filter, and read one in full.
	x.click("6 Activity")
	x.see("signed in as alice", "signed in as admin")
	x.typeKeys("/", "sign-in admin", "\r")
	x.until("the filter", func(s string) bool { return line(s, "signed in as alice") == "" })
	x.click("signed in as admin")
	x.see("boss: sign-in, info", "now called boss")
	x.esc("the happening closed", func(s string) bool { return !strings.Contains(s, "now called boss") })
	x.esc("the filter ended", func(s string) bool { return strings.Contains(s, "signed in as alice") })
	x.wheel(2)

	// Every action by its name.
	x.typeKeys(":", "open inspector")
	x.typeKeys(strings.Repeat("\x7f", 20), "go to refresh")
	x.until("the choice", func(s string) bool { return strings.Contains(line(s, "▌ Go to"), "Go to refresh tokens") })
	x.click("▌ Go to refresh tokens")
	x.see("alice at "+host, "this machine")
	x.click("q quit")
	x.quit()
}

// TestStrangersToken is what the inspector is for when somebody sends a token: what is it, whose,
// what may it do, and more than mine?
func TestStrangersToken(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	stack := m.stack(host, authd.DemoSeed())
	found := m.device(host, "bob", "phone-7c1e")
	m.login(host, "alice", "prod")
	m.login(host, "admin", "boss")
	x := m.terminal(120, 34)
	x.secrets = append(x.secrets, found, found[:20])
	x.see("prod", "boss", "active")
	x.click("prod  ")
	x.typeKeys("2")
	x.see("Permissions 60", "issued", "refresh", "expires")
	before := stack.Sessions(bob)

	x.typeKeys("\x1b[200~X-Auth-Token: " + found + "\n\x1b[201~")
	x.see("Which token is it?", strings.Repeat("•", 36))
	x.typeKeys("\r")
	x.see("? no living access token", "No account here holds it")
	if n := stack.Count("POST", "/token refresh"); n != 0 {
		t.Errorf("it was used %d times without being asked", n)
	}
	x.typeKeys("\r")
	x.see("Only using a refresh token tells it")
	x.typeKeys("phone-7c1e", "\r")
	x.see("◆ refresh token", "revoked again", "auth.users.me.tokens.read")
	if n := stack.Sessions(bob); n != before {
		t.Errorf("bob had %d sessions and has %d", before, n)
	}

	// Back to one's own, and compare with the administrator's.
	x.esc("the own token", func(s string) bool {
		return strings.Contains(s, "Permissions 60") && strings.Contains(s, "alice at "+host)
	})
	x.typeKeys("c")
	x.see("boss")
	x.typeKeys("boss", "\r")
	x.see("only prod 0", "only boss", "auth.#")
	x.esc("the comparison ended", func(s string) bool { return strings.Contains(s, "Permissions 60") })
	x.typeKeys("q")
	x.quit()
}

// TestSlowLossyLink is the other end of the world: every answer takes its time, and some break off
// in the middle. Everything says that it runs, can be stopped, and what failed is tried again.
func TestSlowLossyLink(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	stack := m.stack(host, authd.DemoSeed())
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
		m.device(host, "alice", "phone-"+id)
	}
	m.login(host, "alice", "prod")
	link := func(more ...authd.Fault) {
		stack.Faults().Clear()
		for _, f := range more {
			stack.Faults().Add(f)
		}
		stack.Faults().Add(authd.Fault{Delay: 350 * time.Millisecond})
	}
	link()
	x := m.terminal(120, 34)
	x.see("prod", "active")
	x.until("the first look of the watch", func(string) bool { return stack.Count("GET", "/users/me/tokens") > 0 })
	link(authd.Fault{Path: "/users/me/tokens", Delay: time.Second, Cut: true, Times: 1})

	// A list that breaks off, one that is stopped, and one that comes.
	x.typeKeys("3")
	x.see("Listing the refresh tokens of alice", "esc stops it")
	x.see("can't be listed", "Press r to ask again")
	link(authd.Fault{Path: "/users/me/tokens", Delay: 10 * time.Second})
	x.typeKeys("r")
	x.see("esc stops it")
	x.esc("the listing stopped", func(s string) bool { return strings.Contains(s, "Press r to ask the stack") })
	link()
	x.typeKeys("r")
	x.see("phone-a", "phone-j", "this machine", "11 refresh tokens")

	// Ten revoked: a bar, three failures, one tried again, then the others.
	link(authd.Fault{Path: "/users/me/tokens/{client_id}", Delay: 300 * time.Millisecond, Status: 503, HTML: true, Times: 3},
		authd.Fault{Path: "/users/{user_uuid}/sessions", Delay: 2 * time.Second})
	x.typeKeys("A", "x")
	x.see("listing the sessions…")
	x.see("Revoke 10 refresh tokens of alice")
	x.typeKeys(" ", pressRight, "\r")
	x.see("revoking 10 refresh tokens", "/10", "━")
	x.see("Revoked 7, 3 failed", "try this again")
	link()
	x.typeKeys("r")
	x.see("Revoked 8, 2 failed")
	x.typeKeys("R")
	x.see("10 of 10 refresh tokens gone")
	x.until("the list", func(s string) bool { return strings.Contains(s, "1 refresh token ") && line(s, "phone-") == "" })
	if got := stack.RefreshTokens(alice); len(got) != 1 {
		t.Errorf("left on the stack: %v", got)
	}

	// An answer that comes when its view is left is nobody's, and quitting waits for nothing.
	x.typeKeys("4")
	x.see("Listing the sessions of alice")
	x.typeKeys("1")
	x.see("EXPIRES IN")
	x.typeKeys("r")
	x.see("refreshing prod…")
	x.see("refreshed prod, good until")
	x.typeKeys("4", "q")
	x.quit()
}

// TestColoursFitTheTerminal runs the program in terminals of other abilities: what it writes has the colours that they
// say they have, and none where NO_COLOR asks for none.
func TestColoursFitTheTerminal(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	if out, err := m.command("config", "set", "background", "dark").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	full, indexed := regexp.MustCompile(`[34]8;2;\d+;\d+;\d+`), regexp.MustCompile(`[34]8;5;\d+`)
	basic := regexp.MustCompile(`\[(?:[0-9;]*;)?(?:[34]|9|10)[0-7][;m]`)
	for _, c := range []struct {
		name                 string
		env                  []string
		full, indexed, basic bool
	}{
		{"all colours", []string{"TERM=xterm-256color", "COLORTERM=truecolor"}, true, false, false},
		{"256", []string{"TERM=xterm-256color", "COLORTERM="}, false, true, false},
		{"16", []string{"TERM=xterm", "COLORTERM="}, false, false, true},
		{"none wanted", []string{"TERM=xterm-256color", "COLORTERM=truecolor", "NO_COLOR=1"}, false, false, false},
	} {
		env := m.env
		m.env = append(slices.Clone(env), c.env...)
		x := m.terminal(80, 24)
		m.env = env
		x.see("No account yet.", "sign in")
		drawn := x.em.Render()
		rest := indexed.ReplaceAllString(full.ReplaceAllString(drawn, ""), "")
		if full.MatchString(drawn) != c.full || indexed.MatchString(drawn) != c.indexed || basic.MatchString(rest) != c.basic {
			t.Errorf("%s: %q", c.name, drawn)
		}
		x.typeKeys("q")
	}
}
