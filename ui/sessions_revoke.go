package ui

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"wakey/session"
)

// askRevoke says exactly what will happen, and what will not.
func (v *sessions) askRevoke(rows []sessionRow) tea.Cmd {
	v.f.push(v.confirmRevoke(rows))
	return nil
}

func (v *sessions) confirmRevoke(rows []sessionRow) *confirm {
	r := &revocation{f: v.f, mgr: v.f.mgr, scope: v.scope, where: hostOf(v.acc)}
	r.over = func(res result, _ *leftovers) tea.Cmd { return v.revoked(r.scope, res) }
	c := &confirm{f: v.f, no: "Keep", harm: true}
	users := map[string]bool{}
	others := false
	var current []sessionRow
	var mine *target // our own access token's: it goes last, as the others are revoked with it
	for _, row := range rows {
		if row.strange {
			c.kept = append(c.kept, confirmItem{row.name, "of another user: left alone"})
			continue
		}
		c.items = append(c.items, confirmItem{row.name, v.itemNote(row)})
		users[row.UserUUID] = true
		others = others || row.UserUUID != v.scope.user
		t := &target{name: "session " + row.name, user: row.UserUUID, session: row.UUID}
		if row.current {
			current = append(current, row)
			r.current = append(r.current, row.holder)
		}
		if row.current && row.holder == v.acc.ID {
			mine = t
			continue
		}
		r.sessions = append(r.sessions, t)
	}
	if mine != nil {
		r.sessions = append(r.sessions, mine)
	}
	n := len(r.sessions)
	if n == 0 {
		c.heading, c.no = "Can't be revoked", "Close"
		c.text = []string{v.story(rows[0])}
		return c
	}
	whom := v.acc.Login
	if others {
		whom = plural(len(users), "user")
	}
	c.heading = fmt.Sprintf("Revoke %s of %s on %s", plural(n, "session"), whom, hostOf(v.acc))
	c.yes = "Revoke " + plural(n, "session")
	c.text = v.consequences(n, current)
	if others {
		c.word = "revoke"
	}
	c.then = func(bool) tea.Cmd {
		v.list.do(actUnmark)
		return r.run()
	}
	return c
}

func (v *sessions) itemNote(r sessionRow) string {
	note := v.whoseText(r)
	if r.account != "" {
		note = "account " + v.openedBy(r)
	}
	if v.scope.everyone && r.whose == whoseOther {
		note = "of " + cut(r.user, 20)
	}
	return note
}

// consequences are the paragraphs of the confirmation.
func (v *sessions) consequences(n int, current []sessionRow) []string {
	what := "Its access token ends"
	if n > 1 {
		what = "Their access tokens end"
	}
	text := make([]string, 0, 1+len(current))
	text = append(text, what+" at once. The refresh tokens stay: a client that has one comes back at its next refresh. "+
		"To lock a device out, revoke its refresh token too"+v.f.hint(" (press 3)")+".")
	for _, r := range current {
		s := "! The account " + r.account + " uses one of them now. Whatever has a copy of its access token stops working; "
		i := slices.IndexFunc(v.f.accounts, func(a session.Account) bool { return a.ID == r.holder })
		if i >= 0 && v.f.accounts[i].ClientID == "" {
			s += "it holds no refresh token, so it has to be signed in again."
		} else {
			s += "wakey refreshes it right after."
		}
		text = append(text, s)
	}
	return text
}
