package session

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

var fleetRounds = flag.Int("rounds", 0, "how many rounds of misfortune TestFleetInTrouble goes through, such as 100 (with -v to see its figures)")

// bucketFleet is many machines with one account in a bucket of a real cluster.
type bucketFleet struct {
	t        *testing.T
	cluster  *natsCluster
	bucket   Bucket
	stack    *authd.Server
	clerk    *tokenClerk
	account  Account
	machines []*fleetMachine
	later    atomic.Int64 // by how much all clocks of the machines are ahead, in nanoseconds
	log      journal
}

// journal is what all machines tell of.
type journal struct {
	mu   sync.Mutex
	text []byte
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.text = append(j.text, b...)
	return len(b), nil
}

// take returns what was told since the last time.
func (j *journal) take() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	text := string(j.text)
	j.text = nil
	return text
}

type fleetMachine struct {
	store *BucketStore
	m     *Manager
}

const fleetLifetime = 2 * time.Hour

// tokenClerk stands between the machines and the stack, and writes down which token was asked for when.
type tokenClerk struct {
	next http.RoundTripper
	// answered is called before an answer with a token goes on its way.
	answered func()

	mu    sync.Mutex
	clock int // counts requests and answers
	asked map[string]span
}

// span is when a token was asked for and when it was given.
type span struct{ from, to int }

func (c *tokenClerk) tick() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock++
	return c.clock
}

