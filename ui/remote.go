package ui

import (
	"context"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"wakey/session"
)

// remote is what the views of refresh tokens and of sessions share: a list that a stack holds,
// asked for when the view is entered, for the current account.
type remote[T any] struct {
	bare
	remoteKind[T]

	f      *frame
	list   list[T]
	scope  scope
	acc    session.Account // of the scope
	held   string          // holdings when last judged
	shown  bool
	asked  bool  // the scope was listed, or its listing was begun
	job    jobID // the listing
	asking jobID // the listing before a confirmation
	naming jobID // the listing of the users

	search string // asked of the stack; empty: everything
	total  int    // on the stack, more than there are rows when not all were asked for
	listed time.Time
	err    error // of the last listing
	know   knowledge
	since  time.Time         // of everyone's: when the newest was made that was there at the last visit
	names  map[string]string // of users, by uuid
	result result            // what the last revocation came to
}

// remoteKind is what tells the two apart.
type remoteKind[T any] struct {
	noun       string
	searchable bool // the stack can search
	fetch      func(ctx context.Context, mgr *session.Manager, sc scope, search string, limit int) ([]T, int, error)
	judge      func(rows []T) // says anew of each whose it is, and puts them in order
	columns    func() []column[T]
	ours       func(T) bool
	made       func(T) time.Time // nil: the stack does not tell
	summary    func() string     // counts
	details    func(t T, w int) []string
	revoke     func([]T) tea.Cmd
	more       func() []binding
}

// What a list of a stack's things understands.
const (
	actReload   action = "list again"
	actRevoke   action = "revoke"
	actMarkMost action = "mark all but ours"
	actEveryone action = "everyone"
	actBelow    action = "sub-tenants"
	actSeen     action = "seen"
	actDetails  action = "details"
)

func (v *remote[T]) bindings() []binding {
	if _, ok := v.f.currentAccount(); !ok {
		return []binding{{action: actSignIn, keys: []string{"n", "enter"}, short: "sign in", name: "Sign in to a stack"}}
	}
	if v.list.typing() {
		bs := filterBindings()
		if v.searches() {
			bs[0].short, bs[0].name = "search the stack", "Search the stack"
		}
		return bs
	}
	var bs []binding
	if len(v.list.rows) > 0 {
		bs = append(bs, binding{action: actRevoke, keys: []string{"x"}, short: "revoke", name: "Revoke what is marked, or this one"})
		bs = append(bs, v.list.markBindings()...)
		bs = append(bs,
			binding{action: actMarkMost, keys: []string{"A"}, short: "all but ours", name: "Mark all but this machine's"},
			binding{action: actDetails, keys: []string{"enter"}, short: "details", name: "Show everything about this one"})
	}
	bs = append(bs, v.more()...)
	bs = append(bs, binding{action: actReload, keys: []string{"r"}, short: "list again", name: "Ask the stack again"})
	if v.acc.Admin {
		name := "List everyone's in the tenant"
		short := "everyone's"
		if v.scope.everyone {
			name, short = "List this user's alone", v.acc.Login+"'s alone"
		}
		bs = append(bs, binding{action: actEveryone, keys: []string{"e"}, short: cut(short, 20), name: name})
		if v.scope.everyone {
			name, short = "List those of sub-tenants too", "sub-tenants"
			if v.scope.below {
				name, short = "List this tenant's alone", "this tenant alone"
			}
			bs = append(bs, binding{action: actBelow, keys: []string{"b"}, short: short, name: name})
		}
	}
	if v.know.findingsHeld {
		bs = append(bs, binding{action: actSeen, keys: []string{"S"}, short: "seen", name: "What is new has been seen"})
	}
	return append(bs, v.list.bindings()...)
}

func (v *remote[T]) do(a action) tea.Cmd {
	typing := v.list.typing()
	if v.list.do(a) {
		if typing || a == actBack {
			return v.filtered(a)
		}
		return nil
	}
	switch a {
	case actReload:
		if cmd, ok := v.f.ready(); !ok {
			return cmd
		}
		v.result = result{}
		return v.load()
	case actMarkMost:
		v.list.markAll(func(t T) bool { return !v.ours(t) })
	case actRevoke:
		return v.revokeChosen()
	case actEveryone:
		if v.acc.Admin {
			return v.rescope(!v.scope.everyone, false)
		}
	case actBelow:
		if v.scope.everyone {
			return v.rescope(true, !v.scope.below)
		}
	case actSeen:
		return v.seen()
	case actDetails:
		if t, ok := v.list.selected(); ok {
			v.f.push(&card{f: v.f, heading: "One " + v.noun, lines: func(w int) []string { return v.details(t, w) }})
		}
	default:
		return v.f.do(a)
	}
	return nil
}

// revokeChosen asks about what is marked, or else about the row under the cursor.
func (v *remote[T]) revokeChosen() tea.Cmd {
	if cmd, ok := v.f.ready(); !ok {
		return cmd
	}
	rows := v.list.marked()
	if t, ok := v.list.selected(); ok && len(rows) == 0 {
		rows = []T{t}
	}
	if len(rows) == 0 {
		return nil
	}
	return v.revoke(rows)
}

