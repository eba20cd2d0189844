//go:build linux

package security_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// explore talks to the program without a screen, once for each choice of the first account and each of the first choices that follow on
// it, and gives all that it said.
func (w *world) explore(step string, following int) string {
	w.t.Helper()
	answers := [][]string{{"activity", "1", ""}}
	for _, choice := range []string{"1", "2", "3", "4", "5", "7", "9", "10", "11", "Forget", "Sign out"} { // after the last it is gone
		for next := range following {
			answers = append(answers, []string{"1", choice, strconv.Itoa(next + 1), ""})
		}
	}
	var said strings.Builder
	for _, typed := range answers {
		back := strings.Repeat("b\n", 3)
		r := w.run(command{args: []string{"--accessible"}, step: step, stdin: strings.Join(typed, "\n") + "\n" + back + "q\n", code: -1})
		said.WriteString(r.stdout)
	}
	return said.String()
}

// Line by line no more is said than on a screen.
func TestLineByLineLeaksNothing(t *testing.T) {
	t.Parallel()
	s, w := newWorldWithPhone(t)
	signIn := strings.Join([]string{"Sign in", s.URL, "alice", alicePassword, "prod", "1h", "", "2"}, "\n") + "\n"
	r := w.run(command{args: []string{"--accessible"}, step: "line by line: sign in", stdin: signIn + "q\n"})
	if !strings.Contains(r.stdout, "Signed in alice as account prod.") {
		t.Fatalf("not signed in:\n%s", r.stdout)
	}
	w.run(command{args: []string{"--accessible"}, step: "line by line: print", stdin: "prod\nPrint\ny\nq\n"})
	said := w.explore("line by line", 5)
	for _, part := range []string{"Inspector, 1 to", "Refresh tokens, 1 to", "Sessions, 1 to", "Activity, 1 to", "Copy of prod", "Compare prod", "Plan, 1 to", "No account yet"} {
		if !strings.Contains(said, part) {
			t.Errorf("never at %q:\n%s", part, said)
		}
	}
	w.login("alice", alicePassword, "prod")
	s.set(echo(http.StatusUnauthorized, false))
	w.explore("line by line: echo", 1)
	w.run(command{args: []string{"--accessible"}, step: "line by line: echo", stdin: signIn + "\nq\n"})
	s.set(nil)
	// At a terminal, where what is typed would be shown.
	x := w.sit("line by line: at a terminal", 0, 0, command{args: []string{"--accessible"}, env: []string{"TERM=dumb"}})
	x.until("the choices", func() bool { return strings.Contains(x.raw(), "Accounts, 1 to ") })
	x.types("Sign in\n", s.URL+"\n", "bob\n")
	x.until("the password's question", func() bool { return strings.Contains(x.raw(), "Password:") })
	x.types(bobPassword + "\n\n\n\n2\n")
	x.until("signed in", func() bool { return strings.Contains(x.raw(), "Signed in bob") })
	x.types("q\n")
	x.ends()
	w.check(t)
	w.sees(t)
}

// Line by line a hostile stack does no more to a terminal than on a screen.
func TestHostileStackLineByLine(t *testing.T) {
	t.Parallel()
	for _, early := range []bool{true, false} {
		w := hostileWorld(t, 20, early)
		said := w.explore("line by line", 1)
		if bad := harmful(said); bad != "" {
			t.Errorf("early %v: it says %s", early, bad)
		}
		if !strings.Contains(said, mark) {
			t.Errorf("early %v: nothing of the stack's was said:\n%s", early, said)
		}
	}
}
