package ui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
	"wakey/session"
)

// userRow is a user in the list, its texts fit for the screen.
type userRow struct {
	api.User

	login, first, last, email, purpose, method string
}

func rowOfUser(u api.User) userRow {
	return userRow{
		User: u, login: shortText(u.Username), first: shortText(u.Firstname), last: shortText(u.Lastname), email: shortText(mainAddress(u)),
		purpose: shortText(u.Purpose), method: shortText(u.AuthenticationMethod),
	}
}

// name is what the user is called on the screen.
func (r userRow) name() string { return userName(r.User) }

func userName(u api.User) string { return shortText(session.UserName(u)) }

func mainAddress(u api.User) string {
	for _, e := range u.Emails {
		if e.Main {
			return e.Address
		}
	}
	return ""
}

// users is the view of the users of the current account's tenant. They are asked for page by page, sorted and searched by
// the stack: there may be any number of them.
type users struct {
	bare

	f     *frame
	list  list[userRow]
	scope scope // of everyone
	acc   session.Account
	shown bool
	asked bool // the scope was listed, or its listing was begun

	job     jobID // the listing of the first page
	paging  jobID // of the next
	reading jobID // of what an action needs to know first
	search  string
	total   int
	listed  time.Time
	err     error                 // of the last listing
	may     func(string) bool     // what the access token may do; nil: not known
	tenants map[string]api.Tenant // in sight, by uuid
	want    string                // the user to put the cursor on when it is listed
	result  result                // what the last action came to
}

// What the view of users understands besides.
const (
	actCreate      action = "create"
	actEdit        action = "edit"
	actEnable      action = "enable"
	actSetPassword action = "set password"
	actEmails      action = "e-mails"
	actDelete      action = "delete"
)

func newUsers(f *frame) *users {
	v := &users{f: f}
	v.list = newList(f,
		func(r userRow) string { return r.UUID },
		func(r userRow) string {
			return strings.Join([]string{r.login, r.first, r.last, r.email, r.purpose}, " ")
		},
		v.columns()...)
	v.list.marking = true
	return v
}

func (v *users) bindings() []binding {
	if _, ok := v.f.currentAccount(); !ok {
		return []binding{{action: actSignIn, keys: []string{"n", "enter"}, short: "sign in", name: "Sign in to a stack"}}
	}
	if v.list.typing() {
		bs := filterBindings()
		bs[0].short, bs[0].name = "search the stack", "Search the stack"
		return bs
	}
	var bs []binding
	if len(v.list.rows) > 0 {
		word := "disable"
		if r, ok := v.list.selected(); ok && !r.Enabled {
			word = "enable"
		}
		bs = append(
			bs,
			binding{action: actDetails, keys: []string{"enter"}, short: "details", name: "Show the user, its tokens, sessions, groups and policies"},
			binding{action: actCreate, keys: []string{"c"}, short: "create", name: "Create a user"},
			binding{action: actEdit, keys: []string{"e"}, short: "edit", name: "Edit this user"},
			binding{action: actSetPassword, keys: []string{"p"}, short: "password", name: "Set this user's password"},
			binding{action: actEmails, keys: []string{"m"}, short: "e-mails", name: "Change this user's e-mails"},
			binding{action: actEnable, keys: []string{"s"}, short: word, name: "Enable or disable what is marked, or this user"},
			binding{action: actDelete, keys: []string{"d"}, short: "delete", name: "Delete what is marked, or this user"},
		)
		bs = append(bs, v.list.markBindings()...)
	} else {
		if !v.denied() {
			bs = append(bs, binding{action: actCreate, keys: []string{"c"}, short: "create", name: "Create a user"})
		}
		bs = append(bs, binding{action: actSetPassword, keys: []string{"p"}, short: "own password", name: "Change the account's own password"})
	}
	if v.denied() {
		return append(bs, binding{action: actReload, keys: []string{"r"}, short: "list again", name: "Ask the stack again"})
	}
	name, short := "List those of sub-tenants too", "sub-tenants"
	if v.scope.below {
		name, short = "List this tenant's alone", "this tenant alone"
	}
	bs = append(
		bs,
		binding{action: actReload, keys: []string{"r"}, short: "list again", name: "Ask the stack again"},
		binding{action: actBelow, keys: []string{"b"}, short: short, name: name},
	)
	bs = append(bs, v.list.bindings()...)
	if v.search != "" && len(v.list.filter.text) == 0 {
		bs = append(bs, binding{action: actBack, keys: []string{"esc"}, name: "Show all again", moving: true})
	}
	return bs
}

