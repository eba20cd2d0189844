//go:build linux

package security_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// signer is a certificate authority, or nobody.
type signer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// showing is what a certificate says.
type showing struct {
	key     *ecdsa.PrivateKey
	by      *signer // nil: itself
	expired bool
	other   bool // for another name
	ca      bool
}

func (s showing) sign(t *testing.T) []byte {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "Wazo\x1b]52;c;aGk=\a"},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	if s.expired {
		template.NotAfter = time.Now().Add(-24 * time.Hour)
	}
	if s.other {
		template.IPAddresses, template.DNSNames = nil, []string{"other.example"}
	}
	if s.ca {
		template.IsCA, template.BasicConstraintsValid, template.KeyUsage, template.ExtKeyUsage = true, true, x509.KeyUsageCertSign, nil
	}
	parent, key := template, s.key
	if s.by != nil {
		parent, key = s.by.cert, s.by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, s.key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// authority makes a private authority and its PEM file.
func (w *world) authority(t *testing.T, name string) *signer {
	t.Helper()
	s := &signer{key: newKey(t)}
	der := showing{key: s.key, ca: true}.sign(t)
	var err error
	if s.cert, err = x509.ParseCertificate(der); err == nil {
		err = os.WriteFile(w.beside(name), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func pinOf(t *testing.T, key *ecdsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// front is a stack whose certificate changes.
type front struct {
	*httptest.Server

	mu       sync.Mutex
	cert     tls.Certificate
	requests atomic.Int32
}

func newFront(t *testing.T, s *stack, first showing) *front {
	t.Helper()
	f := &front{}
	f.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.requests.Add(1)
		s.ServeHTTP(w, r)
	}))
	f.TLS = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		return &f.cert, nil
	}}
	f.show(t, first)
	f.Config.ErrorLog = quietLog
	f.StartTLS()
	f.TLS.Certificates = nil // httptest puts its own first
	t.Cleanup(f.Close)
	return f
}

func (f *front) show(t *testing.T, s showing) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cert = tls.Certificate{Certificate: [][]byte{s.sign(t)}, PrivateKey: s.key}
	if f.Listener != nil && f.URL != "" {
		f.CloseClientConnections()
	}
}

