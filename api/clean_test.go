package api

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"plain text, 100 % ~", "plain text, 100 % ~"},
		{"a\x1b[31mb\x1b]52;c;QQ==\x07", "a␛[31mb␛]52;c;QQ==␇"},
		{"one\r\ntwo\ttab\x00\x7f", "one␍␊two␉tab␀␡"},
		{"csi \u009b31m", "csi \ufffd31m"},
		{"bad \xff\xc3(", "bad \ufffd\ufffd("},
		{"\xe2\x80", "\ufffd\ufffd"},
		{"rtl \u202egnp.exe", "rtl \ufffdgnp.exe"},
		{"iso \u2066a\u2069 \u200f\u061c", "iso \ufffda\ufffd \ufffd\ufffd"},
		{"zero\u200bwidth\u2060\ufeff\u00ad", "zero\ufffdwidth\ufffd\ufffd\ufffd"},
		{"sep\u2028\u2029\u0085", "sep\ufffd\ufffd\ufffd"},
		{"tag\U000e0041\U000e007f", "tag\ufffd\ufffd"},
		{"filler\u3164\u115f\uffa0\u034f", "filler\ufffd\ufffd\ufffd\ufffd"},
		{"non\ufffe\U0001ffff", "non\ufffd\ufffd"},
		{"joiner a\u200db", "joiner a\ufffdb"},
		{"selector a\ufe0f \ufe0f\ufe00", "selector a\ufe0f \ufffd\ufffd"},
		// What people really write stays.
		{"Jürgen Müller – naïve Ångström", "Jürgen Müller – naïve Ångström"},
		{"日本語 한국어 العربية עברית ไทย हिन्दी", "日本語 한국어 العربية עברית ไทย हिन्दी"},
		{"👨‍👩‍👧 ❤️‍🔥 👍🏽 🏳️‍🌈 🇨🇦 ☎️", "👨‍👩‍👧 ❤️‍🔥 👍🏽 🏳️‍🌈 🇨🇦 ☎️"},
		{"e\u0301 combining", "e\u0301 combining"},
		{"\u0600\u06dd arabic signs", "\u0600\u06dd arabic signs"},
		{"nbsp\u00a0wide\u3000", "nbsp\u00a0wide\u3000"},
		{"z" + strings.Repeat("\u0301", 12), "z" + strings.Repeat("\u0301", 8) + strings.Repeat("\ufffd", 4)},
	}
	for _, tt := range tests {
		got := Clean(tt.in)
		if got != tt.want {
			t.Errorf("%q: %q, want %q", tt.in, got, tt.want)
		}
		if again := Clean(got); again != got {
			t.Errorf("%q is not clean the second time: %q", got, again)
		}
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > len(tt.in) {
			t.Errorf("%q became %q", tt.in, got)
		}
	}
}

func TestRedact(t *testing.T) {
	token, password := NewSecret(aToken), NewSecret("Geheim99")
	tests := []struct{ in, want string }{
		{"nothing", "nothing"},
		{aToken, "…6789abcd"},
		{"x" + aToken + aToken + "y", "x…6789abcd…6789abcdy"},
		{"the " + strings.ToUpper(aToken) + " one", "the …6789abcd one"},
		{"gEHEIM99 and geheim9", "… and geheim9"},
		{aToken[:35], aToken[:35]},
	}
	for _, tt := range tests {
		if got := Redact(tt.in, token, password, Secret{}); got != tt.want {
			t.Errorf("%q: %q", tt.in, got)
		}
	}
	if got := Redact("the cat", NewSecret("cat"), NewSecret("e")); got != "the cat" {
		t.Errorf("short secrets are looked for: %q", got)
	}
}

// A secret on the edge of a cut must not leave half of itself.
func TestTameCutsNoSecretInHalf(t *testing.T) {
	secrets := []Secret{token, NewSecret(strings.Repeat("longpassword", 20))}
	for _, secret := range secrets {
		for _, limit := range []int{10, 50, 300} {
			for pad := range 4*limit + 300 {
				in := strings.Repeat("x", pad) + strings.Repeat(secret.Reveal(), 200)
				got := tame(in, limit, secrets)
				rest := strings.TrimLeft(got, "x")
				rest = strings.ReplaceAll(strings.ReplaceAll(rest, "…6789abcd", ""), "…", "")
				// What may remain is the beginning of a mask that the last cut went through.
				if strings.Contains(rest, secret.Reveal()[:8]) || len(rest) > 8 {
					t.Fatalf("limit %d, pad %d: %q", limit, pad, got)
				}
			}
		}
	}
}
