package ui

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
	"wakey/session"
)

// bob is a user of the demo's stack who has no account yet.
var bob = authd.DemoSeed().Users[1]

func TestSignInPinsAndHidesThePassword(t *testing.T) {
	s := newStack(t)
	if err := s.mgr.Forget(t.Context(), s.acc.ID); err != nil {
		t.Fatal(err)
	}
	tm := startProgram(t, Options{Open: s.open}, 100, 34)
	tm.until("No account yet", "n to sign in")
	tm.typed("n")
	tm.until("Sign in to a Wazo stack")
	tm.typed(s.url, keyEnter, bob.Username, keyEnter, bob.Password)
	tm.until(strings.Repeat("•", len(bob.Password)), bob.Username+"@127.0.0.1")
	tm.typed(keyEnter)
	tm.until("Is this 127.0.0.1", s.pin, "Trust this key")
	tm.typed(keyTab, keyEnter)
	tm.until("signed in "+bob.Username, bob.Username+"@127.0.0.1", "active")
	tm.typed("q")
	if err := tm.ended(); err != nil {
		t.Error(err)
	}
	if strings.Contains(tm.out.String(), bob.Password) {
		t.Error("the password was written to the terminal")
	}
	a, err := s.mgr.Account(bob.Username + "@127.0.0.1")
	if err != nil || a.Trust.Pin != s.pin || a.ClientID == "" || a.Lifetime != time.Hour {
		t.Errorf("signed in as %+v, %v", a, err)
	}
}

func TestSignInErrorsStandAtTheirField(t *testing.T) {
	s := newStack(t)
	o := Options{Open: s.open, Prefill: SignInDefaults{Stack: s.url, Login: bob.Username}}
	tm := startProgram(t, o, 100, 34)
	tm.until("demo")
	tm.typed("n")
	tm.until("Sign in to a Wazo stack")
	tm.typed("wrong", keyEnter)
	tm.until("wrong user name or password", "check both")
	s.Faults().SetDown(true)
	tm.typed("wrong", keyEnter)
	tm.until("no answer")
	if line := lineWith(tm.screen(), "no answer"); line != lineWith(tm.screen(), "Stack")+1 {
		t.Errorf("no answer is not told at the stack:\n%s", tm.screen())
	}
	s.Faults().Clear()
	s.Faults().SetDown(false)
	tm.typed(keyEsc)
	tm.gone("Sign in to a Wazo stack")
	if n := len(s.mgr.Accounts()); n != 1 {
		t.Errorf("%d accounts", n)
	}
}

func lineWith(screen, text string) int {
	for i, l := range strings.Split(screen, "\n") {
		if strings.Contains(l, text) {
			return i
		}
	}
	return -1
}

