//go:build linux

package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
	"wakey/session"
)

var (
	rounds = flag.Int("rounds", 20, "how often TestKilledHolder kills a process")
	inARow = flag.Int("in-a-row", 60, "how often TestTokensInARow asks for the token")
	among  = flag.Int("among", 4, "how many processes want the token in each of its rounds")
)

// house is a home with alice's account in its store, and the stack that she signed in to. Tests
// run the program in it as processes.
type house struct {
	tb      testing.TB
	server  *authd.Server
	stack   *authd.Running
	env     []string
	dir     string // of the store
	store   *session.FileStore
	account session.Record
	asked   chan struct{} // gets a value when somebody asks for a token, before the answer
}

// newHouse signs alice in.
func newHouse(tb testing.TB) *house {
	tb.Helper()
	h := newEmptyHouse(tb, authd.DemoSeed())
	h.login("alice")
	all, err := h.store.Load(tb.Context())
	if err != nil || len(all) != 1 {
		tb.Fatal(len(all), err)
	}
	h.account = all[0]
	return h
}

func newEmptyHouse(tb testing.TB, seed authd.Seed) *house {
	tb.Helper()
	return newHouseBehind(tb, seed, func(stack http.Handler) http.Handler { return stack })
}

// newHouseBehind puts something before the stack.
func newHouseBehind(tb testing.TB, seed authd.Seed, before func(http.Handler) http.Handler) *house {
	tb.Helper()
	server, err := authd.New(authd.Config{}, seed)
	if err != nil {
		tb.Fatal(err)
	}
	asked := make(chan struct{}, 1)
	stack, err := authd.Start(tb.Context(), before(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			select {
			case asked <- struct{}{}:
			default:
			}
		}
		server.ServeHTTP(w, r)
	})), "127.0.0.1:0", false)
	if err != nil {
		tb.Fatal(err)
	}
	home := tb.TempDir()
	if err := quickStore(home); err != nil {
		tb.Fatal(err)
	}
	h := &house{
		tb: tb, server: server, stack: stack, asked: asked, dir: filepath.Join(home, "data", "wakey"),
		env: []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + home,
			"XDG_DATA_HOME=" + home + "/data", "XDG_CONFIG_HOME=" + home + "/config",
			"DBUS_SESSION_BUS_ADDRESS=disabled:", "WAKEY_PASSPHRASE_FILE=" + home + "/passphrase",
		},
	}
	h.store = session.OpenFileStore(h.dir, session.StoreOptions{
		Passphrase: func(context.Context, session.PassphraseRequest) (api.Secret, error) {
			return secretFile(filepath.Join(home, "passphrase"))
		},
	})
	return h
}

// process is the program with args, not yet started.
func (h *house) process(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(h.tb.Context(), "wakey", args...)
	cmd.Env = h.env
	return cmd
}

func (h *house) login(user string) {
	h.tb.Helper()
	cmd := h.process("login", h.stack.URL, "--user", user, "--fingerprint", h.stack.Fingerprint, "--password-stdin")
	cmd.Stdin = strings.NewReader(user + "-demo")
	if out, err := cmd.CombinedOutput(); err != nil {
		h.tb.Fatalf("wakey login: %v\n%s", err, out)
	}
}

// rename gives alice's account another name.
func (h *house) rename(name string) {
	h.tb.Helper()
	if _, err := h.store.Update(h.tb.Context(), h.account.ID, func(r *session.Record) error { r.Name = name; return nil }); err != nil {
		h.tb.Fatal(err)
	}
}

// expire lets alice's access token run out, on the server and as the store knows it, and forgets
// what happened before.
func (h *house) expire() {
	h.tb.Helper()
	h.server.RevokeSessions(h.account.UserUUID)
	rec, err := h.store.Update(h.tb.Context(), h.account.ID, func(r *session.Record) error {
		past := time.Now().Add(-time.Hour)
		r.Access.ObtainedAt, r.Access.RefreshAt, r.Access.ExpiresAt = past.Add(-time.Hour), past, past
		r.Leaks = nil
		return nil
	})
	if err != nil {
		h.tb.Fatal(err)
	}
	h.account = rec
	select {
	case <-h.asked:
	default:
	}
	h.server.Faults().Clear()
	h.server.ResetRequests()
}

