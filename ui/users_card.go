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

// userCard is a dialog with all that hangs on a user. Each refresh token and session can be revoked there, each group and
// policy be taken away.
type userCard struct {
	f      *frame
	v      *users
	scope  scope
	d      session.UserDetails
	loaded bool
	err    error
	job    jobID
	list   grouped
	things [][]func() tea.Cmd // what x does, by group and item
	result result
}

const (
	actRevokeAll action = "revoke everything"
	// cardCells is how wide the card is.
	cardCells = 76
)

// openUserCard shows a user.
func openUserCard(v *users, u api.User) tea.Cmd {
	c := &userCard{f: v.f, v: v, scope: v.scope, d: session.UserDetails{User: u}, list: newGrouped(v.f)}
	v.f.push(c)
	return c.load()
}

func (c *userCard) title() string { return userName(c.d.User) }
func (c *userCard) typing() bool  { return false }

func (c *userCard) bindings() []binding {
	bs := []binding{
		{action: actCancel, keys: []string{"esc", "q", "enter"}, show: "esc", short: "close"},
	}
	if g, _, ok := c.list.at(); ok {
		word, name := "revoke this", "Revoke this token or session"
		if g >= 2 {
			word, name = "take this away", "Take this group or policy away"
		}
		bs = append(bs, binding{action: actRevoke, keys: []string{"x"}, short: word, name: name})
	}
	if len(c.d.Tokens)+len(c.d.Sessions) > 0 {
		bs = append(bs, binding{action: actRevokeAll, keys: []string{"X"}, short: "all tokens and sessions", name: "Revoke all tokens and sessions"})
	}
	return append(
		bs,
		binding{action: actEdit, keys: []string{"e"}, short: "edit", name: "Edit the user"},
		binding{action: actSetPassword, keys: []string{"p"}, short: "password", name: "Set the password"},
		binding{action: actEmails, keys: []string{"m"}, short: "e-mails", name: "Change the e-mails"},
		binding{action: actReload, keys: []string{"r"}, short: "again", name: "Ask the stack again"},
		binding{action: actDown, keys: []string{"down", "j"}, show: "↑↓", short: "move"},
		binding{action: actUp, keys: []string{"up", "k"}},
		binding{action: actPageDown, keys: []string{"pgdown"}},
		binding{action: actPageUp, keys: []string{"pgup"}},
	)
}

// fit tells the list how many lines it has.
func (c *userCard) fit() {
	w, h := boxRoom(c.f.w, c.f.h)
	c.list.layout(max(1, h-len(c.head(min(w, cardCells)))))
}

func (c *userCard) do(a action) tea.Cmd {
	c.fit()
	switch a {
	case actCancel:
		c.leave()
	case actReload:
		c.result = result{}
		return c.load()
	case actRevoke:
		if g, i, ok := c.list.at(); ok {
			return c.things[g][i]()
		}
	case actRevokeAll:
		return c.askAll()
	case actEdit, actSetPassword, actEmails:
		c.leave()
		switch a {
		case actEdit:
			return c.v.edit(c.d.User)
		case actSetPassword:
			return c.v.setPassword(c.d.User)
		}
		return c.v.editEmails(c.d.User)
	default:
		c.list.do(a)
	}
	return nil
}

func (c *userCard) leave() {
	c.f.jobs.drop(c.job)
	c.f.close(c)
}

func (c *userCard) update(msg tea.Msg) tea.Cmd {
	switch m := msg.(type) {
	case wheelMsg:
		c.list.update(m)
	case clickMsg:
		w, _ := boxRoom(c.f.w, c.f.h)
		m.y -= len(c.head(min(w, cardCells)))
		c.list.update(m)
	}
	return nil
}

