//go:build linux

package cli

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// underSystemd installs the agent with a user manager of its own, lets it be restarted after a
// crash, and takes it away again.
const underSystemd = `
set -eu
mount -t tmpfs none /run
mkdir -p -m 700 /run/systemd/system "$XDG_RUNTIME_DIR"
/lib/systemd/systemd --user --unit=basic.target --log-target=null >/dev/null 2>&1 &
until systemctl --user show --property=Version >/dev/null 2>&1; do sleep 0.1; done

wakey agent --install
echo "after --install: $(systemctl --user is-active wakey) $(systemctl --user is-enabled wakey)"
pid=$(systemctl --user show --property=MainPID --value wakey)
echo "hardened: $(grep -c '^NoNewPrivs:.1$' /proc/$pid/status) $(grep -c '^Seccomp:.2$' /proc/$pid/status)"
wakey agent --install
echo "after --install again: $(systemctl --user is-active wakey)"
test "$pid" != "$(systemctl --user show --property=MainPID --value wakey)"
wakey agent || echo "a second one: $?"
mv "$WAKEY_PASSPHRASE_FILE" "$WAKEY_PASSPHRASE_FILE.away"
wakey agent --install || echo "locked: $?"
echo "while locked: $(systemctl --user show --property=ExecMainStatus --value wakey) $(systemctl --user is-active wakey)"
mv "$WAKEY_PASSPHRASE_FILE.away" "$WAKEY_PASSPHRASE_FILE"
wakey agent --install
wakey agent --uninstall
echo "after --uninstall: $(systemctl --user is-active wakey)"
echo "left behind:$(find "$XDG_CONFIG_HOME" -name 'wakey*')."
`

func TestAgentUnderSystemd(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a service manager, which takes a second")
	}
	if os.Getuid() != 0 {
		t.Skip("only root may give a service manager a /run of its own")
	}
	for _, program := range []string{"unshare", "systemctl", "/lib/systemd/systemd"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no systemd here: %v", err)
		}
	}
	h := newHouse(t)
	cmd := exec.CommandContext(t.Context(), "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", underSystemd)
	cmd.Env = slices.Clone(h.env)
	cmd.Env = append(cmd.Env, "XDG_RUNTIME_DIR=/run/user/0")
	out, err := cmd.CombinedOutput()
	if strings.HasPrefix(string(out), "unshare: ") || strings.Contains(string(out), "mount: ") {
		t.Skipf("no namespaces here: %s", out)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
	for _, want := range []string{
		"after --install: active enabled\n",
		"hardened: 1 1\n",
		"after --install again: active\n",
		"a second one: 1\n",
		"locked: 1\n",
		"while locked: 4 activating\n",
		"after --uninstall: inactive\n",
		"left behind:.\n",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}
