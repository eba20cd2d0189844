package ui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
	"wakey/session"
)

// Users of the frames.
const (
	aliceUUID = "8e1a3c5e-0000-4000-8000-00000000000a"
	bobUUID   = "8e1a3c5e-0000-4000-8000-00000000000b"
)

// testTokens are refresh tokens of every sort.
func testTokens(now time.Time) []api.RefreshToken {
	day := 24 * time.Hour
	return []api.RefreshToken{
		{ClientID: "wakey-laptop-3fa9c1d2", CreatedAt: now.Add(-12 * day), UserUUID: aliceUUID},
		{ClientID: "wakey-laptop-9b21f004", CreatedAt: now.Add(-90 * day), UserUUID: aliceUUID},
		{ClientID: "phone-7c1e", CreatedAt: now.Add(-100 * day), UserUUID: aliceUUID, Mobile: true},
		{ClientID: "ci-runner", CreatedAt: now.Add(-3 * day), UserUUID: aliceUUID},
		{ClientID: "tablet-0f11", CreatedAt: now.Add(-30 * time.Second), UserUUID: aliceUUID},
		{ClientID: "old/plugin", CreatedAt: now.Add(-800 * day), UserUUID: aliceUUID},
	}
}

// testSessions are sessions of every sort.
func testSessions() []api.Session {
	return []api.Session{
		{UUID: "6f1d2a0e-0000-4000-8000-0000000000a1", UserUUID: aliceUUID},
		{UUID: "6f1d2a0e-0000-4000-8000-0000000000a2", UserUUID: aliceUUID},
		{UUID: "9c0a77e1-0000-4000-8000-0000000000f1", UserUUID: aliceUUID, Mobile: true},
		{UUID: "9c0a77e1-0000-4000-8000-0000000000f2", UserUUID: aliceUUID},
	}
}

// remoteAccounts are the accounts of every state; those on pbx.example.com are of alice.
func remoteAccounts() []session.Account {
	accounts := testAccounts(noon)
	for i := range accounts {
		accounts[i].UserUUID = bobUUID
		if accounts[i].Stack == "https://pbx.example.com/api/auth/0.1" {
			accounts[i].UserUUID = aliceUUID
		}
		if accounts[i].Name == "prod" {
			accounts[i].OwnSessions[1].UUID = "6f1d2a0e-0000-4000-8000-0000000000a2"
		}
	}
	return accounts
}

// showTokens puts refresh tokens on the screen, as if the stack had listed them for prod.
func showTokens(a *app, everyone bool, items []api.RefreshToken) *refreshTokens {
	a.current = "00000004"
	a.setAccounts(remoteAccounts(), nil)
	a.open(viewRefreshTokens)
	v := a.screens[viewRefreshTokens].(*refreshTokens)
	v.begin(scope{v.scope.acc, v.scope.user, everyone, false})
	v.know = knowledge{
		labels:    map[clientKey]string{{aliceUUID, "ci-runner"}: "CI"},
		newTokens: map[string]bool{"tablet-0f11": true}, findingsHeld: true,
	}
	v.names = map[string]string{bobUUID: "bob"}
	rows := make([]tokenRow, len(items))
	for i, rt := range items {
		rows[i] = tokenRow{RefreshToken: rt, id: rt.UserUUID + "/" + rt.ClientID, name: shortText(rt.ClientID)}
	}
	v.listed, v.total = noon, len(rows)
	v.set(rows)
	a.Update(nil)
	return v
}

// showSessions does so with sessions.
func showSessions(a *app, everyone bool, items []api.Session) *sessions {
	a.current = "00000004"
	a.setAccounts(remoteAccounts(), nil)
	a.open(viewSessions)
	v := a.screens[viewSessions].(*sessions)
	v.begin(scope{v.scope.acc, v.scope.user, everyone, false})
	v.know = knowledge{newSessions: map[string]bool{"9c0a77e1-0000-4000-8000-0000000000f2": true}}
	v.names = map[string]string{bobUUID: "bob"}
	rows := make([]sessionRow, len(items))
	for i, s := range items {
		rows[i] = sessionRow{Session: s, name: clean(s.UUID), strange: !everyone && s.UserUUID != aliceUUID}
	}
	v.listed, v.total = noon, len(rows)
	v.set(rows)
	a.Update(nil)
	return v
}

