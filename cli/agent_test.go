//go:build linux

package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wakey/internal/authd"
)

// agentProcess is a "wakey agent" whose log is read line by line.
type agentProcess struct {
	*exec.Cmd

	t     testing.TB
	lines chan string
	seen  []string
}

// agent starts one in the house, with more in its environment.
func (h *house) agent(env ...string) *agentProcess {
	h.tb.Helper()
	cmd := h.process("agent", "--no-input")
	cmd.Env = append(cmd.Env, env...)
	return h.follow(cmd)
}

// follow starts an agent and reads its log.
func (h *house) follow(cmd *exec.Cmd) *agentProcess {
	h.tb.Helper()
	a := &agentProcess{Cmd: cmd, t: h.tb, lines: make(chan string, 1000)}
	log, err := a.StderrPipe()
	if err != nil {
		h.tb.Fatal(err)
	}
	if err := a.Start(); err != nil {
		h.tb.Fatal(err)
	}
	go func() {
		defer close(a.lines)
		for s := bufio.NewScanner(log); s.Scan(); {
			a.lines <- s.Text()
		}
	}()
	h.tb.Cleanup(func() {
		_ = a.Process.Kill()
		_ = a.Wait()
	})
	return a
}

// sees waits for a line that holds text, and gives its time as the agent wrote it.
func (a *agentProcess) sees(text string) time.Time {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), 30*time.Second)
	defer cancel()
	for {
		select {
		case line, ok := <-a.lines:
			if !ok {
				a.t.Fatalf("the agent ended without %q:\n%s", text, strings.Join(a.seen, "\n"))
			}
			a.seen = append(a.seen, line)
			if strings.Contains(line, text) {
				stamp, _, _ := strings.Cut(strings.TrimPrefix(line, "time="), " ")
				at, err := time.Parse(time.RFC3339Nano, stamp)
				if err != nil {
					a.t.Fatalf("no time: %q", line)
				}
				return at
			}
		case <-ctx.Done():
			a.t.Fatalf("no %q:\n%s", text, strings.Join(a.seen, "\n"))
		}
	}
}

// ends waits for the agent's end and gives its exit code and what it said last.
func (a *agentProcess) ends() (code int, rest string) {
	a.t.Helper()
	var lines []string
	for line := range a.lines {
		lines = append(lines, line)
	}
	var exit *exec.ExitError
	if err := a.Wait(); err != nil && !errors.As(err, &exit) {
		a.t.Fatal(err)
	}
	return a.ProcessState.ExitCode(), strings.Join(lines, "\n")
}

func (a *agentProcess) terminates() {
	a.t.Helper()
	if err := a.Process.Signal(syscall.SIGTERM); err != nil {
		a.t.Fatal(err)
	}
	if code, rest := a.ends(); code != 0 || !strings.Contains(rest, "msg=stopped") {
		a.t.Errorf("exit code %d after SIGTERM:\n%s", code, rest)
	}
}

func TestAgentRefreshesAndStops(t *testing.T) {
	h := newHouse(t)
	h.expire()
	a := h.agent()
	a.sees("msg=ready accounts=1")
	a.sees("refreshed")
	a.terminates()
	rec, err := h.store.Get(t.Context(), h.account.ID)
	if err != nil || !h.lives(rec.Access.Token.Reveal()) {
		t.Errorf("the store's token is dead (%v)", err)
	}
}

// What is under way when the signal comes is brought to its end and kept.
func TestAgentStopsAfterWhatIsUnderWay(t *testing.T) {
	h := newHouse(t)
	h.expire()
	h.server.Faults().Add(authd.Fault{Path: "/token refresh", Delay: 700 * time.Millisecond})
	a := h.agent()
	<-h.asked
	a.terminates()
	rec, err := h.store.Get(t.Context(), h.account.ID)
	if err != nil || !h.lives(rec.Access.Token.Reveal()) || h.refreshes() != 1 {
		t.Errorf("the refresh was lost: %d asked for, %v", h.refreshes(), err)
	}
}

