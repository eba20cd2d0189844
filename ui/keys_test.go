package ui

import (
	"context"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
)

// TestNoKeyTwice makes sure that no key means two things at once: a view may take a key of the
// frame over, but only for the same action.
func TestNoKeyTwice(t *testing.T) {
	for name, setUp := range scenes() {
		t.Run(name, func(t *testing.T) {
			a := newTestApp(t, 100, 30, testAccounts(noon))
			setUp(a)
			seen := map[string]action{}
			check := func(bs []binding, may func(key string) bool) {
				for _, b := range bs {
					for _, k := range b.keys {
						if old, ok := seen[k]; ok && old != b.action && !may(k) {
							t.Errorf("%q means %q and %q", k, old, b.action)
						}
						if _, ok := seen[k]; !ok {
							seen[k] = b.action
						}
					}
				}
			}
			check(a.top().bindings(), func(string) bool { return false })
			if len(a.dialogs) == 0 && !a.screen().typing() {
				check(viewBindings(), func(string) bool { return false })
				check(everywhere, func(k string) bool { return k == "esc" })
			}
		})
	}
}

// TestEveryBindingDoesSomething presses every key that is offered, in every scene and on every
// row: somewhere it has to change the screen or ask for something to be done.
func TestEveryBindingDoesSomething(t *testing.T) {
	active := map[action]bool{} // it did something somewhere
	for _, setUp := range scenes() {
		for row := range 5 {
			probe := newTestApp(t, 60, 15, testAccounts(noon))
			setUp(probe)
			for _, b := range slices.Concat(probe.top().bindings(), everywhere) {
				if active[b.action] {
					continue
				}
				a := newTestApp(t, 60, 15, testAccounts(noon))
				for range row {
					press(a, "j")
				}
				setUp(a)
				before := a.draw()
				var cmd tea.Cmd
				if slices.ContainsFunc(probe.top().bindings(), func(x binding) bool { return x.action == b.action }) {
					cmd = a.top().do(b.action)
				} else {
					cmd = a.do(b.action)
				}
				a.Update(nil)
				active[b.action] = cmd != nil || a.draw() != before
			}
		}
	}
	for act, ok := range active {
		if !ok && act != actUnlock { // which needs a store
			t.Errorf("%q is offered and never does anything", act)
		}
	}
}

// TestHelpAndPaletteAreComplete makes sure that whatever can be done is named in both.
func TestHelpAndPaletteAreComplete(t *testing.T) {
	for id := range viewCount {
		a := newTestApp(t, 110, 80, testAccounts(noon))
		a.open(id)
		bs := slices.Concat(a.screen().bindings(), viewBindings(), everywhere)
		a.do(actHelp)
		overlay := plainFrame(a)
		a.dialogs = nil
		choices := newPalette(a.frame).choices
		for _, b := range bs {
			if b.short != "" && b.name == "" {
				t.Errorf("%s: %q is in the help line alone", id.name(), b.action)
			}
			if b.name == "" {
				continue
			}
			if !strings.Contains(overlay, b.name) {
				t.Errorf("%s: %q is not in the overlay", id.name(), b.name)
			}
			known := slices.ContainsFunc(choices, func(c choice) bool {
				return strings.EqualFold(c.name, b.name) || strings.EqualFold(c.name, "Go to "+b.name)
			})
			if !known && !b.moving && b.action != actPalette {
				t.Errorf("%s: %q is not in the palette", id.name(), b.name)
			}
		}
	}
}

func TestPaletteFindsAndDoes(t *testing.T) {
	a := newTestApp(t, 100, 30, testAccounts(noon))
	press(a, "ctrl+p")
	typeText(a, "nexth")
	press(a, "enter")
	if len(a.dialogs) != 0 || a.theme.name == themes[0].name {
		t.Errorf("the theme is still %s, %d dialogs", a.theme.name, len(a.dialogs))
	}
	press(a, ":")
	typeText(a, "account prod")
	press(a, "enter")
	if acc, _ := a.currentAccount(); acc.Name != "prod" || !strings.Contains(plainFrame(a), "▌  ●  prod") {
		t.Errorf("the account is %q\n%s", acc.Name, plainFrame(a))
	}
}

