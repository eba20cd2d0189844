//go:build linux

package security_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// terminal is the program at a pseudo-terminal. Every byte that it writes is kept, and drawn by an emulator.
type terminal struct {
	t    *testing.T
	w    *world
	step string
	cmd  *exec.Cmd
	tty  *os.File
	em   *vt.SafeEmulator
	cols int
	rows int
	// drawn tells whether there is an emulator that draws.
	drawn bool

	mu      sync.Mutex
	stream  bytes.Buffer
	changed time.Time // when something was last written
	clips   []string  // what was put into the clipboard by OSC 52
	titles  []string
	bells   int
	awaited *awaited

	over chan struct{} // the program has ended
}

// awaited is what somebody waits for. It is looked at after each piece that was written, so that nothing passes unseen.
type awaited struct {
	ok   func() bool
	came chan struct{}
}

// sit starts the program at a terminal of cols×rows. Without a size it is 100×30 and nobody draws it: for what only
// writes lines.
func (w *world) sit(step string, cols, rows int, c command) *terminal {
	w.t.Helper()
	drawn := cols > 0
	if !drawn {
		cols, rows = 100, 30
	}
	cmd := exec.Command(w.program, c.args...)
	cmd.Dir = filepath.Join(w.home, c.dir)
	cmd.Env = append(append([]string{}, w.env...), c.env...)
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: uint16(rows), Cols: uint16(cols)})
	if err != nil {
		w.t.Fatal(err)
	}
	x := &terminal{
		t: w.t, w: w, step: step, cmd: cmd, tty: tty, em: vt.NewSafeEmulator(cols, rows), cols: cols, rows: rows,
		over: make(chan struct{}), changed: time.Now(), drawn: drawn,
	}
	x.em.RegisterOscHandler(52, x.osc52)
	x.em.SetCallbacks(vt.Callbacks{
		Bell: func() {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.bells++
		},
		Title: func(s string) {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.titles = append(x.titles, s)
		},
	})
	go func() { _, _ = io.Copy(tty, x.em) }() // what the terminal answers
	go x.draw()
	w.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-x.over
		_ = tty.Close()
	})
	w.note(step, "arguments", []byte(strings.Join(cmd.Args[1:], "\x00")))
	return x
}

func (x *terminal) draw() {
	buf := make([]byte, 32<<10)
	for {
		n, err := x.tty.Read(buf)
		x.mu.Lock()
		x.stream.Write(buf[:n])
		x.changed = time.Now()
		x.mu.Unlock()
		if x.drawn {
			_, _ = x.em.Write(buf[:n])
		}
		x.mu.Lock()
		a := x.awaited
		x.mu.Unlock()
		if a != nil && a.ok() {
			close(a.came)
			x.mu.Lock()
			if x.awaited == a {
				x.awaited = nil
			}
			x.mu.Unlock()
		}
		if err != nil {
			_ = x.cmd.Wait()
			close(x.over)
			return
		}
	}
}

// osc52 is called by the emulator: it notes what a program put into the clipboard.
func (x *terminal) osc52(data []byte) bool {
	_, payload, _ := strings.Cut(strings.TrimPrefix(string(data), "52;"), ";")
	text, err := base64.StdEncoding.DecodeString(payload)
	if err != nil {
		text = []byte(payload)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.clips = append(x.clips, string(text))
	return true
}

func (x *terminal) clipboard() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return append([]string(nil), x.clips...)
}

// screen is what the terminal shows, without colours.
func (x *terminal) screen() string { return ansi.Strip(x.em.Render()) }

func (x *terminal) raw() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.stream.String()
}

// types sends keys to the program.
func (x *terminal) types(keys ...string) {
	x.t.Helper()
	for _, k := range keys {
		if _, err := io.WriteString(x.tty, k); err != nil && !errors.Is(err, syscall.EIO) {
			x.t.Fatal(err)
		}
	}
}

// until waits for a screen or, for a program that draws none, for what was written.
func (x *terminal) until(what string, ok func() bool) {
	x.t.Helper()
	a := &awaited{ok, make(chan struct{})}
	x.mu.Lock()
	x.awaited = a
	x.mu.Unlock()
	if ok() {
		x.mu.Lock()
		x.awaited = nil
		x.mu.Unlock()
		return
	}
	select {
	case <-a.came:
	case <-x.over:
		if !ok() {
			x.t.Fatalf("%s: the program ended (%v) without %s:\n%s", x.step, x.cmd.ProcessState, what, x.screen())
		}
	case <-time.After(patience):
		x.t.Fatalf("%s: never %s:\n%s", x.step, what, x.screen())
	}
}

// sees waits until every one of texts is on the screen.
func (x *terminal) sees(texts ...string) {
	x.t.Helper()
	x.until(fmt.Sprintf("on the screen: %q", texts), func() bool {
		screen := x.screen()
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	})
	x.snap()
}

// calm is how long a screen stays as it is before it counts as drawn. A screen that is looked at too early or
// too late makes no test fail: it is one more screen.
const (
	calm    = 40 * time.Millisecond
	restive = 500 * time.Millisecond // for a screen that never rests
)

// rest waits until the program draws no more.
func (x *terminal) rest() {
	look := time.NewTicker(calm / 4)
	defer look.Stop()
	began := time.Now()
	for {
		select {
		case <-look.C:
		case <-x.over:
			return
		}
		x.mu.Lock()
		quiet := time.Since(x.changed)
		x.mu.Unlock()
		if time.Since(began) > calm && quiet > calm || time.Since(began) > restive {
			return
		}
	}
}

// snap notes what is on the screen: as it is, and with everything in a row that a narrow column has broken up.
func (x *terminal) snap() {
	screen := x.screen()
	x.w.note(x.step, "screen", []byte(screen))
	x.w.note(x.step, "screen", []byte(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \n│┃▏▕┊╎╭╮╰╯─━", r) {
			return -1
		}
		return r
	}, screen)))
}

// ends waits for the program's end and notes all that it wrote.
func (x *terminal) ends() int {
	x.t.Helper()
	select {
	case <-x.over:
	case <-time.After(patience):
		x.t.Fatalf("%s: it does not end:\n%s", x.step, x.screen())
	}
	x.keep()
	return x.cmd.ProcessState.ExitCode()
}

// keep notes what was written so far, the clipboard's part told apart, and what is in the home now.
func (x *terminal) keep() {
	x.t.Helper()
	x.w.note(x.step, "terminal", []byte(withoutOSC52(x.raw())))
	for _, clip := range x.clipboard() {
		x.w.note(x.step, "clipboard", []byte(clip))
	}
	x.mu.Lock()
	titles := slices.Clone(x.titles)
	x.mu.Unlock()
	for _, title := range titles {
		x.w.note(x.step, "title", []byte(title))
	}
	x.w.look(x.step)
}

// withoutOSC52 drops what asks the terminal to fill its clipboard, which is noted by itself.
func withoutOSC52(s string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "\x1b]52;")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		end := strings.IndexAny(rest, "\a\x1b")
		if end < 0 {
			return b.String()
		}
		s = rest[end:]
	}
}
