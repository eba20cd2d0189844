package ui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
	"wakey/session"
)

type (
	// respondStepMsg is how far a response is.
	respondStepMsg struct {
		r  *respond
		in session.Incident
	}
	// respondAskMsg puts a question of a response on the screen, in place of one before.
	respondAskMsg struct {
		r    *respond
		show func() dialog // nil: takes it away
	}
)

// reply is what a person answered.
type reply[T any] struct {
	value T
	err   error
}

// askPerson shows a dialog and waits for its answer.
func askPerson[T any](ctx context.Context, r *respond, show func(answer func(T, error)) dialog) (T, error) {
	answers := make(chan reply[T], 1)
	answer := func(v T, err error) {
		select {
		case answers <- reply[T]{v, err}:
		default: // it has one
		}
	}
	r.f.send(respondAskMsg{r, func() dialog { return show(answer) }})
	defer r.f.send(respondAskMsg{r, nil})
	select {
	case a := <-answers:
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// hooks let the response talk to the person at the screen.
func (r *respond) hooks() session.ResponseHooks {
	login := r.acc.Login
	secret := func(ctx context.Context, heading, text, hint string, labels ...string) (api.Secret, error) {
		return askPerson(ctx, r, func(answer func(api.Secret, error)) dialog {
			return &secretDialog{f: r.f, heading: heading, text: text, hint: hint, labels: labels, then: func(s api.Secret) tea.Cmd {
				if s.IsZero() {
					answer(s, session.ErrDeclined)
				} else {
					answer(s, nil)
				}
				return nil
			}}
		})
	}
	return session.ResponseHooks{
		Progress: func(in session.Incident) { r.f.send(respondStepMsg{r, in}) },
		Password: func(ctx context.Context, why string) (api.Secret, error) {
			return secret(ctx, "The password of "+login, upper(clean(why))+". Without it that is left out, and the report says what stays open.", r.f.opts.Hint, "Password")
		},
		NewPassword: func(ctx context.Context) (api.Secret, error) {
			return secret(ctx, "A new password for "+login, "One that nobody else knows. Leaving it keeps the old one, and whoever knows it can sign in again.", "", "New password", "Again")
		},
		Confirm: func(ctx context.Context, n session.Appeared) (bool, error) {
			return askPerson(ctx, r, func(answer func(bool, error)) dialog { return r.confirmAppeared(n, answer) })
		},
		Stolen: r.stolen,
	}
}

// confirmAppeared lists what came up after the plan was shown.
func (r *respond) confirmAppeared(n session.Appeared, answer func(bool, error)) *confirm {
	c := &confirm{f: r.f, no: "Leave them", harm: true}
	var parts []string
	for _, t := range n.Tokens {
		c.items = append(c.items, confirmItem{cutMiddle(shortText(t.ClientID), 44), "refresh token, made " + age(r.f.now, t.CreatedAt)})
	}
	for _, s := range n.Sessions {
		c.items = append(c.items, confirmItem{clean(s.UUID), "session"})
	}
	if len(n.Tokens) > 0 {
		parts = append(parts, plural(len(n.Tokens), "token"))
	}
	if len(n.Sessions) > 0 {
		parts = append(parts, plural(len(n.Sessions), "session"))
	}
	c.heading = "Appeared since you saw the plan: " + strings.Join(parts, ", ")
	c.yes = "Revoke " + strings.Join(parts, ", ")
	c.text = []string{"Unless it was you who just signed in somewhere, it is the thief: revoke them."}
	if names := r.labelled(); names != "" && len(n.Sessions) > 0 {
		c.text = append(c.text, "Some of the sessions may be of "+names+", which you left alone: it comes back by itself.")
	}
	c.then = func(bool) tea.Cmd { answer(true, nil); return nil }
	c.onNo = func() tea.Cmd { answer(false, nil); return nil }
	return c
}

// labelled are the clients that were left alone.
func (r *respond) labelled() string {
	var names []string
	for _, t := range r.in.Plan.Keep {
		if t.Label != "" {
			names = append(names, clean(t.Label))
		}
	}
	if len(names) > 3 {
		return strings.Join(names[:3], ", ") + " and others"
	}
	return strings.Join(names, ", ")
}

// run carries a plan out, or goes on with a response.
func (r *respond) run(plan *session.Plan, resumed string) tea.Cmd {
	mgr, h := r.f.mgr, r.hooks()
	r.phase, r.err, r.page = respondRunning, nil, respondPage{stale: true}
	var cmd tea.Cmd
	r.job, cmd = start(r.f, "responding to the theft of "+r.acc.Name, func(ctx context.Context) (*session.Incident, error) {
		if plan == nil {
			return mgr.ResumeResponse(ctx, resumed, h)
		}
		return mgr.Respond(ctx, plan, h)
	}, r.over)
	r.f.jobs.find(r.job).firm = true
	return cmd
}

// over shows what came of it, also to whoever looks at another view.
func (r *respond) over(in *session.Incident, err error) tea.Cmd {
	r.phase, r.err, r.page = respondOver, err, respondPage{stale: true}
	if in != nil {
		r.in = *in
	}
	if !r.in.Ended.IsZero() {
		delete(r.f.cut, r.acc.ID)
	}
	r.asked(respondAskMsg{}) // nobody waits for an answer any more
	if r.in.Plan.ID == "" {  // it could not begin
		r.phase = respondStuck
	}
	switch {
	case r.shown:
	case r.f.signIn != nil || len(r.f.dialogs) > 0:
		return r.f.say(toastInfo, "the response is over; ! shows what came of it")
	default:
		r.f.cover(r)
	}
	return nil
}

// resume goes on with the one shown, or with an earlier one that was cut off.
func (r *respond) resume() tea.Cmd {
	switch {
	case r.phase == respondPlanned && r.cut != nil:
		r.in = *r.cut
	case r.phase != respondOver:
		return nil
	}
	return r.run(nil, r.in.Plan.ID)
}

// askStop asks before a response is stopped half-way.
func (r *respond) askStop() tea.Cmd {
	if r.phase != respondRunning {
		return nil
	}
	r.asking = &confirm{
		f: r.f, heading: "Stop the response?", yes: "Stop it", no: "Go on",
		text: []string{"What was done stays done, and what was not begun is not done: the thief may still be in." + r.f.hint(" ! goes on with it later.")},
		then: func(bool) tea.Cmd {
			if j := r.f.jobs.find(r.job); j != nil {
				j.cancel() // its answer says how far it came
			}
			return nil
		},
	}
	r.f.push(r.asking)
	return nil
}

// asked puts a question of the response on the screen, or takes it away.
func (r *respond) asked(msg respondAskMsg) {
	if r.asking != nil {
		r.f.close(r.asking)
		r.asking = nil
	}
	if msg.show != nil {
		r.asking = msg.show()
		r.f.push(r.asking)
	}
}

// report writes the report into the directory that wakey was started in.
func (r *respond) report() tea.Cmd {
	mgr, id := r.f.mgr, r.in.Plan.ID
	_, cmd := start(r.f, "writing the report", func(context.Context) ([]string, error) {
		dir, err := os.Getwd()
		if err != nil {
			return nil, err
		}
		return mgr.WriteReport(id, dir)
	}, func(names []string, err error) tea.Cmd {
		if err != nil {
			return r.f.fail("the report was not written", err)
		}
		r.f.push(newNotice(r.f, "The report is written", strings.Join(names, " and ")+". It holds no secrets, but names: only you may read it."))
		return nil
	})
	return cmd
}

// tryStolen tries a refresh token that somebody else has.
func (r *respond) tryStolen(value api.Secret) tea.Cmd {
	mgr, acc := r.f.mgr, r.acc
	var more []string
	for _, v := range r.in.Revoked {
		more = append(more, v.ClientID)
	}
	if r.in.Before != nil {
		for _, t := range r.in.Before.Tokens {
			more = append(more, t.ClientID)
		}
	}
	_, cmd := start(r.f, "trying the stolen refresh token", func(ctx context.Context) (session.StolenResult, error) {
		return mgr.TryStolen(ctx, acc.ID, value, more)
	}, func(result session.StolenResult, err error) tea.Cmd {
		if err != nil {
			return r.f.fail("it could not be tried", err)
		}
		heading := "It is dead"
		if result.Works {
			heading = "IT STILL WORKS"
		}
		r.f.push(newNotice(r.f, heading, upper(result.Text(value, acc.UserUUID))))
		return nil
	})
	return cmd
}

// interruption says where a response stopped, and why.
func (r *respond) interruption() string {
	var cut *session.InterruptedError
	switch {
	case errors.As(r.err, &cut) && errors.Is(r.err, context.Canceled):
		return fmt.Sprintf("You stopped it at the step %q.", stepWord(cut.Step))
	case errors.As(r.err, &cut):
		return fmt.Sprintf("It was cut off at the step %q: %s.", stepWord(cut.Step), clean(errors.Unwrap(cut).Error()))
	case r.err != nil:
		return clean(r.err.Error())
	}
	return ""
}
