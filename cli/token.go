package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"wakey/api"
	"wakey/session"
)

type tokenOptions struct {
	minValid   time.Duration
	refresh    bool
	header     bool
	curlConfig bool
	format     format
}

// grant is an access token and the account it belongs to.
type grant struct {
	session.Account

	access session.Access
}

var tokenFields = []field[grant]{
	{"token", func(g grant) any { return g.access.Token.Reveal() }},
	{"account", func(g grant) any { return g.Name }},
	{"stack", func(g grant) any { return g.Stack }},
	{"user_uuid", func(g grant) any { return g.UserUUID }},
	{"tenant_uuid", func(g grant) any { return g.TenantUUID }},
	{"session_uuid", func(g grant) any { return g.access.SessionUUID }},
	{"obtained_at", func(g grant) any { return rfc3339(g.access.ObtainedAt) }},
	{"expires_at", func(g grant) any { return rfc3339(g.access.ExpiresAt) }},
}

func (a *app) tokenCommand() *cobra.Command {
	var o tokenOptions
	cmd := &cobra.Command{
		Use:     "token [ACCOUNT]",
		Short:   "Print a good access token",
		GroupID: groupTokens,
		Long: `Print an access token that lives for --min-valid at least, refreshed when it must be. The token
alone goes to standard output, everything else to standard error.`,
		Example: `  wakey token
  wakey token prod --min-valid 10m
  curl -H "$(wakey token --header)" https://pbx.example.com/api/auth/0.1/users/me/tokens
  wakey token --curl-config | curl -K - https://pbx.example.com/api/auth/0.1/users/me/tokens
  wakey token --json token,expires_at`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeAccounts,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := minValidSetting(cmd, &o.minValid); err != nil {
				return err
			}
			return a.token(cmd.Context(), args, &o)
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&o.minValid, "min-valid", time.Minute, "refresh a token that would live shorter")
	flags.BoolVar(&o.refresh, "refresh", false, "refresh it in any case")
	flags.BoolVar(&o.header, "header", false, "print an X-Auth-Token header")
	flags.BoolVar(&o.curlConfig, "curl-config", false, "print a configuration for curl -K, which keeps the token off the command line")
	a.accountFlags(cmd)
	o.format.flags(cmd, fieldNames(tokenFields))
	cmd.MarkFlagsMutuallyExclusive("header", "curl-config", "json")
	cmd.MarkFlagsMutuallyExclusive("header", "curl-config", "jq")
	cmd.MarkFlagsMutuallyExclusive("header", "curl-config", "template")
	return cmd
}

// minValidSetting takes --min-valid from the configuration where the command line leaves it out.
func minValidSetting(cmd *cobra.Command, minValid *time.Duration) error {
	if cmd.Flags().Changed("min-valid") {
		return nil
	}
	c, err := readConfig()
	if err == nil {
		*minValid = c.length(setMinValid)
	}
	return err
}

func (a *app) token(ctx context.Context, args []string, o *tokenOptions) error {
	if o.minValid < 0 {
		return usagef("--min-valid %s: a length of time is not negative", o.minValid)
	}
	g, err := a.grant(ctx, args, o.minValid, o.refresh)
	if err != nil {
		return err
	}
	a.keepReady(g)
	token := g.access.Token.Reveal()
	switch {
	case o.format.on():
		return printOne(a, &o.format, tokenFields, g)
	case o.header:
		_, err = fmt.Fprintf(a.stdout, "X-Auth-Token: %s\n", token)
	case o.curlConfig:
		_, err = fmt.Fprintf(a.stdout, "header = \"X-Auth-Token: %s\"\n", token)
	default:
		_, err = fmt.Fprintln(a.stdout, token)
	}
	return err
}

// keepReady lets the token lie where the next "wakey token" finds it at once: see package quick.
func (a *app) keepReady(g grant) {
	if a.files == nil || a.bucket != nil { // what other machines write to a bucket would not be noticed
		return
	}
	c, err := readConfig()
	if err == nil {
		a.files.KeepReady(g.Account, g.access, c.length(setMinValid), len(a.manager.Accounts()) == 1)
	}
}

// grant chooses the account and gets a token that lives for minValid at least, or a new one. Where
// the stack gives no new one, a token that still lives is taken, and a person told.
func (a *app) grant(ctx context.Context, args []string, minValid time.Duration, refresh bool) (grant, error) {
	m, c, err := a.opened(ctx, args)
	if err != nil {
		return grant{}, err
	}
	get := func() (session.Access, error) { return m.Token(ctx, c.ID, minValid) }
	if refresh {
		get = func() (session.Access, error) { return m.Refresh(ctx, c.ID) }
	}
	access, err := get()
	if err != nil {
		return grant{}, err
	}
	account, err := m.Account(string(c.ID))
	if err != nil {
		return grant{}, err
	}
	switch left := time.Until(access.ExpiresAt); {
	case left >= minValid:
	case account.Reason != "":
		a.talkf("wakey: %s: the token could not be refreshed and expires %s: %s", api.Clean(account.Name),
			when(access.ExpiresAt, time.Now()), api.Clean(account.Reason))
	default:
		a.talkf("wakey: %s: the token expires %s: tokens that live as long as --min-valid asks need a longer --lifetime at sign-in",
			api.Clean(account.Name), when(access.ExpiresAt, time.Now()))
	}
	a.handedOut = true
	return grant{account, access}, nil
}
