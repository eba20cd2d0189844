//go:build linux

package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wakey/internal/authd"
	"wakey/internal/keyringd"
)

// contest is a home with one account, the stack that it signed in to, and commands that are timed against
// each other, as whole processes.
type contest struct {
	b     *testing.B
	stack *authd.Running
	bin   string // where the programs are
	home  string
	env   []string
}

// newContest signs alice in. The key of her store is in the keyring of a session of its own.
func newContest(b *testing.B) *contest {
	b.Helper()
	c := &contest{b: b, bin: b.TempDir()}
	for name, pkg := range map[string]string{"wakey": ".", "constant": "./testdata/speed/constant", "get": "./testdata/speed/get"} {
		build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(c.bin, name), pkg)
		build.Env = append(os.Environ(), "CGO_ENABLED=0") // as the releases are
		if out, err := build.CombinedOutput(); err != nil {
			b.Fatalf("building %s: %v\n%s", pkg, err, out)
		}
	}
	server, err := authd.New(authd.Config{MaxSessions: 1 << 30}, authd.DemoSeed())
	if err != nil {
		b.Fatal(err)
	}
	if c.stack, err = authd.Start(b.Context(), server, "127.0.0.1:0", false); err != nil {
		b.Fatal(err)
	}
	c.home = b.TempDir()
	c.env = []string{
		"PATH=" + c.bin + ":" + os.Getenv("PATH"), "HOME=" + c.home, "XDG_RUNTIME_DIR=" + c.home,
		"XDG_DATA_HOME=" + c.home + "/data", "XDG_CONFIG_HOME=" + c.home + "/config",
	}
	c.startSession()
	c.must("alice-demo", "wakey", "login", c.stack.URL, "--user", "alice", "--fingerprint", c.stack.Fingerprint, "--password-stdin")
	return c
}

// startSession starts a session bus and a keyring that is open.
func (c *contest) startSession() {
	c.b.Helper()
	keyringd.Need(c.b)
	c.env = keyringd.Bus(c.b, c.env, c.home)
	keyringd.Start(c.b, c.env)
}

func (c *contest) command(name string, args ...string) *exec.Cmd {
	if path := filepath.Join(c.bin, name); exists(path) {
		name = path
	}
	cmd := exec.CommandContext(c.b.Context(), name, args...)
	cmd.Env = c.env
	return cmd
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// start starts a daemon, which ends with the benchmark.
func (c *contest) start(cmd *exec.Cmd) {
	c.b.Helper()
	if err := cmd.Start(); err != nil {
		c.b.Fatal(err)
	}
	c.b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// must runs a command to its end and gives what it printed.
func (c *contest) must(input, name string, args ...string) string {
	c.b.Helper()
	cmd := c.command(name, args...)
	var out, err bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &err
	if e := cmd.Run(); e != nil {
		c.b.Fatalf("%s %q: %v\n%s%s", name, args, e, out.String(), err.String())
	}
	return strings.TrimSpace(out.String())
}

// runner is a command that is timed.
type runner struct {
	name string
	args []string
}

// race times the commands in turn, so that whatever else the machine does meets them alike, and reports
// their medians in milliseconds, and how often each goes into the first.
func (c *contest) race(b *testing.B, runners ...runner) {
	b.Helper()
	times := make([][]float64, len(runners))
	run := func(r runner) float64 {
		cmd := c.command(r.args[0], r.args[1:]...)
		began := time.Now()
		if err := cmd.Run(); err != nil {
			b.Fatalf("%s: %v", r.name, err)
		}
		return float64(time.Since(began)) / float64(time.Millisecond)
	}
	for _, r := range runners {
		run(r)
	}
	first := 0
	for b.Loop() {
		for i := range runners {
			i = (i + first) % len(runners)
			times[i] = append(times[i], run(runners[i]))
		}
		first++
	}
	b.ReportMetric(0, "ns/op") // of all of them together: says nothing
	for i, r := range runners {
		b.ReportMetric(median(times[i]), r.name+"-ms")
		if i > 0 {
			b.ReportMetric(median(times[0])/median(times[i]), runners[0].name+"/"+r.name)
		}
	}
}

func median(all []float64) float64 {
	all = slices.Sorted(slices.Values(all))
	if len(all) == 0 {
		return 0
	}
	return all[len(all)/2]
}

// BenchmarkToken times "wakey token" with a token that lives, as whole processes, against what else
// there is. Run it as docs/benchmarks.md says.
func BenchmarkToken(b *testing.B) {
	c := newContest(b)
	token := runner{"wakey", []string{"wakey", "token"}}
	constant := runner{"constant", []string{"constant"}}
	b.Run("key=keyring", func(b *testing.B) {
		item := c.must("", "wakey", "store", "status", "--jq", ".where")
		_, item, _ = strings.Cut(item, `"`)
		item, _, _ = strings.Cut(item, `"`)
		lookup := []string{"service", "wakey", "username", item}
		c.race(b, token, runner{"get", []string{"get", "wakey", item}}, runner{"secret-tool", append([]string{"secret-tool", "lookup"}, lookup...)})
	})
	b.Run("key=kernel", func(b *testing.B) {
		c.must("", "wakey", "unlock", "--for", "10m")
		c.race(b, token, constant)
	})
	b.Run("prompt", func(b *testing.B) {
		c.race(b, runner{"prompt", []string{"wakey", "prompt"}}, constant)
	})
	b.Run("tutorial", func(b *testing.B) {
		c.race(b, token, c.tutorial(), runner{"refresh", []string{"wakey", "token", "--refresh"}})
	})
	b.Run("agent", func(b *testing.B) { c.race(b, token, c.oidcToken()) })
}
