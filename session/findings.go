package session

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"wakey/api"
)

func (m *Manager) readWatched(a Account) (watched, error) {
	b, err := m.shelf.read(watchFile(a.ID))
	return decodeWatched(b, a.Stack, a.UserUUID), err
}

// noticed is what the watch has to say of an account, in short.
type noticed struct {
	at      time.Time
	open    int
	gravest *Finding // of the open ones; nil: there are none
}

// notice keeps for Accounts what w says.
func (m *Manager) notice(id ID, w *watched) {
	n := noticed{at: w.LookedAt}
	for i := range w.Findings {
		f := w.Findings[i] // a copy, which keeps no other
		if !f.Open() {
			continue
		}
		if n.open++; n.open == 1 || f.graver(n.gravest) {
			n.gravest = &f
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.entries[id]; e != nil {
		e.noticed = n
		m.signal()
	}
}

// graver puts findings in order: what still holds before what is over, the gravest and newest first.
func (f *Finding) graver(o *Finding) bool {
	switch {
	case f.Gone != o.Gone:
		return o.Gone
	case f.Level != o.Level:
		return f.Level > o.Level
	}
	return f.First.After(o.First)
}

// Findings returns what the watch noticed about the account, the gravest and newest first. Those
// that a person has seen and that still hold are among them; Finding.Open tells which are not
// settled. It reads one small file. Errors: ErrNoAccount, and those of the file.
func (m *Manager) Findings(id ID) ([]Finding, error) {
	a, err := m.Account(string(id))
	if err != nil {
		return nil, err
	}
	w, err := m.readWatched(a)
	if err != nil {
		return nil, err
	}
	all := w.Findings
	if f, ok := m.problemFinding(id, &w); ok {
		all = append(all, f)
	}
	slices.SortStableFunc(all, func(x, y Finding) int {
		switch {
		case x.Open() != y.Open():
			return map[bool]int{true: -1, false: 1}[x.Open()]
		case x.graver(&y):
			return -1
		case y.graver(&x):
			return 1
		}
		return 0
	})
	return all, nil
}

// problemFinding is the finding that the account's own problem makes.
func (m *Manager) problemFinding(id ID, w *watched) (Finding, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entries[id]
	if e == nil || e.rec.Problem == nil {
		return Finding{}, false
	}
	p := e.rec.Problem
	f := Finding{Level: Alarm, Text: p.Reason, New: true, First: p.Since, Last: p.Since, Seen: p.Since.Equal(w.SeenProblem)}
	switch p.State {
	case RevokedElsewhere:
		f.Kind, f.Subject = RefreshRefused, e.rec.ClientID
	case IdentityChanged:
		f.Kind = OtherUser
	default:
		return Finding{}, false
	}
	return f, true
}

// Seen says that a person has seen the account's findings: what is there now is not new any more.
// Findings that still hold stay, marked as seen; those that are over go.
func (m *Manager) Seen(id ID) error {
	a, err := m.Account(string(id))
	if err != nil {
		return err
	}
	var since time.Time
	m.mu.Lock()
	if e := m.entries[id]; e != nil && e.rec.Problem != nil {
		since = e.rec.Problem.Since
	}
	m.mu.Unlock()
	err = m.shelf.update(watchFile(id), func(old []byte) ([]byte, error) {
		w := decodeWatched(old, a.Stack, a.UserUUID)
		w.Base, w.BaseSessions = w.Listed, w.Foreign
		w.Findings = filter(w.Findings, func(f Finding) bool { return !f.Gone })
		for i := range w.Findings {
			w.Findings[i].Seen = true
		}
		w.SeenProblem = since
		m.notice(id, &w)
		return json.Marshal(w)
	})
	if err == nil {
		err = m.forgetTold(id)
	}
	if err != nil {
		return fmt.Errorf("that the findings were seen can't be kept: %w", err)
	}
	m.report(id, a.Name, "watch", Info, "the findings were seen")
	return nil
}

// unexplained tells whether the next look should ask why a refresh is refused. The first look does not:
// what there is has to be known first.
func (m *Manager) unexplained(ctx context.Context, a Account, w *watched) (bool, error) {
	if a.State != RevokedElsewhere || w.LookedAt.IsZero() {
		return false, nil
	}
	rec, err := m.store.Get(ctx, a.ID)
	return err == nil && rec.Problem != nil && !rec.Problem.Since.Equal(w.Explained), err
}

// explainProblem asks why a refresh is refused: whether the user has another login name now.
// The access token may still live; but most users may not read themselves (contract 2).
func (m *Manager) explainProblem(ctx context.Context, a Account) error {
	rec, err := m.store.Get(ctx, a.ID)
	if err != nil || rec.Problem == nil {
		return err
	}
	since := rec.Problem.Since
	f := Finding{Kind: LoginChanged, Level: Alarm, New: true, First: m.now(), Last: m.now()}
	var u api.User
	err = m.Do(ctx, a.ID, func(ctx context.Context, c *api.Client, token api.Secret) (err error) {
		u, err = c.User(ctx, token, a.UserUUID)
		return err
	})
	switch permission, other := lacking(err, "auth.users."+a.UserUUID+".read"); {
	case other != nil:
		return other
	case permission != "":
		f.Level = Info
		f.Text = "whether the user has another login name now can't be told: the permission " + shown(permission) + " is missing"
	case !u.Enabled:
		f.Text = "the user was disabled, which is why the stack refuses to refresh; ask an administrator of the stack"
	case !loginOf(u, a.Login):
		f.Text = fmt.Sprintf("the user is not called %s any more but %s, which is why its refresh token is dead; sign in with the new name", shown(a.Login), shown(u.Username))
	default:
		f.Level = Info
		f.Text = "the user is still called " + shown(a.Login) + ", so the refresh token was revoked"
	}
	err = m.shelf.update(watchFile(a.ID), func(old []byte) ([]byte, error) {
		w := decodeWatched(old, a.Stack, a.UserUUID)
		w.Explained = since
		w.Findings = append(filter(w.Findings, func(o Finding) bool { return o.Kind != LoginChanged }), f)
		m.notice(a.ID, &w)
		return json.Marshal(w)
	})
	m.tell(Event{Account: a.ID, Name: a.Name, Op: "watch", Level: f.Level, Text: f.Text}, f.evidence())
	return err
}

// loginOf tells whether the user can sign in with login: its name or a confirmed e-mail, in any
// letter case (contract 5).
func loginOf(u api.User, login string) bool {
	if strings.EqualFold(u.Username, login) {
		return true
	}
	return slices.ContainsFunc(u.Emails, func(e api.Email) bool { return e.Confirmed && strings.EqualFold(e.Address, login) })
}
