//go:build unix && !darwin

package notifyd

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// bare is a session bus that starts nothing: no test needs a service of the machine that it doesn't start itself.
const bare = `<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/>
<allow own="*"/><allow eavesdrop="true"/></policy></busconfig>`

// Bus starts a session bus with env, or with this process's environment when that is nil, and gives its address, for
// DBUS_SESSION_BUS_ADDRESS. It ends with the test, or with stop. With services it starts what is called and installed, as
// that of a desktop does; whoever wants that ends what it started. It skips the test where there is no dbus-daemon.
func Bus(tb testing.TB, env []string, services bool) (address string, stop func()) {
	tb.Helper()
	if _, err := exec.LookPath("dbus-daemon"); err != nil {
		tb.Skip("dbus-daemon is not installed (apt-get install dbus)")
	}
	config := "--session"
	if !services {
		file := filepath.Join(tb.TempDir(), "bus.conf")
		if err := os.WriteFile(file, []byte(bare), 0o600); err != nil {
			tb.Fatal(err)
		}
		config = "--config-file=" + file
	}
	ctx, cancel := context.WithCancel(tb.Context())
	cmd := exec.CommandContext(ctx, "dbus-daemon", config, "--nofork", "--nopidfile", "--print-address=1")
	cmd.Env = env
	// It removes its socket when it is asked to end.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		tb.Fatal(err)
	}
	stop = func() { cancel(); _ = cmd.Wait() }
	tb.Cleanup(stop)
	address, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(address), stop
}
