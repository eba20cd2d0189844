package ui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
	"wakey/session"
)

// inspector is the view of everything about one access token: the current account's, or one that
// was pasted.
type inspector struct {
	bare

	f       *frame
	account session.ID // whose token own is
	asked   string     // the session that was asked about last
	begun   bool       // asked is of this visit
	job     jobID
	own     *inspected // nil until the stack told
	err     string     // why it did not

	pasted *pasted     // shown instead of the account's; nil: none
	cmp    *comparison // listed instead of the permissions; nil: none
	cmpJob jobID

	list     grouped
	onList   bool // the keys move in the list, not in the facts
	scroll   int  // the first of the facts in sight
	factRows int  // how many there are, as of the last layout

	shown   api.Secret // the account's token, while it is revealed
	hideAt  time.Time
	showJob jobID
}

// revealFor is how long a token stays readable at most.
const revealFor = 30 * time.Second

func newInspector(f *frame) *inspector { return &inspector{f: f, list: newGrouped(f)} }

// What the inspector understands besides.
const (
	actMay     action = "may it"
	actCompare action = "compare"
	actPaste   action = "paste"
	actReveal  action = "reveal"
	actAskNow  action = "ask again"
	actTry     action = "try"
)

func (v *inspector) bindings() []binding {
	if v.list.filtering {
		return filterBindings()
	}
	paste := binding{action: actPaste, keys: []string{"p"}, short: "inspect another", name: "Inspect a token that you paste"}
	if v.pasted != nil {
		return append(v.pastedBindings(), append([]binding{paste}, v.moveBindings()...)...)
	}
	acc, ok := v.f.currentAccount()
	if !ok {
		return nil
	}
	bs := make([]binding, 0, 24)
	if acc.State.NeedsPerson() {
		bs = append(bs, binding{action: actAgain, keys: []string{"N"}, short: "sign in again", name: "Sign this account in again"})
	}
	if v.own == nil {
		bs = append(bs, binding{action: actAskNow, keys: []string{"a"}, short: "ask again", name: "Ask the stack about the token again"})
	} else {
		bs = append(bs,
			binding{action: actMay, keys: []string{"m", "enter"}, short: "may it…?", name: "Ask whether the token may do something"},
			binding{action: actFilter, keys: []string{"/"}, short: "filter", name: "Filter the permissions"},
		)
	}
	reveal := binding{action: actReveal, keys: []string{"v"}, short: "reveal", name: "Reveal the token for 30 seconds"}
	if v.revealed() {
		reveal.short, reveal.name = "hide", "Hide the token"
	}
	bs = append(bs, reveal,
		binding{action: actCopy, keys: []string{"y"}, short: "copy", name: "Copy the access token"},
		binding{action: actRefresh, keys: []string{"r"}, short: "refresh", name: "Refresh this account now"},
	)
	if v.own != nil {
		bs = append(bs, binding{action: actCompare, keys: []string{"c"}, short: "compare", name: "Compare the permissions with another token's"})
	}
	bs = append(bs,
		paste,
		binding{action: actTokens, keys: []string{"t"}, name: "List the user's refresh tokens"},
		binding{action: actSessions, keys: []string{"s"}, name: "List the user's sessions"},
		binding{action: actCopyAs, keys: []string{"Y"}, name: "Copy as header, curl, JSON…"},
		binding{action: actReason, keys: []string{"e"}, name: "Read the reason in full"},
	)
	if v.own != nil {
		bs = append(bs, binding{action: actAskNow, keys: []string{"a"}, name: "Ask the stack about the token again"})
	}
	return append(bs, v.moveBindings()...)
}

func (v *inspector) moveBindings() []binding {
	bs := []binding{
		{action: actRight, keys: []string{"right", "l"}, show: "← →", name: "To the permissions, to the facts", moving: true},
		{action: actLeft, keys: []string{"left", "h"}},
		{action: actUp, keys: []string{"up", "k"}, show: "↑↓ j k", name: "Move", moving: true},
		{action: actDown, keys: []string{"down", "j"}},
		{action: actPageUp, keys: []string{"pgup", "ctrl+u"}, show: "pgup pgdn", name: "Move by a page", moving: true},
		{action: actPageDown, keys: []string{"pgdown", "ctrl+d"}},
		{action: actHome, keys: []string{"g", "home"}, show: "g G", name: "To the first, the last", moving: true},
		{action: actEnd, keys: []string{"G", "end"}},
	}
	switch {
	case v.list.filtered():
		bs = append(bs, binding{action: actBack, keys: []string{"esc"}, name: "End the filter", moving: true})
	case v.cmp != nil:
		bs = append(bs, binding{action: actBack, keys: []string{"esc"}, name: "End the comparison", moving: true})
	case v.pasted != nil:
		bs = append(bs, binding{action: actBack, keys: []string{"esc"}, short: "back", name: "Back to the account's token", moving: true})
	}
	return bs
}