func (v *users) do(a action) tea.Cmd {
	by, desc, typing := v.list.sortBy, v.list.desc, v.list.typing()
	if v.list.do(a) {
		switch {
		case typing, a == actBack && v.search != "":
			return v.filtered(a)
		case by != v.list.sortBy, desc != v.list.desc:
			return v.load()
		}
		return v.more()
	}
	switch a {
	case actReload, actBelow, actCreate, actEdit, actSetPassword, actEmails, actEnable, actDelete, actDetails:
		if cmd, ok := v.f.ready(); !ok {
			return cmd
		}
	default:
		return v.f.do(a)
	}
	switch a {
	case actReload:
		v.result = result{}
		return v.load()
	case actBelow:
		below := !v.scope.below
		v.begin()
		v.scope.below = below
		return v.load()
	case actCreate:
		return v.create()
	}
	r, ok := v.list.selected()
	if !ok && a == actSetPassword {
		return v.setPassword(api.User{UUID: v.acc.UserUUID, Username: v.acc.Login})
	}
	if !ok {
		return nil
	}
	switch a {
	case actDetails:
		return openUserCard(v, r.User)
	case actEdit:
		return v.edit(r.User)
	case actSetPassword:
		return v.setPassword(r.User)
	case actEmails:
		return v.editEmails(r.User)
	case actEnable:
		return v.askEnable(v.chosen(r), !r.Enabled)
	case actDelete:
		return v.askDelete(v.chosen(r))
	}
	return nil
}

// denied tells whether the account may not list users.
func (v *users) denied() bool { return errors.Is(v.err, api.ErrPermission) }

// chosen are the marked users, or else the one under the cursor.
func (v *users) chosen(r userRow) []userRow {
	if marked := v.list.marked(); len(marked) > 0 {
		return marked
	}
	return []userRow{r}
}

// allowed tells whether the account may do something, as far as is known, and says which permission is missing
// otherwise: before a form is filled in for nothing.
func (v *users) allowed(what, permission string) bool {
	if v.may == nil || v.may(permission) {
		return true
	}
	v.lacks(what, permission)
	return false
}

// lacks says which permission is missing, and what to do.
func (v *users) lacks(what, permission string) {
	v.f.push(newNotice(v.f, clean(v.acc.Login)+" may not "+what, fmt.Sprintf(
		"The permission %s is missing; ask an administrator of %s for it, then refresh the token of %s%s", permission, hostOf(v.acc), v.acc.Name, v.f.hint(" (press 1, then r)"))))
}

// begin forgets what was listed.
func (v *users) begin() {
	v.drop()
	v.scope.below, v.asked = false, false
	v.search, v.total, v.listed, v.err, v.may, v.tenants, v.result = "", 0, time.Time{}, nil, nil, nil, result{}
	v.list.filter.wipe()
	v.list.filtering = false
	v.list.sortBy, v.list.desc, v.list.cursor = -1, false, 0
	v.list.set(nil)
}

func (v *users) drop() {
	for _, id := range []jobID{v.job, v.paging, v.reading} {
		v.f.jobs.drop(id)
	}
}

func (v *users) enter() tea.Cmd {
	v.shown = true
	return v.sync(true)
}

func (v *users) leave() {
	v.shown = false
	v.result = result{}
	v.drop()
}

// sync follows the current account.
func (v *users) sync(entering bool) tea.Cmd {
	acc, ok := v.f.currentAccount()
	v.acc = acc
	if !ok || acc.ID != v.scope.acc || acc.UserUUID != v.scope.user {
		v.begin()
		v.scope = scope{acc: acc.ID, user: acc.UserUUID, everyone: true}
	}
	due := !v.asked || entering && v.f.now.Sub(v.listed) > fresh
	if !ok || v.f.mgr == nil || !v.shown || !due || v.f.jobs.find(v.job) != nil {
		return nil
	}
	return v.load()
}

// userPage is how many users a request asks for, and userAhead how far before the last one listed the next are asked for.
const (
	userPage  = 200
	userAhead = 40
)

// query is what is asked of the stack from offset on.
func (v *users) query(offset int) api.ListOptions {
	o := api.ListOptions{Limit: userPage, Offset: offset, Search: v.search, Recurse: v.scope.below, Desc: v.list.desc, Order: "username"}
	if v.list.sortBy >= 0 {
		o.Order = orders[v.list.cols[v.list.sortBy].title]
	}
	return o
}

// orders are the columns that the stack sorts by.
var orders = map[string]string{titleUsername: "username", titleFirst: "firstname", titleLast: "lastname"}

// userBatch is the answer of a listing.
type userBatch struct {
	rows    []userRow
	total   int
	may     func(string) bool
	tenants map[string]api.Tenant
}

// load asks for the first page.
func (v *users) load() tea.Cmd {
	if v.f.mgr == nil || v.scope.acc == "" {
		return nil
	}
	v.asked = true
	v.f.jobs.drop(v.job)
	v.f.jobs.drop(v.paging)
	mgr, sc, o := v.f.mgr, v.scope, v.query(0)
	var cmd tea.Cmd
	v.job, cmd = start(v.f, "listing "+v.what(), func(ctx context.Context) (b userBatch, err error) {
		err = sc.do(ctx, mgr, func(ctx context.Context, c *api.Client, token api.Secret) error {
			t, err := c.GetToken(ctx, token)
			if err != nil {
				return err
			}
			b.may = func(access string) bool { return api.Allows(t.ACL, access, t.AuthID, t.SessionUUID) }
			if b.rows, b.total, err = usersOf(ctx, c, token, o); err != nil {
				return err
			}
			b.tenants = tenantsOf(ctx, c, token)
			return nil
		})
		return b, err
	}, func(b userBatch, err error) tea.Cmd {
		v.may = b.may
		if err != nil {
			v.err = err
			if v.listed.IsZero() {
				return nil // the body says it
			}
			return v.f.fail(v.what()+" could not be listed again", err)
		}
		v.err, v.total, v.listed, v.tenants = nil, b.total, v.f.now, b.tenants
		v.list.cols = v.columns()
		v.list.set(b.rows)
		if v.want != "" {
			v.list.choose(v.want)
			v.want = ""
		}
		return v.more()
	})
	v.f.jobs.find(v.job).quiet = !v.listed.IsZero() && v.err == nil
	return cmd
}

