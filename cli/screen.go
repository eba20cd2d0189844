package cli

import (
	"context"
	"os"

	"wakey/session"
	"wakey/ui"
)

// hasScreen tells whether there is a terminal for the screen on both sides.
func (a *app) hasScreen() bool {
	return !a.noInput && isTerminal(a.stdin) && isTerminal(a.stdout) && os.Getenv("TERM") != "dumb"
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
	return ui.Run(ctx, o)
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
