//go:build linux

package security_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	keyEnter = "\r"
	keyEsc   = "\x1b[27u" // as terminals send it that tell it from the beginning of a sequence
	keyTab   = "\t"
	keyDown  = "\x1b[B"
	keyF1    = "\x1bOP"
	keyCtrlP = "\x10"
)

// views are the numbers of the views.
var views = []string{"1", "2", "3", "4", "5", "6"}

// fewKeys do the most in each view; manyKeys are all that do anything, but v (reveal) and q (quit).
var (
	fewKeys  = []string{keyEnter, "!", "x", "L", "y", "Y", "e", "?"}
	manyKeys = append(fewKeys, " ", "/", keyCtrlP, "a", "A", "c", "F", "h", "i", "l", "m", "n", "N", "o", "p", "r", "R", "s", "t", "X")
)

func keysOfViews() []string {
	if testing.Short() {
		return fewKeys
	}
	return manyKeys
}

// walk opens every view and tries keys there, looking at each screen with look.
func (x *terminal) walk(keys []string, look func(what string)) {
	x.t.Helper()
	for _, view := range views {
		x.types(view)
		x.rest()
		look("view " + view)
		for _, key := range keys {
			x.types(key)
			x.rest()
			look("view " + view + ", key " + key)
			x.types(keyDown)
			if key == keyCtrlP || key == "/" || key == "m" {
				x.types("a", "u", "t", "h")
			}
			x.rest()
			look("view " + view + ", key " + key + ", and more")
			x.types(keyEsc, keyEsc, keyEsc) // out of a dialog, out of a filter, out of a form
			if !x.alive() {
				x.t.Fatalf("%s: view %s, key %q: it ended: %s", x.step, view, key, x.screen())
			}
			x.types(view)
		}
	}
}

// leave quits, whatever is on the screen and under way.
func (x *terminal) leave() {
	x.t.Helper()
	for late := time.Now().Add(patience); time.Now().Before(late); {
		x.types(keyEsc, keyEsc, keyEsc, "1", "q")
		x.rest()
		if strings.Contains(x.screen(), "Quit while") {
			x.types(keyTab, keyEnter)
			x.rest()
		}
		if !x.alive() {
			break
		}
	}
	x.ends()
}

func (x *terminal) alive() bool {
	select {
	case <-x.over:
		return false
	default:
		return true
	}
}

// signInByTyping signs alice in on the screen.
func (x *terminal) signInByTyping(s *stack) {
	x.t.Helper()
	x.types("n")
	x.sees("Sign in to a Wazo stack")
	x.types(s.URL, keyEnter, "alice", keyEnter, alicePassword)
	x.rest()
	x.snap()
	x.types(keyEnter)
	x.sees("signed in alice as account")
}

// newWorldWithPhone is a machine whose store is known, on a stack where alice is signed in elsewhere.
func newWorldWithPhone(t *testing.T) (*stack, *world) {
	t.Helper()
	s := newStack(t)
	w := newWorld(t, s)
	w.quickStore()
	w.learn()
	s.signIn(t, alice, alicePassword, "phone-7c1e")
	return s, w
}

func TestScreensLeakNothing(t *testing.T) {
	t.Parallel()
	s, w := newWorldWithPhone(t)
	w.run(command{ // without an account nobody is asked for a passphrase
		step: "login", stdin: bobPassword,
		args: []string{"login", s.URL, "--user", "bob", "--password-stdin", "--account", "lab", "--fingerprint", s.Fingerprint},
	})

	// Everything typed, also the passphrase, and wrong ones.
	var typed []string
	for _, v := range w.env {
		if !strings.HasPrefix(v, "WAKEY_PASSPHRASE_FILE=") {
			typed = append(typed, v)
		}
	}
	env := w.env
	w.env = typed
	x := w.sit("screen: typing", 120, 40, command{})
	x.sees("assphrase")
	x.types(bobPassword, keyEnter)
	x.sees("wrong passphrase")
	x.types(passphrase)
	x.rest()
	x.snap()
	x.types(keyEnter)
	x.sees("lab", "active", "kept by")
	w.env = env
	x.signInByTyping(s)
	x.types("n")
	x.sees("Sign in to a Wazo stack")
	x.types(s.URL, keyEnter, "bob", keyEnter, alicePassword, keyEnter)
	x.sees("wrong user name or password")
	x.types(keyEsc)
	w.peek("screen: typing", x.cmd.Process.Pid)

	// Every view, every key; the clipboard is the terminal's.
	x.step = "screen: walk"
	x.walk(keysOfViews(), func(string) { x.snap() })

	// A stack that repeats what it was sent.
	x.step = "screen: echo"
	for _, status := range []int{http.StatusUnauthorized, http.StatusInternalServerError} {
		s.set(echo(status, false))
		for _, view := range views {
			x.types(view)
			x.rest()
			for _, key := range []string{"r", "e", keyEsc, "a", keyEsc, "L", keyTab, keyEnter, "e", keyEsc} {
				x.types(key)
				x.rest()
				x.snap()
			}
			x.types(keyEsc, keyEsc)
		}
	}
	s.set(nil)
	x.leave()

	w.login("alice", alicePassword, "alice@127.0.0.1")
	w.reveal(t)
	w.check(t)
	w.sees(t)
}

// reveal shows a token, and hides it when the view is left.
func (w *world) reveal(t *testing.T) {
	t.Helper()
	x := w.sit("reveal", 120, 40, command{})
	x.sees("active", "kept by")
	x.types("2")
	x.sees("access token")
	x.types("v")
	x.sees(w.stack.last("access token"))
	x.types("1")
	x.until("the token hidden again", func() bool { return !strings.Contains(x.screen(), w.stack.last("access token")) })
	x.types("2")
	x.sees("v reveals it")
	x.types("q")
	x.ends()
}
