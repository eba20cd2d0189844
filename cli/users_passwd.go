package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"wakey/api"
	"wakey/session"
)

// newPasswordOptions say where a password that is set comes from.
type newPasswordOptions struct {
	passwordOptions

	generate bool
}

func (o *newPasswordOptions) add(cmd *cobra.Command) {
	o.flags(cmd)
	cmd.Flags().BoolVar(&o.generate, "generate-password", false, "make a password, and print it once")
	cmd.MarkFlagsMutuallyExclusive("password-stdin", "password-command", "generate-password")
}

// newPassword gets the password to be from where the options say, or asks for it, twice. When nobody can be asked and it may
// be left out, there is none.
func (a *app) newPassword(ctx context.Context, o *newPasswordOptions, whose string, optional bool) (secret api.Secret, err error) {
	switch {
	case o.generate:
		return session.NewPassword(), nil
	case o.stdin:
		secret, err = readSecret(a.stdin)
	case o.command != "":
		secret, err = a.secretCommand(ctx, o.command)
	case optional:
		return api.Secret{}, nil
	default:
		secret, err = a.askTwice(ctx, "New password of "+api.Clean(whose)+": ")
		if errors.Is(err, errNobodyToAsk) {
			return secret, usagef("no password: there is no terminal to ask on; use --password-stdin, --password-command or --generate-password")
		}
	}
	if err != nil {
		return secret, fmt.Errorf("reading the new password: %w", err)
	}
	if secret.IsZero() {
		return secret, errors.New("the new password is empty")
	}
	return secret, nil
}

type passwdOptions struct {
	newPasswordOptions

	tenant     string
	oldCommand string
	remove     bool
	revoke     bool
	yes        bool
}

func (a *app) usersPasswd() *cobra.Command {
	var o passwdOptions
	cmd := &cobra.Command{
		Use:   "passwd [USER]",
		Short: "Set a user's password, or one's own",
		Long: `Set a user's password, as an administrator; without a name set the account's own, with the old one.
The user's sessions end with it (stacks before 26.04 leave them). Refresh tokens go on working:
--revoke-refresh-tokens ends them, and every session that is left, but this machine's own.

The password is asked for, unless --password-stdin, --password-command or --generate-password says
where it comes from; a generated one is printed to standard output, once.`,
		Example: `  wakey users passwd bob --generate-password --revoke-refresh-tokens
  wakey users passwd bob --password-stdin < password
  wakey users passwd --old-password-command 'echo admin-demo' --password-command 'cat password'
  wakey users passwd bob --remove --yes`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeUser,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.passwd(cmd.Context(), strings.Join(args, ""), &o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.oldCommand, "old-password-command", "", "take the account's old password from what `COMMAND` prints")
	flags.BoolVar(&o.remove, "remove", false, "take the password away: nobody signs in with one then")
	flags.BoolVar(&o.revoke, "revoke-refresh-tokens", false, "revoke the user's refresh tokens and sessions then")
	flags.BoolVarP(&o.yes, "yes", "y", false, "don't ask before the password is taken away")
	o.add(cmd)
	cmd.MarkFlagsMutuallyExclusive("remove", "password-stdin")
	cmd.MarkFlagsMutuallyExclusive("remove", "password-command")
	cmd.MarkFlagsMutuallyExclusive("remove", "generate-password")
	a.usersFlags(cmd, &o.tenant)
	return cmd
}

func (a *app) passwd(ctx context.Context, name string, o *passwdOptions) error {
	if name == "" && o.remove {
		return usagef("whose password is to be taken away? name the user")
	}
	if name != "" && o.oldCommand != "" {
		return usagef("--old-password-command is for the account's own password: leave the name out")
	}
	d, err := a.directory(ctx, o.tenant)
	if err != nil {
		return err
	}
	u := api.User{UUID: d.account.UserUUID, Username: d.account.Login}
	var old, fresh api.Secret
	if name != "" {
		if u, err = d.FindUser(ctx, d.account.ID, name, d.tenant); err != nil {
			return err
		}
	} else if old, err = a.oldPassword(ctx, d, o); err != nil {
		return err
	}
	if o.remove {
		a.talkf("On %s, this takes away the password of %s.", stackName(d.account.Account), nameOf(u))
		err = a.agreeTo(ctx, o.yes, "nothing was changed")
	} else {
		fresh, err = a.newPassword(ctx, &o.newPasswordOptions, session.UserName(u), false)
	}
	if err != nil {
		return err
	}
	if err := d.SetUserPassword(ctx, d.account.ID, u, old, fresh); err != nil {
		return err
	}
	if o.generate {
		fmt.Fprintln(a.stdout, fresh.Reveal())
	}
	a.talkf("%s has %s.", nameOf(u), map[bool]string{true: "no password any more", false: "a new password"}[o.remove])
	everything := session.Ending{Tokens: true, Sessions: true}
	if o.revoke {
		return a.endAccess(ctx, d, u, everything)
	}
	return a.offerToEnd(ctx, d, u, everything, o.yes, "A new password leaves refresh tokens alive")
}

func (a *app) oldPassword(ctx context.Context, d directory, o *passwdOptions) (api.Secret, error) {
	old := loginOptions{user: d.account.Login, passwordCommand: o.oldCommand}
	secret, err := a.password(ctx, old)
	if _, ok := errors.AsType[*usageError](err); ok {
		return secret, usagef("no old password: there is no terminal to ask on; use --old-password-command")
	}
	return secret, err
}
