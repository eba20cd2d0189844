package cli

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"wakey/session"
	"wakey/ui"
)

// errNoScreen says that there is no terminal to draw on.
var errNoScreen = errors.New("the screen needs a terminal, and standard input or output is none: " +
	"\"wakey --accessible\" asks and answers line by line, \"wakey --help\" lists the commands")

// accessibleFlag adds --accessible to a command that shows the screen.
func (a *app) accessibleFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&a.accessible, "accessible", false, "ask and answer line by line, without a screen (also ACCESSIBLE=1, TERM=dumb)")
}

// screen shows the program for people.
func (a *app) screen(ctx context.Context) error {
	c, err := readConfig()
	if err != nil {
		return err
	}
	a.watch = c.length(setWatch)
	o := a.screenOptions(c)
	o.Dir = session.DefaultDir()
	o.Open = func(ctx context.Context, person session.StoreOptions) (*session.Manager, error) {
		a.person = person
		return a.open(ctx)
	}
	o.Prefill.Lifetime = c.length(setLifetime)
	return a.show(ctx, c, o)
}

// screenOptions are what the settings say of the screen.
func (a *app) screenOptions(c config) ui.Options {
	return ui.Options{
		Theme:         c.text(setTheme),
		Background:    c.text(setBackground),
		NoMouse:       !c.on(setMouse),
		Notify:        c.on(setNotifications),
		Bell:          c.on(setBell),
		ClipboardTime: c.length(setClipboardClear),
		Version:       a.version,
	}
}

// show runs the program on a screen, or line by line where that is wanted, or where the terminal can
// do no more.
func (a *app) show(ctx context.Context, c config, o ui.Options) error {
	dumb, terminal := os.Getenv("TERM") == "dumb", isTerminal(a.stdin) && isTerminal(a.stdout)
	lines, err := a.wantsLines(c)
	switch {
	case err != nil:
		return err
	case a.noInput:
		return usagef("--no-input: the screen does nothing but ask; \"wakey --help\" lists the commands")
	case lines, dumb && terminal:
		return ui.Talk(ctx, o, a.lines(dumb))
	case !terminal:
		return &usageError{err: errNoScreen}
	}
	return ui.Run(ctx, o)
}

// wantsLines tells whether a person wants no screen: by the flag, the environment, or the settings.
func (a *app) wantsLines(c config) (bool, error) {
	if a.accessible {
		return true, nil
	}
	s, err := findSetting(setAccessible)
	if err != nil {
		return false, err
	}
	return c.standing(s).value == yes, nil
}

// lines are standard input and output, read and written line by line. dumb: the terminal understands
// nothing but text.
func (a *app) lines(dumb bool) ui.Console {
	c := ui.Console{In: a.stdin, Out: a.stdout, Signals: isTerminal(a.stdout) && !dumb}
	if in, ok := a.stdin.(*os.File); ok && isTerminal(in) {
		fd := int(in.Fd())
		c.Hide = func() (show func(), err error) {
			before, err := term.GetState(fd)
			if err != nil {
				return nil, err
			}
			return func() { _ = term.Restore(fd, before) }, silence(fd)
		}
	}
	return c
}
