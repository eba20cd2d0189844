package session

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wakey/api"
)

// telling gives what a manager tells now.
func telling(t *testing.T, m *Manager) []Alert {
	t.Helper()
	var got []Alert
	if err := m.Tell(func(alerts []Alert) error {
		got = alerts
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

func wantAlert(t *testing.T, got []Alert, what string, grave bool) {
	t.Helper()
	if len(got) != 1 || got[0].What != what || got[0].Grave != grave || got[0].Text == "" || got[0].Name != "prod" {
		t.Fatalf("told %+v, want %s alone", got, what)
	}
}

func wantSilence(t *testing.T, m *Manager) {
	t.Helper()
	if got := telling(t, m); len(got) > 0 {
		t.Fatalf("told %+v, want nothing", got)
	}
}

func TestNothingIsToldWhenAllIsWell(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.manager(DefaultWatch)
		d.add(m, "prod", "alice", time.Hour)
		d.elsewhere("alice", "phone") // before the first look: it may be anybody's
		run(t, m)
		for range 20 {
			time.Sleep(10 * time.Minute)
			wantSilence(t, m)
		}
		if _, err := os.Stat(filepath.Join(d.dir, toldFile)); err == nil {
			t.Error("there is a file of what was told")
		}
	})
}

// It is asked at each change of any of ten thousand accounts.
func TestAskingForAlertsCostsNothingWhenAllIsWell(t *testing.T) {
	store := NewMemoryStore()
	fill(t, store, 100)
	m := New(store, Options{})
	if err := m.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(10, func() { _ = m.Alerts() }); n > 0 {
		t.Errorf("%.0f allocations for 100 accounts that are well", n)
	}
}

// What is wrong with an account is told once by whatever process is the first to, and again only
// when it was put right in between.
func TestToldOnceByAllProcesses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDrill(t)
		m, other := d.manager(0), d.manager(0)
		a := d.add(m, "prod", "alice", time.Hour)
		run(t, m)
		run(t, other)
		for round := range 2 {
			d.RevokeRefreshTokens(drillAlice)
			time.Sleep(time.Hour)
			if err := other.Load(t.Context()); err != nil { // a store in memory gives no sign
				t.Fatal(err)
			}
			wantState(t, m, a.ID, RevokedElsewhere)
			wantState(t, other, a.ID, RevokedElsewhere)
			wantAlert(t, telling(t, []*Manager{m, other}[round]), string(RevokedElsewhere), true)
			wantSilence(t, m)
			wantSilence(t, other)
			again := d.manager(0)
			if err := again.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantSilence(t, again)
			d.add(m, "prod", "alice", time.Hour)
			time.Sleep(time.Second)
			wantSilence(t, m)
		}
	})
}

func TestWhatCouldNotBeToldIsToldLater(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDrill(t)
		m, other := d.manager(0), d.manager(0)
		a := d.add(m, "prod", "alice", time.Hour)
		run(t, m)
		run(t, other)
		d.RevokeRefreshTokens(drillAlice)
		time.Sleep(time.Hour)
		wantState(t, m, a.ID, RevokedElsewhere)
		nobody := errors.New("no desktop")
		for range 3 {
			if err := m.Tell(func([]Alert) error { return nobody }); !errors.Is(err, nobody) {
				t.Fatalf("%v", err)
			}
		}
		wantAlert(t, telling(t, other), string(RevokedElsewhere), true)
		wantSilence(t, m)
	})
}

// A refresh token that is gone is one thing, whether the watch sees it first or the next refresh.
func TestTheWatchAndTheRefreshTellOfOneThing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.manager(DefaultWatch)
		a := d.add(m, "prod", "alice", 10*time.Hour)
		run(t, m)
		time.Sleep(time.Minute)
		d.RevokeRefreshTokens(drillAlice)
		time.Sleep(2 * DefaultWatch)
		wantState(t, m, a.ID, Active)
		wantAlert(t, telling(t, m), string(OwnGone), true)
		time.Sleep(10 * time.Hour)
		wantState(t, m, a.ID, RevokedElsewhere)
		wantSilence(t, m)
	})
}

func TestUnknownClientIsToldOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDrill(t)
		m, other := d.manager(DefaultWatch), d.manager(DefaultWatch)
		a := d.add(m, "prod", "alice", 10*time.Hour)
		run(t, m)
		run(t, other)
		time.Sleep(time.Minute)
		told := func() []Alert {
			time.Sleep(3 * DefaultWatch)
			return slices.Concat(telling(t, m), telling(t, other))
		}
		d.elsewhere("alice", "phone-7c1e")
		got := told()
		wantAlert(t, got, string(UnknownClient), true)
		if !strings.Contains(got[0].Text, "phone-7c1e") {
			t.Errorf("told %+v", got)
		}
		for range 3 { // it makes more and more tokens: that is the same thing
			d.elsewhere("alice", "")
			for _, more := range told() {
				if more.What != string(UnknownSessions) {
					t.Errorf("told %+v", more)
				}
			}
		}
		if got := told(); len(got) > 0 {
			t.Errorf("told %+v", got)
		}
		d.elsewhere("alice", "phone-7c1f")
		if got := told(); len(got) != 1 || !strings.Contains(got[0].Text, "phone-7c1f") {
			t.Fatalf("told %+v", got)
		}

		// Who has seen it hears of what comes after.
		if err := m.Seen(a.ID); err != nil {
			t.Fatal(err)
		}
		if got := told(); len(got) > 0 {
			t.Errorf("told %+v", got)
		}
		for range 12 {
			d.elsewhere("alice", "")
		}
		if got := told(); len(got) != 1 || got[0].What != string(UnknownSessions) {
			t.Errorf("told %+v", got)
		}
	})
}

// An account without a refresh token calls for a person when its access token is over.
func TestSignInNeededIsTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.manager(0)
		a := d.add(m, "prod", "alice", time.Hour)
		if _, err := d.store.Update(t.Context(), a.ID, func(r *Record) error {
			r.ClientID, r.RefreshToken = "", api.Secret{}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		run(t, m)
		time.Sleep(2 * time.Hour)
		wantState(t, m, a.ID, SignInNeeded)
		wantAlert(t, telling(t, m), string(SignInNeeded), false)
		wantSilence(t, m)
	})
}

func TestToldFileThatMakesNoSense(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.manager(0)
		a := d.add(m, "prod", "alice", time.Hour)
		run(t, m)
		d.RevokeRefreshTokens(drillAlice)
		time.Sleep(time.Hour)
		wantState(t, m, a.ID, RevokedElsewhere)
		if err := os.WriteFile(filepath.Join(d.dir, toldFile), []byte("null"), 0o600); err != nil {
			t.Fatal(err)
		}
		wantAlert(t, telling(t, m), string(RevokedElsewhere), true)
	})
}

func TestSummary(t *testing.T) {
	one := Alert{Name: "prod", What: "sign-in needed", Text: "sign in again"}
	for name, tt := range map[string]struct {
		alerts        []Alert
		heading, text string
	}{
		"one":           {[]Alert{one}, "prod: sign-in needed", "sign in again"},
		"two of one":    {[]Alert{one, {Name: "prod", Text: "b"}}, "prod: 2 alarms", "sign in again\nb"},
		"two accounts":  {[]Alert{one, {Name: "lab"}}, "2 alarms of your accounts", "prod, lab"},
		"many accounts": {manyAlerts(9), "9 alarms of your accounts", "a, b, c, d, e, f, 3 more"},
	} {
		if heading, text := Summary(tt.alerts); heading != tt.heading || text != tt.text {
			t.Errorf("%s: %q, %q", name, heading, text)
		}
	}
}

func manyAlerts(n int) []Alert {
	all := make([]Alert, n)
	for i := range all {
		all[i].Name = string(rune('a' + i))
	}
	return all
}
