package main_test

import (
	"strings"
	"testing"
)

// TestAdministratorManagesUsers is what an administrator meets in the fifth view, in the program as it is built: a user is created,
// its password copied once, its password changed, and the user deleted.
func TestAdministratorManagesUsers(t *testing.T) {
	x := startTerminal(t, 120, 34, "demo")
	x.see("demo", "alice", "active")
	x.typeKeys("n")
	x.see("Sign in to a Wazo stack", "bob-demo")
	x.typeKeys("admin", "\t", "admin-demo")
	x.until("dots for the password", func(s string) bool { return strings.Contains(line(s, "Password"), "••••••••••") })
	x.typeKeys("\r")
	x.see("signed in admin")
	x.typeKeys("5")
	x.see("users of the tenant Example", "alice@example.com", "3 users")

	x.typeKeys("c")
	x.see("Create a user")
	x.typeKeys("carol", "\t", "Carol", "\t", "Cole", "\t", "carol@example.com", "\x13")
	x.see("The password of carol", "•••••-•••••")
	x.typeKeys("y")
	password := x.copied()
	if len(password) != 23 {
		t.Fatalf("copied %d characters", len(password))
	}
	x.secrets = append(x.secrets, password)
	x.typeKeys("\x1b")
	x.until("the password put away", func(s string) bool { return !strings.Contains(s, "The password of carol") })
	x.see("created carol", "4 users")

	x.typeKeys("p")
	x.see("Set the password of carol")
	x.typeKeys(" ", "\t", "a longer secret", "\t", "a longer secret", "\x13")
	x.see("carol has a new password")
	x.secrets = append(x.secrets, "a longer secret")

	x.typeKeys("\r")
	x.see("Refresh tokens 0", "Sessions 0", "the stack's own")
	x.typeKeys("\x1b")
	x.until("the card closed", func(s string) bool { return !strings.Contains(s, "Refresh tokens 0") })
	x.typeKeys("d")
	x.see("Delete carol", "type delete to go on")
	x.typeKeys("delete", "\r")
	x.see("deleted carol", "3 users")
	x.typeKeys("q")
	x.quit()
}
