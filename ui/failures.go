package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// failures lists what failed of a bulk job. One or all can be run again, and each error be read
// in full.
type failures struct {
	bare

	f      *frame
	job    string // its title
	verb   string
	done   int
	failed []bulkFailure
	cursor int
	again  func([]bulkItem) tea.Cmd // runs items once more; nil: as a bulk job of their own
}

func newFailures(f *frame, title, verb string, done int, failed []bulkFailure) *failures {
	return &failures{f: f, job: title, verb: verb, done: done, failed: failed}
}

const (
	actRetry    action = "retry"
	actRetryAll action = "retry all"
)

func (d *failures) title() string {
	return strings.ToUpper(d.verb[:1]) + d.verb[1:] + " " + number(d.done) + ", " + number(len(d.failed)) + " failed"
}

func (d *failures) bindings() []binding {
	return []binding{
		{action: actRetry, keys: []string{"r"}, short: "try this again", name: "Try this one again"},
		{action: actRetryAll, keys: []string{"R"}, short: "all again", name: "Try all again"},
		{action: actReason, keys: []string{"enter", "e"}, short: "read in full"},
		{action: actUp, keys: []string{"up", "k"}},
		{action: actDown, keys: []string{"down", "j"}, show: "↑↓", short: "move"},
		{action: actCancel, keys: []string{"esc", "q"}, show: "esc", short: "close"},
	}
}

func (d *failures) do(a action) tea.Cmd {
	switch a {
	case actUp:
		d.cursor = max(0, d.cursor-1)
	case actDown:
		d.cursor = min(d.cursor+1, len(d.failed)-1)
	case actCancel:
		d.f.close(d)
	case actReason:
		it := d.failed[d.cursor]
		d.f.push(newNotice(d.f, it.label, it.err.Error()))
	case actRetry:
		one := d.failed[d.cursor]
		d.failed = append(d.failed[:d.cursor:d.cursor], d.failed[d.cursor+1:]...)
		d.cursor = max(0, min(d.cursor, len(d.failed)-1))
		if len(d.failed) == 0 {
			d.f.close(d)
		}
		return d.retry([]bulkItem{one.bulkItem})
	case actRetryAll:
		d.f.close(d)
		items := make([]bulkItem, len(d.failed))
		for i, it := range d.failed {
			items[i] = it.bulkItem
		}
		d.failed, d.cursor = nil, 0
		return d.retry(items)
	}
	return nil
}

// retry runs items once more. What fails again comes back into the list.
func (d *failures) retry(items []bulkItem) tea.Cmd {
	if d.again != nil {
		return d.again(items)
	}
	return startBulk(d.f, d.job, items, func(done int, failed []bulkFailure) tea.Cmd {
		d.done += done
		d.failed = append(d.failed, failed...)
		d.f.close(d)
		if len(d.failed) > 0 {
			d.f.push(d)
			return nil
		}
		return d.f.tellBulk(d.verb, d.done, len(items)-done)
	})
}

func (d *failures) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case wheelMsg:
		d.cursor = max(0, min(d.cursor+int(msg), len(d.failed)-1))
	case clickMsg:
		_, h := boxRoom(d.f.w, d.f.h)
		i := d.first(h) + msg.y
		switch {
		case i < 0 || i >= len(d.failed):
		case i == d.cursor:
			return d.do(actReason)
		default:
			d.cursor = i
		}
	}
	return nil
}

func (d *failures) first(h int) int { return max(0, d.cursor-h+1) }

func (d *failures) view(w, h int) []string {
	s := d.f.st
	w = min(w, 90)
	names := 0
	for _, it := range d.failed {
		names = max(names, min(width(it.label), w/3))
	}
	var lines []string
	for i := d.first(h); i < len(d.failed) && len(lines) < h; i++ {
		it, on := d.failed[i], i == d.cursor
		bar := "  "
		if on {
			bar = shapeCursor + " "
		}
		lines = append(lines, s.on(s.accent, on).Render(bar)+s.on(s.bad, on).Render(shapeDanger+" ")+
			s.on(s.strong, on).Render(fit(clean(it.label), names)+"  ")+
			s.on(s.muted, on).Render(cut(clean(it.err.Error()), w-names-6)))
	}
	return lines
}
