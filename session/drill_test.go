package session

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

// thief holds what it stole and makes the most of it until it is stopped.
type thief struct {
	d        *drill
	rng      *rand.Rand
	password string // empty: it does not know it
	sabotage bool   // it also revokes what it finds

	mu     sync.Mutex
	pace   time.Duration        // the longest it waits between two moves
	access []api.Secret         // every access token that it ever had
	tokens []api.RefreshRequest // every refresh token
	moves  int
	stop   chan struct{}
	gone   chan struct{}
}

func newThief(d *drill, rng *rand.Rand, stolen api.RefreshRequest, password string, sabotage bool) *thief {
	return &thief{
		d: d, rng: rng, password: password, sabotage: sabotage, pace: 20 * time.Second,
		tokens: []api.RefreshRequest{stolen}, stop: make(chan struct{}), gone: make(chan struct{}),
	}
}

func (th *thief) hurry(pace time.Duration) {
	th.mu.Lock()
	defer th.mu.Unlock()
	th.pace = pace
}

// run steals until stopped.
func (th *thief) run() {
	defer close(th.gone)
	for {
		th.mu.Lock()
		wait := time.Duration(th.rng.Int64N(int64(th.pace)))
		move := th.rng.IntN(10)
		th.mu.Unlock()
		select {
		case <-th.stop:
			return
		case <-time.After(wait):
		}
		th.move(move)
	}
}

func (th *thief) move(move int) {
	ctx, c := th.d.t.Context(), th.d.other
	th.mu.Lock()
	th.moves++
	rt := th.tokens[th.rng.IntN(len(th.tokens))]
	n := th.rng.IntN(1000)
	var at api.Secret
	if len(th.access) > 0 {
		at = th.access[len(th.access)-1-n%min(3, len(th.access))]
	}
	th.mu.Unlock()
	switch {
	case move < 5 || at.IsZero():
		lifetime := time.Duration(n) * time.Hour // some outlive everything else
		if tok, err := c.Refresh(ctx, api.RefreshRequest{RefreshToken: rt.RefreshToken, ClientID: rt.ClientID, Lifetime: lifetime}); err == nil {
			th.got(tok, "")
		}
	case move < 7 && th.password != "":
		// Under another name each time, or ours, or one that can't be told from ours.
		// or that of the phone, for which it is handed the phone's own refresh token (contract 5).
		clientID := []string{"", fmt.Sprintf("thief-%d", n), rt.ClientID, "wakey-vm-00000bad", strings.Repeat("z", 150), "phone"}[n%6]
		if tok, err := elsewhere(ctx, c, "alice", th.password, clientID); err == nil {
			th.got(tok, clientID)
		}
	case move < 8 && th.sabotage:
		if page, err := c.MyRefreshTokens(ctx, at, api.ListOptions{}); err == nil {
			for _, rt := range page.Items {
				_ = c.RevokeMyRefreshToken(ctx, at, rt.ClientID)
			}
		}
	case move < 9 && th.sabotage:
		if page, err := c.UserSessions(ctx, at, drillAlice, api.ListOptions{}); err == nil && len(page.Items) > 0 {
			_ = c.RevokeUserSession(ctx, at, drillAlice, page.Items[n%len(page.Items)].UUID)
		}
	default:
		_, _ = c.MyRefreshTokens(ctx, at, api.ListOptions{})
	}
}

func (th *thief) got(tok *api.Token, clientID string) {
	th.mu.Lock()
	defer th.mu.Unlock()
	th.access = append(th.access, tok.Value)
	if !tok.RefreshToken.IsZero() {
		th.tokens = append(th.tokens, api.RefreshRequest{RefreshToken: tok.RefreshToken, ClientID: clientID})
	}
}