// load asks the stack for everything about the user.
func (c *userCard) load() tea.Cmd {
	c.f.jobs.drop(c.job)
	mgr, sc, user := c.f.mgr, c.scope, c.d.User
	var cmd tea.Cmd
	c.job, cmd = start(c.f, "reading "+userName(user), func(ctx context.Context) (session.UserDetails, error) {
		return mgr.UserDetails(ctx, sc.acc, user.UUID)
	}, func(d session.UserDetails, err error) tea.Cmd {
		if c.err = err; err != nil {
			return nil
		}
		if d.Missing["user"] != "" {
			d.User = user
		}
		c.d, c.loaded = d, true
		c.fill()
		return nil
	})
	return cmd
}

// fill puts what the stack tells into the list.
func (c *userCard) fill() {
	tokens, sessions := c.v.ours(c.d.User)
	c.things = nil
	var groups []group
	add := func(title, part string, n int, one func(i int) (item, func() tea.Cmd)) {
		g := group{title: title}
		do := make([]func() tea.Cmd, n)
		if p := clean(c.d.Missing[part]); p != "" {
			g.title += ": missing permission"
			g.items = []item{{text: p, shape: shapeDanger, bad: true}}
			do = []func() tea.Cmd{func() tea.Cmd { c.v.lacks("read that", p); return nil }}
		}
		for i := range n {
			var it item
			it, do[i] = one(i)
			g.items = append(g.items, it)
		}
		groups, c.things = append(groups, g), append(c.things, do)
	}
	slices.SortStableFunc(c.d.Tokens, func(a, b api.RefreshToken) int { return b.CreatedAt.Compare(a.CreatedAt) })
	add("Refresh tokens", "tokens", len(c.d.Tokens), func(i int) (item, func() tea.Cmd) {
		t := c.d.Tokens[i]
		it := item{text: shortText(t.ClientID), note: "made " + age(c.f.now, t.CreatedAt)}
		if own := tokens[t.ClientID]; own != "" {
			it.note = "account " + own + " of this machine"
		} else if why := revocable(unrevokable(t.ClientID, c.v.acc.Admin)); why != "" {
			it.note, it.bad = why, true
		}
		return it, func() tea.Cmd { return c.askToken(t, tokens[t.ClientID]) }
	})
	add("Sessions", "sessions", len(c.d.Sessions), func(i int) (item, func() tea.Cmd) {
		s := c.d.Sessions[i]
		it := item{text: clean(s.UUID)}
		if own := sessions[s.UUID]; own != "" {
			it.note = "account " + own + " of this machine"
		}
		return it, func() tea.Cmd { return c.askSession(s, sessions[s.UUID]) }
	})
	mgr, acc, u := c.f.mgr, c.scope.acc, c.d.User
	add("Groups", "groups", len(c.d.Groups), func(i int) (item, func() tea.Cmd) {
		g := c.d.Groups[i]
		it := item{text: shortText(g.Name)}
		if g.SystemManaged || g.ReadOnly {
			it.note = "the stack's own"
		}
		return it, func() tea.Cmd {
			return c.askTake("group", shortText(g.Name), func(ctx context.Context) error { return mgr.LeaveGroup(ctx, acc, u, g) })
		}
	})
	add("Policies", "policies", len(c.d.Policies), func(i int) (item, func() tea.Cmd) {
		p := c.d.Policies[i]
		return item{text: shortText(p.Name), note: plural(len(p.ACL), "permission")}, func() tea.Cmd {
			return c.askTake("policy", shortText(p.Name), func(ctx context.Context) error { return mgr.LosePolicy(ctx, acc, u, p) })
		}
	})
	c.list.set(groups)
	c.fit()
}

// held says that something is this machine's own, which is left alone here.
func (c *userCard) held(what, account string) tea.Cmd {
	c.f.push(newNotice(c.f, "Left alone", fmt.Sprintf("The account %s of this machine holds %s; sign it out properly%s", account, what, c.f.hint(": press 1, then L"))))
	return nil
}

// strangers are the sessions that this machine did not open.
func (c *userCard) strangers() []string {
	_, ours := c.v.ours(c.d.User)
	var list []string
	for _, s := range c.d.Sessions {
		if ours[s.UUID] == "" {
			list = append(list, s.UUID)
		}
	}
	return list
}

