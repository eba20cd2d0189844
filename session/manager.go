package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"wakey/api"
)

// Options of a manager. The zero value is right for everybody but tests and the agent.
type Options struct {
	Version   string            // wakey's own, for the User-Agent
	Transport http.RoundTripper // replaces the network
	Now       func() time.Time  // the wall clock
	Log       *slog.Logger      // also gets every event; nil: nobody does
	// Dir holds the log, what the watch has seen, and responses under way; none of it is
	// secret. Empty: the FileStore's directory; with another store they end with the process.
	Dir string
	// Watch is how often Run looks at each account on its stack, give or take a fifth: see
	// Look. 0: never; the program gives DefaultWatch.
	Watch time.Duration
}

const (
	maxRequests = 8 // attempts at once, over all accounts

	// requestTimeout bounds one request for a token; lockTimeout, how long another process may
	// hold an account's lock, is longer, so that its request ends before we give up on it.
	requestTimeout = 15 * time.Second
	lockTimeout    = 45 * time.Second
)

// Manager keeps accounts signed in. Its methods may be called from any goroutine.
type Manager struct {
	store   Store
	o       Options
	audit   *Audit
	shelf   *shelf
	flights singleflight.Group
	looks   singleflight.Group
	slots   chan struct{} // holds a value for each attempt under way
	changed chan struct{}
	wake    chan struct{}
	// watchWake ends the sleep of the watch.
	watchWake chan struct{}

	mu      sync.Mutex
	quiet   sync.Cond // of mu: flying or workers went down
	flying  int       // callers of attempts, and attempts whose caller went away
	workers int       // goroutines that take from the queue
	queue   []*entry  // due, not yet begun
	entries map[ID]*entry
	order   []*entry // the same entries, dense for the scan
	loaded  bool     // the store was read once
	changes uint64   // of entries, counted to tell what came after what
	dropped uint64   // changes when an entry was dropped last
	late    float64  // the share of a lifetime by which this process is due later, see fleetSpread
	cutOff  error    // why the store can't be reached; nil: it was when it was read last
	events  ring
	// auditErr is why the last event is not in the log.
	auditErr    error
	watchPaused bool
	clients     map[endpoint]*api.Client
	responding  map[string]bool   // incidents that this process is carrying out
	pending     map[string]string // client_ids of sign-ins whose answer never came, by stack and login
}

// entry is what the manager knows of one account.
type entry struct {
	rec      Record
	adopted  uint64 // Manager.changes when rec was taken over
	busy     bool   // queued or under way
	failures int    // in a row
	err      error
	retryAt  time.Time
	distrust bool          // the clock was set back: the times of the token can't be believed
	dueAt    time.Time     // when it wants an attempt; zero when it wants none
	late     time.Duration // that this process lets others go first
	index    int           // in Manager.order
	total    int           // sessions of the user on the stack, counted at
	counted  time.Time

	looking  bool      // a look of Run's is queued or under way
	lookAt   time.Time // when the next one is due
	lookedAt time.Time // the last one of this process
	lookErr  error     // why that failed
	noticed  noticed   // what the last look of any process came to
}

// New returns a manager of the accounts in store. It does nothing until it is asked or Run.
func New(store Store, o Options) *Manager {
	if o.Now == nil {
		o.Now = time.Now
	}
	if s, ok := store.(interface{ Dir() string }); ok && o.Dir == "" {
		o.Dir = s.Dir()
	}
	m := &Manager{
		store:      store,
		o:          o,
		audit:      OpenAudit(o.Dir),
		shelf:      newShelf(o.Dir),
		slots:      make(chan struct{}, maxRequests),
		changed:    make(chan struct{}, 1),
		wake:       make(chan struct{}, 1),
		watchWake:  make(chan struct{}, 1),
		entries:    map[ID]*entry{},
		clients:    map[endpoint]*api.Client{},
		pending:    map[string]string{},
		responding: map[string]bool{},
	}
	m.quiet.L = &m.mu
	if _, fleet := store.(*BucketStore); fleet {
		m.late = fleetSpread * random()
	}
	return m
}

// now is the wall time, without the monotonic reading that stands still in suspend.
func (m *Manager) now() time.Time { return m.o.Now().Round(0) }

// Store returns the store that the manager was made with.
func (m *Manager) Store() Store { return m.store }

