package session

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

// fleetClass is a share of a fleet's accounts and the lifetime of their tokens.
type fleetClass struct {
	accounts int
	lifetime time.Duration
}

// watchedStore checks, at the instant a token is replaced, how much of its life was left.
type watchedStore struct {
	Store
	mu        sync.Mutex
	least     float64       // share of a lifetime
	refreshed map[int64]int // per minute
}

func (w *watchedStore) Update(ctx context.Context, id ID, fn func(*Record) error) (Record, error) {
	var old *Access
	r, err := w.Store.Update(ctx, id, func(r *Record) error {
		old = r.Access
		return fn(r)
	})
	if err == nil && old != nil && r.Access.SessionUUID != old.SessionUUID {
		now := time.Now()
		w.mu.Lock()
		w.least = min(w.least, old.ExpiresAt.Sub(now).Seconds()/old.ExpiresAt.Sub(old.ObtainedAt).Seconds())
		w.refreshed[now.Unix()/60]++
		w.mu.Unlock()
	}
	return r, err
}

// busyTransport answers after 40 ms and counts the requests at once.
type busyTransport struct {
	next      http.RoundTripper
	mu        sync.Mutex
	now, most int
}

func (b *busyTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	b.mu.Lock()
	b.now++
	b.most = max(b.most, b.now)
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		b.now--
		b.mu.Unlock()
	}()
	time.Sleep(40 * time.Millisecond)
	return b.next.RoundTrip(r)
}

// TestFleetNeverExpires keeps 10,000 accounts for a day.
func TestFleetNeverExpires(t *testing.T) {
	classes := []fleetClass{
		{20, time.Minute}, {180, 5 * time.Minute}, {1800, time.Hour}, {3000, 2 * time.Hour}, {5000, 24 * time.Hour},
	}
	if testing.Short() {
		for i := range classes {
			classes[i].accounts /= 20
		}
	}
	bubble(t, func(t *testing.T) {
		seed := authd.Seed{Tenants: []authd.SeedTenant{{UUID: tenant, Name: "Example", Slug: "example"}}}
		total := 0
		for _, c := range classes {
			for range c.accounts {
				seed.Users = append(seed.Users, authd.SeedUser{Username: fmt.Sprint("user", total), Password: "x", Tenant: tenant})
				total++
			}
		}
		server, err := authd.New(authd.Config{}, seed)
		if err != nil {
			t.Fatal(err)
		}
		store := &watchedStore{Store: NewMemoryStore(), least: 1, refreshed: map[int64]int{}}
		busy := &busyTransport{next: authd.Transport(server)}
		m := New(store, Options{Transport: busy})
		run(t, m)
		// People sign in over the first hour, all kinds mixed.
		pause := time.Hour / time.Duration(total)
		order := make([]time.Duration, 0, total)
		for _, c := range classes {
			order = append(order, slices.Repeat([]time.Duration{c.lifetime}, c.accounts)...)
		}
		for i := range order {
			j := i * 7919 % total // a prime: a fixed mixed order
			_, err := m.SignIn(t.Context(), SignInRequest{
				Stack: "pbx.example.com", Login: fmt.Sprint("user", j), Password: api.NewSecret("x"), Lifetime: order[j],
			})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(pause)
		}
		time.Sleep(23 * time.Hour)

		for _, a := range m.Accounts() {
			if a.State != Active && a.State != Refreshing {
				t.Errorf("%s: %s", a.Name, a.State)
			}
		}
		store.mu.Lock()
		defer store.mu.Unlock()
		if store.least < 0.05 {
			t.Errorf("a token was replaced with %.1f %% of its life left", 100*store.least)
		}
		if busy.most > maxRequests {
			t.Errorf("%d requests at once", busy.most)
		}
		var perMinute []int
		end := time.Now().Unix() / 60
		for minute := end - 12*60; minute < end; minute++ {
			perMinute = append(perMinute, store.refreshed[minute])
		}
		sum := 0
		for _, n := range perMinute {
			sum += n
		}
		mean, most := float64(sum)/float64(len(perMinute)), float64(slices.Max(perMinute))
		// Refreshes that know nothing of each other spread as chance has it: by the root of their mean.
		if most > mean+7*math.Sqrt(mean) {
			t.Errorf("%.0f refreshes in one minute, %.0f in the mean", most, mean)
		}
		t.Logf("%d accounts: least life left at a refresh %.1f %%, at most %d requests at once, %.0f refreshes a minute, %.0f in the busiest",
			total, 100*store.least, busy.most, mean, most)
	})
}
