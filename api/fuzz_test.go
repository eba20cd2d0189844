package api

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"wakey/internal/authd"
)

// holds keeps successes with a key; what is long is slow to vary.
func holds(key string, longest int) func(int, []byte) bool {
	return func(status int, body []byte) bool {
		return status == http.StatusOK && len(body) <= longest && bytes.Contains(body, []byte(key))
	}
}

// addRecorded seeds a fuzz test with the recorded bodies.
func addRecorded(f *testing.F, keep func(status int, body []byte) bool) {
	f.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", "recorded", "*.json"))
	if err != nil || len(names) == 0 {
		f.Fatal("no recordings", err)
	}
	for _, name := range names {
		rec := load(f, strings.TrimSuffix(filepath.Base(name), ".json"))
		if body := rec.body(f); keep(rec.Response.Status, body) {
			f.Add(body)
		}
	}
}

// errorIsFit checks an error's text: one harmless line that quotes nothing secret.
func errorIsFit(t *testing.T, err error, secrets ...string) {
	t.Helper()
	text := err.Error()
	if !utf8.ValidString(text) || Clean(text) != text || len(text) > 8000 {
		t.Errorf("unfit: %q", text)
	}
	for _, secret := range secrets {
		if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
			t.Errorf("secret in %q", text)
		}
	}
}

