//go:build linux

package security_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
)

// passphrase of every store here.
const passphrase = `pàssphrase of the "störe", 17 words & more`

// patience is how long one command may take: only one that hangs takes as long, however loaded the machine is.
const patience = 2 * time.Minute

// world is a machine of one person: a home, a desktop's programs, and files with secrets beside the home.
type world struct {
	t     *testing.T
	dir   string
	home  string
	stack *stack
	env   []string
	// program is wakey, but where a test plants a leak.
	program string
	// alicePassword is the one that works now.
	alicePassword string

	mu      sync.Mutex
	records []record
	secrets []secret
	files   map[string]string // what each file of the home last held
	wrapped []byte            // key.age, as it was last opened
}

func newWorld(t *testing.T, s *stack) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), stack: s, program: wakey, alicePassword: alicePassword, files: map[string]string{}, secrets: []secret{{"passphrase", passphrase}}}
	w.home = filepath.Join(w.dir, "home")
	for _, dir := range []string{w.home, w.path("run"), w.path("work"), w.beside("tools"), w.beside("seen")} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range desktopTools {
		if err := os.Symlink(self, filepath.Join(w.beside("tools"), name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"passphrase": passphrase, "alice.password": alicePassword, "bob.password": bobPassword, "admin.password": adminPassword,
	} {
		if err := os.WriteFile(w.beside(name), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.env = []string{
		"HOME=" + w.home, "PATH=" + w.beside("tools") + ":" + os.Getenv("PATH"), "TERM=xterm-256color", "LANG=C.UTF-8", "TZ=UTC",
		"XDG_DATA_HOME=" + w.path("data"), "XDG_CONFIG_HOME=" + w.path("config"), "XDG_STATE_HOME=" + w.path("state"),
		"XDG_CACHE_HOME=" + w.path("cache"), "XDG_RUNTIME_DIR=" + w.path("run"), "TMPDIR=" + w.path("run"),
		"DBUS_SESSION_BUS_ADDRESS=disabled:", // whoever runs the tests keeps their keyring
		"WAKEY_PASSPHRASE_FILE=" + w.beside("passphrase"), "TEST_SIGHTINGS=" + w.beside("seen"),
	}
	return w
}

func (w *world) path(name string) string   { return filepath.Join(w.home, name) }
func (w *world) beside(name string) string { return filepath.Join(w.dir, name) }
func (w *world) store(name string) string  { return filepath.Join(w.home, "data", "wakey", name) }

// quickStore makes a store whose passphrase takes no half second to try, as the usual ones do.
func (w *world) quickStore() {
	w.t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		w.t.Fatal(err)
	}
	lock, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		w.t.Fatal(err)
	}
	lock.SetWorkFactor(10)
	var wrapped bytes.Buffer
	sealed, err := age.Encrypt(&wrapped, lock)
	if err != nil {
		w.t.Fatal(err)
	}
	fmt.Fprintln(sealed, key)
	about, jsonErr := json.Marshal(map[string]any{
		"version": 1, "kind": "passphrase", "recipient": key.Recipient().String(), "why": "there is no keyring here",
	})
	err = errors.Join(
		sealed.Close(), jsonErr, os.MkdirAll(w.store(""), 0o700),
		os.WriteFile(w.store("key.age"), wrapped.Bytes(), 0o600), os.WriteFile(w.store("key.json"), about, 0o600),
	)
	if err != nil {
		w.t.Fatal(err)
	}
}

// command is one run of the program.
type command struct {
	step  string // its name, the command's own words first; empty: those
	args  []string
	stdin string
	env   []string
	dir   string // in the home
	code  int    // expected; -1: any
}

// result is how a run ended.
type result struct {
	stdout, stderr string
	code           int
}

// words are the arguments up to the first that is none of the command's own name.
func (c command) name() string {
	if c.step != "" {
		return c.step
	}
	return strings.Join(c.args, " ")
}

// run runs the program and notes all that can be seen of it.
func (w *world) run(c command) result {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.program, c.args...)
	cmd.Dir = filepath.Join(w.home, c.dir)
	cmd.Env = append(append([]string{}, w.env...), c.env...)
	cmd.Stdin = strings.NewReader(c.stdin)
	began := time.Now()
	defer func() { w.t.Logf("%6d ms  %s", time.Since(began).Milliseconds(), c.name()) }()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		w.t.Fatalf("%s: %v", c.name(), err)
	}
	r := result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
	w.note(c.name(), "stdout", stdout.Bytes())
	w.note(c.name(), "stderr", stderr.Bytes())
	w.note(c.name(), "arguments", []byte(strings.Join(cmd.Args[1:], "\x00")))
	w.look(c.name())
	if ctx.Err() != nil {
		w.t.Fatalf("%s: it hangs\n%s%s", c.name(), r.stdout, r.stderr)
	}
	if c.code >= 0 && r.code != c.code {
		w.t.Errorf("%s: exit code %d, want %d\n%s%s", c.name(), r.code, c.code, r.stdout, r.stderr)
	}
	return r
}

