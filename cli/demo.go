package cli

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"wakey/api"
	"wakey/internal/authd"
	"wakey/session"
	"wakey/ui"
)

// demoLifetime is short enough to see a refresh within the first two minutes.
const demoLifetime = 90 * time.Second

// The demo's account, and the device that nobody knows.
const (
	demoUser     = "alice"
	demoStranger = "phone-7c1e"
)

// demo is a stack of its own and what happens there.
type demo struct {
	a     *app
	stack *authd.Running
	thief bool
	aside chan ui.Aside // what the thief does
	speed time.Duration // how many times as fast it happens
	under sync.WaitGroup
}

func (a *app) demoCommand() *cobra.Command {
	d := &demo{a: a, speed: 1}
	cmd := &cobra.Command{
		Use:     "demo",
		Short:   "Try it all on a stack of its own, keeping nothing",
		GroupID: groupMachine,
		Long: `Start a stack in this process, sign alice in, and show the screen. Tokens live for 90 seconds, so a
refresh is soon to be seen, and somebody unknown holds a refresh token of alice's. Nothing is saved
on this machine.

With --thief somebody copies alice's refresh token after a while and makes the most of it, as the
lines below the screen tell: see wakey notice it, respond with "!", and see the thief shut out.`,
		Example: `  wakey demo
  wakey demo --thief`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context()) },
	}
	cmd.Flags().BoolVar(&d.thief, "thief", false, "let somebody steal the refresh token")
	a.accessibleFlag(cmd)
	return cmd
}

func (d *demo) run(ctx context.Context) error {
	c, err := readConfig()
	if err != nil {
		return err
	}
	seed := authd.DemoSeed()
	server, err := authd.New(authd.Config{TokenLifetime: demoLifetime}, seed)
	if err != nil {
		return err
	}
	d.stack, err = authd.Start(ctx, server, "127.0.0.1:0", false)
	if err != nil {
		return err
	}
	defer d.stack.Close()
	outer := ctx
	ctx, over := context.WithCancel(ctx)
	defer d.under.Wait()
	defer over()
	if d.thief {
		d.aside = make(chan ui.Aside, 1)
	}
	o := d.a.screenOptions(c)
	o.Open = func(context.Context, session.StoreOptions) (*session.Manager, error) { return d.accounts(ctx) }
	o.Hint = demoHint(seed)
	o.Prefill = ui.SignInDefaults{Stack: d.stack.URL, Lifetime: demoLifetime}
	o.Aside = d.aside
	return d.a.show(outer, c, o)
}

// demoHint says who can sign in.
func demoHint(seed authd.Seed) string {
	pairs := make([]string, len(seed.Users))
	for i, u := range seed.Users {
		pairs[i] = u.Username + " / " + u.Password
	}
	return "The demo's users and passwords:\n" + strings.Join(pairs, "\n")
}

// accounts signs alice in, in memory, and makes the refresh token of another device: a stranger's, or with
// the thief alice's phone.
func (d *demo) accounts(ctx context.Context) (*session.Manager, error) {
	if d.a.manager != nil {
		return d.a.manager, nil // opened again
	}
	password := api.NewSecret(demoUser + "-demo")
	trust := api.Trust{Pin: d.stack.Fingerprint}
	client, err := api.NewClient(d.stack.URL, api.Options{Trust: trust, Version: d.a.version})
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, client.Close)
	if _, err := client.CreateToken(ctx, api.PasswordRequest{Login: demoUser, Password: password, ClientID: demoStranger}); err != nil {
		return nil, fmt.Errorf("the demo's stack: %w", err)
	}
	watch := session.DefaultWatch
	if d.thief {
		watch = thiefWatch / d.speed
	}
	m := session.New(session.NewMemoryStore(), session.Options{Version: d.a.version, Watch: watch})
	account, err := m.SignIn(ctx, session.SignInRequest{
		Name: "demo", Stack: d.stack.URL, Login: demoUser, Password: password, Lifetime: demoLifetime, Trust: trust,
	})
	if err != nil {
		return nil, fmt.Errorf("the demo's stack: %w", err)
	}
	if d.thief {
		if err := m.Label(account.ID, demoStranger, "alice's phone"); err != nil {
			return nil, err
		}
		th := newThief(client, m, account.ID, d.aside)
		th.speed = d.speed
		d.under.Go(func() { th.run(ctx, thiefWaits) })
	}
	d.a.manager = m
	return m, nil
}
