package ui

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	tea "charm.land/bubbletea/v2"

	"wakey/session"
)

// activity is the view of what happened: what the manager tells, and what the log knows besides,
// of other processes and of earlier days.
type activity struct {
	f    *frame
	list list[happening]
	all  []happening   // newest first
	last session.Event // the newest that the manager told
	job  jobID
	// seen is when the view was last looked at; what is older needs no attention.
	seen time.Time
	// logErr is why the log could not be read.
	logErr string
}

// happening is one thing that happened. Its texts are clean.
type happening struct {
	session.Event

	key    string
	fields []fact // what the log knows besides
}

// happenedLeast is what the column that tells what happened gets at least, before others give
// way; it gets whatever they leave.
const happenedLeast = 32

// mostHappenings is how many are listed: more than anybody reads.
const mostHappenings = 5000

func newActivity(f *frame) *activity {
	v := &activity{f: f, seen: f.now}
	v.list = newList(f,
		func(h happening) string { return h.key },
		func(h happening) string {
			return strings.Join([]string{levelWord(h.Level), h.Name, h.Op, h.Text, h.Time.Local().Format("2006-01-02 15:04:05")}, " ")
		},
		v.columns()...)
	return v
}

func (v *activity) columns() []column[happening] {
	muted := func(happening) lipgloss.Style { return v.f.st.muted }
	level := func(h happening) lipgloss.Style { _, st := levelLook(v.f.st, h.Level); return st }
	byText := func(text func(happening) string) func(a, b happening) int {
		return func(a, b happening) int { return strings.Compare(text(a), text(b)) }
	}
	name := func(h happening) string { return h.Name }
	op := func(h happening) string { return h.Op }
	return []column[happening]{
		{title: "", min: 1, max: 1, text: func(h happening) string { shape, _ := levelLook(v.f.st, h.Level); return shape }, style: level},
		{
			title: "LEVEL", min: 7, max: 7, rank: 3, firm: true, text: func(h happening) string { return levelWord(h.Level) }, style: level,
			compare: func(a, b happening) int { return int(b.Level) - int(a.Level) },
		},
		{
			title: "WHEN", min: 14, max: 14, firm: true, rank: 1, text: func(h happening) string { return age(v.f.now, h.Time) }, style: muted,
			compare: func(a, b happening) int { return a.Time.Compare(b.Time) },
		},
		{title: "ACCOUNT", min: 7, max: 20, rank: 2, text: name, compare: byText(name), style: func(happening) lipgloss.Style { return v.f.st.strong }},
		{title: "WHAT", min: 7, max: 8, rank: 4, text: op, compare: byText(op), style: muted},
		{title: "HAPPENED", min: 12, max: happenedLeast, firm: true, text: func(h happening) string { return h.Text }, style: func(h happening) lipgloss.Style {
			if h.Level == session.Info {
				return v.f.st.text
			}
			return level(h)
		}},
	}
}

// levelLook is how a level is shown: a shape, and a colour last.
func levelLook(s *styles, l session.Level) (shape string, style lipgloss.Style) {
	switch l {
	case session.Warn:
		return "▲", s.warn
	case session.Alarm:
		return shapeAlarm, s.bad
	case session.Info:
	}
	return "·", s.muted
}

func levelWord(l session.Level) string {
	switch l {
	case session.Warn:
		return "warning"
	case session.Alarm:
		return "alarm"
	case session.Info:
	}
	return "info"
}

// What the activity view understands.
const actGoTo action = "go to account"

func (v *activity) bindings() []binding {
	if v.list.filtering {
		return filterBindings()
	}
	if len(v.all) == 0 {
		return nil
	}
	return append([]binding{
		{action: actReason, keys: []string{"enter", "e"}, short: "read in full", name: "Read it in full"},
		{action: actGoTo, keys: []string{"a"}, short: "its account", name: "Go to its account"},
		{action: actInspect, keys: []string{"i"}, short: "inspect", name: "Inspect its account's access token"},
	}, v.list.bindings()...)
}

func (v *activity) do(a action) tea.Cmd {
	if a == actBack && v.list.footLines() == 0 {
		return v.f.do(a)
	}
	if v.list.do(a) {
		return nil
	}
	h, ok := v.list.selected()
	if !ok {
		return nil
	}
	switch a {
	case actReason:
		v.f.push(v.inFull(h))
	case actGoTo, actInspect:
		if _, there := v.f.account(h.Account); !there {
			return v.f.say(toastInfo, "it is of no account that is here now")
		}
		v.f.current = h.Account
		if a == actInspect {
			return v.f.open(viewInspector)
		}
		return tea.Batch(v.f.open(viewAccounts), v.f.screens[viewAccounts].update(changedMsg{}))
	}
	return nil
}

func (v *activity) typing() bool { return v.list.typing() }

// count is how many warnings and alarms came since the view was last looked at.
func (v *activity) count() int {
	n := 0
	if v.f.screen() == screen(v) {
		return 0
	}
	for _, e := range slices.Backward(v.f.events) {
		if !e.Time.After(v.seen) {
			break
		}
		if e.Level > session.Info {
			n++
		}
	}
	return n
}

