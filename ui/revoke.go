package ui

import (
	"context"
	"errors"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
	"wakey/session"
)

// usualLifetime is how long an access token lives when nothing else was asked for (contract 5).
// Whoever made it may have asked for more, which nobody is told.
const usualLifetime = 2 * time.Hour

// What can be said of a target that is still listed after everything.
var (
	errNotBegun    = errors.New("it was not begun")
	errStillListed = errors.New("the stack said yes, and still lists it; try again")
)

// target is a refresh token or a session that a person has confirmed the end of.
type target struct {
	name     string // clean
	user     string // uuid of its user
	clientID string // of a refresh token, as the stack has it
	session  string // of a session: its uuid
	err      error  // of the last try; nil before it
	tried    bool
}

func (t *target) key() clientKey { return clientKey{t.user, t.clientID} }

// revocation is the work that a confirmation leads to: the refresh tokens first, so that no
// session is made from them any more, then the sessions, then a look at what is still listed.
// It goes on when its view is left.
type revocation struct {
	f        *frame
	mgr      *session.Manager
	scope    scope
	where    string // the stack
	tokens   []*target
	sessions []*target
	known    map[string]bool // sessions that were listed before; nil: none were
	current  []session.ID    // accounts that lose their access token, and get another
	over     func(result, *leftovers) tea.Cmd
	stopped  bool
	failures *failures // the last that was shown
}

// leftovers is what is listed after the work.
type leftovers struct {
	tokens   map[clientKey]bool
	sessions map[string]bool
	appeared int // sessions that nobody here opened and that were not there before
	at       time.Time
}

// run begins with the refresh tokens.
func (r *revocation) run() tea.Cmd {
	if len(r.tokens) == 0 {
		return r.runSessions()
	}
	return startBulk(r.f, "revoking "+plural(len(r.tokens), "refresh token"), r.items(r.tokens), func(done int, failed []bulkFailure) tea.Cmd {
		if done+len(failed) < len(r.tokens) {
			r.stopped = true
			return r.look()
		}
		return r.runSessions()
	})
}

func (r *revocation) runSessions() tea.Cmd {
	if len(r.sessions) == 0 {
		return r.look()
	}
	return startBulk(r.f, "revoking "+plural(len(r.sessions), "session"), r.items(r.sessions), func(done int, failed []bulkFailure) tea.Cmd {
		r.stopped = done+len(failed) < len(r.sessions)
		return r.look()
	})
}

func (r *revocation) items(targets []*target) []bulkItem {
	items := make([]bulkItem, len(targets))
	for i, t := range targets {
		items[i] = r.item(t)
	}
	return items
}

func (r *revocation) item(t *target) bulkItem {
	return bulkItem{label: t.name, run: func(ctx context.Context) error {
		t.tried = true
		t.err = r.revoke(ctx, t)
		return t.err
	}}
}

// revoke ends one. What is gone already is as good as revoked.
func (r *revocation) revoke(ctx context.Context, t *target) error {
	err := r.scope.do(ctx, r.mgr, func(ctx context.Context, c *api.Client, token api.Secret) error {
		switch {
		case t.clientID != "" && r.scope.everyone:
			return c.RevokeUserRefreshToken(ctx, token, t.user, t.clientID)
		case t.clientID != "":
			return c.RevokeMyRefreshToken(ctx, token, t.clientID)
		case r.scope.everyone:
			return c.RevokeSession(ctx, token, t.session)
		}
		// The stack would end any session of the tenant here (contract 8); this one was listed
		// for this user.
		return c.RevokeUserSession(ctx, token, r.scope.user, t.session)
	})
	r.mgr.LogRevocation(r.scope.acc, session.Revocation{UserUUID: t.user, ClientID: t.clientID, Session: t.session}, err)
	if errors.Is(err, api.ErrNotFound) {
		return nil
	}
	return err
}

// look lists again: a yes is no proof, and neither is an error (contract 5).
func (r *revocation) look() tea.Cmd {
	accounts := r.mgr.Accounts()
	_, cmd := start(r.f, "looking whether they are gone", func(ctx context.Context) (*leftovers, error) {
		for _, id := range r.current {
			_, _ = r.mgr.Refresh(ctx, id) // the account's state tells when it fails
		}
		return r.left(ctx, accounts)
	}, r.report)
	return cmd
}

