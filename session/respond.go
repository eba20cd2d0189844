package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"wakey/api"
)

// ErrDeclined is what a hook returns when the person does not want to answer: what needs the
// answer is skipped, and the report says what that leaves open.
var ErrDeclined = errors.New("declined")

// ResponseHooks are how a response talks to a person. They are called one at a time, by the
// goroutine that runs the response. nil ones decline.
type ResponseHooks struct {
	// Progress gets the incident after each change; the copy is the receiver's.
	Progress func(Incident)
	// Password asks for the user's password, where the server needs one, and says what for.
	Password func(ctx context.Context, why string) (api.Secret, error)
	// NewPassword asks for the password to be, when the plan changes it.
	NewPassword func(ctx context.Context) (api.Secret, error)
	// Confirm asks about what appeared after the plan was confirmed: it has to list all of it. A
	// yes lets that be revoked, and nothing else.
	Confirm func(ctx context.Context, n Appeared) (bool, error)
	// Stolen are values of refresh tokens known to be in other hands, to be tried in the end.
	// They are kept nowhere.
	Stolen []api.Secret
}

// Appeared is what came up after the plan was confirmed.
type Appeared struct {
	Tokens   []PlannedToken
	Sessions []PlannedSession
}

// InterruptedError says that a response could not go on, and where. What was done stays done.
type InterruptedError struct {
	Incident string // for ResumeResponse
	Step     StepName
	cause    error
}

func (e *InterruptedError) Error() string {
	return fmt.Sprintf("the response %s was cut off at its step %q, resume it: %v", e.Incident, e.Step, e.cause)
}

// Unwrap returns what cut it off.
func (e *InterruptedError) Unwrap() error { return e.cause }

// responder carries out one response.
type responder struct {
	m        *Manager
	in       *Incident
	h        ResponseHooks
	password api.Secret      // once asked for and not refused by the server
	held     []api.Secret    // access tokens that this machine had when it began
	spared   map[string]bool // sessions that the person wants left alone
	admin    bool            // the account may do what only administrators may
	declined bool            // to sign in again when our own access was gone
}

// Respond carries out a plan that a person has confirmed. Each step is written down before it
// begins and after it ends, so that ResumeResponse can go on after a crash. A step that the
// server refuses is marked as failed, and the others still run; Incident.Clean tells whether all is well. Errors: an
// *InterruptedError when the stack can't be reached any more, or ctx ended, and what kept it
// from beginning.
func (m *Manager) Respond(ctx context.Context, plan *Plan, h ResponseHooks) (*Incident, error) {
	if !incidentID().MatchString(plan.ID) {
		return nil, errors.New("that is no plan of PlanResponse: make one")
	}
	if b, err := m.shelf.read(incidentFile(plan.ID)); err != nil || b != nil {
		return nil, errors.Join(err, fmt.Errorf("the response %s has begun already: resume it, or make a new plan", plan.ID))
	}
	return m.respond(ctx, newIncident(*plan, m.now()), h)
}

// ResumeResponse goes on with a response that was cut off, or tries again what failed in one
// that came to its end. Errors: as Respond, and ErrNoIncident.
func (m *Manager) ResumeResponse(ctx context.Context, id string, h ResponseHooks) (*Incident, error) {
	in, err := m.Incident(id)
	if err != nil {
		return nil, err
	}
	a, err := m.Account(string(in.Plan.Account))
	if err != nil {
		return nil, err
	}
	if a.Stack != in.Plan.Stack || a.UserUUID != in.Plan.UserUUID {
		return nil, fmt.Errorf("the account %s is another user's now: make a new plan", a.Name)
	}
	return m.respond(ctx, in, h)
}

