package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wakey/api"
	"wakey/session"
)

var userFields = []field[api.User]{
	{"uuid", func(u api.User) any { return u.UUID }},
	{"username", func(u api.User) any { return orNull(u.Username) }},
	{"firstname", func(u api.User) any { return orNull(u.Firstname) }},
	{"lastname", func(u api.User) any { return orNull(u.Lastname) }},
	{"emails", func(u api.User) any { return objects(emailFields, fieldNames(emailFields), u.Emails) }},
	{"purpose", func(u api.User) any { return u.Purpose }},
	{"enabled", func(u api.User) any { return u.Enabled }},
	{"authentication_method", func(u api.User) any { return orNull(u.AuthenticationMethod) }},
	{"tenant_uuid", func(u api.User) any { return u.TenantUUID }},
}

var emailFields = []field[api.Email]{
	{"address", func(e api.Email) any { return e.Address }},
	{"main", func(e api.Email) any { return e.Main }},
	{"confirmed", func(e api.Email) any { return e.Confirmed }},
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (a *app) usersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "users",
		Short:   "List, create, change and delete the users of a stack",
		GroupID: groupServer,
		Long: `Manage the users of a stack, as an administrator of it. A user is named by its username, its e-mail
address or its uuid.

What the stack does not do by itself is said, and done on demand: a deleted user's access tokens
live until they expire, a new password leaves refresh tokens alive, a renaming kills them and leaves
them listed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.usersList(), a.usersShow(), a.usersCreate(), a.usersUpdate(), a.usersDelete(), a.usersEnable(true), a.usersEnable(false),
		a.usersPasswd(), a.usersEmails(), a.usersRevoke(), a.usersImport(), a.usersExport())
	return cmd
}

// directory is where a command about users works: an account, and a tenant of its stack.
type directory struct {
	*session.Manager

	account choice
	tenant  string // uuid; empty: the account's own
}

// usersFlags adds what chooses the account and the tenant.
func (a *app) usersFlags(cmd *cobra.Command, tenant *string) {
	cmd.Flags().StringVar(tenant, "tenant", "", "work in this `TENANT` (its uuid, slug or name) instead of the account's own")
	_ = cmd.RegisterFlagCompletionFunc("tenant", cobra.NoFileCompletions)
	a.accountFlags(cmd)
}

func (a *app) directory(ctx context.Context, tenant string) (directory, error) {
	m, c, err := a.opened(ctx, nil)
	if err != nil {
		return directory{}, err
	}
	d := directory{m, c, ""}
	d.tenant, err = m.FindTenant(ctx, c.ID, tenant)
	return d, err
}

// find finds the users of the names; nobody twice.
func (d directory) find(ctx context.Context, names []string) ([]api.User, error) {
	var all []api.User
	for _, name := range names {
		u, err := d.FindUser(ctx, d.account.ID, name, d.tenant)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(all, func(x api.User) bool { return x.UUID == u.UUID }) {
			all = append(all, u)
		}
	}
	return all, nil
}

// pages walks the users of the directory, size at a request. A token that ends on the way is refreshed.
func (d directory) pages(ctx context.Context, o api.ListOptions, size int, each func(api.User) error) error {
	o.Tenant = d.tenant
	for u, err := range api.All(ctx, d.page, o, size) {
		if err != nil {
			return err
		}
		if err := each(u); err != nil {
			return err
		}
	}
	return nil
}

// page asks for one page of users.
func (d directory) page(ctx context.Context, o api.ListOptions) (p api.Page[api.User], err error) {
	err = d.Do(ctx, d.account.ID, func(ctx context.Context, c *api.Client, token api.Secret) error {
		p, err = c.Users(ctx, token, o)
		return err
	})
	return p, err
}

// nameOf is what a user is called, fit for a terminal.
func nameOf(u api.User) string { return shortened(api.Clean(session.UserName(u))) }

// completionTime is how long whoever presses tab may wait.
const completionTime = 2 * time.Second

// completeUsers asks the stack for names that begin so, if that takes no question and no time.
func (a *app) completeUsers(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	a.noInput = true
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
	defer cancel()
	d, err := a.directory(ctx, "")
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	p, _ := d.page(ctx, api.ListOptions{Search: begun, Limit: 200, Recurse: true})
	for _, u := range p.Items {
		for _, name := range append([]string{u.Username}, addresses(u)...) {
			if name != "" && strings.HasPrefix(name, begun) && name == api.Clean(name) && !slices.Contains(args, name) {
				names = append(names, name)
				break
			}
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func addresses(u api.User) []string {
	all := make([]string, len(u.Emails))
	for i, e := range u.Emails {
		all[i] = e.Address
	}
	return all
}

type listUsersOptions struct {
	format

	tenant     string
	order      string
	desc       bool
	limit      int
	offset     int
	subTenants bool
}

func (a *app) usersList() *cobra.Command {
	var o listUsersOptions
	cmd := &cobra.Command{
		Use:     "list [SEARCH]",
		Aliases: []string{"ls"},
		Short:   "List users, or those whose names or e-mails hold a text",
		Example: `  wakey users list
  wakey users list baker --order lastname
  wakey users list --limit 100 --offset 100 --json uuid,username
  wakey users list --sub-tenants --jq 'map(select(.enabled | not).username)'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.listUsers(cmd.Context(), strings.Join(args, ""), &o)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.StringVar(&o.order, "order", "username", "sort by `FIELD`: username, firstname or lastname")
	flags.BoolVar(&o.desc, "desc", false, "sort the other way round")
	flags.IntVar(&o.limit, "limit", 0, "list `N` users at most (default all)")
	flags.IntVar(&o.offset, "offset", 0, "leave out the first `N` users")
	flags.BoolVar(&o.subTenants, "sub-tenants", false, "list those of the tenants below, too")
	a.usersFlags(cmd, &o.tenant)
	o.flags(cmd, fieldNames(userFields))
	return cmd
}