func TestCopyGoesToTheClipboardAlone(t *testing.T) {
	s := newStack(t)
	tm := startProgram(t, Options{Open: s.open}, 100, 30)
	tm.until("active")
	tm.typed("y")
	tm.until("sent the token …" + s.acc.TokenSuffix)
	token, err := s.mgr.Token(t.Context(), s.acc.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	sent := base64.StdEncoding.EncodeToString([]byte(token.Token.Reveal()))
	tm.untilTrue("OSC 52", func() bool { return strings.Contains(tm.out.String(), "]52;c;"+sent) })
	tm.typed("Y")
	tm.until("curl command")
	tm.typed("curl", keyEnter)
	tm.until("sent a curl command")
	tm.typed("q")
	if err := tm.ended(); err != nil {
		t.Error(err)
	}
	if strings.Contains(tm.out.String(), token.Token.Reveal()) {
		t.Error("the token was written to the terminal in clear")
	}
	if !strings.HasSuffix(strings.TrimRight(tm.out.String(), "\a\x1b\\"), "]52;c;") {
		t.Error("the clipboard was not emptied at the end")
	}
}

func TestSlowRefreshIsShownAndStopped(t *testing.T) {
	s := newStack(t)
	tm := startProgram(t, Options{Open: s.open}, 100, 30)
	tm.until("active")
	s.Faults().Add(authd.Fault{Path: "/token refresh", Delay: 3 * time.Second, Times: 1})
	tm.typed("r")
	tm.until("refreshing demo…", "esc stops it")
	tm.typed(keyEsc)
	tm.until("stopped refreshing demo")
	tm.typed("r") // joins the attempt under way, or makes another: it must work
	tm.until("refreshed demo")
}

func TestSignOutAndForgetOnly(t *testing.T) {
	s := newStack(t)
	tm := startProgram(t, Options{Open: s.open}, 100, 30)
	tm.until("active")
	s.Faults().SetDown(true)
	tm.typed("L")
	tm.until("Sign out demo", s.acc.ClientID)
	tm.typed(keyTab, keyEnter)
	tm.until("Forget demo", "Nothing is revoked. The refresh token "+s.acc.ClientID)
	tm.typed(keyEsc)
	tm.gone("Forget demo")
	s.Faults().SetDown(false)
	tm.typed("L")
	tm.until("Sign out demo")
	tm.typed(keyEnter) // the safe button has the focus
	tm.gone("Sign out demo")
	tm.typed("L")
	tm.until("Sign out demo")
	tm.typed(keyTab, keyEnter)
	tm.until("signed out demo", "No account yet")
	if left := s.RefreshTokens(s.acc.UserUUID); slices.Contains(left, s.acc.ClientID) {
		t.Errorf("still on the stack: %v", left)
	}
}

func TestPassphraseIsAskedInADialog(t *testing.T) {
	s := newStack(t)
	got := make(chan api.Secret, 2)
	open := func(ctx context.Context, person session.StoreOptions) (*session.Manager, error) {
		p, err := person.Passphrase(ctx, session.PassphraseRequest{New: true, Reason: "there is no keyring here"})
		if err != nil {
			return nil, err
		}
		got <- p
		return s.mgr, nil
	}
	tm := startProgram(t, Options{Open: open}, 100, 30)
	tm.until("A passphrase for the store", "there is no keyring here", "waiting for the passphrase")
	tm.typed(keyEsc)
	tm.until("could not be opened", "no passphrase was given")
	tm.typed("u")
	tm.until("A passphrase for the store")
	tm.typed("correct horse", keyEnter, "battery", keyEnter)
	tm.until("not the same")
	tm.typed("correct horse", keyEnter)
	tm.until("demo", "active")
	if p := <-got; p.Reveal() != "correct horse" {
		t.Errorf("got %q", p.Reveal())
	}
	if strings.Contains(tm.out.String(), "correct horse") {
		t.Error("the passphrase was written to the terminal")
	}
}

// A keyring that does not answer is waited for in sight, until it answers or a person has enough.
func TestKeyringIsWaitedForInSight(t *testing.T) {
	s := newStack(t)
	answers := make(chan struct{})
	open := func(ctx context.Context, person session.StoreOptions) (*session.Manager, error) {
		asking, over := context.WithCancel(ctx)
		defer over()
		go func() {
			select {
			case <-answers:
				over()
			case <-asking.Done():
			}
		}()
		if person.Keyring(asking, session.KeyringRequest{}); asking.Err() == nil {
			return nil, errors.New("the keyring does not answer; unlock it")
		}
		return s.mgr, ctx.Err()
	}
	tm := startProgram(t, Options{Open: open}, 100, 30)
	tm.until("Waiting for the keyring", "waiting for the keyring…", "may be showing its own prompt", "Leave it locked")
	tm.typed(keyEsc)
	tm.until("could not be opened", "the store is locked")
	tm.typed("u")
	tm.until("Waiting for the keyring", "Leave it locked")
	answers <- struct{}{}
	tm.until("demo", "active")
	tm.gone("aiting for the keyring")
}

// The first account asks for the key of an open store: for the keyring, which a person gives up, and
// then for a passphrase.
func TestFirstAccountMakesTheKey(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "disabled:")
	s := newStack(t)
	open := func(_ context.Context, person session.StoreOptions) (*session.Manager, error) {
		ask := person.Passphrase
		person.Passphrase = func(ctx context.Context, r session.PassphraseRequest) (api.Secret, error) {
			person.Keyring(ctx, session.KeyringRequest{New: true})
			return ask(ctx, r)
		}
		dir := t.TempDir()
		return session.New(session.OpenFileStore(dir, person), session.Options{Dir: dir}), nil
	}
	tm := startProgram(t, Options{Open: open, Prefill: SignInDefaults{Stack: s.url, Login: bob.Username}}, 100, 34)
	tm.until("No account yet")
	tm.typed("n")
	tm.until("Sign in to a Wazo stack")
	tm.typed(bob.Password, keyEnter)
	tm.until("Trust this key")
	tm.typed(keyTab, keyEnter)
	tm.until("Waiting for the keyring", "Use a passphrase")
	tm.typed(keyEnter)
	tm.until("A passphrase for the store", "no session bus")
	tm.typed("correct horse", keyEnter, "correct horse", keyEnter)
	tm.until("signed in bob", "active")
	tm.until("kept by", "there is no keyring here")
	if strings.Contains(tm.screen(), "opening the store") {
		t.Errorf("it says that the store is being opened:\n%s", tm.screen())
	}
}

