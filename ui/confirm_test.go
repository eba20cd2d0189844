package ui

import (
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
)

func testConfirm(t *testing.T, c *confirm) (a *app, answered *string) {
	t.Helper()
	a = newTestApp(t, 100, 30, testAccounts(noon))
	answered = new(string)
	c.f, c.heading, c.yes, c.no = a.frame, "Revoke?", "Revoke", "Keep"
	c.then = func(checked bool) tea.Cmd {
		*answered = "yes"
		if checked {
			*answered = "yes, checked"
		}
		return nil
	}
	a.push(c)
	return a, answered
}

func TestConfirmIsSafeByDefault(t *testing.T) {
	for name, c := range map[string]struct {
		keys []string
		want string
	}{
		"enter":               {[]string{"enter"}, ""},
		"esc":                 {[]string{"esc"}, ""},
		"q":                   {[]string{"q"}, ""},
		"tab enter":           {[]string{"tab", "enter"}, "yes"},
		"there and back":      {[]string{"right", "left", "enter"}, ""},
		"space, tab enter":    {[]string{"space", "tab", "enter"}, "yes, checked"},
		"twice space":         {[]string{"space", "space", "tab", "enter"}, "yes"},
		"y is not yes":        {[]string{"y", "enter"}, ""},
		"nothing but moving":  {[]string{"tab", "down", "up"}, ""},
		"space before enter":  {[]string{"space", "enter"}, ""},
		"shift+tab and enter": {[]string{"shift+tab", "enter"}, "yes"},
	} {
		a, answered := testConfirm(t, &confirm{harm: true, check: "also the sessions"})
		press(a, c.keys...)
		if *answered != c.want {
			t.Errorf("%s: %q, not %q", name, *answered, c.want)
		}
		if gone := len(a.dialogs) == 0; gone != (name != "nothing but moving") {
			t.Errorf("%s: the dialog is gone: %v", name, gone)
		}
	}
}

func TestConfirmWantsTheWord(t *testing.T) {
	a, answered := testConfirm(t, &confirm{harm: true, word: "revoke"})
	press(a, "tab", "enter")
	typeText(a, "revok")
	press(a, "enter")
	if *answered != "" || len(a.dialogs) != 1 {
		t.Fatalf("%q with %q typed", *answered, a.dialogs[0].(*confirm).typed.value())
	}
	typeText(a, "e")
	press(a, "enter")
	if *answered != "yes" {
		t.Error("the word does not suffice")
	}
}

func TestConfirmByMouse(t *testing.T) {
	for _, button := range []string{"Revoke", "Keep"} {
		a, answered := testConfirm(t, &confirm{harm: true, text: []string{"It ends."}, check: "also the sessions"})
		hit := func(text string) {
			lines := strings.Split(plainFrame(a), "\n")
			for y, line := range slices.Backward(lines) {
				if x := strings.Index(plainCells(line), text); x >= 0 {
					a.Update(tea.MouseClickMsg{X: x + 1, Y: y, Button: tea.MouseLeft})
					return
				}
			}
			t.Fatalf("no %q on the screen", text)
		}
		hit("[ ]")
		hit("  " + button + "  ")
		want := ""
		if button == "Revoke" {
			want = "yes, checked"
		}
		if *answered != want || len(a.dialogs) != 0 {
			t.Errorf("%s: %q", button, *answered)
		}
	}
}

// TestConfirmSaysWhatHappensBesideManyThings holds that the paragraphs stay in sight when more
// ends than fits, and that keys scroll it even while the word is typed.
func TestConfirmSaysWhatHappensBesideManyThings(t *testing.T) {
	for _, word := range []string{"", "revoke"} {
		c := &confirm{harm: true, word: word, text: []string{"What will happen.", "What will not."}}
		for i := range 1000 {
			c.items = append(c.items, confirmItem{"phone " + number(i), "made today"})
		}
		a, _ := testConfirm(t, c)
		for _, keys := range [][]string{{}, {"down", "pgdown"}, {"pgdown", "up", "pgup"}} {
			press(a, keys...)
			has(t, a, "What will happen.", "What will not.", "more line")
		}
		a.Update(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
		if c.offset == 0 {
			t.Errorf("word %q: neither keys nor the wheel scroll", word)
		}
		for range 2000 {
			press(a, "down")
		}
		has(t, a, "phone 999", "What will not.")
		press(a, "up")
		if s := plainFrame(a); strings.Contains(s, "phone 999") {
			t.Errorf("scrolling went on below the end:\n%s", s)
		}
	}
}
