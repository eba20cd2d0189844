package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"wakey/internal/authd"
)

// homeOfMany is a machine with many accounts on a stack, for measurements.
func homeOfMany(b *testing.B, n int) *machine {
	b.Helper()
	m := newMachine(b)
	seed := authd.DemoSeed()
	for i := range n {
		name := "user" + strconv.Itoa(i)
		seed.Users = append(seed.Users, authd.SeedUser{Username: name, Password: name + "-demo", Tenant: "example"})
	}
	m.stack(host, seed)
	for i := range n {
		m.login(host, "user"+strconv.Itoa(i), "account "+strconv.Itoa(i))
	}
	return m
}

// watched is the program in a pseudo-terminal that counts what is written to it, and answers
// nothing: the slowest terminal there is.
type watched struct {
	cmd   *exec.Cmd
	pty   *os.File
	mu    sync.Mutex
	bytes int
	seen  []byte
	shown chan struct{}
}

func watch(b *testing.B, m *machine, text string, w, h int) *watched {
	b.Helper()
	x := &watched{cmd: m.command(), shown: make(chan struct{})}
	var err error
	if x.pty, err = pty.StartWithSize(x.cmd, &pty.Winsize{Rows: uint16(h), Cols: uint16(w)}); err != nil {
		b.Fatal(err)
	}
	go func() {
		buf := make([]byte, 64<<10)
		found := false
		for {
			n, err := x.pty.Read(buf)
			x.mu.Lock()
			x.bytes += n
			if !found {
				x.seen = append(x.seen, buf[:n]...)
				if found = bytes.Contains(x.seen, []byte(text)); found {
					close(x.shown)
				}
			}
			x.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return x
}

func (x *watched) written() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.bytes
}

func (x *watched) end() {
	_ = x.cmd.Process.Kill()
	_ = x.cmd.Wait()
	_ = x.pty.Close()
}

// BenchmarkFirstFrame is how long it takes from the start of the process to the first frame with
// the accounts on it.
func BenchmarkFirstFrame(b *testing.B) {
	m := homeOfMany(b, 5)
	var times []time.Duration
	for b.Loop() {
		began := time.Now()
		x := watch(b, m, "account 0", 120, 34)
		<-x.shown
		times = append(times, time.Since(began))
		x.end()
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[0].Microseconds())/1000, "ms-best")
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "ms-median")
}

// BenchmarkIdle is what the screen costs while nobody does anything: processor time, and bytes
// written to the terminal a second, with all countdowns ticking and without the focus.
func BenchmarkIdle(b *testing.B) {
	for _, accounts := range []int{5, 30} {
		m := homeOfMany(b, accounts)
		for what, keys := range map[string]string{"ticking": "\x1b[I", "unfocused": "\x1b[O"} {
			b.Run("accounts="+strconv.Itoa(accounts)+"/"+what, func(b *testing.B) {
				const span = 30 * time.Second
				x := watch(b, m, "account 0", 120, 34)
				defer x.end()
				<-x.shown
				if _, err := x.pty.WriteString(keys); err != nil {
					b.Fatal(err)
				}
				<-time.After(5 * time.Second) // opening the store, and the first look of the watch
				for b.Loop() {
					from, cpu := x.written(), cpuOf(b, x.cmd.Process.Pid)
					<-time.After(span)
					b.ReportMetric(100*(cpuOf(b, x.cmd.Process.Pid)-cpu).Seconds()/span.Seconds(), "%-of-a-core")
					b.ReportMetric(float64(x.written()-from)/span.Seconds(), "B/s")
				}
			})
		}
	}
}

// cpuOf is the processor time that a process has used.
func cpuOf(b *testing.B, pid int) time.Duration {
	b.Helper()
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		b.Skip("processor time is read from /proc: ", err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	var ticks int64
	for _, f := range fields[11:13] { // utime and stime, of proc(5)
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
