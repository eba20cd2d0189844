package authd

import (
	"regexp"
	"strings"
	"testing"
)

func TestMatchACL(t *testing.T) {
	const user, sess = "aaaaaaaa-0000-4000-8000-000000000001", "16815ba3-42a5-4c0f-a4a6-5af2eb7be9b3"
	for _, c := range []struct {
		grants   string
		required string
		want     bool
	}{
		{"auth.users.me.tokens.read", "auth.users.me.tokens.read", true},
		{"auth.users.me.tokens.read", "auth.users." + user + ".tokens.read", true},
		{"auth.users.me.tokens.read", "auth.users.me.tokens.readx", false},
		{"auth.users.me.tokens.*.delete", "auth.users.me.tokens.laptop.delete", true},
		{"auth.users.me.tokens.*.delete", "auth.users.me.tokens.a.b.delete", false},
		{"auth.users.me.tokens.*.delete", "auth.users.me.tokens.a#b.delete", false},
		{"auth.users.me.tokens.*.delete", "auth.users.me.tokens..delete", true},
		{"auth.#", "auth.users.me.tokens.a#b.delete", true},
		{"auth.#", "auth", false},
		{"#", "", true},
		{"#", "anything.at.all", true},
		{"", "", true},
		{"", "x", false},
		{"#,!auth.#", "auth.tokens.read", false},
		{"!auth.#,#", "auth.tokens.read", false},
		{"!auth.#,#", "confd.infos.read", true},
		{"auth.sessions.my_session.delete", "auth.sessions." + sess + ".delete", true},
		{"a.edit", "a.update", true},
		{"a.edit", "a.edit", true},
		{"a.update", "a.edit", false},
		{"some.#", "some.me", true},
		{"me", user, true},
		{"x.me2.y", "x." + user + ".y", false},
		{"dird.#.me.read", "dird.a.b.me.read", true},
		{"dird.#.me.read", "dird.me.read", false},
		{"a*c*e", "abcde", true},
		{"a*c*e", "abcd.e", false},
		{"*.#.*", "a.b", false},
		{"*.#.*", "a..b", true},
	} {
		if got := MatchACL(strings.Split(c.grants, ","), c.required, user, sess); got != c.want {
			t.Errorf("MatchACL(%q, %q) = %v, want %v", c.grants, c.required, got, c.want)
		}
	}
	if MatchACL(nil, "", user, sess) {
		t.Error("no grants must grant nothing")
	}
}

// FuzzACL holds the matcher against the same rules told as a regular expression.
func FuzzACL(f *testing.F) {
	const user, sess = "aaaaaaaa-0000-4000-8000-000000000001", "16815ba3-42a5-4c0f-a4a6-5af2eb7be9b3"
	for _, seed := range [][2]string{
		{"auth.users.me.tokens.*.delete", "auth.users.me.tokens.a#b.delete"},
		{"auth.users.me.tokens.*.delete", "auth.users." + user + ".tokens.x.delete"},
		{"#,!auth.#", "auth.tokens.read"},
		{"dird.#.me.read", "dird.a.b.me.read"},
		{"events.auth.users.me.sessions.my_session.expire_soon", "events.auth.users.me.sessions." + sess + ".expire_soon"},
		{"a.edit", "a.update"},
		{"**##*.#", "...."},
		{"!", ""},
		{"*", "\n"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, grants, required string) {
		if len(grants)+len(required) > 2000 {
			return // longer ones find nothing new and cost their product
		}
		list := strings.Split(grants, ",")
		if got, want := MatchACL(list, required, user, sess), matchByRegexp(list, required, user, sess); got != want {
			t.Errorf("MatchACL(%q, %q) = %v, the expression says %v", list, required, got, want)
		}
	})
}

// matchByRegexp is the slow, obvious reading of contract 2.
func matchByRegexp(grants []string, required, user, sess string) bool {
	granted := false
	for _, grant := range grants {
		pattern, deny := strings.CutPrefix(grant, "!")
		words := strings.Split(pattern, ".")
		for i, word := range words {
			switch word {
			case "me":
				words[i] = "(?:me|" + regexp.QuoteMeta(user) + ")"
			case "my_session":
				words[i] = "(?:my_session|" + regexp.QuoteMeta(sess) + ")"
			case "edit":
				words[i] = "(?:edit|update)"
			default:
				word = regexp.QuoteMeta(asBytes(word))
				words[i] = strings.NewReplacer(`\*`, `[^.#]*`, "#", `.*`).Replace(word)
			}
		}
		if regexp.MustCompile(`(?s)^(?:` + strings.Join(words, `\.`) + `)$`).MatchString(asBytes(required)) {
			if deny {
				return false
			}
			granted = true
		}
	}
	return granted
}

// asBytes gives each byte its own rune, so that text that is not UTF-8 compares
// byte by byte in the expression too.
func asBytes(s string) string {
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}
