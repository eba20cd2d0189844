package session

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"wakey/api"
)

// takeOrphans returns what was cut off and has no account that could tell: sign-ins before theirs
// came to exist, refreshes of one that was forgotten since. It forgets them. What is under way now is
// left alone.
func (s *FileStore) takeOrphans(ctx context.Context) ([]Attempt, error) {
	notes, err := filepath.Glob(s.path("locks/*.attempt"))
	if err != nil || len(notes) == 0 {
		return nil, err
	}
	snap, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	var orphans []Attempt
	for _, note := range notes {
		id := ID(strings.TrimSuffix(filepath.Base(note), ".attempt"))
		if _, ok, err := snap.get(id); ok || err != nil {
			continue // whoever refreshes that account next meets the note
		}
		left, err := takeNote(ctx, s, id, 10*time.Millisecond)
		orphans = append(orphans, left...)
		if err != nil {
			return orphans, err
		}
	}
	return orphans, nil
}

// takeNote takes away the note that an attempt for id has left, and returns it. Where somebody is at it, as
// far as patience can tell, there is none.
func takeNote(ctx context.Context, s Store, id ID, patience time.Duration) ([]Attempt, error) {
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	lock, err := s.Lock(wait, id)
	if err != nil {
		return nil, nil // somebody has it
	}
	defer lock.Release()
	if lock.Interrupted == nil {
		return nil, nil
	}
	return []Attempt{*lock.Interrupted}, lock.End()
}

// tellOrphans reports what requests that were cut off may have left on their stacks.
func (m *Manager) tellOrphans(ctx context.Context) {
	s, ok := m.store.(interface {
		takeOrphans(ctx context.Context) ([]Attempt, error)
	})
	if !ok {
		return
	}
	orphans, err := s.takeOrphans(ctx)
	if err != nil {
		m.report("", "", "sign-in", Warn, fmt.Sprintf("sign-ins that were cut off can't be looked for: %v", err))
	}
	for _, a := range orphans {
		if a.Op == "refresh" {
			l := a.leak()
			m.report("", "", a.Op, Warn, fmt.Sprintf("a refresh of an account that was forgotten since, client_id %s, was cut off at %s: until %s its stack may hold a session that nobody here knows",
				api.Clean(a.ClientID), a.At.Local().Format(time.DateTime), l.Until.Local().Format(time.DateTime)))
			continue
		}
		left := "a session"
		if a.ClientID != "" {
			left = fmt.Sprintf("a refresh token of client_id %s, to be revoked there, and a session", api.Clean(a.ClientID))
		}
		m.report("", "", "sign-in", Warn, fmt.Sprintf("a sign-in as %s at %s was cut off at %s: the stack may hold %s that nobody here knows",
			api.Clean(a.Login), api.StackName(a.Stack), a.At.Local().Format(time.DateTime), left))
	}
}
