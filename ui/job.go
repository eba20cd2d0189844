package ui

import (
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"
)

const (
	// slowAfter is how long a job may run before the screen says so.
	slowAfter = 300 * time.Millisecond
	spinEvery = 120 * time.Millisecond
)

// jobID names one run of one job. 0 is none.
type jobID int

// job is slow work under way.
type job struct {
	id     jobID
	title  string // "refreshing prod"
	slow   bool   // it runs for longer than slowAfter
	quiet  bool   // nobody asked for it: it is not shown, and quitting may cut it off
	reads  bool   // it changes nothing: quitting may cut it off
	cancel context.CancelFunc
	then   func(value any, err error) tea.Cmd
	bulk   *bulk // nil for a single piece of work
	firm   bool  // esc does not stop it: its own screen asks first
}

// jobs are the work under way, oldest first.
type jobs struct {
	list     []*job
	last     jobID
	spin     int // the spinner's frame
	spinning bool
}

type (
	answerMsg struct {
		id    jobID
		value any
		err   error
	}
	slowMsg struct{ id jobID }
	spinMsg struct{}
)

// start runs fn in a command. then gets its answer inside Update; it is not called when the job
// was dropped or cancelled meanwhile. The title says what is under way: "refreshing prod".
func start[T any](f *frame, title string, fn func(context.Context) (T, error), then func(T, error) tea.Cmd) (jobID, tea.Cmd) {
	ctx, cancel := context.WithCancel(f.ctx)
	j := f.jobs.add(&job{title: title, cancel: cancel, then: func(v any, err error) tea.Cmd {
		t, _ := v.(T)
		return then(t, err)
	}})
	run := func() tea.Msg {
		defer cancel()
		v, err := fn(ctx)
		return answerMsg{id: j.id, value: v, err: err}
	}
	return j.id, tea.Batch(run, slowTick(j.id))
}

// ask is start for what only asks, and changes nothing anywhere.
func ask[T any](f *frame, title string, fn func(context.Context) (T, error), then func(T, error) tea.Cmd) (jobID, tea.Cmd) {
	id, cmd := start(f, title, fn, then)
	f.jobs.find(id).reads = true
	return id, cmd
}

func slowTick(id jobID) tea.Cmd {
	return tea.Tick(slowAfter, func(time.Time) tea.Msg { return slowMsg{id} })
}

func (js *jobs) add(j *job) *job {
	js.last++
	j.id = js.last
	js.list = append(js.list, j)
	return j
}

func (js *jobs) find(id jobID) *job {
	for _, j := range js.list {
		if j.id == id {
			return j
		}
	}
	return nil
}

// drop cancels a job and forgets it: its answer reaches nobody.
func (js *jobs) drop(id jobID) {
	if j := js.find(id); j != nil {
		j.cancel()
		js.list = slices.DeleteFunc(js.list, func(x *job) bool { return x == j })
	}
}

// visible is the newest job that runs long enough to be shown, or nil.
func (js *jobs) visible() *job {
	for _, j := range slices.Backward(js.list) {
		if j.slow && !j.quiet {
			return j
		}
	}
	return nil
}

// matter are the jobs that quitting would cut off for good.
func (js *jobs) matter() []*job {
	return slices.DeleteFunc(slices.Clone(js.list), func(j *job) bool { return j.quiet || j.reads })
}

// busy tells whether quitting would cut work off.
func (js *jobs) busy() bool { return len(js.matter()) > 0 }

// update moves the jobs on.
func (js *jobs) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case answerMsg:
		j := js.find(msg.id)
		if j == nil {
			return nil // dropped: a late answer is nobody's
		}
		js.list = slices.DeleteFunc(js.list, func(x *job) bool { return x == j })
		return j.then(msg.value, msg.err)
	case bulkStepMsg:
		if j := js.find(msg.id); j != nil && j.bulk != nil {
			return js.bulkStep(j, msg)
		}
	case slowMsg:
		j := js.find(msg.id)
		if j == nil {
			return nil
		}
		j.slow = true
		if !js.spinning {
			js.spinning = true
			return spinTick()
		}
	case spinMsg:
		js.spinning = js.visible() != nil
		if js.spinning {
			js.spin++
			return spinTick()
		}
	}
	return nil
}

func spinTick() tea.Cmd {
	return tea.Tick(spinEvery, func(time.Time) tea.Msg { return spinMsg{} })
}

// line says what is under way, in w cells.
func (js *jobs) line(s *styles, w int) string {
	j := js.visible()
	if j == nil {
		return ""
	}
	if j.firm {
		return spread(js.short(s, w), s.key.Render("!")+s.muted.Render(" shows it "), w)
	}
	return spread(js.short(s, w), s.key.Render("esc")+s.muted.Render(" stops it "), w)
}

// short is line without the key that stops it.
func (js *jobs) short(s *styles, w int) string {
	j := js.visible()
	frames := []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
	text := " " + s.info.Render(string(frames[js.spin%len(frames)])) + " " + s.text.Render(clean(j.title)+"…")
	if j.bulk != nil {
		text += "  " + j.bulk.bar(s, min(24, w/4))
	}
	return text + " "
}
