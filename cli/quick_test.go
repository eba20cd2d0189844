//go:build linux

package cli

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"a.wakey/quick"
	"github.com/adrg/xdg"

	"wakey/session"
)

// begun runs the program, and gives what it printed and which packages were initialized.
func begun(t *testing.T, h *house, args ...string) (stdout string, packages []string) {
	t.Helper()
	cmd := h.process(args...)
	cmd.Env = append(cmd.Env, "GODEBUG=inittrace=1")
	var out, trace bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &trace
	if err := cmd.Run(); err != nil {
		t.Fatalf("wakey %q: %v\n%s", args, err, trace.String())
	}
	for line := range strings.Lines(trace.String()) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "init" {
			packages = append(packages, f[1])
		}
	}
	return out.String(), packages
}

// The answers that are asked for most come before the program has begun: see package quick.
func TestQuickIsFirst(t *testing.T) {
	h := newHouse(t)
	heavy := []string{"encoding/json", "net", "net/http", "github.com/itchyny/gojq", "wakey/session", "wakey/ui"}
	one, first := begun(t, h, "prompt")
	for _, p := range heavy {
		if slices.Contains(first, p) {
			t.Errorf("wakey prompt initializes %s", p)
		}
	}
	other, all := begun(t, h, "prompt", "--no-input") // the program's own
	for _, p := range heavy {
		if !slices.Contains(all, p) {
			t.Errorf("%s has another name now, or is not initialized at all", p)
		}
	}
	if one != other || one == "" {
		t.Errorf("quick says %q, the program %q", one, other)
	}
	if !hasKernelKeyring() {
		t.Log("no kernel keyring here: tokens are not looked at")
		return
	}
	if _, errs := printed(t, h, "unlock"); errs != nil {
		t.Fatal(errs)
	}
	t.Cleanup(func() { _, _ = printed(t, h, "lock") })
	one, _ = begun(t, h, "token")
	other, first = begun(t, h, "token")
	for _, p := range heavy {
		if slices.Contains(first, p) {
			t.Errorf("wakey token initializes %s", p)
		}
	}
	if one != other || len(one) != 37 {
		t.Errorf("the program says %q, quick %q", one, other)
	}
}

func printed(t *testing.T, h *house, args ...string) (string, error) {
	t.Helper()
	out, err := h.process(args...).Output()
	return string(out), err
}

// It stays first as long as it needs little: what it imports is initialized before.
func TestQuickNeedsLittle(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "a.wakey/quick").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, heavy := range []string{"fmt", "reflect", "strings", "path/filepath", "encoding/json", "net"} {
		if slices.Contains(strings.Fields(string(out)), heavy) {
			t.Errorf("quick imports %s, which is initialized behind dozens of others", heavy)
		}
	}
}

