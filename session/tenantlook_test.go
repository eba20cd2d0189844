package session

import (
	"testing"
	"time"
)

func TestTenantIsRememberedByItsNewest(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.manager(0)
		a := d.add(m, "alice", "alice", 0)
		now := time.Now().UTC()
		saw := func(below bool, newest, want time.Time) {
			t.Helper()
			if before, err := m.SawTenant(a.ID, below, newest); err != nil || !before.Equal(want) {
				t.Errorf("before %v there was %v, not %v; %v", newest, before, want, err)
			}
		}
		saw(false, now, time.Time{})
		saw(true, now.Add(-time.Hour), time.Time{}) // a list of its own
		saw(false, now.Add(time.Minute), now)
		saw(false, now, now.Add(time.Minute)) // never backwards
		d.look(m, a.ID)                       // the watch keeps it
		saw(false, now.Add(1000*time.Hour), now.Add(time.Minute))
		saw(false, now, now.Add(24*time.Hour)) // nobody is believed to have signed in next month
		saw(true, now, now.Add(-time.Hour))
		if _, err := m.SawTenant("none", false, now); err == nil {
			t.Error("no account, and no error")
		}
	})
}
