package session

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
)

// certificateFor makes a server's certificate that signs itself.
func certificateFor(t *testing.T, ip string) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "nats"}, IPAddresses: []net.IP{net.ParseIP(ip)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// A server that asks for TLS and for a user, whose permissions are those of docs/fleet.md, is one like any other.
func TestBucketOverTLSAsAUser(t *testing.T) {
	defer func(before time.Duration) { bucketTry = before }(bucketTry)
	bucketTry = time.Second
	certificate, ca := certificateFor(t, "127.0.0.1")
	_, otherCA := certificateFor(t, "127.0.0.1")
	dir := t.TempDir()
	seeds, users := map[string]string{}, []*server.NkeyUser{}
	admin := &server.Permissions{}
	machine := &server.Permissions{
		Publish: &server.SubjectPermission{Allow: []string{
			"$KV.own.>", "$JS.API.STREAM.INFO.KV_own", "$JS.API.STREAM.MSG.GET.KV_own", "$JS.API.STREAM.MSG.DELETE.KV_own",
		}},
		Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX.>", "wakey.own.>"}},
	}
	for name, allowed := range map[string]*server.Permissions{"admin": admin, "machine": machine, "stranger": nil} {
		pair, err := nkeys.CreateUser()
		if err != nil {
			t.Fatal(err)
		}
		seed, _ := pair.Seed()
		public, _ := pair.PublicKey()
		seeds[name] = filepath.Join(dir, name+".nk")
		writeFile(t, seeds[name], append(seed, '\n'))
		if allowed != nil {
			users = append(users, &server.NkeyUser{Nkey: public, Permissions: allowed})
		}
	}
	writeFile(t, filepath.Join(dir, "ca.pem"), ca)
	writeFile(t, filepath.Join(dir, "other.pem"), otherCA)
	store, err := tempDir("wakey-nats-")
	if err != nil {
		t.Fatal(err)
	}
	s, err := startNATS(&server.Options{
		Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: store, Nkeys: users, TLSTimeout: 10, AuthTimeout: 10,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Shutdown()
	b := Bucket{URL: fmt.Sprintf("tls://127.0.0.1:%d", s.Addr().(*net.TCPAddr).Port), Name: "own", CAFile: filepath.Join(dir, "ca.pem")}
	as := func(user string) Bucket { b := b; b.Creds = seeds[user]; return b }
	person := StoreOptions{Passphrase: testPassphrase}
	for text, c := range map[string]struct {
		bucket Bucket
		says   string
	}{
		"no user":          {b, "own"},
		"another user":     {as("stranger"), "iolation"},
		"another CA":       {Bucket{URL: b.URL, Name: b.Name, CAFile: filepath.Join(dir, "other.pem"), Creds: seeds["admin"]}, "certificate"},
		"may not make one": {as("machine"), "STREAM.CREATE"},
	} {
		ctx, cancel := withTimeout(t, 7*time.Second)
		_, err := InitBucket(ctx, t.TempDir(), BucketInit{c.bucket, 1, PassphraseKey}, person)
		cancel()
		if says(t, err, ErrCutOff, c.says); t.Failed() {
			t.Fatal(text)
		}
	}
	for _, wrong := range []Bucket{
		{URL: b.URL, Name: b.Name, CAFile: b.CAFile, Creds: filepath.Join(dir, "none")},
		{URL: b.URL, Name: b.Name, CAFile: b.CAFile, Creds: b.CAFile},
		{URL: b.URL, Name: b.Name, CAFile: filepath.Join(dir, "none"), Creds: seeds["admin"]},
		{URL: b.URL, Name: b.Name, CAFile: seeds["admin"], Creds: seeds["admin"]},
	} {
		_, err := InitBucket(t.Context(), t.TempDir(), BucketInit{wrong, 1, PassphraseKey}, person)
		says(t, err, nil, "can't be read")
		if errors.Is(err, ErrCutOff) {
			t.Errorf("a file that can't be read counts as being cut off: %v", err)
		}
	}
	join(t, as("admin"), 1)
	m := join(t, as("machine"), 1)
	if _, err := m.Stamp(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Update(t.Context(), "00000001", fullRecord); err != nil {
		t.Fatal(err)
	}
	l, err := m.Lock(t.Context(), "00000001")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Begin(Attempt{Op: "refresh"}); err != nil {
		t.Error(err)
	}
	if err := l.End(); err != nil {
		t.Error(err)
	}
	l.Release()
	if v, err := m.link.get(t.Context(), bucketWait, leaseKeys+"00000001"); err != nil || v.rev != 0 {
		t.Errorf("the lease is not given back: %+v, %v", v, err)
	}
	if recs, err := m.Load(t.Context()); err != nil || len(recs) != 1 || !m.news.whole {
		t.Errorf("%d accounts, %v, heard of: %v", len(recs), err, m.news.whole)
	}
	if _, err := m.takeOrphans(t.Context()); err != nil {
		t.Error(err)
	}
	if st := m.Engine(t.Context()); st.CutOff != nil || st.Online() != 1 {
		t.Errorf("%+v", st)
	}
	if err := m.Rekey(t.Context()); err != nil {
		t.Error(err)
	}
	// Whose credentials went away has what it saw last.
	if err := os.Rename(seeds["machine"], seeds["machine"]+".away"); err != nil {
		t.Fatal(err)
	}
	recs, err := openTestBucket(t, m.Dir()).Load(t.Context())
	if says(t, err, ErrCutOff, "put the file back"); len(recs) != 1 {
		t.Errorf("%d records in the copy", len(recs))
	}
	if err := m.Remove(t.Context(), "00000001"); err != nil {
		t.Error(err)
	}
	if p := m.link.trouble.Load(); p != nil && *p != nil {
		t.Errorf("the server complained: %v", *p)
	}
}
