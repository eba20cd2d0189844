//go:build linux

package cli

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
	"wakey/session"
)

var importedUsers = flag.Int("imported", 600, "how many users TestKilledImport imports")

// crowd counts the requests that are under way at once.
type crowd struct {
	http.Handler

	now, most atomic.Int64
}

func (c *crowd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := c.now.Add(1)
	for {
		if most := c.most.Load(); n <= most || c.most.CompareAndSwap(most, n) {
			break
		}
	}
	defer c.now.Add(-1)
	c.Handler.ServeHTTP(w, r)
}

// An import may be killed at any instant, any number of times: done again to its end, the stack has exactly the wanted users.
func TestKilledImport(t *testing.T) {
	total := *importedUsers
	if testing.Short() {
		total = min(total, 200)
	}
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, seed))
	c := &crowd{}
	h := newHouseBehind(t, authd.DemoSeed(), func(stack http.Handler) http.Handler { c.Handler = stack; return c })
	h.login("admin")
	file := filepath.Join(h.dir, "users.csv")
	var text bytes.Buffer
	text.WriteString("username,firstname,lastname,email_address,purpose,password\n")
	for i := range total {
		fmt.Fprintf(&text, "user%05d,First %d,Last,user%05d@example.com,%s,secret-%d\n", i, i, i, api.Purposes[i%3], i)
	}
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	h.server.Faults().Add(authd.Fault{Method: http.MethodPost, Path: "/users", Delay: 5 * time.Millisecond}) // all have time to be under way at once
	created := func() int { return h.server.Count(http.MethodPost, "/users") }
	const kills = 5
	for i := range kills {
		cmd := h.process("users", "import", file, "--yes", "--parallel", "8")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		until := total*i/kills + 1 + random.IntN(total/kills)
		over := make(chan error, 1)
		go func() { over <- cmd.Wait() }()
		look := time.NewTicker(time.Millisecond)
		for created() < until {
			select {
			case <-look.C:
				continue
			case err := <-over:
				t.Fatalf("it ended by itself after %d users: %v", created(), err)
			}
		}
		look.Stop()
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-over
	}
	before := created()
	begun := time.Now()
	cmd := h.process("users", "import", file, "--yes", "--parallel", "8", "--only-failed")
	var stderr, stdout bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || stdout.Len() > 0 || !strings.Contains(stderr.String(), " unchanged.") {
		t.Fatalf("%v\n%s%s", err, stdout.String(), stderr.String())
	}
	took := time.Since(begun)
	t.Logf("random seed %d: %d of %d users were there after %d kills; the rest took %v, %.0f a second; %d requests at once at most",
		seed, before, total, kills, took, float64(total-before)/took.Seconds(), c.most.Load())
	t.Log(rates(h.server))
	if n := c.most.Load(); n > 8 {
		t.Errorf("%d requests at once", n)
	}
	h.wantUsers(total)
	h.wantNoSecret("secret-")
}

// rates are how many users a second were created in each fifth of the time.
func rates(server *authd.Server) string {
	var at []time.Time
	for _, r := range server.Requests() {
		if r.Method == http.MethodPost && r.Path == "/users" {
			at = append(at, r.Time)
		}
	}
	var b strings.Builder
	b.WriteString("users a second, by fifths of the users:")
	for i := range 5 {
		part := at[len(at)*i/5 : len(at)*(i+1)/5]
		if len(part) > 1 {
			fmt.Fprintf(&b, " %.0f", float64(len(part)-1)/part[len(part)-1].Sub(part[0]).Seconds())
		}
	}
	return b.String()
}

// wantUsers wants the users of the file, each once, besides those of the demo, and no others.
func (h *house) wantUsers(total int) {
	h.tb.Helper()
	m := session.New(h.store, session.Options{})
	if err := m.Load(h.tb.Context()); err != nil {
		h.tb.Fatal(err)
	}
	var list []api.User
	err := m.Do(h.tb.Context(), m.Accounts()[0].ID, func(ctx context.Context, c *api.Client, token api.Secret) error {
		p, err := c.Users(ctx, token, api.ListOptions{Recurse: true})
		list = p.Items
		return err
	})
	if err != nil {
		h.tb.Fatal(err)
	}
	list = slices.DeleteFunc(list, func(u api.User) bool {
		return !strings.HasPrefix(u.Username, "user") && u.Purpose == "user" && u.Username != ""
	})
	if len(list) != total {
		h.tb.Errorf("%d users, want %d", len(list), total)
		return
	}
	for i, u := range list {
		want := fmt.Sprintf("user%05d First %d Last user%05d@example.com (main, confirmed) %s true", i, i, i, api.Purposes[i%3])
		if got := fmt.Sprintf("%s %s %s %s %s %v", u.Username, u.Firstname, u.Lastname, session.EmailsText(u.Emails), u.Purpose, u.Enabled); got != want {
			h.tb.Fatalf("%s, want %s", got, want)
		}
	}
	if _, err := offlineTokenOf(h.server, "user00000", "secret-0", "x"); err != nil {
		h.tb.Errorf("nobody signs in as the first: %v", err)
	}
}

// wantNoSecret looks for a text in all that the program wrote down.
func (h *house) wantNoSecret(text string) {
	h.tb.Helper()
	err := filepath.WalkDir(h.dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) == ".csv" {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(text)) {
			h.tb.Errorf("%s holds a password", path)
		}
		return err
	})
	if err != nil {
		h.tb.Fatal(err)
	}
}