func (c *userCard) askToken(t api.RefreshToken, own string) tea.Cmd {
	if own != "" {
		return c.held("this refresh token", own)
	}
	if why, never := unrevokable(t.ClientID, c.v.acc.Admin); never {
		c.f.push(newNotice(c.f, "Can't be revoked", whatHelps(cutMiddle(shortText(t.ClientID), 44), why, never)))
		return nil
	}
	n := len(c.strangers())
	d := &confirm{f: c.f, heading: "Revoke a refresh token of " + userName(c.d.User), yes: "Revoke", no: "Keep", harm: true}
	d.items = []confirmItem{{cutMiddle(shortText(t.ClientID), 44), "made " + age(c.f.now, t.CreatedAt)}}
	d.text = []string{"From now on it can make no access token. Access tokens already made from it live until they expire, at the latest " +
		clockTime(c.f.now, c.f.now.Add(usualLifetime)) + " if made with the usual lifetime."}
	if n > 0 {
		d.check, d.checked = "also end the "+plural(n, "session")+" of the user", true
		d.yesAlso = "Revoke, end " + plural(n, "session")
		d.text = append(d.text, "Which session was made from it nobody is told; a client whose refresh token stays comes back by itself.")
	}
	d.then = func(also bool) tea.Cmd {
		return c.end(session.Ending{Tokens: true, ClientIDs: []string{t.ClientID}, Sessions: also, UUIDs: c.strangers()})
	}
	c.f.push(d)
	return nil
}

func (c *userCard) askSession(s api.Session, own string) tea.Cmd {
	if own != "" {
		return c.held("this session", own)
	}
	d := &confirm{f: c.f, heading: "Revoke a session of " + userName(c.d.User), yes: "Revoke", no: "Keep", harm: true}
	d.items = []confirmItem{{clean(s.UUID), ""}}
	d.text = []string{"Its access token ends at once. A client that has a refresh token comes back at its next refresh: revoke that, too."}
	d.then = func(bool) tea.Cmd { return c.end(session.Ending{Sessions: true, UUIDs: []string{s.UUID}}) }
	c.f.push(d)
	return nil
}

// askAll signs the user out everywhere.
func (c *userCard) askAll() tea.Cmd {
	d := &confirm{f: c.f, heading: "Sign " + userName(c.d.User) + " out everywhere", yes: "Revoke all", no: "Keep", harm: true, word: "revoke"}
	tokens, sessions := c.v.ours(c.d.User)
	stuck := ""
	for _, t := range c.d.Tokens {
		it := confirmItem{cutMiddle(shortText(t.ClientID), 44), "refresh token, made " + age(c.f.now, t.CreatedAt)}
		if own := tokens[t.ClientID]; own != "" {
			d.kept = append(d.kept, confirmItem{it.name, "stays: of this machine's account " + own})
			continue
		}
		if why, never := unrevokable(t.ClientID, c.v.acc.Admin); never {
			d.kept = append(d.kept, confirmItem{it.name, revocable(why, never)})
			stuck = whatHelps(it.name, why, never)
			continue
		}
		d.items = append(d.items, it)
	}
	for _, s := range c.d.Sessions {
		if own := sessions[s.UUID]; own != "" {
			d.kept = append(d.kept, confirmItem{clean(s.UUID), "stays: of this machine's account " + own})
			continue
		}
		d.items = append(d.items, confirmItem{clean(s.UUID), "session"})
	}
	if len(d.items) == 0 {
		d.heading, d.yes, d.no, d.word = "Nothing to revoke", "", "Close", ""
	}
	d.text = []string{"Its password stays as it is: whoever knows it can sign in again" + c.f.hint(" (p sets another)") + "."}
	if stuck != "" {
		d.text = append(d.text, stuck)
	}
	d.then = func(bool) tea.Cmd { return c.end(session.Ending{Tokens: true, Sessions: true}) }
	c.f.push(d)
	return nil
}

