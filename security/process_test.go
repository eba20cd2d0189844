//go:build linux

package security_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// give makes everything in a world another user's.
func (w *world) give(who *syscall.Credential) {
	w.t.Helper()
	for d := w.dir; len(d) > len(os.TempDir()); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			w.t.Fatal(err)
		}
	}
	err := filepath.WalkDir(w.dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, int(who.Uid), int(who.Gid)))
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// as runs a command as another user, and gives its exit code and all that it wrote.
func (w *world) as(who *syscall.Credential, name string, args ...string) (string, int) {
	w.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = w.home, w.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// Another process of the same user cannot look into the program: not into its memory, not into its environment. A
// process that may be looked into is there to compare.
func TestOthersOfTheSameUserCannotLookInside(t *testing.T) {
	asRoot(t)
	s := newStack(t)
	w := newWorld(t, s)
	w.quickStore()
	w.give(nobody)
	env := append([]string{"WAKEY_SECRET_OF_MINE=1"}, w.env...)
	look := func(pid int) string {
		out, _ := w.as(nobody, "/bin/sh", "-c", fmt.Sprintf("head -c1 /proc/%d/environ >/dev/null && echo environ; head -c0 /proc/%d/mem && echo mem; ls /proc/%d/fd >/dev/null && echo fd", pid, pid, pid))
		return out
	}
	open := exec.Command("/bin/sleep", "60")
	open.SysProcAttr = &syscall.SysProcAttr{Credential: nobody}
	if err := open.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = open.Process.Kill(); _ = open.Wait() }()
	if seen := look(open.Process.Pid); !strings.Contains(seen, "environ\n") || !strings.Contains(seen, "fd\n") {
		t.Skipf("here nobody may look into any process: %s", seen)
	}
	d := w.startAs(nobody, env, "agent")
	d.says("ready")
	if seen := look(d.cmd.Process.Pid); strings.Contains(seen, "environ\n") || strings.Contains(seen, "mem\n") || strings.Contains(seen, "fd\n") {
		t.Errorf("the agent can be looked into: %s", seen)
	}
	d.stop()
	// Hardened before the arguments are read: one that only waits for its input is as closed.
	cmd := exec.Command(wakey, "login", s.URL, "--user", "alice", "--password-stdin")
	cmd.Env, cmd.Dir, cmd.SysProcAttr = env, w.home, &syscall.SysProcAttr{Credential: nobody}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the program is closed while it waits for the password", func() bool { return closed(cmd.Process.Pid) })
	_ = in.Close()
	_ = cmd.Wait()
}

