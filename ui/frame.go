package ui

import (
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"wakey/session"
)

// viewID names a view by its place in the line of views.
type viewID int

const (
	viewAccounts viewID = iota
	viewInspector
	viewRefreshTokens
	viewSessions
	viewUsers
	viewActivity
	viewCount // the views with a number
)

// name is the view's name; short is what a narrow screen has room for.
func (id viewID) name() string {
	return [...]string{"Accounts", "Inspector", "Refresh tokens", "Sessions", "Users", "Activity"}[id]
}

func (id viewID) short() string {
	return [...]string{"Accounts", "Inspect", "Tokens", "Sessions", "Users", "Activity"}[id]
}

// part is what screens and dialogs have in common.
type part interface {
	// bindings are the actions that are possible now, the most useful first.
	bindings() []binding
	// do carries out an action, whichever way it was asked for.
	do(a action) tea.Cmd
	// typing tells whether plain keys are text now: then they go to update first.
	typing() bool
	// update gets keys while typing, tea.PasteMsg, clickMsg and wheelMsg; a screen also gets
	// changedMsg, and tea.BlurMsg while it is the one shown.
	update(msg tea.Msg) tea.Cmd
}

// screen is a view.
type screen interface {
	part
	// count is shown beside the view's name; 0 is not shown.
	count() int
	// enter is called when the view becomes the one shown, leave when it no longer is.
	// leave drops the view's jobs and hides what was revealed.
	enter() tea.Cmd
	leave()
	// layout is called after every change with the size of the body: here a list brings its
	// cursor into sight.
	layout(w, h int)
	// view draws at most h lines of at most w cells. It changes nothing.
	view(w, h int) string
}

// dialog lies on top of the view until it is closed with frame.close.
type dialog interface {
	part
	title() string
	// view draws at most h lines of at most w cells. The box fits itself around them.
	view(w, h int) []string
}

// clickMsg is a press of the left button, in the cells of the part that gets it.
type clickMsg struct{ x, y int }

// wheelMsg is a turn of the wheel: lines down, or up when negative.
type wheelMsg int

// changedMsg says that a view's data (accounts, events) was exchanged.
type changedMsg struct{}

// frame is what all views share.
type frame struct {
	ctx  context.Context //nolint:containedctx // of the whole program: jobs end with it
	opts Options
	send func(tea.Msg) // into the program, from other goroutines
	// toTerminal puts a text into the terminal's clipboard.
	toTerminal func(text string) tea.Cmd
	spoken     bool // there is no screen: everything is read line by line

	now     time.Time // wall time; moved by ticks alone
	w, h    int
	focused bool
	tickGen int

	st          *styles
	theme       theme
	dark        bool
	groundKnown bool // dark is no guess
	unsure      bool // neither the terminal nor anybody else tells
	depth       depth

	mgr      *session.Manager // nil until the store is open
	store    storeState
	keyPlace keyPlace          // of the accounts; empty: not known
	accounts []session.Account // in order of name; their texts are clean
	events   []session.Event
	current  session.ID               // the account that the views are about
	counted  map[session.ID]time.Time // when the sessions were asked for last
	want     session.ID               // will be the current one when it appears: it was just signed in

	screens [viewCount]screen
	shown   viewID
	signIn  *signIn             // shown instead of the view while it is not nil
	respond *respond            // likewise while it is shown; it goes on behind the view, too
	cut     map[session.ID]bool // accounts whose last response was cut off
	dialogs []dialog
	jobs    jobs
	toast   toast
	aside   Aside
	clip    clipState

	notifier notifier
	env      environment

	runner *runner // of the manager
}

// screen is what has the body now.
func (f *frame) screen() screen {
	if f.signIn != nil {
		return f.signIn
	}
	if f.respond != nil && f.respond.shown {
		return f.respond
	}
	return f.screens[f.shown]
}

// covered tells whether something else is shown in place of the view.
func (f *frame) covered() bool { return f.screen() != f.screens[f.shown] }

// top is what gets the keys: the topmost dialog, or else the view.
func (f *frame) top() part {
	if n := len(f.dialogs); n > 0 {
		return f.dialogs[n-1]
	}
	return f.screen()
}

// open shows a view.
func (f *frame) open(id viewID) tea.Cmd {
	if !f.covered() && f.shown == id {
		return nil
	}
	f.screen().leave()
	f.signIn = nil
	f.shown = id
	return f.screens[id].enter()
}

// push puts a dialog on top.
func (f *frame) push(d dialog) { f.dialogs = append(f.dialogs, d) }

// close takes a dialog away, wherever it lies.
func (f *frame) close(d dialog) {
	f.dialogs = slices.DeleteFunc(f.dialogs, func(x dialog) bool { return x == d })
}

// account finds an account by its ID.
func (f *frame) account(id session.ID) (session.Account, bool) {
	for _, a := range f.accounts {
		if a.ID == id {
			return a, true
		}
	}
	return session.Account{}, false
}

// currentAccount is the account that the views are about.
func (f *frame) currentAccount() (session.Account, bool) { return f.account(f.current) }

// setAccounts takes over what the manager (or, before it is there, the index) says.
func (f *frame) setAccounts(accounts []session.Account, events []session.Event) tea.Cmd {
	for i := range accounts {
		cleanAccount(&accounts[i])
	}
	for i := range events {
		events[i].Name, events[i].Text = clean(events[i].Name), clean(events[i].Text)
	}
	f.accounts, f.events = accounts, events
	if _, ok := f.account(f.want); ok {
		f.current, f.want = f.want, ""
	}
	if _, ok := f.account(f.current); !ok {
		f.current = ""
		if len(accounts) > 0 {
			f.current = accounts[0].ID
		}
	}
	cmds := make([]tea.Cmd, 0, len(f.screens))
	for _, s := range f.screens {
		cmds = append(cmds, s.update(changedMsg{}))
	}
	return tea.Batch(cmds...)
}

// cleanAccount makes an account's texts fit for the screen, once, so that drawing need not.
func cleanAccount(a *session.Account) {
	for _, s := range []*string{
		&a.Name, &a.Stack, &a.Login, &a.UserUUID, &a.TenantUUID, &a.Purpose, &a.ClientID, &a.Reason, &a.TokenSuffix, &a.SessionUUID,
		&a.Noticed.Subject, &a.Noticed.Text,
	} {
		*s = clean(*s)
	}
	a.Noticed.Sessions = slices.Clone(a.Noticed.Sessions) // they are the manager's
	for i, uuid := range a.Noticed.Sessions {
		a.Noticed.Sessions[i] = clean(uuid)
	}
	for i := range a.OwnSessions {
		a.OwnSessions[i].UUID = clean(a.OwnSessions[i].UUID)
	}
	for i := range a.Leaks {
		a.Leaks[i].Op, a.Leaks[i].ClientID = clean(a.Leaks[i].Op), clean(a.Leaks[i].ClientID)
	}
}

// ready tells whether the manager is there, and says so when it is not.
func (f *frame) ready() (tea.Cmd, bool) {
	if f.mgr != nil {
		return nil, true
	}
	return f.say(toastWarn, "the accounts are not open yet: "+f.store.word()), false
}

// bare is the part of a screen or dialog that has nothing to say.
type bare struct{}

func (bare) bindings() []binding    { return nil }
func (bare) do(action) tea.Cmd      { return nil }
func (bare) typing() bool           { return false }
func (bare) update(tea.Msg) tea.Cmd { return nil }
func (bare) count() int             { return 0 }
func (bare) enter() tea.Cmd         { return nil }
func (bare) leave()                 {}
func (bare) layout(int, int)        {}
