package session

import (
	"math/rand/v2"
	"time"

	"wakey/api"
)

const (
	// heartbeat bounds how long the manager sleeps: Go's timers stand still while a machine
	// is suspended, so only looking at the wall clock again tells that time has passed.
	heartbeat = 30 * time.Second
	// minWait keeps the loop from spinning whatever the clocks say.
	minWait = time.Second
	// clockSlack is how far the wall clock may move against the monotonic one before it counts
	// as having been set.
	clockSlack = 5 * time.Second

	// fleetSpread is the share of a token's lifetime over which the machines that share a bucket come to
	// refresh it. All know the instant that was drawn for it; the first to come refreshes, the others
	// then have its token, instead of all standing in line at once.
	fleetSpread = 0.05

	backoffFirst = 2 * time.Second
	backoffMax   = 5 * time.Minute
)

// newAccess anchors a token to this machine's clock. Only the lifetime is the server's; it is
// counted from asked, the local wall time at which the request left, so neither a wrong clock
// nor a slow answer lets a token look alive after its death.
//
// The server keeps the expiry in whole seconds but answers a POST with the fraction
// (contract 4): the fraction is cut off here too. draw in [0,1) places the refresh instant in
// 70-80 % of the lifetime; it is drawn once per token and never again, so that accounts signed
// in together drift apart and a re-read never moves the instant.
func newAccess(t *api.Token, asked time.Time, draw float64) *Access {
	lifetime := t.ExpiresAt.Truncate(time.Second).Sub(t.IssuedAt)
	asked = asked.Round(0)
	return &Access{
		Token:       t.Value,
		SessionUUID: t.SessionUUID,
		ObtainedAt:  asked,
		ExpiresAt:   asked.Add(lifetime),
		RefreshAt:   asked.Add(time.Duration((0.7 + 0.1*draw) * float64(lifetime))),
	}
}

// fromFuture tells whether the clock stands before the token was made: it has been set back
// since, and what is left of the token can't be told.
func (a *Access) fromFuture(now time.Time) bool {
	return now.Before(a.ObtainedAt.Add(-clockSlack))
}

// alive tells whether a is good for another minValid at now, as far as the clock can be believed.
// minValid counts for half the token's lifetime at most: more could never be had for long, and
// callers that ask for it would refresh without end.
func (a *Access) alive(now time.Time, minValid time.Duration) bool {
	if a == nil || a.fromFuture(now) {
		return false
	}
	return now.Add(min(minValid, a.ExpiresAt.Sub(a.ObtainedAt)/2)).Before(a.ExpiresAt)
}

// due tells whether a is to be refreshed at now.
func (a *Access) due(now time.Time) bool {
	return a == nil || !now.Before(a.RefreshAt) || a.fromFuture(now)
}

// backoff is the wait after the n-th failure in a row (n from 1): doubling from 2 s to 5 min,
// each with a random part of up to a half taken off, and never over a quarter of what the token
// still has to live, so that a token near its end is fought for.
func backoff(n int, left time.Duration, draw float64) time.Duration {
	d := backoffMax
	if n < 9 {
		d = min(d, backoffFirst<<(n-1))
	}
	d -= time.Duration(draw * float64(d) / 2)
	if left > 0 {
		d = min(d, left/4)
	}
	return max(d, minWait)
}

// random is a draw in [0,1).
func random() float64 { return rand.Float64() } //nolint:gosec // spreads load, guards nothing
