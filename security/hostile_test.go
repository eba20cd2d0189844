//go:build linux

package security_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"unicode"
	"unicode/utf8"
)

// mark is in each hostile text that a terminal would act on without showing it.
const mark = "PWNED"

// payloads are what a hostile stack puts into every text.
var payloads = []string{
	"\x1b]52;c;UFdORUQ=\a", // the clipboard
	"\x1b]0;" + mark + "\a\x1b]2;" + mark + "\x1b\\\x1b[2J\x1b[H", // title, an empty screen
	"\u202eevil\u2066\u2069\u200f\u200b\ufeff",                    // the other way round, and what can't be seen
	"one\ntwo\r\nthree\rfour\x00\b\b\b\v\f\t|",                    // more lines, back over the last
	"\u009b2J\u009d52;c;UFdORUQ=\u009c\u0085\u2028\u2029\x7f",     // the same in 8 bits
	"\x1bP$q\"p\x1b\\\x1b[6n\x1b[c\x1b]11;?\a\x1b_G\x1b\\",        // questions, whose answers would be typed
	"e" + strings.Repeat("\u0301", 200),                           // over other lines
	"漢字👩‍👩‍👧‍👦🇨🇦☁️가" + strings.Repeat("界", 60),                    // wider than it is long
	strings.Repeat("A", 400) + strings.Repeat("\u200d", 40),       // longer than any screen
	"\x1b[?1049l\x1b[?1000h\x1b[?25l\x1b[8m\x1bc\x1b#8\x1b(0\x0e", // modes, a reset, other letters
	"\x1b]8;;http://evil.example/" + mark + "\x1b\\here\x1b]8;;\x1b\\\a",
	"`$(touch " + mark + ")`; '\"\\%s%n{{.}}",
}

// every is in each hostile text: one of each kind of what must not reach a terminal. The payloads come one after the other.
const every = "\x1b[5m\u009d\u202e\u200b\n\x00"

// needed are the members without whose real values nothing but an error is to be seen.
var needed = []string{
	"token", "refresh_token", "session_uuid", "auth_id", "utc_issued_at", "utc_expires_at", "created_at", "reason", "error_id",
}

// identifiers are without their real values no texts that a list could show.
var identifiers = []string{"uuid", "user_uuid", "tenant_uuid"}

// hostile makes a stack whose texts are all hostile, its identifiers too when they are to be broken, and whose lists are as long as size
// says and claim to be longer.
func hostile(size int, broken bool) func(http.ResponseWriter, *http.Request, http.Handler) {
	var n atomic.Int64
	var poison func(key string, v any) any
	poison = func(key string, v any) any {
		switch v := v.(type) {
		case string:
			if slices.Contains(needed, key) || !broken && slices.Contains(identifiers, key) {
				return v
			}
			return v + every + payloads[int(n.Add(1))%len(payloads)]
		case []any:
			for i := range min(len(v), 300) { // enough: what comes after is there to be long
				v[i] = poison(key, v[i])
			}
		case map[string]any:
			for k := range v {
				v[k] = poison(k, v[k])
			}
			v["\x1b]0;"+mark+"\a"] = "a member that nobody knows"
		}
		return v
	}
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		answer := capture(next, r)
		w.Header().Set("X-Hostile", "\u009b2J"+mark)
		var v any
		if json.Unmarshal(answer.Body.Bytes(), &v) != nil {
			send(w, answer, answer.Body.Bytes())
			return
		}
		if list, ok := v.(map[string]any); ok {
			if items, ok := list["items"].([]any); ok && len(items) > 0 {
				list["items"], list["total"], list["filtered"] = lengthen(items, size), 1<<40, 1<<40
			}
		}
		body, _ := json.Marshal(poison("", v))
		send(w, answer, body)
	}
}