func (h *house) refreshes() int { return h.server.Count(http.MethodPost, "/token refresh") }

// lives tells whether the server takes a token.
func (h *house) lives(token string) bool {
	h.tb.Helper()
	req, err := http.NewRequest(http.MethodHead, "http://stack.example/0.1/token/"+token, nil)
	if err != nil {
		h.tb.Fatal(err)
	}
	resp, err := authd.Transport(h.server).RoundTrip(req)
	if err != nil {
		h.tb.Fatal(err)
	}
	return resp.StatusCode == http.StatusNoContent
}

// racer is a "wakey token" beside others.
type racer struct {
	*exec.Cmd

	out, err bytes.Buffer
	ended    chan error
}

func (h *house) race(n int) []*racer {
	h.tb.Helper()
	all := make([]*racer, n)
	for i := range all {
		r := &racer{Cmd: h.process("token", "--no-input"), ended: make(chan error, 1)}
		r.Stdout, r.Stderr = &r.out, &r.err
		if err := r.Start(); err != nil {
			h.tb.Fatal(err)
		}
		go func() { r.ended <- r.Wait() }()
		all[i] = r
	}
	return all
}

// finish waits for the racers, and gives the token that those who were not killed agree on.
func (h *house) finish(all []*racer) string {
	h.tb.Helper()
	token := ""
	for i, r := range all {
		var exit *exec.ExitError
		if err := <-r.ended; errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
			continue
		} else if err != nil {
			h.tb.Fatalf("process %d: %v\n%s", i, err, r.err.String())
		}
		got := strings.TrimSpace(r.out.String())
		if token == "" {
			token = got
		}
		if got != token {
			h.tb.Errorf("process %d printed %q, others %q", i, got, token)
		}
	}
	if !h.lives(token) {
		h.tb.Errorf("the server does not take what was printed: %q", token)
	}
	return token
}

// Fifty processes that all want the token of one account, which has expired, ask for it once.
func TestManyProcesses(t *testing.T) {
	h := newHouse(t)
	h.expire()
	// All of them are there before there is an answer.
	h.server.Faults().Add(authd.Fault{Path: "/token refresh", Delay: 3 * time.Second, Times: 1})
	h.finish(h.race(50))
	if n := h.refreshes(); n != 1 {
		t.Errorf("%d refreshes reached the server, want 1", n)
	}
}

// Whoever holds the account's lock may be killed at any instant: the others go on, with one
// request more at most, and the store tells what the server may hold that nobody knows.
func TestKilledHolder(t *testing.T) {
	n := *rounds
	if testing.Short() {
		n = min(n, 5)
	}
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, seed))
	h := newHouse(t)
	refreshToken, clientID := h.account.RefreshToken, h.account.ClientID
	kills, extra, leaks := 0, 0, 0
	for round := range n {
		h.expire()
		// Half of the kills meet a slow request, the other half what stands before and behind it.
		delay := time.Millisecond
		if round%2 == 0 {
			delay = 50*time.Millisecond + time.Duration(random.Int64N(int64(50*time.Millisecond)))
		}
		h.server.Faults().Add(authd.Fault{Path: "/token refresh", Delay: delay, Times: 1})
		wait := time.Duration(random.Int64N(int64(delay + 5*time.Millisecond)))
		racers := h.race(*among)
		killed := 0
		if h.killHolder(racers, wait) {
			killed = 1
		}
		h.finish(racers)

		requests := h.refreshes()
		rec, err := h.store.Get(t.Context(), h.account.ID)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if requests < 1 || requests > 1+killed {
			t.Errorf("round %d: %d refreshes with %d killed", round, requests, killed)
		}
		if unknown := requests - 1; len(rec.Leaks) < unknown {
			t.Errorf("round %d: %d answers were lost, and %d noted", round, unknown, len(rec.Leaks))
		}
		if !rec.RefreshToken.Equal(refreshToken) || rec.ClientID != clientID || rec.Problem != nil {
			t.Errorf("round %d: the refresh token was lost: %s %s %v", round, rec.RefreshToken, rec.ClientID, rec.Problem)
		}
		if held := h.server.RefreshTokens(rec.UserUUID); len(held) != 1 || held[0] != clientID {
			t.Errorf("round %d: the server holds the refresh tokens %q", round, held)
		}
		if accounts, err := session.ReadIndex(h.dir); err != nil || len(accounts) != 1 || accounts[0].ID != rec.ID {
			t.Errorf("round %d: the index: %d accounts, %v", round, len(accounts), err)
		}
		if lock, err := h.store.Lock(t.Context(), rec.ID); err != nil {
			t.Errorf("round %d: the lock: %v", round, err)
		} else {
			// Only a note whose outcome the store has may stay: nobody had to ask any more.
			if a := lock.Interrupted; a != nil && !a.At.Equal(rec.Access.ObtainedAt) {
				t.Errorf("round %d: an attempt is still noted: %+v", round, *a)
			}
			if err := lock.End(); err != nil {
				t.Error(err)
			}
			lock.Release()
		}
		kills, extra, leaks = kills+killed, extra+requests-1, leaks+len(rec.Leaks)
		if t.Failed() {
			break
		}
	}
	t.Logf("%d rounds (random seed %d): %d processes killed while they held the lock, %d refreshes more than one a round, %d attempts noted as cut off",
		n, seed, kills, extra, leaks)
	if kills < n/3 {
		t.Errorf("only %d of %d rounds killed anybody", kills, n)
	}
}

