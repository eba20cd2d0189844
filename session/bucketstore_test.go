package session

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"wakey/internal/authd"
)

// ownServer is a NATS server that a test may stop and start again.
type ownServer struct {
	t       *testing.T
	options server.Options
	server  *server.Server
}

func newOwnServer(t *testing.T) *ownServer {
	t.Helper()
	dir, err := tempDir("wakey-nats-")
	if err != nil {
		t.Fatal(err)
	}
	o := &ownServer{t: t, options: server.Options{Host: "127.0.0.1", Port: freePort(t), JetStream: true, StoreDir: dir}}
	o.start()
	t.Cleanup(func() { o.server.Shutdown() })
	return o
}

func (o *ownServer) start() {
	o.t.Helper()
	options := o.options
	var err error
	if o.server, err = startNATS(&options); err != nil {
		o.t.Fatal(err)
	}
}

func (o *ownServer) stop() {
	o.server.Shutdown()
	o.server.WaitForShutdown()
}

func (o *ownServer) bucket() Bucket {
	return Bucket{URL: fmt.Sprintf("nats://127.0.0.1:%d", o.options.Port), Name: "own"}
}

// everything is all that the engine has of a bucket, byte by byte.
func everything(t *testing.T, s *BucketStore) []byte {
	t.Helper()
	info, err := s.link.info(t.Context(), bucketWait, "")
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for seq := uint64(1); seq <= info.State.LastSeq; seq++ {
		var m storedMessage
		err := s.link.call(t.Context(), "MSG.GET", map[string]any{"seq": seq}, &m)
		if isCode(err, codeNoMessage) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(append(all, m.Message.Headers...), m.Message.Data...)
	}
	return all
}

// NATS sees neither a secret nor a name, nor the public half of the key, with which it could write
// an account of its own.
func TestBucketHoldsNoPlainText(t *testing.T) {
	s := join(t, newTestBucket(t), 1)
	r, err := s.Update(t.Context(), "00000001", fullRecord)
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.Lock(t.Context(), "00000001")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Release()
	l.See(r)
	if err := l.Begin(Attempt{Op: "refresh", At: time.Now(), ClientID: r.ClientID, Login: r.Login, Stack: r.Stack}); err != nil {
		t.Fatal(err)
	}
	host, _ := os.Hostname()
	all := everything(t, s)
	if !bytes.Contains(all, []byte("age-encryption.org/v1")) {
		t.Fatal("there is nothing in the bucket: the test proves nothing")
	}
	k := s.files.openedKey()
	for what, text := range map[string]string{
		"the refresh token": r.RefreshToken.Reveal(), "the access token": r.Access.Token.Reveal(), "the name": `"` + r.Name + `"`,
		"the login": r.Login, "the stack": "pbx.example.com", "the client_id": r.ClientID, "the host": `"host":"` + host,
		"the key": k.secret()[:30], "its public half": k.recipient, "half of that": k.recipient[:20],
	} {
		if bytes.Contains(all, []byte(text)) {
			t.Errorf("the engine sees %s", what)
		}
	}
}

// Of many who add an account of one name at the same time one succeeds.
func TestBucketNamesAreUnique(t *testing.T) {
	b := newTestBucket(t)
	var all sync.WaitGroup
	taken := make(chan error, 8)
	for i := range 8 {
		s := join(t, b, 1)
		all.Go(func() {
			_, err := s.Update(t.Context(), ID(fmt.Sprintf("%08x", i)), named("work"))
			taken <- err
		})
	}
	all.Wait()
	close(taken)
	made := 0
	for err := range taken {
		switch {
		case err == nil:
			made++
		case !errors.Is(err, ErrNameTaken):
			t.Error(err)
		}
	}
	if recs, err := join(t, b, 1).Load(t.Context()); made != 1 || err != nil || len(recs) != 1 {
		t.Errorf("%d succeeded, and there are %+v, %v", made, recs, err)
	}
}

