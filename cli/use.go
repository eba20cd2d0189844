package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"a.wakey/quick"

	"wakey/api"
)

func (a *app) useCommand() *cobra.Command {
	var remove bool
	cmd := &cobra.Command{
		Use:     "use ACCOUNT",
		Short:   "Name the account for this directory and below",
		GroupID: groupAccounts,
		Long: `Write a .wakey file into the current directory. It holds the account's name and nothing else, so it
may be committed; commands that are run in the directory or below work on that account.`,
		Example: `  wakey use prod
  wakey use --remove`,
		Args: func(cmd *cobra.Command, args []string) error {
			if remove {
				return cobra.NoArgs(cmd, args)
			}
			return cobra.ExactArgs(1)(cmd, args)
		},
		ValidArgsFunction: completeAccounts,
		RunE: func(cmd *cobra.Command, args []string) error {
			if remove {
				return a.unuse()
			}
			return a.use(cmd.Context(), args)
		},
	}
	cmd.Flags().BoolVar(&remove, "remove", false, "remove the .wakey file of the current directory")
	return cmd
}

func (a *app) use(ctx context.Context, args []string) error {
	c, err := a.glance(ctx, args)
	if err != nil {
		return err
	}
	if err := writeFile(".", quick.DotWakey, c.Name+"\n", 0o644); err != nil {
		return err
	}
	a.talkf("Here and below, commands work on %s.", api.Clean(c.Name))
	return nil
}

func (a *app) unuse() error {
	err := os.Remove(quick.DotWakey)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("there is no .wakey file in this directory")
	}
	return err
}
