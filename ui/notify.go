package ui

import (
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"wakey/internal/desktop"
	"wakey/session"
)

// notifier calls a person to the program: once for each thing, and for nothing else.
type notifier struct {
	heard    map[string]bool // keys of the alerts that are known here; nil: none were listed yet
	alerts   []session.Alert // as of now
	seen     bool            // the terminal tells of its focus
	supports bool            // the terminal shows a program's status
}

// osc9Msg asks the terminal to show a notification, where this machine has no desktop.
type osc9Msg struct{ text string }

// attend takes the alerts as they stand. What is new rings the bell, and is told on the desktop
// unless another process of this machine has told it. What is on the screen that a person opens, or
// looks at, needs no notification.
func (f *frame) attend(alerts []session.Alert) tea.Cmd {
	n := &f.notifier
	n.alerts = alerts
	first, fresh := n.heard == nil, false
	if first {
		n.heard = map[string]bool{}
	}
	for _, a := range alerts {
		fresh = fresh || !n.heard[a.Key]
		n.heard[a.Key] = true
	}
	if !fresh {
		return nil
	}
	var cmds []tea.Cmd
	if f.opts.Bell && !first {
		cmds = append(cmds, tea.Raw("\a"))
	}
	if f.opts.Notify {
		cmds = append(cmds, tellDesktop(f.ctx, f.mgr, f.env, first || n.seen && f.focused))
	}
	return tea.Batch(cmds...)
}

// tellDesktop tells what nobody was told of; where a person sees it, that is enough. Over ssh the
// person sits at another machine, whose terminal is asked.
func tellDesktop(ctx context.Context, mgr *session.Manager, env environment, sees bool) tea.Cmd {
	return func() tea.Msg {
		var msg tea.Msg
		_ = mgr.Tell(func(alerts []session.Alert) error { // a file that can't be written is told in Activity by whoever needs it
			if sees {
				return nil
			}
			heading, text := session.Summary(alerts)
			if env.remote || desktop.Notify(ctx, notification(heading, text, alerts)) != nil {
				msg = osc9Msg{clean(heading) + ". " + clean(text)}
			}
			return nil
		})
		return msg
	}
}

func notification(heading, text string, alerts []session.Alert) desktop.Notification {
	n := desktop.Notification{Heading: clean(heading)}
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = clean(l)
	}
	n.Text = strings.Join(lines, "\n")
	for _, a := range alerts {
		n.Urgent = n.Urgent || a.Grave
	}
	return n
}

// notifying takes what comes back from calling a person.
func (f *frame) notifying(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case osc9Msg:
		return tea.Raw(ansi.Notify("wakey: " + msg.text)) // a name first: some terminals read a digit as a command
	case tea.ProgramStatusSupportMsg:
		f.notifier.supports = true
	}
	return nil
}

// programStatus tells terminals that show such things whether a person has to do something.
func (f *frame) programStatus() *tea.ProgramStatus {
	if !f.notifier.supports {
		return nil
	}
	status := tea.ProgramStatus{App: "wakey", Title: "wakey"}
	switch j := f.jobs.visible(); {
	case len(f.notifier.alerts) > 0:
		heading, _ := session.Summary(f.notifier.alerts)
		status.State, status.Kind, status.Message = tea.ProgramStateBlocked, tea.ProgramStatusKindAuth, clean(heading)
	case j != nil && j.bulk != nil:
		status.State, status.Message = tea.ProgramStateWorking, clean(j.title)
		status.Progress, status.HasProgress = 100*(j.bulk.done+len(j.bulk.failed))/max(1, len(j.bulk.items)), true
	default:
		return nil
	}
	return &status
}