// Machines that begin at the same time agree on one key.
func TestBucketIsMadeOnce(t *testing.T) {
	b := newTestBucket(t)
	stores := make([]*BucketStore, 6)
	var all sync.WaitGroup
	for i := range stores {
		all.Go(func() { stores[i] = join(t, b, 1) })
	}
	all.Wait()
	for i, s := range stores {
		if _, err := s.Update(t.Context(), ID(fmt.Sprintf("%08x", i)), named(fmt.Sprint("account ", i))); err != nil {
			t.Errorf("machine %d: %v", i, err)
		}
	}
	for i, s := range stores {
		if recs, err := s.Load(t.Context()); err != nil || len(recs) != len(stores) {
			t.Errorf("machine %d sees %d accounts, %v", i, len(recs), err)
		}
	}
}

// A holder whose lease is over may ask for nothing, whether or not somebody else has it now.
func TestBucketLeaseIsProvenBeforeTheRequest(t *testing.T) {
	defer func(before time.Duration) { leaseTime = before }(leaseTime)
	leaseTime = time.Second
	b := newTestBucket(t)
	one, two := join(t, b, 1), join(t, b, 1)
	r, err := one.Update(t.Context(), "00000001", fullRecord)
	if err != nil {
		t.Fatal(err)
	}
	late, err := one.Lock(t.Context(), "00000001")
	if err != nil {
		t.Fatal(err)
	}
	defer late.Release()
	late.See(r)
	next, err := two.Lock(t.Context(), "00000001") // once the second is over
	if err != nil {
		t.Fatal(err)
	}
	says(t, late.Begin(Attempt{Op: "refresh"}), ErrOvertaken)
	if v, err := two.link.get(t.Context(), bucketWait, noteKeys+"00000001"); err != nil || v.data != nil {
		t.Errorf("a note of a request that was not made stays: %+v, %v", v, err)
	}
	next.See(r)
	if err := next.Begin(Attempt{Op: "refresh"}); err != nil {
		t.Errorf("the one who has it: %v", err)
	}
	says(t, late.Begin(Attempt{Op: "refresh"}), ErrOvertaken)
	if v, err := two.link.get(t.Context(), bucketWait, noteKeys+"00000001"); err != nil || v.data == nil {
		t.Errorf("the note of the one who has it is gone: %+v, %v", v, err)
	}
	note, err := two.link.get(t.Context(), bucketWait, noteKeys+"00000001")
	if err != nil {
		t.Fatal(err)
	}
	if err := next.End(); err != nil {
		t.Error(err)
	}
	if err := two.link.erase(t.Context(), note.rev); err != nil {
		t.Errorf("what is gone, as when the first answer was lost: %v", err)
	}
	next.Release()

	// And one who has it still, of an account that somebody else has written without it.
	third, err := two.Lock(t.Context(), "00000001")
	if err != nil {
		t.Fatal(err)
	}
	defer third.Release()
	third.See(r)
	if _, err := one.Update(t.Context(), "00000001", func(r *Record) error { r.Access.SessionUUID = "another"; return nil }); err != nil {
		t.Fatal(err)
	}
	says(t, third.Begin(Attempt{Op: "refresh"}), ErrOvertaken)
}