func usersOf(ctx context.Context, c *api.Client, token api.Secret, o api.ListOptions) ([]userRow, int, error) {
	p, err := c.Users(ctx, token, o)
	rows := make([]userRow, len(p.Items))
	for i, u := range p.Items {
		rows[i] = rowOfUser(u)
	}
	return rows, p.Filtered, err
}

// tenantsOf gives the tenants in sight; who may not read them sees uuids.
func tenantsOf(ctx context.Context, c *api.Client, token api.Secret) map[string]api.Tenant {
	all := map[string]api.Tenant{}
	p, _ := c.Tenants(ctx, token, api.ListOptions{Limit: userPage})
	for _, t := range p.Items {
		all[t.UUID] = t
	}
	return all
}

// more asks for the next page when the end of what is listed comes near.
func (v *users) more() tea.Cmd {
	have := len(v.list.all)
	if v.total <= have || v.list.cursor < len(v.list.rows)-userAhead || v.f.jobs.find(v.paging) != nil || v.f.jobs.find(v.job) != nil {
		return nil
	}
	mgr, sc, o := v.f.mgr, v.scope, v.query(have)
	var cmd tea.Cmd
	v.paging, cmd = start(v.f, "listing more of "+v.what(), func(ctx context.Context) (b userBatch, err error) {
		err = sc.do(ctx, mgr, func(ctx context.Context, c *api.Client, token api.Secret) error {
			b.rows, b.total, err = usersOf(ctx, c, token, o)
			return err
		})
		return b, err
	}, func(b userBatch, err error) tea.Cmd {
		if err != nil {
			return v.f.fail("the rest of "+v.what()+" could not be listed", err)
		}
		v.total = b.total
		seen := make(map[string]bool, have)
		for _, r := range v.list.all {
			seen[r.UUID] = true
		}
		rows := slices.Clone(v.list.all)
		for _, r := range b.rows { // a list that moves shows some twice
			if !seen[r.UUID] {
				rows = append(rows, r)
			}
		}
		if len(b.rows) == 0 {
			v.total = len(rows)
		}
		v.list.set(rows)
		return v.more()
	})
	v.f.jobs.find(v.paging).quiet = true
	return cmd
}

// what names the list.
func (v *users) what() string { return "the users of " + hostOf(v.acc) }

// over is told what an action came to: above the list, or to whoever has left it.
func (v *users) over(sc scope, res result) tea.Cmd {
	switch {
	case v.shown && v.f.signIn == nil && v.scope == sc:
		v.result = res
		return v.load()
	case res.kind == toastGood:
		return v.f.say(res.kind, res.text)
	}
	v.f.push(newNotice(v.f, "What it came to", res.text))
	return nil
}

func (v *users) typing() bool { return v.list.typing() }

func (v *users) update(msg tea.Msg) tea.Cmd {
	by, desc := v.list.sortBy, v.list.desc
	switch msg := msg.(type) {
	case changedMsg:
		return v.sync(false)
	case tea.KeyPressMsg:
		return v.filterKey(msg)
	case clickMsg:
		w, h := v.f.bodySize()
		head := len(v.head(w, h))
		if v.list.clickIn(v.split(w, h-head), head, msg) {
			return v.do(actDetails)
		}
	default:
		v.list.update(msg, v.f.w)
	}
	if by != v.list.sortBy || desc != v.list.desc { // by a click on a title
		return v.load()
	}
	return v.more()
}

// filterKey types what is searched for. While it is typed it filters what is listed; enter asks the stack.
func (v *users) filterKey(k tea.KeyPressMsg) tea.Cmd {
	a, _ := matching(filterBindings(), k)
	v.list.update(k, v.f.w)
	return v.filtered(a)
}

// filtered goes on when what is searched for was typed, or the search is over.
func (v *users) filtered(a action) tea.Cmd {
	text := strings.TrimSpace(v.list.filter.value())
	switch a {
	case actFilter:
		if text == "" && v.search == "" {
			return nil
		}
		v.search = text
		v.list.filter.wipe()
		v.list.keep()
		return v.load()
	case actBack:
		if v.search != "" {
			v.search = ""
			return v.load()
		}
	}
	return nil
}

func (v *users) layout(w, h int) {
	h -= len(v.head(w, h))
	v.list.layout(v.split(w, h).listH)
}
