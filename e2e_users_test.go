package main_test

import (
	"strings"
	"testing"

	"wakey/internal/authd"
)

// TestAdministratorManagesUsers is what an administrator meets in the fifth view, in the program as it is built: a user is created,
// its password copied once, its password changed, a colleague's stolen phone signed out, and the user deleted.
func TestAdministratorManagesUsers(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	stack := m.stack(host, authd.DemoSeed())
	m.login(host, "admin", "boss")
	m.device(host, "bob", "phone-of-bob")
	x := m.terminal(120, 34)
	x.see("boss", "active")
	x.typeKeys("5")
	x.see("users of the tenant Example", "alice@example.com", "3 users")

	x.typeKeys("c")
	x.see("Create a user on " + host)
	x.typeKeys("carol", "\t", "Carol", "\t", "Cole", "\t", "carol@example.com", "\x13")
	x.see("The password of carol", "•••••-•••••")
	x.typeKeys("y")
	password := x.copied()
	if len(password) != 23 {
		t.Fatalf("copied %d characters", len(password))
	}
	x.secrets = append(x.secrets, password)
	x.esc("the password put away", func(s string) bool { return !strings.Contains(s, "The password of carol") })
	x.see("created carol", "4 users")

	x.typeKeys("p")
	x.see("Set the password of carol")
	x.secrets = append(x.secrets, "a longer secret")
	x.typeKeys(" ", "\t", "a longer secret", "\t", "a longer secret", "\x13")
	x.see("carol has a new password")

	x.typeKeys("k", "\r")
	x.see("Refresh tokens 1", "phone-of-bob", "the stack's own")
	x.typeKeys("X")
	x.see("Sign bob out everywhere", "type revoke to go on")
	x.typeKeys("revoke", "\r")
	x.see("phone-of-bob is gone", "Refresh tokens 0", "Sessions 0")
	if got := stack.RefreshTokens(bob); len(got) != 0 || stack.Sessions(bob) != 0 {
		t.Errorf("bob has %v and %d sessions", got, stack.Sessions(bob))
	}
	x.esc("the card closed", func(s string) bool { return !strings.Contains(s, "Refresh tokens 0") })

	x.typeKeys("G", "d")
	x.see("Delete carol", "type delete to go on")
	x.typeKeys("delete", "\r")
	x.see("deleted carol", "3 users")
	x.typeKeys("q")
	x.quit()
}
