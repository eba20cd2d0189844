package authd

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ready is the line that Serve prints.
type ready struct {
	URL         string `json:"url"`
	Fingerprint string `json:"fingerprint"`
}

// serveInBackground runs Serve until the test ends and gives its line.
func serveInBackground(t *testing.T, o ServeOptions) ready {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	in, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- Serve(ctx, o, out)
		_ = out.CloseWithError(io.ErrUnexpectedEOF)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	line, err := bufio.NewReader(in).ReadBytes('\n')
	if err != nil {
		t.Fatalf("no line: %v", err)
	}
	var r ready
	if err := json.Unmarshal(line, &r); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	return r
}

func TestServeShowsWhereItIs(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	r := serveInBackground(t, ServeOptions{Listen: ":0", TokenLifetime: time.Hour, MaxSessions: 100, LogFile: log, Timezone: "America/Toronto"})
	if !strings.HasPrefix(r.URL, "https://127.0.0.1:") {
		t.Errorf("url is %s", r.URL)
	}
	var seen string
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, // the key is compared below
		VerifyConnection: func(state tls.ConnectionState) error {
			sum := sha256.Sum256(state.PeerCertificates[0].RawSubjectPublicKeyInfo)
			seen = "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
			return state.PeerCertificates[0].VerifyHostname("127.0.0.1")
		},
	}}}
	for _, prefix := range []string{"/0.1", "/api/auth/0.1"} {
		res, err := client.Get(r.URL + prefix + "/token/12345678-0000-4000-8000-0123456789ab?token=secret-secret-secret")
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusNotFound || res.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", prefix, res.StatusCode, res.Header.Get("Content-Type"))
		}
	}
	if seen != r.Fingerprint {
		t.Errorf("fingerprint is %s, the line says %s", seen, r.Fingerprint)
	}
	raw, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines in the log:\n%s", len(lines), raw)
	}
	var entry struct {
		Time     time.Time `json:"time"`
		Method   string    `json:"method"`
		Path     string    `json:"path"`
		Status   int       `json:"status"`
		Duration *float64  `json:"duration_ms"`
	}
	if err := json.Unmarshal([]byte(lines[0]), &entry); err != nil {
		t.Fatal(err)
	}
	const masked = "/0.1/token/XXXXXXXX-XXXX-XXXX-XXXX-XXXX456789ab?token=XXXXXXXX-XXXX-XXXX-XXXX-XXXXt-secret"
	if entry.Method != http.MethodGet || entry.Status != 404 || entry.Path != masked || entry.Duration == nil || entry.Time.IsZero() {
		t.Errorf("logged %s", lines[0])
	}
}

func TestLogMasks(t *testing.T) {
	const token = "12345678-0000-4000-8000-0123456789ab"
	var log bytes.Buffer
	s, err := New(Config{Log: &log}, DemoSeed())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"/0.1/token/" + token, "/0.1/%74oken/" + token + "/scopes/check", "/api/auth/0.1/token/" + strings.ToUpper(token) + "?scope=a",
		"/0.1/users/me/tokens?token=" + token + "&limit=1", "/0.1/users/password/reset?user_uuid=x&t%6Fken=" + token + "&token=" + token,
		"//0.1//token/" + token, "/0.1/token/" + token + "?token=" + token,
	} {
		client{t, s}.do("GET", path, nil, "X-Auth-Token", token)
	}
	if text := log.String(); strings.Count(text, "\n") != 7 || strings.Contains(strings.ToLower(text), token[:13]) || !strings.Contains(text, "oken/XXXXXXXX-XXXX-XXXX-XXXX-XXXX456789ab/scopes/check\"") {
		t.Errorf("logged\n%s", text)
	}
}

func TestServePlainHTTP(t *testing.T) {
	r := serveInBackground(t, ServeOptions{Listen: "127.0.0.1:0", TokenLifetime: time.Hour, MaxSessions: 100, PlainHTTP: true})
	if !strings.HasPrefix(r.URL, "http://127.0.0.1:") || r.Fingerprint != "" {
		t.Errorf("ready line %+v", r)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.URL+"/api/auth/0.1/token", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("alice", "alice-demo")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("signing in: %d", res.StatusCode)
	}
}

func TestServeCutsTheConnection(t *testing.T) {
	s, err := New(Config{}, DemoSeed())
	if err != nil {
		t.Fatal(err)
	}
	r, err := Start(t.Context(), s, "127.0.0.1:0", true)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	s.Faults().Add(Fault{Path: "/backends", Times: 1, Cut: true})
	res, err := http.Get(r.URL + "/0.1/backends")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err == nil {
		t.Errorf("a cut answer ended well: %q", body)
	}
	u, _ := url.Parse(r.URL)
	if u.Port() == "0" {
		t.Error("the url holds port 0")
	}
}

func TestServeRefuses(t *testing.T) {
	seed := filepath.Join(t.TempDir(), "seed.toml")
	if err := os.WriteFile(seed, []byte("[[user]]\nusername = \"x\"\npasword = \"y\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		spoil func(*ServeOptions)
		want  string
	}{
		"unknown key": {func(o *ServeOptions) { o.SeedFile = seed }, `line 3: unknown key "user.pasword"`},
		"no seed":     {func(o *ServeOptions) { o.SeedFile = seed + "x" }, "opening the seed"},
		"zone":        {func(o *ServeOptions) { o.Timezone = "Nowhere/Else" }, "time zone"},
		"lifetime":    {func(o *ServeOptions) { o.TokenLifetime = 0 }, "out of range"},
		"sessions":    {func(o *ServeOptions) { o.MaxSessions = 0 }, "give 1 or more"},
		"address":     {func(o *ServeOptions) { o.Listen = "256.0.0.1:0" }, "--listen"},
	} {
		o := ServeOptions{Listen: "127.0.0.1:0", TokenLifetime: time.Hour, MaxSessions: 100}
		c.spoil(&o)
		err := Serve(t.Context(), o, io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", name, err, c.want)
		}
	}
}
