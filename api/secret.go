package api

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// Secret is a token or a password. Whatever prints it (fmt, slog, encoding/json, a panic)
// gets "…" and the last 8 characters, which is what the server's own logs show; the value
// itself leaves only through Reveal.
//
// It holds a pointer because fmt prints an unexported field without asking for its methods:
// a Secret nested in any struct then shows an address, never the text.
type Secret struct{ value *string }

// NewSecret wraps s. The empty string gives the zero Secret.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{value: &s}
}

// Reveal returns the secret itself. Its callers are the store's encoder, the HTTP client and
// what a person asked for by name (wakey token, copy, exec).
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero tells whether there is no secret.
func (s Secret) IsZero() bool { return s.value == nil }

// Suffix returns the last 8 characters of a token. Of anything that has not a token's form, a
// password that is, the end would say too much: the suffix is then empty.
func (s Secret) Suffix() string {
	v := s.Reveal()
	if !isUUID(v) {
		return ""
	}
	return v[len(v)-8:]
}

// Equal tells whether two secrets hold the same value, in a time that does not depend on where they differ.
// (== compares where they are kept.)
func (s Secret) Equal(o Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(o.Reveal())) == 1
}

// String gives the masked form.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return "…" + s.Suffix()
}

// GoString gives the masked form.
func (s Secret) GoString() string { return `api.Secret("` + s.String() + `")` }

// Format gives the masked form for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText gives the masked form.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON gives the masked form.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }

// LogValue gives the masked form.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
