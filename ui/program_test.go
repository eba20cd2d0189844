package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"

	"wakey/api"
	"wakey/session"
)

// terminal is the program in a terminal that can be read and typed into.
type terminal struct {
	t    *testing.T
	em   *vt.SafeEmulator
	in   io.Writer
	out  *recorder
	done chan error
	over context.CancelFunc

	heard heard
}

// heard is what a terminal passed on to its person besides the screen.
type heard struct {
	mu    sync.Mutex
	bells int
	title string
	notes []string // OSC 9
}

func (h *heard) get() (bells int, title string, notes []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.bells, h.title, h.notes
}

func (h *heard) listen(em *vt.SafeEmulator) {
	change := func(f func()) {
		h.mu.Lock()
		defer h.mu.Unlock()
		f()
	}
	em.SetCallbacks(vt.Callbacks{
		Bell:  func() { change(func() { h.bells++ }) },
		Title: func(title string) { change(func() { h.title = title }) },
	})
	em.RegisterOscHandler(9, func(data []byte) bool {
		change(func() { h.notes = append(h.notes, strings.TrimPrefix(string(data), "9;")) })
		return true
	})
}

// recorder keeps every byte that was written to the terminal.
type recorder struct {
	mu  sync.Mutex
	buf bytes.Buffer
	em  io.Writer
}

// Write passes b on with the line ends a terminal makes of them.
func (r *recorder) Write(b []byte) (int, error) {
	r.mu.Lock()
	r.buf.Write(b)
	r.mu.Unlock()
	if _, err := r.em.Write(bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (r *recorder) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.String()
}

// startProgram runs the program in a terminal of w×h cells.
func startProgram(t *testing.T, o Options, w, h int) *terminal {
	t.Helper()
	return startProgramIn(t, o, environment{}, w, h)
}

func startProgramIn(t *testing.T, o Options, env environment, w, h int) *terminal {
	t.Helper()
	em := vt.NewSafeEmulator(w, h)
	inR, inW := io.Pipe()
	go func() { _, _ = io.Copy(inW, em) }() // what the terminal answers
	ctx, cancel := context.WithCancel(t.Context())
	tm := &terminal{t: t, em: em, in: inW, out: &recorder{em: em}, done: make(chan error, 1), over: cancel}
	tm.heard.listen(em)
	go func() {
		tm.done <- run(ctx, o, nil, env, tm.out,
			tea.WithInput(inR), tea.WithOutput(tm.out), tea.WithWindowSize(w, h),
			tea.WithColorProfile(colorprofile.TrueColor), tea.WithoutSignalHandler(),
			tea.WithEnvironment([]string{"TERM=xterm-256color"}))
	}()
	t.Cleanup(func() {
		cancel()
		if tm.done != nil {
			<-tm.done
		}
		inW.Close()
		// Closing the emulator itself races with what reads it; closing its end of the pipe does not.
		if pipe, ok := em.InputPipe().(io.Closer); ok {
			pipe.Close()
		}
	})
	return tm
}

// screen is what the terminal shows, without colours.
func (tm *terminal) screen() string { return ansi.Strip(tm.em.Render()) }

// typed types text and keys such as "\r" and "\x1b".
func (tm *terminal) typed(keys ...string) {
	tm.t.Helper()
	for _, k := range keys {
		if _, err := io.WriteString(tm.in, k); err != nil {
			tm.t.Fatal(err)
		}
	}
}

// until waits until the screen holds every one of texts.
func (tm *terminal) until(texts ...string) {
	tm.t.Helper()
	tm.untilTrue(strings.Join(texts, ", "), func() bool {
		s := tm.screen()
		for _, x := range texts {
			if !strings.Contains(s, x) {
				return false
			}
		}
		return true
	})
}

// gone waits until the screen no longer holds text.
func (tm *terminal) gone(text string) {
	tm.t.Helper()
	tm.untilTrue("no "+text, func() bool { return !strings.Contains(tm.screen(), text) })
}

func (tm *terminal) untilTrue(what string, ok func() bool) {
	tm.t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	late := time.NewTimer(20 * time.Second)
	defer late.Stop()
	for {
		select {
		case <-look.C:
			if ok() {
				return
			}
		case <-late.C:
			tm.t.Fatalf("never on the screen: %s\n%s", what, tm.screen())
		}
	}
}

// ended waits for the program to end.
func (tm *terminal) ended() error {
	tm.t.Helper()
	select {
	case err := <-tm.done:
		tm.done = nil
		return err
	case <-time.After(20 * time.Second):
		tm.t.Fatalf("the program did not end\n%s", tm.screen())
		return nil
	}
}

const (
	keyEnter = "\r"
	keyEsc   = "\x1b"
	keyTab   = "\t"
	keyCtrlC = "\x03"
)

func TestProgramShowsAccountsAndQuits(t *testing.T) {
	s := newStack(t)
	tm := startProgram(t, Options{Open: s.open}, 100, 30)
	tm.until("demo", "alice", "active", "59:5")
	before := tm.screen()
	tm.untilTrue("a countdown that falls", func() bool { return tm.screen() != before })
	tm.typed("q")
	if err := tm.ended(); err != nil {
		t.Error(err)
	}
}

func TestProgramEndsWithItsContext(t *testing.T) {
	s := newStack(t)
	tm := startProgram(t, Options{Open: s.open}, 80, 24)
	tm.until("demo")
	tm.over()
	if err := tm.ended(); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

// click is the left button's press and release at column x and row y, from 1.
func click(x, y int) string {
	at := strconv.Itoa(x) + ";" + strconv.Itoa(y)
	return "\x1b[<0;" + at + "M\x1b[<0;" + at + "m"
}

// TestIdleTickIsCheap holds what a second of an idle screen costs against a slow link, with one
// account and with a screen full of them.
func TestIdleTickIsCheap(t *testing.T) {
	for _, accounts := range []int{1, 25} {
		s := newStack(t)
		for i := range accounts - 1 {
			if _, err := s.mgr.SignIn(t.Context(), session.SignInRequest{
				Name: fmt.Sprintf("more %02d", i), Stack: s.base(t), Login: bob.Username, Password: api.NewSecret(bob.Password),
				Lifetime: 2 * time.Hour, Trust: api.Trust{Pin: s.pin},
			}); err != nil {
				t.Fatal(err)
			}
		}
		tm := startProgram(t, Options{Open: s.open}, 120, 50)
		tm.until("active", "1/100")
		const ticks = 3
		last := tm.screen()
		var from int
		for i := range ticks + 1 { // the first only aligns to the tick
			tm.untilTrue("another second", func() bool { return tm.screen() != last })
			last = tm.screen()
			if i == 0 {
				from = len(tm.out.String())
			}
		}
		n := (len(tm.out.String()) - from) / ticks
		t.Logf("%d accounts: %d bytes a tick", accounts, n)
		if n > 200 {
			t.Errorf("%d accounts: %d bytes a tick", accounts, n)
		}
		tm.over()
	}
}
