package session

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

var soakFor = flag.Duration("soak", 0, "how long TestSoak runs, such as 10m (with -v to see its figures)")

const (
	soakAccounts = 200
	soakWorkers  = 4
	soakDir      = "WAKEY_SOAK_DIR" // tells a worker where the store is
)

// soak is real time and real processes that keep one store's accounts signed in, some of them
// killed at any time, against a stack in which everything goes wrong now and then.
type soak struct {
	t        *testing.T
	server   *authd.Server
	store    *FileStore
	accounts []Account
	log      io.Writer

	reachable       atomic.Bool // the server answers, and what it does takes effect
	kills, faults   atomic.Int64
	longest         time.Duration // without a token that works, while reachable
	longestAccount  string
	samples, misses int
}

func TestSoak(t *testing.T) {
	if *soakFor == 0 {
		t.Skip("takes real time: run it with -v -soak=10m")
	}
	length := *soakFor
	if deadline, ok := t.Deadline(); ok && time.Until(deadline) < length+30*time.Second {
		length = time.Until(deadline) - 30*time.Second
		t.Logf("shortened to %s, for -timeout ends the test (-timeout=0 does not)", length.Round(time.Second))
	}
	s := newSoak(t)
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	begun := time.Now()

	var wait sync.WaitGroup
	for range soakWorkers {
		wait.Go(func() { s.keepWorker(ctx) })
	}
	wait.Go(func() { s.makeTrouble(ctx) })
	s.watch(ctx)
	wait.Wait()

	refreshes := s.server.Count(http.MethodPost, "/token refresh")
	lost, leaks := s.settle()
	t.Logf("soak of %s: %d accounts, %d processes of which %d were killed, %d refreshes asked for, %d faults injected; longest time an account was without a valid token while the server was up: %s%s (of %d looks %d); tokens lost: %d; cut-off attempts noted: %d",
		time.Since(begun).Round(time.Second), soakAccounts, soakWorkers+int(s.kills.Load()), s.kills.Load(), refreshes, s.faults.Load(),
		s.longest.Round(100*time.Millisecond), s.longestAccount, s.samples, s.misses, lost, leaks)
	if lost > 0 {
		t.Errorf("%d refresh tokens were lost", lost)
	}
	if refreshes < soakAccounts && length > 2*time.Minute {
		t.Errorf("only %d refreshes: the soak proves nothing", refreshes)
	}
}

