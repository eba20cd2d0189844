package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"wakey/api"
	"wakey/session"
)

func (a *app) refreshCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:     "refresh [ACCOUNT]",
		Short:   "Make a fresh access token now",
		GroupID: groupTokens,
		Example: `  wakey refresh
  wakey refresh --all`,
		Args: func(cmd *cobra.Command, args []string) error {
			if all {
				return cobra.NoArgs(cmd, args)
			}
			return cobra.MaximumNArgs(1)(cmd, args)
		},
		ValidArgsFunction: completeAccounts,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.refresh(cmd.Context(), args, all)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "refresh every account")
	a.accountFlags(cmd)
	return cmd
}

func (a *app) refresh(ctx context.Context, args []string, all bool) error {
	m, err := a.open(ctx)
	if err != nil {
		return err
	}
	var accounts []session.Account
	if all {
		accounts = m.Accounts()
		if len(accounts) == 0 {
			return errNobodySignedIn
		}
	} else {
		c, err := a.choose(m.Accounts(), args)
		if err != nil {
			return err
		}
		accounts = []session.Account{c.Account}
	}
	var failed []error
	for _, account := range accounts {
		access, err := m.Refresh(ctx, account.ID)
		if err != nil {
			failed = append(failed, ofAccount(account, err))
			continue
		}
		a.talkf("%s: refreshed, the access token …%s expires %s.", api.Clean(account.Name), access.Token.Suffix(),
			when(access.ExpiresAt, time.Now()))
	}
	return partly(failed, len(accounts))
}

// ofAccount says whose error it is, unless the error does that.
func ofAccount(account session.Account, err error) error {
	if _, says := errors.AsType[*session.ProblemError](err); says {
		return err
	}
	return fmt.Errorf("%s: %w", api.Clean(account.Name), err)
}

// partly joins what failed of several things, and says whether any was done.
func partly(failed []error, of int) error {
	err := errors.Join(failed...)
	if len(failed) > 0 && len(failed) < of {
		return fmt.Errorf("%w\n%w: %d of %d failed", err, errPartly, len(failed), of)
	}
	return err
}
