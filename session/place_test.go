//go:build unix

package session

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// openToOthers lists what in dir others may read.
func openToOthers(t *testing.T, dir string) (bad []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		want := fileMode
		if d.IsDir() {
			want = dirMode
		}
		if err == nil && info.Mode().Perm() != want {
			bad = append(bad, fmt.Sprintf("%s %#o", path, info.Mode().Perm()))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bad
}

func TestModesWhateverTheUmask(t *testing.T) {
	for _, mask := range []int{0, 0o277} {
		dir := filepath.Join(t.TempDir(), "home", "wakey")
		if err := os.Mkdir(filepath.Dir(dir), 0o700); err != nil {
			t.Fatal(err)
		}
		old := syscall.Umask(mask)
		s := filled(t, dir)
		l, err := s.Lock(t.Context(), "00000001")
		if err == nil {
			err = l.Begin(Attempt{})
		}
		syscall.Umask(old)
		if err != nil {
			t.Fatal(err)
		}
		if files, _ := filepath.Glob(dir + "/*"); len(files) < 7 {
			t.Errorf("too few files to look at: %q", files)
		}
		if bad := openToOthers(t, dir); bad != nil {
			t.Errorf("umask %#o: %q", mask, bad)
		}
		l.Release()
	}
}

func TestModesAreRepaired(t *testing.T) {
	dir := t.TempDir()
	s := filled(t, dir)
	for _, name := range []string{accountsName, backupName, keyName, wrappedName, indexName} {
		if err := os.Chmod(s.path(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := namesIn(t, dir); got != "a b" {
		t.Errorf("names %q", got)
	}
	if bad := openToOthers(t, dir); bad != nil {
		t.Errorf("still open: %q", bad)
	}
}

func TestSomebodyElsesFiles(t *testing.T) {
	asRoot(t)
	for _, name := range []string{".", accountsName, keyName, wrappedName} {
		dir := t.TempDir()
		s := filled(t, dir)
		if err := os.Chown(s.path(name), 4321, -1); err != nil {
			t.Fatal(err)
		}
		fresh := openTestStore(dir)
		_, err := fresh.Load(t.Context())
		says(t, err, nil, "belongs to user 4321", "XDG_DATA_HOME")
		_, err = fresh.Update(t.Context(), "00000001", named("c"))
		says(t, err, nil, "belongs to user 4321")
	}
	file := filepath.Join(t.TempDir(), "file")
	writeFile(t, file, nil)
	_, err := openTestStore(file).Load(t.Context())
	says(t, err, nil, file, "move it away")
}

// as-user tries everything in a directory and prints what it is told.
var _ = asChild("as-user", func(args []string) error {
	ctx := testContext()
	s := openTestStore(args[0])
	all, err := s.Load(ctx)
	fmt.Println("load:", len(all), err)
	_, err = s.Update(ctx, "00000001", named("c"))
	fmt.Println("update:", err)
	fmt.Println("remove:", s.Remove(ctx, "00000001"))
	_, err = s.Lock(ctx, "00000001")
	fmt.Println("lock:", err)
	return nil
})

// asUser runs a child as a user without rights, who owns what is in dir.
func asUser(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := child(t, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 4321, Gid: 4321}}
	cmd.Dir = "/"
	exe := filepath.Join(t.TempDir(), "test") // the build's directory is root's
	data := readFile(t, cmd.Path)
	if err := os.WriteFile(exe, data, 0o755); err != nil {
		t.Fatal(err)
	}
	for d := exe; len(d) > len(os.TempDir()); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd.Path, cmd.Args[0] = exe, exe
	return cmd
}

// userDir is a directory of the user that asUser acts as.
func userDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chown(dir, 4321, 4321)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestReadOnlyDirectory(t *testing.T) {
	asRoot(t)
	dir := filepath.Join(t.TempDir(), "wakey")
	s := filled(t, dir)
	before := readFile(t, s.path(accountsName))
	files, _ := filepath.Glob(dir + "/*")
	for _, f := range append(files, dir) {
		if err := os.Chown(f, 4321, 4321); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	out, err := asUser(t, "as-user", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", out)
	lines := strings.Split(string(out), "\n")
	if lines[0] != "load: 2 <nil>" {
		t.Errorf("reading: %s", lines[0])
	}
	for _, line := range lines[1:4] {
		if !strings.Contains(line, dir+" can't be written, nothing was changed") || !strings.Contains(line, "permission denied") {
			t.Errorf("%s", line)
		}
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(readFile(t, s.path(accountsName)), before) {
		t.Error("the accounts changed")
	}
	out, err = asUser(t, "as-user", dir).Output() // the same child can write when it may
	if want := "load: 2 <nil>\nupdate: <nil>\nremove: <nil>\nlock: <nil>\n"; err != nil || string(out) != want {
		t.Errorf("in a directory that can be written: %s, %v", out, err)
	}
}

// small-disk changes accounts while no file may grow over 4096 bytes.
var _ = asChild("small-disk", func(args []string) error {
	limit := syscall.Rlimit{Cur: 4096, Max: 4096}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	_, err := openTestStore(args[0]).Update(testContext(), "00000003", func(r *Record) error {
		r.Name, r.Purpose = "big", strings.Repeat("x", 8192)
		return nil
	})
	fmt.Println(err)
	return nil
})

func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	s := filled(t, dir)
	before := readFile(t, s.path(accountsName))
	out, err := child(t, "small-disk", dir).Output()
	if err != nil || !strings.Contains(string(out), "no room in "+dir) {
		t.Errorf("%s, %v", out, err)
	}
	if !bytes.Equal(readFile(t, s.path(accountsName)), before) || namesIn(t, dir) != "a b" {
		t.Error("the accounts changed")
	}
	if left, _ := filepath.Glob(dir + "/*.tmp"); left != nil {
		t.Errorf("left behind: %q", left)
	}
}

func TestSymlinks(t *testing.T) {
	root := t.TempDir()
	dir, link := filepath.Join(root, "real"), filepath.Join(root, "link")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	s := filled(t, link)
	if got := namesIn(t, dir); got != "a b" {
		t.Errorf("behind a linked directory: %q", got)
	}

	// The file itself a link into another directory, as people who keep it on another disk do.
	elsewhere := filepath.Join(root, "elsewhere")
	if err := os.Mkdir(elsewhere, 0o700); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(elsewhere, "my.age")
	if err := os.Rename(s.path(accountsName), target); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../elsewhere/my.age", s.path(accountsName)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Update(t.Context(), "00000003", named("c")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(s.path(accountsName)); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", info, err)
	}
	if got := namesIn(t, dir); got != "a b c" {
		t.Errorf("behind a linked file: %q", got)
	}
	if left, _ := filepath.Glob(elsewhere + "/*"); len(left) != 1 {
		t.Errorf("beside the file: %q", left)
	}

	// Its disk is not there.
	if err := os.Rename(elsewhere, elsewhere+"-gone"); err != nil {
		t.Fatal(err)
	}
	_, err := openTestStore(link).Load(t.Context())
	says(t, err, nil, "is a link to ../elsewhere/my.age, which is not there")
	_, err = s.Update(t.Context(), "00000004", named("d"))
	says(t, err, nil, "which is not there")
	if err := os.Rename(elsewhere+"-gone", elsewhere); err != nil {
		t.Fatal(err)
	}
	if got := namesIn(t, link); got != "a b c" {
		t.Errorf("back again: %q", got)
	}
}

func TestTwoHomes(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	filled(t, one)
	s := openTestStore(two)
	if _, err := s.Update(t.Context(), "00000001", named("other")); err != nil {
		t.Fatal(err)
	}
	if a, b := namesIn(t, one), namesIn(t, two); a != "a b" || b != "other" {
		t.Errorf("homes hold %q and %q", a, b)
	}
	// The file of one home in the other.
	writeFile(t, s.path(accountsName), readFile(t, filepath.Join(one, accountsName)))
	for _, store := range []*FileStore{s, openTestStore(two)} {
		_, err := store.Load(t.Context())
		says(t, err, ErrDamaged, s.path(accountsName), s.path(keyName), "different stores")
		_, err = store.Update(t.Context(), "00000001", named("x"))
		says(t, err, ErrDamaged, "different stores")
	}
	if !bytes.Equal(readFile(t, s.path(accountsName)), readFile(t, filepath.Join(one, accountsName))) {
		t.Error("it was overwritten")
	}
}