// Load reads the store and takes over what is new in it. Run does it by itself; a command that
// only looks calls it once. Errors: the store's (errors.Is ErrLocked: its key is not to be had).
func (m *Manager) Load(ctx context.Context) error {
	_, err := m.load(ctx)
	return err
}

// load is Load, and says which accounts others added, renamed and removed meanwhile.
func (m *Manager) load(ctx context.Context) ([]Event, error) {
	for {
		have, asOf := m.marks()
		recs, same, err := m.read(ctx, have)
		known, err := m.reached(recs, err)
		if known || err != nil {
			return nil, err
		}
		if news, ok := m.merge(recs, same, asOf); ok {
			return news, nil
		}
	}
}

// reached notes whether the store was reached when it gave recs and err. While it can't be, those that are
// known go on, and where there are none, what the store saw last will do; they are degraded.
func (m *Manager) reached(recs []Record, err error) (known bool, _ error) {
	cut := errors.Is(err, ErrCutOff)
	m.mu.Lock()
	before := m.cutOff
	known = cut && m.loaded
	if cut && !known && len(recs) == 0 || err != nil && !cut {
		m.mu.Unlock()
		return false, err
	}
	m.cutOff = err
	m.signal()
	m.mu.Unlock()
	switch {
	case cut && before == nil:
		m.report("", "", "store", Warn, fmt.Sprintf("going on with what was seen last: %v", err))
	case !cut && before != nil:
		m.report("", "", "store", Info, "the bucket is reached again")
	}
	return known, nil
}

func (m *Manager) changesNow() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changes
}

// marks are those of the records here, after asOf changes of entries.
func (m *Manager) marks() (have map[ID]uint64, asOf uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	have = make(map[ID]uint64, len(m.order))
	for _, e := range m.order {
		have[e.rec.ID] = e.rec.mark
	}
	return have, m.changes
}

// read gives the records of the store, but for those which it has marks of: they are the same.
func (m *Manager) read(ctx context.Context, have map[ID]uint64) (recs []Record, same []ID, err error) {
	if s, ok := m.store.(*FileStore); ok {
		return s.changed(ctx, have)
	}
	recs, err = m.store.Load(ctx)
	return recs, nil, err
}

// merge takes over the records that the store had when it was asked, after asOf changes of entries, and
// leaves those that are the same. What this process changed since is newer than they are; not ok when it
// forgot an account, which may be among them.
func (m *Manager) merge(recs []Record, same []ID, asOf uint64) (news []Event, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dropped > asOf {
		return nil, false
	}
	m.loaded = true
	say := func(r *Record, text string) {
		news = append(news, Event{Account: r.ID, Name: r.Name, Op: "store", Text: text + " by another process"})
	}
	there := make(map[ID]bool, len(recs)+len(same))
	for _, id := range same {
		there[id] = true
	}
	for _, r := range recs {
		there[r.ID] = true
		before := ""
		if e := m.entries[r.ID]; e == nil {
			say(&r, "added")
		} else {
			before = e.rec.Name
		}
		if m.adopt(r, asOf) && before != "" && before != r.Name {
			say(&r, fmt.Sprintf("renamed from %q", before))
		}
	}
	for id, e := range m.entries {
		if !there[id] && !e.busy && e.adopted <= asOf {
			say(&e.rec, "removed")
			m.drop(e)
		}
	}
	m.signal()
	return news, true
}

// adopt takes over a record as the store has it, unless ours is newer, and tells whether it did.
// asOf is m.changes when the store was asked: where ours has stood since before then, what the store
// has now counts whatever its version, for somebody may have brought an earlier generation back. A
// token other than ours that lives ends our troubles with the old one. m.mu is held.
func (m *Manager) adopt(r Record, asOf uint64) bool {
	e := m.entries[r.ID]
	if e == nil {
		e = &entry{total: -1, index: len(m.order)}
		m.entries[r.ID] = e
		m.order = append(m.order, e)
	} else if r.Version <= e.rec.Version && e.adopted > asOf {
		return false
	}
	if r.Access != nil && (e.rec.Access == nil || !r.Access.Token.Equal(e.rec.Access.Token)) {
		now := m.now()
		e.distrust = r.Access.fromFuture(now)
		if r.Access.alive(now, 0) {
			e.failures, e.err, e.retryAt = 0, nil, time.Time{}
		}
	}
	m.changes++
	e.rec, e.adopted = r, m.changes
	if a := r.Access; a != nil {
		e.late = time.Duration(m.late * float64(a.ExpiresAt.Sub(a.ObtainedAt)))
	}
	e.plan()
	return true
}

