package quick

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestTokenArgs(t *testing.T) {
	for args, want := range map[string]string{ // "?": the program's
		"":                        "|TOKEN\n",
		"prod":                    "prod|TOKEN\n",
		"--header":                "|X-Auth-Token: TOKEN\n",
		"prod --curl-config":      "prod|header = \"X-Auth-Token: TOKEN\"\n",
		"--no-input -a prod":      "prod|TOKEN\n",
		"--account prod --header": "prod|X-Auth-Token: TOKEN\n",
		"--account=prod":          "prod|TOKEN\n",
		"--account=":              "?",
		"--account":               "?",
		"-a":                      "?",
		"-a --header":             "?",
		"-aprod":                  "?",
		"prod lab":                "?",
		"prod -a prod":            "?",
		"--header --curl-config":  "?",
		"--header --header":       "?",
		"--header=true":           "?",
		"--json":                  "?",
		"--min-valid 5m":          "?",
		"--refresh":               "?",
		"--help":                  "?",
		"-- prod":                 "?",
	} {
		name, form, ok := tokenArgs(strings.Fields(args))
		got := "?"
		if ok {
			got = name + "|" + form.before + "TOKEN" + form.after
		}
		if got != want {
			t.Errorf("wakey token %s: %q, want %q", args, got, want)
		}
	}
}

func FuzzReady(f *testing.F) {
	now := time.Unix(1795000000, 123)
	f.Add((&Ready{
		KeySerial: 12, Key: "wakey:age1x", Settings: "none", ID: "00000001", Name: "prod", Only: true, From: now, Until: now.Add(time.Hour),
		Token: "11e1f2c4-0000-4000-8000-0000000000aa", Generation: []byte("age\nhead 1 2"),
	}).Encode())
	f.Add([]byte(readyVersion + "\n1\n\n\n\n\n\n1\n1\nx\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, ok := parseReady(b)
		if !ok {
			return
		}
		again, ok := parseReady(r.Encode())
		if !ok || !bytes.Equal(r.Encode(), again.Encode()) || r.Token == "" {
			t.Errorf("%q is read as %q", b, r.Encode())
		}
	})
}