func (a *app) listUsers(ctx context.Context, search string, o *listUsersOptions) error {
	if !slices.Contains([]string{"username", "firstname", "lastname"}, o.order) {
		return usagef("--order is username, firstname or lastname")
	}
	if o.limit < 0 || o.offset < 0 {
		return usagef("--limit and --offset can't be negative")
	}
	d, err := a.directory(ctx, o.tenant)
	if err != nil {
		return err
	}
	query := api.ListOptions{Search: search, Order: o.order, Desc: o.desc, Recurse: o.subTenants}
	var list []api.User
	total := 0
	if o.limit+o.offset == 0 {
		err = d.pages(ctx, query, pageSize, func(u api.User) error {
			list = append(list, u)
			return nil
		})
	} else {
		query.Limit, query.Offset, query.Tenant = o.limit, o.offset, d.tenant
		var p api.Page[api.User]
		p, err = d.page(ctx, query)
		list, total = p.Items, p.Filtered
	}
	if err != nil {
		return err
	}
	if o.on() {
		return printAll(a, &o.format, userFields, list)
	}
	headings := []string{"USERNAME", "NAME", "E-MAIL", "PURPOSE", "ENABLED", "SIGNS IN BY"}
	if o.subTenants {
		headings = append(headings, "TENANT")
	}
	t := newTable(headings...)
	for _, u := range list {
		cells := []string{orDash(u.Username), strings.TrimSpace(u.Firstname + " " + u.Lastname), mainEmail(u), u.Purpose, yesNo(u.Enabled), u.AuthenticationMethod}
		if o.subTenants {
			cells = append(cells, u.TenantUUID)
		}
		t.add(cells...)
	}
	if total > o.offset+len(list) {
		a.talkf("%d to %d of %d users.", o.offset+1, o.offset+len(list), total)
	}
	return t.print(a.stdout)
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// mainEmail is a user's main address, and how many more there are.
func mainEmail(u api.User) string {
	for _, e := range u.Emails {
		if !e.Main {
			continue
		}
		text := e.Address
		if !e.Confirmed {
			text += " (unconfirmed)"
		}
		if n := len(u.Emails) - 1; n > 0 {
			text += fmt.Sprintf(" +%d", n)
		}
		return text
	}
	return ""
}

// detailFields are those of a user and of all that hangs on it.
var detailFields = append(userDetailFields(),
	field[session.UserDetails]{"groups", func(d session.UserDetails) any { return objects(groupFields, fieldNames(groupFields), d.Groups) }},
	field[session.UserDetails]{"policies", func(d session.UserDetails) any { return objects(policyFields, fieldNames(policyFields), d.Policies) }},
	field[session.UserDetails]{"refresh_tokens", func(d session.UserDetails) any {
		return objects(userTokenFields, fieldNames(userTokenFields), d.Tokens)
	}},
	field[session.UserDetails]{"sessions", func(d session.UserDetails) any {
		return objects(userSessionFields, fieldNames(userSessionFields), d.Sessions)
	}},
	field[session.UserDetails]{"missing_permissions", func(d session.UserDetails) any { return d.Missing }},
)

func userDetailFields() []field[session.UserDetails] {
	all := make([]field[session.UserDetails], len(userFields))
	for i, f := range userFields {
		all[i] = field[session.UserDetails]{f.name, func(d session.UserDetails) any { return f.of(d.User) }}
	}
	return all
}

var groupFields = []field[api.Group]{
	{"uuid", func(g api.Group) any { return g.UUID }},
	{"name", func(g api.Group) any { return g.Name }},
}

var policyFields = []field[api.Policy]{
	{"uuid", func(p api.Policy) any { return p.UUID }},
	{"name", func(p api.Policy) any { return p.Name }},
}

var userTokenFields = []field[api.RefreshToken]{
	{"client_id", func(t api.RefreshToken) any { return t.ClientID }},
	{"created_at", func(t api.RefreshToken) any { return rfc3339(t.CreatedAt) }},
	{"mobile", func(t api.RefreshToken) any { return t.Mobile }},
}

var userSessionFields = []field[api.Session]{
	{"uuid", func(s api.Session) any { return s.UUID }},
	{"mobile", func(s api.Session) any { return s.Mobile }},
}

func (a *app) usersShow() *cobra.Command {
	var f format
	var tenant string
	cmd := &cobra.Command{
		Use:   "show USER",
		Short: "Show a user with its groups, policies, refresh tokens and sessions",
		Example: `  wakey users show bob
  wakey users show bob@example.com --jq '.refresh_tokens[].client_id'`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeUser,
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := a.directory(cmd.Context(), tenant)
			if err != nil {
				return err
			}
			u, err := d.FindUser(cmd.Context(), d.account.ID, args[0], d.tenant)
			if err != nil {
				return err
			}
			details, err := d.UserDetails(cmd.Context(), d.account.ID, u.UUID)
			if err != nil {
				return err
			}
			if details.Missing["user"] != "" {
				details.User = u
			}
			if f.on() {
				return printOne(a, &f, detailFields, details)
			}
			return a.showUser(details)
		},
	}
	a.usersFlags(cmd, &tenant)
	f.flags(cmd, fieldNames(detailFields))
	return cmd
}

