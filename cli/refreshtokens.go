package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"wakey/api"
	"wakey/session"
)

// listedToken is a refresh token of the stack, and whether it is the account's own.
type listedToken struct {
	api.RefreshToken

	own   bool
	label string // what a person calls it; empty when nobody has named it
}

var refreshTokenFields = []field[listedToken]{
	{"client_id", func(t listedToken) any { return t.ClientID }},
	{"created_at", func(t listedToken) any { return rfc3339(t.CreatedAt) }},
	{"mobile", func(t listedToken) any { return t.Mobile }},
	{"user_uuid", func(t listedToken) any { return t.UserUUID }},
	{"tenant_uuid", func(t listedToken) any { return t.TenantUUID }},
	{"own", func(t listedToken) any { return t.own }},
	{"label", func(t listedToken) any { return t.label }},
}

func (a *app) refreshTokensCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "refresh-tokens",
		Short:   "List, label and revoke the user's refresh tokens",
		GroupID: groupServer,
		Long: `A refresh token makes access tokens until it is revoked. The stack knows each by a client_id, which
names the installation that owns it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.refreshTokensList(), a.refreshTokensLabel(), a.labelsCommand(), a.refreshTokensRevoke())
	return cmd
}

func (a *app) refreshTokensList() *cobra.Command {
	var f format
	cmd := &cobra.Command{
		Use:     "list [ACCOUNT]",
		Aliases: []string{"ls"},
		Short:   "List the user's refresh tokens",
		Example: `  wakey refresh-tokens list
  wakey refresh-tokens list prod --json client_id,created_at,own`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeAccounts,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.listRefreshTokens(cmd.Context(), args, &f)
		},
	}
	a.accountFlags(cmd)
	f.flags(cmd, fieldNames(refreshTokenFields))
	return cmd
}

func (a *app) listRefreshTokens(ctx context.Context, args []string, f *format) error {
	m, c, err := a.opened(ctx, args)
	if err != nil {
		return err
	}
	list, err := refreshTokens(ctx, m, c.Account)
	if err != nil {
		return err
	}
	if f.on() {
		return printAll(a, f, refreshTokenFields, list)
	}
	now := time.Now()
	t := newTable("CLIENT_ID", "MADE", "MOBILE", "KNOWN AS", "")
	for _, item := range list {
		label := item.label
		if item.own {
			label = "this machine"
		}
		reason, _ := api.Unrevokable(item.ClientID)
		t.add(item.ClientID, when(item.CreatedAt, now), yesNo(item.Mobile), label, reason)
	}
	return t.print(a.stdout)
}

// refreshTokens lists the refresh tokens of the account's user, the oldest first.
func refreshTokens(ctx context.Context, m *session.Manager, account session.Account) ([]listedToken, error) {
	known, err := m.KnownClients()
	if err != nil {
		return nil, err
	}
	label := func(clientID string) string {
		i := slices.IndexFunc(known, func(k session.KnownClient) bool {
			return k.Stack == account.Stack && k.UserUUID == account.UserUUID && k.ClientID == clientID
		})
		if i < 0 {
			return ""
		}
		return known[i].Label
	}
	var list []listedToken
	err = m.Do(ctx, account.ID, func(ctx context.Context, client *api.Client, token api.Secret) error {
		page, err := client.MyRefreshTokens(ctx, token, api.ListOptions{})
		list = list[:0]
		for _, item := range page.Items {
			list = append(list, listedToken{item, item.ClientID == account.ClientID, label(item.ClientID)})
		}
		return err
	})
	return list, err
}

func (a *app) refreshTokensLabel() *cobra.Command {
	var remove bool
	cmd := &cobra.Command{
		Use:   "label CLIENT_ID LABEL",
		Short: "Say whose a refresh token is",
		Long: `Give a client_id a label on this machine, such as "my phone". Whoever labels a client vouches for
it: it is no longer told as unknown.`,
		Example: `  wakey refresh-tokens label ci-runner "CI of the web team"
  wakey refresh-tokens label ci-runner --remove`,
		Args: func(cmd *cobra.Command, args []string) error {
			if remove {
				return cobra.ExactArgs(1)(cmd, args)
			}
			return cobra.ExactArgs(2)(cmd, args)
		},
		ValidArgsFunction: a.completeClientIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			label := ""
			if !remove {
				label = args[1]
				if label == "" {
					return usagef("the label is empty; --remove takes one away")
				}
			}
			return a.label(cmd.Context(), args[0], label)
		},
	}
	cmd.Flags().BoolVar(&remove, "remove", false, "take the label away")
	a.accountFlags(cmd)
	return cmd
}

func (a *app) label(ctx context.Context, clientID, label string) error {
	m, c, err := a.opened(ctx, nil)
	if err != nil {
		return err
	}
	if label != "" { // a typo would vouch for whoever takes that name
		list, err := refreshTokens(ctx, m, c.Account)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(list, func(t listedToken) bool { return t.ClientID == clientID }) {
			return noSuchToken(clientID)
		}
	}
	return m.Label(c.ID, clientID, label)
}

func noSuchToken(clientID string) error {
	return fmt.Errorf("the user has no refresh token of the client_id %q; \"wakey refresh-tokens list\" shows them", clientID)
}

type revokeTokensOptions struct {
	others   bool
	sessions bool
	yes      bool
}

func (a *app) refreshTokensRevoke() *cobra.Command {
	var o revokeTokensOptions
	cmd := &cobra.Command{
		Use:   "revoke CLIENT_ID...",
		Short: "Revoke refresh tokens",
		Long: `Revoke refresh tokens of the user: from then on they make no access token. Access tokens already