func (m *Manager) respond(ctx context.Context, in *Incident, h ResponseHooks) (*Incident, error) {
	release, err := m.holdIncident(in.Plan.ID)
	if err != nil {
		return nil, err
	}
	defer release()
	r := &responder{m: m, in: in, h: h, spared: map[string]bool{}}
	in.Ended = time.Time{}
	a, err := m.Account(string(in.Plan.Account))
	if err != nil {
		return nil, err
	}
	r.admin = a.Admin
	if in.Plan.Tenant == "" {
		in.Plan.Users = []string{a.UserUUID}
	}
	own, err := m.holdings(ctx, &in.Plan)
	if err != nil {
		return nil, err
	}
	for _, h := range own {
		if !h.token.IsZero() {
			r.held = append(r.held, h.token)
		}
	}
	begins := "begins"
	if in.step(StepSnapshot).State != Pending {
		begins = "goes on"
	}
	r.say(Warn, fmt.Sprintf("the response %s %s: %s", in.Plan.ID, begins, in.Plan.summary()))
	steps := []struct {
		name StepName
		run  func(context.Context) (string, error)
	}{
		{StepSnapshot, r.snapshot},
		{StepTokens, r.revokeTokens},
		{StepSessions, r.revokeSessions},
		{StepRotate, r.rotate},
		{StepPassword, r.changePassword},
		{StepSweep, r.sweep},
		{StepProve, r.prove},
	}
	for _, s := range steps {
		step := in.step(s.name)
		// What the steps before may have changed is swept and proven anew each time.
		if (step.State == Done || step.State == Skipped) && s.name != StepSweep && s.name != StepProve {
			continue
		}
		if err := r.enter(step); err != nil {
			return in, &InterruptedError{in.Plan.ID, s.name, err}
		}
		text, err := s.run(ctx)
		if err := r.leave(ctx, step, text, err); err != nil {
			return in, &InterruptedError{in.Plan.ID, s.name, err}
		}
	}
	in.Ended = m.now()
	if err := r.save(); err != nil {
		return in, err
	}
	if !in.Clean() {
		r.say(Alarm, fmt.Sprintf("the response %s is over, and something is left open: read its report", in.Plan.ID))
		return in, nil
	}
	r.say(Info, fmt.Sprintf("the response %s is over, and everything it set out to do is done", in.Plan.ID))
	// The person has seen it all; what has come up since the last look is news all the same.
	if err := errors.Join(m.Seen(in.Plan.Account), m.Look(ctx, in.Plan.Account)); err != nil {
		r.say(Warn, "whether anything is new can't be told now: "+err.Error())
	}
	return in, nil
}

func (p *Plan) summary() string {
	return fmt.Sprintf("%s and %s to be revoked, %s to be rotated",
		count(len(p.Revoke), "refresh token"), count(len(p.Sessions), "session"), count(len(p.Rotate), "account"))
}

// holdIncident keeps others from carrying out the same response.
func (m *Manager) holdIncident(id string) (func(), error) {
	busy := fmt.Errorf("the response %s is being carried out already", id)
	m.mu.Lock()
	taken := m.responding[id]
	m.responding[id] = true
	m.mu.Unlock()
	if taken {
		return nil, busy
	}
	release := func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.responding, id)
	}
	if m.o.Dir == "" {
		return release, nil
	}
	path := filepath.Join(m.o.Dir, "incident-"+id+".lock")
	err := makeDir(m.o.Dir)
	if err == nil {
		unlock, lerr := holdFile(path, 50*time.Millisecond)
		if lerr == nil {
			return func() { _ = os.Remove(path); unlock(); release() }, nil
		}
		err = errors.Join(busy, lerr)
	}
	release()
	return nil, err
}

// enter writes down that a step begins.
func (r *responder) enter(s *Step) error {
	s.State, s.Text, s.At = Running, "", r.m.now()
	return r.save()
}

// leave writes down how a step ended. It returns an error when the response can't go on.
func (r *responder) leave(ctx context.Context, s *Step, text string, err error) error {
	s.At, s.Text, s.State = r.m.now(), text, Done
	switch {
	case errors.Is(err, ErrDeclined):
		s.State = Skipped
	case err != nil:
		s.State, s.Text = Failed, err.Error()
	}
	level := Info
	if s.State == Failed {
		level = Warn
	}
	r.say(level, fmt.Sprintf("step %s %s: %s", s.Name, s.State, s.Text))
	if serr := r.save(); serr != nil {
		return serr
	}
	if err != nil && (ctx.Err() != nil || lostConnection(err)) {
		return err
	}
	return nil
}

