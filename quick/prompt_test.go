package quick

import (
	"testing"
	"time"
)

func TestPrompt(t *testing.T) {
	for _, c := range []struct {
		name, state string
		left        time.Duration
		want        string
	}{
		{"prod", "", 103 * time.Minute, "prod 1h43min\n"},
		{"prod", "active", 59 * time.Second, "prod 59s\n"},
		{"prod", "expired", -time.Second, "prod ?\n"},
		{"prod", "", 0, "prod ?\n"},
		{"prod", "sign-in needed", time.Hour, "prod !\n"},
		{"prod", "revoked elsewhere", time.Hour, "prod !\n"},
		{"prod", "identity changed", time.Hour, "prod !\n"},
		{"$(rm -rf ~) `x` %n \\w \"'!", "", time.Hour, "_(rm -rf ~) _x_ _n _w ___ 1h\n"},
	} {
		if got := Prompt(c.name, c.state, c.left); got != c.want {
			t.Errorf("%s, %s, %v: %q, want %q", c.name, c.state, c.left, got, c.want)
		}
	}
}