func TestAgentRunsOncePerHome(t *testing.T) {
	h := newHouse(t)
	first := h.agent()
	first.sees("msg=ready")
	second := h.agent()
	code, rest := second.ends()
	process := fmt.Sprintf("process %d", first.Process.Pid)
	if code != exitError || !strings.Contains(rest, process) {
		t.Errorf("a second agent: exit code %d:\n%s\nwant %q in it", code, rest, process)
	}
	if out, err := printed(t, h, "doctor", "--offline"); err != nil || !strings.Contains(out, process+" keeps the accounts fresh") {
		t.Errorf("the doctor, %v:\n%s", err, out)
	}
	other := newHouse(t).agent()
	other.sees("msg=ready")
	other.terminates()

	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	first.ends()
	if out, err := printed(t, h, "doctor", "--offline"); err != nil || !strings.Contains(out, "none runs") {
		t.Errorf("the doctor once it was killed, %v:\n%s", err, out)
	}
	third := h.agent()
	third.sees("msg=ready")
	third.terminates()
	if _, err := os.Stat(filepath.Join(h.dir, "agent.pid")); err == nil {
		t.Error("the number of the process stays behind")
	}
}

func TestAgentTellsTheServiceManager(t *testing.T) {
	for kind, name := range map[string]string{
		"path":     filepath.Join(t.TempDir(), "notify"),
		"abstract": fmt.Sprintf("@wakey-test-%d", os.Getpid()),
	} {
		t.Run(kind, func(t *testing.T) {
			socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
			if err != nil {
				t.Fatal(err)
			}
			defer socket.Close()
			if err := socket.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
				t.Fatal(err)
			}
			told := func(want string) {
				t.Helper()
				buf := make([]byte, 1000)
				n, err := socket.Read(buf)
				if got := string(buf[:n]); got != want || err != nil {
					t.Errorf("told %q (%v), want %q", got, err, want)
				}
			}
			a := newHouse(t).agent("NOTIFY_SOCKET=" + name)
			told("READY=1")
			if err := a.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			told("STOPPING=1")
			if code, rest := a.ends(); code != 0 {
				t.Errorf("exit code %d:\n%s", code, rest)
			}
		})
	}
}

// A store that nothing opens ends the agent, before it says that it is ready.
func TestAgentLocked(t *testing.T) {
	h := newHouse(t)
	a := h.agent("WAKEY_PASSPHRASE_FILE=")
	code, rest := a.ends()
	if code != exitSignIn || !strings.Contains(rest, "WAKEY_PASSPHRASE_FILE") || strings.Contains(rest, "msg=ready") {
		t.Errorf("exit code %d:\n%s", code, rest)
	}
}

func TestAgentRefusesTheEnvironment(t *testing.T) {
	a := newHouse(t).agent("WAKEY_REFRESH_TOKEN=secret-of-the-test")
	if code, rest := a.ends(); code != exitUsage || strings.Contains(rest, "secret-of-the-test") {
		t.Errorf("exit code %d:\n%s", code, rest)
	}
}

// What other processes do to the accounts shows in a running agent. The time that takes stands
// in the output of -v; session's tests hold it to a second, on a clock of their own.
func TestAgentSeesOtherProcesses(t *testing.T) {
	h := newHouse(t)
	a := h.agent()
	a.sees("msg=ready accounts=1")

	begun := h.written()
	h.login("bob")
	shown := a.sees("added by another process")
	t.Logf("a sign-in showed %s after it was written", shown.Sub(h.written()).Round(time.Millisecond))
	if !h.written().After(begun) {
		t.Error("nothing was written")
	}

	h.rename("work")
	shown = a.sees("renamed from")
	t.Logf("a new name showed %s after it was written", shown.Sub(h.written()).Round(time.Millisecond))

	if out, err := h.process("logout", "work", "--no-input").CombinedOutput(); err != nil {
		t.Fatalf("wakey logout: %v\n%s", err, out)
	}
	shown = a.sees("removed by another process")
	t.Logf("a sign-out showed %s after it was written", shown.Sub(h.written()).Round(time.Millisecond))
	a.terminates()
}

// written is when the store was last written.
func (h *house) written() time.Time {
	h.tb.Helper()
	info, err := os.Stat(filepath.Join(h.dir, "accounts.age"))
	if err != nil {
		h.tb.Fatal(err)
	}
	return info.ModTime()
}
