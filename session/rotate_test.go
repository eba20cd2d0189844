package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

func TestRotate(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.through(d.spied("alice-pass", "wrong-pass"))
		a := d.add(m, "alice", "alice", time.Hour)
		stolen := d.stolen(a.ID)
		loot := d.refreshElsewhere(stolen)
		if _, err := m.Rotate(t.Context(), a.ID, api.NewSecret("wrong-pass")); !errors.Is(err, api.ErrBadCredentials) {
			t.Errorf("a wrong password: %v", err)
		}
		if got := d.stolen(a.ID); !got.RefreshToken.Equal(stolen.RefreshToken) || !slices.Equal(d.RefreshTokens(drillAlice), []string{a.ClientID}) {
			t.Error("a wrong password changed something")
		}
		n := d.Sessions(drillAlice)
		b, err := m.Rotate(t.Context(), a.ID, api.NewSecret("alice-pass"))
		if err != nil {
			t.Fatal(err)
		}
		if b.ID != a.ID || b.ClientID == a.ClientID || b.Lifetime != time.Hour || !slices.Equal(d.RefreshTokens(drillAlice), []string{b.ClientID}) {
			t.Errorf("%+v, refresh tokens %v", b, d.RefreshTokens(drillAlice))
		}
		if _, err := d.other.Refresh(t.Context(), stolen); !errors.Is(err, api.ErrRefreshRefused) {
			t.Errorf("the old refresh token: %v", err)
		}
		if err := d.other.CheckToken(t.Context(), loot.Value, "", ""); err != nil {
			t.Errorf("rotating alone ends no session of others: %v", err)
		}
		if d.Sessions(drillAlice) != n {
			t.Errorf("%d sessions, were %d", d.Sessions(drillAlice), n)
		}
		d.works(m, a.ID)
	})
}

// The name that the account signed in with belongs to another user by now, and that user's
// password is given.
func TestRotateAsSomebodyElse(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.through(d.spied())
		a := d.add(m, "alice", "alice", 0)
		boss := d.elsewhere("ada", "")
		for uuid, name := range map[string]string{drillAlice: "alicia", drillBob: "alice"} {
			for range 2 { // whichever comes first
				_, _ = d.other.UpdateUser(t.Context(), boss.Value, uuid, func(u *api.User) error { u.Username = name; return nil })
			}
		}
		_, _ = d.other.UpdateUser(t.Context(), boss.Value, drillBob, func(u *api.User) error { u.Username = "alice"; return nil })
		if _, err := m.Rotate(t.Context(), a.ID, api.NewSecret("bob-pass")); !errors.Is(err, errIdentity) {
			t.Fatalf("error %v", err)
		}
		if n := d.Sessions(drillBob); n != 0 || len(d.RefreshTokens(drillBob)) != 0 {
			t.Errorf("bob has %d sessions and %v", n, d.RefreshTokens(drillBob))
		}
		if got := account(t, m, a.ID); got.UserUUID != drillAlice || got.ClientID != a.ClientID {
			t.Errorf("%+v", got)
		}
	})
}

// mortal is a store whose user dies at one of its writes.
type mortal struct {
	Store
	left  int
	after bool
}

func (s *mortal) Update(ctx context.Context, id ID, fn func(*Record) error) (r Record, err error) {
	if s.left--; s.left != 0 {
		return s.Store.Update(ctx, id, fn)
	}
	if s.after {
		_, _ = s.Store.Update(ctx, id, fn)
	}
	runtime.Goexit()
	return r, err
}

// TestRotateKilled ends the process at every request and at every write of a rotation, before and after it.
func TestRotateKilled(t *testing.T) {
	for i := range 8 {
		place := []string{"request", "write"}[i&1]
		after, later := i&2 != 0, []time.Duration{0, 3 * time.Hour}[i>>2]
		for n := 1; ; n++ {
			over := false
			t.Run(fmt.Sprintf("%s %d, after %v, %s later", place, n, after, later), func(t *testing.T) {
				inBubble(t, func(t *testing.T) { over = rotateKilled(t, place, after, n, later) })
			})
			if over {
				if n < 3 {
					t.Errorf("a rotation takes %d %ss only", n-1, place)
				}
				break
			}
			if t.Failed() {
				return
			}
		}
	}
}