func (v *activity) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case changedMsg:
		v.takeEvents()
		return nil
	case clickMsg:
		if sp := v.split(v.f.bodySize()); msg.x >= sp.listW || msg.y >= sp.listH {
			return nil
		}
	}
	w, h := v.f.bodySize()
	if v.list.update(msg, v.split(w, h).listW) {
		return v.do(actReason)
	}
	return nil
}

func (v *activity) enter() tea.Cmd {
	v.takeEvents()
	return v.readLog()
}

// takeEvents adds what the manager told since the last time, while somebody looks.
func (v *activity) takeEvents() {
	n := len(v.f.events)
	if v.f.screen() != screen(v) || n == 0 || v.f.events[n-1] == v.last {
		return
	}
	v.last = v.f.events[n-1]
	v.take(happenings(v.f.events))
}

func (v *activity) leave() {
	v.f.jobs.drop(v.job)
	v.seen = v.f.now
}

func (v *activity) layout(w, h int) {
	sp := v.split(w, h)
	v.list.layout(sp.listH)
	v.list.fill(len(v.list.cols)-1, sp.listW)
}

// take adds what is new. Whoever looks at the newest goes on seeing the newest; whoever has
// moved down goes on seeing the same lines.
func (v *activity) take(more []happening) {
	merged := merge(v.all, more)
	l := &v.list
	atTop, below := l.cursor == 0 && l.offset == 0, l.cursor-l.offset
	v.all = merged
	l.set(v.all)
	if atTop && l.sortBy < 0 {
		l.cursor, l.offset = 0, 0
	} else {
		l.offset = l.cursor - below
	}
	l.settle(l.height)
}

// happenings makes events fit for the list, the newest first.
func happenings(events []session.Event) []happening {
	out := make([]happening, 0, len(events))
	for _, e := range slices.Backward(events) {
		e.Op = clean(e.Op) // its other texts are clean
		out = append(out, happening{Event: e})
	}
	return out
}

// merge puts two lists together, both newest first. What the manager told and the log wrote down
// is one thing: the log's line knows more.
func merge(a, b []happening) []happening {
	out := make([]happening, 0, len(a)+len(b))
	at := make(map[string]int, len(a)+len(b))
	add := func(hs []happening) {
		times := map[string]int{}
		for _, h := range slices.Backward(hs) { // oldest first, so that numbers stay what they are
			k := keyOf(h.Event)
			if times[k]++; times[k] > 1 {
				k += "#" + strconv.Itoa(times[k])
			}
			h.key = k
			if i, there := at[k]; there {
				if len(h.fields) > 0 {
					out[i].fields = h.fields
				}
				continue
			}
			at[k] = len(out)
			out = append(out, h)
		}
	}
	add(a)
	add(b)
	slices.SortStableFunc(out, func(x, y happening) int { return x.Time.Compare(y.Time) })
	slices.Reverse(out)
	return out[:min(len(out), mostHappenings)]
}

// keyOf names an event. The log keeps microseconds.
func keyOf(e session.Event) string {
	return strconv.FormatInt(e.Time.Truncate(time.Microsecond).UnixMicro(), 36) + "/" + string(e.Account) + "/" + e.Op + "/" + strconv.Itoa(int(e.Level))
}

// logged is what was read of the log.
type logged struct {
	all    []happening
	broken int // lines that can't be read
}

// readLog reads the log in a command: it may be long.
func (v *activity) readLog() tea.Cmd {
	if v.f.mgr == nil {
		return nil
	}
	v.f.jobs.drop(v.job)
	audit := v.f.mgr.Audit()
	id, cmd := ask(v.f, "reading the log", func(ctx context.Context) (logged, error) {
		return readLog(ctx, audit)
	}, func(l logged, err error) tea.Cmd {
		v.job, v.logErr = 0, ""
		switch {
		case err != nil:
			v.logErr = clean(err.Error())
		case l.broken > 0:
			v.logErr = plural(l.broken, "line") + " of the log can't be read; run wakey log verify"
		}
		v.take(l.all)
		return nil
	})
	v.job = id
	v.f.jobs.find(id).quiet = true
	return cmd
}

func readLog(ctx context.Context, audit *session.Audit) (logged, error) {
	var l logged
	var last error
	for e, err := range audit.Read(session.AuditFilter{}) {
		if ctx.Err() != nil {
			return l, ctx.Err()
		}
		if err != nil {
			l.broken++
			last = err
			continue
		}
		l.all = append(l.all, fromLog(e))
		if len(l.all) >= 2*mostHappenings {
			l.all = append(l.all[:0], l.all[mostHappenings:]...)
		}
	}
	if len(l.all) == 0 && last != nil {
		return l, last
	}
	l.all = l.all[max(0, len(l.all)-mostHappenings):]
	slices.Reverse(l.all)
	return l, nil
}

func fromLog(e session.Entry) happening {
	h := happening{Event: session.Event{Time: e.Time, Account: e.Account, Name: clean(e.Name), Op: clean(e.Op), Level: e.Level, Text: clean(e.Text)}}
	for _, k := range slices.Sorted(maps.Keys(e.Fields)) {
		h.fields = append(h.fields, fact{clean(k), clean(e.Fields[k]), ""})
	}
	return h
}