// must is run for a command that has to work and whose output alone matters.
func (w *world) must(args ...string) string {
	w.t.Helper()
	return w.run(command{args: args}).stdout
}

// login signs in with a password from standard input.
func (w *world) login(user, password, account string) {
	w.t.Helper()
	w.run(command{
		step: "login", stdin: password + "\n",
		args: []string{"login", w.stack.URL, "--user", user, "--password-stdin", "--account", account, "--fingerprint", w.stack.Fingerprint},
	})
}

func (w *world) note(step, place string, data []byte) {
	if len(data) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.records = append(w.records, record{step, place, append([]byte(nil), data...)})
}

func (w *world) know(kind, value string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secrets = append(w.secrets, secret{kind, value})
}

// look notes what changed in the home, and what the programs saw that were started.
func (w *world) look(step string) {
	w.t.Helper()
	err := filepath.WalkDir(w.home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil //nolint:nilerr // it came and went
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil //nolint:nilerr // as above
		}
		name, _ := filepath.Rel(w.home, path)
		w.mu.Lock()
		last, known := w.files[name]
		same := known && last == string(data)
		w.files[name] = string(data)
		w.mu.Unlock()
		if !same {
			w.note(step, "file "+name, append([]byte(name+"\x00"), data...))
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	seen, err := filepath.Glob(filepath.Join(w.beside("seen"), "*.json"))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, path := range seen {
		var s sighting
		data, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(data, &s)
		}
		if err != nil {
			continue // still being written: the next look finds it
		}
		w.note(step, "arguments of "+s.Name, []byte(strings.Join(s.Args, "\x00")))
		w.note(step, "environment of "+s.Name, []byte(strings.Join(s.Env, "\x00")))
		w.note(step, "arguments of what started "+s.Name, []byte(s.Parent))
		if err := os.Remove(path); err != nil {
			w.t.Fatal(err)
		}
	}
	w.learn()
}

// learn opens key.age, as its owner can, to know the store's key.
func (w *world) learn() {
	w.t.Helper()
	wrapped, err := os.ReadFile(w.store("key.age"))
	if err != nil || bytes.Equal(wrapped, w.wrapped) {
		return
	}
	w.wrapped = wrapped
	for _, identity := range openWith(w.t, wrapped, passphrase) {
		w.know("identity", strings.TrimPrefix(identity, "AGE-SECRET-KEY-"))
	}
}

// openWith gives the lines of what is locked with a passphrase.
func openWith(t *testing.T, wrapped []byte, passphrase string) []string {
	t.Helper()
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	identity.SetMaxWorkFactor(20)
	plain, err := age.Decrypt(bytes.NewReader(wrapped), identity)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(plain); err != nil {
		t.Fatal(err)
	}
	return strings.Fields(b.String())
}

// all gives everything that was noted, and every secret there is.
func (w *world) all() ([]record, []secret) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stack.mu.Lock()
	defer w.stack.mu.Unlock()
	return w.records, append(append([]secret{}, w.secrets...), w.stack.secrets...)
}
