package ui

import (
	"context"
	"errors"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// bulkWidth is how many pieces of a bulk job run at once.
const bulkWidth = 4

// bulkItem is one piece of a bulk job.
type bulkItem struct {
	label string
	run   func(context.Context) error
}

// bulkFailure is a piece that failed. It can be run again.
type bulkFailure struct {
	bulkItem

	err error
}

// bulk is a job of many pieces.
type bulk struct {
	ctx     context.Context //nolint:containedctx // ends every piece that is left
	title   string
	items   []bulkItem
	next    int // the first piece that was not begun
	running int
	done    int
	failed  []bulkFailure
}

type bulkStepMsg struct {
	id   jobID
	item int
	err  error
}

// startBulk runs every item, a few at once. When all are over, then gets how many were done and
// which failed. A bulk job that was stopped ends with what had been done by then.
func startBulk(f *frame, title string, items []bulkItem, then func(done int, failed []bulkFailure) tea.Cmd) tea.Cmd {
	ctx, cancel := context.WithCancel(f.ctx)
	b := &bulk{ctx: ctx, title: title, items: items}
	j := f.jobs.add(&job{title: title, cancel: cancel, bulk: b, then: func(any, error) tea.Cmd {
		return then(b.done, b.failed)
	}})
	cmds := []tea.Cmd{slowTick(j.id)}
	for range min(bulkWidth, len(items)) {
		cmds = append(cmds, b.begin(j.id))
	}
	if len(items) == 0 {
		cmds = append(cmds, func() tea.Msg { return answerMsg{id: j.id} })
	}
	return tea.Batch(cmds...)
}

// begin runs the next piece, if there is one.
func (b *bulk) begin(id jobID) tea.Cmd {
	if b.next >= len(b.items) || b.ctx.Err() != nil {
		return nil
	}
	i := b.next
	b.next++
	b.running++
	return func() tea.Msg { return bulkStepMsg{id: id, item: i, err: b.items[i].run(b.ctx)} }
}

// bulkStep takes a piece's end, and begins another.
func (js *jobs) bulkStep(j *job, msg bulkStepMsg) tea.Cmd {
	b := j.bulk
	b.running--
	switch {
	case msg.err == nil:
		b.done++
	case errors.Is(msg.err, context.Canceled) && b.ctx.Err() != nil:
		// stopped by the person: neither done nor failed
	default:
		b.failed = append(b.failed, bulkFailure{b.items[msg.item], msg.err})
	}
	if cmd := b.begin(j.id); cmd != nil {
		return cmd
	}
	if b.running > 0 {
		return nil
	}
	return js.update(answerMsg{id: j.id})
}

// bar shows how far the job is: ━━━━╸─── 12/40 · 1 failed.
func (b *bulk) bar(s *styles, w int) string {
	total := max(1, len(b.items))
	over := b.done + len(b.failed)
	halves := over * 2 * w / total
	bar := strings.Repeat("━", halves/2)
	if halves%2 == 1 {
		bar += "╸"
	}
	line := s.good.Render(bar) + s.faint.Render(strings.Repeat("─", w-(halves+1)/2)) +
		" " + s.text.Render(number(over)+"/"+number(len(b.items)))
	if n := len(b.failed); n > 0 {
		line += " " + s.bad.Render(number(n)+" failed")
	}
	return line
}
