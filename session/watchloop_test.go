package session

import (
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A thousand accounts are looked at two a second, everybody once before anybody twice.
func TestWatchOfManyIsSpread(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := NewMemoryStore()
		fill(t, store, 1000)
		m := New(store, Options{Watch: DefaultWatch})
		if err := m.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		looks := map[ID]int{}
		for range 500 {
			due, wait := m.dueLooks(m.now())
			if len(due) > 2 || wait != time.Second {
				t.Fatalf("%d looks, then a wait of %s", len(due), wait)
			}
			for _, id := range due {
				looks[id]++
				m.lookedAt(id)
			}
			time.Sleep(wait)
		}
		if len(looks) != 1000 {
			t.Fatalf("%d accounts were looked at in 500 s, want all", len(looks))
		}
		for id, n := range looks {
			if n != 1 {
				t.Errorf("%s was looked at %d times, want 1", id, n)
			}
		}
	})
}

// And so does the loop, which every look wakes when it ends.
func TestWatchLoopKeepsThePace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := NewMemoryStore()
		fill(t, store, 1000)
		var asked atomic.Int32
		m := New(store, Options{Watch: DefaultWatch, Transport: counting{unreachable{}, &asked}})
		run(t, m)
		time.Sleep(100 * time.Second)
		countBetween(t, "looks in 100 s", int(asked.Load()), 198, 202)
	})
}

// unreachable is a network without a stack.
type unreachable struct{}

func (unreachable) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, syscall.ECONNREFUSED
}

// Looks that hang keep others from being begun, but not for ever more.
func TestSlowLooksAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := NewMemoryStore()
		fill(t, store, 10)
		m := New(store, Options{Watch: DefaultWatch})
		if err := m.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		var under []ID
		for range 5 {
			due, _ := m.dueLooks(m.now())
			under = append(under, due...)
		}
		if len(under) != 4 {
			t.Errorf("%d looks under way, want 4", len(under))
		}
		m.lookedAt(under[0])
		if due, _ := m.dueLooks(m.now()); len(due) != 1 {
			t.Errorf("%d looks begun when one has ended, want 1", len(due))
		}
	})
}
