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

func TestLasting(t *testing.T) {
	for d, want := range map[time.Duration]string{
		2*time.Hour - time.Second: "2h", 90 * time.Minute: "1h30m", 30 * time.Minute: "30m", 9*time.Minute + 59*time.Second: "9m59s",
		5 * time.Minute: "5m", 45 * time.Second: "45s", 0: "0s", 48 * time.Hour: "48h", 10 * time.Hour: "10h", 20*time.Minute + 20*time.Second: "20m",
	} {
		if got := lasting(d); got != want {
			t.Errorf("%v: %q, not %q", d, got, want)
		}
	}
}