// left asks the stack for everything in the scope, and keeps what is still there of the targets.
func (r *revocation) left(ctx context.Context, accounts []session.Account) (*leftovers, error) {
	l := &leftovers{tokens: map[clientKey]bool{}, sessions: map[string]bool{}}
	if len(r.tokens) > 0 {
		wanted := make(map[clientKey]bool, len(r.tokens))
		for _, t := range r.tokens {
			wanted[t.key()] = true
		}
		items, _, err := r.scope.refreshTokens(ctx, r.mgr, "", everything)
		if err != nil {
			return nil, err
		}
		for _, rt := range items {
			if k := (clientKey{rt.UserUUID, rt.ClientID}); wanted[k] {
				l.tokens[k] = true
			}
		}
	}
	if len(r.sessions) == 0 && (r.known == nil || r.scope.everyone) {
		return l, nil
	}
	items, err := r.scope.sessions(ctx, r.mgr)
	if err != nil {
		return nil, err
	}
	stack := ""
	if a, err := r.mgr.Account(string(r.scope.acc)); err == nil {
		stack = a.Stack
	}
	ours := ownersOf(append(accounts, r.mgr.Accounts()...), stack).sessions
	for _, s := range items {
		l.sessions[s.UUID] = true
		if _, own := ours[s.UUID]; !own && r.known != nil && !r.known[s.UUID] && !r.scope.everyone {
			l.appeared++
		}
	}
	return l, nil
}

// everything is more than any stack lists.
const everything = 1_000_000

// report says what is proven gone, and lists what is not.
func (r *revocation) report(l *leftovers, err error) tea.Cmd {
	if err != nil {
		return r.unproven(err)
	}
	l.at = r.f.now
	var failed []bulkFailure
	gone := [2]int{}
	for kind, list := range [][]*target{r.tokens, r.sessions} {
		for _, t := range list {
			switch {
			case !l.tokens[t.key()] && !l.sessions[t.session]:
				gone[kind]++
				continue
			case !t.tried:
				t.err = errNotBegun
			case t.err == nil:
				t.err = errStillListed
			}
			failed = append(failed, bulkFailure{r.item(t), t.err})
		}
	}
	res := result{toastGood, r.outcome(gone[0], gone[1], len(failed), l)}
	if len(failed) > 0 || l.appeared > 0 {
		res.kind = toastWarn
	}
	r.f.close(r.failures) // what this look found takes its place
	if len(failed) > 0 && !r.stopped {
		r.failures = newFailures(r.f, "revoking again", "revoked", gone[0]+gone[1], failed)
		r.failures.again = r.again
		r.f.push(r.failures)
	}
	return r.over(res, l)
}

// again runs what failed once more, and looks again.
func (r *revocation) again(items []bulkItem) tea.Cmd {
	return startBulk(r.f, "revoking "+plural(len(items), "item")+" again", items, func(int, []bulkFailure) tea.Cmd { return r.look() })
}

// outcome puts into words what was proven.
func (r *revocation) outcome(tokens, sessions, left int, l *leftovers) string {
	var s string
	switch {
	case tokens == 1 && len(r.tokens) == 1:
		s = fmt.Sprintf("%s is gone: %s lists it no more", cutMiddle(r.tokens[0].name, 40), r.where)
	case len(r.tokens) > 0:
		s = fmt.Sprintf("%d of %s gone: %s lists them no more", tokens, plural(len(r.tokens), "refresh token"), r.where)
	}
	if n := len(r.sessions); n > 0 {
		if s != "" {
			s += "; "
		}
		s += fmt.Sprintf("%d of %s ended", sessions, plural(n, "session"))
		if len(r.tokens) == 0 {
			s += fmt.Sprintf(": %s lists %s no more", r.where, map[bool]string{true: "it", false: "them"}[n == 1])
		}
	}
	s += ". "
	if tokens > 0 && len(r.sessions) == 0 {
		s += "Access tokens made before may live until " + clockTime(r.f.now, l.at.Add(usualLifetime)) + ", longer if that was asked for. "
	}
	if l.appeared > 0 {
		s += fmt.Sprintf("%s opened meanwhile that this machine does not know%s. ", plural(l.appeared, "session"), r.f.hint(": press 4"))
	}
	if left > 0 {
		s += plural(left, "item") + " still listed. "
	}
	if r.stopped {
		s += "Stopped before the end. "
	}
	return s[:len(s)-1]
}

// unproven is what is left to say when the stack could not be asked again.
func (r *revocation) unproven(err error) tea.Cmd {
	yes, bad := 0, 0
	for _, list := range [][]*target{r.tokens, r.sessions} {
		for _, t := range list {
			switch {
			case t.tried && t.err == nil:
				yes++
			case t.err != nil:
				bad++
			}
		}
	}
	text := fmt.Sprintf("%s said yes to %d and no to %d, but whether they are gone is not proven: %s", r.where, yes, bad, clean(err.Error()))
	return r.over(result{toastBad, text}, nil)
}

// result is what a revocation came to. It stays above the list until one lists again.
type result struct {
	kind toastKind
	text string // empty: none
}

func (r result) lines(s *styles, w, h int) []string {
	if r.text == "" || w < 8 {
		return nil
	}
	shape, st := r.kind.look(s)
	lines := head(wrap(r.text, w-4), max(1, min(3, h/6)))
	for i, l := range lines {
		mark := blanks(3)
		if i == 0 {
			mark = " " + st.Render(shape) + " "
		}
		lines[i] = mark + toastText(s, r.kind).Render(l)
	}
	return lines
}
