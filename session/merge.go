package session

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Load reads the store and takes over what is new in it. Run does it by itself; a command that
// only looks calls it once. Errors: the store's (errors.Is ErrLocked: its key is not to be had).
func (m *Manager) Load(ctx context.Context) error {
	_, err := m.load(ctx)
	return err
}

// load is Load, and says which accounts others added, renamed and removed meanwhile.
func (m *Manager) load(ctx context.Context) ([]Event, error) {
	for {
		have, asOf := m.marks()
		recs, same, err := m.read(ctx, have)
		known, err := m.reached(recs, err)
		if known || err != nil {
			return nil, err
		}
		if news, ok := m.merge(recs, same, asOf); ok {
			return news, nil
		}
	}
}

// reached notes whether the store was reached when it gave recs and err. While it can't be, those that are
// known go on, and where there are none, what the store saw last will do; they are degraded.
func (m *Manager) reached(recs []Record, err error) (known bool, _ error) {
	cut := errors.Is(err, ErrCutOff)
	m.mu.Lock()
	before := m.cutOff
	known = cut && m.loaded
	if cut && !known && len(recs) == 0 || err != nil && !cut {
		m.mu.Unlock()
		return false, err
	}
	m.cutOff = err
	if m.loaded { // else there is nothing to look at before recs are taken in
		m.signal()
	}
	m.mu.Unlock()
	switch {
	case cut && before == nil:
		m.report("", "", "store", Warn, fmt.Sprintf("going on with what was seen last: %v", err))
	case !cut && before != nil:
		m.report("", "", "store", Info, "the bucket is reached again")
	}
	return known, nil
}

func (m *Manager) changesNow() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changes
}

// marks are those of the records here, after asOf changes of entries.
func (m *Manager) marks() (have map[ID]uint64, asOf uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	have = make(map[ID]uint64, len(m.order))
	for _, e := range m.order {
		have[e.rec.ID] = e.rec.mark
	}
	return have, m.changes
}

// read gives the records of the store, but for those which it has marks of: they are the same.
func (m *Manager) read(ctx context.Context, have map[ID]uint64) (recs []Record, same []ID, err error) {
	if s, ok := m.store.(*FileStore); ok {
		return s.changed(ctx, have)
	}
	recs, err = m.store.Load(ctx)
	return recs, nil, err
}

// merge takes over the records that the store had when it was asked, after asOf changes of entries, and
// leaves those that are the same. What this process changed since is newer than they are; not ok when it
// forgot an account, which may be among them.
func (m *Manager) merge(recs []Record, same []ID, asOf uint64) (news []Event, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dropped > asOf {
		return nil, false
	}
	m.loaded = true
	say := func(r *Record, text string) {
		news = append(news, Event{Account: r.ID, Name: r.Name, Op: "store", Text: text + " by another process"})
	}
	there := make(map[ID]bool, len(recs)+len(same))
	for _, id := range same {
		there[id] = true
	}
	for _, r := range recs {
		there[r.ID] = true
		before := ""
		if e := m.entries[r.ID]; e == nil {
			say(&r, "added")
		} else {
			before = e.rec.Name
		}
		if m.adopt(r, asOf) && before != "" && before != r.Name {
			say(&r, fmt.Sprintf("renamed from %q", before))
		}
	}
	for id, e := range m.entries {
		if !there[id] && !e.busy && e.adopted <= asOf {
			say(&e.rec, "removed")
			m.drop(e)
		}
	}
	m.signal()
	return news, true
}

// adopt takes over a record as the store has it, unless ours is newer, and tells whether it did.
// asOf is m.changes when the store was asked: where ours has stood since before then, what the store
// has now counts whatever its version, for somebody may have brought an earlier generation back. A
// token other than ours that lives ends our troubles with the old one. m.mu is held.
func (m *Manager) adopt(r Record, asOf uint64) bool {
	e := m.entries[r.ID]
	if e == nil {
		e = &entry{total: -1, index: len(m.order)}
		m.entries[r.ID] = e
		m.order = append(m.order, e)
	} else if r.Version <= e.rec.Version && e.adopted > asOf {
		return false
	}
	if r.Access != nil && (e.rec.Access == nil || !r.Access.Token.Equal(e.rec.Access.Token)) {
		now := m.now()
		e.distrust = r.Access.fromFuture(now)
		if r.Access.alive(now, 0) {
			e.failures, e.err, e.retryAt = 0, nil, time.Time{}
		}
	}
	m.changes++
	e.rec, e.adopted = r, m.changes
	if a := r.Access; a != nil {
		e.late = time.Duration(m.late * float64(a.ExpiresAt.Sub(a.ObtainedAt)))
	}
	e.plan()
	return true
}

// drop removes an entry. m.mu is held.
func (m *Manager) drop(e *entry) {
	m.changes++
	m.dropped = m.changes
	last := m.order[len(m.order)-1]
	m.order[e.index], last.index = last, e.index
	m.order = m.order[:len(m.order)-1]
	delete(m.entries, e.rec.ID)
}

// publish lets everybody in this process see a record that the store had after asOf changes of
// entries; 0 for one that was just written.
func (m *Manager) publish(r Record, asOf uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.adopt(r, asOf)
	m.signal()
}
