package ui

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"wakey/session"
)

// collect runs a command and everything it holds, and gives the messages of type M. Timers are
// not waited for.
func collect[M tea.Msg](cmd tea.Cmd) []M {
	var out []M
	if cmd == nil {
		return nil
	}
	msg := cmd()
	if m, ok := msg.(M); ok {
		return []M{m}
	}
	batch, _ := msg.(tea.BatchMsg)
	for _, c := range batch {
		if c != nil && !isTimer(c) {
			out = append(out, collect[M](c)...)
		}
	}
	return out
}

// isTimer tells a command that waits from one that works.
func isTimer(c tea.Cmd) bool {
	timer := tea.Tick(0, func(time.Time) tea.Msg { return nil })
	return reflect.ValueOf(c).Pointer() == reflect.ValueOf(timer).Pointer()
}

func TestLateAnswerOfADroppedJobReachesNobody(t *testing.T) {
	a := newTestApp(t, 80, 24, testAccounts(noon))
	reached := 0
	var ended func() error
	id, cmd := start(a.frame, "listing", func(ctx context.Context) (int, error) {
		ended = ctx.Err
		return 7, nil
	}, func(n int, _ error) tea.Cmd {
		reached += n
		return nil
	})
	late := collect[answerMsg](cmd)
	if len(late) != 1 {
		t.Fatalf("%d answers", len(late))
	}
	a.jobs.drop(id)
	a.Update(late[0])
	if reached != 0 || ended() == nil {
		t.Errorf("reached %d, the job's context: %v", reached, ended())
	}
	_, cmd = start(a.frame, "listing", func(context.Context) (int, error) { return 7, nil }, func(n int, _ error) tea.Cmd {
		reached += n
		return nil
	})
	wanted := collect[answerMsg](cmd)[0]
	a.Update(wanted)
	a.Update(wanted)
	if reached != 7 {
		t.Errorf("an answer that came twice reached %d", reached)
	}
}

func TestLeavingTheSignInDropsIt(t *testing.T) {
	a := newTestApp(t, 80, 24, testAccounts(noon))
	a.mgr = session.New(session.NewMemoryStore(), session.Options{})
	press(a, "n")
	v := a.signIn
	v.inputs[fieldPassword].insert("secret")
	v.run(session.SignInRequest{Login: "alice"})
	late := answerMsg{id: v.job, value: session.Account{ID: "99", Name: "late", Login: "alice"}}
	a.Update(tea.MouseClickMsg{X: 3, Y: 1, Button: tea.MouseLeft}) // on the first view's name
	if a.signIn != nil || a.jobs.busy() {
		t.Fatal("the form is still there, or its job")
	}
	if len(v.inputs[fieldPassword].text) != 0 {
		t.Error("the password was not wiped")
	}
	a.toast.text = ""
	a.Update(late)
	if a.want != "" || a.toast.text != "" {
		t.Errorf("a late sign-in still counts: wants %q, says %q", a.want, a.toast.text)
	}
}

func TestSlowJobIsShownAndQuickIsNot(t *testing.T) {
	a := newTestApp(t, 80, 24, testAccounts(noon))
	id, _ := start(a.frame, "refreshing prod", func(context.Context) (int, error) { return 0, nil }, func(int, error) tea.Cmd { return nil })
	if strings.Contains(plainFrame(a), "refreshing prod…") {
		t.Error("shown at once")
	}
	a.Update(slowMsg{id})
	if !strings.Contains(plainFrame(a), "refreshing prod…") || !a.jobs.spinning {
		t.Error("not shown when slow")
	}
	a.Update(answerMsg{id: id})
	a.Update(spinMsg{})
	if strings.Contains(plainFrame(a), "refreshing prod…") || a.jobs.spinning {
		t.Error("still shown, or still spinning")
	}
}

func TestToastHidesNoJob(t *testing.T) {
	a := newTestApp(t, 80, 24, testAccounts(noon))
	a.say(toastWarn, strings.Repeat("something else ", 10))
	a.jobs.add(&job{title: "refreshing prod", slow: true, cancel: func() {}})
	has(t, a, "something else", "refreshing prod…")
}