func FuzzToken(f *testing.F) {
	addRecorded(f, holds(`"data"`, 4000))
	f.Add([]byte(`{"data":{"token":"` + aToken + `","auth_id":"x","acls":["a"],"issued_at":"2026-11-23T06:58:23","expires_at":"2026-11-23T07:58:23"}}`))
	f.Add([]byte(`{"data":{"token":null,"metadata":{"admin":1}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		h := http.Header{"Content-Type": {jsonType}, "Date": {"Mon, 23 Nov 2026 12:35:02 GMT"}}
		var answer struct {
			Data *wireToken `json:"data"`
		}
		err := readJSON(h, &bodyReader{r: bytes.NewReader(body), left: objectLimit}, nil, &answer)
		if err != nil {
			errorIsFit(t, err)
			return
		}
		if answer.Data == nil {
			return
		}
		token, err := tokenOf(answer.Data, h, time.Now())
		if err != nil {
			errorIsFit(t, err)
			return
		}
		if !isUUID(token.Value.Reveal()) || token.AuthID == "" || token.ExpiresAt.Before(token.IssuedAt) || token.IssuedAt.IsZero() && w0(answer.Data) ||
			!token.RefreshToken.IsZero() && !isUUID(token.RefreshToken.Reveal()) {
			t.Errorf("%+v from %q", token, body)
		}
	})
}

// w0 tells whether the token's own times were missing.
func w0(w *wireToken) bool { return w.UTCIssuedAt == "" || w.UTCExpiresAt == "" }

func FuzzList(f *testing.F) {
	addRecorded(f, holds(`"items"`, 1000))
	f.Add([]byte(`{"items":[{"client_id":"a","created_at":null},null],"total":1e3}`))
	f.Add([]byte(`{"total":1,"items":[],"items":[{"uuid":"` + aUser + `"}],"x":{"y":[]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		h := http.Header{"Content-Type": {jsonType}}
		reader := func() *bodyReader { return &bodyReader{r: bytes.NewReader(body), left: listLimit} }
		rts, err := decodePage(h, reader(), nil, refreshTokenOf)
		if err != nil {
			errorIsFit(t, err)
		}
		for _, rt := range rts.Items {
			if err == nil && rt.ClientID == "" {
				t.Errorf("%+v from %q", rt, body)
			}
		}
		sessions, err := decodePage(h, reader(), nil, sessionOf)
		if err != nil {
			errorIsFit(t, err)
		} else if sessions.Total < 0 || sessions.Filtered < 0 {
			t.Errorf("%+v from %q", sessions, body)
		}
		if _, err := decodePage(h, reader(), nil, userOf); err != nil {
			errorIsFit(t, err)
		}
		if _, err := decodePage(h, reader(), nil, policyOf); err != nil {
			errorIsFit(t, err)
		}
	})
}

func FuzzError(f *testing.F) {
	for _, status := range []int{200, 302, 400, 401, 403, 404, 405, 409, 418, 429, 500, 502} {
		f.Add(status, []byte(`{"message":{"a":[{"message":"`+aToken+`"}]},"error_id":"conflict","details":{"`+aToken+`":{}},"timestamp":[1e400]}`), "text/html", "https://x/"+aToken)
	}
	f.Add(400, []byte(`{"reason":["{'expiration': [{'constraint_id': 'range', 'message': \"it's \\u001b \\xff\"}], 'x': (1, None, True)}"],"status_code":400}`), jsonType, "")
	names, _ := filepath.Glob(filepath.Join("testdata", "recorded", "*.json"))
	for _, name := range names {
		rec := load(f, strings.TrimSuffix(filepath.Base(name), ".json"))
		if rec.Response.Status >= 300 {
			f.Add(rec.Response.Status, rec.body(f), rec.Response.Headers["Content-Type"], rec.Response.Headers["Location"])
		}
	}
	c := &Client{base: "https://pbx.example/api/auth/0.1", timeout: defaultTimeout}
	f.Fuzz(func(t *testing.T, status int, body []byte, contentType, location string) {
		body = bytes.ReplaceAll(body, []byte("TOKEN"), []byte(aToken))
		for _, r := range []*request{
			{method: http.MethodGet, path: "/users/me/tokens", token: token},
			{method: http.MethodPost, path: "/token", legacy401: KindRefreshRefused, hidden: []Secret{token}},
			{method: http.MethodHead, path: "/token/" + aToken, tokenPath: true, hidden: []Secret{token}, scope: "x"},
		} {
			resp := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}, "Location": {location}}, Body: io.NopCloser(bytes.NewReader(body))}
			err := c.failure(t.Context(), r, resp)
			errorIsFit(t, err, aToken)
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Status != status || e.Kind < 0 || int(e.Kind) >= len(kinds) {
				t.Errorf("%+v", err)
				continue
			}
			for name, field := range e.Fields {
				if all := name + field.Message + field.Constraint; Clean(all) != all || strings.Contains(strings.ToLower(all), aToken) {
					t.Errorf("field %q: %+v", name, field)
				}
			}
			for _, s := range []string{e.Message, e.Path, e.Permission, e.Tenant} {
				if Clean(s) != s {
					t.Errorf("unfit: %q", s)
				}
			}
		}
	})
}

func FuzzTime(f *testing.F) {
	for _, s := range []string{
		"2026-11-23T06:58:23.156249", "2026-11-23T06:58:23", "2026-11-23T07:12:21.431158-05:00", "2026-11-23T12:51:51+05:53:28", "2024-02-29T00:00:00Z", "", "0000-00-00T00:00:00",
		"9999-12-31T23:59:60", "2026-11-23T06:58:23,5",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, parse := range []func(string) (time.Time, error){parseUTC, parseZoned} {
			at, err := parse(s)
			if err != nil {
				errorIsFit(t, err)
				continue
			}
			again, err := parse(at.UTC().Format("2006-01-02T15:04:05.999999999"))
			if err != nil && at.UTC().Year() >= 0 && at.UTC().Year() <= 9999 || err == nil && !again.Equal(at) {
				t.Errorf("%q is %v, then %v, %v", s, at, again, err)
			}
		}
	})
}

