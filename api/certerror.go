package api

import (
	"crypto/x509"
	"strings"
	"time"
)

// CertReason says why a certificate was refused.
type CertReason string

// Why a certificate is refused.
const (
	CertUntrusted CertReason = "untrusted"  // nobody trusted vouches for it: self-signed, or a private authority
	CertChanged   CertReason = "changed"    // the key is not the pinned one
	CertExpired   CertReason = "expired"    // vouched for, but out of its time
	CertWrongHost CertReason = "wrong host" // vouched for, but for other names
)

// CertInfo is what a stack shows of itself before anything is sent to it.
type CertInfo struct {
	Host        string
	Fingerprint string // in the form of Trust.Pin
	Subject     string
	Issuer      string
	NotBefore   time.Time
	NotAfter    time.Time
	Names       []string   // what the certificate was made for
	Problem     CertReason // empty: this machine's roots vouch for it, and no pin is needed
}

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
	Trusted     bool // the key changed, yet this machine's roots vouch for the new certificate
}

// Error tells what was shown, what was expected, and what to do next, on one line.
func (e *CertError) Error() string {
	shown := " (" + e.Host + ", subject " + orNone(e.Subject) + ", issuer " + orNone(e.Issuer) + ", valid until " +
		e.NotAfter.UTC().Format("2006-01-02 15:04 MST") + ")"
	switch e.Reason {
	case CertChanged:
		next := "if the stack was set up anew, get the new fingerprint from its administrator and replace the old one; " +
			"otherwise somebody may be in between: do not sign in"
		if e.Trusted {
			next = "this machine trusts the new certificate, so if the stack got a certificate of a public authority, forget the old fingerprint"
		}
		return "the key of the stack has changed" + shown + ": expected " + e.Pin + ", got " + e.Fingerprint + "; " + next
	case CertExpired:
		return "the certificate is out of its time" + shown + ": its key is " + e.Fingerprint +
			"; check this machine's clock, have the certificate renewed, or trust the key after comparing it with the stack's administrator"
	case CertWrongHost:
		return "the certificate is for other names: " + orNone(strings.Join(e.Names, ", ")) + shown + ": its key is " + e.Fingerprint +
			"; use one of these names as the stack's address, or trust the key after comparing it with the stack's administrator"
	default:
		return "nobody whom this machine trusts vouches for the certificate" + shown + ": its key is " + e.Fingerprint +
			"; compare it with the stack's administrator and trust it, or name the authority that made it"
	}
}

// Is matches ErrCertificate.
func (e *CertError) Is(target error) bool { return target == ErrCertificate }

// newCertError takes over what a certificate says of itself, made harmless: anybody can write anything into one.
func newCertError(host string, leaf *x509.Certificate) *CertError {
	e := &CertError{
		Host:        Clean(host),
		Fingerprint: fingerprint(leaf),
		Subject:     shorten(Clean(leaf.Subject.String()), 200),
		Issuer:      shorten(Clean(leaf.Issuer.String()), 200),
		NotBefore:   leaf.NotBefore.UTC(),
		NotAfter:    leaf.NotAfter.UTC(),
	}
	for _, name := range leaf.DNSNames {
		e.Names = append(e.Names, shorten(Clean(name), 100))
	}
	for _, ip := range leaf.IPAddresses {
		e.Names = append(e.Names, ip.String())
	}
	e.Names = e.Names[:min(len(e.Names), 10)]
	return e
}

func orNone(s string) string { return first(s, "none") }
