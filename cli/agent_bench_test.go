//go:build linux

package cli

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
	"wakey/session"
)

// BenchmarkAgent runs the program itself as an agent of 10,000 accounts, for a minute each time
// (-benchtime=1x), and tells what it costs: memory after that minute and at its highest, and the
// share of one core. With tokens for a day just made nothing is to be refreshed; those for two
// hours, made at any time before, are refreshed by two a second. The agent that is not alone is idle,
// and takes over what another process writes, an account a second.
func BenchmarkAgent(b *testing.B) {
	const accounts = 10000
	later := func() time.Duration { return 18 * time.Hour }
	nobody := func(*house, int) {}
	for _, c := range []struct {
		name      string
		refreshAt func() time.Duration
		other     func(h *house, second int)
	}{
		{"idle", later, nobody},
		{"busy", func() time.Duration { return rand.N(90 * time.Minute) }, nobody},
		{"not-alone", later, (*house).touch},
	} {
		b.Run(fmt.Sprintf("accounts=%d/%s", accounts, c.name), func(b *testing.B) {
			benchmarkAgent(b, accounts, c.refreshAt, c.other)
		})
	}
}

// touch changes an account.
func (h *house) touch(i int) {
	h.tb.Helper()
	_, err := h.store.Update(h.tb.Context(), session.ID(fmt.Sprintf("%08x", i)), func(r *session.Record) error {
		r.SignedInAt = time.Now()
		return nil
	})
	if err != nil {
		h.tb.Fatal(err)
	}
}

func benchmarkAgent(b *testing.B, accounts int, refreshAt func() time.Duration, other func(h *house, second int)) {
	b.Helper()
	const tenant = "8e1a3c5e-0000-4000-8000-000000000001"
	seed := authd.Seed{Tenants: []authd.SeedTenant{{UUID: tenant, Name: "Example", Slug: "example"}}}
	for i := range accounts {
		seed.Users = append(seed.Users, authd.SeedUser{Username: fmt.Sprint("user", i), Password: "x", Tenant: tenant})
	}
	h := newEmptyHouse(b, seed)
	h.fill(accounts, refreshAt)
	program := filepath.Join(b.TempDir(), "wakey")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", program, "wakey").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	var rss, peak, cpu float64
	for b.Loop() {
		cmd := h.process("agent", "--no-input")
		cmd.Path = program
		a := h.follow(cmd)
		a.sees("msg=ready accounts=" + strconv.Itoa(accounts))
		before := a.cpu()
		begun := time.Now()
		second := time.NewTicker(time.Second)
		for i := range 60 {
			<-second.C
			other(h, i)
		}
		second.Stop()
		cpu += 100 * float64(a.cpu()-before) / float64(time.Since(begun))
		rss += a.status("VmRSS")
		peak += a.status("VmHWM")
		a.terminates()
	}
	n := float64(b.N)
	b.ReportMetric(rss/n, "MB-rss")
	b.ReportMetric(peak/n, "MB-peak")
	b.ReportMetric(cpu/n, "%-of-a-core")
	b.ReportMetric(float64(h.server.Count("", ""))/n, "requests")
	b.ReportMetric(float64(h.refreshes())/n, "refreshes")
}

// fill signs n users in, each for a day, and writes their accounts.
func (h *house) fill(n int, refreshAt func() time.Duration) {
	h.tb.Helper()
	c, err := api.NewClient(h.stack.URL, api.Options{Transport: authd.Transport(h.server)})
	if err != nil {
		h.tb.Fatal(err)
	}
	var wait sync.WaitGroup
	for i := range n {
		login := fmt.Sprint("user", i)
		clientID := fmt.Sprintf("wakey-host-%08x", i)
		asked := time.Now().Round(0)
		tok, err := c.CreateToken(h.tb.Context(), api.PasswordRequest{
			Login: login, Password: api.NewSecret("x"), ClientID: clientID, Lifetime: 24 * time.Hour,
		})
		if err != nil {
			h.tb.Fatal(err)
		}
		id := session.ID(fmt.Sprintf("%08x", i))
		wait.Go(func() { // those that wait are written together
			_, err := h.store.Update(h.tb.Context(), id, func(r *session.Record) error {
				*r = session.Record{
					ID: id, Name: login + "@pbx.example.com", Stack: c.Base(), Trust: api.Trust{Pin: h.stack.Fingerprint},
					Login: login, UserUUID: tok.AuthID, TenantUUID: tok.Metadata.TenantUUID, Purpose: tok.Metadata.Purpose,
					ClientID: clientID, RefreshToken: tok.RefreshToken, Lifetime: 24 * time.Hour, SignedInAt: asked,
					Access: &session.Access{
						Token: tok.Value, SessionUUID: tok.SessionUUID,
						ObtainedAt: asked, ExpiresAt: asked.Add(24 * time.Hour), RefreshAt: asked.Add(refreshAt()),
					},
					Sessions: []session.OpenedSession{{UUID: tok.SessionUUID, ExpiresAt: asked.Add(24 * time.Hour)}},
				}
				return nil
			})
			if err != nil {
				h.tb.Error(err)
			}
		})
	}
	wait.Wait()
	h.server.ResetRequests()
}

// cpu is the processor time that the agent has used.
func (a *agentProcess) cpu() time.Duration {
	a.t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", a.Process.Pid))
	if err != nil {
		a.t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after) // the third field of all comes first
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			a.t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100
}

// status is a size of the agent in MB, of 1,000,000 bytes.
func (a *agentProcess) status(name string) float64 {
	a.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", a.Process.Pid))
	if err != nil {
		a.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				a.t.Fatal(err)
			}
			return kb * 1024 / 1e6
		}
	}
	a.t.Fatalf("no %s", name)
	return 0
}