// closed tells whether a process of another user belongs to root in /proc, as one does that may not be dumped.
func closed(pid int) bool {
	info, err := os.Stat(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Uid == 0
}

// crash ends a process that has secrets in its memory as a crash does, with everything about core dumps allowed, and
// tells whether there is one.
func (w *world) crash(t *testing.T, name string, args ...string) (dumped bool, trace string) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("/bin/sh", append([]string{"-c", `ulimit -c unlimited; exec "$0" "$@"`, name}, args...)...)
	cmd.Dir, cmd.Env = dir, append([]string{"GOTRACEBACK=crash"}, w.env...)
	d := &daemon{w: w, c: command{args: args}, cmd: cmd, over: make(chan error, 1), more: make(chan struct{}, 1)}
	cmd.Stdout, cmd.Stderr = d, d
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { d.over <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	if len(args) > 0 {
		d.says("ready")
		// Two things keep the memory from the disk, and on Linux each would do alone: this, and that the process may not be dumped.
		limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", cmd.Process.Pid))
		if err != nil || !regexp.MustCompile(`(?m)^Max core file size +0 `).Match(limits) {
			t.Errorf("core dumps are not limited to nothing: %v\n%s", err, limits)
		}
		if err := cmd.Process.Signal(syscall.SIGQUIT); err != nil {
			t.Fatal(err)
		}
	}
	<-d.over
	ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || !ws.Signaled() {
		t.Fatalf("it did not crash: %v\n%s", cmd.ProcessState, d.output())
	}
	cores, _ := filepath.Glob(filepath.Join(dir, "core*"))
	return ws.CoreDump() || len(cores) > 0, string(d.output())
}

// A crash writes no memory to a disk, and its trace no secret.
func TestCrashLeavesNoSecrets(t *testing.T) {
	w := newWorld(t, newStack(t))
	w.quickStore()
	w.learn()
	w.login("alice", alicePassword, "prod")
	dumped, trace := w.crash(t, wakey, "agent")
	if !strings.Contains(trace, "goroutine ") {
		t.Errorf("no trace: %s", trace)
	}
	w.note("crash", "trace", []byte(trace))
	w.check(t)
	if dumped {
		t.Error("there is a core dump")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	crasher := filepath.Join(t.TempDir(), asCrasher)
	if err := os.Symlink(self, crasher); err != nil {
		t.Fatal(err)
	}
	if dumped, _ := w.crash(t, crasher); !dumped {
		t.Skip("no core dumps here, whatever crashes: only the trace was looked at")
	}
}

// What exec runs is a program like any other: its limits and its memory are its own again, and it has nothing of wakey's.
func TestExecGivesOnlyWhatIsNeeded(t *testing.T) {
	w := newWorld(t, newStack(t))
	w.quickStore()
	w.login("alice", alicePassword, "prod")
	script := `echo "$(ulimit -c) $(umask)"; for f in /proc/$$/fd/*; do printf '%s ' "${f##*/}"; done; echo; env`
	cmd := exec.Command("/bin/sh", "-c", `ulimit -S -c 1000; umask 0013; exec "$0" "$@"`, wakey, "exec", "prod", "--", "/bin/sh", "-c", script)
	cmd.Dir, cmd.Env = w.home, append([]string{"WAKEY_SECRET_OF_MINE=x", "WAZO_TOKEN=old", "KEPT=yes"}, w.env...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(out), "\n")
	if lines[0] != "1000 0013" {
		t.Errorf("its limit of core dumps and its umask are %s, want the 1000 and 0013 that wakey was given", lines[0])
	}
	bare, err := exec.Command("/bin/sh", "-c", script).Output()
	if err != nil {
		t.Fatal(err)
	}
	if without := strings.Split(string(bare), "\n")[1]; lines[1] != without {
		t.Errorf("its open files are %s, and without wakey %s", lines[1], without)
	}
	kept := false
	for _, v := range lines[2:] {
		kept = kept || v == "KEPT=yes"
		if strings.HasPrefix(v, "WAKEY_") || v == "WAZO_TOKEN=old" {
			t.Errorf("it has %s", v)
		}
	}
	if !kept {
		t.Error("it lost a variable that is none of wakey's")
	}
}

// A secret in a flag is refused, whatever the command and whatever its name, not repeated, and the other ways are named.
func TestPasswordInAFlagIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newStack(t))
	manual := w.must("man")
	names := inManual.FindAllStringSubmatch(strings.ReplaceAll(manual, `\-`, "-"), -1)
	if len(names) < 20 {
		t.Fatalf("only %d commands in the manual", len(names))
	}
	for _, name := range names {
		words, _, _ := strings.Cut(name[1], " --")
		flags := [][]string{{"--password", alicePassword}, {"--passphrase=" + passphrase}}
		if strings.HasPrefix(words, "store") || words == "login" || words == "respond" || words == "inspect" {
			flags = append(flags, []string{"--new-password=" + alicePassword}, []string{"--passphrase", passphrase}, []string{"--token", "5f0c7d7a-3a52-4c55-9d9e-6c3f6b1f2a77"})
		}
		for _, flag := range flags {
			r := w.run(command{step: "secret in a flag", args: append(strings.Fields(words), flag...), code: 2})
			if !strings.Contains(r.stderr, "on the command line can be read by everybody") {
				t.Errorf("%s %s: %s", name[1], flag, r.stderr)
			}
			if name[1] == "login" && flag[0] == "--password" && (!strings.Contains(r.stderr, "--password-stdin") || !strings.Contains(r.stderr, "--password-command")) {
				t.Errorf("the other ways are not named: %s", r.stderr)
			}
		}
	}
	// The arguments of these runs are the person's own mistake.
	w.records = slices.DeleteFunc(w.records, func(r record) bool { return r.place == "arguments" })
	w.know("access token", "5f0c7d7a-3a52-4c55-9d9e-6c3f6b1f2a77")
	w.check(t)
}