// completeUser completes the one user that a command takes.
func (a *app) completeUser(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeUsers(cmd, args, begun)
}

func (a *app) showUser(d session.UserDetails) error {
	u := d.User
	var t facts
	t.add("username", orDash(u.Username))
	t.add("name", strings.TrimSpace(u.Firstname+" "+u.Lastname))
	for _, e := range u.Emails {
		t.add("e-mail", session.EmailsText([]api.Email{e}))
	}
	t.add("purpose", u.Purpose)
	t.add("enabled", yesNo(u.Enabled))
	t.add("signs in by", u.AuthenticationMethod)
	t.add("tenant", u.TenantUUID)
	t.add("uuid", u.UUID)
	missing := func(name, label string) {
		if p := d.Missing[name]; p != "" {
			t.add(label, "can't be read without the permission "+p)
		}
	}
	for _, g := range d.Groups {
		t.add("group", g.Name)
	}
	missing("groups", "groups")
	for _, p := range d.Policies {
		t.add("policy", p.Name)
	}
	missing("policies", "policies")
	now := time.Now()
	for _, rt := range d.Tokens {
		t.add("refresh token", rt.ClientID+", made "+when(rt.CreatedAt, now))
	}
	missing("tokens", "refresh tokens")
	for _, s := range d.Sessions {
		t.add("session", s.UUID)
	}
	missing("sessions", "sessions")
	return t.print(a.stdout)
}
