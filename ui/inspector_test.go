package ui

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"wakey/api"
	"wakey/internal/authd"
	"wakey/session"
)

// openApp makes a program whose store is open on the stack's accounts. Its manager does not run.
func (s *stack) openApp(t *testing.T) *app {
	t.Helper()
	a := newTestApp(t, 130, 40, nil)
	a.now = time.Now().Round(0)
	a.mgr = s.mgr
	a.setAccounts(s.mgr.Accounts(), s.mgr.Events())
	return a
}

// answers runs a command's work and hands its answers to the program, and those of what follows.
func answers(a *app, cmd tea.Cmd) {
	for _, m := range collect[answerMsg](cmd) {
		_, next := a.Update(m)
		answers(a, next)
	}
}

// inspecting opens the inspector and waits for what the stack tells.
func inspecting(t *testing.T, s *stack) (*app, *inspector) {
	t.Helper()
	a := s.openApp(t)
	answers(a, press(a, "2"))
	v := a.inspectorView()
	if v.own == nil {
		t.Fatalf("the stack told nothing: %s", v.err)
	}
	return a, v
}

func has(t *testing.T, a *app, texts ...string) {
	t.Helper()
	frame := plainFrame(a)
	for _, x := range texts {
		if !strings.Contains(frame, x) {
			t.Errorf("%q is not in\n%s", x, frame)
		}
	}
}