// Whom the program sends a password or a token to, from the command line, with real TLS servers.
func TestTrustOnTheCommandLine(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	w := newWorld(t, s)
	w.quickStore()
	ours, theirs := w.authority(t, "ours.pem"), w.authority(t, "theirs.pem")
	key, newer := newKey(t), newKey(t)
	pin, newPin := pinOf(t, key), pinOf(t, newer)
	f := newFront(t, s, showing{key: key})

	sent := f.requests.Load
	// refused fails unless a command ends with 6, says each of words, and sends nothing.
	refused := func(c command, words ...string) {
		t.Helper()
		before := sent()
		c.code = 6
		r := w.run(c)
		for _, word := range words {
			if !strings.Contains(r.stderr, word) {
				t.Errorf("%s: no %q: %s", c.name(), word, r.stderr)
			}
		}
		if sent() != before {
			t.Errorf("%s: %d requests were sent", c.name(), sent()-before)
		}
		if strings.ContainsAny(r.stderr, "\x1b\a") {
			t.Errorf("%s: the certificate's text reaches the terminal: %q", c.name(), r.stderr)
		}
	}
	accepted := func(c command) {
		t.Helper()
		before := sent()
		if w.run(c); sent() == before {
			t.Errorf("%s: nothing was sent", c.name())
		}
	}
	login := func(account string, more ...string) command {
		return command{args: append([]string{"login", f.URL, "--user", "alice", "--password-stdin", "--account", account}, more...), stdin: alicePassword}
	}
	fresh := command{args: []string{"refresh", "prod"}}

	refused(login("prod"), "nobody whom this machine trusts", pin, "--fingerprint", "--ca-file")
	refused(login("prod", "--fingerprint", newPin), "has changed", pin, newPin)
	refused(login("prod", "--ca-file", w.beside("ours.pem")), pin)

	// At a terminal a person is asked, and no is no.
	for _, answer := range []string{"n", "y"} {
		x := w.sit("login at a terminal", 100, 30, command{args: []string{"login", f.URL, "--user", "alice", "--account", "prod"}})
		x.until("the password's prompt", func() bool { return strings.Contains(x.raw(), "Password of alice: ") })
		x.types(alicePassword + "\n")
		x.until("the fingerprint", func() bool { return strings.Contains(x.raw(), "[y/N]") })
		if !strings.Contains(x.raw(), pin) || sent() != 0 {
			t.Errorf("asked without the fingerprint, or after %d requests: %s", sent(), x.raw())
		}
		x.types(answer + "\n")
		if code, want := x.ends(), map[string]int{"n": 3, "y": 0}[answer]; code != want {
			t.Errorf("after %s the exit code is %d, want %d", answer, code, want)
		}
	}
	accepted(fresh)
	accepted(login("second")) // the key holds for the stack

	// Renewed with the same key, by whomever, even expired or for another name: still the pinned key.
	f.show(t, showing{key: key, by: theirs, expired: true, other: true})
	accepted(fresh)

	// Rotated: refused, in every command and for a sign-in too, until a person decides.
	f.show(t, showing{key: newer})
	for _, c := range []command{
		fresh,
		{args: []string{"status", "prod"}},
		{args: []string{"api", "/auth/0.1/users/me/tokens", "-a", "prod"}},
		login("prod"), login("third"),
	} {
		refused(c, "has changed", "expected "+pin, "got "+newPin, "somebody may be in between")
	}
	if list := w.must("trust", "list", "--check"); !strings.Contains(list, "CHANGED to "+newPin) {
		t.Errorf("trust list: %s", list)
	}
	w.run(command{args: []string{"trust", "pin", "prod", "--fingerprint", newPin, "--yes"}})
	accepted(fresh)
	refused(command{args: []string{"refresh", "second"}}, "has changed")
	w.run(command{args: []string{"trust", "forget", "second", "--yes"}})
	refused(command{args: []string{"refresh", "second"}}, "nobody whom this machine trusts")

	// A private authority: its own certificates, in their time and for this host, and no others.
	w.run(command{args: []string{"logout", "second", "--forget"}})
	w.run(command{args: []string{"trust", "forget", "prod", "--yes"}})
	f.show(t, showing{key: newer, by: ours})
	accepted(login("private", "--ca-file", w.beside("ours.pem")))
	private := command{args: []string{"refresh", "private"}}
	accepted(private)
	f.show(t, showing{key: key, by: ours})
	accepted(private)
	f.show(t, showing{key: key, by: ours, expired: true})
	refused(private, "out of its time")
	f.show(t, showing{key: key, by: ours, other: true})
	refused(private, "other names", "other.example")
	f.show(t, showing{key: key, by: theirs})
	refused(private, "nobody whom this machine trusts")

	// A certificate that the machine itself trusts needs neither pin nor file, until it is wrong.
	machine := func(c command) command {
		c.env = []string{"SSL_CERT_FILE=" + w.beside("theirs.pem")}
		return c
	}
	w.run(command{args: []string{"logout", "private", "--forget"}}) // whom one account of a stack trusts, a new one does
	accepted(machine(login("public")))
	public := machine(command{args: []string{"refresh", "public"}})
	if list := w.must("trust", "list"); !strings.Contains(list, "this machine's authorities") {
		t.Errorf("trust list: %s", list)
	}
	f.show(t, showing{key: newer, by: theirs}) // renewed with another key
	accepted(public)
	f.show(t, showing{key: newer, by: theirs, expired: true})
	refused(public, "out of its time")
	f.show(t, showing{key: newer, by: theirs, other: true})
	refused(public, "other names", "other.example")
	f.show(t, showing{key: newer, by: ours})
	refused(public, "nobody whom this machine trusts")
	w.check(t)
}

// Plain http is refused but to this machine, before anything is sent.
func TestPlainHTTPIsRefused(t *testing.T) {
	w := newWorld(t, newStack(t))
	w.quickStore()
	for _, address := range []string{"http://pbx.example.com", "http://10.0.0.12:9497/0.1", "http://127.0.0.1.example.com", "http://localhost.example.com"} {
		r := w.run(command{args: []string{"login", address, "--user", "alice", "--password-stdin"}, stdin: alicePassword, code: 2})
		if !strings.Contains(r.stderr, "in clear") {
			t.Errorf("%s: %s", address, r.stderr)
		}
	}
	plain := httptest.NewServer(w.stack)
	defer plain.Close()
	w.run(command{args: []string{"login", plain.URL + "/0.1", "--user", "alice", "--password-stdin", "--account", "here"}, stdin: alicePassword})
}

// A redirect carries neither password nor token anywhere: not to another host, not to another port, not down to http.
func TestRedirectsCarryNothing(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	w := newWorld(t, s)
	w.quickStore()
	w.login("alice", alicePassword, "prod")
	var caught atomic.Int32
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { caught.Add(1) }))
	defer trap.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		s.set(func(out http.ResponseWriter, r *http.Request, _ http.Handler) {
			http.Redirect(out, r, trap.URL+r.URL.Path, status)
		})
		for _, c := range w.asking() {
			c.code = -1
			if c.args[0] != "logout" {
				w.run(c)
			}
			_ = os.Remove(w.path("report.txt"))
		}
	}
	if n := caught.Load(); n > 0 {
		t.Errorf("%d requests followed a redirect", n)
	}
	s.set(nil)
	w.check(t)
}
