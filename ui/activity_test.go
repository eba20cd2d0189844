package ui

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wakey/session"
)

// lines is what stands on the list's rows, in order.
func (v *activity) lines() []string {
	var out []string
	for _, i := range v.list.rows {
		out = append(out, v.list.all[i].Text)
	}
	return out
}

func numbered(from, to int) []session.Event {
	var out []session.Event
	for i := from; i <= to; i++ {
		out = append(out, session.Event{Time: noon.Add(time.Duration(i-1000) * time.Second), Account: "00000004", Name: "prod", Op: "refresh", Text: fmt.Sprintf("event %03d", i)})
	}
	return out
}

func TestActivityIsNewestFirst(t *testing.T) {
	a := newTestApp(t, 140, 40, testAccounts(noon))
	v := showActivity(a, someEvents())
	got := v.lines()
	want := []string{}
	for _, e := range slices.Backward(someEvents()) {
		want = append(want, e.Text)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	press(a, "/")
	typeText(a, "lab warn")
	press(a, "enter")
	if got := v.lines(); len(got) != 1 || !strings.Contains(got[0], "connection refused") {
		t.Errorf("filtered: %q", got)
	}
	press(a, "enter")
	has(t, a, "→ check the network and try again", "2026-11-23 11:48:00 UTC")
}

func TestActivityStaysWhereOneReads(t *testing.T) {
	a := newTestApp(t, 80, 24, testAccounts(noon))
	v := showActivity(a, numbered(1, 50))
	a.setAccounts(a.accounts, numbered(1, 52))
	a.Update(nil)
	if h, _ := v.list.selected(); h.Text != "event 052" || v.list.offset != 0 {
		t.Errorf("at the top one is left behind at %q", h.Text)
	}
	press(a, "pgdown", "pgdown", "k")
	read, _ := v.list.selected()
	top := v.list.all[v.list.rows[v.list.offset]].Text
	a.setAccounts(a.accounts, numbered(1, 60))
	a.Update(nil)
	now, _ := v.list.selected()
	if now.key != read.key || v.list.all[v.list.rows[v.list.offset]].Text != top {
		t.Errorf("reading %q below %q, one came to %q below %q", read.Text, top, now.Text, v.list.all[v.list.rows[v.list.offset]].Text)
	}
	// The manager forgets the oldest; whoever reads them does not.
	a.setAccounts(a.accounts, numbered(55, 70))
	a.Update(nil)
	if len(v.all) != 70 {
		t.Errorf("%d of 70 are there", len(v.all))
	}
}

func TestActivityCountsWhatWasNotSeen(t *testing.T) {
	a := newTestApp(t, 100, 24, testAccounts(noon))
	v := a.activityView()
	v.seen = noon
	alarm := session.Event{Time: noon.Add(time.Second), Name: "ci", Op: "refresh", Level: session.Alarm, Text: "revoked"}
	info := session.Event{Time: noon.Add(2 * time.Second), Name: "ci", Op: "refresh", Text: "refreshed"}
	a.setAccounts(a.accounts, []session.Event{alarm, info})
	if v.count() != 1 {
		t.Errorf("%d alarms", v.count())
	}
	a.now = noon.Add(time.Minute)
	press(a, "6", "1")
	if v.count() != 0 {
		t.Errorf("%d alarms after looking", v.count())
	}
}

func TestActivityReadsTheLog(t *testing.T) {
	dir := t.TempDir()
	log := session.OpenAudit(dir)
	for i := range 3 {
		if err := log.Append(session.Entry{Time: noon.Add(-time.Duration(i+1) * time.Hour), Name: "prod", Op: "respond", Text: fmt.Sprintf("older %d", i), Fields: map[string]string{"who": "the agent"}}); err != nil {
			t.Fatal(err)
		}
	}
	both := session.Event{Time: noon.Add(-time.Second + 123456789*time.Nanosecond), Name: "prod", Op: "refresh", Text: "in both"}
	if err := log.Append(session.Entry{Time: both.Time, Name: both.Name, Op: both.Op, Text: both.Text}); err != nil {
		t.Fatal(err)
	}
	a := newTestApp(t, 140, 40, testAccounts(noon))
	a.mgr = session.New(session.NewMemoryStore(), session.Options{Dir: dir})
	a.setAccounts(a.accounts, []session.Event{both})
	late := collect[answerMsg](press(a, "6"))
	answered := func(ms []answerMsg) {
		for _, m := range ms {
			a.Update(m)
		}
	}
	press(a, "1")
	answered(late)
	v := a.activityView()
	if len(v.all) != 1 {
		t.Errorf("%d after the view was left", len(v.all))
	}
	answered(collect[answerMsg](press(a, "6")))
	if got := strings.Join(v.lines(), ", "); got != "in both, older 0, older 1, older 2" {
		t.Errorf("%s", got)
	}
	press(a, "j")
	has(t, a, "the agent")

	file := filepath.Join(dir, "audit.jsonl")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(text, "garbage\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	press(a, "1")
	answered(collect[answerMsg](press(a, "6")))
	has(t, a, "1 line of the log can't be read")
}

func BenchmarkActivityKeys(b *testing.B) {
	a := newTestApp(b, 140, 40, testAccounts(noon))
	showActivity(a, numbered(1, mostHappenings))
	keys := []string{"j", "pgdown", "G", "g", "/", "e", "9", "esc"}
	for i := 0; b.Loop(); i++ {
		press(a, keys[i%len(keys)])
		a.View()
	}
}
