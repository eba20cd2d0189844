package main_test

import (
	"context"
	"encoding/base64"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// buildWakey builds the program once for all tests of the run.
var buildWakey = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "wakey-e2e-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "wakey")
	out, err := exec.Command("go", "build", "-o", bin, "wakey").CombinedOutput()
	if err != nil {
		return "", &buildError{err, string(out)}
	}
	return bin, nil
})

type buildError struct {
	err error
	out string
}

func (e *buildError) Error() string { return e.err.Error() + "\n" + e.out }

// terminal is the program in a pseudo-terminal, seen through a screen emulator.
type terminal struct {
	t       *testing.T
	cmd     *exec.Cmd
	pty     *os.File
	em      *vt.SafeEmulator
	drawn   chan struct{} // something was written since the last look
	mu      sync.Mutex
	clip    string // what OSC 52 put on the clipboard last
	secrets []string
	exited  chan error
}

const e2eTimeout = 60 * time.Second

// startTerminal runs wakey with args in a home of its own.
func startTerminal(t *testing.T, w, h int, args ...string) *terminal {
	t.Helper()
	bin, err := buildWakey()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	cmd := exec.Command(bin, args...)
	cmd.Dir = home
	cmd.Env = []string{
		"HOME=" + home, "PATH=" + os.Getenv("PATH"), "TERM=xterm-256color", "LANG=C.UTF-8",
		"XDG_DATA_HOME=" + home + "/data", "XDG_CONFIG_HOME=" + home + "/config", "XDG_STATE_HOME=" + home + "/state",
		"XDG_CACHE_HOME=" + home + "/cache", "XDG_RUNTIME_DIR=" + home + "/run",
	}
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: uint16(h), Cols: uint16(w)})
	if err != nil {
		t.Fatal(err)
	}
	x := &terminal{
		t: t, cmd: cmd, pty: f, em: vt.NewSafeEmulator(w, h),
		drawn: make(chan struct{}, 1), exited: make(chan error, 1),
	}
	x.em.RegisterOscHandler(52, func(data []byte) bool {
		if _, b64, ok := strings.Cut(strings.TrimPrefix(string(data), "52;"), ";"); ok {
			if text, err := base64.StdEncoding.DecodeString(b64); err == nil {
				x.mu.Lock()
				x.clip = string(text)
				x.mu.Unlock()
			}
		}
		return true
	})
	go func() { _, _ = io.Copy(f, x.em) }() // what the emulator answers to queries
	go func() {
		_, _ = io.Copy(notifying{x}, f)
		x.exited <- cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = f.Close()
	})
	return x
}

// notifying writes to the screen and says so.
type notifying struct{ x *terminal }

func (n notifying) Write(p []byte) (int, error) {
	k, err := n.x.em.Write(p)
	select {
	case n.x.drawn <- struct{}{}:
	default:
	}
	return k, err
}

func (x *terminal) screen() string { return ansi.Strip(x.em.Render()) }

// until waits for a screen that ok accepts, and gives it. No screen may show a secret.
func (x *terminal) until(what string, ok func(screen string) bool) string {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.t.Context(), e2eTimeout)
	defer cancel()
	for {
		s := x.screen()
		for _, secret := range x.secrets {
			if strings.Contains(s, secret) {
				x.t.Fatalf("the screen shows a secret:\n%s", s)
			}
		}
		if ok(s) {
			return s
		}
		select {
		case <-x.drawn:
		case <-ctx.Done():
			x.t.Fatalf("never saw %s:\n%s", what, s)
		}
	}
}

// see waits until every one of texts is on the screen.
func (x *terminal) see(texts ...string) string {
	x.t.Helper()
	return x.until(strings.Join(texts, ", "), func(s string) bool {
		for _, t := range texts {
			if !strings.Contains(s, t) {
				return false
			}
		}
		return true
	})
}

// typeKeys sends keys one by one, as fingers do.
func (x *terminal) typeKeys(keys ...string) {
	x.t.Helper()
	for _, k := range keys {
		if _, err := x.pty.WriteString(k); err != nil {
			x.t.Fatal(err)
		}
	}
}

// copied waits for something on the clipboard.
func (x *terminal) copied() string {
	x.t.Helper()
	text := ""
	x.until("something copied", func(string) bool {
		x.mu.Lock()
		defer x.mu.Unlock()
		text = x.clip
		return text != ""
	})
	return text
}

// quit waits for the program's end, which must be a clean one.
func (x *terminal) quit() {
	x.t.Helper()
	select {
	case err := <-x.exited:
		if err != nil {
			x.t.Errorf("wakey ended with %v", err)
		}
	case <-time.After(e2eTimeout):
		x.t.Fatalf("wakey does not end:\n%s", x.screen())
	}
}

