//go:build linux

package security_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// open lists what in a world's home others could read, and what its owner could not write.
func (w *world) open() (bad []string) {
	w.t.Helper()
	for _, top := range []string{"data", "config", "state", "cache"} {
		err := filepath.WalkDir(w.path(top), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil //nolint:nilerr // nothing was written there
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			want := fs.FileMode(0o600)
			if d.IsDir() {
				want = 0o700
			}
			if info.Mode().Perm() != want {
				bad = append(bad, fmt.Sprintf("%s %#o", path, info.Mode().Perm()))
			}
			return nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return bad
}

// Whatever the umask, each file of the program is its owner's alone, and of use to him.
func TestFilesAreTheOwnersAlone(t *testing.T) {
	t.Parallel()
	asRoot(t)
	for _, mask := range []string{"000", "022", "0277"} {
		t.Run("umask "+mask, func(t *testing.T) {
			t.Parallel()
			s := newStack(t)
			s.signIn(t, alice, alicePassword, "phone-7c1e")
			w := newWorld(t, s)
			w.quickStore()
			w.give(nobody)
			run := func(line string) {
				t.Helper()
				out, code := w.as(nobody, "/bin/sh", "-c", "umask "+mask+"; "+strings.ReplaceAll(line, "wakey ", wakey+" "))
				if code != 0 {
					t.Fatalf("%s: exit code %d: %s", line, code, out)
				}
			}
			run("wakey login " + w.stack.URL + " --user alice --password-command 'cat " + w.beside("alice.password") + "' --account prod --fingerprint " + w.stack.Fingerprint)
			run("wakey refresh prod")
			run("wakey switch prod")
			run("wakey refresh-tokens label phone-7c1e 'my phone'")
			run("wakey status")
			run("wakey config set lifetime 1h")
			run("wakey log verify")
			run("wakey store backup " + w.path("data/backup.age"))
			for _, path := range w.open() {
				t.Error(path)
			}
		})
	}
}

// What others may read is closed at the next start.
func TestFilesAreRepaired(t *testing.T) {
	w := newWorld(t, newStack(t))
	w.quickStore()
	w.login("alice", alicePassword, "prod")
	err := filepath.WalkDir(w.store(""), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chmod(path, 0o644)
	})
	if err == nil {
		err = os.Chmod(w.store(""), 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	if bad := w.open(); len(bad) < 6 {
		t.Fatalf("only these were opened: %q", bad)
	}
	w.must("status", "prod", "--offline")
	for _, path := range w.open() {
		t.Error(path)
	}
}

// Somebody else's files, and a directory that cannot be closed, are refused with what to do.
func TestFilesOfOthersAreRefused(t *testing.T) {
	asRoot(t)
	w := newWorld(t, newStack(t))
	w.quickStore()
	w.login("alice", alicePassword, "prod")
	w.give(nobody)
	if err := os.Lchown(w.store("accounts.age"), 0, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(w.store("accounts.age"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"token", "prod"}, {"status"}, {"store", "rekey"}} {
		out, code := w.as(nobody, wakey, args...)
		if code == 0 || !strings.Contains(out, "belongs to user 0 and you are user 65534") || !strings.Contains(out, "XDG_DATA_HOME") {
			t.Errorf("%s: exit code %d: %s", args, code, out)
		}
	}
	if err := os.Lchown(w.store("accounts.age"), int(nobody.Uid), int(nobody.Gid)); err != nil {
		t.Fatal(err)
	}
	if out, code := w.as(nobody, wakey, "token", "prod"); code != 0 {
		t.Errorf("its owner's again: exit code %d: %s", code, out)
	}
	if err := os.Lchown(w.store(""), 0, 0); err != nil {
		t.Fatal(err)
	}
	if out, code := w.as(nobody, wakey, "list"); code == 0 {
		t.Logf("the index is read all the same: %s", out)
	}
	if out, code := w.as(nobody, wakey, "token", "prod"); code == 0 {
		t.Errorf("somebody else's directory: exit code %d: %s", code, out)
	}
}