made from them live until they expire; --sessions ends them too, by revoking every session but this
machine's own. The account's own refresh token is revoked by "wakey logout".`,
		Example: `  wakey refresh-tokens revoke phone-7c1e
  wakey refresh-tokens revoke phone-7c1e --sessions --yes
  wakey refresh-tokens revoke --others --account prod`,
		Args: func(_ *cobra.Command, args []string) error {
			if o.others == (len(args) > 0) {
				return errors.New("name the client_ids to revoke, or give --others")
			}
			return nil
		},
		ValidArgsFunction: a.completeClientIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.revokeRefreshTokens(cmd.Context(), args, o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.others, "others", false, "revoke all but the account's own")
	flags.BoolVar(&o.sessions, "sessions", false, "revoke the sessions that this machine did not open, too")
	flags.BoolVarP(&o.yes, "yes", "y", false, "don't ask")
	a.accountFlags(cmd)
	return cmd
}

// completeClientIDs asks the stack, if that takes no question and no time.
func (a *app) completeClientIDs(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	a.noInput = true
	ctx, cancel := context.WithTimeout(cmd.Context(), 2*time.Second)
	defer cancel()
	m, err := a.open(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	c, err := a.choose(m.Accounts(), nil)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	list, _ := refreshTokens(ctx, m, c.Account)
	var ids []string
	for _, t := range list {
		if !t.own && !slices.Contains(args, t.ClientID) && t.ClientID == api.Clean(t.ClientID) {
			ids = append(ids, t.ClientID)
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

func (a *app) revokeRefreshTokens(ctx context.Context, ids []string, o revokeTokensOptions) error {
	m, c, err := a.opened(ctx, nil)
	if err != nil {
		return err
	}
	list, err := refreshTokens(ctx, m, c.Account)
	if err != nil {
		return err
	}
	if o.others {
		for _, t := range list {
			if !t.own {
				ids = append(ids, t.ClientID)
			}
		}
	}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	if err := revocable(ids, list, c.Admin); err != nil {
		return err
	}
	var strangers []string
	if o.sessions {
		if strangers, err = foreignSessions(ctx, m, c.Account); err != nil {
			return err
		}
	}
	if len(ids)+len(strangers) == 0 {
		a.talkf("There is nothing to revoke.")
		return nil
	}
	a.announce(c.Account, ids, strangers)
	if err := a.agree(ctx, o.yes); err != nil {
		return err
	}

	var failed []error
	for _, id := range ids {
		revoke := func(ctx context.Context, client *api.Client, token api.Secret) error {
			return client.RevokeMyRefreshToken(ctx, token, id)
		}
		err := m.Do(ctx, c.ID, revoke)
		if errors.Is(err, api.ErrServer) { // it may be revoked all the same (contract 5, 7.3)
			err = m.Do(ctx, c.ID, revoke)
		}
		m.LogRevocation(c.ID, session.Revocation{UserUUID: c.UserUUID, ClientID: id}, err)
		if err != nil && !errors.Is(err, api.ErrNotFound) {
			failed = append(failed, fmt.Errorf("%s: %w", api.Clean(id), err))
			continue
		}
		a.talkf("Revoked the refresh token %s.", api.Clean(id))
	}
	failed = append(failed, a.endSessions(ctx, m, c.Account, strangers)...)
	return partly(failed, len(ids)+len(strangers))
}

// revocable tells why the refresh tokens can't be revoked, before any is.
func revocable(ids []string, list []listedToken, admin bool) error {
	for _, id := range ids {
		i := slices.IndexFunc(list, func(t listedToken) bool { return t.ClientID == id })
		if i < 0 {
			return noSuchToken(id)
		}
		if list[i].own {
			return fmt.Errorf("%s is the account's own refresh token; \"wakey logout\" revokes it", id)
		}
		if reason, help := session.Stuck(id, admin); reason != "" {
			return fmt.Errorf("%q can't be revoked: %s; %s", id, reason, help)
		}
	}
	return nil
}

func (a *app) announce(account session.Account, ids, sessions []string) {
	a.talkf("On %s, of %s, this revokes:", stackName(account), api.Clean(account.Login))
	for _, id := range ids {
		a.talkf("  the refresh token %s", api.Clean(id))
	}
	for _, id := range sessions {
		a.talkf("  the session %s", api.Clean(id))
	}
	if len(ids) > 0 && len(sessions) == 0 {
		a.talkf("Access tokens already made from a refresh token live until they expire.")
	}
}

// agree asks before something is revoked, unless the person has said yes on the command line.
func (a *app) agree(ctx context.Context, yes bool) error {
	return a.agreeTo(ctx, yes, "nothing was revoked")
}

// agreeTo asks before something is done. unchanged is what there is to say when nobody can be asked.
func (a *app) agreeTo(ctx context.Context, yes bool, unchanged string) error {
	if yes {
		return nil
	}
	err := a.confirm(ctx, "Go on?")
	if errors.Is(err, errNobodyToAsk) {
		return usagef("%s: there is nobody to ask; say --yes", unchanged)
	}
	return err
}
