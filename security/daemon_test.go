//go:build linux

package security_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// daemon is the program while it runs without a terminal.
type daemon struct {
	w    *world
	c    command
	cmd  *exec.Cmd
	over chan error

	mu      sync.Mutex
	written bytes.Buffer
	more    chan struct{}
}

// Write takes both streams.
func (d *daemon) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.written.Write(p)
	select {
	case d.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (d *daemon) output() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.Clone(d.written.Bytes())
}

// start runs the program until it is stopped, and notes what /proc tells of it.
func (w *world) start(c command) *daemon {
	w.t.Helper()
	cmd := exec.Command(w.program, c.args...)
	cmd.Dir = filepath.Join(w.home, c.dir)
	cmd.Env = append(append([]string{}, w.env...), c.env...)
	d := &daemon{w: w, c: c, cmd: cmd, over: make(chan error, 1), more: make(chan struct{}, 1)}
	cmd.Stdout, cmd.Stderr = d, d
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() { d.over <- cmd.Wait() }()
	w.t.Cleanup(func() { _ = cmd.Process.Kill() })
	w.note(c.name(), "arguments", []byte(strings.Join(cmd.Args[1:], "\x00")))
	return d
}

// says waits until the program has written a text.
func (d *daemon) says(text string) {
	d.w.t.Helper()
	late := time.After(patience)
	for !bytes.Contains(d.output(), []byte(text)) {
		select {
		case <-d.more:
		case err := <-d.over:
			d.w.t.Fatalf("%s: it ended (%v) without %q:\n%s", d.c.name(), err, text, d.output())
		case <-late:
			d.w.t.Fatalf("%s: never said %q:\n%s", d.c.name(), text, d.output())
		}
	}
	d.w.peek(d.c.name(), d.cmd.Process.Pid)
}

// stop ends the program as a service manager does.
func (d *daemon) stop() {
	d.w.t.Helper()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		d.w.t.Fatal(err)
	}
	select {
	case <-d.over:
	case <-time.After(patience):
		d.w.t.Fatalf("%s: it does not end:\n%s", d.c.name(), d.output())
	}
	d.w.note(d.c.name(), "stderr", d.output())
	d.w.look(d.c.name())
}

// peek notes what /proc tells of a process.
func (w *world) peek(step string, pid int) {
	for _, name := range []string{"cmdline", "environ"} {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
		if err == nil {
			w.note(step, "/proc/PID/"+name, data)
		}
	}
}

// startAs runs the program as another user.
func (w *world) startAs(who *syscall.Credential, env []string, args ...string) *daemon {
	w.t.Helper()
	cmd := exec.Command(w.program, args...)
	cmd.Dir, cmd.Env = w.home, env
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	d := &daemon{w: w, c: command{args: args}, cmd: cmd, over: make(chan error, 1), more: make(chan struct{}, 1)}
	cmd.Stdout, cmd.Stderr = d, d
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() { d.over <- cmd.Wait() }()
	w.t.Cleanup(func() { _ = cmd.Process.Kill() })
	return d
}

// waitUntil looks again and again until something is so.
func waitUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	late := time.After(patience)
	for !ok() {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("never: %s", what)
		}
	}
}
