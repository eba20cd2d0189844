package api

import (
	"strings"
	"unicode/utf8"
)

// shortest is the length under which a secret is not looked for: it would turn up by chance.
const shortest = 4

// Redact replaces secrets in a text by their masked form, whatever their letter case. Secrets of fewer than
// 4 bytes are left, as they would turn up by chance.
func Redact(s string, secrets ...Secret) string {
	for _, secret := range secrets {
		s = redactOne(s, secret.Reveal(), secret.String())
	}
	return s
}

func redactOne(s, value, mask string) string {
	if len(value) < shortest || len(s) < len(value) {
		return s
	}
	var b strings.Builder
	from := 0
	for i := 0; i+len(value) <= len(s); {
		if strings.EqualFold(s[i:i+len(value)], value) {
			b.WriteString(s[from:i] + mask)
			i += len(value)
			from = i
			continue
		}
		i++
	}
	if from == 0 {
		return s
	}
	b.WriteString(s[from:])
	return b.String()
}

// tame makes what a server said fit for an error's text: without secrets, harmless, and of bounded length.
func tame(s string, limit int, secrets []Secret) string {
	// Cleaning a megabyte for the sake of a line would be waste, so it is cut first. The cut may go through a
	// secret, whose half would not be recognised: as much again is dropped.
	most := 4*limit + 256
	whole := len(s) <= most
	if !whole {
		s = s[:most]
	}
	s = Redact(s, secrets...)
	if !whole {
		half := 0
		for _, secret := range secrets {
			half = max(half, len(secret.Reveal()))
		}
		s = s[:max(0, len(s)-half)]
	}
	return shorten(Redact(Clean(s), secrets...), limit)
}

// shorten cuts a text after limit characters.
func shorten(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	n := 0
	for i := range s {
		if n == limit {
			return s[:i] + "…"
		}
		n++
	}
	return s
}

// maskUUIDs masks everything of a token's shape, for texts of which nothing is known.
func maskUUIDs(s string) string {
	for i := 0; i+36 <= len(s); i++ {
		if isUUID(s[i : i+36]) {
			s = s[:i] + "…" + s[i+28:]
			i += len("…") + 8 - 1
		}
	}
	return s
}

// isUUID tells whether s has the 36-character form of a UUID, in any letter case.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
		default:
			return false
		}
	}
	return true
}
