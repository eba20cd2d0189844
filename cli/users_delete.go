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

type deleteUsersOptions struct {
	format

	tenant string
	keep   bool
	yes    bool
	dryRun bool
}

func (a *app) usersDelete() *cobra.Command {
	var o deleteUsersOptions
	cmd := &cobra.Command{
		Use:   "delete USER...",
		Short: "End users' access and delete them",
		Long: `Revoke users' refresh tokens and sessions, and delete the users. The stack by itself would leave
their access tokens alive until they expire: --keep-sessions leaves it at that. In the end it is
looked whether a session is left.`,
		Example: `  wakey users delete bob
  wakey users delete bob alice --yes
  wakey users delete bob --dry-run`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeUsers,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.deleteUsers(cmd.Context(), args, &o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.keep, "keep-sessions", false, "leave the users' access tokens alive until they expire")
	flags.BoolVarP(&o.yes, "yes", "y", false, "don't ask")
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what would be deleted, and delete nothing")
	a.usersFlags(cmd, &o.tenant)
	o.flags(cmd, fieldNames(deletionFields))
	return cmd
}

// deleted is a user and what its deletion came to.
type deleted struct {
	api.User
	session.Deletion

	err error
}

var deletionFields = []field[deleted]{
	{"uuid", func(d deleted) any { return d.UUID }},
	{"username", func(d deleted) any { return orNull(d.Username) }},
	{"deleted", func(d deleted) any { return d.err == nil }},
	{"sessions_ended", func(d deleted) any { return len(d.Sessions) }},
	{"sessions_left", func(d deleted) any { return len(d.Alive) }},
	{"error", func(d deleted) any {
		if d.err == nil {
			return nil
		}
		return d.err.Error()
	}},
}

func (a *app) deleteUsers(ctx context.Context, names []string, o *deleteUsersOptions) error {
	d, err := a.directory(ctx, o.tenant)
	if err != nil {
		return err
	}
	list, err := d.find(ctx, names)
	if err != nil {
		return err
	}
	for _, u := range list {
		if len(d.OwnAccounts(d.account.ID, u.UUID)) > 0 {
			return fmt.Errorf("%s: %w", nameOf(u), session.ErrOwnUser)
		}
	}
	a.talkf("On %s, this deletes for good:", stackName(d.account.Account))
	for _, u := range list {
		if err := a.showDeletion(ctx, d, u, o.keep); err != nil {
			return err
		}
	}
	if o.dryRun {
		a.talkf("Nothing is deleted: --dry-run.")
		return nil
	}
	if err := a.agreeTo(ctx, o.yes, "nothing was deleted"); err != nil {
		return err
	}
	var failed []error
	var done []deleted
	for _, u := range list {
		what, err := a.deleteUser(ctx, d, u, o.keep)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", nameOf(u), err))
		}
		done = append(done, deleted{u, what, err})
	}
	if o.on() {
		if err := printAll(a, &o.format, deletionFields, done); err != nil {
			return err
		}
	}
	return partly(failed, len(list))
}

// showDeletion says what goes with a user, and what does not.
func (a *app) showDeletion(ctx context.Context, d directory, u api.User, keep bool) error {
	details, err := d.UserDetails(ctx, d.account.ID, u.UUID)
	if err != nil {
		return err
	}
	var with []string
	if n := len(details.Tokens); n > 0 {
		with = append(with, plural(n, "refresh token"))
	}
	if n := len(details.Sessions); n > 0 && keep {
		with = append(with, plural(n, "session")+", left alive until expiry")
	} else if n > 0 {
		with = append(with, plural(n, "session"))
	}
	line := "  " + nameOf(u) + "  " + u.UUID
	if len(with) > 0 {
		line += "  with " + strings.Join(with, " and ")
	}
	a.talkf("%s", line)
	return nil
}

func (a *app) deleteUser(ctx context.Context, d directory, u api.User, keep bool) (session.Deletion, error) {
	done, err := d.DeleteUser(ctx, d.account.ID, u, !keep)
	if e, ok := errors.AsType[*api.Error](err); ok && !keep && e.Kind == api.KindPermission && !strings.HasSuffix(e.Permission, u.UUID+".delete") {
		err = fmt.Errorf("%w\nnothing was deleted; --keep-sessions does without ending its access first", err)
	}
	if err != nil {
		return done, err
	}
	line := "Deleted " + nameOf(u)
	if n := len(done.Sessions); n > 0 {
		line += ", after revoking " + plural(n, "session")
	}
	a.talkf("%s.", line)
	switch {
	case len(done.Alive) > 0:
		a.talkf("The stack still lists %s of it: an access token lives until it expires.", plural(len(done.Alive), "session"))
	case done.NotSeen != "" && keep:
		a.talkf("Whether access tokens of it are alive can't be seen: %s.", api.Clean(done.NotSeen))
	}
	return done, nil
}
