package cli

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// awkward is what a path or an environment may hold and a unit must not misread.
const awkward = `/opt/50% "off" & <co>\n/it's $HOME`

func TestSystemdUnitIsUnderstood(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skipf("nothing here reads units: %v", err)
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "50% off & <co> $HOME", "wakey") // systemd runs nothing with quotes in its name
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := systemdService(program, dir, []string{"WAKEY_PASSPHRASE_FILE=" + awkward})
	if err := os.MkdirAll(filepath.Dir(s.path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path, []byte(s.text), 0o644); err != nil {
		t.Fatal(err)
	}
	verify := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--user", s.path)
	verify.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir, "XDG_CONFIG_HOME="+dir, "HOME="+dir)
	out, err := verify.CombinedOutput()
	// It also reads what else is installed on this machine, whose flaws are not ours.
	if about := grep(string(out), "wakey"); about != "" || err != nil && len(out) == 0 {
		t.Errorf("systemd-analyze: %v\n%s\n%s", err, about, s.text)
	}
}

func grep(text, word string) string {
	var found strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, word) {
			found.WriteString(line)
		}
	}
	return found.String()
}

func TestLaunchdAgentIsUnderstood(t *testing.T) {
	home := awkward
	s := launchdService(awkward+"/wakey", home, 501, []string{"WAKEY_PASSPHRASE_FILE=" + awkward})
	if want := filepath.Join(home, "Library", "LaunchAgents", "wakey.agent.plist"); s.path != want {
		t.Errorf("path %q, want %q", s.path, want)
	}
	var strs []string
	d := xml.NewDecoder(strings.NewReader(s.text))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, s.text)
		}
		if text, ok := token.(xml.CharData); ok {
			strs = append(strs, string(text))
		}
	}
	all := strings.Join(strs, "\x00")
	for _, want := range []string{
		awkward + "/wakey", "WAKEY_PASSPHRASE_FILE", awkward, filepath.Join(home, "Library", "Logs", "wakey.log"), "wakey.agent",
	} {
		if !strings.Contains(all, "\x00"+want+"\x00") {
			t.Errorf("no %q in\n%s", want, s.text)
		}
	}
	if strings.Contains(s.text, "@") {
		t.Errorf("a place was not filled in:\n%s", s.text)
	}
	if got := s.start[len(s.start)-1].String(); got != "launchctl bootstrap gui/501 "+s.path {
		t.Errorf("it is started by %q", got)
	}
}

// launchctl does as macOS's: bootout comes back before the agent has ended, and until then bootstrap fails.
const launchctl = `#!/bin/sh
cd "$(dirname "$0")"
case $1 in
bootout) test -e loaded || exit 3; mv loaded ending ;;
print) if test -e ending; then test -e looked && rm ending || touch looked; exit 0; fi; test -e loaded ;;
bootstrap) if test -e ending; then echo "Bootstrap failed: 5: Input/output error" >&2; exit 5; fi; rm -f looked; touch loaded ;;
esac
`

func TestLaunchdAgentIsReplaced(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "launchctl"), []byte(launchctl), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	s := launchdService("/opt/wakey", dir, 501, nil)
	loaded := func() bool { _, err := os.Stat(filepath.Join(dir, "loaded")); return err == nil }
	for _, how := range []string{"for the first time", "in place of one that runs"} {
		if err := run(t.Context(), s.start); err != nil || !loaded() {
			t.Errorf("started %s: %v", how, err)
		}
	}
	if err := run(t.Context(), s.stop); err != nil || loaded() {
		t.Errorf("stopped: %v", err)
	}
	if err := run(t.Context(), s.stop); err != nil {
		t.Errorf("stopped where none runs: %v", err)
	}
	if err := run(t.Context(), []step{{command: []string{"true"}, gone: 1}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("what does not go away: %v", err)
	}
}
