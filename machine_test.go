package main_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"wakey/internal/authd"
)

// machine is a home of its own for wakey, and the stacks that it reaches: by names such as
// pbx.example.com, through a proxy that knows where they listen.
type machine struct {
	t    testing.TB
	bin  string
	home string
	env  []string

	mu    sync.Mutex
	hosts map[string]*authd.Running
}

func newMachine(tb testing.TB) *machine {
	tb.Helper()
	bin, err := buildWakey()
	if err != nil {
		tb.Fatal(err)
	}
	m := &machine{t: tb, bin: bin, home: tb.TempDir(), hosts: map[string]*authd.Running{}}
	if err := os.WriteFile(m.home+"/passphrase", []byte("correct horse\n"), 0o600); err != nil {
		tb.Fatal(err)
	}
	if err := os.Mkdir(m.home+"/run", 0o700); err != nil {
		tb.Fatal(err)
	}
	m.env = []string{
		"HOME=" + m.home, "PATH=" + os.Getenv("PATH"), "TERM=xterm-256color", "COLORTERM=truecolor", "LANG=C.UTF-8", "TZ=UTC",
		"XDG_DATA_HOME=" + m.home + "/data", "XDG_CONFIG_HOME=" + m.home + "/config", "XDG_STATE_HOME=" + m.home + "/state",
		"XDG_CACHE_HOME=" + m.home + "/cache", "XDG_RUNTIME_DIR=" + m.home + "/run",
		"DBUS_SESSION_BUS_ADDRESS=disabled:", // whoever runs the tests keeps their keyring
		"WAKEY_PASSPHRASE_FILE=" + m.home + "/passphrase", "HTTPS_PROXY=http://" + m.proxy(),
	}
	return m
}

// stack starts a stack that this machine reaches as https://host.
func (m *machine) stack(host string, seed authd.Seed) *authd.Server {
	m.t.Helper()
	server, err := authd.New(authd.Config{}, seed)
	if err != nil {
		m.t.Fatal(err)
	}
	run, err := authd.Start(m.t.Context(), server, "127.0.0.1:0", false)
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { _ = run.Close() })
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hosts[host] = run
	return server
}

func (m *machine) running(host string) *authd.Running {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.hosts[host]
}

// command is wakey with args on this machine.
func (m *machine) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(m.t.Context(), m.bin, args...)
	cmd.Dir, cmd.Env = m.home, m.env
	return cmd
}

// login signs a user in on the command line. More flags may follow.
func (m *machine) login(host, user, account string, flags ...string) {
	m.t.Helper()
	cmd := m.command(append([]string{
		"login", host, "--user", user, "--account", account, "--password-stdin", "--fingerprint", m.running(host).Fingerprint,
	}, flags...)...)
	cmd.Stdin = strings.NewReader(user + "-demo")
	if out, err := cmd.CombinedOutput(); err != nil {
		m.t.Fatalf("signing %s in: %v\n%s", user, err, out)
	}
}

// device signs a user in from somewhere that this machine knows nothing of, and gives the refresh
// token. Without a client_id there is none.
func (m *machine) device(host, user, clientID string) (refreshToken string) {
	m.t.Helper()
	body := map[string]any{"expiration": 7200}
	if clientID != "" {
		body["access_type"], body["client_id"] = "offline", clientID
	}
	b, err := json.Marshal(body)
	if err != nil {
		m.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(m.t.Context(), http.MethodPost, m.running(host).URL+"/api/auth/0.1/token", bytes.NewReader(b))
	if err != nil {
		m.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(user, user+"-demo")
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true, // whoever has the token may come from anywhere
	}}
	res, err := client.Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		Data struct {
			RefreshToken string `json:"refresh_token"`
		} `json:"data"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || res.StatusCode != http.StatusOK {
		m.t.Fatalf("signing %s in as %s: %s, %v", user, clientID, res.Status, err)
	}
	return answer.Data.RefreshToken
}

// proxy listens for CONNECT, and connects to the stack of that name.
func (m *machine) proxy() (addr string) {
	var lc net.ListenConfig
	l, err := lc.Listen(m.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go m.connect(c)
		}
	}()
	return l.Addr().String()
}

func (m *machine) connect(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	req, err := http.ReadRequest(in)
	if err != nil {
		return
	}
	run := m.running(strings.TrimSuffix(req.Host, ":443"))
	if req.Method != http.MethodConnect || run == nil {
		_, _ = io.WriteString(c, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
		return
	}
	var d net.Dialer
	s, err := d.DialContext(context.Background(), "tcp", strings.TrimPrefix(run.URL, "https://"))
	if err != nil {
		_, _ = io.WriteString(c, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
		return
	}
	defer s.Close()
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
	go func() {
		_, _ = io.Copy(s, in)
		_ = s.Close()
	}()
	_, _ = io.Copy(c, s)
}