// TestPaletteReachesOtherViews does something of another view by its name.
func TestPaletteReachesOtherViews(t *testing.T) {
	a := newTestApp(t, 100, 30, testAccounts(noon))
	showTokens(a, false, testTokens(noon))
	press(a, "1", "ctrl+p")
	typeText(a, "all but this machine")
	has(t, a, "Refresh tokens: Mark all but this machine's", "3 A")
	press(a, "enter")
	if v := a.screens[viewRefreshTokens].(*refreshTokens); a.shown != viewRefreshTokens || len(v.list.marked()) == 0 {
		t.Errorf("shows %s with %d marked", a.shown.name(), len(v.list.marked()))
	}
}

// TestHelpLineCanBeClicked clicks on everything that the help line names, and holds what comes of
// it against what its key does.
func TestHelpLineCanBeClicked(t *testing.T) {
	for _, scene := range []string{"filtered", "tokens filtered", "inspector filtered", "activity filtered", "users typed", "accounts", "tokens", "sessions listed", "inspector told", "activity", "sign in", "confirm", "failures", "palette", "help"} {
		for n := range 30 {
			clicked, pressed := newTestApp(t, 120, 34, testAccounts(noon)), newTestApp(t, 120, 34, testAccounts(noon))
			for _, a := range []*app{clicked, pressed} {
				scenes()[scene](a)
				a.mgr = noManager()
			}
			items := clicked.helpItems()
			if n == len(items) {
				break
			}
			it := items[n]
			if it.action == actQuit || len(it.keys) == 0 {
				continue
			}
			key := it.keys[0]
			if pressed.top().typing() && it.typed != "" {
				key = it.typed
			}
			_, byMouse := clicked.Update(tea.MouseClickMsg{X: it.at.from, Y: 33, Button: tea.MouseLeft})
			_, byKey := pressed.Update(keyMsg(key))
			if plainFrame(clicked) != plainFrame(pressed) || (byMouse == nil) != (byKey == nil) {
				t.Errorf("%s: a click on %q does something else than %q:\n%s\n%s", scene, it.short, key, plainFrame(clicked), plainFrame(pressed))
			}
		}
	}
}

// TestHelpLineWhileTyping makes sure that the help line offers no key that is text at the moment.
func TestHelpLineWhileTyping(t *testing.T) {
	typing := 0
	for name, setUp := range scenes() {
		a := newTestApp(t, 200, 30, testAccounts(noon))
		setUp(a)
		if !a.top().typing() {
			continue
		}
		typing++
		for _, it := range a.helpItems() {
			if key := it.helpKey(true); len([]rune(key)) == 1 {
				t.Errorf("%s: the help line says %q for %q, which is typed", name, key, it.short)
			}
		}
	}
	if typing < 20 {
		t.Errorf("only %d scenes have something to type", typing)
	}
}

func TestFuzzy(t *testing.T) {
	best := func(pattern string) string {
		a := newTestApp(t, 100, 30, testAccounts(noon))
		m := newPalette(a.frame)
		m.filter.set(pattern)
		if found := m.found(); len(found) > 0 {
			return found[0].name
		}
		return ""
	}
	for pattern, want := range map[string]string{
		"sout": "Sign out: revoke, then forget", "refresh every": "Refresh every account now", "quit": "Quit",
		"copy as": "Copy as header, curl, JSON…", "users": "Go to users", "zzz": "",
	} {
		if got := best(pattern); got != want {
			t.Errorf("%q finds %q, not %q", pattern, got, want)
		}
	}
}

func TestViewsByNumberTabAndQuit(t *testing.T) {
	a := newTestApp(t, 100, 30, testAccounts(noon))
	for id := range viewCount {
		press(a, string(rune('1'+id)))
		if a.shown != id {
			t.Errorf("%d shows %s", id+1, a.shown.name())
		}
	}
	press(a, "tab")
	if a.shown != viewAccounts {
		t.Errorf("tab after the last view shows %s", a.shown.name())
	}
	if _, ok := press(a, "q")().(tea.QuitMsg); !ok {
		t.Error("q does not quit")
	}
	if _, cmd := ask(a.frame, "listing", func(context.Context) (int, error) { return 0, nil }, func(int, error) tea.Cmd { return nil }); cmd == nil {
		t.Fatal("nothing to do")
	}
	if _, ok := press(a, "q")().(tea.QuitMsg); !ok {
		t.Error("q does not quit while something is listed")
	}
	a.jobs.add(&job{title: "refreshing prod", cancel: func() {}})
	if cmd := press(a, "q"); cmd != nil || len(a.dialogs) != 1 {
		t.Error("q quits while work is under way")
	}
	if _, ok := press(a, "ctrl+c")().(tea.QuitMsg); !ok {
		t.Error("ctrl+c does not quit the second time")
	}
}
