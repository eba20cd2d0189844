package session

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// watchEvery is how often the store is looked at for what other processes wrote: the first bytes
// of one file, so that a change shows within a second. On a network file system the name may still
// lead to the file before: NFS keeps directories for 30 to 60 s (acdirmin, acdirmax), SMB for 1 s,
// and other machines' changes show that much later. What this machine writes shows at once there too.
// Nothing depends on it but what people see, for every attempt reads the store again under the lock.
const watchEvery = 500 * time.Millisecond

// Run loads the accounts and keeps them fresh until ctx ends, then waits for what is under way.
// An error means that the store could not be read (errors.Is ErrLocked: it needs its passphrase).
func (m *Manager) Run(ctx context.Context) error {
	stamp, _ := m.store.Stamp()
	if err := m.Load(ctx); err != nil {
		return err
	}
	m.tellOrphans(ctx)
	defer m.Wait()
	watched := make(chan struct{})
	go func() { m.watchStore(ctx, stamp); close(watched) }()
	defer func() { <-watched }()
	if m.o.Watch > 0 {
		done := make(chan struct{})
		go func() { m.watchStacks(ctx); close(done) }()
		defer func() { <-done }()
	}

	clock := newClock(m.now())
	timer := time.NewTimer(0)
	defer timer.Stop()
	var scanned time.Time
	for {
		select {
		case <-ctx.Done():
			m.clearQueue()
			return nil
		case <-m.wake:
			// Whatever woke us may want an instant before the timer's: look again, but not
			// more than once in minWait.
			timer.Reset(time.Until(scanned.Add(minWait)))
			continue
		case <-timer.C:
		}
		scanned = time.Now()
		now := m.now()
		m.afterJump(clock.jump(now))
		timer.Reset(m.scan(ctx, now))
	}
}

// clock notices that the wall clock moved otherwise than time went by.
type clock struct {
	wall time.Time
	mono time.Time
}

func newClock(wall time.Time) *clock { return &clock{wall, time.Now()} }

// jump is how far wall moved against the monotonic clock since the last call.
func (c *clock) jump(wall time.Time) time.Duration {
	mono := time.Now()
	j := wall.Sub(c.wall) - mono.Sub(c.mono)
	c.wall, c.mono = wall, mono
	return j
}

// afterJump acts on a wall clock that was set, or on a suspended machine that woke. Whatever
// waits to retry need not wait on. A clock set back makes tokens look younger than they are: how
// long they still live can't be told, so they are refreshed.
func (m *Manager) afterJump(j time.Duration) {
	if j.Abs() < clockSlack {
		return
	}
	m.mu.Lock()
	for _, e := range m.order {
		e.retryAt = longAgo
		e.distrust = e.distrust || j < 0
		e.plan()
	}
	m.mu.Unlock()
	if j < 0 {
		m.report("", "", "clock", Warn, fmt.Sprintf("the clock was set back by %s: refreshing every token", (-j).Round(time.Second)))
	}
}

// scan queues what is due at now and returns how long to sleep. Each account is looked at: a
// scan of 10,000 costs less than the request for one token.
func (m *Manager) scan(ctx context.Context, now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	wait := heartbeat
	queued := len(m.queue)
	for _, e := range m.order {
		if e.dueAt.IsZero() {
			continue
		}
		if left := e.dueAt.Sub(now); left > 0 {
			wait = min(wait, left)
			continue
		}
		e.busy = true
		e.plan()
		m.queue = append(m.queue, e)
	}
	if len(m.queue) > queued {
		slices.SortFunc(m.queue, func(a, b *entry) int { return a.before(b, now) })
	}
	for m.workers < min(maxRequests, len(m.queue)) {
		m.workers++
		go m.work(ctx)
	}
	return max(wait, minWait)
}

// clearQueue takes back what was queued and not begun.
func (m *Manager) clearQueue() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.queue {
		e.busy = false
		e.plan()
	}
	m.queue = nil
}

// work makes attempts until nothing is queued. What it has begun it brings to its end.
func (m *Manager) work(ctx context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer func() {
		m.workers--
		m.quiet.Broadcast()
	}()
	for len(m.queue) > 0 {
		e := m.queue[0]
		m.queue = m.queue[1:]
		id := e.rec.ID
		if m.entries[id] != e {
			continue
		}
		good := func(a *Access) bool { return !a.due(m.now()) }
		if e.distrust {
			good = nil
		}
		m.mu.Unlock()
		_, _ = m.attempt(context.WithoutCancel(ctx), id, good) // finish has reported it
		m.mu.Lock()
	}
	m.poke()
}

// poke makes the loop look again.
func (m *Manager) poke() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// watchStore takes over what other processes write.
func (m *Manager) watchStore(ctx context.Context, stamp string) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	failing, retry := "", time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s, err := m.store.Stamp()
		if err == nil && s == stamp {
			retry = time.Time{}
			continue
		}
		if err == nil && s == failing && time.Now().Before(retry) {
			continue
		}
		var news []Event
		if err == nil {
			news, err = m.load(ctx)
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			// To read it may mean to ask a person for the key: not twice a second.
			if failing != s || retry.IsZero() {
				m.report("", "", "store", Warn, fmt.Sprintf("the store can't be read, going on with what is known: %v", err))
			}
			failing, retry = s, time.Now().Add(heartbeat)
			continue
		}
		stamp, failing, retry = s, "", time.Time{}
		for _, e := range news {
			e.Time = m.now()
			m.show(e)
		}
		m.poke()
	}
}
