package api

import (
	"errors"
	"strings"
	"testing"
)

func TestNormalizeStack(t *testing.T) {
	good := map[string]string{
		"pbx.example.com":                             "https://pbx.example.com/api/auth/0.1",
		"PBX.Example.com":                             "https://pbx.example.com/api/auth/0.1",
		"https://pbx.example.com":                     "https://pbx.example.com/api/auth/0.1",
		"https://pbx.example.com/":                    "https://pbx.example.com/api/auth/0.1",
		"https://pbx.example.com:443/api":             "https://pbx.example.com/api/auth/0.1",
		"HTTPS://h:8443":                              "https://h:8443/api/auth/0.1",
		"h:8443":                                      "https://h:8443/api/auth/0.1",
		"https://pbx.example.com/api/auth":            "https://pbx.example.com/api/auth/0.1",
		"https://pbx.example.com/api/auth/0.1/":       "https://pbx.example.com/api/auth/0.1",
		"https://proxy.example.com/pbx1/api/auth/0.1": "https://proxy.example.com/pbx1/api/auth/0.1",
		"http://127.0.0.1:9497/0.1":                   "http://127.0.0.1:9497/0.1",
		"http://127.9.9.9":                            "http://127.9.9.9/api/auth/0.1",
		"http://localhost:80/0.1":                     "http://localhost/0.1",
		"http://[::1]:9497/0.1":                       "http://[::1]:9497/0.1",
		"[::1]":                                       "https://[::1]/api/auth/0.1",
		"2001:db8::1":                                 "https://[2001:db8::1]/api/auth/0.1",
		"https://[fe80::1%25eth0]:8443":               "https://[fe80::1%25eth0]:8443/api/auth/0.1",
		"pbx.müller.example":                          "https://pbx.müller.example/api/auth/0.1",
		"192.0.2.1":                                   "https://192.0.2.1/api/auth/0.1",
	}
	for in, want := range good {
		got, err := NormalizeStack(in, false)
		if err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
			continue
		}
		if again, err := NormalizeStack(got, false); err != nil || again != got {
			t.Errorf("%q is not canonical: %q, %v", got, again, err)
		}
	}
	if got, err := NormalizeStack("\t pbx.example.com \n", false); err != nil || got != "https://pbx.example.com/api/auth/0.1" {
		t.Errorf("%q, %v", got, err)
	}
	bad := []string{
		"", "  ", "http://pbx.example.com", "http://128.0.0.1", "http://localhost.example.com", "ftp://pbx.example.com", "https://", "https:///x",
		"https://bob:geheim99@pbx.example.com", "bob:geheim99@pbx.example.com", "https://pbx.example.com/wrong", "https://pbx.example.com/?x=1", "https://pbx.example.com/#x",
		"https://pbx.example.com:99999", "https://pbx.example.com:0", "pbx example.com", "pbx\x1b[31m.example.com", "https://[::1", "https://bob:geheim99@[::1", "pbx.example.com\x7f", "\u00ad", "pbx\u202e.example", "pbx!.example", "a%41.example", "p bx", "[::1%25\x1b]",
	}
	for _, in := range bad {
		got, err := NormalizeStack(in, false)
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %q, %v", in, got, err)
			continue
		}
		if text := err.Error(); strings.ContainsRune(text, 0x1b) || strings.Contains(text, "geheim99") || !strings.Contains(text, `type it as "pbx.example.com"`) {
			t.Errorf("%q: %q", in, text)
		}
	}
	if got, err := NormalizeStack("http://pbx.example.com", true); err != nil || got != "http://pbx.example.com/api/auth/0.1" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestStackName(t *testing.T) {
	for base, want := range map[string]string{
		"https://pbx.example.com/api/auth/0.1": "pbx.example.com",
		"http://127.0.0.1:9497/0.1":            "127.0.0.1:9497",
		"http://[::1]:9497/0.1":                "[::1]:9497",
		"nothing\x1b":                          "nothing␛",
	} {
		if got := StackName(base); got != want {
			t.Errorf("%q: %q", base, got)
		}
	}
}
