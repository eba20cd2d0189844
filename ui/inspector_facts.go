package ui

import (
	"strings"
	"time"

	"wakey/session"
)

// section is a heading and facts.
type section struct {
	title string
	facts []fact
}

// factMost is how many lines one fact takes at most.
const factMost = 6

// factLines draw what is known of the token in w cells. Where the list has no place of its own
// and there is none, they begin with the reason.
func (v *inspector) factLines(w int) []string {
	s := v.f.st
	var lines []string
	if w != factsWidth && v.told() == nil && (v.pasted != nil || v.err != "") {
		what, next := v.instead()
		lines = append(hang(s.text, "▲", what, w-1), hang(s.muted, " ", next, w-1)...)
		for i := range lines {
			lines[i] = " " + lines[i]
		}
		lines = append(lines, "")
	}
	for i, sec := range v.sections() {
		if len(sec.facts) == 0 {
			continue
		}
		if i > 0 {
			lines = append(lines, "")
		}
		if sec.title != "" {
			lines = append(lines, " "+s.strong.Render(sec.title))
		}
		for _, f := range sec.facts {
			lines = append(lines, factBlock(s, f, w)...)
		}
	}
	return lines
}

// factBlock draws a fact: its text broken into lines, its note behind it or below.
func factBlock(s *styles, f fact, w int) []string {
	room := max(1, w-factLabel-2)
	text := wrap(f.text, room)
	if len(text) > factMost {
		text = text[:factMost]
		text[factMost-1] = cutHard(text[factMost-1], 0, room-1) + "…"
	}
	if len(text) == 0 {
		text = []string{""}
	}
	var notes []string
	if f.note != "" {
		if last := len(text) - 1; f.text != "" && width(text[last])+2+width(f.note) <= room {
			text[last] += "  " + s.muted.Render(f.note)
		} else {
			notes = head(wrap(f.note, room), factMost)
		}
	}
	for _, n := range notes {
		if len(text) == 1 && text[0] == "" {
			text = text[:0]
		}
		text = append(text, s.muted.Render(n))
	}
	for i, t := range text {
		label := ""
		if i == 0 {
			label = f.label
		}
		text[i] = " " + s.muted.Render(fit(label, factLabel)) + t
	}
	return text
}

func (v *inspector) sections() []section {
	if v.pasted != nil {
		return v.pastedSections(v.pasted)
	}
	a, ok := v.f.currentAccount()
	if !ok {
		return nil
	}
	return []section{
		{"", v.tokenFacts(a)},
		{"User", userFacts(v.own, a)},
		{"Origin", v.originFacts(a)},
	}
}

// tokenFacts tell of the account's access token; what the stack did not tell, the store knows.
func (v *inspector) tokenFacts(a session.Account) []fact {
	now := v.f.now
	if a.TokenSuffix == "" {
		what, next := advice(a.Reason)
		return []fact{{"access token", "none", strings.TrimSpace(what + "\n" + next)}}
	}
	value := fact{"access token", "…" + a.TokenSuffix, v.f.hint("v reveals it")}
	if v.revealed() {
		left := int(v.hideAt.Sub(now)/time.Second) + 1
		value = fact{"access token", v.shown.Reveal(), "hidden in " + plural(left, "second") + ", or with v"}
	}
	issued, expires := a.ObtainedAt, a.ExpiresAt
	if v.own != nil {
		issued, expires = v.own.IssuedAt, v.own.ExpiresAt
	}
	facts := []fact{value, {"session", a.SessionUUID, ""}}
	facts = append(facts, timeFact("issued", issued, age(now, a.ObtainedAt)), timeFact("expires", expires, v.f.untilWords(a.ExpiresAt)))
	switch {
	case a.ClientID == "":
		facts = append(facts, fact{"refresh", "never", "the account holds no refresh token"})
	case !a.RetryAt.IsZero():
		facts = append(facts, fact{"refresh", clockTime(now, a.RetryAt), "tried again in " + v.f.countdown(a.RetryAt)})
	case a.State.NeedsPerson(), a.RefreshAt.IsZero():
		facts = append(facts, fact{"refresh", "none planned", ""})
	case !a.RefreshAt.After(now):
		facts = append(facts, fact{"refresh", clockTime(now, a.RefreshAt), "due now"})
	default:
		facts = append(facts, fact{"refresh", clockTime(now, a.RefreshAt), "in " + v.f.countdown(a.RefreshAt)})
	}
	return append(facts, clockFacts(v.own)...)
}