func (c *tokenClerk) RoundTrip(r *http.Request) (*http.Response, error) {
	from := c.tick()
	resp, err := c.next.RoundTrip(r)
	if err != nil || r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/token") {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var doc struct {
		Data struct {
			Session string `json:"session_uuid"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &doc) == nil && doc.Data.Session != "" {
		to := c.tick()
		c.mu.Lock()
		c.asked[doc.Data.Session] = span{from, to}
		c.mu.Unlock()
	}
	if c.answered != nil {
		c.answered()
	}
	return resp, err
}

// olderThan tells whether session a was asked for, and given, before anybody asked for b.
func (c *tokenClerk) olderThan(a, b string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked[a].to < c.asked[b].from
}

// newBucketFleet signs in on the first of n machines; all have read the account then.
func newBucketFleet(t *testing.T, c *natsCluster, n int) *bucketFleet {
	t.Helper()
	dial, glance := bucketDial, bucketGlance
	bucketDial, bucketGlance = time.Minute, time.Minute // the machine that runs all this may be busy
	t.Cleanup(func() { bucketDial, bucketGlance = dial, glance })
	stack, err := authd.New(authd.Config{}, authd.DemoSeed())
	if err != nil {
		t.Fatal(err)
	}
	f := &bucketFleet{t: t, cluster: c, stack: stack, bucket: Bucket{URL: c.urls(), Name: "fleet"}}
	f.clerk = &tokenClerk{next: authd.Transport(stack), asked: map[string]span{}}
	first := join(t, f.bucket, len(c.nodes))
	for i := range n {
		store := first
		if i > 0 {
			store = openTestBucket(t, copyMachine(t, first.Dir()))
		}
		f.machines = append(f.machines, &fleetMachine{store, New(store, Options{
			Transport: f.clerk, Log: slog.New(slog.NewTextHandler(&f.log, nil)), Now: func() time.Time { return time.Now().Add(time.Duration(f.later.Load())) },
		})})
	}
	if f.account, err = f.machines[0].m.SignIn(t.Context(), SignInRequest{
		Stack: "pbx.example.com", Login: "alice", Password: api.NewSecret("alice-demo"), Lifetime: fleetLifetime,
	}); err != nil {
		t.Fatal(err)
	}
	f.each(func(_ int, m *fleetMachine) {
		if err := m.m.Load(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return f
}

// copyMachine makes a directory that has joined what another has joined.
func copyMachine(tb testing.TB, dir string) string {
	tb.Helper()
	other := tb.TempDir()
	for _, name := range []string{engineName, keyName, wrappedName} {
		if err := os.WriteFile(filepath.Join(other, name), readFile(tb, filepath.Join(dir, name)), fileMode); err != nil {
			tb.Fatal(err)
		}
	}
	return other
}

func (f *bucketFleet) each(fn func(i int, m *fleetMachine)) {
	var all sync.WaitGroup
	for i, m := range f.machines {
		all.Go(func() { fn(i, m) })
	}
	all.Wait()
}

func (f *bucketFleet) refreshes() int { return f.stack.Count(http.MethodPost, "/token refresh") }

// expire lets the token of all machines run out, and its session with it.
func (f *bucketFleet) expire() {
	f.stack.ExpireTokens(f.account.UserUUID)
	f.later.Add(int64(fleetLifetime + time.Minute))
}

// Two hundred machines find at the same instant that their token is dead: one refreshes, all have the
// same new token, and the user has one session more.
func TestFleetMeetsTheExpiryTogether(t *testing.T) {
	machines := 200
	if testing.Short() {
		machines = 50
	}
	f := newBucketFleet(t, startCluster(t, 3), machines)
	f.later.Add(int64(fleetLifetime + time.Minute))
	got := make([]Access, len(f.machines))
	f.each(func(i int, m *fleetMachine) {
		var err error
		if got[i], err = m.m.Token(t.Context(), f.account.ID, 0); err != nil {
			t.Errorf("machine %d: %v", i, err)
		}
	})
	for i := range got {
		if !got[i].Token.Equal(got[0].Token) || got[i].SessionUUID == f.account.SessionUUID {
			t.Fatalf("machine %d has …%s, machine 0 …%s", i, got[i].Token.Suffix(), got[0].Token.Suffix())
		}
	}
	if n := f.refreshes(); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
	if n := f.stack.Sessions(f.account.UserUUID); n > 3 {
		t.Errorf("%d sessions on the stack", n)
	}
	f.checkStatus()
}

// The machines of a bucket don't come to refresh a token all at the same instant, though they know the same one.
func TestFleetComesOneByOne(t *testing.T) {
	stack := newStack(t, authd.Config{})
	store := join(t, newTestBucket(t), 1)
	a := signIn(t, stack.manager(store), "alice", fleetLifetime)
	seen := map[time.Time]bool{}
	for range 50 {
		m := stack.manager(store)
		if err := m.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		due := m.entries[a.ID].dueAt
		seen[due] = true
		if late := due.Sub(a.RefreshAt); late < 0 || late > fleetLifetime/20 {
			t.Errorf("due %s after the instant that was drawn", late)
		}
	}
	if len(seen) < 40 {
		t.Errorf("50 machines come at %d instants", len(seen))
	}
	if m := stack.manager(NewMemoryStore()); m.late != 0 {
		t.Errorf("without a bucket it comes %.3f of a lifetime late", m.late)
	}
}

// A server that lost the others answers nobody, and its clients can't tell it from one where an election is
// under way: they go on through another one.
func TestBucketThroughAnotherServer(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for an election: without -short")
	}
	wait, move := bucketWait, bucketMove
	defer func() { bucketWait, bucketMove = wait, move }()
	bucketWait, bucketMove = 2*time.Minute, time.Second
	c := startCluster(t, 3)
	b := Bucket{URL: c.urls(), Name: "fleet"}
	s := join(t, b, 3)
	if _, err := s.Update(t.Context(), "00000001", named("a")); err != nil {
		t.Fatal(err)
	}
	c.settle(b)
	var mine *natsNode
	for _, node := range c.nodes {
		if s.link.conn.Load().ConnectedServerName() == node.options.ServerName {
			mine = node
		}
	}
	mine.cut(false)
	if _, err := s.Update(t.Context(), "00000001", named("b")); err != nil {
		t.Errorf("with its server cut off: %v", err)
	}
	if now := s.link.conn.Load().ConnectedServerName(); now == mine.options.ServerName {
		t.Errorf("it is connected to %s all the time", now)
	}
}

// checkStatus looks at what is told of the replicas while all are there, and while one is gone.
func (f *bucketFleet) checkStatus() {
	t, s := f.t, f.machines[0].store
	f.cluster.settle(f.bucket)
	var st BucketStatus
	look := func() { st = s.Engine(t.Context()) }
	eventually(t, "three replicas that have it all", func() bool {
		look()
		behind, all := st.Behind()
		return st.CutOff == nil && behind == 0 && all && st.Online() == 3
	})
	if st.Server == "" || !strings.HasPrefix(st.Version, "2.") || st.Wanted != 3 || !st.Replicas[0].Leader || st.Replicas[1].Leader || st.Values < 3 || st.Copied.IsZero() {
		t.Errorf("%+v", st)
	}
	for _, node := range f.cluster.nodes {
		if node != f.cluster.leader(f.bucket) {
			node.kill()
			break
		}
	}
	if _, err := s.Update(t.Context(), f.account.ID, named("renamed")); err != nil {
		t.Errorf("with one server gone: %v", err)
	}
	begun := time.Now()
	eventually(t, "one replica to be told behind or gone", func() bool {
		look()
		behind, all := st.Behind()
		return st.CutOff == nil && (behind > 0 || !all)
	})
	t.Logf("told after %s: %+v", time.Since(begun), st.Replicas)
}

// misfortune is what may befall a fleet while its token runs out.
type misfortune string

const (
	leaderKilled  misfortune = "the leader of the bucket killed"
	nodeCutOff    misfortune = "a server cut off from the others"
	holderStopped misfortune = "a holder of the lease stopped past its time"
)

// trouble is a round of it.
type trouble struct {
	what  misfortune
	stop  string        // the step at which a holder is stopped; "" for none
	heals time.Duration // how long what was broken stays so
	once  atomic.Bool   // somebody was stopped
}

// stops holds up whoever comes to a step first for longer than the lease lasts.
func (tr *trouble) stops(ctx context.Context, step string) {
	if tr.stop == step && tr.once.CompareAndSwap(false, true) {
		pause(ctx, leaseTime+time.Second+rand.N(time.Second))
	}
}

// A fleet goes through misfortunes, one after the other, while its token runs out again and again. It
// never loses its refresh token, no older token ever takes the place of a newer one, and whoever asks for
// one token more than needed has a reason that docs/fleet.md gives.
func TestFleetInTrouble(t *testing.T) {
	steps := []string{"lease taken", "note written", "lease proven", "answer on its way"}
	plan := []*trouble{{what: leaderKilled, stop: "answer on its way", heals: time.Second}}
	for i := range *fleetRounds {
		tr := &trouble{what: []misfortune{leaderKilled, nodeCutOff, holderStopped}[rand.N(3)], heals: 2*time.Second + rand.N(10*time.Second)}
		if tr.what == holderStopped {
			tr.heals = 0
		}
		if tr.what == holderStopped || rand.N(4) == 0 { // a misfortune seldom comes alone
			tr.stop = steps[rand.N(len(steps))]
		}
		plan = append(plan[:i], tr)
	}
	defer func(before time.Duration) { leaseTime = before }(leaseTime)
	leaseTime = 3 * time.Second

	c := startCluster(t, 3)
	keepHistory(t, Bucket{URL: c.urls(), Name: "fleet"})
	f := newBucketFleet(t, c, 8)
	var now atomic.Pointer[trouble]
	f.clerk.answered = func() { now.Load().stops(t.Context(), "answer on its way") }
	defer func(before func(string)) { afterStep = before }(afterStep)
	afterStep = func(step string) {
		if tr := now.Load(); tr != nil {
			tr.stops(t.Context(), step)
		}
	}

	total, extra := 0, map[string]int{}
	for i, tr := range plan {
		now.Store(tr)
		before, begun := f.refreshes(), time.Now()
		f.log.take()
		f.round(tr)
		n := f.refreshes() - before
		total += n
		told := f.log.take()
		reasons := tr.reasons(told)
		t.Logf("round %d: %s, stopped at %q: refreshes: %d %q, %s", i+1, tr.what, tr.stop, n, reasons, time.Since(begun).Round(time.Second))
		if n < 1 || n > 1+len(reasons) {
			t.Errorf("%d refreshes in a round, reasons for more: %q; told:\n%s", n, reasons, told)
		}
		for _, r := range reasons[:min(len(reasons), n-1)] {
			extra[r]++
		}
		if t.Failed() {
			break
		}
	}
	written := f.checkHistory()
	t.Logf("%d rounds, %d machines: %d refreshes, %d tokens kept; beyond one a round: %v", len(plan), len(f.machines), total, written, extra)
}

// round lets the token run out and something happen, until every machine has a new one.
func (f *bucketFleet) round(tr *trouble) {
	t := f.t
	heal := func() {}
	began := make(chan struct{})
	go func() {
		defer close(began)
		pause(t.Context(), rand.N(300*time.Millisecond))
		switch tr.what {
		case leaderKilled:
			if node := f.cluster.leader(f.bucket); node != nil {
				node.kill()
				heal = func() {
					node.cut(true)
					f.cluster.start(node)
				}
			}
		case nodeCutOff:
			node := f.cluster.nodes[rand.N(len(f.cluster.nodes))]
			node.cut(false)
			heal = func() { node.cut(true) }
		case holderStopped: // whoever comes to the step stops by itself
		}
	}()
	f.expire()
	var tokens sync.Map
	healed := make(chan struct{})
	go func() {
		// What was broken comes back, but not before the others had to do without it.
		<-began
		pause(t.Context(), tr.heals)
		heal()
		close(healed)
	}()
	f.each(func(i int, m *fleetMachine) {
		for deadline := time.Now().Add(3 * time.Minute); ; pause(t.Context(), 100*time.Millisecond) {
			a, err := m.m.Token(t.Context(), f.account.ID, 0)
			if err == nil {
				tokens.Store(i, a.SessionUUID)
				return
			}
			if time.Now().After(deadline) {
				t.Errorf("machine %d: %v", i, err)
				return
			}
		}
	})
	<-healed
	for _, m := range f.machines {
		m.m.Wait()
	}
	f.cluster.settle(f.bucket)
	rec, err := f.machines[0].store.Get(t.Context(), f.account.ID)
	if err != nil {
		t.Errorf("after the round: %v", err)
		return
	}
	// A token that was asked for and could not be kept is nobody's; every other is that of all.
	for i := range f.machines {
		if got, _ := tokens.Load(i); got != rec.Access.SessionUUID {
			a, err := f.machines[i].m.Refresh(t.Context(), f.account.ID)
			t.Logf("machine %d had %v, the bucket has %s; asked anew: %s, %v", i, got, rec.Access.SessionUUID, a.SessionUUID, err)
		}
	}
	if held := f.stack.RefreshTokens(f.account.UserUUID); len(held) != 1 || held[0] != rec.ClientID || rec.Problem != nil {
		t.Errorf("the stack has refresh tokens of %q, the bucket's is %s; problem: %+v", held, rec.ClientID, rec.Problem)
	}
}

// reasons are the reasons for more refreshes than one in a round, as docs/fleet.md lists them, by
// what the machines told of.
func (tr *trouble) reasons(told string) []string {
	var all []string
	if tr.once.Load() && (tr.stop == "lease proven" || tr.stop == "answer on its way") {
		all = append(all, "stopped after the proof")
	}
	for text, reason := range map[string]string{
		"whether the new token was kept is not known": "no answer to the write",
		"the new token could not be kept":             "the write was not made",
	} {
		all = append(all, slices.Repeat([]string{reason}, strings.Count(told, text))...)
	}
	slices.Sort(all)
	return all
}

// keepHistory makes the bucket one that keeps everything that was ever written.
func keepHistory(t *testing.T, b Bucket) {
	t.Helper()
	l := newLink(b, func() {})
	defer l.close()
	config := b.config(3)
	config.MaxMsgsPerSubject = 100_000
	if err := l.persist(t.Context(), time.Minute, func(ctx context.Context) error {
		return l.call(ctx, "CREATE", config, nil)
	}); err != nil {
		t.Fatal(err)
	}
}

// checkHistory reads all that was ever written of the account: no token took the place of a newer one,
// and the refresh token stayed. It counts the tokens.
func (f *bucketFleet) checkHistory() (tokens int) {
	t := f.t
	t.Helper()
	s := f.machines[0].store
	last := ""
	for seq := uint64(1); ; {
		var m storedMessage
		err := s.link.persist(t.Context(), time.Minute, func(ctx context.Context) error {
			return s.link.call(ctx, "MSG.GET", map[string]any{"seq": seq, "next_by_subj": f.bucket.subject(accountsKeys + string(f.account.ID))}, &m)
		})
		if isCode(err, codeNoMessage) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		seq = m.Message.Seq + 1
		r, err := s.openRecord(t.Context(), f.account.ID, value{data: m.Message.Data, rev: m.Message.Seq})
		if err != nil {
			t.Fatal(err)
		}
		if r.RefreshToken.IsZero() || r.ClientID != f.account.ClientID {
			t.Errorf("revision %d: the refresh token is lost", m.Message.Seq)
		}
		if now := r.Access.SessionUUID; now != last {
			if last != "" && f.clerk.olderThan(now, last) {
				t.Errorf("revision %d: %s took the place of the newer %s", m.Message.Seq, now, last)
			}
			last = now
			tokens++
		}
	}
	if tokens < 2 {
		t.Errorf("the history has %d tokens: it proves nothing", tokens)
	}
	return tokens
}
