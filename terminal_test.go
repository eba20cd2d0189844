package main_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

func TestMain(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(buildDir)
	os.Exit(code)
}

// buildDir is where buildWakey has put the program, if it was asked to.
var buildDir string

// buildWakey builds the program once for all tests of the run.
var buildWakey = sync.OnceValues(func() (_ string, err error) {
	if buildDir, err = os.MkdirTemp("", "wakey-e2e-"); err != nil {
		return "", err
	}
	bin := filepath.Join(buildDir, "wakey")
	out, err := exec.Command("go", "build", "-o", bin, "wakey").CombinedOutput()
	if err != nil {
		return "", &buildError{err, string(out)}
	}
	return bin, nil
})

type buildError struct {
	err error
	out string
}

func (e *buildError) Error() string { return e.err.Error() + "\n" + e.out }

// terminal is the program in a pseudo-terminal, seen through a screen emulator.
type terminal struct {
	t       testing.TB
	cmd     *exec.Cmd
	pty     *os.File
	em      *vt.SafeEmulator
	drawn   chan struct{} // something was written since the last look
	mu      sync.Mutex
	clip    string // what OSC 52 put on the clipboard last
	secrets []string
	exited  chan error
}

const e2eTimeout = 60 * time.Second

// terminal runs wakey with args in a terminal of w×h cells.
func (m *machine) terminal(w, h int, args ...string) *terminal {
	t := m.t
	t.Helper()
	cmd := m.command(args...)
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: uint16(h), Cols: uint16(w)})
	if err != nil {
		t.Fatal(err)
	}
	x := &terminal{
		t: t, cmd: cmd, pty: f, em: vt.NewSafeEmulator(w, h),
		drawn: make(chan struct{}, 1), exited: make(chan error, 1),
	}
	x.em.RegisterOscHandler(52, func(data []byte) bool {
		if _, b64, ok := strings.Cut(strings.TrimPrefix(string(data), "52;"), ";"); ok {
			if text, err := base64.StdEncoding.DecodeString(b64); err == nil {
				x.mu.Lock()
				x.clip = string(text)
				x.mu.Unlock()
			}
		}
		return true
	})
	go func() { _, _ = io.Copy(f, x.em) }() // what the emulator answers to queries
	go func() {
		_, _ = io.Copy(notifying{x}, f)
		x.exited <- cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = f.Close()
	})
	return x
}

// notifying writes to the screen and says so.
type notifying struct{ x *terminal }

func (n notifying) Write(p []byte) (int, error) {
	k, err := n.x.em.Write(p)
	select {
	case n.x.drawn <- struct{}{}:
	default:
	}
	return k, err
}

func (x *terminal) screen() string { return ansi.Strip(x.em.Render()) }

// until waits for a screen that ok accepts, and gives it. No screen may show a secret.
func (x *terminal) until(what string, ok func(screen string) bool) string {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.t.Context(), e2eTimeout)
	defer cancel()
	for {
		s := x.screen()
		for _, secret := range x.secrets {
			if strings.Contains(s, secret) {
				x.t.Fatalf("the screen shows a secret:\n%s", s)
			}
		}
		if ok(s) {
			return s
		}
		select {
		case <-x.drawn:
		case <-ctx.Done():
			x.t.Fatalf("never saw %s:\n%s", what, s)
		}
	}
}

// see waits until every one of texts is on the screen.
func (x *terminal) see(texts ...string) string {
	x.t.Helper()
	return x.until(strings.Join(texts, ", "), func(s string) bool {
		for _, t := range texts {
			if !strings.Contains(s, t) {
				return false
			}
		}
		return true
	})
}

// typeKeys sends keys one by one, as fingers do.
func (x *terminal) typeKeys(keys ...string) {
	x.t.Helper()
	for _, k := range keys {
		if _, err := x.pty.WriteString(k); err != nil {
			x.t.Fatal(err)
		}
	}
}

// esc presses escape and waits for what comes of it: together with the next key it would be another.
func (x *terminal) esc(what string, ok func(screen string) bool) {
	x.t.Helper()
	x.typeKeys("\x1b")
	x.until(what, ok)
}

// copied waits for something on the clipboard.
func (x *terminal) copied() string {
	x.t.Helper()
	text := ""
	x.until("something copied", func(string) bool {
		x.mu.Lock()
		defer x.mu.Unlock()
		text = x.clip
		return text != ""
	})
	return text
}

// quit waits for the program's end, which must be a clean one.
func (x *terminal) quit() {
	x.t.Helper()
	select {
	case err := <-x.exited:
		if err != nil {
			x.t.Errorf("wakey ended with %v", err)
		}
	case <-time.After(e2eTimeout):
		x.t.Fatalf("wakey does not end:\n%s", x.screen())
	}
}

// line gives the first line of s that contains text.
func line(s, text string) string {
	for l := range strings.Lines(s) {
		if strings.Contains(l, text) {
			return l
		}
	}
	return ""
}

// click presses the left button on the first place of the screen that shows text.
func (x *terminal) click(text string) {
	x.t.Helper()
	col, row := x.find(text)
	x.typeKeys(fmt.Sprintf("\x1b[<0;%d;%dM\x1b[<0;%d;%dm", col+1, row+1, col+1, row+1))
}

// clickAt presses the left button in the row of text, in a column of its own.
func (x *terminal) clickAt(col int, text string) {
	x.t.Helper()
	_, row := x.find(text)
	x.typeKeys(fmt.Sprintf("\x1b[<0;%d;%dM\x1b[<0;%d;%dm", col+1, row+1, col+1, row+1))
}

// wheel turns the wheel n notches down over the middle of the screen.
func (x *terminal) wheel(n int) {
	x.t.Helper()
	x.typeKeys(strings.Repeat("\x1b[<65;20;12M", n))
}

// find gives the cell where text begins on the screen.
func (x *terminal) find(text string) (col, row int) {
	x.t.Helper()
	screen := x.see(text)
	for l := range strings.Lines(screen) {
		if before, _, ok := strings.Cut(l, text); ok {
			return ansi.StringWidth(before), row
		}
		row++
	}
	return 0, 0
}
