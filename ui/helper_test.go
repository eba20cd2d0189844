package ui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"wakey/api"
	"wakey/session"
)

// noon is the time of every golden frame.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) {
	time.Local = time.UTC // frames show local time
	m.Run()
}

// testAccounts are accounts in every state.
func testAccounts(now time.Time) []session.Account {
	at := now.Add
	return []session.Account{
		{
			ID: "00000001", Name: "ci", Stack: "https://pbx.example.com/api/auth/0.1", Login: "ci-runner", ClientID: "wakey-laptop-9b21f004",
			Purpose: "user", Lifetime: 2 * time.Hour, SignedInAt: at(-90 * 24 * time.Hour), State: session.RevokedElsewhere,
			Reason: "the stack refuses the refresh token: it was revoked, or its user was renamed, disabled or deleted; sign in again", TotalSessions: -1,
		},
		{
			ID: "00000002", Name: "lab", Stack: "https://10.0.0.12/api/auth/0.1", Login: "bob", ClientID: "wakey-laptop-51cc02aa",
			Purpose: "user", Trust: api.Trust{Pin: "SHA256:uuT9mUZ0N7eAqMbHPkJfX4V7iYJm3rT1Wc2lLr8Zk0E"}, Lifetime: time.Hour, SignedInAt: at(-30 * time.Hour),
			State: session.Degraded, Reason: "no answer (10.0.0.12): connection refused; check the network and try again", RetryAt: at(12 * time.Second),
			TokenSuffix: "a41b7c90", SessionUUID: "6f1d2a0e-0000-4000-8000-0000000000b2", ObtainedAt: at(-56*time.Minute - 40*time.Second),
			ExpiresAt: at(3*time.Minute + 20*time.Second), RefreshAt: at(-12 * time.Minute), TotalSessions: 2, CountedAt: at(-time.Hour),
			OwnSessions: []session.OpenedSession{{UUID: "6f1d2a0e-0000-4000-8000-0000000000b2", ExpiresAt: at(200 * time.Second)}},
		},
		{
			ID: "00000003", Name: "old", Stack: "https://pbx2.example.com/api/auth/0.1", Login: "carol", Purpose: "user",
			SignedInAt: at(-400 * 24 * time.Hour), State: session.SignInNeeded, Reason: "it held no refresh token and its access token is over; sign in again", TotalSessions: -1,
		},
		{
			ID: "00000004", Name: "prod", Stack: "https://pbx.example.com/api/auth/0.1", Login: "alice", ClientID: "wakey-laptop-3fa9c1d2",
			Purpose: "user", Admin: true, Lifetime: 2 * time.Hour, SignedInAt: at(-12 * 24 * time.Hour), State: session.Active,
			TokenSuffix: "fe629a69", SessionUUID: "6f1d2a0e-0000-4000-8000-0000000000a1", ObtainedAt: at(-47*time.Minute - 52*time.Second),
			ExpiresAt: at(72*time.Minute + 8*time.Second), RefreshAt: at(41 * time.Minute), TotalSessions: 4, CountedAt: at(-time.Minute),
			OwnSessions: []session.OpenedSession{{UUID: "6f1d2a0e-0000-4000-8000-0000000000a1", ExpiresAt: at(72 * time.Minute)}, {UUID: "x", ExpiresAt: at(10 * time.Minute)}},
		},
		{
			ID: "00000005", Name: "東京 staging", Stack: "https://tokyo.example.jp:8443/api/auth/0.1", Login: "山田太郎", ClientID: "wakey-laptop-77e0d1c3",
			Purpose: "user", Lifetime: time.Hour, SignedInAt: at(-3 * time.Hour), State: session.Refreshing, TokenSuffix: "0c9d8e7f",
			ObtainedAt: at(-45 * time.Minute), ExpiresAt: at(15 * time.Minute), RefreshAt: at(0), TotalSessions: 81, CountedAt: at(-time.Minute),
		},
	}
}

// testEvents are things that happened to the accounts.
func testEvents(now time.Time) []session.Event {
	return []session.Event{
		{Time: now.Add(-47 * time.Minute), Account: "00000004", Name: "prod", Op: "refresh", Text: "refreshed, good until 13:12:08"},
		{Time: now.Add(-12 * time.Minute), Account: "00000002", Name: "lab", Op: "refresh", Level: session.Warn, Text: "no answer (10.0.0.12): connection refused"},
		{Time: now.Add(-2 * time.Hour), Account: "00000001", Name: "ci", Op: "refresh", Level: session.Alarm, Text: "the stack refuses the refresh token"},
		{Time: now.Add(-5 * time.Second), Account: "00000002", Name: "lab", Op: "refresh", Level: session.Warn, Text: "no answer (10.0.0.12): connection refused"},
	}
}