// lengthen repeats the items of a list, so that each is another. One has a name of a megabyte.
func lengthen(items []any, size int) []any {
	first, ok := items[0].(map[string]any)
	if !ok {
		return items
	}
	had := len(items)
	for i := had; i < size; i++ {
		more := make(map[string]any, len(first))
		for k, v := range first {
			more[k] = v
			if s, ok := v.(string); ok && k == "uuid" {
				more[k] = fmt.Sprintf("%08x%s", i, s[min(8, len(s)):])
			} else if ok && !slices.Contains(needed, k) && !slices.Contains(identifiers, k) {
				more[k] = fmt.Sprintf("%.20s%s-%d", s, every, i)
			}
		}
		if i == had {
			for _, k := range []string{"client_id", "username"} {
				if _, ok := more[k]; ok {
					more[k] = strings.Repeat("M\x1b[2J\n", 1<<20/6)
					break
				}
			}
		}
		items = append(items, more)
	}
	return items
}

// harmful gives the first character of an output that may do something to a terminal.
func harmful(s string) string {
	if !utf8.ValidString(s) {
		return "invalid UTF-8"
	}
	last := rune(0)
	for i, r := range s {
		switch {
		case r == '\n', r == 0x200d && last > 0x2000: // a joiner within an emoji
		case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Cf, r), r == 0x2028, r == 0x2029:
			return fmt.Sprintf("%U after %q", r, s[max(0, i-40):i])
		}
		last = r
	}
	return ""
}

// looking are the commands that show what a stack says.
func (w *world) looking() []command {
	return []command{
		{args: []string{"list"}},
		{args: []string{"list", "--json"}},
		{args: []string{"status", "prod"}},
		{args: []string{"status", "--all", "--json"}},
		{args: []string{"inspect", "prod"}},
		{args: []string{"inspect", "prod", "--acl"}},
		{args: []string{"inspect", "prod", "--json"}},
		{args: []string{"inspect", "prod", "--can", "auth.users.read"}},
		{args: []string{"refresh", "prod"}},
		{args: []string{"refresh-tokens", "list", "-a", "prod"}},
		{args: []string{"refresh-tokens", "list", "-a", "prod", "--json"}},
		{args: []string{"refresh-tokens", "list", "-a", "prod", "--jq", "."}},
		{args: []string{"refresh-tokens", "revoke", "phone", "-a", "prod", "--yes"}},
		{args: []string{"sessions", "list", "prod"}},
		{args: []string{"sessions", "list", "prod", "--json"}},
		{args: []string{"sessions", "revoke", "8e1a3c5e-0000-4000-8000-00000000dead", "-a", "prod", "--yes"}},
		{args: []string{"api", "/auth/0.1/users/me/tokens", "-a", "prod"}},
		{args: []string{"api", "/auth/0.1/users/me/tokens", "-a", "prod", "--include"}},
		{args: []string{"api", "/auth/0.1/users", "-a", "prod"}},
		{args: []string{"api", "/auth/0.1/users", "-a", "root"}},
		{args: []string{"api", "/auth/0.1/users", "-a", "root", "--paginate"}},
		{args: []string{"users", "list", "-a", "root"}},
		{args: []string{"users", "list", "-a", "root", "--json"}},
		{args: []string{"users", "show", aliceUUID, "-a", "root"}},
		{args: []string{"users", "show", aliceUUID, "-a", "root", "--json"}},
		{args: []string{"users", "emails", aliceUUID, "-a", "root"}},
		{args: []string{"users", "update", aliceUUID, "--firstname", "A", "-a", "root", "--dry-run"}},
		{args: []string{"users", "passwd", aliceUUID, "--password-stdin", "-a", "root"}, stdin: alicePassword},
		{args: []string{"users", "revoke", aliceUUID, "-a", "root", "--yes"}},
		{args: []string{"users", "delete", aliceUUID, "-a", "root", "--dry-run"}},
		{args: []string{"users", "export", "-a", "root"}},
		{args: []string{"users", "export", "--format", "jsonl", "-a", "root"}},
		{args: []string{"refresh-tokens", "labels", "export"}},
		{args: []string{"respond", "prod", "--dry-run"}},
		{args: []string{"doctor"}},
		{args: []string{"log"}},
		{args: []string{"log", "--json"}},
		{args: []string{"prompt"}},
		{args: []string{"login", w.stack.URL, "--user", "alice", "--password-stdin", "--account", "new"}, stdin: alicePassword},
	}
}

