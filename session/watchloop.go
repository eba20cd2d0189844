package session

import (
	"context"
	"slices"
	"sync"
	"time"
)

// DefaultWatch is how often Run looks at an account's user on its stack, give or take a fifth.
const DefaultWatch = 5 * time.Minute

const (
	// maxLooks bounds the looks under way at once.
	maxLooks = 4
	// looksPerRound bounds those begun in a second: ten thousand accounts are looked at in turn,
	// which takes as long as it takes, and neither this machine nor the stack feels it.
	looksPerRound = 2
)

// PauseWatch stops Run's looks and lets them go on; what fell due meanwhile is looked at within a second.
func (m *Manager) PauseWatch(paused bool) {
	m.mu.Lock()
	m.watchPaused = paused
	m.mu.Unlock()
	m.pokeWatch()
}

func (m *Manager) pokeWatch() {
	select {
	case m.watchWake <- struct{}{}:
	default:
	}
}

// watchStacks looks at every account at the start and from time to time, until ctx ends.
func (m *Manager) watchStacks(ctx context.Context) {
	var under sync.WaitGroup
	defer under.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var round time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.watchWake:
			// Each look that ends wakes us: look again, but not more than once in minWait.
			timer.Reset(time.Until(round.Add(minWait)))
			continue
		case <-timer.C:
		}
		round = time.Now()
		due, wait := m.dueLooks(m.now())
		for _, id := range due {
			under.Go(func() {
				defer m.lookedAt(id)
				if !m.lookedElsewhere(id) {
					_ = m.Look(ctx, id) // when it was looked at last can be seen, and the next look is not far
				}
			})
		}
		timer.Reset(wait)
	}
}

// dueLooks takes those accounts that have been due the longest, as many as may be looked at now,
// and says how long to sleep.
func (m *Manager) dueLooks(now time.Time) (due []ID, wait time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	wait = heartbeat
	if m.watchPaused {
		return nil, wait
	}
	free := maxLooks
	longest := make([]*entry, 0, looksPerRound+1) // due, whoever waits longest first
	for _, e := range m.order {
		if e.looking {
			free--
			continue
		}
		if e.lookAt.After(now.Add(2 * m.o.Watch)) { // the clock was set back
			e.lookAt = now
		}
		if e.lookAt.After(now) {
			wait = min(wait, e.lookAt.Sub(now))
			continue
		}
		wait = 0
		if len(longest) == looksPerRound && !e.lookAt.Before(longest[looksPerRound-1].lookAt) {
			continue
		}
		i, _ := slices.BinarySearchFunc(longest, e, func(a, b *entry) int { return a.lookAt.Compare(b.lookAt) })
		longest = slices.Insert(longest, i, e)
		longest = longest[:min(len(longest), looksPerRound)]
	}
	for _, e := range longest[:max(0, min(free, len(longest)))] {
		e.looking = true
		due = append(due, e.rec.ID)
	}
	return due, max(wait, minWait)
}

// lookedAt draws when an account is due again.
func (m *Manager) lookedAt(id ID) {
	defer m.pokeWatch() // its sleep was reckoned without this one
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.entries[id]; e != nil {
		e.looking = false
		e.lookAt = m.now().Add(m.interval())
	}
}

// interval is Options.Watch, up to a fifth shorter or longer.
func (m *Manager) interval() time.Duration {
	return time.Duration((0.8 + 0.4*random()) * float64(m.o.Watch))
}

// lookedElsewhere tells whether another process of this machine has looked lately, so that we
// need not. At its start every process looks for itself.
func (m *Manager) lookedElsewhere(id ID) bool {
	now := m.now()
	m.mu.Lock()
	e := m.entries[id]
	if e == nil || e.lookAt.IsZero() {
		m.mu.Unlock()
		return e == nil
	}
	own, a := e.lookedAt, accountOf(&e.rec)
	m.mu.Unlock()
	w, err := m.readWatched(a)
	if err == nil {
		m.notice(id, &w)
	}
	age := now.Sub(w.LookedAt)
	return err == nil && w.LookedAt.After(own) && age >= 0 && age < m.o.Watch*4/5
}
