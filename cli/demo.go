package cli

import (
	"context"
	"fmt"
	"strings"
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

func (a *app) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "demo",
		Short:   "Try it all on a stack of its own, keeping nothing",
		GroupID: groupMachine,
		Long: `Start a stack in this process, sign alice in, and show the screen. Tokens live for 90 seconds, so a
refresh is soon to be seen, and somebody unknown holds a refresh token of alice's. Nothing is saved
on this machine.`,
		Example: `  wakey demo`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context()) },
	}
}

func (a *app) demo(ctx context.Context) error {
	c, err := readConfig()
	if err != nil {
		return err
	}
	seed := authd.DemoSeed()
	server, err := authd.New(authd.Config{TokenLifetime: demoLifetime}, seed)
	if err != nil {
		return err
	}
	stack, err := authd.Start(ctx, server, "127.0.0.1:0", false)
	if err != nil {
		return err
	}
	defer stack.Close()
	o := a.screenOptions(c)
	o.Open = func(ctx context.Context, _ session.StoreOptions) (*session.Manager, error) {
		return a.demoAccounts(ctx, stack)
	}
	o.Hint = demoHint(seed)
	o.Prefill = ui.SignInDefaults{Stack: stack.URL, Lifetime: demoLifetime}
	return ui.Run(ctx, o)
}

// demoHint says who can sign in.
func demoHint(seed authd.Seed) string {
	pairs := make([]string, len(seed.Users))
	for i, u := range seed.Users {
		pairs[i] = u.Username + " / " + u.Password
	}
	return "The demo's users and passwords:\n" + strings.Join(pairs, "\n")
}

// demoAccounts signs alice in, in memory, and makes the stranger's refresh token.
func (a *app) demoAccounts(ctx context.Context, stack *authd.Running) (*session.Manager, error) {
	if a.manager != nil {
		return a.manager, nil // opened again
	}
	password := api.NewSecret(demoUser + "-demo")
	trust := api.Trust{Pin: stack.Fingerprint}
	client, err := api.NewClient(stack.URL, api.Options{Trust: trust, Version: a.version})
	if err != nil {
		return nil, err
	}
	defer client.Close()
	if _, err := client.CreateToken(ctx, api.PasswordRequest{Login: demoUser, Password: password, ClientID: demoStranger}); err != nil {
		return nil, fmt.Errorf("the demo's stack: %w", err)
	}
	m := session.New(session.NewMemoryStore(), session.Options{Version: a.version})
	if _, err := m.SignIn(ctx, session.SignInRequest{
		Name: "demo", Stack: stack.URL, Login: demoUser, Password: password, Lifetime: demoLifetime, Trust: trust,
	}); err != nil {
		return nil, fmt.Errorf("the demo's stack: %w", err)
	}
	a.manager = m
	return m, nil
}