func (v *inspector) do(a action) tea.Cmd {
	switch a {
	case actLeft:
		v.onList = false
		return nil
	case actRight:
		v.onList = true
		return nil
	case actFilter:
		v.onList = true
	case actPaste:
		return v.openPaste("")
	case actBack:
		return v.back()
	case actMay:
		return v.openMay()
	case actCompare:
		return v.chooseOther()
	case actTry:
		return v.openTry()
	case actAskNow:
		return v.again()
	case actTokens, actSessions:
		return v.jump(a)
	}
	if v.move(a) {
		return nil
	}
	acc, ok := v.f.currentAccount()
	if !ok || v.pasted != nil {
		return nil
	}
	switch a {
	case actReveal:
		return v.toggleReveal(acc)
	case actCopy:
		return v.f.copyToken(acc)
	case actCopyAs:
		return v.f.chooseCopy(acc)
	case actRefresh:
		return v.f.refresh(acc)
	case actAgain:
		return v.f.openSignIn(againWith(acc))
	case actReason:
		if why := v.reason(acc); why != "" {
			v.f.push(newNotice(v.f, acc.Name+" is "+string(acc.State), why))
		}
	}
	return nil
}

// reason is what there is to read in full.
func (v *inspector) reason(acc session.Account) string {
	if v.err != "" {
		return v.err
	}
	return acc.Reason
}

// move carries out what moves around, and tells whether it was.
func (v *inspector) move(a action) bool {
	w, h := v.f.bodySize()
	if v.listHasKeys(w, h) || a == actFilter {
		return v.list.do(a)
	}
	page := max(1, v.panes(w, h).factsH)
	switch a {
	case actUp:
		v.scroll--
	case actDown:
		v.scroll++
	case actPageUp:
		v.scroll -= page
	case actPageDown:
		v.scroll += page
	case actHome:
		v.scroll = 0
	case actEnd:
		v.scroll = v.factRows
	default:
		return false
	}
	return true
}

// back undoes the last thing that changed what is shown, or leaves.
func (v *inspector) back() tea.Cmd {
	switch {
	case v.list.filtered():
		v.list.endFilter()
	case v.cmp != nil:
		v.cmp = nil
		v.relist()
	case v.pasted != nil:
		v.forgetPasted()
		v.relist()
		return v.sync()
	default:
		return v.f.do(actBack)
	}
	return nil
}

// jump shows the refresh tokens or sessions of the one whose token is shown, if he has an
// account here.
func (v *inspector) jump(a action) tea.Cmd {
	if v.pasted != nil {
		if v.pasted.owner.ID == "" {
			return v.f.say(toastInfo, "nobody here is signed in as its user")
		}
		v.f.current = v.pasted.owner.ID
	}
	if a == actTokens {
		return v.f.open(viewRefreshTokens)
	}
	return v.f.open(viewSessions)
}

func (v *inspector) typing() bool { return v.list.filtering }

func (v *inspector) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case changedMsg:
		return v.sync()
	case tea.BlurMsg:
		v.hide()
	case tea.PasteMsg:
		if !v.typing() {
			return v.openPaste(msg.Content)
		}
		v.list.update(msg)
	case wheelMsg:
		if w, h := v.f.bodySize(); !v.listHasKeys(w, h) {
			v.scroll += int(msg)
			return nil
		}
		v.list.update(msg)
	case clickMsg:
		return v.click(msg)
	default:
		v.list.update(msg)
	}
	return nil
}

func (v *inspector) enter() tea.Cmd {
	v.begun = false
	v.onList, v.scroll = false, 0
	return v.sync()
}

// leave forgets all that was asked: nothing secret stays behind, and what is shown next time is
// fresh.
func (v *inspector) leave() {
	v.forgetPasted()
	v.reset()
	v.account = ""
}

// reset forgets what is known of the account's token.
func (v *inspector) reset() {
	v.f.jobs.drop(v.job)
	v.f.jobs.drop(v.cmpJob)
	v.hide()
	v.job, v.cmpJob = 0, 0
	v.own, v.cmp, v.err, v.asked, v.begun = nil, nil, "", "", false
	v.list.clear()
}
