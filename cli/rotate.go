package cli

import (
	"context"

	"github.com/spf13/cobra"

	"wakey/api"
)

// passwordOptions say where a password comes from.
type passwordOptions struct {
	stdin   bool
	command string
}

func (o *passwordOptions) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.stdin, "password-stdin", false, "read the password from standard input")
	cmd.Flags().StringVar(&o.command, "password-command", "", "take the password from what `COMMAND` prints")
	cmd.MarkFlagsMutuallyExclusive("password-stdin", "password-command")
}

// of gives the options of a sign-in as user that ask for the password alike.
func (o *passwordOptions) of(user string) loginOptions {
	return loginOptions{user: user, passwordStdin: o.stdin, passwordCommand: o.command}
}

func (a *app) rotateCommand() *cobra.Command {
	var o passwordOptions
	cmd := &cobra.Command{
		Use:     "rotate [ACCOUNT]",
		Short:   "Replace the account's refresh token by a new one",
		GroupID: groupTokens,
		Long: `Sign in again with the password, under a new client_id, then revoke the old refresh token and the
sessions made from it here. The account keeps its name, and a wrong password changes nothing.`,
		Example: `  wakey rotate
  wakey rotate prod --password-stdin < password`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeAccounts,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.rotate(cmd.Context(), args, o)
		},
	}
	o.flags(cmd)
	a.accountFlags(cmd)
	return cmd
}

func (a *app) rotate(ctx context.Context, args []string, o passwordOptions) error {
	m, c, err := a.opened(ctx, args)
	if err != nil {
		return err
	}
	password, err := a.password(ctx, o.of(c.Login))
	if err != nil {
		return err
	}
	account, err := m.Rotate(ctx, c.ID, password)
	if err != nil {
		return err
	}
	a.talkf("%s: rotated, the refresh token is known to the stack as %s now.", api.Clean(account.Name), api.Clean(account.ClientID))
	return nil
}
