//go:build linux

package cli

import (
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"wakey/internal/authd"
)

// dialogue is the program line by line, at a terminal or on pipes, and what it has said.
type dialogue struct {
	t    *testing.T
	cmd  *exec.Cmd
	in   io.Writer
	mu   sync.Mutex
	said strings.Builder
	more chan struct{}
	read int // what was said up to here was waited for
}

const accessibleWait = 30 * time.Second

// talkTo starts the program with args, and more in its environment.
func talkTo(t *testing.T, onPipes bool, env []string, args ...string) *dialogue {
	t.Helper()
	home := t.TempDir()
	if err := quickStore(home); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "wakey", args...)
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_DATA_HOME=" + home + "/data", "XDG_CONFIG_HOME=" + home + "/config",
		"DBUS_SESSION_BUS_ADDRESS=disabled:", "WAKEY_PASSPHRASE_FILE=" + home + "/passphrase",
	}, env...)
	d := &dialogue{t: t, cmd: cmd, more: make(chan struct{}, 1)}
	var out io.Reader
	if onPipes {
		d.in, out = onPipesOf(t, cmd)
	} else {
		tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = tty.Close() })
		d.in, out = tty, tty
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	go func() {
		defer close(d.more)
		buf := make([]byte, 4096)
		for {
			n, err := out.Read(buf)
			d.mu.Lock()
			d.said.Write(buf[:n])
			d.mu.Unlock()
			if err != nil {
				return
			}
			select {
			case d.more <- struct{}{}:
			default:
			}
		}
	}()
	return d
}

// onPipesOf starts cmd with nothing but pipes.
func onPipesOf(t *testing.T, cmd *exec.Cmd) (in io.Writer, out io.Reader) {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	return in, out
}

func (d *dialogue) all() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.ReplaceAll(d.said.String(), "\r\n", "\n")
}

// hears waits until text was said after what was waited for before, and gives what came until then.
func (d *dialogue) hears(text string) string {
	d.t.Helper()
	late := time.After(accessibleWait)
	for {
		all := d.all()
		if i := strings.Index(all[d.read:], text); i >= 0 {
			from := d.read
			d.read += i + len(text)
			return all[from:d.read]
		}
		select {
		case _, open := <-d.more:
			if !open && !strings.Contains(d.all()[d.read:], text) {
				d.t.Fatalf("the program ended without %q:\n%s", text, d.all())
			}
		case <-late:
			d.t.Fatalf("it never said %q:\n%s", text, d.all())
		}
	}
}

// answers waits for a question, and types an answer.
func (d *dialogue) answers(question, answer string) {
	d.t.Helper()
	d.hears(question)
	if _, err := io.WriteString(d.in, answer+"\n"); err != nil {
		d.t.Fatal(err)
	}
}

// ends waits for the program's end and gives its exit code.
func (d *dialogue) ends() int {
	d.t.Helper()
	for range d.more {
	}
	_ = d.cmd.Wait()
	return d.cmd.ProcessState.ExitCode()
}

// strangers hold two refresh tokens of alice's, with a session each.
func strangers(t *testing.T, server *authd.Server) {
	t.Helper()
	for _, device := range []string{"phone-7c1e", "ci-runner"} {
		if _, err := offlineToken(server, "alice", device); err != nil {
			t.Fatal(err)
		}
	}
}