// killHolder kills the process that holds the account's lock when wait is over after somebody got
// it, and tells whether there was one.
func (h *house) killHolder(racers []*racer, wait time.Duration) bool {
	h.tb.Helper()
	tick := time.NewTicker(500 * time.Microsecond)
	defer tick.Stop()
	var seen time.Time
	for range tick.C {
		holder := h.holder(racers)
		switch {
		case holder != nil && seen.IsZero():
			seen = time.Now()
		case holder != nil && time.Since(seen) >= wait:
			return holder.Process.Kill() == nil
		case holder == nil && allEnded(racers):
			return false
		}
	}
	return false
}

func allEnded(racers []*racer) bool {
	for _, r := range racers {
		if len(r.ended) == 0 {
			return false
		}
	}
	return true
}

// holder finds who has the account's lock by the kernel's list of locks.
func (h *house) holder(racers []*racer) *racer {
	h.tb.Helper()
	info, err := os.Stat(filepath.Join(h.dir, "locks", string(h.account.ID)+".lock"))
	if err != nil {
		return nil
	}
	inode := ":" + strconv.FormatUint(info.Sys().(*syscall.Stat_t).Ino, 10)
	locks, err := os.ReadFile("/proc/locks")
	if err != nil {
		h.tb.Fatal(err)
	}
	for line := range strings.Lines(string(locks)) {
		// 1: FLOCK  ADVISORY  WRITE 708 fe:01:1311767 0 EOF
		f := strings.Fields(line)
		if len(f) < 6 || f[1] != "FLOCK" || !strings.HasSuffix(f[5], inode) {
			continue
		}
		for _, r := range racers {
			if strconv.Itoa(r.Process.Pid) == f[4] {
				return r
			}
		}
	}
	return nil
}

// However often the token is asked for, nothing is left behind: no lock, no temporary file, no session.
func TestTokensInARow(t *testing.T) {
	if testing.Short() {
		t.Skip("a process for each: without -short")
	}
	h := newHouse(t)
	files := func() (names []string) {
		err := filepath.WalkDir(filepath.Dir(filepath.Dir(h.dir)), func(path string, _ fs.DirEntry, err error) error {
			names = append(names, path)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	first, err := printed(t, h, "token")
	if err != nil {
		t.Fatal(err)
	}
	before := files()
	for range *inARow {
		if token, err := printed(t, h, "token"); token != first || err != nil {
			t.Fatalf("%q, not %q: %v", token, first, err)
		}
	}
	if after := files(); !slices.Equal(before, after) {
		t.Errorf("there was %q, and is %q", before, after)
	}
	if n, asked := h.server.Sessions(users["alice"]), h.server.Count(http.MethodPost, "/token"); n != 1 || asked != 1 {
		t.Errorf("%d sessions, and %d requests for a token", n, asked)
	}
	lock, err := h.store.Lock(t.Context(), h.account.ID)
	if err != nil || lock.Interrupted != nil {
		t.Fatalf("the lock: %v, %+v", err, lock)
	}
	lock.Release()
}