// hostileTokens are what a stack may hold that wishes the screen ill.
func hostileTokens() []api.RefreshToken {
	var out []api.RefreshToken
	for _, id := range []string{
		"\x1b[2J\x1b]0;owned\a\x1b[31mred", "abc\u202egnp.exe", strings.Repeat("x", 1<<20), "line\nbreak\r\nmore",
		strings.Repeat("漢字", 400), "e" + strings.Repeat("\u0301", 500), "\xff\xfe\x9b31m", "👨‍👩‍👧‍👦" + strings.Repeat("👍🏽", 50), "tab\there", "..",
	} {
		out = append(out, api.RefreshToken{ClientID: id, CreatedAt: noon.Add(-time.Hour), UserUUID: aliceUUID})
	}
	return out
}

// manyTokens are n of them, of a tenant's users.
func manyTokens(n int) []api.RefreshToken {
	out := make([]api.RefreshToken, n)
	for i := range out {
		out[i] = api.RefreshToken{
			ClientID: fmt.Sprintf("phone-%08x", i*2654435761), Mobile: i%3 == 0, CreatedAt: noon.Add(-time.Duration(i) * time.Hour),
			UserUUID: fmt.Sprintf("8e1a3c5e-0000-4000-8000-%012x", i%1000),
		}
	}
	return out
}

func manySessions(n int) []api.Session {
	out := make([]api.Session, n)
	for i := range out {
		out[i] = api.Session{
			UUID:     fmt.Sprintf("9c0a77e1-0000-4000-8000-%012x", i*48271),
			UserUUID: fmt.Sprintf("8e1a3c5e-0000-4000-8000-%012x", i%1000), Mobile: i%3 == 0,
		}
	}
	return out
}

// markAndAsk presses keys, and asks about what is marked then.
func markAndAsk(a *app, v *refreshTokens, keys ...string) *confirm {
	press(a, keys...)
	rows := v.list.marked()
	if t, ok := v.list.selected(); ok && len(rows) == 0 {
		rows = []tokenRow{t}
	}
	c := v.confirmRevoke(rows, testSessions(), nil)
	a.push(c)
	return c
}

