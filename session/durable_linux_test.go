package session

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What has to be on the disk before the next step is: the note before the stack is asked, the accounts
// before they take the place of the generation before, and that before the note is taken back. A power
// cut can't be had here; what the kernel is asked, and in which order, can.
func TestEveryStepIsOnTheDiskBeforeTheNext(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skipf("nothing here shows what the kernel is asked: %v", err)
	}
	_, at := crashStack(t)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	a, err := crashSignIn(New(openTestStore(dir), Options{}), at)
	if err != nil {
		t.Fatal(err)
	}
	trace := filepath.Join(t.TempDir(), "trace")
	cmd := child(t, "crash", dir, "refresh", "0", at)
	cmd.Args = append([]string{"strace", "-f", "-y", "-o", trace, "-e", "trace=connect,write,fsync,rename,renameat,renameat2,unlink,unlinkat", cmd.Path}, cmd.Args[1:]...)
	cmd.Path, _ = exec.LookPath("strace")
	if out, err := cmd.Output(); err != nil {
		if seen, _ := os.ReadFile(trace); strings.Contains(string(seen), "+++ exited") {
			t.Fatalf("%v: %s", err, out)
		}
		t.Skipf("strace may not be used here: %v", err)
	}
	text := string(readFile(t, trace))
	store := regexp.QuoteMeta(dir) + "/"
	note := store + "locks/" + string(a.ID) + `\.attempt`
	steps := []struct{ what, call string }{
		{"the note is written", `write\(\d+<` + note + `>`},
		{"the note is on the disk", `fsync\(\d+<` + note + `>`},
		{"the stack is asked", `connect\(\d+<.*AF_INET`},
		{"the accounts are written", `write\(\d+<` + store + `accounts\.age\.tmp>`},
		{"the accounts are on the disk", `fsync\(\d+<` + store + `accounts\.age\.tmp>`},
		{"they take their place", `rename(at2?)?\(.*"` + store + `accounts\.age\.tmp".*"` + store + `accounts\.age"`},
		{"their place is on the disk", `fsync\(\d+<` + regexp.QuoteMeta(dir) + `>`},
		{"the note is taken back", `unlink(at)?\(.*"` + note + `"`},
	}
	last := -1
	for _, s := range steps {
		found := regexp.MustCompile(s.call).FindAllStringIndex(text, -1)
		if len(found) == 0 {
			t.Fatalf("never: %s\n%s", s.what, text)
		}
		if found[0][0] < last {
			t.Errorf("too early: %s\n%s", s.what, text)
		}
		last = found[len(found)-1][0]
	}
}