func rotateKilled(t *testing.T, place string, after bool, n int, later time.Duration) (over bool) {
	d := newDrill(t)
	m := d.through(d.spied())
	a := d.add(m, "alice", "alice", 0)
	d.look(m, a.ID)

	w := &wire{next: authd.Transport(d), lag: func() time.Duration { return 0 }, kill: true, after: after}
	s := &mortal{Store: d.store, after: after}
	if place == "request" {
		w.left.Store(int64(n))
	} else {
		s.left = n
	}
	ended := make(chan bool)
	go func() {
		returned := false
		defer func() { ended <- returned }()
		m := New(s, Options{Version: "test", Transport: d.spiedOn(w), Dir: d.dir})
		if m.Load(t.Context()) == nil {
			_, _ = m.Rotate(t.Context(), a.ID, api.NewSecret("alice-pass"))
		}
		returned = true
	}()
	over = <-ended

	next := d.through(d.spied())
	if later > 0 {
		// The watch takes it for our own doing, and ends what is left of it.
		d.look(next, a.ID)
		d.works(next, a.ID)
		time.Sleep(later)
		d.works(next, a.ID)
		d.look(next, a.ID)
	}
	if alarms(next) != 0 {
		t.Errorf("alarms %+v", next.Events())
	}
	b, err := next.Rotate(t.Context(), a.ID, api.NewSecret("alice-pass"))
	if err != nil {
		t.Fatal(err)
	}
	if got := d.RefreshTokens(drillAlice); !slices.Equal(got, []string{b.ClientID}) {
		t.Errorf("refresh tokens %v, want %s alone", got, b.ClientID)
	}
	d.look(next, a.ID)
	d.works(next, a.ID)
	return over
}

// An old refresh token that could not be revoked is told, remembered, and revoked later.
func TestRotateCanNotRetire(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.through(d.spied())
		a := d.add(m, "alice", "alice", 0)
		d.Faults().Add(authd.Fault{Path: "/users/me/tokens/{client_id}", Status: http.StatusBadGateway, HTML: true})
		if _, err := m.Rotate(t.Context(), a.ID, api.NewSecret("alice-pass")); !errors.Is(err, ErrNotRetired) {
			t.Errorf("error %v", err)
		}
		d.works(m, a.ID)
		d.Faults().Clear()
		d.look(m, a.ID)
		if n := len(d.RefreshTokens(drillAlice)); n != 1 || alarms(m) != 0 {
			t.Errorf("%d refresh tokens, events %+v", n, m.Events())
		}
	})
}

// Whatever comes up after the first clean listing, of a request that was under way, is found by the second, a while later.
func TestSweepLooksTwice(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		var sweeping, sent atomic.Bool
		came := make(chan *api.Token, 1)
		m := d.through(roundTrip(func(r *http.Request) (*http.Response, error) {
			res, err := authd.Transport(d).RoundTrip(r)
			if r.Method == http.MethodGet && r.URL.Path == "/api/auth/0.1/users/"+drillAlice+"/sessions" && sweeping.Load() && !sent.Swap(true) {
				go func() {
					time.Sleep(sweepPause * 3 / 4)
					came <- d.elsewhere("alice", "late")
				}()
			}
			return res, err
		}))
		a := d.add(m, "alice", "alice", 0)
		p := d.plan(m, a.ID, ResponseOptions{})
		in := d.respond(m, p, ResponseHooks{
			Password: password("alice-pass"),
			Progress: func(in Incident) { sweeping.Store(in.Steps[5].State == Running) },
		})
		d.clean(in)
		if late := <-came; len(in.Appeared) != 1 {
			t.Errorf("appeared %v", in.Appeared)
		} else {
			d.dead(late, "late")
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Somebody who knows the password, which is not changed, comes back for ever: that is told, and
// the response ends.
func TestSweepAgainstThePassword(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.through(roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodGet {
				d.elsewhere("alice", "ever")
			}
			return authd.Transport(d).RoundTrip(r)
		}))
		a := d.add(m, "alice", "alice", 0)
		p := d.plan(m, a.ID, ResponseOptions{})
		in := d.respond(m, p, ResponseHooks{Password: password("alice-pass")})
		s := in.step(StepSweep)
		if in.Clean() || s.State != Failed || !strings.Contains(s.Text, "somebody signs in with the password: change it") {
			t.Error(story(in))
		}
		if in.Intruder == 0 || in.Ended.IsZero() {
			t.Errorf("%+v", in)
		}
	})
}

// A thief that fills the session ceiling before our sign-in is thrown out to make room for it.
func TestRotateAtTheCeiling(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		var stolen api.RefreshRequest
		m := d.through(d.spiedOn(roundTrip(func(r *http.Request) (*http.Response, error) {
			for r.Header.Get("Authorization") != "" && !stolen.RefreshToken.IsZero() && d.Sessions(drillAlice) < 100 {
				if d.Count("", "/token password") > 3 {
					break // it tires
				}
				d.refreshElsewhere(stolen)
			}
			return authd.Transport(d).RoundTrip(r)
		})))
		a := d.add(m, "alice", "alice", 0)
		p := d.plan(m, a.ID, ResponseOptions{})
		stolen = d.stolen(a.ID)
		in := d.respond(m, p, ResponseHooks{Password: password("alice-pass")})
		d.clean(in)
		if d.Count("", "/token password") < 3 {
			t.Error("the ceiling was never met")
		}
		if _, err := d.other.Refresh(t.Context(), stolen); !errors.Is(err, api.ErrRefreshRefused) {
			t.Errorf("the stolen refresh token: %v", err)
		}
	})
}
