package api

import (
	"errors"
	"strings"
	"testing"
)

// What a stack does with these is in TestUsers/Check; here is what must not depend on one.
func TestChecksTellEverythingAtOnce(t *testing.T) {
	err := NewUser{UUID: "x", Username: strings.Repeat("é", 257), Firstname: "\xff", Email: "a@", Purpose: "x", Password: NewSecret("\x00\xff")}.Check()
	e, ok := errors.AsType[*Error](err)
	if !ok || len(e.Fields) != 6 || strings.Contains(err.Error(), "\xff") {
		t.Errorf("%v, %+v", err, e)
	}
	err = User{Username: "a\x00", Lastname: "\xff", Purpose: "x", AuthenticationMethod: "\xff"}.Check()
	if e, ok := errors.AsType[*Error](err); !ok || len(e.Fields) != 4 {
		t.Errorf("%v", err)
	}
	for _, err := range []error{
		NewUser{}.Check(), User{}.Check(), CheckEmails(nil), CheckEmails([]Email{}),
		NewUser{Username: strings.Repeat("é", 256), UUID: "C0FFEE00-0000-4000-8000-000000000000", AuthenticationMethod: "oidc"}.Check(),
		User{Username: "\x1b[2J \u202e", Purpose: "external_api"}.Check(),
		CheckEmails([]Email{{Address: "a@b.cd", Main: true}, {Address: "b@b.cd"}}),
	} {
		if err != nil {
			t.Error(err)
		}
	}
}

// Addresses that no version of the server has taken, or that each has.
func TestIsEmail(t *testing.T) {
	for address, want := range map[string]bool{
		`"a b"@c.de`: false, `"a\ b"@c.de`: true, `"a\"b"@c.de`: true, `"a\"@c.de`: false, `""@c.de`: true, `"@c.de`: false, "\"a\nb\"@c.de": false, `"é"@c.de`: false,
		"a@[256.1.1.1]": true, "a@[1.1.1]": false, "a@[1.1.1.1": false, "a@[+1.1.1.1]": false, "a@[1111.1.1.1]": false, "a@[]": false,
		"a@localhost": true, "a@LOCALHOST": false, "a@b.co-": true, "a@b.-c": true, "a@.b.cd": false, "a@b.cd.": false, "": false, "@": false, "a@b@c.de": false,
		"日本@例え.jp": true, "a\u0301@b.cd": false, "a@" + strings.Repeat("x", 63) + ".de": true, "a@" + strings.Repeat("x", 64) + ".de": false,
	} {
		if got := isEmail(address); got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
}

func FuzzIsEmail(f *testing.F) {
	for _, s := range []string{"a@b.cd", `"a"@b.cd`, "a@[1.2.3.4]", "@", `"\"@x.yz`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if isEmail(s) && (strings.ContainsAny(s, "\r\n\x00 ") && !strings.HasPrefix(s, `"`) || !strings.Contains(s, "@")) {
			t.Errorf("%q", s)
		}
	})
}
