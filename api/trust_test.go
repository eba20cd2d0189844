package api

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// authority makes certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // its own certificate in PEM form
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{key: newKey(t), file: filepath.Join(t.TempDir(), "ca.pem")}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test Authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(48 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(a.file, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// leaf says how a server's certificate is.
type leaf struct {
	key     *ecdsa.PrivateKey
	by      *authority // nil: self-signed
	expired bool
	other   bool // for another name
}

func (l leaf) make(t *testing.T) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "pbx\x1b[31m", Organization: []string{"Wazo"}},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if l.expired {
		template.NotAfter = time.Now().Add(-time.Hour)
	}
	if l.other {
		template.IPAddresses, template.DNSNames = nil, []string{"other.example"}
	}
	parent, signer := template, l.key
	if l.by != nil {
		parent, signer = l.by.cert, l.by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, l.key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: l.key}
}

// pinOf computes a fingerprint by another way than the product does.
func pinOf(t *testing.T, key *ecdsa.PrivateKey) string {
	t.Helper()
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(spki)
	return "SHA256:" + strings.TrimRight(base64.StdEncoding.EncodeToString(sum[:]), "=")
}

// stack is a TLS server that counts the requests that reach it.
type stack struct {
	url      string
	requests atomic.Int32
}

func newStack(t *testing.T, cert tls.Certificate, versions ...uint16) *stack {
	t.Helper()
	s := &stack{}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.requests.Add(1)
		w.Header().Set("Content-Type", jsonType)
		_, _ = io.WriteString(w, `{"data":{"message":"success"}}`)
	}))
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	if len(versions) > 0 {
		srv.TLS.MinVersion, srv.TLS.MaxVersion = tls.VersionTLS10, versions[0]
	}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

// try revokes a token, which puts it into the path, and tells how that went.
func (s *stack) try(t *testing.T, trust Trust) error {
	t.Helper()
	c, err := NewClient(s.url, Options{Trust: trust})
	if err != nil {
		return err
	}
	defer c.Close()
	return c.RevokeToken(t.Context(), token)
}

func TestCertificates(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	key, newer := newKey(t), newKey(t)
	pinned := Trust{Pin: pinOf(t, key)}
	byFile := Trust{CAFile: ours.file}
	tests := []struct {
		name  string
		cert  leaf
		trust Trust
		want  CertReason // empty: accepted
	}{
		{"self-signed", leaf{key: key}, Trust{}, CertUntrusted},
		{"self-signed, pinned", leaf{key: key}, pinned, ""},
		{"self-signed and expired", leaf{key: key, expired: true}, Trust{}, CertUntrusted},
		{"expired, pinned", leaf{key: key, expired: true}, pinned, ""},
		{"other name, pinned", leaf{key: key, other: true}, pinned, ""},
		{"renewed with the same key by an authority, pinned", leaf{key: key, by: theirs}, pinned, ""},
		{"rotated, pinned", leaf{key: newer}, pinned, CertChanged},
		{"rotated and vouched for by the file, pinned", leaf{key: newer, by: ours}, Trust{Pin: pinned.Pin, CAFile: ours.file}, CertChanged},
		{"private authority", leaf{key: key, by: ours}, Trust{}, CertUntrusted},
		{"private authority, file", leaf{key: key, by: ours}, byFile, ""},
		{"another authority, file", leaf{key: key, by: theirs}, byFile, CertUntrusted},
		{"expired, file", leaf{key: key, by: ours, expired: true}, byFile, CertExpired},
		{"expired, another authority, file", leaf{key: key, by: theirs, expired: true}, byFile, CertUntrusted},
		{"other name, file", leaf{key: key, by: ours, other: true}, byFile, CertWrongHost},
		{"rotated, file", leaf{key: newer, by: ours}, byFile, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStack(t, tt.cert.make(t))
			err := s.try(t, tt.trust)
			if tt.want == "" {
				if err != nil || s.requests.Load() != 1 {
					t.Fatalf("%d requests, %v", s.requests.Load(), err)
				}
				return
			}
			e, ok := errors.AsType[*CertError](err)
			if !ok || !errors.Is(err, ErrCertificate) || errors.Is(err, ErrNetwork) {
				t.Fatalf("error is %v", err)
			}
			if e.Reason != tt.want || e.Fingerprint != pinOf(t, tt.cert.key) || e.Pin != tt.trust.Pin || "https://"+e.Host != s.url || e.Trusted {
				t.Errorf("%+v", e)
			}
			if strings.ContainsRune(e.Subject, 0x1b) || !strings.Contains(e.Subject, "Wazo") || e.NotAfter.IsZero() || len(e.Names) == 0 {
				t.Errorf("%+v", e)
			}
			text := err.Error()
			if !strings.Contains(text, e.Fingerprint) || !strings.Contains(text, e.Pin) || strings.ContainsAny(text, "\x1b\n") || strings.Contains(text, aToken) {
				t.Errorf("text is %q", text)
			}
			if n := s.requests.Load(); n != 0 {
				t.Errorf("%d requests were sent all the same", n)
			}
			t.Log(text)
		})
	}
}

