package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"wakey/api"
	"wakey/session"
)

type revokeUserOptions struct {
	tenant string
	keep   bool
	yes    bool
	dryRun bool
}

func (a *app) usersRevoke() *cobra.Command {
	var o revokeUserOptions
	cmd := &cobra.Command{
		Use:   "revoke USER [CLIENT_ID...]",
		Short: "Revoke a user's refresh tokens and sessions",
		Long: `Revoke a user's refresh tokens, or those of the CLIENT_IDs, and all its sessions: whoever has lost a
phone is signed out of it at once. Which session was made from which refresh token nobody is told; a
client whose refresh token stays comes back by itself. --keep-sessions leaves the sessions.

What accounts of this machine hold is left alone.`,
		Example: `  wakey users revoke bob
  wakey users revoke bob phone-7c1e --yes
  wakey users revoke bob --keep-sessions --yes
  wakey users revoke bob --dry-run`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeRevoke,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.revokeUser(cmd.Context(), args[0], args[1:], o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.keep, "keep-sessions", false, "leave the sessions alone")
	flags.BoolVarP(&o.yes, "yes", "y", false, "don't ask")
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what would be revoked, and revoke nothing")
	a.usersFlags(cmd, &o.tenant)
	return cmd
}

// completeRevoke completes the user, and then its client_ids.
func (a *app) completeRevoke(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return a.completeUsers(cmd, args, begun)
	}
	a.noInput = true
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
	defer cancel()
	d, err := a.directory(ctx, "")
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	u, err := d.FindUser(ctx, d.account.ID, args[0], "")
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	details, _ := d.UserDetails(ctx, d.account.ID, u.UUID)
	var ids []string
	for _, t := range details.Tokens {
		if t.ClientID == api.Clean(t.ClientID) && !slices.Contains(args[1:], t.ClientID) {
			ids = append(ids, t.ClientID)
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

func (a *app) revokeUser(ctx context.Context, name string, clientIDs []string, o revokeUserOptions) error {
	d, err := a.directory(ctx, o.tenant)
	if err != nil {
		return err
	}
	u, err := d.FindUser(ctx, d.account.ID, name, d.tenant)
	if err != nil {
		return err
	}
	details, err := d.UserDetails(ctx, d.account.ID, u.UUID)
	if err != nil {
		return err
	}
	a.talkf("On %s, of %s, this revokes:", stackName(d.account.Account), nameOf(u))
	for _, t := range details.Tokens {
		if len(clientIDs) == 0 || slices.Contains(clientIDs, t.ClientID) {
			a.talkf("  the refresh token %s", shortened(api.Clean(t.ClientID)))
		}
	}
	if n := len(details.Sessions); !o.keep && n > 0 {
		a.talkf("  %s", plural(n, "session"))
	}
	if o.dryRun {
		a.talkf("Nothing is revoked: --dry-run.")
		return nil
	}
	if err := a.agree(ctx, o.yes); err != nil {
		return err
	}
	return a.endAccess(ctx, d, u, session.Ending{Tokens: true, ClientIDs: clientIDs, Sessions: !o.keep})
}

// endAccess revokes what a user has, and says what that came to.
func (a *app) endAccess(ctx context.Context, d directory, u api.User, what session.Ending) error {
	e, err := d.EndAccess(ctx, d.account.ID, u, what)
	if err != nil {
		return err
	}
	for _, id := range e.Tokens {
		a.talkf("Revoked the refresh token %s.", shortened(api.Clean(id)))
	}
	if n := len(e.Sessions); n > 0 {
		a.talkf("Revoked %s.", plural(n, "session"))
	}
	if len(e.Tokens)+len(e.Sessions)+len(e.Left) == 0 {
		a.talkf("There is nothing to revoke.")
	}
	return partly(e.Left, len(e.Left)+len(e.Tokens)+len(e.Sessions))
}

// offerToEnd asks whether the refresh tokens that a change has left are to be revoked, too. why says that it leaves them.
func (a *app) offerToEnd(ctx context.Context, d directory, u api.User, what session.Ending, yes bool, why string) error {
	details, err := d.UserDetails(ctx, d.account.ID, u.UUID)
	if err != nil {
		return nil //nolint:nilerr // the change is made; what is left is a courtesy
	}
	own := d.OwnAccounts(d.account.ID, u.UUID)
	left := slices.DeleteFunc(details.Tokens, func(t api.RefreshToken) bool {
		return slices.ContainsFunc(own, func(a session.Account) bool { return a.ClientID == t.ClientID })
	})
	if len(left) == 0 {
		return nil
	}
	has := plural(len(left), "refresh token")
	if n := len(details.Sessions); what.Sessions && n > len(own) { // of a stack that leaves them, or new ones
		has += " and " + plural(n-len(own), "session")
	}
	a.talkf("%s: %s has %s.", why, nameOf(u), has)
	if yes || !a.canAsk() {
		a.talkf("\"wakey users revoke %s\" ends them.", nameOf(u))
		return nil
	}
	question := "Revoke them?"
	if what.Sessions {
		question = "Revoke them, and its sessions?"
	}
	if err := a.confirm(ctx, question); err != nil {
		if errors.Is(err, errCancelled) {
			return nil
		}
		return err
	}
	return a.endAccess(ctx, d, u, what)
}