// Whatever the accounts are, quick and the program read the index alike.
func TestPromptAgrees(t *testing.T) {
	h := newHouse(t)
	add := func(id, name string, change func(*session.Record)) {
		t.Helper()
		_, err := h.store.Update(t.Context(), session.ID(id), func(r *session.Record) error {
			*r = h.account
			r.ID, r.Name, r.Problem = session.ID(id), name, nil
			access := *h.account.Access
			r.Access = &access
			change(r)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	add("00000001", "100% \"sure\" $HOME `x`", func(*session.Record) {})
	add("00000002", "Größe 漢", func(*session.Record) {})
	add("00000003", "<&>", func(*session.Record) {})
	add("00000004", "over", func(r *session.Record) { r.Access.ExpiresAt = time.Now().Add(-time.Hour) })
	add("00000005", "online", func(r *session.Record) {
		r.Access.ExpiresAt, r.RefreshToken, r.ClientID = time.Now().Add(-time.Hour), h.account.RefreshToken, ""
	})
	add("00000006", "revoked", func(r *session.Record) {
		r.Problem = &session.Problem{State: session.RevokedElsewhere, Reason: `"expires_at":"2000-01-01T00:00:00Z"`, Since: time.Now()}
	})
	add("00000007", "changed", func(r *session.Record) {
		r.Problem = &session.Problem{State: session.IdentityChanged, Reason: "x", Since: time.Now()}
	})
	add("00000008", "sign-in", func(r *session.Record) {
		r.Problem = &session.Problem{State: session.SignInNeeded, Reason: "x", Since: time.Now()}
	})
	accounts, err := session.ReadIndex(h.dir)
	if err != nil || len(accounts) != 9 {
		t.Fatalf("%d accounts, %v", len(accounts), err)
	}
	base := h.env
	for _, a := range accounts {
		for _, name := range []string{a.Name, string(a.ID)} {
			h.env = append(slices.Clone(base), "WAKEY_ACCOUNT="+name)
			early, _ := printed(t, h, "prompt")
			late, _ := printed(t, h, "prompt", "--no-input")
			tame := strings.Map(func(r rune) rune {
				if strings.ContainsRune("%$`\"", r) {
					return '_'
				}
				return r
			}, a.Name)
			want := tame + " 1h5"
			switch {
			case a.State.NeedsPerson():
				want = tame + " !\n"
			case a.State == session.Expired:
				want = tame + " ?\n"
			}
			if early != late || !strings.HasPrefix(early, want) {
				t.Errorf("%q: quick says %q, the program %q, want %q", name, early, late, want)
			}
		}
	}
	h.env = append(slices.Clone(base), "WAKEY_ACCOUNT=nobody")
	if out, err := printed(t, h, "prompt"); out != "" || err != nil {
		t.Errorf("no such account: %q, %v", out, err)
	}
	h.env = append(slices.Clone(base), "WAKEY_REFRESH_TOKEN=x")
	if out, _ := printed(t, h, "prompt"); out != "environment\n" {
		t.Errorf("from the environment: %q", out)
	}
	// With several accounts and none switched to, none is shown.
	h.env = base
	writeCurrent(h.dir, "")
	if out, err := printed(t, h, "prompt"); out != "" || err != nil {
		t.Errorf("none chosen: %q, %v", out, err)
	}
}

// An index that is none shows nothing. One that wakey did not write is the program's to read.
func TestPromptOfDamage(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_DATA_HOME", dir)
	xdg.Reload()
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	head, good := `{"version":1,"of":"x","accounts":[`+"\n", `{"id":"00000001","name":"prod","expires_at":"2100-01-01T00:00:00Z","refreshes":true,"lifetime":"1h0m0s"}`
	whole := head + good + "\n]}\n"
	for name, c := range map[string]struct {
		text  string
		quick string // "?": not sure
		want  string // of the program
	}{
		"good":           {whole, "prod 73years\n", "prod 73years\n"},
		"empty":          {"", "?", ""},
		"newer":          {strings.Replace(whole, `"version":1,`, `"version":12,`, 1), "?", ""},
		"laid out":       {strings.ReplaceAll(whole, ",", ",\n  "), "?", "prod 73years\n"},
		"cut off":        {whole[:len(whole)-6], "?", ""},
		"no end":         {strings.TrimSuffix(whole, "]}\n"), "?", ""},
		"no line":        {head, "?", ""},
		"no account":     {head + "]}\n", "", ""},
		"an open text":   {strings.Replace(whole, `"prod"`, `"prod\`, 1), "?", ""},
		"an odd escape":  {strings.Replace(whole, `"prod"`, `"pr\ud83d\ude00od"`, 1), "?", "pr😀od 73years\n"},
		"a control":      {strings.Replace(whole, `"prod"`, `"pr\u001bod"`, 1), "?", ""},
		"odd case":       {strings.Replace(whole, `"name"`, `"Name"`, 1), "?", "prod 73years\n"},
		"a list":         {strings.Replace(whole, `"1h0m0s"`, `["1h"]`, 1), "?", ""},
		"no time":        {strings.Replace(whole, `2100-01-01T00:00:00Z`, `soon`, 1), "?", ""},
		"more behind":    {strings.Replace(whole, `"}`, `"} x`, 1), "?", ""},
		"no head":        {`{"version":1,"of":"x","accounts":[` + good + "\n]}\n", "?", "prod 73years\n"},
		"a line too far": {`{"version":1,` + strings.Repeat("x", 5<<20), "?", ""},
		"long lines":     {strings.Replace(whole, `"1h0m0s"`, `"1h0m0s","reason":"`+strings.Repeat("x", 300<<10)+`"`, 1), "prod 73years\n", "prod 73years\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := writeFile(dir, "index.json", c.text, 0o600); err != nil {
				t.Fatal(err)
			}
			t.Chdir(dir)
			line, sure := quick.PromptLine(dir, now)
			if !sure {
				line += "?"
			}
			if line != c.quick {
				t.Errorf("quick says %q, want %q", line, c.quick)
			}
			if line := (&app{}).promptLine(dir, now); line != c.want {
				t.Errorf("the program says %q, want %q", line, c.want)
			}
		})
	}
}

// Whatever quick is sure of, the program says as well, if it can read the index at all.
func FuzzPrompt(f *testing.F) {
	f.Add([]byte("{\"version\":1,\"of\":\"x\",\"accounts\":[\n{\"id\":\"a\",\"name\":\"b\",\"expires_at\":\"2100-01-01T00:00:00Z\"}\n]}\n"))
	f.Add([]byte("{\"version\":1,\"of\":\"x\",\"accounts\":[\n{\"id\":\"a\",\"name\":\"\\u003cb\\\"\",\"state\":\"revoked elsewhere\",\"refreshes\":true},\n{\"id\":\"c\"}\n]}\n"))
	dir := f.TempDir()
	f.Setenv("XDG_DATA_HOME", dir)
	xdg.Reload()
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, index []byte) {
		if err := writeFile(dir, "index.json", string(index), 0o600); err != nil {
			t.Fatal(err)
		}
		line, sure := quick.PromptLine(dir, now)
		if strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\x1b\n%$`!\\") && !strings.HasSuffix(line, " !\n") {
			t.Errorf("%q", line)
		}
		if _, err := session.ReadIndex(dir); err != nil || !sure {
			return
		}
		if late := (&app{}).promptLine(dir, now); late != line {
			t.Errorf("quick says %q, the program %q", line, late)
		}
	})
}
