package ui

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
	"wakey/session"
)

// Tokens that no frame may show.
const (
	prodToken  = "3b9f7c1e-52d4-4a69-8ce2-0422fe629a69"
	otherToken = "9c0d1e2f-77aa-4b1c-9d2e-5f6071829304"
)

// prodACL is what an ordinary user of a stock stack may do, roughly, with a denial and a repetition.
var prodACL = []string{
	"agentd.users.me.#", "auth.users.me.external.#", "auth.users.me.password.update", "auth.users.me.sessions.*.delete",
	"auth.users.me.sessions.read", "auth.users.me.tokens.*.delete", "auth.users.me.tokens.read", "call-logd.users.me.#",
	"calld.lines.*.presences.read", "calld.transfers.*.read", "calld.users.me.#", "calld.users.me.#", "confd.infos.read",
	"!confd.users.*.delete", "confd.users.me.#", "dird.directories.me.lookup.*.read", "events.auth.users.me.sessions.my_session.expire_soon",
	"websocketd",
}

// prodAnswer is what the stack tells of the token of the account prod of testAccounts.
func prodAnswer() *api.Token {
	admin := true
	return &api.Token{
		Value: api.NewSecret(prodToken), SessionUUID: "6f1d2a0e-0000-4000-8000-0000000000a1", AuthID: "8e1a3c5e-0000-4000-8000-00000000000a",
		IssuedAt: noon.Add(-47*time.Minute - 52*time.Second), ExpiresAt: noon.Add(72*time.Minute + 8*time.Second),
		LocalIssuedAt: "2026-11-23T06:12:08", LocalExpiresAt: "2026-11-23T08:12:08", StackUUID: "5f6a7b8c-0000-4000-8000-00000000f00d",
		ACL: prodACL, RemoteAddr: "192.0.2.17", UserAgent: "wakey/1.0 (linux amd64)", SessionsRevoked: -1, Date: noon.Add(12 * time.Second),
		Metadata: api.Metadata{
			UUID: "8e1a3c5e-0000-4000-8000-00000000000a", TenantUUID: "8e1a3c5e-0000-4000-8000-000000000001",
			PBXUserUUID: "8e1a3c5e-0000-4000-8000-00000000000a", Purpose: "user", Admin: &admin,
		},
	}
}

func (f *frame) inspectorView() *inspector { return f.screens[viewInspector].(*inspector) }
func (f *frame) activityView() *activity   { return f.screens[viewActivity].(*activity) }

// showProd shows the inspector of prod. t is what the stack told; nil: nothing yet.
func showProd(a *app, t *api.Token) *inspector {
	a.current = "00000004"
	press(a, "2")
	v := a.inspectorView()
	if t != nil {
		v.own = inspect(a.current, t, noon)
		v.relist()
	}
	a.Update(nil)
	return v
}

// paste shows a pasted token.
func showPasted(a *app, p *pasted) *inspector {
	v := showProd(a, prodAnswer())
	p.token = api.NewSecret(otherToken)
	p.asked, _ = a.account("00000004")
	v.reset()
	v.pasted = p
	v.relist()
	a.Update(nil)
	return v
}

// hostileText takes over terminals that believe it; hostileHuge is a megabyte of it.
const hostileText = "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\u2066\x9b31m\r\n"

var hostileHuge = strings.Repeat(hostileText+"👨‍👩‍👧é\u0301\u0301", 1<<20/40)

// hostileToken is what a stack that wants to hurt tells.
func hostileToken() *api.Token {
	t := prodAnswer()
	bad, huge := hostileText, hostileHuge
	t.UserAgent, t.RemoteAddr = huge, bad
	t.LocalIssuedAt, t.LocalExpiresAt, t.StackUUID, t.AuthID = bad, huge, bad, bad+huge
	t.Metadata.Purpose, t.Metadata.TenantUUID, t.Metadata.PBXUserUUID = bad, huge, bad
	t.ACL = []string{huge, bad, "!" + bad, bad + ".x", "." + bad, "", "!", "#", "*.#", strings.Repeat("a.", 5000), "\u202eauth.me"}
	return t
}

func someEvents() []session.Event {
	at := func(d time.Duration) time.Time { return noon.Add(-d) }
	return []session.Event{
		{Time: at(26 * time.Hour), Account: "00000003", Name: "old", Op: "sign-in", Level: session.Info, Text: "signed in as carol: …77e0d1c3, good for 2h"},
		{Time: at(70 * time.Minute), Account: "00000002", Name: "lab", Op: "refresh", Level: session.Info, Text: "refreshed: …a41b7c90, good for 1h"},
		{Time: at(12 * time.Minute), Account: "00000002", Name: "lab", Op: "refresh", Level: session.Warn, Text: "refresh failed: no answer (10.0.0.12): dial tcp 10.0.0.12:443: connect: connection refused; check the network and try again"},
		{Time: at(5 * time.Minute), Account: "00000001", Name: "ci", Op: "refresh", Level: session.Alarm, Text: "the stack refuses the refresh token: it was revoked, or its user was renamed, disabled or deleted; sign in again"},
		{Time: at(3 * time.Minute), Op: "log", Level: session.Warn, Text: "the log can't be written: no space left on device"},
		{Time: at(4 * time.Second), Account: "00000004", Name: "prod", Op: "refresh", Level: session.Info, Text: "refreshed: …fe629a69, good for 2h"},
	}
}

