package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"wakey/api"
	"wakey/session"
)

type emailsOptions struct {
	format

	tenant             string
	add, remove        []string
	main               string
	confirm, unconfirm []string
	dryRun             bool
	yes                bool
}

func (a *app) usersEmails() *cobra.Command {
	var o emailsOptions
	cmd := &cobra.Command{
		Use:   "emails USER",
		Short: "List and change a user's e-mail addresses",
		Long: `List a user's e-mail addresses, or change them. One is the main one. With a confirmed one the user
can sign in, too; only an administrator says which are confirmed.

An address that is taken away, or is not confirmed any more, kills the refresh tokens that were made
by signing in with it (on stacks before 26.07); they stay listed.`,
		Example: `  wakey users emails bob
  wakey users emails bob --add bob@lab.example.com --confirm bob@lab.example.com
  wakey users emails bob --add b@example.com --main b@example.com --remove bob@example.com --yes`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeUser,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.emails(cmd.Context(), args[0], &o)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&o.add, "add", nil, "add this `ADDRESS`, unconfirmed")
	flags.StringArrayVar(&o.remove, "remove", nil, "take this `ADDRESS` away")
	flags.StringVar(&o.main, "main", "", "make this `ADDRESS` the main one")
	flags.StringArrayVar(&o.confirm, "confirm", nil, "this `ADDRESS` is confirmed")
	flags.StringArrayVar(&o.unconfirm, "unconfirm", nil, "this `ADDRESS` is not confirmed")
	flags.BoolVar(&o.dryRun, "dry-run", false, "show how the list would be, and change nothing")
	flags.BoolVarP(&o.yes, "yes", "y", false, "don't ask before refresh tokens are killed")
	a.usersFlags(cmd, &o.tenant)
	o.flags(cmd, fieldNames(emailFields))
	return cmd
}

func (a *app) emails(ctx context.Context, name string, o *emailsOptions) error {
	d, err := a.directory(ctx, o.tenant)
	if err != nil {
		return err
	}
	u, err := d.FindUser(ctx, d.account.ID, name, d.tenant)
	if err != nil {
		return err
	}
	wanted, err := o.apply(u.Emails)
	if err != nil {
		return err
	}
	if session.EmailsText(wanted) == session.EmailsText(u.Emails) {
		if len(o.add)+len(o.remove)+len(o.confirm)+len(o.unconfirm)+len(o.main) > 0 {
			a.talkf("It is so already: nothing is changed.")
		}
		return a.printEmails(o, wanted)
	}
	if err := api.CheckEmails(wanted); err != nil {
		return err
	}
	risk := session.LosesLogin(u.Emails, wanted)
	if risk != "" {
		a.talkf("Refresh tokens of %s that were made by signing in as %s die, on stacks before 26.07; the stack does not tell which.", nameOf(u), api.Clean(risk))
	}
	if o.dryRun {
		a.talkf("Nothing is changed. Otherwise the list would be:")
		return a.printEmails(o, wanted)
	}
	if risk != "" {
		if err := a.agreeTo(ctx, o.yes, "nothing was changed"); err != nil {
			return err
		}
	}
	now, err := d.SetUserEmails(ctx, d.account.ID, u, wanted)
	if err != nil {
		return err
	}
	a.talkf("Changed the e-mail addresses of %s.", nameOf(u))
	return a.printEmails(o, now)
}

// apply makes the list that the options want.
func (o *emailsOptions) apply(emails []api.Email) ([]api.Email, error) {
	list := slices.Clone(emails)
	find := func(address string) int {
		return slices.IndexFunc(list, func(e api.Email) bool { return strings.EqualFold(e.Address, address) })
	}
	for _, address := range o.remove {
		i := find(address)
		if i < 0 {
			return nil, noSuchEmail(address)
		}
		list = slices.Delete(list, i, i+1)
	}
	for _, address := range o.add {
		if find(address) < 0 {
			list = append(list, api.Email{Address: address})
		}
	}
	for _, set := range []struct {
		addresses []string
		confirmed bool
	}{{o.confirm, true}, {o.unconfirm, false}} {
		for _, address := range set.addresses {
			i := find(address)
			if i < 0 {
				return nil, noSuchEmail(address)
			}
			list[i].Confirmed = set.confirmed
		}
	}
	main := slices.IndexFunc(list, func(e api.Email) bool { return e.Main })
	if o.main != "" {
		if main = find(o.main); main < 0 {
			return nil, noSuchEmail(o.main)
		}
	}
	for i := range list {
		list[i].Main = i == max(0, main)
	}
	return list, nil
}

func noSuchEmail(address string) error {
	if address == "" {
		return errors.New("an address is empty")
	}
	return usagef("the user has no address %q", address)
}

func (a *app) printEmails(o *emailsOptions, list []api.Email) error {
	if o.on() {
		return printAll(a, &o.format, emailFields, list)
	}
	if len(list) == 0 {
		a.talkf("There are none.")
		return nil
	}
	t := newTable("ADDRESS", "MAIN", "CONFIRMED")
	for _, e := range list {
		t.add(e.Address, yesNo(e.Main), yesNo(e.Confirmed))
	}
	return t.print(a.stdout)
}
