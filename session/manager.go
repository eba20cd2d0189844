package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
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