// lostConnection tells what another try later may mend from what the server refuses for good.
func lostConnection(err error) bool {
	return errors.Is(err, api.ErrNetwork) || errors.Is(err, api.ErrServer) || errors.Is(err, api.ErrCertificate) ||
		errors.Is(err, api.ErrNotWazo) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// save writes the journal and lets the person see it.
func (r *responder) save() error {
	if err := r.m.keepIncident(r.in); err != nil {
		return fmt.Errorf("the journal can't be written, so nothing more is done: %w", err)
	}
	if r.h.Progress != nil {
		r.h.Progress(r.in.clone())
	}
	return nil
}

func (r *responder) say(l Level, text string) {
	p := &r.in.Plan
	r.m.tell(Event{Account: p.Account, Name: p.Name, Op: "respond", Level: l, Text: text}, map[string]string{"incident": p.ID})
}

// maxTries is how often a request is made before the connection counts as lost.
const maxTries = 4

// do is Manager.Do, patient with a network that fails and with a thief that revokes our
// own access: then it signs in again, which takes the password.
func (r *responder) do(ctx context.Context, fn func(ctx context.Context, c *api.Client, token api.Secret) error) error {
	for try := 1; ; try++ {
		err := r.m.Do(ctx, r.in.Plan.Account, fn)
		var problem *ProblemError
		switch {
		case err == nil, try == maxTries, ctx.Err() != nil:
			return err
		case errors.As(err, &problem):
			if r.declined {
				return err
			}
			serr := r.signInAgain(ctx, r.in.Plan.Account, "our own access was revoked, and without it nothing can be")
			if errors.Is(serr, ErrDeclined) {
				r.declined = true
				return fmt.Errorf("%w (and no password was given: sign in again, then resume)", err)
			}
			if serr != nil {
				return errors.Join(err, serr)
			}
			continue
		case errors.Is(err, api.ErrTokenDead):
			continue
		case !lostConnection(err), errors.Is(err, api.ErrNotWazo), errors.Is(err, api.ErrCertificate):
			return err
		}
		if err := waitFor(ctx, pauseFor(try)); err != nil {
			return err
		}
	}
}

func waitFor(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// askPassword gives the password that worked last, or asks.
func (r *responder) askPassword(ctx context.Context, why string) (api.Secret, error) {
	if !r.password.IsZero() {
		return r.password, nil
	}
	if r.h.Password == nil {
		return api.Secret{}, ErrDeclined
	}
	return r.h.Password(ctx, why)
}

// signInAgain rotates an account's refresh token, asking for the password until it is right.
func (r *responder) signInAgain(ctx context.Context, id ID, why string) error {
	before, err := r.m.Account(string(id))
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		password, err := r.askPassword(ctx, why)
		if err != nil {
			return err
		}
		a, err := r.m.Rotate(ctx, id, password)
		switch {
		case err == nil || errors.Is(err, ErrNotRetired):
			r.password = password
			r.in.LastEnd = r.m.now()
			r.in.Rotated = append(filter(r.in.Rotated, func(p PlannedRotate) bool { return p.Account != id }), PlannedRotate{id, a.Name, a.ClientID})
			if before.ClientID != "" {
				r.revoked(Revocation{UserUUID: before.UserUUID, ClientID: before.ClientID}, nil)
			}
			return errors.Join(err, r.save())
		case errors.Is(err, api.ErrSessionCeiling) && try < maxTries && r.makeRoom(ctx) == nil:
			r.password = password // it was found good before the ceiling was asked about (contract 5)
		case errors.Is(err, api.ErrBadCredentials) && try < 3 && r.h.Password != nil:
			r.password = api.Secret{}
			why = "that password is wrong, or was changed by somebody else; once more"
		default:
			r.password = api.Secret{}
			return err
		}
	}
}

// makeRoom revokes what the thief fills the session ceiling with, as far as the person agrees.
func (r *responder) makeRoom(ctx context.Context) error {
	_, sessions, err := r.foreign(ctx)
	if err != nil {
		return err
	}
	if _, sessions, err = r.confirmed(ctx, nil, sessions); err != nil {
		return err
	}
	if len(sessions) == 0 {
		return errors.New("there is nothing that may be revoked to make room")
	}
	return r.endSessions(ctx, &Step{}, sessions)
}

// names tells whether a person has been shown the session, and wants it revoked.
func (p *Plan) names(s PlannedSession) bool { return slices.Contains(p.Sessions, s) }

// revoked keeps the outcome of a revocation.
func (r *responder) revoked(v Revocation, err error) {
	v.At = r.m.now()
	v.Result = whatCameOf(err)
	same := func(o Revocation) bool {
		return o.UserUUID == v.UserUUID && o.ClientID == v.ClientID && o.Session == v.Session
	}
	if i := slices.IndexFunc(r.in.Revoked, same); i < 0 {
		r.in.Revoked = append(r.in.Revoked, v)
	} else if v.Result != "was gone" {
		r.in.Revoked[i] = v
	}
}
