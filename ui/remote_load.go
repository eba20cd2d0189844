package ui

import (
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"
)

// batch is the answer of a listing.
type batch[T any] struct {
	rows  []T
	total int
	know  knowledge
	warn  error // what could not be read beside the list
}

// load asks the stack.
func (v *remote[T]) load() tea.Cmd {
	if v.f.mgr == nil || v.scope.acc == "" {
		return nil
	}
	v.asked = true
	cmd := v.loadRows(firstPage)
	if v.scope.everyone && v.names == nil {
		return tea.Batch(cmd, v.loadNames())
	}
	return cmd
}

// loadRows asks for the first rows, and when there are more, for all of them.
func (v *remote[T]) loadRows(limit int) tea.Cmd {
	v.f.jobs.drop(v.job)
	mgr, sc, search, fetch := v.f.mgr, v.scope, v.search, v.fetch
	quiet := !v.listed.IsZero() && v.err == nil
	v.err = nil
	var cmd tea.Cmd
	v.job, cmd = ask(v.f, "listing "+v.what(), func(ctx context.Context) (batch[T], error) {
		rows, total, err := fetch(ctx, mgr, sc, search, limit)
		if err != nil {
			return batch[T]{}, err
		}
		know, warn := learn(mgr, sc, v.newest(rows))
		return batch[T]{rows, total, know, warn}, nil
	}, func(b batch[T], err error) tea.Cmd {
		if err != nil {
			return v.failed(err)
		}
		v.err, v.total, v.know, v.listed = nil, b.total, b.know, v.f.now
		if v.since.IsZero() {
			v.since = b.know.since
		}
		v.set(b.rows)
		if limit < maxRows && b.total > len(b.rows) {
			return v.loadRows(maxRows)
		}
		if b.warn != nil {
			return v.f.fail("labels and findings could not be read", b.warn)
		}
		return nil
	})
	v.f.jobs.find(v.job).quiet = quiet
	return cmd
}

// newest is when the newest of the rows was made.
func (v *remote[T]) newest(rows []T) (t time.Time) {
	if v.made == nil {
		return t
	}
	for _, r := range rows {
		if m := v.made(r); m.After(t) {
			t = m
		}
	}
	return t
}

// failed keeps what was listed before, and says why it could not be listed again.
func (v *remote[T]) failed(err error) tea.Cmd {
	v.err = err
	if v.listed.IsZero() {
		return nil // the body says it
	}
	return v.f.fail(v.what()+" could not be listed again", err)
}

func (v *remote[T]) loadNames() tea.Cmd {
	v.f.jobs.drop(v.naming)
	mgr, sc := v.f.mgr, v.scope
	var cmd tea.Cmd
	v.naming, cmd = ask(v.f, "listing the users", func(ctx context.Context) (map[string]string, error) {
		return sc.users(ctx, mgr)
	}, func(names map[string]string, err error) tea.Cmd {
		if err != nil {
			return v.f.fail("users are shown by their uuids", err)
		}
		v.names = names
		v.rejudge()
		return nil
	})
	v.f.jobs.find(v.naming).quiet = true
	return cmd
}

func (v *remote[T]) set(rows []T) {
	v.judge(rows)
	v.list.set(rows)
}

func (v *remote[T]) rejudge() { v.set(slices.Clone(v.list.all)) }

// seen says that a person has seen what the watch found new.
func (v *remote[T]) seen() tea.Cmd {
	if cmd, ok := v.f.ready(); !ok {
		return cmd
	}
	mgr, id := v.f.mgr, v.scope.acc
	_, cmd := start(v.f, "noting what was seen", func(context.Context) (struct{}, error) {
		return struct{}{}, mgr.Seen(id)
	}, func(_ struct{}, err error) tea.Cmd {
		if err != nil {
			return v.f.fail("it is still new", err)
		}
		return tea.Batch(v.f.say(toastGood, "what the watch found of "+v.acc.Name+" counts as seen"), v.load())
	})
	return cmd
}
