package ui

import (
	"errors"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
	"wakey/session"
)

// testPlan is a plan with something of everything.
func testPlan() *session.Plan {
	at := func(d time.Duration) time.Time { return noon.Add(-d) }
	user := "8e1a3c5e-0000-4000-8000-00000000000a"
	p := &session.Plan{
		ID: "20261123-120000-3fa9", MadeAt: noon, Account: "00000004", Name: "prod", Stack: "https://pbx.example.com/api/auth/0.1",
		Login: "alice", UserUUID: user, Users: []string{user}, ChangePassword: true, Lifetime: 2 * time.Hour,
		PasswordKnown: "somebody else has made the refresh token wakey-laptop-00bad000, which takes the password",
		Revoke: []session.PlannedToken{
			{UserUUID: user, ClientID: "wakey-laptop-00bad000", CreatedAt: at(2 * time.Minute), Why: "nobody knows it"},
			{UserUUID: user, ClientID: "phone-7c1e", CreatedAt: at(90 * 24 * time.Hour), Why: "nobody knows it"},
		},
		Keep: []session.PlannedToken{
			{UserUUID: user, ClientID: "wakey-laptop-3fa9c1d2", CreatedAt: at(12 * 24 * time.Hour), Why: "the account prod of this machine; it is rotated"},
			{UserUUID: user, ClientID: "ci-runner", CreatedAt: at(48 * time.Hour), Label: "CI", Why: "it is known as CI"},
		},
		Stuck: []session.PlannedToken{{
			UserUUID: user, ClientID: "desk/phone", CreatedAt: at(time.Hour), Why: "it holds a slash, which no address can carry",
			Help: "it ends when the user is deleted, and is refused while the user is disabled",
		}},
		Rotate:  []session.PlannedRotate{{Account: "00000004", Name: "prod", ClientID: "wakey-laptop-3fa9c1d2"}},
		Missing: []string{"auth.users.me.sessions.read"},
	}
	for _, uuid := range []string{"6f1d2a0e-0000-4000-8000-0000000000b1", "6f1d2a0e-0000-4000-8000-0000000000b2", "6f1d2a0e-0000-4000-8000-0000000000b3"} {
		p.Sessions = append(p.Sessions, session.PlannedSession{UserUUID: user, UUID: uuid})
	}
	return p
}

// testIncident is a response, up to a step.
func testIncident(upTo session.StepName, state session.StepState) session.Incident {
	in := session.Incident{Plan: *testPlan(), Begun: noon}
	texts := map[session.StepName]string{
		session.StepSnapshot: "4 refresh tokens and 5 sessions written down", session.StepTokens: "2 refresh tokens revoked",
		session.StepSessions: "3 sessions revoked", session.StepRotate: "new refresh tokens for prod", session.StepPassword: "the password is changed",
		session.StepSweep: "nothing is left, seen 2 times in a row", session.StepProve: "4 proven, 2 not provable",
	}
	before := true
	for _, name := range []session.StepName{
		session.StepSnapshot, session.StepTokens, session.StepSessions, session.StepRotate, session.StepPassword, session.StepSweep, session.StepProve,
	} {
		st := session.Step{Name: name, State: session.Pending}
		if name == upTo {
			st.State, before = state, false
		} else if before {
			st.State, st.Text = session.Done, texts[name]
		}
		in.Steps = append(in.Steps, st)
	}
	return in
}

