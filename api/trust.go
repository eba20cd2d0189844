package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// Trust says whose certificate is accepted. The zero value: what this machine's own roots vouch for.
type Trust struct {
	// Pin is the fingerprint of the stack's public key: "SHA256:" and the raw standard base64 of the digest of its
	// SubjectPublicKeyInfo. It suffices alone: the key must match, while expiry, names and issuer are not asked,
	// so a self-signed certificate renewed with the same key stays accepted.
	Pin string
	// CAFile is a PEM file of the authorities to trust instead of this machine's own. It is not asked with a Pin.
	CAFile string
}

const pinPrefix = "SHA256:"

// fingerprint gives the key of a certificate in the form of Trust.Pin.
func fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return pinPrefix + base64.RawStdEncoding.EncodeToString(sum[:])
}

// checkPin tells whether a pin is one, and gives its canonical form.
func checkPin(pin string) (string, error) {
	digits, ok := strings.CutPrefix(strings.TrimSpace(pin), pinPrefix)
	sum, err := base64.RawStdEncoding.Strict().DecodeString(strings.TrimRight(digits, "="))
	if !ok || err != nil || len(sum) != sha256.Size {
		return "", invalid("that is no fingerprint of a key", `give it as "SHA256:" and 43 characters`)
	}
	return pinPrefix + base64.RawStdEncoding.EncodeToString(sum), nil
}

// transport is the network with certificate errors in this package's words.
type transport struct {
	*http.Transport
	roots *x509.CertPool // nil: the machine's own
}

// RoundTrip sends a request; see http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.Transport.RoundTrip(r)
	var (
		refused *tls.CertificateVerificationError
		changed *keyError
	)
	switch {
	case errors.As(err, &changed):
		e := newCertError(r.URL.Host, changed.chain[0])
		e.Reason, e.Pin = CertChanged, changed.pin
		e.Trusted = problem(changed.chain, r.URL.Hostname(), nil) == ""
		return nil, e
	case errors.As(err, &refused) && len(refused.UnverifiedCertificates) > 0:
		e := newCertError(r.URL.Host, refused.UnverifiedCertificates[0])
		e.Reason = problem(refused.UnverifiedCertificates, r.URL.Hostname(), t.roots)
		if e.Reason == "" {
			e.Reason = CertUntrusted // the handshake said no all the same
		}
		return nil, e
	}
	return resp, err
}

// newTransport makes the network of one client. No secret leaves before the certificate is accepted: that is part of
// the handshake.
func newTransport(trust Trust) (*transport, error) {
	t := &transport{Transport: bareTransport()}
	switch {
	case trust.Pin != "":
		pin, err := checkPin(trust.Pin)
		if err != nil {
			return nil, err
		}
		// The chain is not asked, because a pinned key needs nobody to vouch for it; the handshake still proves that the
		// server holds the key.
		t.TLSClientConfig.InsecureSkipVerify = true
		t.TLSClientConfig.VerifyConnection = func(cs tls.ConnectionState) error { return checkKey(cs, pin) }
	case trust.CAFile != "":
		pem, err := os.ReadFile(trust.CAFile)
		if err != nil {
			return nil, &Error{Kind: KindInvalid, lead: "the file of authorities cannot be read", Message: Clean(err.Error()), next: "check its name", cause: err}
		}
		t.roots = x509.NewCertPool()
		if !t.roots.AppendCertsFromPEM(pem) {
			return nil, invalid("the file of authorities holds no certificate: "+Clean(trust.CAFile), "give a file in PEM form")
		}
		t.TLSClientConfig.RootCAs = t.roots
	}
	return t, nil
}

func bareTransport() *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 10 * time.Second,
		// Longer than any answer takes: a sign-in with the bus down takes 6 s (contract 5).
		ResponseHeaderTimeout: time.Minute,
		// Shorter than the servers' own (nginx 75 s, wazo-auth itself 10 s), so that no request meets a closing connection.
		IdleConnTimeout:     9 * time.Second,
		MaxIdleConnsPerHost: 8,
		// Nothing compressed is asked for, so no small answer can grow into a large one.
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// checkKey compares the server's key with the pinned one.
func checkKey(cs tls.ConnectionState, pin string) error {
	if len(cs.PeerCertificates) == 0 {
		return errors.New("tls: the server showed no certificate")
	}
	if subtle.ConstantTimeCompare([]byte(fingerprint(cs.PeerCertificates[0])), []byte(pin)) != 1 {
		return &keyError{cs.PeerCertificates, pin}
	}
	return nil
}

// keyError is another key than the pinned one. The handshake does not know the host's name as it was typed;
// RoundTrip does.
type keyError struct {
	chain []*x509.Certificate
	pin   string
}

func (*keyError) Error() string { return "the key is not the pinned one" }

// problem says what is wrong with a chain, in the order of what matters: without anybody vouching for it, its dates
// and names mean nothing.
func problem(chain []*x509.Certificate, host string, roots *x509.CertPool) CertReason {
	leaf := chain[0]
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, cert := range chain[1:] {
		options.Intermediates.AddCert(cert)
	}
	_, err := leaf.Verify(options)
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		options.CurrentTime = leaf.NotAfter.Add(-time.Second)
		if _, err := leaf.Verify(options); err == nil {
			return CertExpired
		}
	}
	switch {
	case err != nil:
		return CertUntrusted
	case leaf.VerifyHostname(host) != nil:
		return CertWrongHost
	}
	return ""
}

// Fingerprint asks a stack for its certificate, through the proxy if there is one, and sends it nothing.
func Fingerprint(ctx context.Context, stack string) (CertInfo, error) {
	base, err := NormalizeStack(stack, true)
	if err != nil {
		return CertInfo{}, err
	}
	u, err := parseBase(base)
	if err != nil {
		return CertInfo{}, err
	}
	if u.Scheme != "https" {
		return CertInfo{}, invalid("plain http has no certificate", "give the stack's https address")
	}
	var chain []*x509.Certificate
	t := bareTransport()
	t.TLSClientConfig.InsecureSkipVerify = true // to look at it; the handshake is broken off below
	t.TLSClientConfig.VerifyConnection = func(cs tls.ConnectionState) error {
		chain = cs.PeerCertificates
		return errSeen
	}
	c := &Client{base: base, http: &http.Client{Transport: t}, timeout: defaultTimeout}
	r := &request{method: http.MethodHead, path: "/status"}
	err = c.call(ctx, r, 0, nil)
	if !errors.Is(err, errSeen) || len(chain) == 0 {
		if err == nil {
			err = c.notWazo("")
		}
		return CertInfo{}, err
	}
	e := newCertError(u.Host, chain[0])
	return CertInfo{
		Host: e.Host, Fingerprint: e.Fingerprint, Subject: e.Subject, Issuer: e.Issuer,
		NotBefore: e.NotBefore, NotAfter: e.NotAfter, Names: e.Names, Problem: problem(chain, u.Hostname(), nil),
	}, nil
}

var errSeen = errors.New("the certificate was seen")
