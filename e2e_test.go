package main_test

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

var countdownOf = regexp.MustCompile(`\s(\d+):(\d\d)\s`)

// secondsLeft reads the countdown in the row of an account.
func secondsLeft(row string) time.Duration {
	m := countdownOf.FindStringSubmatch(row)
	if m == nil {
		return -1
	}
	d, err := time.ParseDuration(m[1] + "m" + m[2] + "s")
	if err != nil {
		return -1
	}
	return d
}

// TestMainJob is what wakey is for, on the demo, as a person does it: sign in, watch the token run
// down and be refreshed, inspect it, copy it, revoke the device that nobody knows, and leave.
func TestMainJob(t *testing.T) {
	x := newMachine(t).terminal(110, 32, "demo")
	x.see("demo", "alice", "active", "nothing saved")

	// The countdown falls.
	first := secondsLeft(line(x.screen(), "alice"))
	x.until("the countdown fall", func(s string) bool {
		left := secondsLeft(line(s, "alice"))
		return left > 0 && left <= first-2*time.Second
	})

	// Sign in as somebody else, with tokens as short as the form allows.
	x.typeKeys("n")
	x.see("Sign in to a Wazo stack", "bob-demo")
	x.typeKeys("bob", "\t", "bob-demo")
	x.until("dots for the password", func(s string) bool { return strings.Contains(line(s, "Password"), "••••••••") })
	x.typeKeys("\t", "\t", strings.Repeat("\x7f", 5), "30s")
	x.until("the lifetime", func(s string) bool { return strings.Contains(line(s, "Lifetime"), " 30s ") })
	x.typeKeys("\r") // on to "stay signed in"
	x.typeKeys("\r") // on to the button
	x.typeKeys("\r")
	x.see("signed in bob", "bob@127.0.0.1")
	suffix := tokenOf(x.see("access token"))

	// Nobody does anything, and before the 30 seconds are over there is another token.
	x.until("a refresh", func(s string) bool {
		now := tokenOf(s)
		if strings.Contains(s, "expired") {
			t.Fatalf("the token expired:\n%s", s)
		}
		return now != "" && now != suffix
	})

	// Copy: the clipboard gets the whole token, the screen its end.
	suffix = tokenOf(x.screen())
	x.typeKeys("y")
	x.see("…" + suffix)
	token := x.copied()
	if len(token) != 36 || !strings.HasSuffix(token, suffix) {
		t.Fatalf("%d characters on the clipboard, not the token that ends in %s", len(token), suffix)
	}
	x.secrets = append(x.secrets, token)

	// Inspect: what the token is, and whether it may do something, by its list and by the stack.
	x.typeKeys("\r")
	x.see("Permissions 60", "auth.users.me.tokens.read", "user agent", "left")
	x.typeKeys("m")
	x.see("May the token of bob@127.0.0.1 do this?")
	x.typeKeys(strings.Repeat("\x7f", 40), "auth.users.me.tokens.read", "\r")
	x.until("both answers", func(s string) bool {
		return strings.Contains(line(s, "by its list"), "✓ yes") && strings.Contains(line(s, "the stack  "), "✓ yes")
	})
	x.typeKeys("\x1b")
	x.until("the box closed", func(s string) bool { return !strings.Contains(s, "do this?") })

	// Revoke the device that nobody knows, and see that it is gone from the stack's list.
	x.typeKeys("1")
	x.see("EXPIRES IN")
	x.typeKeys("G")
	x.until("alice's account chosen", func(s string) bool { return strings.Contains(line(s, "demo "), "▌") })
	x.typeKeys("3")
	x.see("phone-7c1e", "unknown", "this machine")
	x.typeKeys("g", "x")
	x.see("Revoke 1 refresh token of alice", "× phone-7c1e", "until they expire", "Keep")
	x.typeKeys("\x1b[D", "\r")
	x.until("the unknown device gone", func(s string) bool {
		return strings.Contains(s, "1 refresh token") && strings.Contains(s, "this machine") && line(s, "phone-7c1e  ") == ""
	})

	x.typeKeys("q")
	x.quit()
}

var tokenEnd = regexp.MustCompile(`access token +…([0-9a-f]{8})`)

// tokenOf is the end of the access token that the details show.
func tokenOf(screen string) string {
	m := tokenEnd.FindStringSubmatch(screen)
	if m == nil {
		return ""
	}
	return m[1]
}