func showActivity(a *app, events []session.Event) *activity {
	a.setAccounts(a.accounts, events)
	press(a, "6")
	return a.activityView()
}

// inspectorScenes are the states of the inspector and of the activity view.
func inspectorScenes() map[string]func(a *app) {
	told := func(a *app) *inspector { return showProd(a, prodAnswer()) }
	may := func(a *app, what string) *mayDialog {
		told(a)
		press(a, "m")
		typeText(a, what)
		return a.dialogs[0].(*mayDialog)
	}
	pastedAs := func(kind pastedKind) func(*app) {
		return func(a *app) {
			p := &pasted{kind: kind}
			switch kind {
			case pastedAccess:
				p.in = inspect("00000004", prodAnswer(), noon)
			case pastedRefresh:
				p.in, p.clientID = inspect("00000004", prodAnswer(), noon), "phone-7c1e"
				p.note = "The access token that it made for this is revoked again, with its session."
			case pastedOurs:
				p.owner, p.held = a.accounts[3], true
			case pastedUnasked:
				p.err = "no answer (pbx.example.com): connection refused; check the network and try again"
			case pastedUnknown:
			}
			showPasted(a, p)
		}
	}
	return map[string]func(a *app){
		"inspector of the record":  func(a *app) { showProd(a, nil) },
		"inspector told":           func(a *app) { told(a) },
		"inspector permissions":    func(a *app) { told(a); press(a, "right", "down", "down") },
		"inspector filtered":       func(a *app) { told(a); press(a, "/"); typeText(a, "sess") },
		"inspector filtered out":   func(a *app) { told(a); press(a, "/"); typeText(a, "zzz"); press(a, "enter") },
		"inspector of the expired": func(a *app) { told(a); a.now = noon.Add(3 * time.Hour) },
		"inspector of nobody":      func(a *app) { a.setAccounts(nil, nil); press(a, "2") },
		"inspector without a token": func(a *app) {
			a.current = "00000003"
			press(a, "2")
		},
		"inspector refused": func(a *app) {
			showProd(a, nil).err = "the access token is expired, revoked or unknown; refresh it, or sign in again"
		},
		"inspector hostile":  func(a *app) { showProd(a, hostileToken()); press(a, "right") },
		"inspector no right": func(a *app) { t := prodAnswer(); t.ACL = nil; showProd(a, t); press(a, "right") },
		"inspector compared": func(a *app) {
			v := told(a)
			c, _ := compareACLs(a.ctx, prodACL, []string{"auth.#", "confd.infos.read", "websocketd", "!calld.users.me.#"})
			v.cmp = &comparison{"prod", "lab", c.groups("prod", "lab")}
			v.list.clear()
			v.relist()
			press(a, "right")
		},
		"may it, empty":   func(a *app) { may(a, "") },
		"may it, typed":   func(a *app) { may(a, "auth.users.me.sessions.read") },
		"may it, denied":  func(a *app) { may(a, "confd.users.x.delete").answer = verdictNo },
		"may it, differs": func(a *app) { may(a, "confd.users.me.read").answer = verdictNo },
		"may it, fails": func(a *app) {
			d := may(a, "a.b")
			d.answer, d.why = verdictFail, "no answer (pbx.example.com): connection refused; check the network and try again"
		},
		"paste": func(a *app) {
			d := &pasteDialog{f: a.frame, stack: "pbx.example.com", then: func(api.Secret) tea.Cmd { return nil }}
			d.in.masked = true
			told(a)
			a.push(d)
			typeText(a, otherToken)
		},
		"pasted access token":  pastedAs(pastedAccess),
		"pasted refresh token": pastedAs(pastedOurs),
		"pasted unknown":       pastedAs(pastedUnknown),
		"pasted unasked":       pastedAs(pastedUnasked),
		"pasted and tried":     pastedAs(pastedRefresh),
		"try": func(a *app) {
			pastedAs(pastedUnknown)(a)
			press(a, "enter")
			typeText(a, "phone-7c1e")
		},
		"activity full":         func(a *app) { showActivity(a, someEvents()); press(a, "j", "j") },
		"activity filtered":     func(a *app) { showActivity(a, someEvents()); press(a, "/"); typeText(a, "alarm") },
		"activity read in full": func(a *app) { showActivity(a, someEvents()); press(a, "j", "j", "j", "enter") },
		"activity with a log": func(a *app) {
			v := showActivity(a, someEvents())
			e := fromLog(session.Entry{Time: noon.Add(-time.Hour), Account: "00000004", Name: "prod", Op: "respond", Text: "revoked 2 refresh tokens", Fields: map[string]string{"client_ids": "phone-7c1e ci", "by": "wakey agent"}})
			v.logErr = "3 lines of the log can't be read; run wakey log verify"
			v.take([]happening{e})
			press(a, "j", "j", "j", "j")
		},
		"activity hostile": func(a *app) {
			bad := strings.Repeat("\x1b[31m\u202e\u0000very ", 2000)
			showActivity(a, []session.Event{{Time: noon, Name: bad, Op: bad, Level: session.Alarm, Text: bad + "; " + bad}})
		},
	}
}

// manyPermissions is an ACL of n different entries.
func manyPermissions(n int) []string {
	acl := make([]string, n)
	for i := range acl {
		acl[i] = fmt.Sprintf("service%02d.users.me.resource%05d.read", i%40, i)
	}
	return acl
}