// Cut off from the bucket a machine goes on with the token that it saw last, and asks for none; one
// that starts only then does the same. Back again, all is as before.
func TestBucketCutOff(t *testing.T) {
	nats, stack := newOwnServer(t), newStack(t, authd.Config{})
	store := join(t, nats.bucket(), 1)
	m := stack.manager(store)
	a := signIn(t, m, "alice", time.Hour)
	begun := make(chan error, 1)
	ctx, cancel := withTimeout(t, 5*time.Minute)
	defer cancel()
	go func() { begun <- m.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-begun; err != nil {
			t.Error(err)
		}
	}()
	fresh, err := m.Refresh(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantState(t, m, a.ID, Active)

	nats.stop()
	eventually(t, "the running machine to notice", func() bool { return account(t, m, a.ID).State == Degraded })
	later := stack.manager(openTestBucket(t, store.Dir()))
	if err := later.Load(t.Context()); err != nil {
		t.Fatalf("a machine that starts now: %v", err)
	}
	before := refreshes(stack)
	for _, m := range []*Manager{m, later} {
		if got, err := m.Token(t.Context(), a.ID, time.Minute); err != nil || !got.Token.Equal(fresh.Token) {
			t.Errorf("token …%s, %v, want the last, …%s", got.Token.Suffix(), err, fresh.Token.Suffix())
		}
		if got := wantState(t, m, a.ID, Degraded); !strings.Contains(got.Reason, "cut off from the bucket") {
			t.Errorf("reason %q", got.Reason)
		}
		_, err := m.Refresh(t.Context(), a.ID)
		says(t, err, ErrCutOff)
		_, err = m.Store().Update(t.Context(), a.ID, named("other"))
		says(t, err, ErrCutOff)
	}
	if n := refreshes(stack); n != before {
		t.Errorf("%d refreshes without the lease", n-before)
	}
	if accounts, err := ReadIndex(store.Dir()); err != nil || len(accounts) != 1 || accounts[0].Name != "alice" {
		t.Errorf("the index of the copy: %+v, %v", accounts, err)
	}

	nats.start()
	eventually(t, "the running machine to come back", func() bool { return account(t, m, a.ID).State == Active })
	if _, err := m.Refresh(t.Context(), a.ID); err != nil {
		t.Errorf("back again: %v", err)
	}
}

// A machine that never saw the bucket says what is wrong, not that nobody is signed in.
func TestBucketCutOffWithoutACopy(t *testing.T) {
	nats := newOwnServer(t)
	store := join(t, nats.bucket(), 1)
	nats.stop()
	says(t, New(store, Options{}).Load(t.Context()), ErrCutOff, "own")
	store.Close()
	says(t, New(openTestBucket(t, store.Dir()), Options{}).Load(t.Context()), ErrCutOff)
}

// What others write while a machine was not connected is read when it is again.
func TestBucketNewsThatWasMissed(t *testing.T) {
	nats := newOwnServer(t)
	mine, theirs := join(t, nats.bucket(), 1), join(t, nats.bucket(), 1)
	stamp := func() string { s, _ := mine.Stamp(); return s }
	stamp()
	if _, err := theirs.Update(t.Context(), "00000001", named("a")); err != nil {
		t.Fatal(err)
	}
	load := func(want string) func() bool {
		return func() bool {
			stamp()
			recs, err := mine.Load(t.Context())
			return err == nil && len(recs) == 1 && recs[0].Name == want
		}
	}
	eventually(t, "the account", load("a"))
	before := stamp()
	nc := mine.link.conn.Load()
	mine.link.close() // nobody hears what is written now
	if _, err := theirs.Update(t.Context(), "00000001", named("b")); err != nil {
		t.Fatal(err)
	}
	if nc.IsConnected() {
		t.Fatal("it is connected all the time")
	}
	mine.news.lost()
	if stamp() == before {
		t.Error("the stamp is the same")
	}
	eventually(t, "what was missed", load("b"))
	// And without any news at all, the whole is read again now and then.
	mine.news.mu.Lock()
	mine.news.until = time.Now()
	mine.news.mu.Unlock()
	if before := stamp(); stamp() != before && mine.news.whole {
		t.Error("what was heard is trusted for ever")
	}
	eventually(t, "the account", load("b"))
}

// A machine with a wrong clock takes nobody's token for dead, or for one of the future.
func TestBucketWrongClock(t *testing.T) {
	stack := newStack(t, authd.Config{})
	b := newTestBucket(t)
	type machine struct {
		m     *Manager
		store *BucketStore
		now   func() time.Time
	}
	var machines []machine
	for _, wrong := range []time.Duration{0, -3 * time.Hour, 3 * time.Hour} {
		now := func() time.Time { return time.Now().Add(wrong) }
		store := join(t, b, 1)
		store.now = now
		machines = append(machines, machine{New(store, Options{Transport: authd.Transport(stack.Server), Now: now}), store, now})
	}
	var id ID
	for i, one := range machines {
		if i == 0 {
			id = signIn(t, one.m, "alice", time.Hour).ID
		} else if err := one.m.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		made, err := one.m.Refresh(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		before := refreshes(stack)
		for j, other := range machines {
			if err := other.m.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			got, err := other.m.Token(t.Context(), id, 20*time.Minute)
			if err != nil || !got.Token.Equal(made.Token) {
				t.Errorf("machine %d has …%s, %v, of what %d made", j, got.Token.Suffix(), err, i)
			}
			if left := got.ExpiresAt.Sub(other.now()); left < 55*time.Minute || left > time.Hour+5*time.Second {
				t.Errorf("machine %d gives what %d made %s to live", j, i, left)
			}
		}
		if n := refreshes(stack); n != before {
			t.Errorf("%d refreshes because of a clock", n-before)
		}
	}
	// A note is by the clock of NATS as well, and so is known to be of the token that was kept.
	rec, err := machines[1].store.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	l, err := machines[1].store.Lock(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	l.See(rec)
	if err := l.Begin(Attempt{Op: "refresh", At: rec.Access.ObtainedAt, ClientID: rec.ClientID}); err != nil {
		t.Fatal(err)
	}
	l.Release()
	if l, err = machines[2].store.Lock(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	defer l.Release()
	if rec, err := machines[2].store.Get(t.Context(), id); err != nil || l.Interrupted == nil || !rec.keeps(*l.Interrupted) {
		t.Errorf("interrupted %+v, %v, of a record from %s", l.Interrupted, err, rec.Access.ObtainedAt)
	}
}

// What a value is put under counts, whoever has the bucket.
func TestBucketSwappedValues(t *testing.T) {
	s := join(t, newTestBucket(t), 1)
	for id, name := range map[ID]string{"00000001": "a", "00000002": "b"} {
		if _, err := s.Update(t.Context(), id, named(name)); err != nil {
			t.Fatal(err)
		}
	}
	a, err := s.link.get(t.Context(), bucketWait, accountsKeys+"00000001")
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.link.get(t.Context(), bucketWait, accountsKeys+"00000002")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"another account's": b.data, "garbage": []byte("garbage"), "cut": a.data[:len(a.data)-5]} {
		if a.rev, err = s.link.put(t.Context(), bucketWait, write{key: accountsKeys + "00000001", data: data, rev: a.rev}); err != nil {
			t.Fatal(err)
		}
		_, err := s.Get(t.Context(), "00000001")
		if says(t, err, ErrDamaged, "bucket"); t.Failed() {
			t.Fatal(name)
		}
	}
	if _, err := s.Get(t.Context(), "00000002"); err != nil {
		t.Errorf("the other one: %v", err)
	}
}

func TestBucketOrphans(t *testing.T) {
	defer func(before time.Duration) { leaseTime = before }(leaseTime)
	leaseTime = time.Second
	s := join(t, newTestBucket(t), 1)
	if _, err := s.Update(t.Context(), "00000001", named("a")); err != nil {
		t.Fatal(err)
	}
	for _, id := range []ID{"00000001", "00000002"} {
		l, err := s.Lock(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Begin(Attempt{Op: "sign-in", At: time.Now(), ClientID: string(id), Login: "alice", Stack: "https://a"}); err != nil {
			t.Fatal(err)
		}
		l.Release()
	}
	for round, want := range []int{1, 0} {
		orphans, err := s.takeOrphans(t.Context())
		if err != nil || len(orphans) != want || want > 0 && (orphans[0].ClientID != "00000002" || orphans[0].Login != "alice") {
			t.Errorf("round %d: orphans %+v, %v, want %d", round, orphans, err, want)
		}
	}
	l, err := s.Lock(t.Context(), "00000001")
	if err != nil || l.Interrupted == nil {
		t.Fatalf("the note of an account that is there: %+v, %v", l, err)
	}
	l.Release()
}

func TestBucketCheck(t *testing.T) {
	good := Bucket{URL: "nats://a.example.com:4222,b.example.com", Name: "wakey"}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	if urls, _ := good.addresses(); urls != "tls://a.example.com:4222,tls://b.example.com" {
		t.Errorf("without TLS: %s", urls)
	}
	if urls, _ := (Bucket{URL: "nats://127.0.0.1:4222,localhost,nats://[::1]:1"}).addresses(); urls != "nats://127.0.0.1:4222,nats://localhost,nats://[::1]:1" {
		t.Errorf("to loopback: %s", urls)
	}
	for text, b := range map[string]Bucket{
		"a password":   {URL: "nats://u:geheim@a.example.com", Name: "wakey"},
		"%":            {URL: "nats://%zz:geheim@a", Name: "wakey"},
		"nothing":      {URL: "", Name: "wakey"},
		"no host":      {URL: "nats://", Name: "wakey"},
		"another kind": {URL: "https://a.example.com", Name: "wakey"},
		"a path":       {URL: "nats://a.example.com/b", Name: "wakey"},
		"name":         {URL: "nats://a.example.com", Name: "a.b"},
		"no name":      {URL: "nats://a.example.com"},
		"creds":        {URL: "nats://a.example.com", Name: "wakey", Creds: "here.creds"},
		"ca":           {URL: "nats://a.example.com", Name: "wakey", CAFile: "ca.pem"},
	} {
		if err := b.Check(); err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestBucketUnfit(t *testing.T) {
	b := newTestBucket(t)
	l := newLink(b, func() {})
	defer l.close()
	config := b.config(1)
	config.AllowTTL = false
	if err := l.call(t.Context(), "CREATE", config, nil); err != nil {
		t.Fatal(err)
	}
	init := BucketInit{b, 1, PassphraseKey}
	person := StoreOptions{Passphrase: testPassphrase}
	_, err := InitBucket(t.Context(), t.TempDir(), init, person)
	says(t, err, nil, "wakey made")
	init.Bucket, init.Replicas = newTestBucket(t), 3
	_, err = InitBucket(t.Context(), t.TempDir(), init, person)
	says(t, err, nil, "--replicas 1")

	dir := t.TempDir()
	filled(t, dir)
	init.Replicas = 1
	_, err = InitBucket(t.Context(), dir, init, person)
	says(t, err, nil, "wakey store move --nats")
	if _, err := os.Stat(filepath.Join(dir, engineName)); err == nil || namesIn(t, dir) != "a b" {
		t.Error("it was made the store all the same")
	}
	_, err = InitBucket(t.Context(), join(t, newTestBucket(t), 1).Dir(), init, person)
	says(t, err, ErrInBucket)
	wrong := StoreOptions{Passphrase: (&answers{give: []string{"wrong", "wrong"}}).answer}
	taken := newTestBucket(t)
	join(t, taken, 1)
	dir = t.TempDir()
	_, err = InitBucket(t.Context(), dir, BucketInit{taken, 1, PassphraseKey}, wrong)
	says(t, err, ErrWrongPassphrase)
	if _, err := os.Stat(filepath.Join(dir, engineName)); err == nil {
		t.Error("a machine without the key has joined")
	}
}

// What a newer wakey wrote is refused, not misread.
func TestBucketOfANewerVersion(t *testing.T) {
	s := join(t, newTestBucket(t), 1)
	r, err := s.Update(t.Context(), "00000001", named("a"))
	if err != nil {
		t.Fatal(err)
	}
	line, err := encodeRecord(&r)
	if err != nil {
		t.Fatal(err)
	}
	put := func(key string, data []byte, err error) {
		t.Helper()
		v, gerr := s.link.get(t.Context(), bucketWait, key)
		if err = errors.Join(err, gerr); err == nil {
			_, err = s.link.put(t.Context(), bucketWait, write{key: key, data: data, rev: v.rev})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	data, err := s.sealJSON(t.Context(), bucketRecord{formatVersion + 1, line})
	put(accountsKeys+"00000001", data, err)
	_, err = s.Get(t.Context(), "00000001")
	says(t, err, ErrNewer, "account 00000001", "update wakey")
	_, err = s.Update(t.Context(), "00000001", named("b"))
	says(t, err, ErrNewer)
	data, err = s.sealJSON(t.Context(), bucketIndex{Version: formatVersion + 1})
	put(indexKey, data, err)
	_, err = s.Load(t.Context())
	says(t, err, ErrNewer, "update wakey")
	put(keyKey, []byte(`{"version": 99}`), nil)
	_, err = InitBucket(t.Context(), t.TempDir(), BucketInit{s.bucket, 1, PassphraseKey}, StoreOptions{Passphrase: testPassphrase})
	says(t, err, ErrNewer, "update wakey")
}
