//go:build linux

package cli

import (
	"strings"
	"testing"

	"wakey/internal/authd"
)

// Who may delete users and not see their sessions is told what is missing, and can do without; what can't be seen then is said.
func TestDeletionByWhoMaySeeNoSessions(t *testing.T) {
	seed := authd.DemoSeed()
	seed.Users = append(seed.Users, authd.SeedUser{Username: "clerk", Password: "clerk-demo", ACL: []string{"auth.users.read", "auth.users.*.read", "auth.users.*.delete"}})
	h := newEmptyHouse(t, seed)
	h.login("clerk")
	run := func(want int, args ...string) string {
		t.Helper()
		cmd := h.process(args...)
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%q: exit code %d, want %d\n%s", args, got, want, out)
		}
		return string(out)
	}
	if out := run(exitPermission, "users", "delete", "bob", "--yes"); !strings.Contains(out, "auth.users.8e1a3c5e-0000-4000-8000-00000000000b.tokens.read") ||
		!strings.Contains(out, "nothing was deleted; --keep-sessions does without") {
		t.Error(out)
	}
	run(exitDone, "users", "show", "bob")
	if out := run(exitDone, "users", "delete", "bob", "--yes", "--keep-sessions"); !strings.Contains(out, "can't be seen: auth.sessions.read") {
		t.Error(out)
	}
	run(exitError, "users", "show", "bob")
	if out := run(exitPermission, "users", "revoke", "alice", "--yes"); !strings.Contains(out, ".tokens.read") {
		t.Error(out)
	}
	if out := run(exitDone, "users", "show", "alice"); !strings.Contains(out, "can't be read without the permission auth.users.") {
		t.Error(out)
	}
}
