//go:build linux

package security_test

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// clip is what the desktop's clipboard holds.
func (w *world) clip() string {
	text, _ := os.ReadFile(w.beside("seen/clipboard"))
	return string(text)
}

// saw tells whether a program of the desktop was started with an argument.
func (w *world) saw(name, argument string) bool {
	w.look("clipboard")
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.records, func(r record) bool {
		return r.place == "arguments of "+name && slices.Contains(strings.Split(string(r.data), "\x00"), argument)
	})
}

// A copied token is given to the programs of the desktop on standard input alone, with the mark for clipboard managers where there is
// one, and is out of the clipboard when wakey has ended.
func TestCopiedTokenIsInTheClipboardAlone(t *testing.T) {
	t.Parallel()
	for name, env := range map[string][]string{
		"X11": {"DISPLAY=:99"}, "Wayland": {"WAYLAND_DISPLAY=wayland-99"}, "old Wayland": {"WAYLAND_DISPLAY=wayland-99", "TEST_WL_COPY=2.1"},
		"tmux": {"TMUX=/tmp/none,1,0"}, "terminal": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, newStack(t))
			w.quickStore()
			w.login("alice", alicePassword, "prod")
			x := w.sit("screen: copy, "+name, 120, 40, command{env: append(env, "TEA_TRACE="+w.path("trace"))})
			x.sees("active", "kept by")
			x.types("y")
			x.sees("cleared in 45 s")
			if name == "terminal" { // asked for its clipboard with OSC 52
				x.until("the token in its clipboard", func() bool { return slices.Contains(x.clipboard(), w.stack.last("access token")) })
			} else if text := w.clip(); text != w.stack.last("access token") {
				t.Errorf("the clipboard holds %q", text)
			}
			x.types("q")
			x.ends()
			if text := w.clip(); strings.TrimSpace(text) != "" {
				t.Errorf("at the end the clipboard holds %q", text)
			}
			clips := x.clipboard()
			if name == "terminal" && clips[len(clips)-1] != "" {
				t.Errorf("at the end the terminal's clipboard holds %q", clips)
			} else if name != "terminal" && slices.ContainsFunc(clips, func(s string) bool { return s != "" }) {
				t.Errorf("sent to the terminal as well: %q", clips)
			}
			if marked := w.saw("wl-copy", "--sensitive"); marked != strings.HasSuffix(name, "Wayland") {
				t.Errorf("marked as sensitive: %v", marked)
			}
			w.check(t)
		})
	}
}

// The clipboard is emptied after the time that is set, if our token still is what is in it, and left alone else.
func TestClipboardIsClearedOfOurTokenAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newStack(t))
	w.quickStore()
	w.login("alice", alicePassword, "prod")
	w.run(command{args: []string{"config", "set", "clipboard_clear", "1s"}})
	x := w.sit("screen: copy", 120, 40, command{env: []string{"DISPLAY=:99"}})
	x.sees("active", "kept by")
	x.types("y")
	x.sees("copied", "cleared in 1 s")
	waitUntil(t, "an empty clipboard", func() bool { return w.clip() == "" })

	const other = "something else"
	if err := os.WriteFile(w.beside("seen/clipboard.next"), []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	x.types("y")
	waitUntil(t, "a look at the clipboard", func() bool { return w.clip() == other })
	x.types("q")
	x.ends()
	if text := w.clip(); text != other {
		t.Errorf("the clipboard holds %q", text)
	}
}
