package session

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

// TestRespondKilled ends the process at every request of a response, before and after it, and resumes it.
func TestRespondKilled(t *testing.T) {
	for _, after := range []bool{false, true} {
		for n := 1; ; n++ {
			over := false
			t.Run(fmt.Sprintf("request %d, after %v", n, after), func(t *testing.T) {
				inBubble(t, func(t *testing.T) { over = respondKilled(t, after, n) })
			})
			if over || t.Failed() {
				if n < 10 {
					t.Errorf("a response takes %d requests only", n-1)
				}
				break
			}
		}
	}
}

func respondKilled(t *testing.T, after bool, n int) (over bool) {
	d := newDrill(t)
	m := d.through(d.spied())
	a := d.add(m, "alice", "alice", 0)
	evil := d.elsewhere("alice", "evil")
	stolen := d.stolen(a.ID)
	loot := d.refreshElsewhere(stolen)
	p := d.plan(m, a.ID, ResponseOptions{})

	w := &wire{next: authd.Transport(d), lag: func() time.Duration { return 0 }, kill: true, after: after}
	w.left.Store(int64(n))
	dying := d.through(d.spiedOn(w))
	ended := make(chan bool)
	go func() {
		returned := false
		defer func() { ended <- returned }()
		_, _ = dying.Respond(t.Context(), p, ResponseHooks{Password: password("alice-pass")})
		returned = true
	}()
	over = <-ended

	next := d.through(d.spied())
	all, err := next.Incidents()
	if err != nil || len(all) != 1 || over && all[0].Ended.IsZero() { // the look at its end comes after that
		t.Fatalf("incidents %+v, %v", all, err)
	}
	h := ResponseHooks{Password: password("alice-pass"), Confirm: d.agree}
	if account(t, next, a.ID).ClientID != a.ClientID {
		h = ResponseHooks{} // it is rotated, so nothing is left to ask about
	}
	in, err := next.ResumeResponse(t.Context(), p.ID, h)
	if err != nil {
		t.Fatal(err)
	}
	d.clean(in)
	d.dead(evil, "evil")
	loot.RefreshToken = stolen.RefreshToken
	d.dead(loot, stolen.ClientID)
	if got := d.RefreshTokens(drillAlice); len(got) != 1 {
		t.Errorf("refresh tokens %v", got)
	}
	if rec, err := d.store.Get(t.Context(), a.ID); err != nil || len(rec.OldClientIDs) != 0 {
		t.Errorf("still to be revoked: %q, %v", rec.OldClientIDs, err)
	}
	d.works(next, a.ID)
	intact(t, next.Audit())
	return over
}

// Who comes back between the list that showed nothing and the resumption is found: the end is done anew.
func TestResumeListsAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.through(d.spied())
		a := d.add(m, "alice", "alice", 0)
		p := d.plan(m, a.ID, ResponseOptions{})
		_, err := m.Respond(t.Context(), p, ResponseHooks{Password: password("alice-pass"), Progress: func(in Incident) {
			if in.Steps[6].State == Running {
				d.Faults().SetDown(true)
			}
		}})
		var cut *InterruptedError
		if !errors.As(err, &cut) || cut.Step != StepProve {
			t.Fatalf("error %v", err)
		}
		d.Faults().SetDown(false)
		late := d.elsewhere("alice", "late")
		in, err := m.ResumeResponse(t.Context(), p.ID, ResponseHooks{Confirm: d.agree})
		if err != nil {
			t.Fatal(err)
		}
		d.clean(in)
		d.dead(late, "late")
	})
}

func TestResponsesExcludeEachOther(t *testing.T) {
	for _, kept := range []bool{true, false} { // in files, or in memory
		inBubble(t, func(t *testing.T) {
			d := newDrill(t)
			o := Options{Version: "test", Transport: d.spied()}
			if kept {
				o.Dir = d.dir
			}
			m := New(d.store, o)
			a := d.add(m, "alice", "alice", 0)
			all := []*Manager{m}
			if kept {
				all = append(all, d.through(d.spied()))
			}
			p := d.plan(m, a.ID, ResponseOptions{})
			var errs []error
			d.respond(m, p, ResponseHooks{Password: password("alice-pass"), Progress: func(Incident) {
				if errs == nil {
					for _, o := range all {
						_, err := o.ResumeResponse(t.Context(), p.ID, ResponseHooks{})
						errs = append(errs, err)
					}
				}
			}})
			for _, err := range errs {
				if err == nil {
					t.Error("the same response is carried out twice at once")
				}
			}
			for _, id := range []string{"20261123-000000-0000", "../../etc/passwd", ""} {
				if _, err := m.ResumeResponse(t.Context(), id, ResponseHooks{}); !errors.Is(err, ErrNoIncident) {
					t.Errorf("%q: %v", id, err)
				}
			}
		})
	}
}

// While the stack is away the response stops, says so, and goes on later.
func TestRespondOffline(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.through(d.spied())
		a := d.add(m, "alice", "alice", 0)
		evil := d.elsewhere("alice", "evil")
		p := d.plan(m, a.ID, ResponseOptions{})
		d.Faults().SetDown(true)
		in, err := m.Respond(t.Context(), p, ResponseHooks{Password: password("alice-pass")})
		var cut *InterruptedError
		if !errors.As(err, &cut) || cut.Incident != p.ID || cut.Step != StepSnapshot || !errors.Is(err, api.ErrNetwork) || !in.Ended.IsZero() {
			t.Fatalf("error %v", err)
		}
		d.Faults().SetDown(false)
		if all, err := m.CutOff(); err != nil || all[a.ID].Plan.ID != p.ID {
			t.Errorf("cut off: %+v, %v", all, err)
		}
		if in, err = m.ResumeResponse(t.Context(), p.ID, ResponseHooks{Password: password("alice-pass"), Confirm: d.agree}); err != nil {
			t.Fatal(err)
		}
		d.clean(in)
		d.dead(evil, "evil")
		if all, err := m.CutOff(); err != nil || len(all) != 0 {
			t.Errorf("cut off: %+v, %v", all, err)
		}
	})
}

// A journal of another user than the account's, or of another stack, is not gone on with: it would revoke somebody else's.
func TestResumeOfSomebodyElse(t *testing.T) {
	for name, change := range map[string]func(*Plan){
		"user":  func(p *Plan) { p.UserUUID = drillBob },
		"stack": func(p *Plan) { p.Stack = "https://other.example.com" },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				d := newDrill(t)
				m := d.through(d.spied())
				a := d.add(m, "alice", "alice", 0)
				in := d.respond(m, d.plan(m, a.ID, ResponseOptions{}), ResponseHooks{})
				change(&in.Plan)
				if err := m.keepIncident(in); err != nil {
					t.Fatal(err)
				}
				before := d.Count("", "")
				if _, err := m.ResumeResponse(t.Context(), in.Plan.ID, ResponseHooks{}); err == nil || !strings.Contains(err.Error(), "another user's now") {
					t.Errorf("error %v", err)
				}
				if n := d.Count("", "") - before; n != 0 {
					t.Errorf("%d requests", n)
				}
			})
		})
	}
}
