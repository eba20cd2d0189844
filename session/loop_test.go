package session

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// However close the next instant is, and whoever wakes the loop how often: it looks at its accounts once a
// second at most.
func TestLooksOnceASecond(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := NewMemoryStore()
		ids := fill(t, store, 3)
		var asked atomic.Int32 // what time it is, once a look
		m := New(store, Options{Now: func() time.Time { asked.Add(1); return time.Now() }})
		if err := m.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		soon := account(t, m, ids[0]).RefreshAt.Add(-10 * time.Millisecond)
		if wait := m.scan(t.Context(), soon); wait != time.Second {
			t.Errorf("the next look is %s after the one before, want a second", wait)
		}

		run(t, m)
		synctest.Wait()
		asked.Store(0)
		for range 10_000 {
			m.poke()
			time.Sleep(time.Millisecond)
		}
		countBetween(t, "looks in 10 s in which it is woken a thousand times a second", int(asked.Load()), 9, 11)
	})
}
