//go:build linux

package cli

import (
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"

	"wakey/session"
)

// A change by another process shows on a running screen. The time that takes stands in the output of -v;
// session's tests hold the manager to a second, on a clock of their own.
func TestScreenSeesOtherProcesses(t *testing.T) {
	h := newHouse(t)
	cmd := h.process()
	cmd.Env = append(slices.Clone(cmd.Env), "TERM=xterm-256color", "LANG=C.UTF-8")
	shows := screenOf(t, cmd)
	shows("the account", func(screen string) bool {
		return strings.Contains(screen, "alice") && strings.Contains(screen, "active")
	})

	h.login("bob")
	shown := shows("a sign-in", func(screen string) bool { return strings.Contains(screen, "bob@") })
	t.Logf("a sign-in showed %s after it was written", shown.Sub(h.written()).Round(time.Millisecond))

	m := session.New(h.store, session.Options{})
	if err := m.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	access, err := m.Refresh(t.Context(), h.account.ID)
	if err != nil {
		t.Fatal(err)
	}
	suffix := access.Token.Suffix()
	shown = shows("a refresh", func(screen string) bool { return strings.Contains(screen, suffix) })
	t.Logf("a refresh showed %s after it was written", shown.Sub(h.written()).Round(time.Millisecond))

	h.rename("workplace")
	shown = shows("a new name", func(screen string) bool { return strings.Contains(screen, "workplace") })
	t.Logf("a new name showed %s after it was written", shown.Sub(h.written()).Round(time.Millisecond))

	if out, err := h.process("logout", "workplace", "--no-input").CombinedOutput(); err != nil {
		t.Fatalf("wakey logout: %v\n%s", err, out)
	}
	shown = shows("a sign-out", func(screen string) bool {
		return strings.Contains(screen, "bob@") && !strings.Contains(screen, suffix)
	})
	t.Logf("a sign-out showed %s after it was written", shown.Sub(h.written()).Round(time.Millisecond))
}

// screenOf starts a program at a terminal. What it gives waits until the screen is as told, and says when
// it was.
func screenOf(t *testing.T, cmd *exec.Cmd) (shows func(what string, ok func(screen string) bool) time.Time) {
	t.Helper()
	const w, h = 110, 32
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: h, Cols: w})
	if err != nil {
		t.Fatal(err)
	}
	em := vt.NewSafeEmulator(w, h)
	drawn := make(chan struct{}, 1)
	go func() { _, _ = io.Copy(tty, em) }() // what the terminal answers
	go func() {
		defer close(drawn)
		for buf := make([]byte, 1<<15); ; {
			n, err := tty.Read(buf)
			if _, werr := em.Write(buf[:n]); err != nil || werr != nil {
				return
			}
			select {
			case drawn <- struct{}{}:
			default:
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = tty.Close()
	})
	return func(what string, ok func(screen string) bool) time.Time {
		t.Helper()
		late := time.After(30 * time.Second)
		for {
			screen := ansi.Strip(em.Render())
			if ok(screen) {
				return time.Now()
			}
			select {
			case _, open := <-drawn:
				if !open {
					t.Fatalf("the program ended without %s:\n%s", what, screen)
				}
			case <-late:
				t.Fatalf("never %s:\n%s", what, screen)
			}
		}
	}
}