// end revokes, and says what is proven to be over. It goes on when the card is closed.
func (c *userCard) end(what session.Ending) tea.Cmd {
	mgr, sc, u := c.f.mgr, c.scope, c.d.User
	_, cmd := start(c.f, "revoking what "+userName(u)+" has", func(ctx context.Context) (session.Ended, error) {
		return mgr.EndAccess(ctx, sc.acc, u, what)
	}, func(e session.Ended, err error) tea.Cmd {
		if err != nil {
			return c.f.fail("not revoked", err)
		}
		c.result = c.v.withEnded(c.outcome(e), session.Ended{Left: e.Left})
		if len(e.Left) > 0 {
			var texts []string
			for _, err := range e.Left {
				texts = append(texts, err.Error())
			}
			c.f.push(newNotice(c.f, "Not ended", strings.Join(texts, ". ")))
		}
		if !slices.Contains(c.f.dialogs, dialog(c)) {
			return c.f.say(c.result.kind, c.result.text)
		}
		return c.load()
	})
	return cmd
}

// outcome puts into words what the stack lists no more.
func (c *userCard) outcome(e session.Ended) string {
	host := hostOf(c.v.acc)
	var parts []string
	switch n := len(e.Tokens); n {
	case 0:
	case 1:
		parts = append(parts, cutMiddle(shortText(e.Tokens[0]), 40)+" is gone: "+host+" lists it no more")
	default:
		parts = append(parts, plural(n, "refresh token")+" are gone: "+host+" lists them no more")
	}
	if n := len(e.Sessions); n > 0 {
		parts = append(parts, plural(n, "session")+" ended")
	}
	if e.Kept > 0 {
		parts = append(parts, "what this machine holds was left alone")
	}
	if len(parts) == 0 {
		return "nothing was revoked"
	}
	return strings.Join(parts, "; ")
}

// head are the lines above the list.
func (c *userCard) head(w int) []string {
	s, u := c.f.st, c.d.User
	shape, st := s.enabledLook(u.Enabled)
	r := rowOfUser(u)
	lines := []string{spread(s.strong.Render(cut(strings.TrimSpace(r.first+" "+r.last), w-12)), st.Render(shape+" "+enabledWord(u.Enabled)), w)}
	facts := []string{r.purpose}
	if r.method != "" {
		facts = append(facts, "signs in "+methodWords(r.method))
	}
	facts = append(facts, "tenant "+c.v.tenantName(u.TenantUUID))
	lines = append(lines, s.muted.Render(cut(strings.Join(facts, ", "), w)), s.muted.Render(cut(clean(u.UUID), w)))
	for _, e := range u.Emails {
		lines = append(lines, s.text.Render(cut(emailLine(e), w)))
	}
	if c.result.text != "" {
		shape, st := c.result.kind.look(s)
		for i, l := range head(wrap(c.result.text, max(1, w-2)), 3) {
			mark := "  "
			if i == 0 {
				mark = st.Render(shape) + " "
			}
			lines = append(lines, mark+toastText(s, c.result.kind).Render(l))
		}
	}
	return append(lines, "")
}

func (c *userCard) view(w, h int) []string {
	s := c.f.st
	w = min(w, cardCells)
	lines := c.head(w)
	room := h - len(lines)
	switch {
	case c.err != nil:
		what, next := advice(clean(c.err.Error()))
		lines = append(lines, paragraph(s.bad, what, w)...)
		lines = append(lines, paragraph(s.muted, next, w)...)
	case !c.loaded:
		lines = append(lines, s.muted.Render(cut("Asking "+hostOf(c.v.acc)+" for its tokens, sessions, groups and policies…", w)))
	case room > 0:
		lines = append(lines, strings.Split(c.list.view(w, min(room, len(c.list.rows)), true), "\n")...)
	}
	return head(lines, h)
}