// FuzzAllows compares this matcher, authd's, and regular expressions.
func FuzzAllows(f *testing.F) {
	for _, seed := range [][2]string{
		{"auth.users.me.tokens.*.delete", "auth.users.u.tokens.x.delete"},
		{"#.read !auth.*.read", "auth.users.read"},
		{"!# #", ""},
		{"*#*", "a.b#c"},
		{"events.my_session.edit", "events.s.update"},
		{"me", "u"},
		{"a.me*.b", "a.me.b"},
		{"!", ""},
		{"!!a", "!a"},
		{"..", ".."},
		{"(a|b)+", "(a|b)+"},
		{"auth.# !auth.users.#", "auth.tokens.read"},
		{"a*b*c", "aXbYc"},
		{"*.*", "."},
	} {
		f.Add(seed[0], seed[1], "u", "s")
	}
	f.Add("me my_session", "me", "", "")
	f.Fuzz(func(t *testing.T, entries, required, user, session string) {
		if len(entries) > 400 || len(required) > 400 {
			return
		}
		acl := strings.Split(entries, " ")
		got := Allows(acl, required, user, session)
		if theirs := authd.MatchACL(acl, required, user, session); got != theirs {
			t.Errorf("Allows(%q, %q, %q, %q) is %v, authd says %v", acl, required, user, session, got, theirs)
		}
		if valid := utf8.ValidString(entries) && utf8.ValidString(required) && utf8.ValidString(user) && utf8.ValidString(session); valid {
			if want := byExpression(acl, required, user, session); got != want {
				t.Errorf("Allows(%q, %q, %q, %q) is %v, expressions say %v", acl, required, user, session, got, want)
			}
		}
		decided := Matching(acl, required, user, session)
		if allowed := len(decided) > 0 && !strings.HasPrefix(decided[0], "!"); allowed != got {
			t.Errorf("%q decided, Allows says %v", decided, got)
		}
	})
}

// byExpression is the grammar of contract 2 told a third time, in the way of the server: as regular expressions.
func byExpression(acl []string, required, user, session string) bool {
	granted := false
	for _, entry := range acl {
		pattern, denies := strings.CutPrefix(entry, "!")
		words := strings.Split(pattern, ".")
		for i, word := range words {
			other := map[string]string{"me": user, "my_session": session, "edit": "update"}[word]
			words[i] = strings.NewReplacer(`\*`, `[^.#]*`, `#`, `.*`).Replace(regexp.QuoteMeta(word))
			if other != "" {
				words[i] = "(?:" + word + "|" + regexp.QuoteMeta(other) + ")"
			}
		}
		if regexp.MustCompile(`(?s)\A(?:` + strings.Join(words, `\.`) + `)\z`).MatchString(required) {
			if denies {
				return false
			}
			granted = true
		}
	}
	return granted
}

func FuzzClean(f *testing.F) {
	f.Add("a\x1b[31m\u202e\U000e0041👨‍👩‍👧\xff e\u0301")
	f.Fuzz(func(t *testing.T, s string) {
		got := Clean(s)
		if !utf8.ValidString(got) || Clean(got) != got || utf8.RuneCountInString(got) > len(s) {
			t.Errorf("%q: %q", s, got)
		}
		for _, r := range got {
			if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200b || r == 0x2028 || r == 0x2029 || r == 0xfeff {
				t.Errorf("%q: %U in %q", s, r, got)
			}
		}
	})
}

func FuzzStack(f *testing.F) {
	for _, s := range []string{"pbx.example.com", "http://127.0.0.1:9497/0.1", "https://[::1]:1/x/0.1", "::1", "a@b", "http://2130706433/0.1", "https://h/%2e%2e/0.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		base, err := NormalizeStack(s, false)
		if err != nil {
			errorIsFit(t, err)
			return
		}
		again, err := NormalizeStack(base, false)
		if err != nil || again != base {
			t.Errorf("%q: %q, then %q, %v", s, base, again, err)
		}
		u, err := parseBase(base)
		if err != nil || u.Scheme != "https" && !isLoopback(u.Hostname()) || u.User != nil || !strings.HasSuffix(base, "/0.1") || Clean(base) != base {
			t.Errorf("%q: %q, %v", s, base, err)
		}
	})
}
