package session

import (
	"cmp"
	"time"
)

// entry is what the manager knows of one account.
type entry struct {
	rec      Record
	adopted  uint64 // Manager.changes when rec was taken over
	busy     bool   // queued or under way
	failures int    // in a row
	err      error
	retryAt  time.Time
	distrust bool          // the clock was set back: the times of the token can't be believed
	dueAt    time.Time     // when it wants an attempt; zero when it wants none
	late     time.Duration // that this process lets others go first
	index    int           // in Manager.order
	total    int           // sessions of the user on the stack, counted at
	counted  time.Time

	looking  bool      // a look of Run's is queued or under way
	lookAt   time.Time // when the next one is due
	lookedAt time.Time // the last one of this process
	noticed  noticed   // what the last look of any process came to
}

func (e *entry) session() string {
	if e.rec.Access == nil {
		return ""
	}
	return e.rec.Access.SessionUUID
}

// plan works out when the entry wants its next attempt. It is called after every change of what
// it looks at, so that a scan only compares instants.
func (e *entry) plan() {
	switch {
	case e.busy, e.rec.Problem != nil, e.rec.RefreshToken.IsZero():
		e.dueAt = time.Time{}
	case e.failures > 0:
		e.dueAt = e.retryAt
	case e.distrust, e.rec.Access == nil:
		e.dueAt = longAgo
	default:
		e.dueAt = e.rec.Access.RefreshAt.Add(e.late)
	}
}

// longAgo is due whatever the clock says.
var longAgo = time.Unix(1, 0)

func (e *entry) state(now time.Time) State {
	alive := e.rec.Access.alive(now, 0)
	switch {
	case e.rec.Problem != nil:
		return e.rec.Problem.State
	case e.busy:
		return Refreshing
	case alive && e.err == nil:
		return Active
	case alive:
		return Degraded
	case e.rec.RefreshToken.IsZero():
		return SignInNeeded
	default:
		return Expired
	}
}

// before orders the queue. An account whose last attempt failed lets the others go first: thousands
// whose stack does not answer must not keep those of another one waiting. Among the others a token that
// still lives can be saved, one that is dead has been met already. Then whoever runs out first.
func (e *entry) before(o *entry, now time.Time) int {
	last := func(late bool) int {
		if late {
			return 1
		}
		return 0
	}
	return cmp.Or(
		last(e.failures > 0)-last(o.failures > 0),
		last(!e.rec.Access.alive(now, 0))-last(!o.rec.Access.alive(now, 0)),
		e.expiry().Compare(o.expiry()),
		cmp.Compare(e.rec.ID, o.rec.ID),
	)
}

func (e *entry) expiry() time.Time {
	if e.rec.Access == nil {
		return time.Time{}
	}
	return e.rec.Access.ExpiresAt
}