// respondScenes are the stages of a response.
func respondScenes() map[string]func(a *app) {
	long := strings.Repeat("very-long-", 30)
	at := func(a *app, phase respondPhase) *respond {
		acc, _ := a.account("00000004")
		r := &respond{f: a.frame, acc: acc, phase: phase, plan: testPlan(), page: respondPage{stale: true}}
		a.cover(r)
		return r
	}
	return map[string]func(a *app){
		"alarm": func(a *app) {
			accounts := testAccounts(noon)
			accounts[3].LookedAt, accounts[3].NextLookAt, accounts[3].OpenFindings = noon.Add(-2*time.Minute), noon.Add(3*time.Minute), 1
			accounts[3].Noticed = session.Finding{
				Kind: session.UnknownClient, Level: session.Alarm, Subject: "phone-7c1e",
				Text: "unknown client_id phone-7c1e, made 2026-11-23 11:58:01 UTC, has appeared: somebody has signed in; respond unless it was you, else label it",
			}
			a.setAccounts(accounts, nil)
		},
		"respond looking": func(a *app) { at(a, respondLooking) },
		"respond plan":    func(a *app) { at(a, respondPlanned) },
		"respond plan, a token": func(a *app) {
			r := at(a, respondPlanned)
			r.stolen = []api.Secret{api.NewSecret("12345678-1234-4234-8234-123456789abc")}
			r.onYes = true
			cut := testIncident(session.StepRotate, session.Failed)
			r.cut = &cut
			r.page.move(12)
		},
		"respond plan for everyone": func(a *app) {
			r := at(a, respondPlanned)
			r.plan.Tenant, r.plan.PasswordKnown, r.plan.ChangePassword = "tenant", "", false
			r.plan.Users = append(r.plan.Users, "bob")
			r.plan.Revoke = append(r.plan.Revoke, session.PlannedToken{UserUUID: "bob", ClientID: long, Why: long})
			r.begin()
		},
		"respond refused": func(a *app) {
			at(a, respondStuck).err = errors.New("no answer (pbx.example.com): connection refused; check the network and try again")
		},
		"respond shut out": func(a *app) {
			at(a, respondStuck).err = &session.ProblemError{Account: "prod", State: session.RevokedElsewhere, Reason: "the stack refuses the refresh token"}
		},
		"respond password": func(a *app) {
			r := at(a, respondRunning)
			r.in = testIncident(session.StepRotate, session.Running)
			a.take(respondAskMsg{r, func() dialog {
				return &secretDialog{
					f: a.frame, heading: "The password of alice", labels: []string{"Password"}, then: func(api.Secret) tea.Cmd { return nil },
					text: "A refresh token can't make another, so prod signs in again. Without it that is left out, and the report says what stays open.",
				}
			}})
		},
		"respond new password": func(a *app) {
			r := at(a, respondRunning)
			r.in = testIncident(session.StepPassword, session.Running)
			a.take(respondAskMsg{r, func() dialog {
				return &secretDialog{f: a.frame, heading: "A new password for alice", labels: []string{"New password", "Again"}, text: long, wrong: long, hint: long, then: func(api.Secret) tea.Cmd { return nil }}
			}})
		},
		"respond running": func(a *app) {
			r := at(a, respondRunning)
			r.in = testIncident(session.StepSessions, session.Running)
			r.in.Steps[2].Done, r.in.Steps[2].Of = 2, 3
		},
		"respond asks": func(a *app) {
			r := at(a, respondRunning)
			r.in = testIncident(session.StepSweep, session.Running)
			a.take(respondAskMsg{r, func() dialog {
				return r.confirmAppeared(session.Appeared{
					Tokens:   []session.PlannedToken{{ClientID: "wakey-laptop-11bad111", CreatedAt: noon.Add(-20 * time.Second), Why: "it has appeared since"}},
					Sessions: []session.PlannedSession{{UUID: "6f1d2a0e-0000-4000-8000-0000000000b9"}},
				}, func(bool, error) {})
			}})
		},
		"respond over": func(a *app) {
			r := at(a, respondOver)
			r.in = testIncident("", "")
			r.in.Ended = noon
			r.in.Proofs = []session.Proof{
				{Claim: "the refresh token wakey-laptop-00bad000 is dead", State: session.Proven, How: "it is not listed any more, and revoking it again answers that there is none"},
				{Claim: "no session but ours is left", State: session.Proven, How: "the list names none, and an access token ends with its session"},
				{Claim: "no access token in other hands is alive", State: session.NotProvable, How: "their values are not known here", Until: noon.Add(2 * time.Hour)},
			}
		},
		"respond left open": func(a *app) {
			r := at(a, respondOver)
			r.in = testIncident(session.StepSweep, session.Failed)
			r.in.Steps[3].State, r.in.Steps[3].Text = session.Skipped, "the refresh token of prod is not rotated: whoever has it can go on using it"
			r.in.Steps[5].Text = "after 12 rounds there is still something new each time: somebody signs in with the password: change it"
			r.in.Ended = noon
			r.in.Proofs = []session.Proof{{Claim: "the refresh token desk/phone is dead", State: session.Disproven, How: "it can't be revoked: it holds a slash"}}
		},
		"respond cut off": func(a *app) {
			r := at(a, respondOver)
			r.in = testIncident(session.StepSessions, session.Failed)
			r.err = errors.New(long)
		},
		"aside": func(a *app) {
			a.take(asideMsg{Title: "THE THIEF  is in", Lines: []AsideLine{{Text: long, Bad: true}, {Text: "the password is refused", Good: true}, {Text: "waits"}}})
		},
	}
}
