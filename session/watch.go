package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"wakey/api"
)

func watchFile(id ID) string { return "watch-" + string(id) + ".json" }

// Look asks the stack once what there is of the account's user, two requests at most, and compares it
// with what this machine holds and has seen (contract 7.1, 8). Once for each time that the stack refuses our
// refresh token, the second request asks what the user is called now, in place of the sessions. What is new is an event, goes into the
// log and stays in Findings. Where a permission is missing, the finding names it and the rest is
// still looked at. Errors: those of Do; then nothing was compared.
func (m *Manager) Look(ctx context.Context, id ID) error {
	_, err, _ := m.looks.Do(string(id), func() (any, error) { return nil, m.look(ctx, id) })
	m.signal()
	return err
}

func (m *Manager) look(ctx context.Context, id ID) error {
	before, err := m.ours(id)
	if err != nil {
		return err
	}
	a, err := m.Account(string(id))
	if err != nil {
		return err
	}
	w, err := m.readWatched(a)
	if err != nil {
		return err
	}
	m.notice(id, &w) // also when the stack does not answer now
	explain, err := m.unexplained(ctx, a, &w)
	if err != nil {
		return err
	}
	if before.retired {
		_ = m.retire(ctx, id) // what fails is an event, and tried again next time
	}
	l, err := m.ask(ctx, a, explain)
	if err != nil {
		return err
	}
	o, err := m.ours(id)
	if err != nil {
		return err
	}
	o.add(before)
	labels, err := m.labels(a)
	if err != nil {
		m.report(id, a.Name, "watch", Warn, err.Error())
	}
	if w, err = m.readWatched(a); err != nil {
		return err
	}
	if _, news := w.after(l, o, labels); slices.ContainsFunc(news, func(f Finding) bool { return f.Open() }) {
		// Whoever on this machine asked for a token while we listed writes down what it gets:
		// wait for that before anybody is alarmed.
		if o, err = m.settled(ctx, id, o); err != nil {
			return err
		}
	}
	l.problem = a.State == RevokedElsewhere
	var news []Finding
	err = m.shelf.update(watchFile(id), func(old []byte) ([]byte, error) {
		var w watched
		w, news = decodeWatched(old, a.Stack, a.UserUUID).after(l, o, labels)
		m.notice(id, &w)
		return json.Marshal(w)
	})
	if err != nil {
		err = fmt.Errorf("what the watch saw can't be kept: %w", err)
	}
	m.mu.Lock()
	if e := m.entries[id]; e != nil {
		e.lookedAt = l.at
		if l.noSessions == "" && !l.noTime {
			e.total, e.counted = len(l.sessions), l.at
		}
	}
	m.mu.Unlock()
	for _, f := range news {
		m.tell(Event{Account: id, Name: a.Name, Op: "watch", Level: f.Level, Text: f.Text}, f.evidence())
	}
	if explain {
		err = errors.Join(err, m.explainProblem(ctx, a))
	}
	return err
}

// evidence is what the log keeps of a finding besides its text.
func (f *Finding) evidence() map[string]string {
	more := map[string]string{"kind": string(f.Kind)}
	if f.Subject != "" {
		more["subject"] = f.Subject
	}
	if !f.CreatedAt.IsZero() {
		more["created_at"] = f.CreatedAt.UTC().Format(time.RFC3339Nano)
	}
	if len(f.Sessions) > 0 {
		more["sessions"] = strings.Join(f.Sessions, " ")
	}
	return more
}

// ask lists what the stack has of the account's user, without the sessions when there is no time for them.
func (m *Manager) ask(ctx context.Context, a Account, noTime bool) (look, error) {
	var l look
	err := m.Do(ctx, a.ID, func(ctx context.Context, c *api.Client, token api.Secret) error {
		l = look{at: m.now(), noTime: noTime}
		tokens, err := c.MyRefreshTokens(ctx, token, api.ListOptions{})
		l.tokens = tokens.Items
		if l.noTokens, err = lacking(err, "auth.users.me.tokens.read"); err != nil {
			return err
		}
		if noTime {
			return nil
		}
		sessions, err := c.UserSessions(ctx, token, a.UserUUID, api.ListOptions{})
		l.sessions = filter(sessions.Items, func(s api.Session) bool { return s.UserUUID == a.UserUUID })
		l.noSessions, err = lacking(err, "auth.users."+a.UserUUID+".sessions.read")
		return err
	})
	return l, err
}