// newTestApp makes a program of w×h cells with accounts, and nothing behind it.
func newTestApp(tb testing.TB, w, h int, accounts []session.Account) *app {
	tb.Helper()
	a := newApp(tb.Context(), Options{Version: "test"}, accounts)
	a.now = noon
	a.store = storeOpen
	if len(accounts) > 0 {
		a.setAccounts(accounts, testEvents(noon))
	}
	a.Update(tea.WindowSizeMsg{Width: w, Height: h})
	return a
}

// press sends keys as a person types them: "j", "enter", "ctrl+p".
func press(a *app, keys ...string) (cmd tea.Cmd) {
	for _, k := range keys {
		_, cmd = a.Update(keyMsg(k))
	}
	return cmd
}

var namedKeys = map[string]rune{
	"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown,
	"left": tea.KeyLeft, "right": tea.KeyRight, "home": tea.KeyHome, "end": tea.KeyEnd, "pgup": tea.KeyPgUp,
	"pgdown": tea.KeyPgDown, "backspace": tea.KeyBackspace, "delete": tea.KeyDelete, "f1": tea.KeyF1,
}

func keyMsg(k string) tea.KeyPressMsg {
	var mod tea.KeyMod
	for {
		switch {
		case strings.HasPrefix(k, "ctrl+"):
			mod |= tea.ModCtrl
			k = k[len("ctrl+"):]
			continue
		case strings.HasPrefix(k, "shift+"):
			mod |= tea.ModShift
			k = k[len("shift+"):]
			continue
		case strings.HasPrefix(k, "alt+"):
			mod |= tea.ModAlt
			k = k[len("alt+"):]
			continue
		}
		break
	}
	if k == "space" {
		return tea.KeyPressMsg{Code: ' ', Text: " ", Mod: mod}
	}
	if code, ok := namedKeys[k]; ok {
		return tea.KeyPressMsg{Code: code, Mod: mod}
	}
	r := []rune(k)
	if len(r) != 1 {
		panic("no such key: " + k)
	}
	if mod != 0 {
		return tea.KeyPressMsg{Code: r[0], Mod: mod}
	}
	return tea.KeyPressMsg{Code: r[0], Text: k}
}

// typeText types s letter by letter.
func typeText(a *app, s string) {
	for _, r := range s {
		a.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
}

// plainFrame is what the screen shows, without colours.
func plainFrame(a *app) string { return ansi.Strip(a.View().Content) }

// checkGeometry fails when the frame does not fit into w×h cells.
func checkGeometry(tb testing.TB, what string, a *app, w, h int) {
	tb.Helper()
	lines := strings.Split(a.View().Content, "\n")
	if len(lines) > h {
		tb.Errorf("%s at %d×%d: %d lines", what, w, h, len(lines))
	}
	for i, l := range lines {
		if n := ansi.StringWidth(l); n > w {
			tb.Errorf("%s at %d×%d: line %d has %d cells: %q", what, w, h, i, n, ansi.Strip(l))
			return
		}
	}
	if len(a.dialogs) > 0 {
		checkBox(tb, what, a, lines, w, h)
	}
}

// checkBox fails when the frame of the topmost dialog is broken somewhere.
func checkBox(tb testing.TB, what string, a *app, lines []string, w, h int) {
	tb.Helper()
	b, _ := layBox(a.dialogs[len(a.dialogs)-1], w, h)
	for y := b.y; y < min(b.y+b.h, len(lines)); y++ {
		left, right := "│", "│"
		switch y {
		case b.y:
			left, right = "╭", "╮"
		case b.y + b.h - 1:
			left, right = "╰", "╯"
		}
		plain := ansi.Strip(lines[y])
		got := ansi.Cut(plain, b.x, b.x+1) + ansi.Cut(plain, b.x+b.w-1, b.x+b.w)
		if b.x+b.w <= w && got != left+right {
			tb.Errorf("%s at %d×%d: line %d of the box has the edges %q: %q", what, w, h, y-b.y, got, plain)
			return
		}
	}
}

// manyAccounts are n of them.
func manyAccounts(n int) []session.Account {
	out := make([]session.Account, n)
	base := testAccounts(noon)
	for i := range out {
		out[i] = base[i%len(base)]
		out[i].ID = session.ID(fmt.Sprintf("%08x", i))
		out[i].Name = fmt.Sprintf("%s %05d", out[i].Name, i)
	}
	return out
}