// newSoak starts the server and signs everybody in, with lifetimes from 20 to 90 s.
func newSoak(t *testing.T) *soak {
	t.Helper()
	const tenant = "8e1a3c5e-0000-4000-8000-000000000001"
	seed := authd.Seed{Tenants: []authd.SeedTenant{{UUID: tenant, Name: "Example", Slug: "example"}}}
	for i := range soakAccounts {
		seed.Users = append(seed.Users, authd.SeedUser{Username: fmt.Sprint("user", i), Password: "x", Tenant: tenant})
	}
	server, err := authd.New(authd.Config{MaxSessions: 20}, seed)
	if err != nil {
		t.Fatal(err)
	}
	stack, err := authd.Start(t.Context(), server, "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	s := &soak{t: t, server: server, store: openTestStore(t.TempDir())}
	s.reachable.Store(true)
	log, err := os.Create(filepath.Join(t.ArtifactDir(), "workers.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	s.log = log

	if err := s.store.Init(t.Context(), PassphraseKey); err != nil {
		t.Fatal(err)
	}
	m := New(s.store, Options{})
	for i := range soakAccounts {
		a, err := m.SignIn(t.Context(), SignInRequest{
			Stack: stack.URL, Login: fmt.Sprint("user", i), Password: api.NewSecret("x"),
			Trust: api.Trust{Pin: stack.Fingerprint}, Lifetime: time.Duration(20+rand.N(71)) * time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		s.accounts = append(s.accounts, a)
	}
	return s
}

// keepWorker keeps one worker running, and kills it now and then.
func (s *soak) keepWorker(ctx context.Context) {
	for ctx.Err() == nil {
		worker := exec.Command(os.Args[0], "-test.run=^TestSoakWorker$", "-test.timeout=0")
		worker.Env = append(os.Environ(), soakDir+"="+s.store.Dir())
		worker.Stdout, worker.Stderr = s.log, s.log
		stop, err := worker.StdinPipe()
		if err == nil {
			err = worker.Start()
		}
		if err != nil {
			s.t.Error(err)
			return
		}
		ended := make(chan error, 1)
		go func() { ended <- worker.Wait() }()
		select {
		case err := <-ended:
			s.t.Errorf("a worker ended by itself: %v", err)
			return
		case <-time.After(2*time.Second + rand.N(18*time.Second)):
			s.kills.Add(1)
			_ = worker.Process.Kill()
			<-ended
			pause(ctx, rand.N(2*time.Second))
		case <-ctx.Done():
			_ = stop.Close()
			if err := <-ended; err != nil {
				s.t.Errorf("a worker that was told to stop: %v", err)
			}
		}
	}
}

// TestSoakWorker is not a test but one of the soak's processes: a manager without a screen. It
// runs until its standard input ends.
func TestSoakWorker(t *testing.T) {
	dir := os.Getenv(soakDir)
	if dir == "" {
		t.Skip("only as a process of TestSoak")
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil)).With("pid", os.Getpid())
	if err := New(openTestStore(dir), Options{Log: log}).Run(ctx); err != nil {
		t.Fatal(err)
	}
}

// makeTrouble puts one fault after the other in the way.
func (s *soak) makeTrouble(ctx context.Context) {
	faults := s.server.Faults()
	refresh := func(f authd.Fault, most int) {
		f.Path = "/token refresh"
		f.Times = 1 + rand.N(most)
		s.faults.Add(int64(f.Times))
		faults.Add(f)
	}
	for pause(ctx, 500*time.Millisecond+rand.N(3*time.Second)) {
		switch rand.N(10) {
		case 0:
			refresh(authd.Fault{Status: http.StatusInternalServerError}, 10)
		case 1:
			refresh(authd.Fault{Status: http.StatusInternalServerError, After: true}, 3)
		case 2:
			refresh(authd.Fault{Cut: true}, 5)
		case 3:
			refresh(authd.Fault{Status: http.StatusBadGateway, HTML: true}, 10)
		case 4:
			refresh(authd.Fault{Status: http.StatusTooManyRequests}, 3)
		case 5:
			refresh(authd.Fault{Delay: rand.N(2 * time.Second)}, 5)
		case 6:
			refresh(authd.Fault{Delay: rand.N(time.Second), Cut: true}, 3)
		case 7:
			s.outage(ctx, faults.SetDown)
		case 8:
			s.outage(ctx, faults.SetBusDown)
		case 9:
			s.crowd(ctx)
		}
	}
	faults.Clear()
	s.reachable.Store(true)
}

// outage lasts up to 4 s.
func (s *soak) outage(ctx context.Context, set func(bool)) {
	s.faults.Add(1)
	s.reachable.Store(false)
	set(true)
	pause(ctx, rand.N(4*time.Second))
	set(false)
	s.reachable.Store(true)
}

// crowd brings a user to the session ceiling from another device, for up to 3 s.
func (s *soak) crowd(ctx context.Context) {
	login := s.accounts[rand.N(len(s.accounts))].Login
	c, err := api.NewClient("pbx.example.com", api.Options{Transport: authd.Transport(s.server)})
	if err != nil {
		s.t.Error(err)
		return
	}
	s.faults.Add(1)
	var tokens []api.Secret
	for {
		tok, err := c.CreateToken(context.WithoutCancel(ctx), api.PasswordRequest{Login: login, Password: api.NewSecret("x")})
		if err != nil {
			if !errors.Is(err, api.ErrSessionCeiling) {
				s.t.Errorf("another device of %s: %v", login, err)
			}
			break
		}
		tokens = append(tokens, tok.Value)
	}
	pause(ctx, rand.N(3*time.Second))
	for _, token := range tokens {
		if err := c.RevokeToken(context.WithoutCancel(ctx), token); err != nil {
			s.t.Errorf("another device of %s: %v", login, err)
		}
	}
}

// watch looks ten times a second at what a caller of each account would get.
func (s *soak) watch(ctx context.Context) {
	const every = 100 * time.Millisecond
	without := map[ID]time.Duration{}
	for pause(ctx, every) {
		recs, err := s.store.Load(ctx)
		if err != nil {
			if ctx.Err() == nil {
				s.t.Errorf("the store: %v", err)
			}
			return
		}
		if len(recs) != soakAccounts {
			s.t.Errorf("%d accounts in the store", len(recs))
		}
		for i := range recs {
			r := &recs[i]
			s.samples++
			if s.works(r.Access) {
				without[r.ID] = 0
				continue
			}
			if !s.reachable.Load() {
				continue
			}
			s.misses++
			without[r.ID] += every
			if without[r.ID] > s.longest {
				s.longest, s.longestAccount = without[r.ID], " ("+r.Name+")"
			}
		}
	}
}

// works asks the server, past all faults but an outage, whether a token is good.
func (s *soak) works(a *Access) bool {
	if !a.alive(time.Now(), 0) {
		return false
	}
	req, err := http.NewRequest(http.MethodHead, "http://stack.example/0.1/token/"+a.Token.Reveal(), nil)
	if err != nil {
		return false
	}
	resp, err := authd.Transport(s.server).RoundTrip(req)
	return err != nil || resp.StatusCode == http.StatusNoContent // nobody can tell while it is down
}

// settle refreshes every account once more, now that nothing goes wrong, and counts those whose
// refresh token does not work any more, and the attempts noted as cut off.
func (s *soak) settle() (lost, leaks int) {
	ctx := context.WithoutCancel(s.t.Context())
	recs, err := s.store.Load(ctx)
	if err != nil {
		s.t.Error(err)
		return soakAccounts, 0
	}
	for _, r := range recs {
		leaks += len(r.Leaks)
		if held := s.server.RefreshTokens(r.UserUUID); len(held) != 1 || held[0] != r.ClientID {
			s.t.Errorf("%s: the server holds refresh tokens of %s, the store's is %s", r.Name, strings.Join(held, ", "), r.ClientID)
		}
	}
	m := New(s.store, Options{})
	if err := m.Load(ctx); err != nil {
		s.t.Error(err)
		return soakAccounts, leaks
	}
	for _, a := range s.accounts {
		if _, err := m.Refresh(ctx, a.ID); err != nil {
			lost++
			s.t.Errorf("%s: %v", a.Name, err)
		}
	}
	return lost, leaks
}

// pause tells whether there was time for it before ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
