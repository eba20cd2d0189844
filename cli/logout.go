package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"wakey/api"
	"wakey/session"
)

func (a *app) logoutCommand() *cobra.Command {
	var forget bool
	cmd := &cobra.Command{
		Use:     "logout [ACCOUNT]",
		Short:   "Sign out: revoke on the stack, then forget",
		GroupID: groupAccounts,
		Long: `Revoke the account's refresh token and the sessions that this machine opened, then forget the
account. When the stack can't be asked the account stays; --forget removes it from this machine
without touching the stack, where its refresh token then lives on.`,
		Example: `  wakey logout prod
  wakey logout prod --forget`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeAccounts,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.logout(cmd.Context(), args, forget)
		},
	}
	cmd.Flags().BoolVar(&forget, "forget", false, "only remove the account from this machine")
	a.accountFlags(cmd)
	return cmd
}

func (a *app) logout(ctx context.Context, args []string, forget bool) error {
	m, c, err := a.opened(ctx, args)
	if err != nil {
		return err
	}
	name := api.Clean(c.Name)
	if forget {
		err = m.Forget(ctx, c.ID)
	} else if err = m.SignOut(ctx, c.ID); err != nil {
		err = fmt.Errorf("%w\n%s is still signed in; \"wakey logout --forget %s\" removes it from this machine alone", err, name, name)
	}
	if err != nil {
		return err
	}
	if dir := session.DefaultDir(); readCurrent(dir) == c.ID {
		if err := writeCurrent(dir, ""); err != nil {
			return err
		}
	}
	switch {
	case !forget:
		a.talkf("Signed out of %s: %s is revoked and forgotten.", stackName(c.Account), name)
	case c.ClientID != "":
		a.talkf("%s is forgotten. Its refresh token %s lives on at %s.", name, api.Clean(c.ClientID), stackName(c.Account))
	default:
		a.talkf("%s is forgotten.", name)
	}
	return nil
}