// timeFact writes an instant by the stack's clock in this machine's zone and in UTC.
func timeFact(label string, t time.Time, note string) fact {
	if t.IsZero() {
		return fact{label, "unknown", ""}
	}
	const layout = "2006-01-02 15:04:05"
	local := t.Local()
	if _, offset := local.Zone(); offset == 0 {
		return fact{label, t.UTC().Format(layout) + " UTC", note}
	}
	return fact{label, local.Format(layout+" MST") + "\n" + t.UTC().Format(layout) + " UTC", note}
}

func (f *frame) untilWords(t time.Time) string {
	if !t.After(f.now) {
		return age(f.now, t)
	}
	return f.countdown(t) + " left"
}

// clockFacts tell of the stack's clock when it is not this machine's.
func clockFacts(in *inspected) []fact {
	if in == nil {
		return nil
	}
	var facts []fact
	switch {
	case in.ahead > 0:
		facts = append(facts, fact{"stack's clock", span(in.ahead) + " ahead of this machine's", ""})
	case in.ahead < 0:
		facts = append(facts, fact{"stack's clock", span(-in.ahead) + " behind this machine's", ""})
	}
	return facts
}

// userFacts tell whose token it is. in and the account may be missing, not both.
func userFacts(in *inspected, a session.Account) []fact {
	user, tenant, purpose, admin := a.UserUUID, a.TenantUUID, a.Purpose, a.Admin
	pbx := ""
	if in != nil {
		user, tenant, purpose, pbx = in.AuthID, in.Metadata.TenantUUID, in.Metadata.Purpose, in.Metadata.PBXUserUUID
		if in.Metadata.Admin != nil {
			admin = *in.Metadata.Admin
		}
	}
	var facts []fact
	if a.Login != "" {
		facts = append(facts, fact{"login", a.Login, ""})
	}
	if user != "" {
		facts = append(facts, fact{"user", user, ""})
	}
	if tenant != "" {
		facts = append(facts, fact{"tenant", tenant, ""})
	}
	switch {
	case purpose == "" && in == nil:
	case purpose == "":
		facts = append(facts, fact{"purpose", "not told", "as in tokens sent by mail"})
	default:
		note := ""
		if admin {
			note = "administrator of its tenant"
		}
		facts = append(facts, fact{"purpose", purpose, note})
	}
	if pbx != "" && pbx != user {
		facts = append(facts, fact{"PBX user", pbx, ""})
	}
	return facts
}

// originFacts tell where the account's token comes from.
func (v *inspector) originFacts(a session.Account) []fact {
	facts := []fact{{"stack", hostOf(a), trustWord(a)}}
	facts = append(facts, madeFacts(v.own)...)
	if a.ClientID != "" {
		facts = append(facts, fact{"client_id", a.ClientID, "signed in " + age(v.f.now, a.SignedInAt)})
	}
	return facts
}

// madeFacts are what the stack noted down when it made the token.
func madeFacts(in *inspected) []fact {
	if in == nil {
		return nil
	}
	var facts []fact
	if in.StackUUID != "" {
		facts = append(facts, fact{"stack uuid", in.StackUUID, ""})
	}
	from, agent := in.RemoteAddr, in.UserAgent
	if from == "" {
		from = "an unknown address"
	}
	if agent == "" {
		agent = "not told"
	}
	facts = append(facts, fact{"asked from", from, ""}, fact{"user agent", agent, ""})
	if in.LocalExpiresAt != "" {
		facts = append(facts, fact{"stack's time", in.LocalIssuedAt, "to " + in.LocalExpiresAt})
	}
	return facts
}
