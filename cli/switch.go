package cli

import (
	"context"

	"github.com/spf13/cobra"

	"wakey/api"
	"wakey/session"
)

func (a *app) switchCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "switch ACCOUNT",
		Short:   "Make an account the usual one",
		GroupID: groupAccounts,
		Long: `Make an account the one that commands work on when nothing else names one. --account, WAKEY_ACCOUNT
and a .wakey file (see "wakey use") come first.`,
		Example:           `  wakey switch prod`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeAccounts,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.switchTo(cmd.Context(), args)
		},
	}
}

func (a *app) switchTo(ctx context.Context, args []string) error {
	c, err := a.glance(ctx, args)
	if err != nil {
		return err
	}
	if err := writeCurrent(session.DefaultDir(), c.ID); err != nil {
		return err
	}
	a.talkf("Switched to %s: %s at %s.", api.Clean(c.Name), api.Clean(c.Login), stackName(c.Account))
	return nil
}