// hostileWorld has accounts on a stack that turned hostile after they were signed in; with early, already at sign-in.
func hostileWorld(t *testing.T, size int, early bool) *world {
	t.Helper()
	s := newStack(t)
	w := newWorld(t, s)
	w.quickStore()
	s.signIn(t, alice, alicePassword, "phone"+payloads[2])
	s.signIn(t, alice, alicePassword, "laptop"+payloads[0])
	if early {
		s.set(hostile(size, true))
	}
	for _, who := range [][3]string{{"alice", alicePassword, "prod"}, {"admin", adminPassword, "root"}} {
		w.run(command{
			args:  []string{"login", s.URL, "--user", who[0], "--password-stdin", "--account", who[2], "--fingerprint", s.Fingerprint},
			stdin: who[1],
		})
	}
	w.must("config", "set", "bell", "false") // then each one is the stack's
	s.set(hostile(size, early))
	return w
}

// Nothing that a stack says does anything to a terminal, from any command, read by a program or shown to a person.
func TestHostileStackAgainstCommands(t *testing.T) {
	t.Parallel()
	for _, early := range []bool{true, false} {
		t.Run(fmt.Sprintf("early %v", early), func(t *testing.T) {
			t.Parallel()
			hostileCommands(t, early)
		})
	}
}

func hostileCommands(t *testing.T, early bool) {
	t.Helper()
	w := hostileWorld(t, 60, early)
	for _, c := range w.looking() {
		name := strings.Join(c.args, " ")
		c.code = -1
		r := w.run(c)
		if strings.Contains(r.stderr, "panic") {
			t.Errorf("%s: %s", name, r.stderr)
		}
		tabs := "\t"
		if c.args[0] == "api" || slices.Contains(c.args, "export") {
			r.stdout, tabs = "", "" // what the stack sent, as it is, for a program
		}
		for stream, text := range map[string]string{"stdout": r.stdout, "stderr": r.stderr} {
			if bad := harmful(text); bad != "" {
				t.Errorf("%s: %s holds %s", name, stream, bad)
			}
		}
		if c.stdin != "" {
			continue // its input is no terminal
		}
		x := w.sit(name, 0, 0, c)
		x.ends()
		x.harmless(strings.NewReplacer("\r\n", "\n", "\t", tabs).Replace(x.raw()))
	}
	for _, args := range [][]string{
		{"refresh-tokens", "list", "-a", "prod", "--jq", ".[].client_id"},
		{"refresh-tokens", "list", "-a", "prod", "--template", "{{range .}}{{.client_id}} {{end}}"},
		{"api", "/auth/0.1/users/me/tokens", "-a", "prod", "--jq", ".items[].client_id"},
	} { // to a program the texts are as they are
		x := w.sit(strings.Join(args, " "), 0, 0, command{args: args})
		x.ends()
		x.harmless(strings.NewReplacer("\r\n", "\n", "\t", " ").Replace(x.raw())) // a tab may be the expression's own
	}
}

// harmless fails when what was written to a terminal would do anything but show text.
func (x *terminal) harmless(text string) {
	x.t.Helper()
	if bad := harmful(text); bad != "" {
		x.t.Errorf("%s: the terminal gets %s", x.step, bad)
	}
}

// A list of 50,000 items with a name of a megabyte is listed, a line an item, and no endless one is asked for.
func TestEndlessLists(t *testing.T) {
	t.Parallel()
	size := 50000
	if testing.Short() {
		size = 5000
	}
	w := hostileWorld(t, size, false)
	for _, args := range [][]string{{"refresh-tokens", "list", "-a", "prod"}, {"sessions", "list", "prod"}} {
		w.stack.ResetRequests()
		r := w.run(command{args: args, code: -1})
		if bad := harmful(r.stdout + r.stderr); bad != "" {
			t.Errorf("%s: %s", args, bad)
		}
		if len(r.stdout) > 50<<20 {
			t.Errorf("%s: %d bytes", args, len(r.stdout))
		}
		lines := strings.Count(r.stdout, "\n")
		if r.code == 0 && (lines < size || lines > size+10) {
			t.Errorf("%s: %d lines for %d items", args, lines, size)
		}
		requests := w.stack.Count(http.MethodGet, "")
		if requests > 100 {
			t.Errorf("%s: %d requests", args, requests)
		}
		t.Logf("%s: exit code %d, %d lines, %d bytes, %d requests, %.200s", args, r.code, lines, len(r.stdout), requests, r.stderr)
	}
}
