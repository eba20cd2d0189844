package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"wakey/internal/authd"
)

var (
	variablePattern = regexp.MustCompile(`(?m)^\s+(WAKEY_[A-Z_]+): (.+)$`)
	stepPattern     = regexp.MustCompile(`^\s*(?:- )?(?:run: )?(wakey .+)$`)
)

// steps are the calls of wakey in the configuration of a CI.
func steps(yaml string) []string {
	var found []string
	for line := range strings.Lines(yaml) {
		if m := stepPattern.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			found = append(found, m[1])
		}
	}
	return found
}

// TestCI does what docs/ci.md tells people to put into their CI: gets the refresh token, and runs each snippet's commands with
// its variables, on a machine that has nothing else.
func TestCI(t *testing.T) {
	for _, tool := range []string{"sh", "curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the page needs %s: %v", tool, err)
		}
	}
	page, err := os.ReadFile("docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(t)
	const user = "8e1a3c5e-0000-4000-8000-0000000000c1"
	seed := authd.DemoSeed()
	seed.Users = append(seed.Users, authd.SeedUser{UUID: user, Username: "ci", Password: "ci-demo", Admin: true})
	server := m.stack("pbx.example.com", seed)
	report := "#!/bin/sh\nenv | grep ^WAKEY_\necho \"$WAZO_TOKEN_EXPIRES_AT\"\ncurl -fsSk -H \"X-Auth-Token: $WAZO_TOKEN\" \"$WAZO_URL/api/auth/0.1/users/me/tokens\" >/dev/null\n"
	if err := os.WriteFile(filepath.Join(m.home, "nightly-report"), []byte(report), 0o700); err != nil {
		t.Fatal(err)
	}
	shell := func(script string, env ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
		cmd.Dir = m.home
		cmd.Env = slices.Concat(env, []string{"HOME=" + m.home, "PATH=" + filepath.Dir(m.bin) + ":" + os.Getenv("PATH")})
		for _, v := range m.env {
			if strings.HasPrefix(v, "HTTPS_PROXY=") {
				cmd.Env = append(cmd.Env, v)
			}
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
		return strings.TrimSpace(string(out))
	}

	refreshToken := ""
	snippets := 0
	for _, block := range blockPattern.FindAllStringSubmatch(string(page), -1) {
		if strings.Contains(block[2], "curl -fsS -u ci ") { // it asks for the password, and the certificate is the stack's own
			refreshToken = shell(strings.Replace(block[2], "-u ci ", "-k -u ci:ci-demo ", 1))
		}
		if block[1] != "yaml" {
			continue
		}
		snippets++
		env := []string{"WAKEY_REFRESH_TOKEN=" + refreshToken}
		var lifetime time.Duration
		for _, v := range variablePattern.FindAllStringSubmatch(block[2], -1) {
			switch name, value := v[1], v[2]; name {
			case "WAKEY_REFRESH_TOKEN": // the CI's secret
			case "WAKEY_FINGERPRINT":
				env = append(env, name+"="+m.running("pbx.example.com").Fingerprint)
			default:
				env = append(env, name+"="+value)
				if name == "WAKEY_LIFETIME" {
					lifetime, _ = time.ParseDuration(value)
				}
			}
		}
		execs := 0
		for _, step := range steps(block[2]) {
			before := server.Sessions(user)
			out := shell(strings.ReplaceAll(step, "/confd/1.1/users", "/auth/0.1/users"), env...) // confd is not there
			left := server.Sessions(user) - before
			if !strings.HasPrefix(step, "wakey exec ") {
				if left != 0 || out == "" {
					t.Errorf("%s leaves %d sessions, and prints %q", step, left, out)
				}
				continue
			}
			execs++
			expires, err := time.Parse(time.RFC3339, out)
			if err != nil {
				t.Fatalf("%s: the report sees %q", step, out)
			}
			if lives := time.Until(expires); left != 1 || lives > lifetime || lives < lifetime/2 {
				t.Errorf("%s leaves %d sessions, for %v", step, left, lives)
			}
		}
		if execs == 0 {
			t.Errorf("a snippet runs nothing with a token:\n%s", block[2])
		}
	}
	if snippets != 2 {
		t.Errorf("there are snippets for %d CIs", snippets)
	}
	for _, kept := range []string{"data", "config", "state", "cache", ".local", ".config", ".cache"} {
		if _, err := os.Stat(filepath.Join(m.home, kept)); err == nil {
			t.Errorf("%s is there now", kept)
		}
	}
}
