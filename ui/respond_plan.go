package ui

import (
	"context"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
	"wakey/session"
)

func (r *respond) planBindings() []binding {
	bs := []binding{
		{action: actChoose, keys: []string{"enter"}, short: "press", name: "Press the button"},
		{action: actRight, keys: []string{"right", "l"}, show: "←→", short: "choose", name: "Other button", moving: true},
		{action: actLeft, keys: []string{"left", "h"}},
	}
	if t := r.page.token(); t != nil {
		word := "keep it"
		if slices.ContainsFunc(r.plan.Keep, sameToken(t)) {
			word = "revoke it"
		}
		bs = append(bs, binding{action: actKeepIt, keys: []string{"space"}, short: word, name: "Keep this one, or revoke it"})
	}
	bs = append(bs, binding{action: actPassword, keys: []string{"p"}, short: "password", name: "Change the password too, or don't"})
	if r.cut != nil {
		bs = append(bs, binding{action: actResume, keys: []string{"R"}, short: "go on with the earlier one", name: "Go on with the one that was cut off"})
	}
	bs = append(bs,
		binding{action: actStolen, keys: []string{"t"}, short: "stolen token", name: "Give the stolen refresh token, to be tried in the end"},
		binding{action: actNothing, keys: []string{"S"}, short: "it was me", name: "It was me: what was noticed has been seen"},
		binding{action: actReload, keys: []string{"r"}, name: "List again"})
	if r.acc.Admin {
		bs = append(bs, binding{action: actRespondAll, keys: []string{"e"}, short: "everyone", name: "Everyone in the tenant, or this user alone"})
	}
	return bs
}

func (r *respond) planDo(a action) tea.Cmd {
	switch a {
	case actLeft, actRight:
		r.onYes = !r.onYes
	case actChoose:
		if !r.onYes {
			return r.f.open(r.f.shown)
		}
		return r.begin()
	case actKeepIt:
		r.turn(r.page.token())
	case actPassword:
		r.plan.ChangePassword = !r.plan.ChangePassword
		r.page.stale = true
	case actRespondAll:
		r.tenant = !r.tenant
		return r.look(nil)
	case actNothing:
		return r.itWasMe()
	default:
		return r.f.do(a)
	}
	return nil
}

// turn moves a refresh token between those that are revoked and those that stay.
func (r *respond) turn(t *session.PlannedToken) {
	if t == nil {
		return
	}
	moved, p := *t, r.plan
	same := sameToken(&moved)
	if slices.ContainsFunc(p.Keep, same) {
		moved.Why = "you want it revoked"
		p.Keep = slices.DeleteFunc(p.Keep, same)
		p.Revoke = append(p.Revoke, moved)
	} else {
		moved.Why = "you keep it"
		p.Revoke = slices.DeleteFunc(p.Revoke, same)
		p.Keep = append(p.Keep, moved)
	}
	r.page.stale = true
}

func sameToken(t *session.PlannedToken) func(session.PlannedToken) bool {
	return func(o session.PlannedToken) bool { return o.ClientID == t.ClientID && o.UserUUID == t.UserUUID }
}

// itWasMe says that a person has seen what was noticed, and that it is nobody else's doing.
func (r *respond) itWasMe() tea.Cmd {
	mgr, acc := r.f.mgr, r.acc
	_, cmd := start(r.f, "noting what was seen", func(context.Context) (struct{}, error) {
		return struct{}{}, mgr.Seen(acc.ID)
	}, func(_ struct{}, err error) tea.Cmd {
		if err != nil {
			return r.f.fail("the alarm stays", err)
		}
		return tea.Batch(r.f.open(r.f.shown), r.f.say(toastGood, "what was noticed of "+acc.Name+" counts as seen; label what is yours in the refresh tokens"))
	})
	return cmd
}

// askStolen asks for the value of a refresh token that somebody else has.
func (r *respond) askStolen() tea.Cmd {
	text := "If you know the value that was stolen, give it: in the end it is tried, and you see that it is dead. It is kept nowhere."
	if r.phase == respondOver {
		text = "It is tried with every client_id there was. If it still works you are told, and the session that this opened is closed at once."
	}
	r.f.push(&secretDialog{f: r.f, heading: "A stolen refresh token", labels: []string{"Its value"}, text: text, then: func(s api.Secret) tea.Cmd {
		switch {
		case s.IsZero():
			return nil
		case r.phase == respondOver:
			return r.tryStolen(s)
		}
		r.stolen = append(r.stolen, s)
		r.page.stale = true
		return nil
	}})
	return nil
}

