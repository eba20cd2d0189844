package authd

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
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"time"
)

// Running is a server that listens.
type Running struct {
	URL         string // of the stack, as a person gives it at sign-in
	Fingerprint string // "SHA256:" and the key's hash, base64 without padding; "" for plain http
	server      *http.Server
	done        chan error
}

// Start listens on addr (port 0 picks a free one) and serves h there until ctx ends
// or Close is called: HTTPS with a certificate made on the spot, or plain HTTP.
func Start(ctx context.Context, h http.Handler, addr string, plainHTTP bool) (*Running, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w; choose another address with --listen", addr, err)
	}
	r := &Running{
		URL:  "http://" + reachable(listener.Addr()),
		done: make(chan error, 1),
		server: &http.Server{
			Handler:           h,
			ReadHeaderTimeout: 10 * time.Second,
			ErrorLog:          log.New(io.Discard, "", 0), // clients that break off are no news
		},
	}
	if !plainHTTP {
		cert, fingerprint, err := selfSigned()
		if err != nil {
			_ = listener.Close()
			return nil, err
		}
		r.Fingerprint = fingerprint
		r.URL = "https://" + reachable(listener.Addr())
		// As the stack's nginx: HTTP/1.1 only.
		listener = tls.NewListener(listener, &tls.Config{
			Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		})
	}
	stop := context.AfterFunc(ctx, func() { _ = r.server.Close() })
	go func() {
		err := r.server.Serve(listener)
		stop()
		if err == http.ErrServerClosed {
			err = nil
		}
		r.done <- err
	}()
	return r, nil
}

// wait returns when the server has ended; nil when it was told to.
func (r *Running) wait() error {
	err := <-r.done
	r.done <- err // for the next who asks
	return err
}

// Close stops listening and breaks what is open.
func (r *Running) Close() error { return r.server.Close() }

// reachable is the address to give out: a wildcard becomes the loopback.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return addr.String()
	}
	host := tcp.IP.String()
	if tcp.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, itoa(tcp.Port))
}

// selfSigned makes the certificate that a fresh stack would show.
func selfSigned() (tls.Certificate, string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, "", fmt.Errorf("making a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return tls.Certificate{}, "", fmt.Errorf("making a certificate: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "localhost"},
		NotBefore:    now.Add(-time.Minute),
		NotAfter:     now.AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, "", fmt.Errorf("making a certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, "", fmt.Errorf("making a certificate: %w", err)
	}
	sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf},
		"SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:]), nil
}
