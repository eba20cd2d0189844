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
	return ui.Run(ctx, ui.Options{
		Dir: session.DefaultDir(),
		Open: func(ctx context.Context, person session.StoreOptions) (*session.Manager, error) {
			a.person = person
			return a.open(ctx)
		},
		Prefill: ui.SignInDefaults{Lifetime: length(c.Lifetime, 0)},
		Theme:   c.Theme,
		Version: a.version,
	})
}
