package ui

import (
	"time"

	"charm.land/lipgloss/v2"

	"wakey/session"
)

// titleStep is how coarsely the window title counts: titles that change every second flicker in
// task bars.
const titleStep = 10 * time.Second

// note is one thing the header says.
type note struct {
	style lipgloss.Style
	text  string
}

// attention lists what needs a person, the most urgent first.
func (f *frame) attention() []note {
	s := f.st
	var notes []note
	switch f.store {
	case storeLocked:
		notes = append(notes, note{s.bad, shapeAlarm + " " + f.store.word() + ", u opens it"})
	case storeOpening, storeWaiting, storeAsking:
		if f.opts.Open != nil {
			notes = append(notes, note{s.info, f.store.word()})
		}
	case storeOpen:
	}
	if r := f.respond; r != nil && r.phase == respondRunning {
		notes = append(notes, note{s.info, "◐ responding to the theft of " + r.acc.Name + ", ! shows it"})
	} else if a, n := f.alarms(); n > 0 {
		text := shapeAlarm + " " + a.Name + ": " + a.Noticed.Headline()
		if n > 1 {
			text = shapeAlarm + " " + number(n) + " accounts: " + a.Noticed.Headline() + "…"
		}
		notes = append(notes, note{s.bad, text + ", ! responds"})
	}
	for _, a := range f.accounts {
		if f.cut[a.ID] && (f.respond == nil || f.respond.phase != respondRunning) {
			notes = append(notes, note{s.bad, shapeAlarm + " " + a.Name + ": a response was cut off, ! goes on"})
			break
		}
	}
	counts := map[session.State]int{}
	first := map[session.State]session.Account{}
	for _, a := range f.accounts {
		if counts[a.State]++; counts[a.State] == 1 {
			first[a.State] = a
		}
	}
	for _, st := range []session.State{
		session.IdentityChanged, session.RevokedElsewhere, session.Expired, session.Degraded, session.SignInNeeded,
	} {
		n := counts[st]
		if n == 0 {
			continue
		}
		shape, style := s.stateLook(st)
		text := shape + " " + first[st].Name + " " + string(st)
		if n > 1 {
			text = shape + " " + number(n) + " " + string(st)
		}
		notes = append(notes, note{style, text})
	}
	if a, ok := f.nearestRefresh(); ok {
		notes = append(notes, note{s.muted, "next refresh " + a.Name + " " + atLeast(countdown(a.RefreshAt.Sub(f.now)), 5)})
	}
	if f.store == storeOpen && f.keyPlace.word != "" {
		notes = append(notes, note{s.muted, f.keyPlace.header()})
	}
	return notes
}

// alarmed tells whether the watch found something that only somebody else can have done.
func alarmed(a session.Account) bool { return a.OpenFindings > 0 && a.Noticed.Level == session.Alarm }

// alarms counts the accounts with an alarm, and gives the current one of them, or else the first.
func (f *frame) alarms() (first session.Account, n int) {
	for _, a := range f.accounts {
		if !alarmed(a) {
			continue
		}
		if n++; n == 1 || a.ID == f.current {
			first = a
		}
	}
	return first, n
}

// alarmLine says in full what was noticed, for as long as nobody has seen it.
func (f *frame) alarmLine() string {
	a, n := f.alarms()
	if n == 0 || f.covered() {
		return ""
	}
	text := cut(shapeAlarm+" "+a.Name+": "+a.Noticed.Text, max(0, f.w-14))
	return spread(" "+f.st.bad.Render(text), f.st.key.Render("!")+f.st.muted.Render(" responds "), f.w)
}

// nearestRefresh is the account that is refreshed next.
func (f *frame) nearestRefresh() (session.Account, bool) {
	var best session.Account
	for _, a := range f.accounts {
		if a.State == session.Active && a.RefreshAt.After(f.now) && (best.ID == "" || a.RefreshAt.Before(best.RefreshAt)) {
			best = a
		}
	}
	return best, best.ID != ""
}

// nearest is the account whose access token ends first among those that want says.
func (f *frame) nearest(want func(session.Account) bool) (session.Account, bool) {
	var best session.Account
	for _, a := range f.accounts {
		if want(a) && (best.ID == "" || a.ExpiresAt.Before(best.ExpiresAt)) {
			best = a
		}
	}
	return best, best.ID != ""
}
