package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"wakey/session"
)

func TestCountdown(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0:00", 0: "0:00", time.Millisecond: "0:01", time.Second: "0:01", 59 * time.Second: "0:59",
		60 * time.Second: "1:00", 3599 * time.Second: "59:59", 3599*time.Second + time.Millisecond: "1:00:00",
		time.Hour: "1:00:00", 47*time.Hour + 59*time.Minute + 59*time.Second: "47:59:59", 48 * time.Hour: "2 d 00 h",
		100*24*time.Hour + 5*time.Hour: "100 d 05 h",
	} {
		if got := countdown(d); got != want {
			t.Errorf("%v: %q, not %q", d, got, want)
		}
	}
}

func TestMinutesLeft(t *testing.T) {
	for d, want := range map[time.Duration]string{
		10 * time.Minute: "10 min", 10*time.Minute + 59*time.Second: "10 min", time.Hour - time.Second: "59 min", time.Hour: "1 h 00 min",
		2*time.Hour - time.Second: "1 h 59 min", 47 * time.Hour: "47 h 00 min", 50 * time.Hour: "2 d 02 h",
	} {
		if got := minutesLeft(d); got != want {
			t.Errorf("%v: %q, not %q", d, got, want)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 90 * time.Second: "90 s", 2 * time.Minute: "2 min", 48 * time.Minute: "48 min", time.Hour: "1 h",
		90 * time.Minute: "1 h 30 min", 72 * time.Hour: "3 days",
	} {
		if got := span(d); got != want {
			t.Errorf("%v: %q, not %q", d, got, want)
		}
	}
}

func TestAge(t *testing.T) {
	day := 24 * time.Hour
	for d, want := range map[time.Duration]string{
		-time.Hour: "in the future", time.Second: "just now", 30 * time.Second: "just now", time.Minute: "1 minute ago",
		3 * time.Hour: "3 hours ago", 30 * time.Hour: "yesterday", 3 * day: "3 days ago", 21 * day: "3 weeks ago",
		100 * day: "3 months ago", 800 * day: "2 years ago",
	} {
		if got := age(noon, noon.Add(-d)); got != want {
			t.Errorf("%v: %q, not %q", d, got, want)
		}
	}
	if got := age(noon, time.Time{}); got != "at an unknown time" {
		t.Errorf("never: %q", got)
	}
}

func TestClockTime(t *testing.T) {
	evening := time.Date(2026, 11, 23, 23, 30, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		0: "23:30:00", -23 * time.Hour: "00:30:00", time.Hour: "Tue 00:30", -24 * time.Hour: "Sun 23:30",
		5 * 24 * time.Hour: "Sat 23:30", 7 * 24 * time.Hour: "2026-11-30 23:30", -400 * 24 * time.Hour: "2025-10-19 23:30",
	} {
		if got := clockTime(evening, evening.Add(d)); got != want {
			t.Errorf("%v: %q, not %q", d, got, want)
		}
	}
	if got := exactIn(evening, time.UTC); got != "2026-11-23 23:30:00 UTC" {
		t.Errorf("in UTC: %q", got)
	}
	if got := exactIn(evening, time.FixedZone("EST", -5*3600)); got != "2026-11-23 18:30:00 EST, 23:30:00 UTC" {
		t.Errorf("west of it: %q", got)
	}
}

// TestLatelyTellsThatThereIsMore holds that a text which is too long does not look as if it ended.
func TestLatelyTellsThatThereIsMore(t *testing.T) {
	a := newTestApp(t, 80, 24, testAccounts(noon))
	acc := a.accounts[3]
	a.events = []session.Event{{Time: noon, Account: acc.ID, Text: strings.Repeat("word ", 30)}}
	lines := a.screens[viewAccounts].(*accounts).lately(acc, 50, 9)
	if last := strings.TrimSpace(ansi.Strip(lines[len(lines)-1])); len(lines) != 1+latelyMost || !strings.HasSuffix(last, "…") {
		t.Errorf("%d lines, the last %q", len(lines), last)
	}
}

func TestGauge(t *testing.T) {
	l := lifetimeOf{from: noon, refresh: noon.Add(75 * time.Minute), until: noon.Add(100 * time.Minute)}
	for _, c := range []struct {
		at    time.Duration
		want  string
		phase phase
	}{
		{0, "━━┃━━━━━━━", phaseGood},
		{25 * time.Minute, "━━┃━━━━╸──", phaseGood},
		{74 * time.Minute, "━━┃───────", phaseGood},
		{75 * time.Minute, "━━┃───────", phaseRefresh},
		{85 * time.Minute, "━╸┃───────", phaseRefresh},
		{99*time.Minute + 30*time.Second, "╸─┃───────", phaseEnding},
		{100 * time.Minute, "──┃───────", phaseDead},
		{-time.Hour, "━━┃━━━━━━━", phaseGood},
	} {
		if got := drawGauge(l, noon.Add(c.at), 10); got != c.want {
			t.Errorf("after %v: %q, not %q", c.at, got, c.want)
		}
		if got := l.phase(noon.Add(c.at)); got != c.phase {
			t.Errorf("after %v: phase %d, not %d", c.at, got, c.phase)
		}
	}
	for w := range 40 {
		if got := width(drawGauge(l, noon, w)); got != w {
			t.Errorf("%d cells are %d", w, got)
		}
	}
	if p := (lifetimeOf{}).phase(noon); p != phaseNone {
		t.Errorf("no token: phase %d", p)
	}
}

func TestClean(t *testing.T) {
	for _, s := range []string{"plain", "東京", "e\u0301", "👩‍👩‍👧‍👦 family", "🇫🇷", "❤️", "\x1b[31mred", "a\u202eb", "1️⃣"} {
		got := clean(s)
		if ansi.StringWidth(got) != ansi.StringWidthWc(got) {
			t.Errorf("%q: terminals disagree about the width of %q", s, got)
		}
		if strings.ContainsAny(got, "\x1b\u202e") {
			t.Errorf("%q stays %q", s, got)
		}
	}
	if got := clean("e\u0301té 東京"); got != "e\u0301té 東京" {
		t.Errorf("%q", got)
	}
}

func TestFit(t *testing.T) {
	for _, s := range []string{"", "a", "東京タワー", "e\u0301e\u0301e\u0301", "a long text of many words"} {
		for w := range 30 {
			for what, got := range map[string]string{"fit": fit(s, w), "right": fitRight(s, w), "spread": spread(s, s, w)} {
				if n := ansi.StringWidth(got); n != w {
					t.Errorf("%s(%q, %d) has %d cells: %q", what, s, w, n, got)
				}
			}
			if n := ansi.StringWidth(cutLeft(s, w)); n > w {
				t.Errorf("cutLeft(%q, %d) has %d cells", s, w, n)
			}
		}
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		if got := number(n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}

func TestInput(t *testing.T) {
	for name, c := range map[string]struct {
		keys []string
		want string
	}{
		"letters":            {[]string{"a", "B", "ß", "東"}, "aBß東"},
		"middle":             {[]string{"a", "c", "left", "b"}, "abc"},
		"ends":               {[]string{"b", "home", "a", "end", "c"}, "abc"},
		"backspace":          {[]string{"a", "b", "backspace", "c"}, "ac"},
		"backspace at start": {[]string{"backspace", "a"}, "a"},
		"combining":          {[]string{"a", "e", "\u0301", "backspace"}, "a"},
		"delete":             {[]string{"a", "b", "home", "delete"}, "b"},
		"word":               {[]string{"a", "b", "space", "c", "ctrl+w"}, "ab "},
		"line":               {[]string{"a", "b", "ctrl+u", "c"}, "c"},
		"rest":               {[]string{"a", "b", "left", "ctrl+k"}, "a"},
		"control is no text": {[]string{"ctrl+x", "alt+x", "a"}, "a"},
	} {
		var in input
		for _, k := range c.keys {
			in.update(keyMsg(k))
		}
		if got := in.value(); got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
}

func TestInputTakesOneLineOfAPaste(t *testing.T) {
	var in input
	in.update(tea.PasteMsg{Content: "\r\nsec\x1bret\nsecond line"})
	if in.value() != "secret" {
		t.Errorf("pasted %q", in.value())
	}
	in.update(tea.PasteMsg{Content: strings.Repeat("x", 3*inputMax)})
	if len(in.text) != inputMax {
		t.Errorf("%d characters", len(in.text))
	}
}

func TestInputIsWiped(t *testing.T) {
	var in input
	in.insert("secret")
	buf := in.text[:cap(in.text)]
	in.wipe()
	for _, r := range buf {
		if r != 0 {
			t.Fatalf("%q is left", string(buf))
		}
	}
	in.insert(strings.Repeat("s", 64))
	small := in.text[:cap(in.text)]
	in.insert("more than there was room for")
	if &small[0] != &in.text[0] && small[0] != 0 {
		t.Error("growing left a copy behind")
	}
}

func TestInputView(t *testing.T) {
	s := newStyles(themes[0], true, depthFull)
	var in input
	in.insert("東京 a long text 東京")
	for pos := range in.text {
		in.pos = pos
		for w := 1; w < 30; w++ {
			for _, focused := range []bool{true, false} {
				if n := ansi.StringWidth(in.view(s, w, focused, "")); n > w+1 || n < w {
					t.Errorf("at %d, %d cells: %d", pos, w, n)
				}
			}
		}
	}
	in.masked = true
	if v := ansi.Strip(in.view(s, 40, true, "")); strings.Contains(v, "long") {
		t.Errorf("masked: %q", v)
	}
}

func TestLifetime(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"90s": 90 * time.Second, " 2H ": 2 * time.Hour, "1h30m": 90 * time.Minute, "15 m": 15 * time.Minute, "7d": 7 * 24 * time.Hour,
		"": 0, "60": 0, "1s": 0, "-1h": 0, "4000d": 0, "99999999d": 0, "an hour": 0,
	} {
		got, err := parseLifetime(s)
		if got != want || (err != nil) != (want == 0) {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	for _, d := range append(usualLifetimes, 90*time.Second, 7*24*time.Hour) {
		if got, err := parseLifetime(lifetimeText(d)); got != d || err != nil {
			t.Errorf("%v is written %q and read as %v", d, lifetimeText(d), got)
		}
	}
}

// TestOneTimeEverywhere makes sure that the accounts, the timeline and the facts of the inspector tell the
// same instants of a token: the stack cuts its seconds off, and this machine counts from when the answer came.
func TestOneTimeEverywhere(t *testing.T) {
	accounts := testAccounts(noon)
	i := slices.IndexFunc(accounts, func(a session.Account) bool { return a.Name == "prod" })
	accounts[i].ObtainedAt = noon.Add(-20*time.Minute + 930*time.Millisecond)
	accounts[i].ExpiresAt = noon.Add(40*time.Minute - 40*time.Millisecond)
	a := newTestApp(t, 140, 40, accounts)
	press(a, "3", "1", "j", "j", "j")
	has(t, a, "11:40:00 to 12:40:00")
	press(a, "2")
	has(t, a, "issued 11:40:00", "expires 12:40:00")
}

// TestSafeButtonStaysInSight makes sure that a confirmation shows the button that has the focus at every width, and
// that a click on it is a click on what it says.
func TestSafeButtonStaysInSight(t *testing.T) {
	for w := 12; w < 100; w++ {
		for _, onYes := range []bool{false, true} {
			a := newTestApp(t, w, 20, testAccounts(noon))
			done := ""
			c := &confirm{
				f: a.frame, heading: "Revoke", yes: "Revoke 12 tokens, 3 sessions", no: "Keep", harm: true, onYes: onYes,
				then: func(bool) tea.Cmd { done = "revoked"; return nil }, onNo: func() tea.Cmd { done = "kept"; return nil },
			}
			a.push(c)
			want, label := "kept", "Ke"
			if onYes {
				want, label = "revoked", "Re"
			}
			lines := strings.Split(plainFrame(a), "\n")
			y := slices.IndexFunc(lines, func(l string) bool {
				return strings.Contains(l, " "+label) && strings.Contains(l, "│")
			})
			if y < 0 {
				t.Fatalf("%d cells, on yes %v: no button\n%s", w, onYes, plainFrame(a))
			}
			before, _, _ := strings.Cut(lines[y], label)
			x := ansi.StringWidth(before)
			a.Update(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft})
			if done != want {
				t.Fatalf("%d cells, on yes %v: a click on %q is %q\n%s", w, onYes, label, done, strings.Join(lines, "\n"))
			}
		}
	}
}

// TestHintFitsBesideTheForm makes sure that whoever signs in sees the demo's passwords, in few lines too.
func TestHintFitsBesideTheForm(t *testing.T) {
	for _, size := range [][2]int{{140, 40}, {80, 24}, {60, 18}, {50, 15}} {
		a := newTestApp(t, size[0], size[1], testAccounts(noon))
		a.opts.Hint = "The demo's users and passwords:\nalice / alice-demo\nbob / bob-demo\nadmin / admin-demo"
		press(a, "n")
		has(t, a, "alice / alice-demo", "bob / bob-demo", "admin / admin-demo")
	}
}

// TestDetailsAreWhereThereIsRoom holds the details beside the list in a wide terminal, below it in a narrow one,
// and out of a tiny one.
func TestDetailsAreWhereThereIsRoom(t *testing.T) {
	for _, c := range []struct {
		w, h          int
		beside, below bool
	}{{200, 50, true, false}, {100, 30, false, true}, {80, 24, false, true}, {50, 15, false, false}, {30, 10, false, false}} {
		a := newTestApp(t, c.w, c.h, testAccounts(noon))
		press(a, "j", "j", "j")
		lines := strings.Split(plainFrame(a), "\n")
		row := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "▌  ●  prod") })
		fact := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "refresh token  wakey-laptop-3fa9c1d2") })
		beside := fact >= 0 && strings.Index(lines[fact], "refresh token") > c.w/2
		if row < 0 || beside != c.beside || (fact > row && !beside) != c.below {
			t.Errorf("%d×%d: row %d, details %d\n%s", c.w, c.h, row, fact, plainFrame(a))
		}
	}
}

