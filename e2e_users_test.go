package main_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
	x.see("users of Example", "alice@example.com", "3 users")

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

// TestUsersOnATerminal is what the commands ask and show where a person sits: a password is typed twice and never seen, what it
// leaves alive is offered to be revoked, and an import shows how far it is and can be cut off.
func TestUsersOnATerminal(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	stack := m.stack(host, authd.DemoSeed())
	m.login(host, "admin", "boss")
	m.device(host, "bob", "phone-of-bob")

	x := m.terminal(100, 24, "users", "passwd", "bob")
	x.secrets = append(x.secrets, "a fresh secret")
	x.see("New password of bob:")
	x.typeKeys("a fresh secret\r")
	x.see("The same again:")
	x.typeKeys("a fresh secret\r")
	x.see("bob has a new password.", "leaves refresh tokens alive: bob has 1 refresh token", "Revoke them, and its sessions? [y/N]")
	x.typeKeys("y\r")
	x.see("Revoked the refresh token phone-of-bob.")
	x.quit()
	if got := stack.RefreshTokens(bob); len(got) != 0 {
		t.Errorf("bob has %v", got)
	}

	x = m.terminal(100, 24, "users", "delete", "bob")
	x.see("this deletes for good:", "bob", "Go on? [y/N]")
	x.typeKeys("n\r")
	x.ends(3)

	var users strings.Builder
	users.WriteString("username\n")
	for i := range 2000 {
		fmt.Fprintf(&users, "user%04d\n", i)
	}
	file := filepath.Join(t.TempDir(), "users.csv")
	if err := os.WriteFile(file, []byte(users.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	stack.Faults().Add(authd.Fault{Method: http.MethodPost, Path: "/users", Delay: 20 * time.Millisecond})
	x = m.terminal(100, 24, "users", "import", file)
	x.see("creates and changes users as 2000 lines of ", "Go on? [y/N]")
	x.typeKeys("y\r")
	x.see(" of 2000", "created", "user0020")
	x.typeKeys("\x03")
	x.see("the import was cut off", "run it again to go on")
	x.ends(3)
}

// ends waits for the program's end, and compares its exit code.
func (x *terminal) ends(code int) {
	x.t.Helper()
	select {
	case <-x.exited:
		if got := x.cmd.ProcessState.ExitCode(); got != code {
			x.t.Errorf("exit code %d, want %d:\n%s", got, code, x.screen())
		}
	case <-time.After(e2eTimeout):
		x.t.Fatalf("wakey does not end:\n%s", x.screen())
	}
}
