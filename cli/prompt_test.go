//go:build linux

package cli

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"wakey/internal/authd"
)

// person sits at a pseudo-terminal in front of a process.
type person struct {
	t    *testing.T
	tty  *os.File
	cmd  *exec.Cmd
	mu   sync.Mutex
	seen bytes.Buffer
	more chan struct{}
}

// sit starts the program at a terminal of its own.
func sit(t *testing.T, args ...string) *person {
	t.Helper()
	exe, err := exec.LookPath("wakey")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, args...)
	home := t.TempDir()
	if err := quickStore(home); err != nil {
		t.Fatal(err)
	}
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_DATA_HOME=" + home + "/data", "XDG_CONFIG_HOME=" + home + "/config",
		"DBUS_SESSION_BUS_ADDRESS=disabled:", "WAKEY_PASSPHRASE_FILE=" + home + "/passphrase",
	}
	tty, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	p := &person{t: t, tty: tty, cmd: cmd, more: make(chan struct{}, 1)}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = tty.Close()
	})
	go p.watch()
	return p
}

func (p *person) watch() {
	buf := make([]byte, 4096)
	for {
		n, err := p.tty.Read(buf)
		p.mu.Lock()
		p.seen.Write(buf[:n])
		p.mu.Unlock()
		if err != nil {
			close(p.more)
			return
		}
		select {
		case p.more <- struct{}{}:
		default:
		}
	}
}

func (p *person) screen() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen.String()
}

// sees waits for a text.
func (p *person) sees(text string) {
	p.t.Helper()
	late := time.After(20 * time.Second)
	for !strings.Contains(p.screen(), text) {
		select {
		case _, open := <-p.more:
			if !open && !strings.Contains(p.screen(), text) {
				p.t.Fatalf("the program ended without %q:\n%s", text, p.screen())
			}
		case <-late:
			p.t.Fatalf("no %q:\n%s", text, p.screen())
		}
	}
}

func (p *person) types(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p.tty, text); err != nil {
		p.t.Fatal(err)
	}
}

func (p *person) code() int {
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

func demoStack(t *testing.T) *authd.Running {
	t.Helper()
	server, err := authd.New(authd.Config{}, authd.DemoSeed())
	if err != nil {
		t.Fatal(err)
	}
	stack, err := authd.Start(t.Context(), server, "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	return stack
}

// An answer that comes the moment the prompt is there, as a password manager types it, isn't echoed.
func TestPasswordIsNotEchoed(t *testing.T) {
	stack := demoStack(t)
	p := sit(t, "login", stack.URL, "--user", "alice", "--fingerprint", stack.Fingerprint)
	p.sees("Password of alice: ")
	p.types("alice-demo\n")
	p.sees("Signed in to")
	if code := p.code(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if strings.Contains(p.screen(), "alice-demo") {
		t.Errorf("the password was echoed:\n%s", p.screen())
	}
}

// Ctrl-C at a prompt ends the program with 3 and leaves the terminal echoing.
func TestInterruptedPrompt(t *testing.T) {
	stack := demoStack(t)
	p := sit(t, "login", stack.URL, "--user", "alice", "--fingerprint", stack.Fingerprint)
	p.sees("Password of alice: ")
	p.types("ali\x03")
	if code := p.code(); code != exitCancelled {
		t.Errorf("exit code %d, want %d:\n%s", code, exitCancelled, p.screen())
	}
	wantEcho(t, p.tty)
}

// wantEcho fails when what is typed would not be shown.
func wantEcho(t *testing.T, tty *os.File) {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(tty.Fd()), getTermios)
	if err != nil {
		t.Fatal(err)
	}
	if state.Lflag&unix.ECHO == 0 {
		t.Error("the terminal doesn't echo any more")
	}
}