// lacking turns a missing permission into its name. Stacks before 22.04 give a 401 no reason;
// then it is taken for one, as the token was just good.
func lacking(err error, wanted string) (permission string, other error) {
	var e *api.Error
	if !errors.Is(err, api.ErrPermission) && !errors.Is(err, api.ErrUnauthorized) {
		return "", err
	}
	if errors.As(err, &e) && e.Permission != "" {
		return e.Permission, nil
	}
	return wanted, nil
}

// siblings are the accounts of this machine that are of the same user of the same stack as id,
// itself included. m.mu is held.
func (m *Manager) siblings(id ID) []*entry {
	e := m.entries[id]
	if e == nil {
		return nil
	}
	var all []*entry
	for _, o := range m.order { // users differ more often than stacks, and at their first letter
		if o.rec.UserUUID == e.rec.UserUUID && o.rec.Stack == e.rec.Stack {
			all = append(all, o)
		}
	}
	return all
}

// ours is what this machine holds of the account's user.
func (m *Manager) ours(id ID) (ours, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := ours{clients: map[string]bool{}, leaked: map[string]time.Time{}, sessions: map[string]time.Time{}}
	all := m.siblings(id)
	if len(all) == 0 {
		return o, fmt.Errorf("%w: %s", ErrNoAccount, id)
	}
	o.current, o.retired = m.entries[id].rec.ClientID, len(m.entries[id].rec.OldClientIDs) > 0
	for _, e := range all {
		o.record(&e.rec)
	}
	now := m.now()
	for _, clientID := range m.pending {
		o.leaked[clientID] = now
	}
	return o, nil
}

func (o *ours) record(r *Record) {
	for _, clientID := range append(slices.Clone(r.OldClientIDs), r.ClientID) {
		if clientID != "" {
			o.clients[clientID] = true
		}
	}
	for _, s := range r.Sessions {
		o.sessions[s.UUID] = s.ExpiresAt
	}
	for _, l := range r.Leaks {
		o.leak(l)
	}
}

func (o *ours) leak(l Leak) {
	if !slices.ContainsFunc(o.leaks, l.Until.Equal) {
		o.leaks = append(o.leaks, l.Until)
	}
	if l.Op == "sign-in" && l.ClientID != "" {
		o.leaked[l.ClientID] = l.At
	}
}

// add takes in what was held before. A client_id counts as current only when it was all the while.
func (o *ours) add(before ours) {
	if o.current != before.current {
		o.current = ""
	}
	maps.Copy(o.clients, before.clients)
	maps.Copy(o.leaked, before.leaked)
	maps.Copy(o.sessions, before.sessions)
	for _, until := range before.leaks {
		if !slices.ContainsFunc(o.leaks, until.Equal) {
			o.leaks = append(o.leaks, until)
		}
	}
}

// settled is what this machine holds once none of its processes is asking for tokens of the
// user any more, and o.
func (m *Manager) settled(ctx context.Context, id ID, o ours) (ours, error) {
	m.mu.Lock()
	all := m.siblings(id)
	ids := make([]ID, 0, len(all))
	for _, e := range all {
		ids = append(ids, e.rec.ID)
	}
	m.mu.Unlock()
	var left []Leak
	for _, id := range ids {
		lock, err := m.lock(ctx, id, nil)
		if err != nil {
			return o, err
		}
		if a := lock.Interrupted; a != nil {
			if rec, err := m.store.Get(ctx, id); err != nil || !rec.keeps(*a) {
				left = append(left, a.leak())
			}
		}
		lock.Release()
	}
	if err := m.Load(ctx); err != nil {
		return o, err
	}
	now, err := m.ours(id)
	if err != nil {
		return o, err
	}
	now.add(o)
	for _, l := range left {
		now.leak(l)
	}
	return now, nil
}

// leak is what may be left of an attempt that nobody ended.
func (a *Attempt) leak() Leak {
	lifetime := a.Lifetime
	if lifetime == 0 {
		lifetime = defaultLifetime
	}
	return Leak{At: a.At, Until: a.At.Add(lifetime), Op: a.Op, ClientID: a.ClientID}
}

// labels are those of the account's user, by client_id.
func (m *Manager) labels(a Account) (map[string]string, error) {
	all, err := m.KnownClients()
	labels := map[string]string{}
	for _, c := range all {
		if c.Stack == a.Stack && c.UserUUID == a.UserUUID {
			labels[c.ClientID] = c.Label
		}
	}
	return labels, err
}
