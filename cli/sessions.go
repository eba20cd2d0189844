package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"wakey/api"
	"wakey/session"
)

// listedSession is a session of the stack, and what this machine knows of it.
type listedSession struct {
	api.Session

	current bool // of the account's access token
	own     bool // opened by this machine
}

var sessionFields = []field[listedSession]{
	{"uuid", func(s listedSession) any { return s.UUID }},
	{"mobile", func(s listedSession) any { return s.Mobile }},
	{"user_uuid", func(s listedSession) any { return s.UserUUID }},
	{"tenant_uuid", func(s listedSession) any { return s.TenantUUID }},
	{"current", func(s listedSession) any { return s.current }},
	{"own", func(s listedSession) any { return s.own }},
}

func (a *app) sessionsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "sessions",
		Short:   "List and revoke the user's sessions",
		GroupID: groupServer,
		Long: `Each access token is a session of the stack. Revoking the session ends the token at once; the
refresh token that it was made from stays and makes new ones. The stack tells neither when a session
began nor whose it is.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.sessionsList(), a.sessionsRevoke())
	return cmd
}

func (a *app) sessionsList() *cobra.Command {
	var f format
	cmd := &cobra.Command{
		Use:     "list [ACCOUNT]",
		Aliases: []string{"ls"},
		Short:   "List the user's sessions",
		Example: `  wakey sessions list
  wakey sessions list --jq 'map(select(.own | not)) | length'`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeAccounts,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.listSessions(cmd.Context(), args, &f)
		},
	}
	a.accountFlags(cmd)
	f.flags(cmd, fieldNames(sessionFields))
	return cmd
}

func (a *app) listSessions(ctx context.Context, args []string, f *format) error {
	m, c, err := a.opened(ctx, args)
	if err != nil {
		return err
	}
	list, err := sessions(ctx, m, c.Account)
	if err != nil {
		return err
	}
	if f.on() {
		return printAll(a, f, sessionFields, list)
	}
	t := newTable("SESSION", "MOBILE", "")
	for _, s := range list {
		note := ""
		switch {
		case s.current:
			note = "this machine, current"
		case s.own:
			note = "this machine"
		}
		t.add(s.UUID, yesNo(s.Mobile), note)
	}
	return t.print(a.stdout)
}

// sessions lists the sessions of the account's user, by uuid: the stack keeps no order.
func sessions(ctx context.Context, m *session.Manager, account session.Account) ([]listedSession, error) {
	var list []listedSession
	err := m.Do(ctx, account.ID, func(ctx context.Context, client *api.Client, token api.Secret) error {
		page, err := client.UserSessions(ctx, token, account.UserUUID, api.ListOptions{})
		if err != nil {
			return err
		}
		now, err := m.Account(string(account.ID)) // Do may have refreshed
		list = list[:0]
		for _, s := range page.Items {
			current := s.UUID == now.SessionUUID
			own := current || slices.ContainsFunc(now.OwnSessions, func(o session.OpenedSession) bool { return o.UUID == s.UUID })
			list = append(list, listedSession{s, current, own})
		}
		return err
	})
	slices.SortFunc(list, func(a, b listedSession) int {
		switch {
		case a.own != b.own && a.own:
			return -1
		case a.own != b.own:
			return 1
		case a.UUID < b.UUID:
			return -1
		}
		return 1
	})
	return list, err
}

// foreignSessions are those that this machine did not open for the account.
func foreignSessions(ctx context.Context, m *session.Manager, account session.Account) ([]string, error) {
	list, err := sessions(ctx, m, account)
	var uuids []string
	for _, s := range list {
		if !s.own {
			uuids = append(uuids, s.UUID)
		}
	}
	return uuids, err
}

func (a *app) sessionsRevoke() *cobra.Command {
	var others, yes bool
	cmd := &cobra.Command{
		Use:   "revoke SESSION...",
		Short: "Revoke sessions: their access tokens end at once",
		Example: `  wakey sessions revoke 0a3e3f5c-7d1b-4c53-9d0e-6a5f0a6a2c11
  wakey sessions revoke --others --yes`,
		Args: func(_ *cobra.Command, args []string) error {
			if others == (len(args) > 0) {
				return errors.New("name the sessions to revoke, or give --others")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.revokeSessions(cmd.Context(), args, others, yes)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&others, "others", false, "revoke all that this machine did not open")
	flags.BoolVarP(&yes, "yes", "y", false, "don't ask")
	a.accountFlags(cmd)
	return cmd
}

func (a *app) revokeSessions(ctx context.Context, uuids []string, others, yes bool) error {
	m, c, err := a.opened(ctx, nil)
	if err != nil {
		return err
	}
	list, err := sessions(ctx, m, c.Account)
	if err != nil {
		return err
	}
	for _, s := range list {
		if others && !s.own {
			uuids = append(uuids, s.UUID)
		}
	}
	// The stack says yes to every uuid, and ends other people's sessions too (contract 8).
	for _, uuid := range uuids {
		i := slices.IndexFunc(list, func(s listedSession) bool { return s.UUID == uuid })
		if i < 0 {
			return fmt.Errorf("%q is no session of %s; \"wakey sessions list\" shows them", uuid, c.Login)
		}
		if list[i].current {
			return fmt.Errorf("%s is the account's current session: \"wakey refresh\" replaces it, \"wakey logout\" ends it", uuid)
		}
	}
	if len(uuids) == 0 {
		a.talkf("There is nothing to revoke.")
		return nil
	}
	a.announce(c.Account, nil, uuids)
	if err := a.agree(ctx, yes); err != nil {
		return err
	}
	return partly(a.endSessions(ctx, m, c.Account, uuids), len(uuids))
}

// endSessions revokes sessions of the account's user and gives what failed.
func (a *app) endSessions(ctx context.Context, m *session.Manager, account session.Account, uuids []string) []error {
	var failed []error
	for _, uuid := range uuids {
		err := m.Do(ctx, account.ID, func(ctx context.Context, client *api.Client, token api.Secret) error {
			return client.RevokeUserSession(ctx, token, account.UserUUID, uuid)
		})
		m.LogRevocation(account.ID, session.Revocation{UserUUID: account.UserUUID, Session: uuid}, err)
		if err != nil {
			failed = append(failed, fmt.Errorf("session %s: %w", api.Clean(uuid), err))
			continue
		}
		a.talkf("Revoked the session %s.", api.Clean(uuid))
	}
	return failed
}