// ends counts what the plan ends.
func (r *respond) ends() string {
	var parts []string
	for _, part := range []struct {
		n    int
		noun string
	}{{len(r.plan.Revoke), "refresh token"}, {len(r.plan.Sessions), "session"}} {
		if part.n > 0 {
			parts = append(parts, plural(part.n, part.noun))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return ": end " + strings.Join(parts, " and ")
}

// planPage lays the plan out. Everything that will be revoked stands there by its name: what does not is
// not touched.
func (r *respond) planPage(w int) []pageLine {
	p, s, now := r.plan, r.f.st, r.f.now
	var b pageBuilder
	b.s, b.w = s, w
	whom := r.acc.Login + " on " + hostOf(r.acc)
	if p.Tenant != "" {
		whom = "everyone in the tenant of " + r.acc.Login + ", " + plural(len(p.Users), "user") + " on " + hostOf(r.acc)
	}
	b.text(s.strong, "Somebody else has a token of "+whom+"?")
	b.text(s.text, "Nothing is changed yet. wakey will do this, in this order"+r.f.hint("; → enter begins")+".")
	if r.cut != nil {
		b.text(s.warn, "An earlier response was cut off, begun "+age(now, r.cut.Begun)+"."+r.f.hint(" R goes on with it; a new one does no harm either."))
	}
	r.planSteps(&b)
	user := func(uuid string) string {
		if p.Tenant == "" {
			return ""
		}
		return "of " + clean(p.UserName(uuid)) + ", "
	}
	token := func(shape string, t *session.PlannedToken, note string) {
		it := pageItem{shape: shape, harm: shape == shapeDanger, name: shortText(t.ClientID), note: user(t.UserUUID) + note}
		if shape != shapeAlarm {
			it.token = t
		}
		b.item(it)
	}

	if len(p.Revoke) > 0 {
		b.heading("Refresh tokens that end")
		for i := range p.Revoke {
			t := &p.Revoke[i]
			token(shapeDanger, t, "made "+age(now, t.CreatedAt)+", "+clean(t.Why))
		}
	}
	if len(p.Sessions) > 0 {
		b.heading("Sessions that end")
		b.muted("Nobody is told which session belongs to which client, so all but this machine's end. A client that is left alone comes back by itself.")
		for _, x := range p.Sessions {
			b.item(pageItem{shape: shapeDanger, harm: true, name: "session " + clean(x.UUID), note: strings.TrimSuffix(user(x.UserUUID), ", ")})
		}
	}
	if len(p.Rotate) > 0 {
		b.heading("Rotated: these end, and others take their place")
		for _, o := range p.Rotate {
			b.item(pageItem{shape: "↻", name: clean(o.ClientID), note: "the account " + clean(o.Name)})
		}
	}
	if kept := r.kept(); len(kept) > 0 {
		b.heading("Left alone")
		if risk := p.KeptAtRisk(); risk != "" {
			b.indented(s.warn, upper(risk)+". space revokes one; its device has to sign in again.")
		}
		for _, t := range kept {
			token("·", t, clean(t.Why))
		}
	}
	if len(p.Stuck) > 0 {
		b.heading("Can't be revoked, whoever tries")
		for i := range p.Stuck {
			t := &p.Stuck[i]
			token(shapeAlarm, t, "")
			b.indented(s.text, clean(t.Why)+". What helps: "+clean(t.Help)+".")
		}
	}
	r.planMissing(&b)
	return b.page()
}

// kept are the refresh tokens that stay; those of this machine are rotated.
func (r *respond) kept() []*session.PlannedToken {
	var kept []*session.PlannedToken
	for i := range r.plan.Keep {
		t := &r.plan.Keep[i]
		if !slices.ContainsFunc(r.plan.Rotate, func(o session.PlannedRotate) bool { return o.ClientID == t.ClientID }) {
			kept = append(kept, t)
		}
	}
	return kept
}

// planSteps are the steps in short: what they end stands below.
func (r *respond) planSteps(b *pageBuilder) {
	p, s := r.plan, r.f.st
	b.blank()
	counted := func(shape string, n int, noun, what, none string) {
		if n == 0 {
			b.item(pageItem{shape: shape, name: "revoke no " + noun, note: none})
			return
		}
		b.item(pageItem{shape: shape, name: "revoke " + plural(n, noun), note: what})
	}
	counted("1", len(p.Revoke), "refresh token", "can make no access token any more", "each is known, or this machine's")
	counted("2", len(p.Sessions), "session", "ends the access tokens at once", "all are this machine's")
	note := "needs the password; may be stolen too"
	if len(p.Rotate) == 0 {
		note = "there is none on this machine"
	}
	b.item(pageItem{shape: "3", name: "rotate our own refresh token", note: note})
	name := "[ ] change the password"
	note = r.f.hint("p ticks it; ") + "who knows it can sign in"
	if p.ChangePassword {
		name, note = "[x] change the password", r.f.hint("p unticks it")
	}
	b.item(pageItem{shape: "4", name: name, note: note})
	if p.PasswordKnown != "" {
		b.indented(s.warn, upper(clean(p.PasswordKnown))+": change it.")
	}
	b.item(pageItem{shape: "5", name: "list again until nothing is left", note: "asks about what is new, then proves"})
	for _, v := range r.stolen {
		b.item(pageItem{shape: " ", name: "try the stolen refresh token …" + v.Suffix(), note: "to see that it is dead"})
	}
}

// planMissing says what the user may not do.
func (r *respond) planMissing(b *pageBuilder) {
	missing := slices.DeleteFunc(slices.Clone(r.plan.Missing), func(permission string) bool {
		return !r.plan.ChangePassword && strings.HasSuffix(permission, ".password.update")
	})
	if len(missing) == 0 {
		return
	}
	b.heading("Permissions that " + r.acc.Login + " has not got: what needs them will fail")
	for _, permission := range missing {
		b.item(pageItem{shape: shapeAlarm, name: clean(permission), note: "ask an administrator of the stack for it"})
	}
}

// begin carries the plan out. For everyone in the tenant a word has to be typed first.
func (r *respond) begin() tea.Cmd {
	if r.plan.Tenant == "" {
		return r.run(r.plan, "")
	}
	c := &confirm{
		f: r.f, heading: "Sign out everyone in the tenant", yes: "Begin", no: "Not now", harm: true, word: "everyone",
		text: []string{fmt.Sprintf("This ends %s of %s, as listed. They have to sign in again, on every device.", strings.TrimPrefix(r.ends(), ": end "), plural(len(r.plan.Users), "user"))},
		then: func(bool) tea.Cmd { return r.run(r.plan, "") },
	}
	r.f.push(c)
	return nil
}
