package session

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/zalando/go-keyring"
)

// children are what this binary does instead of testing when a test starts it again, as another
// process. They get the arguments that the test gave.
var children = map[string]func(args []string) error{}

func asChild(name string, run func(args []string) error) error {
	children[name] = run
	return nil
}

const (
	childEnv   = "WAKEY_TEST_CHILD"
	sessionEnv = "WAKEY_TEST_SESSION" // set in a desktop session of the tests' own
)

func TestMain(m *testing.M) {
	scryptWork = 4
	if os.Getenv(sessionEnv) == "" {
		// Whoever runs these tests keeps real keys in the real keyring.
		keyring.MockInitWithError(keyring.ErrUnsupportedPlatform)
		openItem = func(string, string, time.Duration) (string, bool) { return "", false }
	}
	if run := children[os.Getenv(childEnv)]; run != nil {
		if err := run(os.Args[1:]); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	for _, dir := range tempDirs {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// tempDirs are for all tests, and removed after them.
var tempDirs []string

func tempDir(name string) (string, error) {
	dir, err := os.MkdirTemp("", name)
	tempDirs = append(tempDirs, dir)
	return dir, err
}

// child is a process of this binary that does what children has under name.
func child(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	if children[name] == nil {
		t.Fatalf("no child %q", name)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, args...)
	cmd.Env = append(os.Environ(), childEnv+"="+name)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	t.Cleanup(func() {
		if t.Failed() && stderr.Len() > 0 {
			t.Logf("child %s %q: %s", name, args, stderr.String())
		}
	})
	return cmd
}

// testContext is for children, which have no test.
func testContext() context.Context { return context.Background() }

func withTimeout(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}

// readsFull tells whether all of buf could be read.
func readsFull(r io.Reader, buf []byte) bool {
	_, err := io.ReadFull(r, buf)
	return err == nil
}

// killed tells whether a process that Wait or Run gave err for was ended by SIGKILL.
func killed(cmd *exec.Cmd) bool {
	ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && ws.Signaled() && ws.Signal() == syscall.SIGKILL
}

// asRoot skips a test that has to become another user to see anything.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to act as two users")
	}
}

func writing(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}
