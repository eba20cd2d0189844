package ui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
	"wakey/session"
)

// inspected is a token as a stack told of it, made fit for the screen.
type inspected struct {
	api.Token

	account session.ID    // whose stack told it
	life    lifetimeOf    // by this machine's clock
	ahead   time.Duration // how far the stack's clock is ahead of this machine's, in whole seconds
	groups  []group       // of its permissions
}

// inspect makes t fit for the screen. now is this machine's clock at the answer.
func inspect(id session.ID, t *api.Token, now time.Time) *inspected {
	in := &inspected{Token: *t, account: id, groups: byService(t.ACL)}
	for _, s := range []*string{
		&in.SessionUUID, &in.AuthID, &in.LocalIssuedAt, &in.LocalExpiresAt, &in.StackUUID, &in.RemoteAddr, &in.UserAgent,
		&in.Metadata.UUID, &in.Metadata.TenantUUID, &in.Metadata.PBXUserUUID, &in.Metadata.Purpose,
	} {
		*s = tidy(*s)
	}
	if !t.Date.IsZero() {
		in.ahead = t.Date.Sub(now.Truncate(time.Second)).Truncate(time.Second)
		if in.ahead.Abs() <= time.Second {
			in.ahead = 0 // the header knows whole seconds alone
		}
	}
	in.life = lifetimeOf{from: t.IssuedAt.Add(-in.ahead), until: t.ExpiresAt.Add(-in.ahead)}
	return in
}

// permissions are how many the token has.
func (in *inspected) permissions() int { return len(in.ACL) }

// sync asks the stack when the token that is to be shown is not the one that is.
func (v *inspector) sync() tea.Cmd {
	if v.f.screen() != screen(v) || v.pasted != nil {
		return nil
	}
	acc, ok := v.f.currentAccount()
	if !ok || acc.ID != v.account {
		v.reset()
		v.account = acc.ID
	}
	if acc.SessionUUID != v.asked {
		v.hide()
	}
	if !ok || v.f.mgr == nil || v.begun && acc.SessionUUID == v.asked || v.f.jobs.find(v.job) != nil {
		return nil
	}
	return v.load(acc)
}

// again asks the stack anew.
func (v *inspector) again() tea.Cmd {
	if cmd, ok := v.f.ready(); !ok {
		return cmd
	}
	if p := v.pasted; p != nil {
		if p.kind == pastedUnasked {
			return v.askPasted(p)
		}
		return nil
	}
	acc, ok := v.f.currentAccount()
	if !ok {
		return nil
	}
	return v.load(acc)
}

// load asks the stack about an account's token.
func (v *inspector) load(acc session.Account) tea.Cmd {
	v.f.jobs.drop(v.job)
	v.begun, v.asked, v.err = true, acc.SessionUUID, ""
	mgr := v.f.mgr
	id, cmd := ask(v.f, "asking "+hostOf(acc)+" about the token of "+acc.Name, func(ctx context.Context) (*inspected, error) {
		return tokenOf(ctx, mgr, acc.ID)
	}, v.loaded)
	v.job = id
	return cmd
}

// tokenOf asks the stack about an account's token, with a fresh one when it has to.
func tokenOf(ctx context.Context, mgr *session.Manager, id session.ID) (in *inspected, err error) {
	err = mgr.Do(ctx, id, func(ctx context.Context, c *api.Client, token api.Secret) error {
		t, err := c.GetToken(ctx, token)
		if err == nil {
			in = inspect(id, t, time.Now())
		}
		return err
	})
	return in, err
}

func (v *inspector) loaded(in *inspected, err error) tea.Cmd {
	v.job = 0
	if err != nil {
		v.own, v.err = nil, clean(err.Error())
		v.relist()
		return v.sync()
	}
	v.own = in
	v.relist()
	return v.sync()
}

// loading tells whether the stack is being asked about what is to be shown.
func (v *inspector) loading() bool {
	job := v.job
	if v.pasted != nil {
		job = v.pasted.job
	}
	return v.f.jobs.find(job) != nil
}

// told is the token that is shown, or nil when no stack told of it.
func (v *inspector) told() *inspected {
	if v.pasted != nil {
		return v.pasted.in
	}
	return v.own
}

