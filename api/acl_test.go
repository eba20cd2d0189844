package api

import (
	"slices"
	"strings"
	"testing"
)

func TestAllows(t *testing.T) {
	const user, session = "0d1b2c3d-0000-4000-8000-00000000000a", "5e551014-0000-4000-8000-00000000000b"
	tests := []struct {
		acl      string // entries separated by blanks
		required string
		want     bool
	}{
		{"", "auth.users.read", false},
		{"auth.users.read", "auth.users.read", true},
		{"auth.users.read", "auth.users.readx", false},
		{"auth.users.read", "auth.users", false},
		{"auth.users.read", "authxusers.read", false},
		{"auth.users.*", "auth.users.read", true},
		{"auth.users.*", "auth.users.", true},
		{"auth.users.*", "auth.users.a.b", false},
		{"auth.users.*", "auth.users.a#b", false},
		{"auth.*.read", "auth.users.read", true},
		{"auth.*.*", "auth.users.read", true},
		{"auth.u*s.r*", "auth.users.read", true},
		{"auth.u*x.read", "auth.users.read", false},
		{"*", "auth", true},
		{"*", "auth.users", false},
		{"#", "auth.users.read", true},
		{"#", "", true},
		{"auth.#", "auth.users.a#b.delete", true},
		{"auth.#", "auth", false},
		{"auth.#.read", "auth.users.x.tokens.read", true},
		{"auth.#.read", "auth.users.x.tokens.delete", false},
		{"#.read", "auth.read", true},
		{"auth.#.#", "auth.a", false},
		{"auth.#.#", "auth.a.b", true},
		{"auth.users.me.tokens.*.delete", "auth.users." + user + ".tokens.laptop.delete", true},
		{"auth.users.me.tokens.*.delete", "auth.users.me.tokens.laptop.delete", true},
		{"auth.users.me.tokens.*.delete", "auth.users.other.tokens.laptop.delete", false},
		{"auth.users.me.tokens.*.delete", "auth.users.me.tokens.a#b.delete", false},
		{"auth.users.me.tokens.*.delete", "auth.users.me.tokens.a.b.delete", false},
		{"me.read", user + ".read", true},
		{"auth.users.me", "auth.users." + user, true},
		{"auth.users.xme", "auth.users.x" + user, false},
		{"auth.users.me*", "auth.users." + user, false},
		{"events.sessions.my_session.expire", "events.sessions." + session + ".expire", true},
		{"events.sessions.my_session.expire", "events.sessions." + user + ".expire", false},
		{"auth.users.me.password.edit", "auth.users.me.password.update", true},
		{"auth.users.me.password.edit", "auth.users.me.password.edit", true},
		{"auth.users.me.password.update", "auth.users.me.password.edit", false},
		{"auth.users.read !auth.users.read", "auth.users.read", false},
		{"!auth.# auth.users.read", "auth.users.read", false},
		{"!auth.users.me.# auth.#", "auth.users." + user + ".read", false},
		{"!auth.users.me.# auth.#", "auth.users.other.read", true},
		{"!# #", "x", false},
		{"! #", "", false},
		{"! #", "x", true},
		{"a+b.(c)", "a+b.(c)", true},
		{"a+b.(c)", "aab.c", false},
		{"ü.*", "ü.ß", true},
	}
	for _, tt := range tests {
		acl := strings.Fields(tt.acl)
		if got := Allows(acl, tt.required, user, session); got != tt.want {
			t.Errorf("%q, %q: %v", tt.acl, tt.required, got)
		}
		decided := Matching(acl, tt.required, user, session)
		if got := len(decided) > 0 && !strings.HasPrefix(decided[0], "!"); got != tt.want {
			t.Errorf("%q, %q: %q decided", tt.acl, tt.required, decided)
		}
	}
	if Allows([]string{"a.me", "a.my_session"}, "a.", "", "") {
		t.Error("an empty uuid matches nothing")
	}
}

func TestMatching(t *testing.T) {
	acl := []string{"auth.#", "confd.read", "auth.users.*", "!auth.users.delete", "!auth.*.delete"}
	if got := Matching(acl, "auth.users.read", "", ""); !slices.Equal(got, []string{"auth.#", "auth.users.*"}) {
		t.Errorf("%q", got)
	}
	if got := Matching(acl, "auth.users.delete", "", ""); !slices.Equal(got, []string{"!auth.users.delete", "!auth.*.delete"}) {
		t.Errorf("%q", got)
	}
	if got := Matching(acl, "dird.read", "", ""); got != nil {
		t.Errorf("%q", got)
	}
}

// A hostile entry must not hang the inspector: a backtracking matcher would not end before the test's own timeout.
func TestAllowsIsNotExponential(t *testing.T) {
	if Allows([]string{strings.Repeat("#a", 2000) + "b"}, strings.Repeat("a", 2000), "", "") {
		t.Error("it does not match")
	}
}