func TestStatusLineCanBeClicked(t *testing.T) {
	a := newTestApp(t, 80, 24, testAccounts(noon))
	stopped := false
	a.jobs.add(&job{title: "refreshing prod", slow: true, cancel: func() { stopped = true }})
	a.say(toastInfo, "something else")
	onStatus := tea.MouseClickMsg{X: 70, Y: 22, Button: tea.MouseLeft}
	a.Update(onStatus)
	if a.toast.text != "" || stopped {
		t.Error("a click does not take the toast away first")
	}
	a.Update(onStatus)
	if !stopped || a.jobs.busy() {
		t.Error("a click does not stop what runs")
	}
}

func TestBulkRunsRetriesAndStops(t *testing.T) {
	a := newTestApp(t, 80, 24, testAccounts(noon))
	broken := true
	var items []bulkItem
	ran := map[string]int{}
	for _, name := range []string{"one", "two", "three", "four", "five", "six"} {
		items = append(items, bulkItem{name, func(context.Context) error {
			ran[name]++
			if broken && name == "three" {
				return errors.New("no answer; try again")
			}
			return nil
		}})
	}
	drive := func(cmd tea.Cmd) {
		steps := collect[bulkStepMsg](cmd)
		for len(steps) > 0 {
			_, next := a.Update(steps[0])
			steps = append(steps[1:], collect[bulkStepMsg](next)...)
		}
	}
	drive(a.bulk("revoking", "revoked", items))
	if !strings.Contains(plainFrame(a), "Revoked 5, 1 failed") || !strings.Contains(plainFrame(a), "three") {
		t.Fatalf("the failure is not listed:\n%s", plainFrame(a))
	}
	broken = false
	_, cmd := a.Update(keyMsg("r"))
	drive(cmd)
	if len(a.dialogs) != 0 || ran["three"] != 2 || ran["one"] != 1 || !strings.Contains(a.toast.text, "revoked 6") {
		t.Errorf("after the retry: %d dialogs, ran %v, said %q", len(a.dialogs), ran, a.toast.text)
	}
	steps := collect[bulkStepMsg](a.bulk("revoking", "revoked", items))
	j := a.jobs.list[0]
	j.slow = true
	press(a, "esc")
	for _, s := range steps {
		a.Update(s)
	}
	if a.jobs.busy() || !strings.Contains(a.toast.text, "stopped: revoked 4, 2 not begun") {
		t.Errorf("stopped: %q, busy %v", a.toast.text, a.jobs.busy())
	}
}

// TestWhatFailsAgainComesBack retries one of two failures, which fails once more: one list has both.
func TestWhatFailsAgainComesBack(t *testing.T) {
	a := newTestApp(t, 80, 24, testAccounts(noon))
	no := func(context.Context) error { return errors.New("no answer") }
	drive := func(cmd tea.Cmd) {
		steps := collect[bulkStepMsg](cmd)
		for len(steps) > 0 {
			_, next := a.Update(steps[0])
			steps = append(steps[1:], collect[bulkStepMsg](next)...)
		}
	}
	drive(a.bulk("revoking", "revoked", []bulkItem{{"one", no}, {"two", no}}))
	drive(press(a, "r"))
	has(t, a, "Revoked 0, 2 failed", "one", "two")
	if len(a.dialogs) != 1 {
		t.Errorf("%d lists of failures", len(a.dialogs))
	}
	drive(press(a, "R"))
	has(t, a, "Revoked 0, 2 failed")
}

func TestOldTimersDoNothing(t *testing.T) {
	a := newTestApp(t, 80, 24, testAccounts(noon))
	a.say(toastGood, "first")
	first := a.toast.gen
	a.say(toastGood, "second")
	a.Update(toastOverMsg{first})
	if a.toast.text != "second" {
		t.Error("the first toast's timer took the second away")
	}
	a.Update(toastOverMsg{a.toast.gen})
	if a.toast.text != "" {
		t.Error("the toast stays")
	}
	old := a.tickGen
	a.Update(tea.BlurMsg{})
	a.Update(tea.FocusMsg{})
	now := a.now
	if _, cmd := a.Update(tickMsg{gen: old, at: noon}); cmd != nil || a.now != now {
		t.Error("an old chain of ticks lives on")
	}
	a.clip.gen = 2
	if _, cmd := a.Update(clipOverMsg{1}); cmd != nil {
		t.Error("the timer of an earlier copy empties the clipboard")
	}
}