// relist shows the list that belongs to what is shown.
func (v *inspector) relist() {
	in := v.told()
	switch {
	case v.cmp != nil:
		v.list.set(v.cmp.groups)
	case in != nil:
		v.list.set(in.groups)
	default:
		v.list.set(nil)
	}
}

// revealed tells whether the token is readable now. Under a dialog it is not.
func (v *inspector) revealed() bool {
	return !v.shown.IsZero() && v.f.now.Before(v.hideAt) && v.pasted == nil && len(v.f.dialogs) == 0
}

func (v *inspector) hide() {
	v.f.jobs.drop(v.showJob)
	v.shown, v.showJob = api.Secret{}, 0
}

// toggleReveal makes the token readable for a while, or masks it again.
func (v *inspector) toggleReveal(acc session.Account) tea.Cmd {
	if v.revealed() {
		v.hide()
		return nil
	}
	if cmd, ok := v.f.ready(); !ok {
		return cmd
	}
	v.hide()
	mgr := v.f.mgr
	id, cmd := start(v.f, "getting the token of "+acc.Name, func(ctx context.Context) (session.Access, error) {
		return mgr.Token(ctx, acc.ID, 0)
	}, func(t session.Access, err error) tea.Cmd {
		v.showJob = 0
		if err != nil {
			return v.f.fail("there is no token to reveal", err)
		}
		v.shown, v.hideAt = t.Token, v.f.now.Add(revealFor)
		v.onList, v.scroll = false, 0 // where it is to be read
		return nil
	})
	v.showJob = id
	return cmd
}

// comparison is another token's permissions beside those of the one that is shown.
type comparison struct {
	nameA, nameB string
	groups       []group
}

// chooseOther asks with whose token to compare, or ends the comparison.
func (v *inspector) chooseOther() tea.Cmd {
	if v.cmp != nil {
		return v.back()
	}
	if cmd, ok := v.f.ready(); !ok {
		return cmd
	}
	in := v.told()
	if in == nil {
		return v.f.say(toastInfo, "there is nothing to compare until the stack has told of the token")
	}
	m := &menu{f: v.f, heading: "Compare " + v.nameOfShown() + " with", verb: "compare"}
	for _, a := range v.f.accounts {
		if v.pasted == nil && a.ID == v.account {
			continue
		}
		m.choices = append(m.choices, choice{name: a.Name, key: a.Login + " at " + hostOf(a), do: func() tea.Cmd {
			return v.compare(in, a)
		}})
	}
	if v.pasted == nil {
		m.choices = append(m.choices, choice{name: "a token that you paste", do: func() tea.Cmd { return v.openPasteFor(in) }})
	}
	v.f.push(m)
	return nil
}

// nameOfShown names the token that is shown.
func (v *inspector) nameOfShown() string {
	if v.pasted != nil {
		return "the pasted token"
	}
	a, _ := v.f.account(v.account)
	return a.Name
}

// compare asks for the other account's permissions and lists the differences.
func (v *inspector) compare(in *inspected, other session.Account) tea.Cmd {
	mgr, name := v.f.mgr, v.nameOfShown()
	return v.runCompare("comparing "+name+" with "+other.Name, name, other.Name, func(ctx context.Context) (a, b []string, err error) {
		o, err := tokenOf(ctx, mgr, other.ID)
		if err != nil {
			return nil, nil, err
		}
		return in.ACL, o.ACL, nil
	})
}

// runCompare compares in a command: ten thousand permissions take a while.
func (v *inspector) runCompare(title, nameA, nameB string, acls func(context.Context) (a, b []string, err error)) tea.Cmd {
	v.f.jobs.drop(v.cmpJob)
	id, cmd := ask(v.f, title, func(ctx context.Context) (*comparison, error) {
		a, b, err := acls(ctx)
		if err != nil {
			return nil, err
		}
		c, err := compareACLs(ctx, a, b)
		return &comparison{nameA, nameB, c.groups(nameA, nameB)}, err
	}, func(c *comparison, err error) tea.Cmd {
		v.cmpJob = 0
		if err != nil {
			return v.f.fail("nothing was compared", err)
		}
		v.cmp = c
		v.onList = true
		v.list.clear()
		v.relist()
		return nil
	})
	v.cmpJob = id
	return cmd
}
