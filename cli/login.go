package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wakey/api"
	"wakey/session"
)

type loginOptions struct {
	stack           string
	user            string
	account         string
	passwordStdin   bool
	passwordCommand string
	lifetime        time.Duration
	online          bool
	plainHTTP       bool
	fingerprint     string
	caFile          string
}

func (a *app) loginCommand() *cobra.Command {
	var o loginOptions
	cmd := &cobra.Command{
		Use:     "login STACK --user NAME",
		Short:   "Sign in to a stack and stay signed in",
		GroupID: groupAccounts,
		Long: `Sign in to a stack with a password, which is not kept, and keep the refresh token, encrypted.

STACK is a host (pbx.example.com), an address (https://pbx.example.com:8443) or the base URL of
wazo-auth (http://127.0.0.1:9497/0.1). The password is asked for on the terminal, unless it comes
from --password-stdin or --password-command. A certificate that this machine does not trust is shown
by its fingerprint and, once accepted, pinned.`,
		Example: `  wakey login pbx.example.com --user alice
  wakey login pbx.example.com --user alice --account prod --lifetime 1h
  wakey login 10.0.0.12 --user bob --password-stdin --fingerprint SHA256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg < password`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.stack = args[0]
			return a.login(cmd.Context(), o)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.user, "user", "u", "", "user `NAME` or confirmed e-mail address")
	flags.StringVar(&o.account, "account", "", "`NAME` of the account on this machine (default NAME@STACK)")
	flags.BoolVar(&o.passwordStdin, "password-stdin", false, "read the password from standard input")
	flags.StringVar(&o.passwordCommand, "password-command", "", "take the password from what `COMMAND` prints")
	flags.DurationVar(&o.lifetime, "lifetime", 0, "how long each access token lives (default: the setting, else the stack's own, usually 2h)")
	flags.BoolVar(&o.online, "no-refresh", false, "ask for no refresh token: signed in until the access token expires")
	flags.BoolVar(&o.plainHTTP, "plain-http", false, "allow http:// to another machine: passwords and tokens travel in clear")
	flags.StringVar(&o.fingerprint, "fingerprint", "", "accept the certificate whose key has this `SHA256:…` fingerprint, and no other")
	flags.StringVar(&o.caFile, "ca-file", "", "trust the certificate authorities in this PEM `FILE`")
	cmd.MarkFlagsMutuallyExclusive("password-stdin", "password-command")
	return cmd
}

func (a *app) login(ctx context.Context, o loginOptions) error {
	if _, err := api.NormalizeStack(o.stack, o.plainHTTP); err != nil {
		return &usageError{err: err}
	}
	if o.lifetime < 0 || o.lifetime > 0 && o.lifetime < time.Second {
		return usagef("--lifetime %s: a token lives for a second at least", o.lifetime)
	}
	c, err := readConfig()
	if err != nil {
		return err
	}
	if o.lifetime == 0 {
		o.lifetime = c.length(setLifetime)
	}
	if o.account != "" {
		if err := session.ValidName(o.account); err != nil {
			return &usageError{err: err}
		}
	}
	trust, err := trustOf(o)
	if err != nil {
		return err
	}
	if o.user == "" {
		if o.user, err = a.ask(ctx, "User: "); errors.Is(err, errNobodyToAsk) {
			return usagef("who signs in? give --user NAME")
		} else if err != nil {
			return err
		}
	}
	password, err := a.password(ctx, o)
	if err != nil {
		return err
	}
	m, err := a.open(ctx)
	if err != nil {
		return err
	}
	account, err := a.signIn(ctx, m, session.SignInRequest{
		Name: o.account, Stack: o.stack, Login: o.user, Password: password,
		Lifetime: o.lifetime, Online: o.online, Trust: trust, PlainHTTP: o.plainHTTP,
	})
	if err != nil {
		return err
	}
	dir := session.DefaultDir()
	if _, err := m.Account(string(readCurrent(dir))); err != nil {
		if err := writeCurrent(dir, account.ID); err != nil {
			a.talkf("wakey: signed in, but the account could not be made the usual one: %v", err)
		}
	}
	a.signedIn(account)
	return nil
}

// signedIn tells a person what there is now.
func (a *app) signedIn(account session.Account) {
	a.talkf("Signed in to %s as %s: account %s.", stackName(account), api.Clean(account.Login), api.Clean(account.Name))
	a.talkf("The access token expires %s.", when(account.ExpiresAt, time.Now()))
	if account.ClientID == "" {
		a.talkf("There is no refresh token: sign in again then.")
	} else {
		a.talkf("The refresh token is known to the stack as %s.", api.Clean(account.ClientID))
	}
	for _, event := range a.manager.Events() {
		if event.Level != session.Info {
			a.talkf("wakey: %s", api.Clean(event.Text))
		}
	}
}

// signIn signs in, and asks about a certificate that nobody vouches for.
func (a *app) signIn(ctx context.Context, m *session.Manager, r session.SignInRequest) (session.Account, error) {
	account, err := m.SignIn(ctx, r)
	var cert *api.CertError
	if !errors.As(err, &cert) || cert.Fingerprint == "" || r.Trust != (api.Trust{}) {
		return account, err
	}
	if !a.canAsk() {
		return account, fmt.Errorf("%w\nif that is the stack's own key, accept it with --fingerprint %s; --ca-file FILE trusts a private authority",
			err, cert.Fingerprint)
	}
	a.talkf("%s shows a certificate that this machine does not trust (%s):", api.Clean(cert.Host), cert.Reason)
	a.talkf("  for          %s", api.Clean(cert.Subject))
	a.talkf("  issued by    %s", api.Clean(cert.Issuer))
	a.talkf("  until        %s", cert.NotAfter.Format(time.DateOnly))
	a.talkf("  fingerprint  %s", cert.Fingerprint)
	if err := a.confirm(ctx, "Is it the stack's own? Pin it and sign in?"); err != nil {
		return account, err
	}
	r.Trust.Pin = cert.Fingerprint
	return m.SignIn(ctx, r)
}

func trustOf(o loginOptions) (api.Trust, error) {
	trust := api.Trust{Pin: o.fingerprint, CAFile: o.caFile}
	if o.fingerprint != "" && (!strings.HasPrefix(o.fingerprint, "SHA256:") || len(o.fingerprint) != len("SHA256:")+43) {
		return trust, usagef("--fingerprint is SHA256: and 43 characters, as \"wakey login\" shows it")
	}
	if o.caFile != "" {
		if _, err := os.Stat(o.caFile); err != nil {
			return trust, usagef("--ca-file: %w", err)
		}
	}
	return trust, nil
}

// password gets the password from where the options say, or asks for it.
func (a *app) password(ctx context.Context, o loginOptions) (api.Secret, error) {
	var (
		secret api.Secret
		err    error
	)
	switch {
	case o.passwordStdin:
		secret, err = readSecret(a.stdin)
	case o.passwordCommand != "":
		secret, err = a.secretCommand(ctx, o.passwordCommand)
	default:
		secret, err = a.askSecret(ctx, fmt.Sprintf("Password of %s: ", api.Clean(o.user)))
		if errors.Is(err, errNobodyToAsk) {
			return secret, usagef("no password: there is no terminal to ask on; use --password-stdin or --password-command")
		}
	}
	if err != nil {
		return secret, fmt.Errorf("reading the password: %w", err)
	}
	if secret.IsZero() {
		return secret, errors.New("the password is empty")
	}
	return secret, nil
}
