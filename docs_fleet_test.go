package main_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"wakey/internal/authd"
)

// TestFleetSetUp starts three servers with the configuration that docs/fleet.md gives, and types its five commands,
// on two machines.
func TestFleetSetUp(t *testing.T) {
	bin, err := buildWakey()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("docs/fleet.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	seed, public := natsUser(t)
	stack, err := authd.New(authd.Config{}, authd.DemoSeed())
	if err != nil {
		t.Fatal(err)
	}
	pbx, err := authd.Start(t.Context(), stack, "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	certificates(t, dir)
	for name, text := range map[string]string{
		"wakey.nk": seed, "password": "bob-demo\n", "passphrase": "of the fleet\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	var conf string
	var commands []string
	for _, block := range blockPattern.FindAllStringSubmatch(string(page), -1) {
		switch block[1] {
		case "conf":
			conf = block[2]
		case "sh":
			commands = append(commands, block[2])
		}
	}
	place := []string{regexp.MustCompile(`\bU[A-Z2-7]{55}\b`).FindString(conf), public, "/etc/nats", dir, "0.0.0.0:", "127.0.0.1:"}
	var ports, routes []string
	for i := 1; i <= 3; i++ {
		ports, routes = append(ports, freePort(t)), append(routes, freePort(t))
		host := fmt.Sprintf("nats%d.example.com", i)
		place = append(place, host+":6222", "127.0.0.1:"+routes[i-1], "tls://"+host, "tls://127.0.0.1:"+ports[i-1])
	}
	here := strings.NewReplacer(place...)
	for i := range ports {
		text := strings.NewReplacer("nats1\n", fmt.Sprintf("nats%d\n", i+1), "127.0.0.1:4222", "127.0.0.1:"+ports[i], "127.0.0.1:6222", "127.0.0.1:"+routes[i],
			"/var/lib/nats", filepath.Join(dir, fmt.Sprint("data", i))).Replace(here.Replace(conf))
		startNATS(t, filepath.Join(dir, fmt.Sprintf("nats%d.conf", i+1)), text)
	}

	typed := 0
	blocks := []string{"set -euo pipefail\n"}
	for i, block := range commands {
		typed += strings.Count(block, "\nwakey ")
		blocks = append(blocks, fmt.Sprintf("export XDG_DATA_HOME=$HOME/machine%d\n", i+1), here.Replace(block))
	}
	script := strings.ReplaceAll(strings.Join(blocks, ""), "wakey login pbx.example.com --user ci",
		"wakey login "+pbx.URL+" --fingerprint "+pbx.Fingerprint+" --user bob --password-stdin < password") + "wakey store status --json bucket,replicas,online,error\n"
	if len(commands) != 2 || typed != 5 {
		t.Fatalf("docs/fleet.md has %d commands in %d blocks, and promises 5, for two machines", typed, len(commands))
	}
	sh := exec.CommandContext(t.Context(), "bash", "-c", script)
	sh.Dir = dir
	sh.Env = []string{
		"HOME=" + dir, "PATH=" + filepath.Dir(bin) + ":" + os.Getenv("PATH"), "DBUS_SESSION_BUS_ADDRESS=disabled:",
		"WAKEY_PASSPHRASE_FILE=" + filepath.Join(dir, "passphrase"),
	}
	var stderr bytes.Buffer
	sh.Stderr = &stderr
	out, err := sh.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, stderr.String())
	}
	for _, want := range []string{
		`(?m)^[0-9a-f-]{36}$`, `replicas +.*3 of 3: nats[123] leads, nats[123] has it all, nats[123] has it all`, `credentials +.*wakey\.nk`, `"error": *null`,
	} {
		if !regexp.MustCompile(want).Match(out) {
			t.Errorf("the second machine does not say %q:\n%s%s", want, out, stderr.String())
		}
	}
	if n := stack.Count("POST", "/token refresh"); n != 0 {
		t.Errorf("%d refreshes for a token that lives", n)
	}
}

func natsUser(t *testing.T) (seed, public string) {
	t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	secret, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	if public, err = pair.PublicKey(); err != nil {
		t.Fatal(err)
	}
	return string(secret), public
}

// certificates writes an authority, and a certificate of loopback's that servers show to clients and to each other.
func certificates(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "nats"}, IPAddresses: []net.IP{net.ParseIP("127.0.0.1")},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"tls.crt": {Type: "CERTIFICATE", Bytes: der}, "ca.pem": {Type: "CERTIFICATE", Bytes: der}, "tls.key": {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func startNATS(t *testing.T, path, conf string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	options, err := server.ProcessConfigFile(path)
	if err != nil {
		t.Fatal(err)
	}
	options.NoLog, options.NoSigs = true, true
	s, err := server.NewServer(options)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(s.Shutdown)
	if !s.ReadyForConnections(time.Minute) {
		t.Fatalf("%s does not get ready", path)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
