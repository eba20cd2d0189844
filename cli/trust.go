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

func (a *app) trustCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "trust",
		Short:   "See to the keys of stacks whose certificates nobody vouches for",
		GroupID: groupServer,
		Long: `A stack's certificate that this machine's authorities don't vouch for is accepted by its key, which
is pinned at sign-in. When the key changes, nothing is sent any more until a person decides.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.trustList(), a.trustPin(), a.trustForget())
	return cmd
}

// trusted is an account and, when its stack was asked, the certificate that it shows.
type trusted struct {
	session.Account

	asked bool
	shown api.CertInfo
	err   error
}

// verdict says in a word how the stack's certificate stands to what is trusted.
func (t trusted) verdict() string {
	switch {
	case !t.asked || t.PlainHTTP:
		return ""
	case t.err != nil:
		return "no answer"
	case t.Trust.Pin != "" && t.Trust.Pin == t.shown.Fingerprint, t.Trust.CAFile == "" && t.Trust.Pin == "" && t.shown.Problem == "":
		return "matches"
	case t.Trust.Pin != "":
		return "CHANGED to " + t.shown.Fingerprint
	case t.Trust.CAFile != "":
		return "shows " + t.shown.Fingerprint
	default:
		return string(t.shown.Problem)
	}
}

var trustFields = []field[trusted]{
	{"account", func(t trusted) any { return t.Name }},
	{"stack", func(t trusted) any { return t.Stack }},
	{"pin", func(t trusted) any { return t.Trust.Pin }},
	{"ca_file", func(t trusted) any { return t.Trust.CAFile }},
	{"fingerprint", func(t trusted) any { return t.shown.Fingerprint }},
	{"expires_at", func(t trusted) any { return rfc3339(t.shown.NotAfter) }},
	{"verdict", func(t trusted) any { return t.verdict() }},
}

func (a *app) trustList() *cobra.Command {
	var check bool
	var f format
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List whose keys are pinned",
		Example: `  wakey trust list
  wakey trust list --check --json account,verdict`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.listTrust(cmd.Context(), check, &f)
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "look at the certificates that the stacks show now")
	f.flags(cmd, fieldNames(trustFields))
	return cmd
}

func (a *app) listTrust(ctx context.Context, check bool, f *format) error {
	m, err := a.open(ctx)
	if err != nil {
		return err
	}
	var all []trusted
	for _, account := range m.Accounts() {
		t := trusted{Account: account}
		if check && !account.PlainHTTP {
			t.asked = true
			t.shown, t.err = api.Fingerprint(ctx, account.Stack)
		}
		all = append(all, t)
	}
	if f.on() {
		return printAll(a, f, trustFields, all)
	}
	t := newTable("ACCOUNT", "STACK", "TRUSTS", "")
	for _, one := range all {
		t.add(one.Name, stackName(one.Account), trustWords(one.Account), one.verdict())
	}
	return t.print(a.stdout)
}

// trustWords says whom an account's connection trusts.
func trustWords(account session.Account) string {
	switch {
	case account.PlainHTTP:
		return "plain http"
	case account.Trust.Pin != "":
		return "key " + account.Trust.Pin
	case account.Trust.CAFile != "":
		return "the authorities in " + account.Trust.CAFile
	default:
		return "this machine's authorities"
	}
}

func (a *app) trustPin() *cobra.Command {
	var fingerprint string
	var yes bool
	cmd := &cobra.Command{
		Use:   "pin [ACCOUNT]",
		Short: "Pin the key that the stack shows now",
		Long: `Pin the key that the account's stack shows now, in place of what was trusted before. Compare its
fingerprint with the stack's administrator first: whoever sits in between would show a key of their
own. --fingerprint says which key is expected.`,
		Example: `  wakey trust pin prod
  wakey trust pin prod --fingerprint SHA256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg --yes`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeAccounts,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.pin(cmd.Context(), args, fingerprint, yes)
		},
	}
	cmd.Flags().StringVar(&fingerprint, "fingerprint", "", "the `SHA256:…` fingerprint that the key must have")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "don't ask; needs --fingerprint")
	a.accountFlags(cmd)
	return cmd
}

func (a *app) pin(ctx context.Context, args []string, fingerprint string, yes bool) error {
	if yes && fingerprint == "" {
		return usagef("--yes needs --fingerprint: pinning whatever is shown would trust anybody")
	}
	m, c, err := a.opened(ctx, args)
	if err != nil {
		return err
	}
	shown, err := api.Fingerprint(ctx, c.Stack)
	if err != nil {
		return err
	}
	if fingerprint != "" && fingerprint != shown.Fingerprint {
		return fmt.Errorf("%s shows another key, %s: nothing was changed", stackName(c.Account), shown.Fingerprint)
	}
	if c.Trust.Pin == shown.Fingerprint {
		a.talkf("This key is pinned already.")
		return nil
	}
	a.talkf("%s trusted %s.", api.Clean(c.Name), trustWords(c.Account))
	a.talkf("%s shows a certificate for %s by %s, until %s, whose key is %s.", stackName(c.Account),
		shown.Subject, shown.Issuer, shown.NotAfter.Format(time.DateOnly), shown.Fingerprint)
	if !yes {
		if err := a.confirm(ctx, "Pin it?"); errors.Is(err, errNobodyToAsk) {
			return usagef("nothing was changed: there is nobody to ask; give --fingerprint and --yes")
		} else if err != nil {
			return err
		}
	}
	return a.setTrust(ctx, m, c.Account, api.Trust{Pin: shown.Fingerprint})
}

func (a *app) trustForget() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "forget [ACCOUNT]",
		Short: "Trust this machine's authorities instead of a pinned key",
		Long: `Forget the key that is pinned for an account. From then on this machine's own authorities decide
about the stack's certificate; one that they don't vouch for is refused until its key is pinned
again.`,
		Example:           `  wakey trust forget prod`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeAccounts,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.forgetTrust(cmd.Context(), args, yes)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "don't ask")
	a.accountFlags(cmd)
	return cmd
}

func (a *app) forgetTrust(ctx context.Context, args []string, yes bool) error {
	m, c, err := a.opened(ctx, args)
	if err != nil {
		return err
	}
	if c.Trust == (api.Trust{}) {
		a.talkf("%s trusts this machine's authorities already.", api.Clean(c.Name))
		return nil
	}
	a.talkf("%s trusts %s.", api.Clean(c.Name), trustWords(c.Account))
	if !yes {
		if err := a.confirm(ctx, "Forget that?"); errors.Is(err, errNobodyToAsk) {
			return usagef("nothing was changed: there is nobody to ask; say --yes")
		} else if err != nil {
			return err
		}
	}
	return a.setTrust(ctx, m, c.Account, api.Trust{})
}

// setTrust changes whom an account's connection trusts, and writes that into the log.
func (a *app) setTrust(ctx context.Context, m *session.Manager, account session.Account, trust api.Trust) error {
	_, err := m.Store().Update(ctx, account.ID, func(r *session.Record) error {
		if r.Name == "" {
			return session.ErrNoAccount
		}
		r.Trust = trust
		return nil
	})
	if err != nil {
		return err
	}
	before := trustWords(account)
	account.Trust = trust
	a.talkf("%s trusts %s now.", api.Clean(account.Name), trustWords(account))
	return m.Audit().Append(session.Entry{
		Account: account.ID, Name: account.Name, Op: "trust", Level: session.Warn,
		Text: "trusts " + trustWords(account) + " now, before " + before,
	})
}