// drop removes an entry. m.mu is held.
func (m *Manager) drop(e *entry) {
	m.changes++
	m.dropped = m.changes
	last := m.order[len(m.order)-1]
	m.order[e.index], last.index = last, e.index
	m.order = m.order[:len(m.order)-1]
	delete(m.entries, e.rec.ID)
}

func (e *entry) session() string {
	if e.rec.Access == nil {
		return ""
	}
	return e.rec.Access.SessionUUID
}

// plan works out when the entry wants its next attempt. It is called after every change of what
// it looks at, so that a scan only compares instants.
func (e *entry) plan() {
	switch {
	case e.busy, e.rec.Problem != nil, e.rec.RefreshToken.IsZero():
		e.dueAt = time.Time{}
	case e.failures > 0:
		e.dueAt = e.retryAt
	case e.distrust, e.rec.Access == nil:
		e.dueAt = longAgo
	default:
		e.dueAt = e.rec.Access.RefreshAt.Add(e.late)
	}
}

// longAgo is due whatever the clock says.
var longAgo = time.Unix(1, 0)

func (e *entry) state(now time.Time) State {
	alive := e.rec.Access.alive(now, 0)
	switch {
	case e.rec.Problem != nil:
		return e.rec.Problem.State
	case e.busy:
		return Refreshing
	case alive && e.err == nil:
		return Active
	case alive:
		return Degraded
	case e.rec.RefreshToken.IsZero():
		return SignInNeeded
	default:
		return Expired
	}
}