// powerless fails unless every request of the thief fails.
func (th *thief) powerless() {
	th.d.t.Helper()
	ctx, c := th.d.t.Context(), th.d.other
	for _, at := range th.access {
		if err := c.CheckToken(ctx, at, "", ""); !errors.Is(err, api.ErrTokenDead) {
			th.d.t.Errorf("an access token of the thief lives: %v", err)
		}
		if _, err := c.MyRefreshTokens(ctx, at, api.ListOptions{}); !errors.Is(err, api.ErrTokenDead) {
			th.d.t.Errorf("an access token of the thief may list: %v", err)
		}
	}
	for _, rt := range th.tokens {
		if _, err := c.Refresh(ctx, rt); !errors.Is(err, api.ErrRefreshRefused) {
			th.d.t.Errorf("the thief's refresh token of %s works: %v", rt.ClientID, err)
		}
	}
	if th.password != "" {
		if _, err := elsewhere(ctx, c, "alice", th.password, "thief"); !errors.Is(err, api.ErrBadCredentials) {
			th.d.t.Errorf("the thief signs in: %v", err)
		}
	}
}

// wire is this machine's network: it takes its time, and can be cut at a request.
type wire struct {
	next  http.RoundTripper
	lag   func() time.Duration
	left  atomic.Int64 // requests until the cut; below 0: none comes
	after bool         // the request that is cut off reaches the server
	kill  bool         // the cut is the process's end
	dead  atomic.Bool
}

var errCut = errors.New("connection cut")

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(w.lag())
	if w.dead.Load() {
		return nil, errCut
	}
	if w.left.Add(-1) != 0 {
		return w.next.RoundTrip(r)
	}
	w.dead.Store(true)
	if w.after {
		_, _ = w.next.RoundTrip(r)
	}
	// A refresh runs in a goroutine that others wait for; there the end is only a failure.
	if w.kill && (r.Method != http.MethodPost || r.Header.Get("Authorization") != "") {
		runtime.Goexit()
	}
	return nil, errCut
}

// thefts is for more certainty than a run of all tests has time for.
var thefts = flag.Int("thefts", 100, "rounds of the theft drill; 20 with -short")

// A hundred thefts, each with other times and moves, and the connection cut, or wakey killed, at a random request of
// half of the responses: whatever the thief tries afterwards fails, and nobody else's token was touched.
func TestTheftDrill(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rounds := *thefts
	if testing.Short() {
		rounds = min(20, rounds)
	}
	t.Logf("seed %d", seed)
	var cuts, kills, knew int
	for round := range rounds {
		rng := rand.New(rand.NewPCG(seed, uint64(round)))
		t.Run(fmt.Sprintf("%d of seed %d", round, seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cut, killed, known := theftDrill(t, rng, round%2 == 1)
				cuts, kills, knew = cuts+cut, kills+killed, knew+known
			})
		})
		if t.Failed() {
			return
		}
	}
	if cuts < rounds/2 {
		t.Errorf("%d of %d rounds were cut off, want half of them", cuts, rounds)
	}
	t.Logf("%d rounds, %d cut off (%d of them killed), in %d the thief knew the password", rounds, cuts, kills, knew)
}

