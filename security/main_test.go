//go:build linux

// Package security_test tries the whole program, as it is built, against what must never happen: a secret where nobody
// asked for it, a server's text that does something to a terminal, a file that others can read, a
// credential sent to somebody else. docs/security.md names these tests.
package security_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// wakey is the program, built once for all tests.
var wakey string

// The names under which this test's program plays another one.
const (
	asCrasher = "crasher" // ends with a core dump, where that is possible
	asShow    = "show"    // prints its own arguments and environment
)

// desktopTools are the programs that wakey may start. The tests put their own in place of them.
var desktopTools = []string{"tmux", "xclip", "xsel", "wl-copy", "wl-paste", "systemctl", "launchctl", "dbus-launch", "notify-send", asShow}

func TestMain(m *testing.M) {
	name := filepath.Base(os.Args[0])
	switch {
	case name == asCrasher:
		debug.SetTraceback("crash")
		panic("on purpose")
	case slices.Contains(desktopTools, name):
		os.Exit(tool(name))
	}
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "wakey-security-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	// Other users run it, too.
	if err := os.Chmod(dir, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	wakey = filepath.Join(dir, "wakey")
	build := exec.Command("go", "build", "-o", wakey, "wakey")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building the program:", err)
		return 1
	}
	// Most of the time a test waits for a screen to come to rest: more of them than there are processors wait together.
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// sighting is what a program that wakey started saw.
type sighting struct {
	Name   string
	Args   []string
	Env    []string
	Parent string // the arguments of what started it
}

// tool is a program of the desktop: it tells what it can see, and keeps a clipboard.
func tool(name string) int {
	parent, _ := os.ReadFile("/proc/" + strconv.Itoa(os.Getppid()) + "/cmdline")
	text, err := json.Marshal(sighting{name, os.Args, os.Environ(), string(parent)})
	dir := os.Getenv("TEST_SIGHTINGS")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d.json", name, os.Getpid())), text, 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	clipboard := filepath.Join(dir, "clipboard")
	switch {
	case name == asShow:
		fmt.Println(strings.Join(os.Environ(), "\n"))
	case slices.Contains(os.Args, "-out"), slices.Contains(os.Args, "-o"), name == "wl-paste", slices.Contains(os.Args, "--output"):
		_ = os.Rename(clipboard+".next", clipboard) // what somebody else has copied meanwhile
		text, _ := os.ReadFile(clipboard)
		os.Stdout.Write(text)
	case name == "wl-copy" && slices.Contains(os.Args, "--sensitive") && os.Getenv("TEST_WL_COPY") == "2.1":
		fmt.Fprintln(os.Stderr, "wl-copy: unrecognized option '--sensitive'")
		return 1
	case name == "xclip", name == "xsel", name == "wl-copy", name == "tmux":
		text, err := io.ReadAll(os.Stdin)
		if err == nil && (name != "tmux" || slices.Contains(os.Args, "load-buffer")) {
			err = os.WriteFile(clipboard, text, 0o600)
		}
		if err != nil {
			return 1
		}
	case name == "systemctl", name == "launchctl", name == "dbus-launch":
		return 1 // none here
	}
	return 0
}

// nobody is a user without rights.
var nobody = &syscall.Credential{Uid: 65534, Gid: 65534}

// asRoot skips a test that needs to become somebody else.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can run a program as another user")
	}
}
