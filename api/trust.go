package api

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Trust says whose certificate is accepted. The zero value: what this machine's own roots vouch for.
type Trust struct {
	// Pin is the fingerprint of the stack's public key, "SHA256:" and the raw standard base64 of the
	// SubjectPublicKeyInfo's digest. It suffices alone: with a pin the key must match, while expiry, names
	// and issuer are not asked, so a self-signed certificate renewed with the same key stays accepted.
	Pin string
	// CAFile is a PEM file of the authorities to trust instead of this machine's own.
	CAFile string
}

// CertReason says why a certificate was refused.
type CertReason string

// Why a certificate is refused.
const (
	CertUntrusted CertReason = "untrusted"  // nobody this machine trusts vouches for it: self-signed, or a private authority
	CertChanged   CertReason = "changed"    // the key is not the pinned one
	CertExpired   CertReason = "expired"    // vouched for, but out of its time
	CertWrongHost CertReason = "wrong host" // vouched for, but for other names
)

// CertError is a certificate that was refused, before any credential was sent.
type CertError struct {
	Host        string
	Fingerprint string // of the key the server showed, in the form of Trust.Pin
	Pin         string // the key that was expected; empty if none
	Subject     string
	Issuer      string
	NotBefore   time.Time
	NotAfter    time.Time
	Names       []string // what the certificate was made for
	Reason      CertReason
	Trusted     bool // Reason is CertChanged, yet this machine's roots vouch for the new certificate
}

func (e *CertError) Error() string { return string(e.Reason) }

// Is matches ErrCertificate.
func (e *CertError) Is(target error) bool { return target == ErrCertificate }

// CertInfo is what a stack shows of itself before anything is sent to it.
type CertInfo struct {
	Host        string
	Fingerprint string // in the form of Trust.Pin
	Subject     string
	Issuer      string
	NotBefore   time.Time
	NotAfter    time.Time
	Names       []string
	Problem     CertReason // empty: this machine's roots vouch for it, and no pin is needed
}

// Fingerprint asks a stack for its certificate and sends it nothing.
func Fingerprint(ctx context.Context, stack string) (CertInfo, error) {
	return CertInfo{}, errors.New("not built yet")
}

func newTransport(t Trust) (http.RoundTripper, error) { return http.DefaultTransport, nil }