// tokenFor signs a user in without wakey, with a refresh token when clientID is given.
func (s *stack) tokenFor(t *testing.T, user authd.SeedUser, clientID string) *api.Token {
	t.Helper()
	c, err := s.mgr.Client(s.acc.ID)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := c.CreateToken(t.Context(), api.PasswordRequest{Login: user.Username, Password: api.NewSecret(user.Password), ClientID: clientID})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestInspectorTellsWhatTheStackTells(t *testing.T) {
	s := newStack(t)
	a, v := inspecting(t, s)
	has(t, a, "alice", s.acc.UserUUID, s.acc.TenantUUID, s.acc.SessionUUID, "127.0.0.1", "auth.users.me.sessions.read", "…"+s.acc.TokenSuffix, "left")
	if got := v.own.permissions(); got != v.list.total || got < 50 {
		t.Errorf("%d permissions, %d listed", got, v.list.total)
	}
	answers(a, press(a, "r"))
	_, cmd := a.Update(stateMsg{accounts: s.mgr.Accounts(), events: s.mgr.Events()})
	answers(a, firstOf(cmd))
	now, _ := s.mgr.Account("demo")
	if v.own == nil || v.own.SessionUUID != now.SessionUUID || now.SessionUUID == s.acc.SessionUUID {
		t.Errorf("after a refresh the view is about session %v, the account has %s", v.own, now.SessionUUID)
	}
}

// firstOf is the first of a batch: of what stateMsg asks for, the views' part, without the
// command that waits for the manager.
func firstOf(cmd tea.Cmd) tea.Cmd {
	if b, ok := cmd().(tea.BatchMsg); ok && len(b) > 0 {
		return b[0]
	}
	return nil
}

func TestInspectorOffline(t *testing.T) {
	s := newStack(t)
	a := s.openApp(t)
	s.Faults().SetDown(true)
	cmd := press(a, "2")
	answers(a, cmd)
	v := a.inspectorView()
	if v.own != nil || v.err == "" {
		t.Fatalf("told %v, error %q", v.own, v.err)
	}
	has(t, a, "…"+s.acc.TokenSuffix, s.acc.SessionUUID, "alice", "Press a to ask again")
	s.Faults().SetDown(false)
	answers(a, press(a, "a"))
	has(t, a, "auth.users.me.sessions.read")
}

func TestTokenIsShownOnlyWhileRevealed(t *testing.T) {
	s := newStack(t)
	a, _ := inspecting(t, s)
	token, err := s.mgr.Token(t.Context(), s.acc.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	secret := token.Token.Reveal()
	shown := func() bool { return strings.Contains(plainFrame(a), secret) }
	reveal := func() {
		t.Helper()
		answers(a, press(a, "v"))
		if !shown() {
			t.Fatalf("not revealed:\n%s", plainFrame(a))
		}
	}
	if shown() {
		t.Error("shown before it was asked for")
	}
	for name, hide := range map[string]func(){
		"v":           func() { press(a, "v") },
		"leaving":     func() { press(a, "1"); answers(a, press(a, "2")) },
		"the focus":   func() { a.Update(tea.BlurMsg{}) },
		"a dialog":    func() { a.push(newNotice(a.frame, "x", "y")) },
		"time":        func() { a.now = a.now.Add(revealFor); a.Update(nil) },
		"the sign-in": func() { press(a, "n"); answers(a, press(a, "esc")) },
		"a refresh": func() {
			accounts := s.mgr.Accounts()
			accounts[0].SessionUUID = "another"
			a.setAccounts(accounts, nil)
		},
	} {
		reveal()
		hide()
		if shown() {
			t.Errorf("%s did not hide it", name)
		}
		a.dialogs = nil
		a.inspectorView().hide()
		a.setAccounts(s.mgr.Accounts(), nil)
	}
}

func TestLateAnswersReachNobody(t *testing.T) {
	s := newStack(t)
	a := s.openApp(t)
	v := a.inspectorView()
	deliver := func(ms []answerMsg) {
		t.Helper()
		if len(ms) == 0 {
			t.Fatal("nothing was asked")
		}
		for _, m := range ms {
			a.Update(m)
		}
	}
	late := collect[answerMsg](press(a, "2"))
	press(a, "1")
	deliver(late)
	if v.own != nil {
		t.Error("the token came after the view was left")
	}

	answers(a, press(a, "2"))
	late = collect[answerMsg](press(a, "v"))
	press(a, "1")
	deliver(late)
	if !v.shown.IsZero() {
		t.Error("the token was revealed after the view was left")
	}
	answers(a, press(a, "2"))

	press(a, "m")
	typeText(a, "auth.users.me.sessions.read")
	late = collect[answerMsg](press(a, "enter"))
	d := a.dialogs[0].(*mayDialog)
	typeText(a, "x")
	deliver(late)
	if d.answer != verdictNone {
		t.Error("the answer to another question was shown")
	}
	press(a, "esc")

	answers(a, pasteIn(a, s.tokenFor(t, authd.DemoSeed().Users[1], "").Value.Reveal()))
	late = collect[answerMsg](press(a, "a", "m")) // neither asks
	if len(late) != 0 {
		t.Errorf("%d answers nobody asked for", len(late))
	}
	press(a, "esc", "p")
	a.Update(tea.PasteMsg{Content: otherToken})
	late = collect[answerMsg](press(a, "enter"))
	p := v.pasted
	press(a, "1")
	deliver(late)
	if v.pasted != nil || v.told() != nil || p.kind != pastedUnasked {
		t.Error("the pasted token came back after the view was left")
	}
}

// pasteIn pastes a token straight into the view and says yes.
func pasteIn(a *app, token string) tea.Cmd {
	a.Update(tea.PasteMsg{Content: " X-Auth-Token: " + token + "\n"})
	return press(a, "enter")
}

func TestMayIt(t *testing.T) {
	s := newStack(t)
	a, v := inspecting(t, s)
	ask := func(what string) *mayDialog {
		t.Helper()
		press(a, "m")
		d := a.dialogs[0].(*mayDialog)
		d.text.set(what)
		a.Update(nil)
		answers(a, press(a, "enter"))
		return d
	}
	for what, want := range map[string]verdict{
		"auth.users.me.sessions.read":                    verdictYes,
		"auth.users." + s.acc.UserUUID + ".tokens.read":  verdictYes,
		"auth.users.me.read":                             verdictNo,
		"auth.users.me.sessions." + otherToken + ".read": verdictNo,
	} {
		d := ask(what)
		if local, _ := d.byList(what); local != want || d.answer != want || d.differs(local) {
			t.Errorf("%s: its list says %d, the stack %d, not %d", what, local, d.answer, want)
		}
		press(a, "esc")
	}
	v.own.ACL = append(v.own.ACL, "nobody.knows.#")
	ask("nobody.knows.this")
	has(t, a, "granted by nobody.knows.#", "The two differ")
	press(a, "esc")
	s.ExpireTokens(s.acc.UserUUID)
	ask("auth.users.me.sessions.read")
	has(t, a, "the token is over")
}

func TestPastedTokens(t *testing.T) {
	s := newStack(t)
	bob := authd.DemoSeed().Users[1]
	rec, err := s.mgr.Store().Get(t.Context(), s.acc.ID)
	if err != nil {
		t.Fatal(err)
	}
	stranger := s.tokenFor(t, bob, "phone-7c1e")
	a, v := inspecting(t, s)
	never := []string{stranger.Value.Reveal(), stranger.RefreshToken.Reveal(), rec.RefreshToken.Reveal(), rec.Access.Token.Reveal()}
	paste := func(token api.Secret) *pasted {
		t.Helper()
		s.ResetRequests()
		a.Update(tea.PasteMsg{Content: token.Reveal()})
		if n := len(s.Requests()); n != 0 {
			t.Errorf("%d requests before a person said yes", n)
		}
		answers(a, press(a, "enter"))
		frame := plainFrame(a)
		for _, secret := range never {
			if strings.Contains(frame, secret) || strings.Contains(frame, secret[:20]) {
				t.Errorf("a pasted token is shown:\n%s", frame)
			}
		}
		if v.pasted == nil {
			t.Fatalf("nothing pasted:\n%s", frame)
		}
		return v.pasted
	}

	if p := paste(rec.RefreshToken); p.kind != pastedOurs || p.owner.ID != s.acc.ID || len(s.Requests()) != 0 {
		t.Errorf("our refresh token: kind %d of %q, %d requests", p.kind, p.owner.Name, len(s.Requests()))
	}
	has(t, a, "◆ refresh token", "account demo", rec.ClientID)
	if p := paste(rec.Access.Token); p.kind != pastedAccess || p.owner.ID != s.acc.ID {
		t.Errorf("our access token: kind %d of %q", p.kind, p.owner.Name)
	}
	if p := paste(stranger.Value); p.kind != pastedAccess || p.owner.ID != "" || p.in.AuthID != bob.UUID {
		t.Errorf("bob's access token: kind %d of %q, %v", p.kind, p.owner.Name, p.in)
	}
	has(t, a, "● access token", bob.UUID, "auth.users.me.sessions.read")

	p := paste(stranger.RefreshToken)
	if p.kind != pastedUnknown || s.Count("POST", "/token") != 0 {
		t.Errorf("bob's refresh token: kind %d, %d refreshes", p.kind, s.Count("POST", "/token"))
	}
	has(t, a, "no living access token")
	sessions := s.Sessions(bob.UUID)
	press(a, "enter")
	typeText(a, "wrong")
	answers(a, press(a, "enter"))
	has(t, a, "Refused together with the client_id wrong")
	press(a, "enter")
	typeText(a, "phone-7c1e")
	answers(a, press(a, "enter"))
	if p.kind != pastedRefresh || p.in.AuthID != bob.UUID {
		t.Errorf("tried: kind %d\n%s", p.kind, plainFrame(a))
	}
	if now := s.Sessions(bob.UUID); now != sessions {
		t.Errorf("trying it left %d sessions behind", now-sessions)
	}
	press(a, "1")
	if v.pasted != nil || !p.token.IsZero() || v.own != nil {
		t.Error("something is kept after leaving")
	}
}

func TestPasteRefusesWhatIsNoToken(t *testing.T) {
	s := newStack(t)
	a, v := inspecting(t, s)
	s.ResetRequests()
	answers(a, pasteIn(a, "hunter2"))
	if v.pasted != nil || len(s.Requests()) != 0 {
		t.Error("a password was sent")
	}
	has(t, a, "A token has 36 characters")
	if strings.Contains(plainFrame(a), "hunter2") {
		t.Error("it is shown")
	}
	d := a.dialogs[0].(*pasteDialog)
	held := d.in.text[:cap(d.in.text)]
	press(a, "esc")
	for _, r := range held {
		if r != 0 {
			t.Fatal("what was pasted stays in memory")
		}
	}
}

func TestTokenIn(t *testing.T) {
	for in, want := range map[string]string{
		otherToken: otherToken, " " + otherToken + "\r\n": otherToken, `"` + otherToken + `"`: otherToken,
		"x-auth-token: " + otherToken: otherToken, "X-Auth-Token:" + otherToken + "\nHost: x": otherToken, "": "", "a:b": "a:b",
	} {
		if got := tokenIn(in); got != want {
			t.Errorf("%q gives %q", in, got)
		}
	}
}

func TestCompareAccounts(t *testing.T) {
	s := newStack(t)
	admin := authd.DemoSeed().Users[2]
	if _, err := s.mgr.SignIn(t.Context(), session.SignInRequest{
		Name: "boss", Stack: s.base(t), Login: admin.Username, Password: api.NewSecret(admin.Password), Trust: api.Trust{Pin: s.pin},
	}); err != nil {
		t.Fatal(err)
	}
	a := s.openApp(t)
	a.current = s.acc.ID
	answers(a, press(a, "2"))
	press(a, "c")
	typeText(a, "boss")
	answers(a, press(a, "enter"))
	has(t, a, "only demo 0", "only boss", "both", "auth.#")
	press(a, "esc")
	if a.inspectorView().cmp != nil || a.shown != viewInspector {
		t.Error("esc did not end the comparison")
	}
}

func TestCompareACLs(t *testing.T) {
	c, err := compareACLs(t.Context(), []string{"a.b", "a.b", "x", "!n", "me.#"}, []string{"a.*", "x", "me.#", "z", "!a.c"})
	if err != nil {
		t.Fatal(err)
	}
	join := func(s []string) string { return strings.Join(s, " ") }
	if join(c.onlyA) != "!n a.b" || join(c.onlyB) != "!a.c a.* z" || join(c.both) != "me.# x" {
		t.Errorf("only A %v, only B %v, both %v", c.onlyA, c.onlyB, c.both)
	}
	if c.coveredA["a.b"] != "a.*" || len(c.coveredA) != 1 || len(c.coveredB) != 0 {
		t.Errorf("covered: %v, %v", c.coveredA, c.coveredB)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := compareACLs(ctx, []string{"a"}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a comparison goes on after it was stopped: %v", err)
	}
}

func TestByService(t *testing.T) {
	var got []string
	for _, g := range byService([]string{"calld.b", "#", "auth.x", "!calld.a", "calld.b", "websocketd", "*.read"}) {
		line := []string{g.title + ":"}
		for _, it := range g.items {
			line = append(line, it.text)
			if it.note != "" {
				line = append(line, "("+it.note+")")
			}
		}
		got = append(got, strings.Join(line, " "))
	}
	want := "any service: # (everything) *.read|auth: auth.x|calld: !calld.a (denied) calld.b (×2)|websocketd: websocketd"
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("%s\nwant %s", s, want)
	}
}

// TestHostileToken makes sure that nothing a stack tells reaches the terminal as more than text.
func TestHostileToken(t *testing.T) {
	for _, scene := range []string{"inspector hostile", "activity hostile"} {
		a := newTestApp(t, 140, 40, testAccounts(noon))
		scenes()[scene](a)
		for _, keys := range [][]string{{}, {"right"}, {"m"}, {"esc", "G"}, {"enter"}} {
			press(a, keys...)
			frame := a.View().Content
			for _, bad := range []string{"\x1b[2J", "\x1b]", "\x07", "\u202e", "\u2066", "\u009b", "\r", "\x00"} {
				if strings.Contains(frame, bad) {
					t.Errorf("%s after %v: the frame holds %q", scene, keys, bad)
				}
			}
			if rest := ansi.Strip(frame); strings.ContainsRune(rest, '\x1b') {
				t.Errorf("%s after %v: an escape that is no style", scene, keys)
			}
		}
	}
}

func TestTimeline(t *testing.T) {
	s := newStyles(themes[0], true, depthNone)
	life := lifetimeOf{from: noon, refresh: noon.Add(45 * time.Minute), until: noon.Add(time.Hour)}
	for name, c := range map[string]struct {
		at   time.Duration
		w    int
		want [3]string
	}{
		"begun": {0, 61, [3]string{
			"▼ now 12:00:00, 1:00:00 left",
			"━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┃━━━━━━━━━━━━━━━",
			"issued 12:00:00            refresh 12:45:00  expires 13:00:00",
		}},
		"late": {50 * time.Minute, 61, [3]string{
			"                         now 12:50:00, 10:00 left ▼",
			"─────────────────────────────────────────────┃────━━━━━━━━━━━",
			"issued 12:00:00            refresh 12:45:00  expires 13:00:00",
		}},
		"over": {90 * time.Minute, 40, [3]string{
			"                expired 30 minutes ago ▼",
			"─────────────────────────────┃──────────",
			"issued 12:00:00         expired 13:00:00",
		}},
		"narrow": {0, 20, [3]string{"now 12:00:00, 1:00:…", "━━━━━━━━━━━━━━┃━━━━━", "    expires 13:00:00"}},
	} {
		got := drawTimeline(s, life, noon.Add(c.at), c.w)
		for i, l := range got {
			if l = strings.TrimRight(ansi.Strip(l), " "); l != c.want[i] {
				t.Errorf("%s: line %d is\n%q, not\n%q", name, i, l, c.want[i])
			}
		}
	}
	if drawTimeline(s, lifetimeOf{}, noon, 80) != nil || drawTimeline(s, life, noon, 0) != nil {
		t.Error("a timeline of nothing, or on nothing")
	}
}

func BenchmarkInspectorKeys(b *testing.B) {
	a := newTestApp(b, 140, 40, testAccounts(noon))
	t := prodAnswer()
	t.ACL = manyPermissions(10000)
	showProd(a, t)
	press(a, "right")
	for name, keys := range map[string][]string{
		"move":   {"j", "pgdown", "G", "k", "g"},
		"filter": {"/", "r", "e", "s", "9", "9", "esc"},
	} {
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				press(a, keys[i%len(keys)])
				a.View()
			}
			press(a, "esc")
		})
	}
}

func BenchmarkCompareACLs(b *testing.B) {
	one, other := manyPermissions(10000), append(manyPermissions(9000), "service01.#", "*.users.me.#")
	for b.Loop() {
		if _, err := compareACLs(b.Context(), one, other); err != nil {
			b.Fatal(err)
		}
	}
}
