package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wakey/api"
)

type inspectOptions struct {
	tokenStdin bool
	can        string
	acl        bool
	format     format
}

var inspectFields = []field[*api.Token]{
	{"token_suffix", func(t *api.Token) any { return t.Value.Suffix() }},
	{"session_uuid", func(t *api.Token) any { return t.SessionUUID }},
	{"auth_id", func(t *api.Token) any { return t.AuthID }},
	{"issued_at", func(t *api.Token) any { return rfc3339(t.IssuedAt) }},
	{"expires_at", func(t *api.Token) any { return rfc3339(t.ExpiresAt) }},
	{"local_issued_at", func(t *api.Token) any { return t.LocalIssuedAt }},
	{"local_expires_at", func(t *api.Token) any { return t.LocalExpiresAt }},
	{"stack_uuid", func(t *api.Token) any { return t.StackUUID }},
	{"user_uuid", func(t *api.Token) any { return t.Metadata.UUID }},
	{"tenant_uuid", func(t *api.Token) any { return t.Metadata.TenantUUID }},
	{"pbx_user_uuid", func(t *api.Token) any { return t.Metadata.PBXUserUUID }},
	{"purpose", func(t *api.Token) any { return t.Metadata.Purpose }},
	{"admin", func(t *api.Token) any { return t.Metadata.Admin }},
	{"remote_addr", func(t *api.Token) any { return t.RemoteAddr }},
	{"user_agent", func(t *api.Token) any { return t.UserAgent }},
	{"acl", func(t *api.Token) any { return t.ACL }},
}

func (a *app) inspectCommand() *cobra.Command {
	var o inspectOptions
	cmd := &cobra.Command{
		Use:     "inspect [ACCOUNT]",
		Short:   "Show what an access token is and may do",
		GroupID: groupTokens,
		Long: `Ask the stack what an access token is: whose, since when, until when, from where, and what it may
do. The token is the account's own, or one from standard input, which the account's stack is asked
about.

--can asks one question: may it do this? The exit status is 0 for yes and 5 for no.`,
		Example: `  wakey inspect
  wakey inspect prod --acl
  wakey inspect --can auth.users.me.sessions.read
  wakey inspect --token-stdin --json expires_at,acl < token`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeAccounts,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.inspect(cmd.Context(), args, &o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.tokenStdin, "token-stdin", false, "inspect the token that comes from standard input")
	flags.StringVar(&o.can, "can", "", "ask whether the token may do `PERMISSION`")
	flags.BoolVar(&o.acl, "acl", false, "print its permissions, one a line, and nothing else")
	a.accountFlags(cmd)
	o.format.flags(cmd, fieldNames(inspectFields))
	cmd.MarkFlagsMutuallyExclusive("can", "acl", "json")
	return cmd
}

func (a *app) inspect(ctx context.Context, args []string, o *inspectOptions) error {
	m, c, err := a.opened(ctx, args)
	if err != nil {
		return err
	}
	if !o.tokenStdin {
		return m.Do(ctx, c.ID, func(ctx context.Context, client *api.Client, token api.Secret) error {
			return a.inspectToken(ctx, client, token, o)
		})
	}
	token, err := readSecret(a.stdin)
	if err != nil {
		return fmt.Errorf("reading the token: %w", err)
	}
	if token.IsZero() {
		return errors.New("there is no token on standard input")
	}
	client, err := m.Client(c.ID)
	if err != nil {
		return err
	}
	return a.inspectToken(ctx, client, api.NewSecret(strings.TrimSpace(token.Reveal())), o)
}

func (a *app) inspectToken(ctx context.Context, client *api.Client, token api.Secret, o *inspectOptions) error {
	if o.can != "" {
		if err := client.CheckToken(ctx, token, o.can, ""); err != nil {
			return err
		}
		a.talkf("Yes: the token may %s.", api.Clean(o.can))
		return nil
	}
	t, err := client.GetToken(ctx, token)
	if err != nil {
		return err
	}
	switch {
	case o.format.on():
		return printOne(a, &o.format, inspectFields, t)
	case o.acl:
		for _, entry := range slices.Sorted(slices.Values(t.ACL)) {
			fmt.Fprintln(a.stdout, api.Clean(entry))
		}
		return nil
	}
	return a.describeToken(t, token, client.Base())
}

func (a *app) describeToken(t *api.Token, token api.Secret, base string) error {
	now := time.Now()
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return fmt.Sprintf("%s (%s)", t.Local().Format("2006-01-02 15:04:05 MST"), when(t, now))
	}
	admin := ""
	if t.Metadata.Admin != nil {
		admin = yesNo(*t.Metadata.Admin)
	}
	var f facts
	f.add("Access token", token.String())
	f.add("Stack", api.StackName(base))
	f.add("Stack UUID", t.StackUUID)
	f.add("Issued", at(t.IssuedAt))
	f.add("Expires", at(t.ExpiresAt))
	f.add("By the stack's clock", t.LocalIssuedAt+" to "+t.LocalExpiresAt)
	f.add("Session", t.SessionUUID)
	f.add("User", t.AuthID)
	f.add("Tenant", t.Metadata.TenantUUID)
	f.add("Purpose", t.Metadata.Purpose)
	f.add("Administrator", admin)
	f.add("PBX user", t.Metadata.PBXUserUUID)
	f.add("Made from", t.RemoteAddr)
	f.add("Made by", t.UserAgent)
	f.add("Permissions", fmt.Sprintf("%d (see --acl)", len(t.ACL)))
	return f.print(a.stdout)
}
