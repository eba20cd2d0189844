package ui

import (
	"context"
	"errors"
	"strings"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
)

// verdict is an answer to "may this token do X?".
type verdict int

const (
	verdictNone verdict = iota
	verdictYes
	verdictNo
	verdictDead // the stack no longer knows the token
	verdictFail // it could not be asked
)

// mayDialog answers "may this token do X?": by the token's list while one types, and by the
// stack on enter.
type mayDialog struct {
	v    *inspector
	in   *inspected
	name string
	text input
	job  jobID

	asked  string // what the stack was asked last
	answer verdict
	why    string // of verdictFail
}

// openMay asks about what the cursor is on, to begin with.
func (v *inspector) openMay() tea.Cmd {
	in := v.told()
	if in == nil {
		return nil
	}
	d := &mayDialog{v: v, in: in, name: v.nameOfShown()}
	if it, ok := v.list.selected(); ok && v.onList && !strings.HasPrefix(it.text, "!") {
		d.text.set(it.text)
	}
	v.f.push(d)
	return nil
}

func (d *mayDialog) title() string { return "May the token of " + d.name + " do this?" }
func (d *mayDialog) typing() bool  { return true }

func (d *mayDialog) bindings() []binding {
	return []binding{
		{action: actChoose, keys: []string{"enter"}, short: "ask the stack"},
		{action: actCancel, keys: []string{"esc"}, short: "close"},
	}
}

// required is the permission that is asked about.
func (d *mayDialog) required() string { return strings.TrimSpace(d.text.value()) }

func (d *mayDialog) do(a action) tea.Cmd {
	switch a {
	case actCancel:
		d.v.f.jobs.drop(d.job)
		d.v.f.close(d)
	case actChoose:
		if d.required() != "" {
			return d.ask()
		}
	}
	return nil
}

func (d *mayDialog) update(msg tea.Msg) tea.Cmd {
	if k, ok := msg.(tea.KeyPressMsg); ok {
		if a, ok := matching(d.bindings(), k); ok {
			return d.do(a)
		}
	}
	d.text.update(msg)
	if d.required() != d.asked { // the answer is to another question
		d.v.f.jobs.drop(d.job)
		d.asked, d.answer = "", verdictNone
	}
	return nil
}

// ask asks the stack.
func (d *mayDialog) ask() tea.Cmd {
	d.v.f.jobs.drop(d.job)
	if now := d.v.told(); now != nil {
		d.in = now // refreshed while the box was open
	}
	required, mgr := d.required(), d.v.f.mgr
	d.asked, d.answer = required, verdictNone
	if d.v.pasted != nil && d.v.pasted.kind == pastedRefresh {
		d.answer = verdictDead // it was revoked at once
		return nil
	}
	id, cmd := ask(d.v.f, "asking the stack", func(ctx context.Context) (struct{}, error) {
		c, err := mgr.Client(d.in.account)
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, c.CheckToken(ctx, d.in.Value, required, "")
	}, func(_ struct{}, err error) tea.Cmd {
		d.job = 0
		switch {
		case err == nil:
			d.answer = verdictYes
		case errors.Is(err, api.ErrPermission):
			d.answer = verdictNo
		case errors.Is(err, api.ErrTokenDead):
			d.answer = verdictDead
		default:
			d.answer, d.why = verdictFail, clean(err.Error())
		}
		return nil
	})
	d.job = id
	return cmd
}

// byList is what the token's own list says, by the grammar of contract 2, and the entries that
// decide.
func (d *mayDialog) byList(required string) (verdict, []string) {
	deciding := api.Matching(d.in.ACL, required, d.in.AuthID, d.in.SessionUUID)
	if api.Allows(d.in.ACL, required, d.in.AuthID, d.in.SessionUUID) {
		return verdictYes, deciding
	}
	return verdictNo, deciding
}

const mayLabel = 13

func (d *mayDialog) view(w, _ int) []string {
	s := d.v.f.st
	w = min(w, 76)
	room := max(1, w-mayLabel)
	row := func(label string, text ...string) []string {
		lines := make([]string, 0, len(text))
		for i, t := range text {
			if i > 0 {
				label = ""
			}
			lines = append(lines, s.muted.Render(fit(label, mayLabel))+cut(t, room))
		}
		return lines
	}
	lines := append(row("permission", d.text.view(s, room, true, "auth.users.me.sessions.read")), "")
	required := d.required()
	if required == "" {
		for _, l := range wrap("Words with dots between them. * and # in the list stand for any word and for anything; a leading ! denies, and wins.", w) {
			lines = append(lines, s.muted.Render(l))
		}
		return lines
	}
	local, deciding := d.byList(required)
	lines = append(lines, row("by its list", d.listWords(local, deciding, room)...)...)
	lines = append(lines, row("the stack", d.stackWords(room)...)...)
	if d.differs(local) {
		lines = append(append(lines, ""), hang(s.warn, shapeAlarm, "The two differ, and the stack's word counts. "+
			"It may read its permissions in another way than wakey, or something between here and the stack answers in its place.", w)...)
	}
	return lines
}

// differs tells whether the stack says something else than the list.
func (d *mayDialog) differs(local verdict) bool {
	return (d.answer == verdictYes || d.answer == verdictNo) && d.answer != local
}

// listWords gives at most three of the entries that decide.
func (d *mayDialog) listWords(local verdict, deciding []string, w int) []string {
	s := d.v.f.st
	if local == verdictNo && len(deciding) == 0 {
		return []string{verdictWord(s, verdictNo) + s.muted.Render("  no entry speaks of it")}
	}
	var lines []string
	lead := "  granted by "
	if local == verdictNo {
		lead = "  denied by "
	}
	first := verdictWord(s, local)
	for i, entry := range deciding {
		if i == 3 {
			lines = append(lines, blanks(width(first)+width(lead))+s.muted.Render("and "+number(len(deciding)-i)+" more"))
			break
		}
		word := first + s.muted.Render(lead)
		if i > 0 {
			word = blanks(width(first) + width(lead))
		}
		lines = append(lines, word+cut(tidy(entry), max(1, w-width(first)-width(lead))))
	}
	return lines
}

func (d *mayDialog) stackWords(w int) []string {
	s := d.v.f.st
	switch d.answer {
	case verdictYes, verdictNo:
		return []string{verdictWord(s, d.answer)}
	case verdictDead:
		return []string{s.warn.Render("? the token is over: expired or revoked")}
	case verdictFail:
		return hang(s.bad, shapeDanger, d.why, w)
	case verdictNone:
	}
	if d.asked != "" {
		return []string{s.muted.Render("is being asked…")}
	}
	return []string{s.key.Render("enter") + s.muted.Render(" asks "+d.host())}
}

func (d *mayDialog) host() string {
	a, _ := d.v.f.account(d.in.account)
	return hostOf(a)
}

func verdictWord(s *styles, x verdict) string {
	if x == verdictYes {
		return s.good.Render("✓ yes")
	}
	return s.bad.Render(shapeDanger + " no ")
}