// TestTitleTellsWhatMattersMost looks at the terminal's title, for who sees that alone.
func TestTitleTellsWhatMattersMost(t *testing.T) {
	accounts := testAccounts(noon)
	a := newTestApp(t, 80, 24, accounts)
	if got := a.View().WindowTitle; got != "wakey ‼ ci: revoked elsewhere" {
		t.Errorf("%q", got)
	}
	a.setAccounts(slices.DeleteFunc(accounts, func(x session.Account) bool { return x.State.NeedsPerson() }), nil)
	if got := a.View().WindowTitle; got != "wakey: lab expires in 3 min" {
		t.Errorf("%q", got)
	}
	a.setAccounts(nil, nil)
	if got := a.View().WindowTitle; got != "wakey" {
		t.Errorf("%q", got)
	}
}

// TestKeyCostsTheSameInALongList holds what a key allocates in a list of 10,000 against one of 100: of a list only what is
// in sight is drawn. What it takes in time, BenchmarkRemoteKey tells.
func TestKeyCostsTheSameInALongList(t *testing.T) {
	for name, show := range map[string]func(*app, int){
		"tokens":   func(a *app, n int) { showTokens(a, true, manyTokens(n)) },
		"sessions": func(a *app, n int) { showSessions(a, true, manySessions(n)) },
	} {
		for _, keys := range [][]string{{"down", "up"}, {"pgdown", "pgup"}} {
			cost := func(n int) float64 {
				a := newTestApp(t, 120, 40, nil)
				show(a, n)
				return testing.AllocsPerRun(5, func() {
					for _, k := range keys {
						press(a, k)
						_ = a.View()
					}
				})
			}
			if short, long := cost(100), cost(10_000); long > 1.2*short {
				t.Errorf("%s, %v: %.0f allocations, %.0f in a short list", name, keys, long, short)
			}
		}
	}
}
