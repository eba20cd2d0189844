package ui

import (
	"context"
	"fmt"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
)

// askRevoke lists the sessions first, as the confirmation offers to end those that are not ours.
func (v *refreshTokens) askRevoke(rows []tokenRow) tea.Cmd {
	mgr, sc := v.f.mgr, v.scope
	v.f.jobs.drop(v.asking)
	var cmd tea.Cmd
	v.asking, cmd = ask(v.f, "listing the sessions", func(ctx context.Context) ([]api.Session, error) {
		return sc.sessions(ctx, mgr)
	}, func(sessions []api.Session, err error) tea.Cmd {
		v.f.push(v.confirmRevoke(rows, sessions, err))
		return nil
	})
	return cmd
}

// confirmRevoke says exactly what will happen, and what will not.
func (v *refreshTokens) confirmRevoke(rows []tokenRow, sessions []api.Session, failed error) *confirm {
	r := &revocation{f: v.f, mgr: v.f.mgr, scope: v.scope, where: hostOf(v.acc), known: map[string]bool{}}
	r.over = func(res result, _ *leftovers) tea.Cmd { return v.revoked(r.scope, res) }
	c := &confirm{f: v.f, no: "Keep", harm: true}
	users := map[string]bool{}
	others, own := 0, []tokenRow{}
	for _, t := range rows {
		it := confirmItem{cutMiddle(t.name, 44), v.itemNote(t)}
		if t.never {
			c.kept = append(c.kept, confirmItem{it.name, "can't be revoked"})
			continue
		}
		c.items = append(c.items, it)
		r.tokens = append(r.tokens, &target{name: t.name, user: t.UserUUID, clientID: t.ClientID})
		users[t.UserUUID] = true
		if t.UserUUID != v.scope.user {
			others++
		}
		if t.whose.ours() {
			own = append(own, t)
		}
	}
	n := len(r.tokens)
	if n == 0 {
		return v.confirmNever(c, rows)
	}
	whom := v.acc.Login
	if others > 0 {
		whom = plural(len(users), "user")
	}
	c.heading = fmt.Sprintf("Revoke %s of %s on %s", plural(n, "refresh token"), whom, hostOf(v.acc))
	c.yes = "Revoke " + plural(n, "token")
	strangers := v.strangers(sessions, users)
	for _, s := range sessions {
		r.known[s.UUID] = true
	}
	if failed != nil {
		r.known = nil
	}
	v.offerSessions(c, n, strangers)
	c.text = v.consequences(n, own, len(strangers), failed)
	if len(c.kept) > 0 {
		for _, t := range rows {
			if t.never {
				c.text = append(c.text, whatHelps(cutMiddle(t.name, 44), t.why, t.never))
				break
			}
		}
	}
	if others > 0 || len(own) > 0 {
		c.word = "revoke"
	}
	c.then = func(also bool) tea.Cmd {
		if also {
			r.sessions = v.stillStrange(strangers)
		}
		v.list.do(actUnmark)
		return r.run()
	}
	return c
}

// itemNote is what tells a refresh token from the others in a confirmation.
func (v *refreshTokens) itemNote(t tokenRow) string {
	note := "made " + age(v.f.now, t.CreatedAt) + ", " + v.whoseText(t)
	if t.whose == whoseOther || t.whose == whoseOtherNew {
		note = "made " + age(v.f.now, t.CreatedAt)
	}
	if v.scope.everyone {
		note = "of " + cut(t.user, 20) + ", " + note
	}
	return note
}

// confirmNever says that there is nothing to try, and what helps.
func (v *refreshTokens) confirmNever(c *confirm, rows []tokenRow) *confirm {
	c.heading, c.no = "Can't be revoked", "Close"
	c.text = []string{whatHelps("It", rows[0].why, rows[0].never)}
	return c
}

// strangers are the listed sessions of the users that no account of this machine opened.
func (v *refreshTokens) strangers(sessions []api.Session, users map[string]bool) []*target {
	ours := ownersOf(v.f.accounts, v.acc.Stack).sessions
	var out []*target
	for _, s := range sessions {
		if _, own := ours[s.UUID]; !own && users[s.UserUUID] {
			out = append(out, &target{name: "session " + clean(s.UUID), user: s.UserUUID, session: s.UUID})
		}
	}
	return out
}

// stillStrange leaves out the sessions that turned out to be ours while the confirmation was on
// the screen: a refresh that was under way when they were listed has opened them.
func (v *refreshTokens) stillStrange(targets []*target) []*target {
	accounts := v.f.accounts
	if v.f.mgr != nil {
		accounts = v.f.mgr.Accounts()
	}
	ours := ownersOf(accounts, v.acc.Stack).sessions
	var out []*target
	for _, t := range targets {
		if _, own := ours[t.session]; !own {
			out = append(out, t)
		}
	}
	return out
}

// offerSessions puts the further choice into the confirmation. Of one's own user it is ticked:
// whoever has the refresh token has made access tokens from it.
func (v *refreshTokens) offerSessions(c *confirm, n int, strangers []*target) {
	if len(strangers) == 0 {
		return
	}
	for _, t := range strangers {
		note := "session, not ours"
		if v.scope.everyone {
			note = "session of " + cut(v.userName(t.user), 20)
		}
		c.also = append(c.also, confirmItem{t.session, note})
	}
	is := "sessions that are"
	if len(strangers) == 1 {
		is = "session that is"
	}
	c.check = fmt.Sprintf("also revoke the %s %s not ours", number(len(strangers)), is)
	if len(strangers) == 1 {
		c.check = "also revoke the one " + is + " not ours"
	}
	c.yesAlso = "Revoke " + plural(n, "token") + ", " + plural(len(strangers), "session")
	c.checked = !v.scope.everyone
}

// consequences are the paragraphs of the confirmation.
func (v *refreshTokens) consequences(n int, own []tokenRow, strangers int, failed error) []string {
	it, them := "it", "it"
	if n > 1 {
		it, them = "they", "them"
	}
	until := clockTime(v.f.now, v.f.now.Add(usualLifetime))
	text := []string{fmt.Sprintf(
		"From now on %s can make no access token. Those already made from %s live until they expire: with the usual lifetime at %s at the latest.",
		it, them, until)}
	switch {
	case failed != nil:
		text = append(text, "Which sessions there are could not be asked, so none is revoked: "+clean(failed.Error())+".")
	case strangers > 0:
		text = append(text, "Revoking a session ends its access token at once. No stack tells which session came from which refresh token: a client whose refresh token stays comes back by itself.")
	}
	for _, t := range own {
		text = append(text, "! "+cutMiddle(t.name, 40)+" is this machine's own: the account "+t.account+" can't refresh any more."+v.endOf(t.account))
	}
	return append(text, "Passwords stay as they are: whoever knows one can sign in again.")
}

// endOf says until when an account that loses its refresh token goes on.
func (v *refreshTokens) endOf(name string) string {
	for _, a := range v.f.accounts {
		if a.Name == name && a.ExpiresAt.After(v.f.now) {
			return " It ends with its access token at " + clockTime(v.f.now, a.ExpiresAt) + "."
		}
	}
	return ""
}
