package ui

import (
	"strings"
	"testing"
)

// TestNoSecretOnAnyScreen looks for the access token on every view of a signed-in program, and
// in all that was written to the terminal on the way. Nothing was revealed, so nothing may be
// there.
func TestNoSecretOnAnyScreen(t *testing.T) {
	s := newStack(t)
	tm := startProgram(t, Options{Open: s.open}, 140, 40)
	tm.until("active")
	token, err := s.mgr.Token(t.Context(), s.acc.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	for id := range viewCount {
		tm.typed(string(rune('1'+id)), "?")
		tm.until("Everywhere")
		tm.typed("q")
		tm.gone("Everywhere")
	}
	tm.typed("1", "L")
	tm.until("Sign out demo")
	tm.typed("q")
	tm.gone("Sign out demo")
	tm.typed("r")
	tm.until("refreshed demo")
	fresh, err := s.mgr.Token(t.Context(), s.acc.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{token.Token.Reveal(), fresh.Token.Reveal(), token.Token.Reveal()[:28]} {
		if strings.Contains(tm.out.String(), secret) {
			t.Errorf("%q was written to the terminal", secret)
		}
	}
}
