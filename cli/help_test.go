package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"wakey/internal/authd"
)

func newRoot() *cobra.Command {
	a := &app{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, version: "1.2.3"}
	return a.root(nil)
}

func TestEveryCommandIsExplained(t *testing.T) {
	root := newRoot()
	for cmd := range allCommands(root) {
		if cmd.Short == "" || cmd.Example == "" && !cmd.HasSubCommands() || cmd.Args == nil {
			t.Errorf("%s: Short %q, Example %q, Args set: %v", cmd.CommandPath(), cmd.Short, cmd.Example, cmd.Args != nil)
		}
		if !cmd.HasParent() || cmd.Parent() == root && cmd.GroupID == "" {
			t.Errorf("%s stands in no group of the help", cmd.CommandPath())
		}
		for f := range localFlags(cmd) {
			if flagText(f) == "" {
				t.Errorf("%s --%s is not explained", cmd.CommandPath(), f.Name)
			}
		}
		for line := range strings.Lines(cmd.Long + "\n" + cmd.Example) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > 130 && strings.HasPrefix(line, "  ") || n > 100 && !strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "Fields for --json") {
				t.Errorf("%s: a line of its help has %d characters: %s", cmd.CommandPath(), n, line)
			}
		}
	}
}

// Every command has a script that sees it do its work, and one that sees it fail.
func TestEveryCommandHasAScript(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	for _, path := range scripts {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for cmd := range allCommands(newRoot()) {
		path := regexp.QuoteMeta(cmd.CommandPath())
		if path == "wakey" {
			continue // the screen
		}
		if path != "wakey demo" && !regexp.MustCompile(`(?m)^(exec .*)?`+path+`( |$)`).Match(all.Bytes()) {
			t.Errorf("no script sees %q do its work", path)
		}
		if !regexp.MustCompile(`(?m)^exit [1-7] .*` + path + `( |$)`).Match(all.Bytes()) {
			t.Errorf("no script sees %q fail", path)
		}
	}
}

// The name that a command is looked up by is the one it has.
func TestCommandNames(t *testing.T) {
	for _, c := range commands {
		if got := c.make(&app{}).Name(); got != c.name {
			t.Errorf("%s stands as %q in the table", got, c.name)
		}
	}
}

// outcomes are the examples that don't end with 0 without a person or a keyring, and those that are
// not run at all.
var outcomes = map[string]struct {
	code int
	skip string
}{
	"wakey agent":           {skip: "it runs until it is interrupted"},
	"wakey agent --install": {skip: "it asks the service manager of whoever runs the tests"},
	"wakey agent --install --passphrase-file ~/.config/wakey/passphrase": {skip: "it asks the service manager of whoever runs the tests"},
	"wakey agent --uninstall": {skip: "it asks the service manager of whoever runs the tests"},
	"wakey rotate":            {code: exitUsage},
	"wakey rotate prod --password-stdin < password":                 {code: exitSignIn}, // it is another user's
	"wakey respond prod --yes --password-stdin < password":          {code: exitPartly}, // likewise
	"wakey respond prod --keep ci-runner --change-password":         {code: exitUsage},
	"wakey incidents resume 20261123-201500-3fa9":                   {code: exitError},
	"wakey log export --incident 20261123-201500-3fa9":              {code: exitError},
	"wakey log export --incident 20261123-201500-3fa9 --to reports": {code: exitError},
	"wakey demo":         {skip: "it draws a screen"},
	"wakey demo --thief": {skip: "it draws a screen"},
	"wakey serve":        {skip: "it runs until it is interrupted"},
	"wakey serve --listen 127.0.0.1:9497 --plain-http --token-lifetime 5m":          {skip: "it runs until it is interrupted"},
	"wakey serve --seed users.toml --timezone America/Toronto --log requests.jsonl": {skip: "it runs until it is interrupted"},
	"wakey login pbx.example.com --user alice":                                      {code: exitUsage},
	"wakey login pbx.example.com --user alice --account prod --lifetime 1h":         {code: exitUsage},
	"wakey refresh-tokens revoke phone-7c1e":                                        {code: exitUsage},
	"wakey refresh-tokens revoke --others --account prod":                           {code: exitUsage},
	"wakey sessions revoke 0a3e3f5c-7d1b-4c53-9d0e-6a5f0a6a2c11":                    {code: exitUsage},
	"wakey store init --passphrase":                                                 {code: exitError},
	"wakey store init --nats tls://nats.example.com --creds wakey.creds":            {code: exitUsage}, // there are no such credentials
	"wakey store move --nats tls://nats.example.com --creds wakey.creds":            {code: exitUsage},
	"wakey store move --file":                                                       {code: exitUsage}, // they are in one
	"wakey store move --keyring":                                                    {code: exitError},
	"wakey store restore accounts-backup.age":                                       {code: exitUsage},
	"wakey trust forget prod":                                                       {code: exitUsage},
	"wakey users delete bob":                                                        {code: exitUsage},
	"wakey users disable bob":                                                       {code: exitUsage},
	"wakey users revoke bob":                                                        {code: exitUsage},
	"wakey unlock":                                                                  {skip: "it needs a kernel keyring"},
	"wakey unlock --for 30m":                                                        {skip: "it needs a kernel keyring"},
}

// The examples of the help texts do what they say: a shell runs each, against a stack whose address,
// fingerprint and session stand in for those shown.
func TestExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("every example is a process or two: without -short")
	}
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("the examples are for a shell: ", err)
	}
	root := newRoot()
	lines := strings.Split(root.Example, "\n")
	for cmd := range allCommands(root) {
		lines = append(lines, strings.Split(cmd.Example, "\n")...)
	}
	known := map[string]bool{}
	for _, line := range lines {
		line = strings.TrimSpace(line)
		if known[line] {
			continue
		}
		known[line] = true
		want := outcomes[line]
		t.Run(line, func(t *testing.T) {
			if want.skip != "" {
				t.Skip(want.skip)
			}
			t.Parallel()
			p := newPlace(t)
			if strings.HasPrefix(line, "wakey store restore") {
				p.shell("cp password accounts-backup.age")
			}
			if code, out := p.shell(line); code != want.code {
				t.Errorf("exit code %d, want %d:\n%s", code, want.code, out)
			}
		})
	}
	for line := range outcomes {
		if !known[line] {
			t.Errorf("no help text has the example %q any more", line)
		}
	}
}

