package ui

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
	"wakey/session"
)

// spokenTo is the program line by line, in this process.
type spokenTo struct {
	t    *testing.T
	in   *io.PipeWriter
	mu   sync.Mutex
	said strings.Builder
	at   int
	done chan error
}

func (s *spokenTo) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.Write(b)
}

func (s *spokenTo) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.String()
}

func speakTo(t *testing.T, o Options, env environment) *spokenTo {
	t.Helper()
	in, out := io.Pipe()
	s := &spokenTo{t: t, in: out, done: make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { s.done <- talkIn(ctx, o, env, Console{In: in, Out: s}) }()
	t.Cleanup(func() {
		cancel()
		_ = out.Close()
		if s.done != nil {
			<-s.done
		}
	})
	return s
}

// hears waits for a text after the last one that was waited for.
func (s *spokenTo) hears(text string) {
	s.t.Helper()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	late := time.NewTimer(30 * time.Second)
	defer late.Stop()
	for {
		if i := strings.Index(s.all()[s.at:], text); i >= 0 {
			s.at += i + len(text)
			return
		}
		select {
		case <-look.C:
		case <-late.C:
			s.t.Fatalf("it never said %q:\n%s", text, s.all())
		}
	}
}

func (s *spokenTo) answers(question, answer string) {
	s.t.Helper()
	s.hears(question)
	if _, err := io.WriteString(s.in, answer+"\n"); err != nil {
		s.t.Fatal(err)
	}
}

func (s *spokenTo) ends() error {
	s.t.Helper()
	select {
	case err := <-s.done:
		s.done = nil
		return err
	case <-time.After(30 * time.Second):
		s.t.Fatalf("it does not end:\n%s", s.all())
	}
	return nil
}

// TestEveryPartCanBeSpoken: what asks for text asks for it in words of its own, as there is no key
// that would do it; lists are read row by row.
func TestEveryPartCanBeSpoken(t *testing.T) {
	for name, scene := range scenes() {
		a := newTestApp(t, talkWidth, talkHeight, testAccounts(noon))
		a.spoken = true
		scene(a)
		top := a.top()
		_, speaks := top.(speaker)
		_, lists := top.(listed)
		if top.typing() && !speaks && (!lists || len(a.dialogs) > 0) {
			t.Errorf("%s: %T asks for text and can't be answered line by line", name, top)
		}
	}
}

// TestNothingSpokenNamesKeys reads out every list, every row and every confirmation.
func TestNothingSpokenNamesKeys(t *testing.T) {
	for name, scene := range scenes() {
		a := newTestApp(t, talkWidth, talkHeight, testAccounts(noon))
		a.spoken = true
		scene(a)
		var said []string
		switch p := a.top().(type) {
		case listed:
			said = slices.Concat(p.above(), p.spokenRow())
		case *confirm:
			said = p.text
		case *inspector:
			what, next := p.instead()
			said = append(said, what, next)
			for _, s := range p.sections() {
				said = append(said, sayFacts(s.facts)...)
			}
		case *respond:
			if p.plan != nil {
				said = p.read(p.planPage(talkWidth))
			}
			if p.phase == respondOver {
				said = p.read(p.overPage(talkWidth))
			}
		}
		text := strings.Join(said, "\n")
		for _, hint := range []string{"press ", "Press ", "esc ", " x ", " l labels", "enter ", "reveals it", " ! "} {
			if strings.Contains(text, hint) {
				t.Errorf("%s: %q in\n%s", name, hint, text)
			}
		}
		if strings.ContainsAny(text, "●◐▲△○‼▌━─┃│\x1b") {
			t.Errorf("%s: shapes in\n%s", name, text)
		}
	}
}

func TestPlainWords(t *testing.T) {
	for line, want := range map[string]string{
		"":                       "",
		" ▌ ● prod    active":    "prod: active",
		"client_id  phone-7c1e":  "client_id: phone-7c1e",
		"user:      alice  note": "user: alice, note",
		"  4 sessions · 2 ours":  "4 sessions, 2 ours",
		"━━━┃───":                "",
		"\x1b[1mbold\x1b[0m ✓":   "bold",
		"what? nothing":          "what? nothing",
	} {
		if got := plainWords(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestLongSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "no time", time.Second: "1 second", 59*time.Second + time.Millisecond: "1 minute", 200 * time.Second: "3 minutes 20 seconds",
		12*time.Minute + 7*time.Second: "12 minutes", time.Hour: "1 hour", 72*time.Minute + 8*time.Second: "1 hour 12 minutes",
		75 * time.Hour: "3 days 3 hours", 48 * time.Hour: "2 days",
	} {
		if got := longSpan(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string][]int{
		"1": {1}, "1,3": {1, 3}, "1, 3-5": {1, 3, 4, 5}, "2 4": {2, 4}, "0": nil, "6": nil, "5-3": nil, "x": nil, "1-": nil, "": nil, "-1": nil,
		"1-99999999999": nil,
	} {
		got, ok := numbers(text, 5)
		if ok != (want != nil) || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", text, got, ok)
		}
	}
}

func TestChoosing(t *testing.T) {
	options := []option{{label: "Refresh it"}, {label: "Revoke it"}, {label: "Sign out"}}
	for answer, want := range map[string]string{"1": "Refresh it", "2.": "Revoke it", "sign": "Sign out", "REV": "Revoke it", "0": "", "4": "", "re": "", "x": ""} {
		got, why := choose(options, answer)
		switch {
		case want == "" && (got != nil || why == ""):
			t.Errorf("%q: %v, %q", answer, got, why)
		case want != "" && (got == nil || got.label != want):
			t.Errorf("%q: %v", answer, got)
		}
	}
	if _, why := choose(options, "re"); !strings.Contains(why, "1 or 2") {
		t.Errorf("%q", why)
	}
}

func TestSpokenPassphrase(t *testing.T) {
	s := newStack(t)
	got := make(chan string, 1)
	sp := speakTo(t, Options{Open: func(ctx context.Context, person session.StoreOptions) (*session.Manager, error) {
		p, err := person.Passphrase(ctx, session.PassphraseRequest{New: true, Reason: "there is no keyring here"})
		if err != nil {
			return nil, err
		}
		got <- p.Reveal()
		return s.mgr, nil
	}}, environment{})
	sp.hears("There is no keyring here.")
	sp.answers("(Enter: leave it locked):", "one")
	sp.answers("The same again:", "two")
	sp.hears("The two are not the same.")
	sp.answers("(Enter: leave it locked):", "")
	sp.hears("The accounts could not be opened.")
	sp.answers("Try again? yes or no", "no")
	sp.hears("The store is locked.")
	sp.answers("Accounts, 1 to ", "Open the locked")
	sp.answers("(Enter: leave it locked):", "correct horse")
	sp.answers("The same again:", "correct horse")
	sp.hears("1. demo, alice at ")
	if p := <-got; p != "correct horse" || strings.Contains(sp.all(), "correct horse") {
		t.Errorf("%q:\n%s", p, sp.all())
	}
	sp.answers("Accounts, 1 to ", "q")
	if err := sp.ends(); err != nil {
		t.Error(err)
	}
}

// What needs a person is said at once, also in the middle of a question, and once.
func TestSpokenAttention(t *testing.T) {
	s := troubled(t)
	sp := speakTo(t, Options{Open: s.open, Bell: true}, environment{})
	sp.hears("Accounts, 1 to ")
	if _, err := s.mgr.Refresh(t.Context(), s.acc.ID); err == nil {
		t.Fatal("it was refreshed")
	}
	sp.hears("Attention: demo, revoked elsewhere: the stack refuses its refresh token")
	sp.hears("Sign in again.")
	sp.hears("1. demo, alice at ")
	sp.answers("Accounts, 1 to ", "demo")
	sp.hears("revoked elsewhere")
	sp.answers("demo, 1 to ", "Sign this account in again")
	sp.answers("Stack, its host name or address (Enter: ", "b")
	sp.answers(", 1 to ", "q")
	if err := sp.ends(); err != nil || strings.Count(sp.all(), "Attention: ") != 1 || strings.Contains(sp.all(), "\a") {
		t.Errorf("%v:\n%s", err, sp.all())
	}
}

// A pasted token is asked about and not shown; where there is no clipboard that is said.
func TestSpokenTokens(t *testing.T) {
	s := newStack(t)
	stranger := s.tokenFor(t, authd.DemoSeed().Users[0], "phone-7c1e")
	sp := speakTo(t, Options{Open: s.open}, environment{})
	sp.answers("Accounts, 1 to ", "demo")
	sp.answers("demo, 1 to ", "Copy the access token")
	sp.hears("Error: nothing was copied: no clipboard is to be reached from here. Print the token instead.")
	sp.answers("demo, 1 to ", "Copy it as")
	sp.answers("Copy of demo, 1 to ", "b")
	sp.answers("demo, 1 to ", "Inspect")
	sp.answers("Inspector, 1 to ", "Inspect a token")
	sp.answers("The token (Enter: none):", "nonsense")
	sp.hears("Error: A token has 36 characters")
	sp.answers("The token (Enter: none):", "X-Auth-Token: "+stranger.Value.Reveal())
	sp.hears("The pasted token: access token.")
	sp.hears("account: demo, of the same user")
	sp.answers("Inspector, 1 to ", "Compare")
	sp.answers("Compare the pasted token with, 1 to ", "demo")
	sp.answers("Inspector, 1 to ", "Read the list")
	sp.answers("(Enter: all):", "")
	sp.answers("Inspector, 1 to ", "Inspect a token")
	sp.answers("The token (Enter: none):", stranger.RefreshToken.Reveal())
	sp.hears("The pasted token: no living access token.")
	sp.answers("Inspector, 1 to ", "Try it as")
	sp.hears("wakey revokes both at once.")
	sp.answers("(Enter: leave it):", "phone-7c1e")
	sp.hears("The pasted token: refresh token.")
	for _, secret := range []api.Secret{stranger.Value, stranger.RefreshToken} {
		if strings.Contains(sp.all(), secret.Reveal()) {
			t.Errorf("a token was shown:\n%s", sp.all())
		}
	}
	if err := sp.in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := sp.ends(); err != nil {
		t.Errorf("%v at the end of what is typed", err)
	}
}

// What failed is read out, and can be tried again one by one.
func TestSpokenFailures(t *testing.T) {
	s := newStack(t)
	s.tokenFor(t, authd.DemoSeed().Users[0], "phone-7c1e")
	sp := speakTo(t, Options{Open: s.open}, environment{})
	sp.answers("Accounts, 1 to ", "demo")
	sp.answers("demo, 1 to ", "List the user's refresh")
	sp.answers("Refresh tokens, 1 to ", "phone")
	s.Faults().Add(authd.Fault{Method: "DELETE", Status: 500})
	sp.answers("phone-7c1e, 1 to ", "Revoke it")
	sp.answers("(Enter: yes):", "no")
	sp.answers("1 or 2 (Enter: 1):", "2")
	sp.hears("Revoked 0, 1 failed.")
	s.Faults().Clear()
	sp.answers("Choose, 1 to 3:", "Try again: phone")
	sp.hears("phone-7c1e is gone")
	sp.answers("Refresh tokens, 1 to ", "q")
	if err := sp.ends(); err != nil {
		t.Error(err)
	}
}

// A row that has gone away while its actions were read out is not mixed up with the one in its place.
func TestSpokenRowIsGone(t *testing.T) {
	a := newTestApp(t, talkWidth, talkHeight, testAccounts(noon))
	v := a.screens[viewAccounts].(listed)
	if !v.spokenRows().choose("00000002") || v.spokenRows().choose("gone") {
		t.Error("a row that is not there is chosen, or one that is there is not")
	}
}

// An administrator creates a user, and deletes it again.
func TestSpokenUsers(t *testing.T) {
	s := newStack(t)
	admin := authd.DemoSeed().Users[2]
	if _, err := s.mgr.SignIn(t.Context(), session.SignInRequest{
		Name: "root", Stack: s.base(t), Login: admin.Username, Password: api.NewSecret(admin.Password), Trust: api.Trust{Pin: s.pin},
	}); err != nil {
		t.Fatal(err)
	}
	sp := speakTo(t, Options{Open: s.open}, environment{})
	sp.answers("Accounts, 1 to ", "root")
	sp.answers("root, 1 to ", "Users of")
	sp.hears("bob: enabled")
	sp.answers("Users, 1 to ", "Create")
	sp.hears("Create a user on ")
	for range 4 { // the names and the e-mail
		sp.answers("(Enter: none):", "")
	}
	sp.answers("Password: generated, typed or none yet? (Enter: generated)", "")
	for range 2 {
		sp.answers("? (Enter: ", "")
	}
	sp.answers("Enabled may sign in? yes or no (Enter: yes):", "")
	sp.hears("Create?")
	sp.answers("(Enter: yes):", "")
	sp.hears("Error: User name: a user name or an e-mail: without one nobody can sign in.")
	sp.answers("User name (Enter: none):", "dora")
	sp.answers("Create? yes or no (Enter: yes):", "")
	sp.hears("The password of dora.")
	sp.answers("The password of dora, 1 to 3:", "Print")
	sp.answers("Print it? yes or no (Enter: no):", "y")
	sp.answers("The password of dora, 1 to 3:", "Done")
	sp.hears("dora: enabled")
	sp.answers("Users, 1 to ", "dora")
	sp.answers("dora, 1 to ", "Show the user")
	sp.hears("Refresh tokens: 0")
	sp.answers("dora, 1 to ", "b")
	sp.answers("dora, 1 to ", "Disable this user")
	sp.hears("Disable dora on ")
	sp.answers("1 or 2 (Enter: 1):", "2")
	sp.hears("disabled dora.")
	sp.answers("dora, 1 to ", "Delete this user")
	sp.hears("A deletion is for good.")
	sp.answers("(Enter: yes):", "")
	sp.answers("Type delete to do it (Enter: keep):", "yes")
	sp.answers("dora, 1 to ", "Delete this user")
	sp.answers("(Enter: yes):", "")
	sp.answers("Type delete to do it (Enter: keep):", "delete")
	sp.hears("deleted dora")
	sp.answers("Users, 1 to ", "q")
	if err := sp.ends(); err != nil {
		t.Error(err)
	}
}