// Accounts returns every account, in order of name.
func (m *Manager) Accounts() []Account {
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]Account, 0, len(m.entries))
	for _, e := range m.entries {
		all = append(all, m.account(e, now))
	}
	slices.SortFunc(all, func(a, b Account) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Account finds one by ID or by name. Errors: ErrNoAccount.
func (m *Manager) Account(nameOrID string) (Account, error) {
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.entries[ID(nameOrID)]; e != nil {
		return m.account(e, now), nil
	}
	for _, e := range m.entries {
		if e.rec.Name == nameOrID {
			return m.account(e, now), nil
		}
	}
	return Account{}, fmt.Errorf("%w: %q", ErrNoAccount, nameOrID)
}

// account is how an entry stands, degraded as long as the store can't be reached. m.mu is held.
func (m *Manager) account(e *entry, now time.Time) Account {
	a := e.account(now)
	if m.cutOff != nil && a.Reason == "" {
		a.Reason = m.cutOff.Error()
		if a.State == Active {
			a.State = Degraded
		}
	}
	return a
}

func (e *entry) account(now time.Time) Account {
	r := &e.rec
	a := accountOf(r)
	a.State = e.state(now)
	a.TotalSessions, a.CountedAt = e.total, e.counted
	a.NextLookAt = e.lookAt
	a.LookedAt, a.OpenFindings, a.Noticed = e.noticed.at, e.noticed.open, e.noticed.gravest
	a.OwnSessions = slices.DeleteFunc(a.OwnSessions, func(s OpenedSession) bool { return s.ExpiresAt.Before(now) })
	switch {
	case r.Problem != nil:
	case e.err != nil:
		a.Reason, a.RetryAt = e.err.Error(), e.retryAt
	case a.State == SignInNeeded:
		a.Reason = "the access token has expired and there is no refresh token: sign in again"
	}
	return a
}

// accountOf is what the record alone tells; the state is that of its problem, if it has one.
func accountOf(r *Record) Account {
	a := Account{
		ID: r.ID, Name: r.Name, Stack: r.Stack, Login: r.Login, UserUUID: r.UserUUID, TenantUUID: r.TenantUUID,
		Purpose: r.Purpose, Admin: r.Admin, ClientID: r.ClientID, Trust: r.Trust, PlainHTTP: r.PlainHTTP,
		Lifetime: r.Lifetime, SignedInAt: r.SignedInAt, TotalSessions: -1,
		OwnSessions: slices.Clone(r.Sessions), Leaks: slices.Clone(r.Leaks),
	}
	if t := r.Access; t != nil {
		a.TokenSuffix, a.SessionUUID = t.Token.Suffix(), t.SessionUUID
		a.ObtainedAt, a.ExpiresAt, a.RefreshAt = t.ObtainedAt, t.ExpiresAt, t.RefreshAt
	}
	if r.Problem != nil {
		a.State, a.Reason = r.Problem.State, r.Problem.Reason
	}
	return a
}

// Changed has a value when something is worth looking at Accounts and Events again. It is for
// one reader.
func (m *Manager) Changed() <-chan struct{} { return m.changed }

func (m *Manager) signal() {
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// Token returns an access token of the account that lives for minValid at least, refreshing it
// when it must. minValid counts for half the token's lifetime at most. While refreshing fails, a
// token that still lives is better than none: it is returned, and the account is degraded.
// Errors: ErrNoAccount, *ProblemError when a person has to act, else what kept it from refreshing.
func (m *Manager) Token(ctx context.Context, id ID, minValid time.Duration) (Access, error) {
	m.mu.Lock()
	e := m.entries[id]
	if e != nil && !e.distrust && e.rec.Access.alive(m.now(), minValid) {
		defer m.mu.Unlock()
		return *e.rec.Access, nil
	}
	m.mu.Unlock()
	a, err := m.attempt(ctx, id, func(a *Access) bool { return a.alive(m.now(), minValid) })
	if err != nil && ctx.Err() == nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		if e := m.entries[id]; e != nil && e.rec.Access.alive(m.now(), 0) {
			return *e.rec.Access, nil
		}
	}
	return a, err
}

// Refresh makes a new access token now, whatever is left of the current one. Errors: as Token.
func (m *Manager) Refresh(ctx context.Context, id ID) (Access, error) {
	return m.attempt(ctx, id, nil)
}

// Do calls fn with a client of the account's stack and a good access token. When fn fails
// because the token is dead (errors.Is api.ErrTokenDead), it is refreshed and fn called once more.
func (m *Manager) Do(ctx context.Context, id ID, fn func(ctx context.Context, c *api.Client, token api.Secret) error) error {
	a, err := m.Token(ctx, id, 0)
	if err != nil {
		return err
	}
	c, err := m.Client(id)
	if err != nil {
		return err
	}
	err = fn(ctx, c, a.Token)
	if !errors.Is(err, api.ErrTokenDead) {
		return err
	}
	dead := a.SessionUUID
	a, rerr := m.attempt(ctx, id, func(a *Access) bool { return a != nil && a.SessionUUID != dead && a.alive(m.now(), 0) })
	if rerr != nil {
		return fmt.Errorf("%w (and refreshing it failed: %w)", err, rerr)
	}
	return fn(ctx, c, a.Token)
}

// Client returns the client of the account's stack.
func (m *Manager) Client(id ID) (*api.Client, error) {
	m.mu.Lock()
	e := m.entries[id]
	if e == nil {
		m.mu.Unlock()
		return nil, fmt.Errorf("%w: %s", ErrNoAccount, id)
	}
	at := endpoint{e.rec.Stack, e.rec.Trust, e.rec.PlainHTTP}
	m.mu.Unlock()
	return m.dial(at)
}

// endpoint is what a client is made for. Accounts of one stack share its connections.
type endpoint struct {
	stack string
	trust api.Trust
	plain bool
}

func (m *Manager) dial(at endpoint) (*api.Client, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.clients[at]; c != nil {
		return c, nil
	}
	c, err := api.NewClient(at.stack, api.Options{
		Trust: at.trust, PlainHTTP: at.plain, Version: m.o.Version, Timeout: requestTimeout, Transport: m.o.Transport,
	})
	if err == nil {
		m.clients[at] = c
	}
	return c, err
}

// CountSessions asks the stack how many sessions the account's user has, of the 100 that it may
// have (contract 5), and keeps the number for Accounts.
func (m *Manager) CountSessions(ctx context.Context, id ID) (int, error) {
	var total int
	err := m.Do(ctx, id, func(ctx context.Context, c *api.Client, token api.Secret) error {
		a, err := m.Account(string(id))
		if err != nil {
			return err
		}
		p, err := c.UserSessions(ctx, token, a.UserUUID, api.ListOptions{Limit: 1})
		total = p.Total
		return err
	})
	if err != nil {
		return -1, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.entries[id]; e != nil {
		e.total, e.counted = total, m.now()
		m.signal()
	}
	return total, nil
}