// remoteScenes are the states of the two views and their dialogs.
func remoteScenes() map[string]func(a *app) {
	missing := &api.Error{Kind: api.KindPermission, Permission: "auth.users." + aliceUUID + ".tokens.read"}
	return map[string]func(a *app){
		"tokens":          func(a *app) { showTokens(a, false, testTokens(noon)) },
		"tokens marked":   func(a *app) { showTokens(a, false, testTokens(noon)); press(a, "A") },
		"tokens filtered": func(a *app) { showTokens(a, false, testTokens(noon)); press(a, "/"); typeText(a, "unkn") },
		"tokens of everyone": func(a *app) {
			tokens := testTokens(noon)
			for i := range tokens {
				if i%2 == 1 {
					tokens[i].UserUUID = bobUUID
				}
			}
			showTokens(a, true, append(tokens, manyTokens(5)...)).total = 31_000
		},
		"tokens searched": func(a *app) {
			v := showTokens(a, true, manyTokens(40))
			v.search = "phone"
		},
		"tokens hostile": func(a *app) { showTokens(a, false, hostileTokens()) },
		"tokens hostile, revoke": func(a *app) {
			markAndAsk(a, showTokens(a, false, hostileTokens()), "a")
		},
		"tokens none":    func(a *app) { showTokens(a, false, nil) },
		"tokens refused": func(a *app) { v := showTokens(a, false, nil); v.listed, v.err = time.Time{}, missing },
		"tokens slow": func(a *app) {
			v := showTokens(a, false, nil)
			v.listed = time.Time{}
			v.job = a.jobs.add(&job{title: "listing the refresh tokens of alice", slow: true, cancel: func() {}}).id
		},
		"tokens result": func(a *app) {
			v := showTokens(a, false, testTokens(noon))
			v.result = result{toastGood, "phone-7c1e is gone: pbx.example.com lists it no more; 2 of 2 sessions ended."}
		},
		"token details": func(a *app) { showTokens(a, false, testTokens(noon)); press(a, "enter") },
		"token label": func(a *app) {
			showTokens(a, false, testTokens(noon))
			press(a, "j")
			a.mgr = noManager()
			press(a, "l")
		},
		"revoke one":  func(a *app) { markAndAsk(a, showTokens(a, false, testTokens(noon)), "j") },
		"revoke most": func(a *app) { markAndAsk(a, showTokens(a, false, testTokens(noon)), "A") },
		"revoke ours": func(a *app) { markAndAsk(a, showTokens(a, false, testTokens(noon)), "G") },
		"revoke never": func(a *app) {
			v := showTokens(a, false, testTokens(noon))
			v.list.choose(aliceUUID + "/old/plugin")
			markAndAsk(a, v)
		},
		"revoke others'": func(a *app) { markAndAsk(a, showTokens(a, true, manyTokens(60)), "a") },
		"sessions listed": func(a *app) {
			showSessions(a, false, testSessions())
		},
		"sessions of everyone": func(a *app) { showSessions(a, true, append(testSessions(), manySessions(40)...)) },
		"sessions hostile": func(a *app) {
			showSessions(a, false, []api.Session{{UUID: "\x1b[2J\u202e" + strings.Repeat("y", 5000), UserUUID: bobUUID}})
		},
		"session details": func(a *app) { showSessions(a, false, testSessions()); press(a, "enter") },
		"revoke sessions": func(a *app) {
			v := showSessions(a, false, testSessions())
			press(a, "a")
			v.askRevoke(v.list.marked())
		},
	}
}

// noManager is a manager of nothing: enough for dialogs that only want to know that there is one.
func noManager() *session.Manager {
	return session.New(session.NewMemoryStore(), session.Options{})
}

// lineOf is the line of the screen that holds text.
func lineOf(screen, text string) string {
	for l := range strings.SplitSeq(screen, "\n") {
		if strings.Contains(l, text) {
			return l
		}
	}
	return ""
}

func TestWhoseIsWhose(t *testing.T) {
	a := newTestApp(t, 140, 40, testAccounts(noon))
	v := showTokens(a, false, testTokens(noon))
	screen := plainFrame(a)
	for id, want := range map[string]string{
		"wakey-laptop-3fa9c1d2": "this machine", "wakey-laptop-9b21f004": "account ci", "phone-7c1e": "unknown",
		"ci-runner": "known: CI", "tablet-0f11": "new, unknown", "old/plugin": "can't be revoked",
	} {
		if l := lineOf(screen, id); !strings.Contains(l, want) {
			t.Errorf("%s is not told to be %s: %q", id, want, l)
		}
	}
	if v.count() != 3 {
		t.Errorf("%d unknown", v.count())
	}
	if first := v.list.all[0]; first.ClientID != "tablet-0f11" {
		t.Errorf("the first is %s", first.ClientID)
	}
	press(a, "A")
	for _, r := range v.list.all {
		if v.list.marks[r.id] == r.whose.ours() {
			t.Errorf("%s is ours: %v, marked: %v", r.ClientID, r.whose.ours(), v.list.marks[r.id])
		}
	}
	a.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	if !strings.Contains(plainFrame(a), "5 marked") && !strings.Contains(plainFrame(a), "4 marked") {
		t.Error("how many are marked is not told")
	}
}