var printedToken = regexp.MustCompile(`(?m)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// TestAccessible does the main tasks line by line: at a terminal that understands nothing but text, and
// on plain pipes.
func TestAccessible(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]struct {
		pipes bool
		env   []string
		args  []string
	}{
		"TERM=dumb":    {false, []string{"TERM=dumb"}, nil},
		"ACCESSIBLE=1": {false, []string{"TERM=xterm-256color", "ACCESSIBLE=1"}, nil},
		"--accessible": {true, nil, []string{"--accessible"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, err := authd.New(authd.Config{}, authd.DemoSeed())
			if err != nil {
				t.Fatal(err)
			}
			stack, err := authd.Start(t.Context(), server, "127.0.0.1:0", false)
			if err != nil {
				t.Fatal(err)
			}
			strangers(t, server)
			d := talkTo(t, how.pipes, how.env, how.args...)
			mainTasks(d, server, stack)
			if code := d.ends(); code != 0 {
				t.Errorf("exit code %d", code)
			}
			all := d.all()
			for _, secret := range []string{"alice-demo", "wrong-demo"} {
				if strings.Contains(all, secret) {
					t.Errorf("a password was shown:\n%s", all)
				}
			}
			if i := strings.IndexFunc(all, func(r rune) bool { return r < ' ' && r != '\n' && r != '\a' }); i >= 0 && !strings.Contains(name, "ACCESSIBLE") {
				t.Errorf("a control character: %q", all[max(0, i-40):min(len(all), i+40)])
			}
			if strings.Contains(all, "\x1b") {
				t.Errorf("an escape sequence:\n%q", all)
			}
			for _, mark := range []string{"●", "×", "▌", "─", "━", "‼", "Press ", " esc", "x revokes"} {
				if strings.Contains(all, mark) {
					t.Errorf("%q is for a screen:\n%s", mark, all)
				}
			}
		})
	}
}

func mainTasks(d *dialogue, server *authd.Server, stack *authd.Running) {
	t := d.t
	host := strings.TrimPrefix(stack.URL, "https://")

	// Sign in, with a wrong password first, to a stack that nobody vouches for.
	d.hears("No account yet.")
	d.answers("Accounts, 1 to 3:", "Sign in")
	d.answers("Stack, its host name or address:", stack.URL)
	d.answers("User name or e-mail:", "alice")
	d.answers("Password:", "wrong-demo")
	d.answers("Name of the account here (Enter: alice@127.0.0.1):", "prod")
	d.answers("Lifetime of access tokens (Enter: 1h):", "2h")
	d.answers("Stay signed in with a refresh token? yes or no (Enter: yes):", "")
	d.hears("Is this 127.0.0.1")
	d.hears(stack.Fingerprint)
	d.hears("Compare the fingerprint")
	d.hears("2. Trust this key")
	d.answers("1 or 2 (Enter: 1):", "2")
	d.hears("Error: wrong user name or password")
	d.answers("Password:", "alice-demo")
	d.hears("Signed in alice as account prod.")

	// The account, its state and its time; refresh; inspect; print.
	d.hears("1 account.")
	d.hears("1. prod, alice at " + host + ": active, expires in ")
	d.answers("Accounts, 1 to ", "1")
	d.hears("access token: ending in ")
	d.hears("refresh token: wakey-")
	d.answers("prod, 1 to ", "Refresh this")
	d.hears("Refreshed prod, good until ")
	d.answers("prod, 1 to ", "Inspect")
	d.hears("tenant: ")
	d.hears("Read the list: Permissions, 60")
	d.answers("Inspector, 1 to ", "Read the list")
	d.answers("(Enter: all):", "sessions.read")
	d.hears("auth.users.me.sessions.read")
	d.answers("Inspector, 1 to ", "Ask whether")
	d.answers("(Enter: close):", "auth.users.me.sessions.read")
	d.hears("By its list: yes")
	d.hears("The stack: yes")
	d.answers("(Enter: close):", "")
	d.answers("Inspector, 1 to ", "b")
	d.answers("prod, 1 to ", "Print")
	d.answers("Print it? yes or no (Enter: no):", "")
	d.answers("prod, 1 to ", "print the access token")
	d.answers("Print it? yes or no (Enter: no):", "y")
	token := printedToken.FindString(d.hears("prod, 1 to "))
	if token == "" {
		t.Errorf("no token was printed:\n%s", d.all())
	}

	// Revoke a device that nobody knows: kept at first, then with its session.
	if _, err := io.WriteString(d.in, "List the user's refresh\n"); err != nil {
		t.Fatal(err)
	}
	d.hears("3 refresh tokens, 2 unknown")
	d.answers("Refresh tokens, 1 to ", "phone-7c1e")
	d.hears("nobody has labelled it.")
	d.answers("phone-7c1e, 1 to ", "Revoke it")
	d.hears("Revoke 1 refresh token of alice on " + host + ".")
	d.hears("at the latest.")
	d.answers("? yes or no (Enter: yes):", "no")
	d.hears("1. Keep")
	d.hears("2. Revoke 1 token")
	d.answers("1 or 2 (Enter: 1):", "")
	d.answers("phone-7c1e, 1 to ", "1")
	d.answers("? yes or no (Enter: yes):", "no")
	d.answers("1 or 2 (Enter: 1):", "2")
	d.hears("phone-7c1e is gone: " + host + " lists it no more.")
	d.hears("2 refresh tokens, 1 unknown")
	d.answers("Refresh tokens, 1 to ", "ci-runner")
	d.answers("ci-runner, 1 to ", "Say whose")
	d.answers("(Enter: leave it):", "the CI")
	d.hears("known: the CI")
	d.answers("ci-runner, 1 to ", "b")
	d.answers("Refresh tokens, 1 to ", "b")

	// The sessions that are not ours, all at once.
	d.answers("prod, 1 to ", "List the user's sessions")
	d.hears("of 100 sessions, ")
	d.answers("Sessions, 1 to ", "Revoke several")
	d.answers("(Enter: none):", "99")
	d.hears("Give numbers from 1 to ")
	d.answers("Sessions, 1 to ", "Revoke several")
	d.answers("(Enter: none):", "others")
	d.hears("Revoke 2 sessions of alice on ")
	d.answers("1 or 2 (Enter: 1):", "2")
	d.hears("2 of 2 sessions ended")
	d.answers("Sessions, 1 to ", "b")

	// Somebody else has a token of the account: the plan, the steps, what is proven.
	if _, err := offlineToken(server, "alice", "stolen-4711"); err != nil {
		t.Fatal(err)
	}
	d.answers("prod, 1 to ", "Somebody else")
	d.hears("Somebody else has a token of alice on " + host + "?")
	d.hears("Nothing is changed yet.")
	d.hears("Step 1: revoke 1 refresh token")
	d.hears("Ends: stolen-4711: made just now")
	d.hears("ci-runner: ")
	d.answers("Plan, 1 to ", "Begin")
	d.answers("yes or no (Enter: no):", "")
	d.answers("Plan, 1 to ", "Keep one")
	d.answers("(Enter: none)", "")
	d.answers("Plan, 1 to ", "Begin")
	d.answers("yes or no (Enter: no):", "yes")
	d.hears("Revoke the refresh tokens, done: 1 refresh token revoked.")
	d.hears("The password of alice.")
	d.answers("Password (Enter: leave it out):", "alice-demo")
	d.hears("Prove that it is dead, done: ")
	d.hears("It is over: everything that was to end is dead")
	d.hears("The refresh token stolen-4711 is dead")
	d.answers("Response, 1 to ", "b")

	// What happened, in full.
	d.answers("prod, 1 to ", "b")
	d.answers("Accounts, 1 to ", "Activity")
	d.hears("What happened, the newest first")
	d.answers("Activity, 1 to ", "1")
	d.answers(", 1 to ", "b")
	d.answers("Activity, 1 to ", "b")

	// Sign out.
	d.answers("Accounts, 1 to ", "prod")
	d.answers("prod, 1 to ", "Sign out")
	d.hears("Sign out prod.")
	d.hears("forgotten on this machine.")
	d.answers("1 or 2 (Enter: 1):", "Sign out")
	d.hears("Signed out prod.")
	d.hears("No account yet.")
	d.answers("Accounts, 1 to 3:", "q")
	d.hears("Goodbye.")
}

// A script that gives all its answers at once is heard line by line, and its end is the end.
func TestAccessibleFromAScript(t *testing.T) {
	stack := demoStack(t)
	d := talkTo(t, true, nil, "--accessible")
	script := strings.Join([]string{
		"Sign in", stack.URL, "alice", "alice-demo", "prod", "", "", "2", "prod", "Refresh this", "nonsense", "0", "?", "b", "",
	}, "\n")
	if _, err := io.WriteString(d.in, script); err != nil {
		t.Fatal(err)
	}
	if err := d.in.(io.Closer).Close(); err != nil {
		t.Fatal(err)
	}
	d.hears("Signed in alice as account prod.")
	d.hears("Refreshed prod")
	d.hears("No choice begins like that.")
	d.hears("There is no choice 0.")
	if code := d.ends(); code != 0 || strings.Contains(d.all(), "alice-demo") {
		t.Errorf("exit code %d:\n%s", code, d.all())
	}
}

// Ctrl-C at a hidden question ends it with 3 and leaves the terminal as it was.
func TestAccessibleInterrupted(t *testing.T) {
	d := talkTo(t, false, []string{"TERM=dumb"})
	d.answers("Accounts, 1 to 3:", "Sign in")
	d.answers("Stack, its host name or address:", "pbx.example.com")
	d.answers("User name or e-mail:", "alice")
	d.hears("Password:")
	if _, err := io.WriteString(d.in, "ali\x03"); err != nil {
		t.Fatal(err)
	}
	if code := d.ends(); code != exitCancelled {
		t.Errorf("exit code %d:\n%s", code, d.all())
	}
	wantEcho(t, d.in.(*os.File))
}

// A dead stack: what is waited for is said, and Enter stops it; the error says what to do.
func TestAccessibleWaitsAndStops(t *testing.T) {
	server, err := authd.New(authd.Config{}, authd.DemoSeed())
	if err != nil {
		t.Fatal(err)
	}
	stack, err := authd.Start(t.Context(), server, "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	d := talkTo(t, false, []string{"TERM=dumb"})
	signIn := func() {
		d.answers("Stack, its host name or address", stack.URL)
		d.answers("User name or e-mail", "alice")
		d.answers("Password:", "alice-demo")
		d.answers("Name of the account here", "")
		d.answers("Lifetime of access tokens", "")
		d.answers("Stay signed in", "")
	}
	d.answers("Accounts, 1 to 3:", "Sign in")
	server.Faults().Add(authd.Fault{Path: "/token password", Delay: time.Hour})
	signIn()
	d.answers("1 or 2 (Enter: 1):", "2")
	d.answers("Please wait: signing in alice. Enter stops it.", "")
	d.hears("Stopped signing in.")
	server.Faults().SetDown(true)
	signIn()
	d.hears("Error: ")
	d.answers("Stack, its host name or address (Enter: "+stack.URL+"):", "b")
	d.answers("Accounts, 1 to 3:", "q")
	if code := d.ends(); code != 0 {
		t.Errorf("exit code %d:\n%s", code, d.all())
	}
}

// Without a terminal, and without being asked to go line by line, nothing is drawn.
func TestNoScreenWithoutATerminal(t *testing.T) {
	for _, args := range [][]string{nil, {"demo"}} {
		d := talkTo(t, true, []string{"TERM=xterm-256color"}, args...)
		d.hears("the screen needs a terminal")
		d.hears(`"wakey --accessible"`)
		if code := d.ends(); code != exitUsage || strings.Contains(d.all(), "\x1b") {
			t.Errorf("exit code %d: %q", code, d.all())
		}
	}
	d := talkTo(t, true, nil, "--accessible", "--no-input")
	d.hears("--no-input")
	if code := d.ends(); code != exitUsage {
		t.Errorf("exit code %d: %q", code, d.all())
	}
}
