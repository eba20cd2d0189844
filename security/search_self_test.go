//go:build linux

package security_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// Every form of every secret is found, in the middle of something else and cut short; what only looks like one is not.
func TestSearchFindsEveryForm(t *testing.T) {
	const (
		password = `corréct "horse"/battery+staple & <co>`
		token    = "5f0c7d7a-3a52-4c55-9d9e-6c3f6b1f2a77"
	)
	s := newSearcher([]secret{{"password", password}, {"access token", token}})
	quoted, err := json.Marshal("x" + password)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		"plain":                password,
		"the beginning alone":  token[:20] + "…",
		"the end alone":        "…" + token[20:],
		"capitals":             strings.ToUpper(token),
		"without dashes":       strings.ReplaceAll(token, "-", ""),
		"JSON":                 string(quoted),
		"JSON, no HTML":        jsonText(password, false),
		"JSON, all escaped":    escaped(password, `\u%04x`),
		"a query":              url.QueryEscape(password),
		"a path":               url.PathEscape(password),
		"Go, quoted":           fmt.Sprintf("%q", password),
		"hexadecimal":          fmt.Sprintf("%x", token),
		"a slice of bytes":     fmt.Sprintf("%d", []byte(token)),
		"backwards":            reversed(token),
		"base64":               base64.StdEncoding.EncodeToString([]byte(password)),
		"base64, raw URL":      base64.RawURLEncoding.EncodeToString([]byte(password)),
		"Basic":                base64.StdEncoding.EncodeToString([]byte("alice:" + password)),
		"base64, shifted by 1": base64.StdEncoding.EncodeToString([]byte("x" + token + "and more")),
		"base64, shifted by 2": base64.URLEncoding.EncodeToString([]byte("xy" + token)),
	}
	for name, text := range tests {
		if hits := s.find(record{data: []byte("before " + text + " after")}); len(hits) == 0 {
			t.Errorf("%s: %q is not found", name, text)
		}
	}
	for _, harmless := range []string{
		"…6b1f2a77", "token …" + token[28:] + " expires", "corréct hors", "5f0c7d7b-3a52-4c56-9d9f-7c3f6b1f2a77",
	} {
		if hits := s.find(record{data: []byte(harmless)}); len(hits) > 0 {
			t.Errorf("%q: %v", harmless, hits)
		}
	}
}