// line gives the first line of s that contains text.
func line(s, text string) string {
	for l := range strings.Lines(s) {
		if strings.Contains(l, text) {
			return l
		}
	}
	return ""
}

var countdownOf = regexp.MustCompile(`\s(\d+):(\d\d)\s`)

// secondsLeft reads the countdown in the row of an account.
func secondsLeft(row string) time.Duration {
	m := countdownOf.FindStringSubmatch(row)
	if m == nil {
		return -1
	}
	d, err := time.ParseDuration(m[1] + "m" + m[2] + "s")
	if err != nil {
		return -1
	}
	return d
}

// TestMainJob is what wakey is for, on the demo, as a person does it: sign in, watch the token run
// down and be refreshed, inspect it, copy it, revoke the device that nobody knows, and leave.
func TestMainJob(t *testing.T) {
	x := startTerminal(t, 110, 32, "demo")
	x.see("demo", "alice", "active", "nothing saved")

	// The countdown falls.
	first := secondsLeft(line(x.screen(), "alice"))
	x.until("the countdown fall", func(s string) bool {
		left := secondsLeft(line(s, "alice"))
		return left > 0 && left <= first-2*time.Second
	})

	// Sign in as somebody else, with tokens as short as the form allows.
	x.typeKeys("n")
	x.see("Sign in to a Wazo stack", "bob-demo")
	x.typeKeys("bob", "\t", "bob-demo")
	x.until("dots for the password", func(s string) bool { return strings.Contains(line(s, "Password"), "••••••••") })
	x.typeKeys("\t", "\t", strings.Repeat("\x7f", 5), "30s")
	x.until("the lifetime", func(s string) bool { return strings.Contains(line(s, "Lifetime"), " 30s ") })
	x.typeKeys("\r") // on to "stay signed in"
	x.typeKeys("\r") // on to the button
	x.typeKeys("\r")
	x.see("signed in bob", "bob@127.0.0.1")
	suffix := tokenOf(x.see("access token"))

	// Nobody does anything, and before the 30 seconds are over there is another token.
	x.until("a refresh", func(s string) bool {
		now := tokenOf(s)
		if strings.Contains(s, "expired") {
			t.Fatalf("the token expired:\n%s", s)
		}
		return now != "" && now != suffix
	})

	// Copy: the clipboard gets the whole token, the screen its end.
	suffix = tokenOf(x.screen())
	x.typeKeys("y")
	x.see("…" + suffix)
	token := x.copied()
	if len(token) != 36 || !strings.HasSuffix(token, suffix) {
		t.Fatalf("%d characters on the clipboard, not the token that ends in %s", len(token), suffix)
	}
	x.secrets = append(x.secrets, token)

	// Inspect: what the token is, and whether it may do something, by its list and by the stack.
	x.typeKeys("\r")
	x.see("Permissions 60", "auth.users.me.tokens.read", "user agent", "left")
	x.typeKeys("m")
	x.see("May the token of bob@127.0.0.1 do this?")
	x.typeKeys(strings.Repeat("\x7f", 40), "auth.users.me.tokens.read", "\r")
	x.until("both answers", func(s string) bool {
		return strings.Contains(line(s, "by its list"), "✓ yes") && strings.Contains(line(s, "the stack  "), "✓ yes")
	})
	x.typeKeys("\x1b")
	x.until("the box closed", func(s string) bool { return !strings.Contains(s, "do this?") })

	// Revoke the device that nobody knows, and see that it is gone from the stack's list.
	x.typeKeys("1")
	x.see("EXPIRES IN")
	x.typeKeys("G")
	x.until("alice's account chosen", func(s string) bool { return strings.Contains(line(s, "demo "), "▌") })
	x.typeKeys("3")
	x.see("phone-7c1e", "unknown", "this machine")
	x.typeKeys("g", "x")
	x.see("Revoke 1 refresh token of alice", "× phone-7c1e", "until they expire", "Keep")
	x.typeKeys("\x1b[D", "\r")
	x.until("the unknown device gone", func(s string) bool {
		return strings.Contains(s, "1 refresh token") && strings.Contains(s, "this machine") && line(s, "phone-7c1e  ") == ""
	})

	x.typeKeys("q")
	x.quit()
}

var tokenEnd = regexp.MustCompile(`access token +…([0-9a-f]{8})`)

// tokenOf is the end of the access token that the details show.
func tokenOf(screen string) string {
	m := tokenEnd.FindStringSubmatch(screen)
	if m == nil {
		return ""
	}
	return m[1]
}
