package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"wakey/api"
	"wakey/session"
)

// userFlags are the fields of a user on a command line.
type userFlags struct {
	firstname, lastname, purpose, method string
}

func (u *userFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&u.firstname, "firstname", "", "the first `NAME`")
	flags.StringVar(&u.lastname, "lastname", "", "the last `NAME`")
	flags.StringVar(&u.purpose, "purpose", "", "what it is for: user, internal or external_api")
	flags.StringVar(&u.method, "authentication-method", "", "how it signs in: default, native, ldap or saml")
}

func completeUserFlags(cmd *cobra.Command) {
	for name, values := range map[string][]string{"purpose": api.Purposes, "authentication-method": api.AuthenticationMethods} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
}

type createUserOptions struct {
	userFlags
	newPasswordOptions
	format

	tenant   string
	uuid     string
	email    string
	disabled bool
	dryRun   bool
}

func (a *app) usersCreate() *cobra.Command {
	var o createUserOptions
	cmd := &cobra.Command{
		Use:   "create [USERNAME]",
		Short: "Create a user",
		Long: `Create a user. Without a password nobody signs in as it until one is set. A generated password is
printed, alone, to standard output, once; with --json it is the field "password".`,
		Example: `  wakey users create carol --firstname Carol --lastname Cole --email carol@example.com --generate-password
  wakey users create carol --password-stdin < password
  wakey users create backup-job --purpose external_api --password-command 'cat password' --json uuid
  wakey users create --email dave@example.com --dry-run`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.createUser(cmd.Context(), strings.Join(args, ""), &o)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	o.userFlags.add(flags)
	flags.StringVar(&o.email, "email", "", "its e-mail `ADDRESS`, which counts as confirmed")
	flags.StringVar(&o.uuid, "uuid", "", "its `UUID` (default: a new one)")
	flags.BoolVar(&o.disabled, "disabled", false, "create it disabled")
	flags.BoolVar(&o.dryRun, "dry-run", false, "check the fields, show them, and create nobody")
	o.newPasswordOptions.add(cmd)
	completeUserFlags(cmd)
	a.usersFlags(cmd, &o.tenant)
	o.flags(cmd, append(fieldNames(userFields), "password"))
	return cmd
}

func (a *app) createUser(ctx context.Context, username string, o *createUserOptions) error {
	if username == "" && o.email == "" {
		return usagef("give the new user a USERNAME or an --email: without one nobody can sign in as it")
	}
	enabled := !o.disabled
	u := api.NewUser{
		UUID: o.uuid, Username: username, Firstname: o.firstname, Lastname: o.lastname, Email: o.email, Purpose: o.purpose,
		Enabled: &enabled, AuthenticationMethod: o.method,
	}
	if err := u.Check(); err != nil {
		return err
	}
	d, err := a.directory(ctx, o.tenant)
	if err != nil {
		return err
	}
	if o.dryRun {
		return a.dryCreation(u, d)
	}
	if u.Password, err = a.newPassword(ctx, &o.newPasswordOptions, first(username, o.email), true); err != nil {
		return err
	}
	made, err := d.CreateUser(ctx, d.account.ID, u, d.tenant)
	if err != nil {
		return err
	}
	a.talkf("Created %s on %s: %s.", nameOf(made), stackName(d.account.Account), made.UUID)
	if u.Password.IsZero() {
		a.talkf("It has no password: \"wakey users passwd %s\" sets one.", nameOf(made))
	}
	if o.on() {
		fields := userFields
		if o.generate {
			fields = append(slices.Clip(fields), field[api.User]{"password", func(api.User) any { return u.Password.Reveal() }})
		}
		return printOne(a, &o.format, fields, made)
	}
	if o.generate {
		fmt.Fprintln(a.stdout, u.Password.Reveal())
	}
	return nil
}

func first(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// dryCreation shows what a creation would send.
func (a *app) dryCreation(u api.NewUser, d directory) error {
	var t facts
	t.add("username", orDash(u.Username))
	t.add("firstname", u.Firstname)
	t.add("lastname", u.Lastname)
	t.add("e-mail", u.Email)
	t.add("purpose", first(u.Purpose, api.Purposes[0]))
	t.add("enabled", yesNo(*u.Enabled))
	t.add("signs in by", first(u.AuthenticationMethod, "the stack's default"))
	t.add("tenant", first(d.tenant, d.account.TenantUUID))
	a.talkf("Nothing is created. Otherwise this would be, on %s:", stackName(d.account.Account))
	return t.print(a.stdout)
}

type updateUserOptions struct {
	userFlags
	format

	tenant   string
	username string
	revoke   bool
	yes      bool
	dryRun   bool
	changed  func(flag string) bool // was it given?
}

func (a *app) usersUpdate() *cobra.Command {
	var o updateUserOptions
	cmd := &cobra.Command{
		Use:   "update USER",
		Short: "Change a user's names, purpose or way of signing in",
		Long: `Change what is given and leave the rest as it is; an empty name is taken away. The user is read,
changed and written, unless somebody else has changed it meanwhile.

A renaming kills the refresh tokens that were made by signing in with the old name; they stay
listed, and would work for whoever gets that name next: --revoke-refresh-tokens revokes them.`,
		Example: `  wakey users update bob --firstname Robert --lastname ''
  wakey users update bob --username robert --revoke-refresh-tokens --yes
  wakey users update bob --purpose external_api --dry-run`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeUser,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.changed = cmd.Flags().Changed
			return a.updateUser(cmd.Context(), args[0], &o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.username, "username", "", "the new user `NAME`")
	o.add(flags)
	flags.BoolVar(&o.revoke, "revoke-refresh-tokens", false, "after a renaming, revoke the refresh tokens")
	flags.BoolVarP(&o.yes, "yes", "y", false, "don't ask before a renaming")
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what would be changed, and change nothing")
	completeUserFlags(cmd)
	a.usersFlags(cmd, &o.tenant)
	o.flags(cmd, fieldNames(userFields))
	return cmd
}

func (a *app) updateUser(ctx context.Context, name string, o *updateUserOptions) error {
	d, err := a.directory(ctx, o.tenant)
	if err != nil {
		return err
	}
	before, err := d.FindUser(ctx, d.account.ID, name, d.tenant)
	if err != nil {
		return err
	}
	wanted := before
	given := false
	for _, f := range []struct {
		flag string
		from string
		to   *string
	}{
		{"username", o.username, &wanted.Username},
		{"firstname", o.firstname, &wanted.Firstname},
		{"lastname", o.lastname, &wanted.Lastname},
		{"purpose", o.purpose, &wanted.Purpose},
		{"authentication-method", o.method, &wanted.AuthenticationMethod},
	} {
		if o.changed(f.flag) {
			*f.to, given = f.from, true
		}
	}
	if !given {
		return usagef("what is to be changed? give --username, --firstname, --lastname, --purpose or --authentication-method")
	}
	if (o.changed("purpose") && o.purpose == "") || (o.changed("authentication-method") && o.method == "") {
		return usagef("a purpose and a way of signing in can't be taken away; name another")
	}
	if err := wanted.Check(); err != nil {
		return err
	}
	changes := session.UserChanges(before, wanted)
	if len(changes) == 0 {
		a.talkf("%s is so already: nothing is changed.", nameOf(before))
		return a.printUser(o, before)
	}
	renamed := before.Username != wanted.Username
	if renamed {
		a.warnOfRenaming(ctx, d, before, o.revoke)
	}
	if o.dryRun {
		return a.dryChange(before, changes)
	}
	if renamed {
		if err := a.agreeTo(ctx, o.yes, "nothing was changed"); err != nil {
			return err
		}
	}
	now, err := d.ChangeUser(ctx, d.account.ID, before, wanted)
	if err != nil {
		return err
	}
	a.talkf("Changed %s on %s.", nameOf(now), stackName(d.account.Account))
	if renamed {
		if o.revoke {
			err = a.endAccess(ctx, d, now, session.Ending{Tokens: true})
		} else {
			err = a.offerToEnd(ctx, d, now, session.Ending{Tokens: true}, o.yes, "They are still listed")
		}
	}
	return errors.Join(a.printUser(o, now), err)
}

func (a *app) printUser(o *updateUserOptions, u api.User) error {
	if !o.on() {
		return nil
	}
	return printOne(a, &o.format, userFields, u)
}

// dryChange shows what a change would write.
func (a *app) dryChange(u api.User, changes []session.UserChange) error {
	a.talkf("Nothing is changed. Otherwise this would be, of %s:", nameOf(u))
	t := newTable("FIELD", "NOW", "THEN")
	for _, c := range changes {
		t.add(c.Field, orDash(c.Before), orDash(c.After))
	}
	return t.print(a.stdout)
}

// warnOfRenaming says which refresh tokens a renaming kills: those made with the old login, which the stack does not tell
// apart from others (contract 5).
func (a *app) warnOfRenaming(ctx context.Context, d directory, u api.User, revoke bool) {
	details, err := d.UserDetails(ctx, d.account.ID, u.UUID)
	switch {
	case err != nil:
		a.talkf("Which refresh tokens %s has could not be asked: %v", nameOf(u), err)
	case details.Missing["tokens"] != "":
		a.talkf("Which refresh tokens %s has can't be read without the permission %s.", nameOf(u), api.Clean(details.Missing["tokens"]))
	case len(details.Tokens) == 0:
		return
	}
	which := "all of them"
	for _, e := range u.Emails {
		if e.Confirmed {
			which = "those that were made by signing in as " + nameOf(u) + ", not by e-mail; the stack does not tell which"
		}
	}
	a.talkf("This kills refresh tokens of %s, %s:", nameOf(u), which)
	for _, t := range details.Tokens {
		a.talkf("  %s", shortened(api.Clean(t.ClientID)))
	}
	for _, own := range d.OwnAccounts(d.account.ID, u.UUID) {
		a.talkf("The account %s of this machine is that user: it has to be signed in again.", api.Clean(own.Name))
	}
	if !revoke {
		a.talkf("They stay listed, and would work for whoever is called %s next.", nameOf(u))
	}
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

type enableOptions struct {
	format

	tenant string
	yes    bool
	dryRun bool
}

func (a *app) usersEnable(on bool) *cobra.Command {
	var o enableOptions
	cmd := &cobra.Command{
		Use:   "enable USER...",
		Short: "Let users sign in again",
		Long: `Let users sign in again. Refresh tokens from before they were disabled work again: "wakey users
revoke" ends them.`,
		Example: `  wakey users enable bob
  wakey users enable bob alice`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeUsers,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.yes = o.yes || on
			return a.enableUsers(cmd.Context(), args, on, &o)
		},
	}
	if !on {
		cmd.Use, cmd.Short = "disable USER...", "End users' sessions and let them sign in no more"
		cmd.Long = `End users' sessions at once (stacks before 26.04 leave them), and let nobody sign in or refresh as
them. Their refresh tokens stay, and work again when the user is enabled.`
		cmd.Example = `  wakey users disable bob
  wakey users disable bob alice --yes`
		cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "don't ask")
	}
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "show whose state would be changed, and change nothing")
	a.usersFlags(cmd, &o.tenant)
	o.flags(cmd, fieldNames(userFields))
	return cmd
}

func (a *app) enableUsers(ctx context.Context, names []string, on bool, o *enableOptions) error {
	d, err := a.directory(ctx, o.tenant)
	if err != nil {
		return err
	}
	list, err := d.find(ctx, names)
	if err != nil {
		return err
	}
	word := map[bool]string{true: "enabled", false: "disabled"}[on]
	if !o.yes || o.dryRun {
		a.talkf("On %s, this %s:", stackName(d.account.Account), map[bool]string{true: "enables", false: "disables, and ends the sessions of"}[on])
		for _, u := range list {
			a.talkf("  %s", nameOf(u))
			for _, own := range d.OwnAccounts(d.account.ID, u.UUID) {
				a.talkf("    the account %s of this machine is that user", api.Clean(own.Name))
			}
		}
	}
	if o.dryRun {
		a.talkf("Nothing is changed: --dry-run.")
		return nil
	}
	if err := a.agreeTo(ctx, o.yes, "nobody was disabled"); err != nil {
		return err
	}
	var failed []error
	for i, u := range list {
		wanted := u
		wanted.Enabled = on
		if u.Enabled == on {
			a.talkf("%s is %s already.", nameOf(u), word)
			continue
		}
		now, err := d.ChangeUser(ctx, d.account.ID, u, wanted)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", nameOf(u), err))
			continue
		}
		list[i] = now
		a.talkf("%s is %s.", nameOf(u), word)
	}
	if o.on() {
		if err := printAll(a, &o.format, userFields, list); err != nil {
			return err
		}
	}
	return partly(failed, len(list))
}
