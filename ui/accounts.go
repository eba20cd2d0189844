package ui

import (
	"cmp"
	"strings"

	"charm.land/lipgloss/v2"

	tea "charm.land/bubbletea/v2"

	"wakey/session"
)

// sessionCeiling is how many sessions a user may have unless the stack is configured otherwise
// (contract 8).
const sessionCeiling = 100

// accounts is the view of every account: how it stands, and for how long.
type accounts struct {
	bare

	f    *frame
	list list[session.Account]
}

func newAccounts(f *frame) *accounts {
	v := &accounts{f: f}
	v.list = newList(f,
		func(a session.Account) string { return string(a.ID) },
		func(a session.Account) string {
			return strings.Join([]string{a.Name, a.Login, hostOf(a), string(a.State), trustWord(a)}, " ")
		},
		v.columns()...)
	return v
}

func (v *accounts) columns() []column[session.Account] {
	byText := func(text func(session.Account) string) func(a, b session.Account) int {
		return func(a, b session.Account) int {
			return strings.Compare(strings.ToLower(text(a)), strings.ToLower(text(b)))
		}
	}
	name := func(a session.Account) string { return a.Name }
	login := func(a session.Account) string { return a.Login }
	muted := func(session.Account) lipgloss.Style { return v.f.st.muted }
	return []column[session.Account]{
		{min: 1, max: 1, draw: v.drawShape},
		{title: "ACCOUNT", min: 8, max: 22, firm: true, text: name, compare: byText(name), style: func(session.Account) lipgloss.Style { return v.f.st.strong }},
		{title: "USER", min: 6, max: 18, rank: 2, text: login, compare: byText(login)},
		{title: "STACK", min: 12, max: 28, rank: 7, text: hostOf, compare: byText(hostOf), style: muted},
		{title: "TRUST", min: 6, max: 6, rank: 10, text: trustWord, style: muted},
		{
			title: "STATE", min: 14, max: 17, firm: true, rank: 3,
			text:    func(a session.Account) string { return string(a.State) },
			style:   func(a session.Account) lipgloss.Style { _, st := v.f.st.stateLook(a.State); return st },
			compare: func(a, b session.Account) int { return cmp.Compare(urgency(b.State), urgency(a.State)) },
		},
		{
			title: "EXPIRES IN", min: 10, max: 10, right: true, text: v.expiresText,
			style:   func(a session.Account) lipgloss.Style { return v.countdownStyle(a) },
			compare: func(a, b session.Account) int { return compareTimes(a.ExpiresAt, b.ExpiresAt) },
		},
		{
			title: "REFRESH IN", min: 10, max: 11, right: true, rank: 8, text: v.refreshText, style: muted,
			compare: func(a, b session.Account) int { return compareTimes(a.RefreshAt, b.RefreshAt) },
		},
		{min: 10, max: 14, rank: 6, draw: v.drawGauge},
		{
			title: "SESSIONS", min: 8, max: 8, right: true, rank: 9, text: sessionsText, style: v.sessionsStyle,
			compare: func(a, b session.Account) int { return cmp.Compare(b.TotalSessions, a.TotalSessions) },
		},
	}
}

// What the accounts view understands.
const (
	actInspect    action = "inspect"
	actRefresh    action = "refresh"
	actRefreshAll action = "refresh all"
	actCopy       action = "copy"
	actCopyAs     action = "copy as"
	actTokens     action = "refresh tokens"
	actSessions   action = "sessions"
	actSignOut    action = "sign out"
	actAgain      action = "sign in again"
	actForget     action = "forget"
	actReason     action = "reason"
)

func (v *accounts) bindings() []binding {
	if len(v.f.accounts) == 0 {
		return []binding{{action: actSignIn, keys: []string{"n", "enter"}, short: "sign in", name: "Sign in to a stack"}}
	}
	if v.list.typing() {
		return filterBindings()
	}
	enter := binding{action: actInspect, keys: []string{"enter"}, short: "inspect", name: "Inspect the access token"}
	bs := make([]binding, 0, 24)
	if a, ok := v.list.selected(); ok && a.State.NeedsPerson() {
		bs = append(bs, binding{action: actAgain, keys: []string{"N"}, short: "sign in again", name: "Sign this account in again"})
	}
	bs = append(bs, enter,
		binding{action: actRefresh, keys: []string{"r"}, short: "refresh", name: "Refresh this account now"},
		binding{action: actCopy, keys: []string{"y"}, short: "copy", name: "Copy the access token"},
		binding{action: actSignIn, keys: []string{"n"}, short: "sign in", name: "Sign in with another account"},
		binding{action: actTokens, keys: []string{"t"}, short: "refresh tokens", name: "List the user's refresh tokens"},
		binding{action: actSessions, keys: []string{"s"}, short: "sessions", name: "List the user's sessions"},
		binding{action: actSignOut, keys: []string{"L"}, short: "sign out", name: "Sign out: revoke, then forget"},
		binding{action: actCopyAs, keys: []string{"Y"}, name: "Copy as header, curl, JSON…"},
		binding{action: actRefreshAll, keys: []string{"R"}, name: "Refresh every account now"},
		binding{action: actReason, keys: []string{"e"}, name: "Read the reason in full"},
		binding{action: actForget, keys: []string{"F"}, name: "Forget on this machine alone"},
	)
	return append(bs, v.list.bindings()...)
}

func (v *accounts) do(a action) tea.Cmd {
	if v.list.do(a) {
		v.follow()
		return nil
	}
	acc, ok := v.list.selected()
	if !ok {
		if a == actSignIn {
			return v.f.do(a)
		}
		return nil
	}
	switch a {
	case actInspect:
		return v.f.open(viewInspector)
	case actTokens:
		return v.f.open(viewRefreshTokens)
	case actSessions:
		return v.f.open(viewSessions)
	case actRefresh:
		return v.f.refresh(acc)
	case actRefreshAll:
		return v.f.refreshAll()
	case actCopy:
		return v.f.copyToken(acc)
	case actCopyAs:
		return v.f.chooseCopy(acc)
	case actSignOut:
		return v.f.signOut(acc)
	case actForget:
		return v.f.forget(acc, "")
	case actAgain:
		return v.f.openSignIn(againWith(acc))
	case actReason:
		if acc.Reason != "" {
			v.f.push(newNotice(v.f, acc.Name+" is "+string(acc.State), acc.Reason))
		}
		return nil
	}
	return v.f.do(a)
}

func (v *accounts) typing() bool { return v.list.typing() }

func (v *accounts) update(msg tea.Msg) tea.Cmd {
	if _, ok := msg.(changedMsg); ok {
		v.list.set(v.f.accounts)
		v.list.choose(string(v.f.current))
		return nil
	}
	sp := v.split(v.f.bodySize())
	if c, ok := msg.(clickMsg); ok && c.x >= sp.listW {
		return nil
	}
	if v.list.update(msg, sp.listW) {
		return v.do(actInspect)
	}
	v.follow()
	return nil
}

// follow makes the account under the cursor the one that the views are about.
func (v *accounts) follow() {
	if a, ok := v.list.selected(); ok {
		v.f.current = a.ID
	}
}

func (v *accounts) layout(w, h int) {
	sp := v.split(w, h)
	v.list.layout(sp.listH)
}

// urgency orders states: what needs a person first.
func urgency(s session.State) int {
	switch s {
	case session.IdentityChanged:
		return 6
	case session.RevokedElsewhere:
		return 5
	case session.Expired:
		return 4
	case session.SignInNeeded:
		return 3
	case session.Degraded:
		return 2
	case session.Refreshing:
		return 1
	case session.Active:
	}
	return 0
}
