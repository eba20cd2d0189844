package ui

import (
	"context"
	"errors"
	"slices"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
	"wakey/session"
)

// respondPhase says how far the way out is.
type respondPhase int

const (
	respondLooking respondPhase = iota // the stack is being asked
	respondPlanned                     // the plan is shown; nothing was changed
	respondStuck                       // it could not be listed
	respondRunning
	respondOver // also when the connection was lost
)

// respond is the way out when somebody else has a token of an account: what there is and what will be
// done, the steps while they are done, and what is proven then. It goes on while other views are
// looked at.
type respond struct {
	bare

	f     *frame
	acc   session.Account
	phase respondPhase
	shown bool
	job   jobID

	tenant bool // everyone in it
	plan   *session.Plan
	cut    *session.Incident // an earlier one of this account that was cut off
	stolen []api.Secret      // to be tried in the end
	err    error             // why it could not be listed, or went no further

	in session.Incident // as it runs, and as it ended

	asking dialog // put there by the one that runs
	page   respondPage
	onYes  bool
}

// What the way out understands.
const (
	actRespond    action = "respond"
	actResume     action = "resume"
	actKeepIt     action = "keep it"
	actPassword   action = "change the password"
	actStolen     action = "try a stolen refresh token"
	actNothing    action = "it was me"
	actStop       action = "stop"
	actReport     action = "write the report"
	actRespondAll action = "everyone in the tenant"
)

// openRespond shows the response that runs, or plans one for the account that has the alarm, or else the
// current one.
func (f *frame) openRespond() tea.Cmd {
	if cmd, ok := f.ready(); !ok {
		return cmd
	}
	switch r := f.respond; {
	case r == nil || r.shown && r.phase == respondOver:
	case r.shown:
		return nil
	default: // it runs, or is over and was not seen yet
		f.cover(r)
		return nil
	}
	acc, ok := f.currentAccount()
	if !ok {
		return f.say(toastInfo, "there is no account here whose token somebody could have"+f.hint("; n signs in"))
	}
	calls := func(a session.Account) bool { return alarmed(a) || f.cut[a.ID] }
	if i := slices.IndexFunc(f.accounts, calls); i >= 0 && !calls(acc) {
		acc = f.accounts[i]
	}
	r := &respond{f: f, acc: acc}
	f.cover(r)
	return r.look(nil)
}

// cover shows r in place of the view.
func (f *frame) cover(r *respond) {
	f.screen().leave()
	f.signIn, f.respond = nil, r
	r.shown = true
}

// leave goes back to the view; what runs goes on.
func (r *respond) leave() {
	r.shown = false
	if r.phase != respondRunning {
		r.f.jobs.drop(r.job)
		r.f.respond = nil
	}
}

func (r *respond) bindings() []binding {
	scroll := []binding{
		{action: actDown, keys: []string{"down", "j"}, show: "↑↓", short: "move", name: "Move", moving: true},
		{action: actUp, keys: []string{"up", "k"}},
		{action: actPageDown, keys: []string{"pgdown"}, show: "pgup pgdn", name: "Page", moving: true},
		{action: actPageUp, keys: []string{"pgup"}},
	}
	back := binding{action: actBack, keys: []string{"esc"}, short: "not now", name: "Leave it"}
	switch r.phase {
	case respondPlanned:
		return append(r.planBindings(), append(scroll, back)...)
	case respondStuck:
		if needsSignIn(r.err) {
			return []binding{{action: actAgain, keys: []string{"enter", "N"}, short: "sign in again", name: "Sign in again with the password, then look"}, back}
		}
		return []binding{{action: actReload, keys: []string{"r", "enter"}, short: "try again", name: "Ask the stack again"}, back}
	case respondRunning:
		back.short, back.name = "look elsewhere, it goes on", "Look elsewhere while it goes on"
		return append(scroll, back, binding{action: actStop, keys: []string{"s"}, short: "stop it", name: "Stop the response"})
	case respondOver:
		back.short, back.name = "close", "Close"
		bs := []binding{
			{action: actReport, keys: []string{"w"}, short: "write the report", name: "Write the report down, without secrets"},
			{action: actStolen, keys: []string{"t"}, short: "try a stolen token", name: "Try whether a stolen refresh token still works"},
		}
		if r.err != nil || !r.in.Clean() {
			bs = append([]binding{{action: actResume, keys: []string{"r"}, short: "go on", name: "Go on, and try again what failed"}}, bs...)
		}
		return append(bs, append(scroll, back)...)
	case respondLooking:
	}
	return []binding{back}
}

func (r *respond) do(a action) tea.Cmd {
	switch a {
	case actDown:
		r.page.move(1)
	case actUp:
		r.page.move(-1)
	case actPageDown:
		r.page.move(r.page.height)
	case actPageUp:
		r.page.move(-r.page.height)
	case actBack:
		return r.f.open(r.f.shown)
	case actReload:
		return r.look(nil)
	case actAgain:
		return r.signInAgain()
	case actStop:
		return r.askStop()
	case actReport:
		return r.report()
	case actStolen:
		return r.askStolen()
	case actResume:
		return r.resume()
	default:
		if r.phase == respondPlanned {
			return r.planDo(a)
		}
		return r.f.do(a)
	}
	return nil
}

func (r *respond) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case wheelMsg:
		r.page.move(int(msg))
	case clickMsg:
		return r.click(msg)
	}
	return nil
}

// needsSignIn tells whether only the password helps.
func needsSignIn(err error) bool {
	var problem *session.ProblemError
	return errors.As(err, &problem) || errors.Is(err, api.ErrTokenDead)
}

// planned is what looking gave.
type planned struct {
	plan *session.Plan
	cut  *session.Incident
}

// look lists what there is and makes a plan. With a password it signs in first.
func (r *respond) look(password *api.Secret) tea.Cmd {
	r.f.jobs.drop(r.job)
	r.phase, r.err, r.page = respondLooking, nil, respondPage{}
	mgr, id := r.f.mgr, r.acc.ID
	o := session.ResponseOptions{ChangePassword: true, Tenant: r.tenant}
	var cmd tea.Cmd
	r.job, cmd = start(r.f, "looking what there is of "+r.acc.Login, func(ctx context.Context) (p planned, err error) {
		if password != nil {
			if _, err := mgr.Rotate(ctx, id, *password); err != nil && !errors.Is(err, session.ErrNotRetired) {
				return p, err
			}
		}
		all, _ := mgr.CutOff() // one that can't be read is no reason not to make a plan
		if in, ok := all[id]; ok {
			p.cut = &in
		}
		p.plan, err = mgr.PlanResponse(ctx, id, o)
		return p, err
	}, func(p planned, err error) tea.Cmd {
		r.plan, r.cut, r.err = p.plan, p.cut, err
		r.phase, r.onYes, r.page = respondPlanned, false, respondPage{stale: true}
		if err != nil {
			r.phase = respondStuck
			return nil
		}
		r.plan.ChangePassword = r.plan.PasswordKnown != ""
		return nil
	})
	return cmd
}

// signInAgain is for an account whose own access somebody has revoked: without it nothing can be seen.
func (r *respond) signInAgain() tea.Cmd {
	r.f.push(&secretDialog{
		f: r.f, heading: "The password of " + r.acc.Login, labels: []string{"Password"},
		text: "Somebody has revoked this machine's own access. Sign in again, and you see what there is. Nothing else is changed.",
		then: func(s api.Secret) tea.Cmd {
			if s.IsZero() {
				return nil
			}
			return r.look(&s)
		},
	})
	return nil
}