func theftDrill(t *testing.T, rng *rand.Rand, cut bool) (cuts, kills, knew int) {
	d := newDrill(t)
	lag := func() time.Duration { return time.Duration(rand.Int64N(int64(40 * time.Millisecond))) }
	w := d.spiedOn(&wire{next: authd.Transport(d), lag: lag}, "alice-pass", "alice-new")
	watching := New(d.store, Options{Version: "test", Transport: w, Dir: d.dir, Watch: DefaultWatch})
	a := d.add(watching, "alice", "alice", 0)
	phone := d.elsewhere("alice", "phone")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- watching.Run(ctx) }()
	if err := watching.Label(a.ID, "phone", "my phone"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Duration(rng.Int64N(int64(time.Hour))))
	if n := alarms(watching); n != 0 {
		t.Errorf("%d alarms before the theft", n)
	}

	known := ""
	if rng.IntN(2) == 0 {
		known, knew = "alice-pass", 1
	}
	loot := d.stolen(a.ID)
	th := newThief(d, rand.New(rand.NewPCG(rng.Uint64(), 1)), loot, known, rng.IntN(3) == 0)
	go th.run()
	time.Sleep(th.pace * 10) // by then it has used it
	stolen := time.Now()
	for alarms(watching) == 0 && time.Since(stolen) < 2*DefaultWatch {
		time.Sleep(time.Second)
	}
	if late := time.Since(stolen); late > DefaultWatch*6/5+heartbeat {
		t.Errorf("the alarm came after %s", late)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}

	// The thief races the response.
	th.hurry(time.Second)
	h := ResponseHooks{
		Password: password("alice-pass"), NewPassword: newPassword("alice-new"), Confirm: d.agree, Stolen: []api.Secret{loot.RefreshToken},
	}
	in := d.race(rng, a, h, known != "", cut, &cuts, &kills)
	d.clean(in)

	// And for a while after it.
	time.Sleep(time.Duration(rng.Int64N(int64(time.Minute))))
	close(th.stop)
	<-th.gone
	th.powerless()
	if th.moves < 10 {
		t.Errorf("the thief made %d moves only", th.moves)
	}
	m := d.through(d.spied())
	if _, err := m.Refresh(t.Context(), a.ID); err != nil {
		t.Errorf("our own account: %v", err)
	}
	if !th.sabotage && known == "" {
		d.refreshElsewhere(api.RefreshRequest{RefreshToken: phone.RefreshToken, ClientID: "phone"})
	}
	intact(t, m.Audit())
	return cuts, kills, knew
}

// race plans and responds, over again when the network is cut in the middle.
func (d *drill) race(rng *rand.Rand, a Account, h ResponseHooks, change, cut bool, cuts, kills *int) *Incident {
	d.t.Helper()
	lag := func() time.Duration { return time.Duration(rand.Int64N(int64(40 * time.Millisecond))) }
	var plan *Plan
	for try := 0; ; try++ {
		m := d.through(d.spiedOn(&wire{next: authd.Transport(d), lag: lag}, "alice-pass", "alice-new"))
		var err error
		if plan, err = m.PlanResponse(d.t.Context(), a.ID, ResponseOptions{ChangePassword: change, All: change}); err == nil {
			d.witness.showPlan(plan)
			break
		}
		// The thief revoked our own access: sign in again, as the manager says.
		var problem *ProblemError
		if !errors.As(err, &problem) && !errors.Is(err, api.ErrTokenDead) || try == 20 {
			d.t.Fatalf("planning: %v", err)
		}
		_, _ = m.Rotate(d.t.Context(), a.ID, api.NewSecret("alice-pass"))
	}

	var in *Incident
	for try := 0; ; try++ {
		w := &wire{next: authd.Transport(d), lag: lag, after: rng.IntN(2) == 0, kill: rng.IntN(2) == 0}
		if cut && try == 0 {
			w.left.Store(1 + rng.Int64N(12+int64(d.Sessions(drillAlice)))) // about as many as it takes
		}
		m := d.through(d.spiedOn(w, "alice-pass", "alice-new"))
		var err error
		ended := make(chan bool)
		go func() {
			returned := false
			defer func() { ended <- returned }()
			if try == 0 {
				in, err = m.Respond(d.t.Context(), plan, h)
			} else if in, err = m.ResumeResponse(d.t.Context(), plan.ID, h); errors.Is(err, ErrNoIncident) {
				in, err = m.Respond(d.t.Context(), plan, h) // killed before it began
			}
			returned = true
		}()
		returned := <-ended
		m.Wait()
		if w.dead.Load() {
			*cuts++
			if !returned {
				*kills++
			}
		}
		if change && in != nil && in.step(StepPassword).State == Done {
			h.Password = password("alice-new")
		}
		if returned && err == nil && (in.Clean() || try == 5) {
			return in
		}
		var interrupted *InterruptedError
		if returned && err != nil && !errors.As(err, &interrupted) && !w.dead.Load() {
			d.t.Fatalf("responding: %v", err)
		}
		if try == 5 {
			d.t.Fatalf("still not over: %v", err)
		}
		if change && !returned {
			// Who was killed does not know how far the change of the password got.
			if _, err := elsewhere(d.t.Context(), d.other, "alice", "alice-new", ""); err == nil {
				h.Password = password("alice-new")
			}
		}
	}
}