// place is a home with an account called prod, an administrator's, and what the examples mention.
type place struct {
	t       *testing.T
	dir     string
	env     []string
	replace *strings.Replacer
}

func newPlace(t *testing.T) *place {
	t.Helper()
	server, err := authd.New(authd.Config{}, authd.DemoSeed())
	if err != nil {
		t.Fatal(err)
	}
	stack, err := authd.Start(t.Context(), server, "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	if err := quickStore(home); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(home, "bin")
	for name, text := range map[string]string{
		"password": "bob-demo\n", "labels.toml": "", "emails.json": `{"emails": []}`, ".wakey": "prod\n",
		"users.csv": "username,firstname\ncarol,Carol\n", "users.jsonl": `{"username":"carol"}`,
		"nightly-report": "#!/bin/sh\ntest -n \"$WAZO_TOKEN\"\n",
		"bin/curl":       "#!/bin/sh\ncase \"$*\" in *-K*) grep -q '^header = ';; *) ;; esac\n", // it knows no pinned keys
		"bin/ssh":        "#!/bin/sh\ngrep -q age-encryption.org\n",
	} {
		if err := os.MkdirAll(bin, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	p := &place{t: t, dir: home, env: []string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + home, "XDG_DATA_HOME=" + home + "/data", "XDG_CONFIG_HOME=" + home + "/config",
		"DBUS_SESSION_BUS_ADDRESS=disabled:", "WAKEY_PASSPHRASE_FILE=" + home + "/passphrase",
	}}
	p.replace = strings.NewReplacer()
	prepare := "echo admin-demo | wakey login " + stack.URL + " --user admin --account prod --password-stdin --fingerprint " + stack.Fingerprint +
		" && wakey token > token && wakey config set lifetime 1h"
	if code, out := p.shell(prepare); code != 0 {
		t.Fatalf("signing in: %d\n%s", code, out)
	}
	for _, device := range [][2]string{{"admin", "phone-7c1e"}, {"admin", "ci-runner"}, {"bob", "phone-7c1e"}} {
		if _, err := offlineToken(server, device[0], device[1]); err != nil {
			t.Fatal(err)
		}
	}
	code, session := p.shell("wakey sessions list --jq 'map(select(.own | not))[0].uuid'")
	if code != 0 {
		t.Fatalf("listing sessions: %d\n%s", code, session)
	}
	p.replace = strings.NewReplacer(
		"https://pbx.example.com", stack.URL, "pbx.example.com", stack.URL, "10.0.0.12", stack.URL,
		"SHA256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg", stack.Fingerprint,
		"0a3e3f5c-7d1b-4c53-9d0e-6a5f0a6a2c11", strings.TrimSpace(session),
		"/confd/1.1/users", "/auth/0.1/users", // the other services are not there
	)
	return p
}

// shell runs a line and gives its exit code and all that it printed.
func (p *place) shell(line string) (int, string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", p.replace.Replace(line))
	cmd.Dir, cmd.Env = p.dir, p.env
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}