// rescope lists somebody else's.
func (v *remote[T]) rescope(everyone, below bool) tea.Cmd {
	v.begin(scope{v.scope.acc, v.scope.user, everyone, below})
	return v.load()
}

// begin forgets what was listed.
func (v *remote[T]) begin(sc scope) {
	v.drop()
	v.scope, v.asked = sc, false
	v.search, v.total, v.listed, v.since, v.err, v.names, v.result = "", 0, time.Time{}, time.Time{}, nil, nil, result{}
	v.list.filter.wipe()
	v.list.filtering = false
	v.list.sortBy = -1
	v.list.cols = v.columns()
	v.list.cursor = 0
	v.list.set(nil)
}

func (v *remote[T]) drop() {
	for _, id := range []jobID{v.job, v.asking, v.naming} {
		v.f.jobs.drop(id)
	}
}

func (v *remote[T]) enter() tea.Cmd {
	v.shown = true
	return v.sync(true)
}

func (v *remote[T]) leave() {
	v.shown = false
	v.since = time.Time{}
	v.result = result{}
	v.drop()
}

// fresh is how old a long list may be when one comes back to it.
const fresh = time.Minute

// sync follows the current account, and lists again what is not up to date.
func (v *remote[T]) sync(entering bool) tea.Cmd {
	acc, ok := v.f.currentAccount()
	if !ok || acc.ID != v.scope.acc || acc.UserUUID != v.scope.user {
		v.acc = acc
		v.begin(scope{acc: acc.ID, user: acc.UserUUID})
		v.held = ""
		if !ok {
			return nil
		}
	}
	v.acc = acc
	if v.scope.everyone && !acc.Admin { // not any more
		v.begin(scope{acc: acc.ID, user: acc.UserUUID})
	}
	if v.f.mgr == nil || !v.shown {
		return nil
	}
	held := holdings(v.f.accounts, acc.Stack)
	changed := held != v.held
	v.held = held
	loading := v.f.jobs.find(v.job) != nil
	switch {
	case loading:
	case v.listed.IsZero() && (entering || !v.asked),
		entering && (!v.scope.everyone || v.f.now.Sub(v.listed) > fresh),
		changed && !v.scope.everyone && !v.listed.IsZero():
		return v.load()
	}
	if changed {
		v.rejudge()
	}
	return nil
}

// what names the list: "the refresh tokens of alice".
func (v *remote[T]) what() string {
	if v.scope.everyone {
		return "everyone's " + v.noun + "s"
	}
	return "the " + v.noun + "s of " + v.acc.Login
}

// partial tells whether there are more on the stack than are shown.
func (v *remote[T]) partial() bool { return v.total > len(v.list.all) }

// userName is what a user is called on the screen.
func (v *remote[T]) userName(uuid string) string {
	switch name := v.names[uuid]; {
	case name != "":
		return name
	case uuid == v.scope.user:
		return v.acc.Login
	case uuid == "":
		return "–"
	}
	return clean(uuid)
}

// revoked is told what a revocation came to: above the list, or to whoever has left it.
func (v *remote[T]) revoked(sc scope, res result) tea.Cmd {
	switch {
	case v.shown && !v.f.covered() && v.scope == sc:
		v.result = res
		return v.load()
	case res.kind == toastGood:
		return v.f.say(res.kind, res.text)
	}
	v.f.push(newNotice(v.f, "What the revocation came to", res.text))
	return nil
}

func (v *remote[T]) typing() bool { return v.list.typing() }

func (v *remote[T]) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case changedMsg:
		return v.sync(false)
	case tea.KeyPressMsg:
		return v.filterKey(msg)
	case clickMsg:
		w, h := v.f.bodySize()
		head := len(v.head(w, h))
		if v.list.clickIn(splitBody(w, h-head, len(v.list.all)), head, msg) {
			return v.do(actDetails)
		}
	default:
		v.list.update(msg, v.f.w)
	}
	return nil
}

// filterKey types the filter.
func (v *remote[T]) filterKey(k tea.KeyPressMsg) tea.Cmd {
	a, _ := matching(filterBindings(), k)
	v.list.update(k, v.f.w)
	return v.filtered(a)
}

// searches tells whether the stack is asked for what is typed: there is more of it than what is shown.
func (v *remote[T]) searches() bool { return v.searchable && (v.partial() || v.search != "") }

// filtered goes on when the filter was kept, or ended.
func (v *remote[T]) filtered(a action) tea.Cmd {
	text := strings.TrimSpace(v.list.filter.value())
	switch {
	case a == actFilter && text != v.search && v.searches():
		v.search = text
		return v.load()
	case a == actBack && v.search != "":
		v.search = ""
		return v.load()
	}
	return nil
}

func (v *remote[T]) layout(w, h int) {
	h -= len(v.head(w, h))
	v.list.layout(splitBody(w, h, len(v.list.all)).listH)
}