func TestOpeningFails(t *testing.T) {
	tries := 0 // the second begins when the first is over
	open := func(context.Context, session.StoreOptions) (*session.Manager, error) {
		tries++
		return nil, errors.New("the keyring does not answer; unlock it")
	}
	tm := startProgram(t, Options{Open: open}, 80, 24)
	tm.until("The accounts could not be opened", "the keyring does not answer")
	tm.typed(keyEsc)
	tm.gone("could not be opened")
	tm.typed("u")
	tm.until("The accounts could not be opened")
	tm.typed(keyEsc)
	tm.gone("could not be opened")
	tm.typed("q")
	if err := tm.ended(); err != nil || tries != 2 {
		t.Errorf("%v after %d tries", err, tries)
	}
}

func TestMouse(t *testing.T) {
	s := newStack(t)
	if _, err := s.mgr.SignIn(t.Context(), session.SignInRequest{
		Name: "second", Stack: s.base(t), Login: bob.Username, Password: api.NewSecret(bob.Password), Trust: api.Trust{Pin: s.pin},
	}); err != nil {
		t.Fatal(err)
	}
	tm := startProgram(t, Options{Open: s.open}, 120, 30)
	tm.until("demo", "second", "▌  ●  demo")
	tm.typed(click(10, 6))
	tm.until("▌  ●  second")
	tm.typed(click(21, 2))
	tm.until("Permissions 60")
	tm.typed(click(3, 2), "L")
	tm.until("Sign out second")
	y := lineWith(tm.screen(), "  Stay  ")
	x := strings.Index(plainCells(strings.Split(tm.screen(), "\n")[y]), "Stay")
	tm.typed(click(x+1, y+1))
	tm.gone("Sign out second")
	if n := len(s.mgr.Accounts()); n != 2 {
		t.Errorf("%d accounts", n)
	}
}

// plainCells makes every character one byte, so that an index is a column.
func plainCells(line string) string {
	return strings.Map(func(r rune) rune {
		if r > '~' {
			return '#'
		}
		return r
	}, line)
}

// TestChangedKeyIsRefused signs in to a stack whose key another account has pinned, and which
// shows another one now.
func TestChangedKeyIsRefused(t *testing.T) {
	s := newStack(t)
	other, err := authd.New(authd.Config{}, authd.DemoSeed())
	if err != nil {
		t.Fatal(err)
	}
	moved, err := authd.Start(t.Context(), other, "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	defer moved.Close()
	host := strings.TrimPrefix(moved.URL, "https://")
	tm := startProgram(t, Options{Open: s.open, Prefill: SignInDefaults{Stack: moved.URL, Login: bob.Username}}, 100, 34)
	tm.until("demo")
	tm.typed("n")
	tm.until("Sign in to a Wazo stack")
	tm.typed(bob.Password, keyEnter)
	tm.until("Is this 127.0.0.1", moved.Fingerprint)
	tm.typed(keyTab, keyEnter)
	tm.until("signed in bob")
	addr := host
	if err := moved.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := authd.Start(t.Context(), other, addr, false)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	tm.typed("n")
	tm.until("Sign in to a Wazo stack")
	tm.typed(bob.Password, keyEnter)
	tm.until("has changed", moved.Fingerprint, again.Fingerprint, "Nothing was sent")
	tm.typed(keyTab, keyEnter) // there is nothing but to go back
	tm.gone("has changed")
	if n := other.Count("POST", "/token password"); n != 1 {
		t.Errorf("%d passwords reached the stacks", n)
	}
}