func TestFingerprint(t *testing.T) {
	key := newKey(t)
	s := newStack(t, leaf{key: key, expired: true}.make(t))
	info, err := Fingerprint(t.Context(), s.url)
	if err != nil {
		t.Fatal(err)
	}
	if info.Fingerprint != pinOf(t, key) || info.Problem != CertUntrusted || "https://"+info.Host != s.url || !strings.Contains(info.Subject, "Wazo") ||
		len(info.Names) != 2 || !info.NotAfter.Before(time.Now()) || s.requests.Load() != 0 {
		t.Errorf("%+v, %d requests", info, s.requests.Load())
	}
	if err := s.try(t, Trust{Pin: info.Fingerprint + "="}); err != nil {
		t.Errorf("the fingerprint with its padding is no pin: %v", err)
	}
	if _, err := Fingerprint(t.Context(), "http://127.0.0.1:9497/0.1"); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Fingerprint(ctx, s.url); !errors.Is(err, ErrNetwork) {
		t.Error(err)
	}
}

func TestTrustThatIsNone(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, trust := range []Trust{
		{Pin: "SHA256:"},
		{Pin: "SHA256:abc"},
		{Pin: "sha1:AAAA"},
		{Pin: strings.Repeat("A", 43)},
		{CAFile: empty},
		{CAFile: filepath.Join(t.TempDir(), "missing.pem")},
	} {
		if _, err := NewClient("pbx.example", Options{Trust: trust}); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", trust, err)
		}
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	key := newKey(t)
	s := newStack(t, leaf{key: key}.make(t), tls.VersionTLS11)
	err := s.try(t, Trust{Pin: pinOf(t, key)})
	if !errors.Is(err, ErrNetwork) || !strings.Contains(err.Error(), "TLS 1.2") || s.requests.Load() != 0 {
		t.Error(err)
	}
}

func TestWrongScheme(t *testing.T) {
	plain := httptest.NewServer(answer(200, jsonType, "{}"))
	defer plain.Close()
	c, err := NewClient(strings.Replace(plain.URL, "http:", "https:", 1), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.RevokeToken(t.Context(), token); !errors.Is(err, ErrNotWazo) || !strings.Contains(err.Error(), "does not speak TLS") {
		t.Error(err)
	}
	s := newStack(t, leaf{key: newKey(t)}.make(t))
	c, err = NewClient(strings.Replace(s.url, "https:", "http:", 1), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := getIt(t.Context(), c); !errors.Is(err, ErrNotWazo) {
		t.Error(err)
	}
}

// The machine's roots are read once a process, so a child has its own.
func TestMachineRoots(t *testing.T) {
	if url := os.Getenv("WAKEY_TRUST_STACK"); url != "" {
		withMachineRoots(t, &stack{url: url})
		return
	}
	if runtime.GOOS != "linux" {
		t.Skip("the roots of a process can be replaced by SSL_CERT_FILE on Linux only")
	}
	ours := newAuthority(t)
	key := newKey(t)
	s := newStack(t, leaf{key: key, by: ours}.make(t))
	cmd := exec.Command(os.Args[0], "-test.run=^TestMachineRoots$", "-test.v")
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+ours.file, "SSL_CERT_DIR="+t.TempDir(), "WAKEY_TRUST_STACK="+s.url, "WAKEY_TRUST_PIN="+pinOf(t, key))
	out, err := cmd.CombinedOutput()
	if err != nil || s.requests.Load() != 2 {
		t.Errorf("%d requests, %v\n%s", s.requests.Load(), err, out)
	}
}

// withMachineRoots is the child: its roots vouch for the stack.
func withMachineRoots(t *testing.T, s *stack) {
	if err := s.try(t, Trust{}); err != nil {
		t.Error("vouched for by the machine's roots:", err)
	}
	if err := s.try(t, Trust{Pin: os.Getenv("WAKEY_TRUST_PIN")}); err != nil {
		t.Error("pinned:", err)
	}
	var e *CertError
	if err := s.try(t, Trust{Pin: pinOf(t, newKey(t))}); !errors.As(err, &e) || e.Reason != CertChanged || !e.Trusted {
		t.Errorf("%+v", err)
	}
	info, err := Fingerprint(t.Context(), s.url)
	if err != nil || info.Problem != "" {
		t.Errorf("%+v, %v", info, err)
	}
}
