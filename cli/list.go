package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"wakey/session"
)

var accountFields = []field[session.Account]{
	{"name", func(a session.Account) any { return a.Name }},
	{"id", func(a session.Account) any { return a.ID }},
	{"stack", func(a session.Account) any { return a.Stack }},
	{"user", func(a session.Account) any { return a.Login }},
	{"user_uuid", func(a session.Account) any { return a.UserUUID }},
	{"tenant_uuid", func(a session.Account) any { return a.TenantUUID }},
	{"purpose", func(a session.Account) any { return a.Purpose }},
	{"admin", func(a session.Account) any { return a.Admin }},
	{"client_id", func(a session.Account) any { return a.ClientID }},
	{"state", func(a session.Account) any { return a.State }},
	{"reason", func(a session.Account) any { return a.Reason }},
	{"token_suffix", func(a session.Account) any { return a.TokenSuffix }},
	{"session_uuid", func(a session.Account) any { return a.SessionUUID }},
	{"obtained_at", func(a session.Account) any { return rfc3339(a.ObtainedAt) }},
	{"expires_at", func(a session.Account) any { return rfc3339(a.ExpiresAt) }},
	{"refresh_at", func(a session.Account) any { return rfc3339(a.RefreshAt) }},
	{"signed_in_at", func(a session.Account) any { return rfc3339(a.SignedInAt) }},
	{"lifetime", func(a session.Account) any { return seconds(a.Lifetime) }},
	{"pin", func(a session.Account) any { return a.Trust.Pin }},
}

func (a *app) listCommand() *cobra.Command {
	var f format
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the accounts of this machine",
		GroupID: groupAccounts,
		Example: `  wakey list
  wakey list --json name,state,expires_at
  wakey list --jq '.[] | select(.state != "active") | .name'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.list(cmd.Context(), &f) },
	}
	f.flags(cmd, fieldNames(accountFields))
	return cmd
}

func (a *app) list(ctx context.Context, f *format) error {
	m, err := a.open(ctx)
	if err != nil {
		return err
	}
	accounts := m.Accounts()
	if f.on() {
		return printAll(a, f, accountFields, accounts)
	}
	if len(accounts) == 0 {
		a.talkf("%v.", errNobodySignedIn)
		return nil
	}
	now := time.Now()
	current := readCurrent(session.DefaultDir())
	t := newTable("", "ACCOUNT", "USER", "STACK", "STATE", "EXPIRES")
	for _, account := range accounts {
		mark := ""
		if account.ID == current {
			mark = "*"
		}
		t.add(mark, account.Name, account.Login, stackName(account), string(account.State), when(account.ExpiresAt, now))
	}
	return t.print(a.stdout)
}
