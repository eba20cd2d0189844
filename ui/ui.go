package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"

	"wakey/session"
)

// Options of the program.
type Options struct {
	// Dir is where the store lives: the first frame shows the index beside it. Empty: there is none.
	Dir string
	// Open opens the accounts. It is called in the background after the first frame. What it is
	// given asks the person in front of the screen, by dialogs.
	Open func(ctx context.Context, person session.StoreOptions) (*session.Manager, error)
	// Hint is shown on the sign-in screen.
	Hint string
	// Prefill is what the sign-in screen holds to begin with.
	Prefill SignInDefaults
	// Theme is the name of one of Themes; empty: the default one.
	Theme string
	// Background says what the terminal is: "dark" or "light"; anything else: the terminal is asked.
	Background string
	// NoMouse leaves the mouse to the terminal.
	NoMouse bool
	// ClipboardTime is how long a copied token stays in the clipboard; 0: DefaultClipboardTime.
	ClipboardTime time.Duration
	// Notify tells the desktop when an account needs a person.
	Notify bool
	// Bell rings the terminal's bell then.
	Bell bool
	// Aside gives what else is shown below every view; nil: nothing.
	Aside <-chan Aside
	// Version of wakey.
	Version string
}

// SignInDefaults fill the sign-in screen in.
type SignInDefaults struct {
	Stack    string
	Login    string
	Name     string
	Lifetime time.Duration // 0: an hour
}

func (o *Options) clipboardTime() time.Duration {
	if o.ClipboardTime == 0 {
		return DefaultClipboardTime
	}
	return o.ClipboardTime
}

// framesPerSecond bounds how often the screen is drawn, and how late the first frame comes. More
// would cost an idle program more than its countdowns do.
const framesPerSecond = 40

// errNoTerminal says that there is nothing to draw on.
var errNoTerminal = errors.New("no terminal to draw on; use the commands instead (wakey help)")

// Run shows the program until a person quits it, ctx ends, or it fails. An interrupt gives
// context.Canceled.
func Run(ctx context.Context, o Options) error {
	if !term.IsTerminal(int(os.Stdout.Fd())) || os.Getenv("TERM") == "dumb" {
		return errNoTerminal
	}
	var known []session.Account
	if o.Dir != "" {
		// Without an index the first frame says that the store is being opened; what is
		// wrong with the store, opening it will tell.
		known, _ = session.ReadIndex(o.Dir)
	}
	_ = os.Unsetenv("TEA_TRACE") // it would have all that is drawn or copied written to a file, tokens too
	return run(ctx, o, known, environmentNow(), os.Stdout)
}

// run is the program from its first frame to its end.
func run(ctx context.Context, o Options, known []session.Account, env environment, terminal io.Writer, more ...tea.ProgramOption) error {
	outer := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a := newApp(ctx, o, known)
	a.env = env
	p := tea.NewProgram(a, append([]tea.ProgramOption{tea.WithContext(ctx), tea.WithFPS(framesPerSecond)}, more...)...)
	a.send = p.Send
	_, err := p.Run()
	cancel()
	a.runner.stop()
	a.emptyClipboard(terminal)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, tea.ErrInterrupted):
		return context.Canceled
	case outer.Err() != nil && !errors.Is(err, tea.ErrProgramPanic):
		return context.Cause(outer)
	}
	return fmt.Errorf("the screen failed: %w", err)
}

func environmentNow() environment { return environmentOf(os.Getenv) }

// environmentOf finds out where the program runs.
func environmentOf(getenv func(string) string) environment {
	return environment{
		tmux:    getenv("TMUX") != "",
		remote:  getenv("SSH_CONNECTION") != "" || getenv("SSH_TTY") != "",
		display: hasDisplay(getenv),
		wayland: getenv("WAYLAND_DISPLAY") != "",
		colours: getenv("COLORFGBG"),
	}
}

// emptyClipboard keeps the promise that no token stays in the clipboard, when the program ends
// before its time is over.
func (f *frame) emptyClipboard(terminal io.Writer) {
	if f.clip.gen == f.clip.cleared {
		return
	}
	if f.clip.way == clipOSC52 {
		_, _ = io.WriteString(terminal, ansi.SetSystemClipboard(""))
		return
	}
	if cmd := clearClipboard(f.clip); cmd != nil {
		cmd()
	}
}
