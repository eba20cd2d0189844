package ui

import (
	"slices"
	"strings"

	"wakey/session"
)

// detailsApart is from which width what happened lately stands beside the facts, and how wide the
// facts are then.
const (
	detailsApart = 100
	detailsFacts = 62
)

// details tell everything about one account that is not secret. withGauge is for where the list
// beside them has lost its own.
func (v *accounts) details(a session.Account, w, h int, withGauge bool) string {
	s := v.f.st
	shape, st := s.stateLook(a.State)
	lines := []string{spread(" "+s.strong.Render(a.Name), st.Render(shape+" "+string(a.State))+" ", w)}
	if withGauge && !a.ExpiresAt.IsZero() {
		lines = append(lines, " "+gaugeView(s, lifeOf(a), v.f.now, w-2, false))
	}
	if a.Reason != "" {
		what, next := advice(a.Reason)
		for _, l := range head(wrap(what, w-2), 4) {
			lines = append(lines, " "+st.Render(l))
		}
		for _, l := range head(wrap(next, w-2), 2) {
			lines = append(lines, " "+s.text.Render(l))
		}
	}
	factsW := w
	if w >= detailsApart {
		factsW = detailsFacts
	}
	var facts []string
	for _, f := range v.facts(a) {
		facts = append(facts, f.lines(s, factsW)...)
	}
	if h > len(lines)+len(facts)+2 {
		lines = append(lines, "")
	}
	room := h - len(lines)
	if factsW == w {
		if room > len(facts)+3 {
			facts = append(facts, "")
		}
		facts = append(facts, v.lately(a, w, room-len(facts))...)
		return strings.Join(append(lines, head(facts, room)...), "\n")
	}
	lately := v.lately(a, w-factsW, room)
	for i := range min(room, max(len(facts), len(lately))) {
		l := ""
		if i < len(facts) {
			l = facts[i]
		}
		if i < len(lately) {
			l = fit(l, factsW) + lately[i]
		}
		lines = append(lines, l)
	}
	return strings.Join(head(lines, h), "\n")
}

// latelyMost is how many lines one thing that happened takes at most.
const latelyMost = 4

// lately are the last things that happened to an account, the newest first, where there is room
// for some.
func (v *accounts) lately(a session.Account, w, h int) []string {
	s := v.f.st
	if h < 3 {
		return nil
	}
	lines := []string{" " + s.muted.Render("lately")}
	for _, e := range slices.Backward(v.f.events) {
		if len(lines) == h {
			break
		}
		if e.Account != a.ID {
			continue
		}
		st := s.text
		switch e.Level {
		case session.Warn:
			st = s.warn
		case session.Alarm:
			st = s.bad
		case session.Info:
		}
		const when = 11
		at := clockTime(v.f.now, e.Time)
		at = fit(at[:min(len(at), len("2026-11-23"))], when)
		text := wrap(e.Text, w-when-2)
		if room := min(latelyMost, h-len(lines)); len(text) > room {
			text = append(text[:room-1:room-1], cut(text[room-1]+" "+text[room], w-when-2))
		}
		for _, l := range text {
			lines = append(lines, " "+s.muted.Render(at)+st.Render(cut(l, w-when-2)))
			at = blanks(when)
		}
	}
	if len(lines) == 1 {
		return nil
	}
	return lines
}

// fact is a label and what there is to say to it.
type fact struct{ label, text, note string }

// noteMost is how many lines a note takes at most where it doesn't fit behind what it is about.
const noteMost = 3

func (f fact) lines(s *styles, w int) []string {
	const label = 15
	first := " " + s.muted.Render(fit(f.label, label)) + cut(f.text, w-label-2)
	if f.note == "" {
		return []string{first}
	}
	if used := label + 1 + width(f.text); used+2+width(f.note) < w {
		return []string{first + "  " + s.muted.Render(f.note)}
	}
	lines := []string{first}
	for _, l := range head(wrap(f.note, max(1, w-label-2)), noteMost) {
		lines = append(lines, " "+blanks(label)+s.muted.Render(l))
	}
	return lines
}

func (v *accounts) facts(a session.Account) []fact {
	now := v.f.now
	who := "ordinary user"
	if a.Admin {
		who = "administrator"
	}
	if a.Purpose != "" && a.Purpose != "user" {
		who = a.Purpose
	}
	facts := []fact{{"user", a.Login, who}, {"stack", hostOf(a), trustWord(a)}}
	switch {
	case a.TokenSuffix == "":
		facts = append(facts, fact{"access token", "none", ""})
	case !a.ExpiresAt.After(now):
		facts = append(facts, fact{"access token", "…" + a.TokenSuffix, "expired " + age(now, a.ExpiresAt)})
	default:
		l := lifeOf(a).whole()
		facts = append(facts, fact{"access token", "…" + a.TokenSuffix, clockTime(now, l.from) + " to " + clockTime(now, l.until)})
	}
	if a.ClientID == "" {
		facts = append(facts, fact{"refresh token", "none", "the account ends with its access token"})
	} else {
		facts = append(facts, fact{"refresh token", a.ClientID, "made " + age(now, a.SignedInAt)})
	}
	if f, ok := v.refreshFact(a); ok {
		facts = append(facts, f)
	}
	facts = append(facts, v.sessionsFact(a))
	if !a.LookedAt.IsZero() {
		note := ""
		if a.NextLookAt.After(now) {
			note = "again at " + clockTime(now, a.NextLookAt)
		}
		facts = append(facts, fact{"watched", "looked " + age(now, a.LookedAt), note})
	}
	if k := v.f.keyPlace; k.word != "" {
		facts = append(facts, fact{"kept by", k.word, k.why})
	}
	return facts
}

// refreshFact says when the next refresh comes, by the clock: how long that is the list says.
func (v *accounts) refreshFact(a session.Account) (fact, bool) {
	now := v.f.now
	switch {
	case a.ClientID == "" || a.State.NeedsPerson():
		return fact{}, false
	case a.State == session.Refreshing:
		return fact{"next refresh", "under way", ""}, true
	case !a.RetryAt.IsZero():
		return fact{"next refresh", clockTime(now, a.RetryAt), "tried again, was due " + clockTime(now, a.RefreshAt)}, true
	case a.RefreshAt.IsZero():
		return fact{}, false
	}
	return fact{"next refresh", clockTime(now, a.RefreshAt), ""}, true
}

func (v *accounts) sessionsFact(a session.Account) fact {
	ours := 0
	for _, o := range a.OwnSessions {
		if o.ExpiresAt.After(v.f.now) {
			ours++
		}
	}
	total := number(a.TotalSessions) + " of " + number(sessionCeiling)
	switch {
	case a.TotalSessions < 0:
		return fact{"sessions", "not counted yet", number(ours) + " ours"}
	case !counted(a):
		return fact{"sessions", total, "counted " + age(v.f.now, a.CountedAt)}
	}
	return fact{
		"sessions", total,
		number(ours) + " ours, " + plural(max(0, a.TotalSessions-ours), "other"),
	}
}

// head is at most the first n lines.
func head(lines []string, n int) []string { return lines[:max(0, min(n, len(lines)))] }
