//go:build linux

package session

import (
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"a.wakey/quick"
	"github.com/zalando/go-keyring"

	"wakey/internal/keyringd"
)

// What is open is read without the library; for anything else the library is asked.
func TestOpenItem(t *testing.T) {
	if !inSession(t) {
		return
	}
	keyringd.Start(t, os.Environ())
	if err := keyring.Set(keyringService, "mine", "a secret"); err != nil {
		t.Fatal(err)
	}
	if secret, ok := openItem(keyringService, "mine", 10*time.Second); secret != "a secret" || !ok {
		t.Errorf("open: %q, %v", secret, ok)
	}
	if secret, ok := openItem(keyringService, "nobody's", 10*time.Second); secret != "" || ok {
		t.Errorf("no such item: %q, %v", secret, ok)
	}
	keyringd.Lock(t, os.Environ())
	if secret, ok := openItem(keyringService, "mine", 10*time.Second); secret != "" || ok {
		t.Errorf("locked: %q, %v", secret, ok)
	}
}

// Clients that come and go in no time, many at once, are too much for no keyring.
func TestOpenItemOften(t *testing.T) {
	if !inSession(t) {
		return
	}
	keyringd.Start(t, os.Environ())
	if err := keyring.Set(keyringService, "mine", "a secret"); err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for i := range 250 {
				if secret, ok := openItem(keyringService, "mine", 10*time.Second); secret != "a secret" || !ok {
					t.Errorf("after %d: %q, %v", i, secret, ok)
					return
				}
			}
		})
	}
	readers.Wait()
}

// Whatever answers at the bus's address, the answer is no secret and comes in time.
func TestOpenItemOfNoBus(t *testing.T) {
	for name, says := range map[string]string{
		"refuses":  "REJECTED DBUS_COOKIE_SHA1\r\n",
		"garbage":  "OK 1234\r\nl\x02\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		"hangs up": "",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bus")
			bus, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer bus.Close()
			go func() {
				conn, err := bus.Accept()
				if err != nil {
					return
				}
				buf := make([]byte, 4096)
				_, _ = conn.Read(buf)
				_, _ = conn.Write([]byte(says))
				_ = conn.Close()
			}()
			t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+path+",guid=0")
			if secret, ok := quick.OpenItem(keyringService, "mine", 10*time.Second); secret != "" || ok {
				t.Errorf("%q, %v", secret, ok)
			}
		})
	}
}

// A machine of a bucket may keep the key in its keyring: it needs the passphrase to join, and when the key has
// been changed elsewhere.
func TestBucketKeyInTheKeyring(t *testing.T) {
	if !inSession(t) {
		return
	}
	keyringd.Start(t, os.Environ())
	b, dir := newTestBucket(t), t.TempDir()
	person := StoreOptions{Passphrase: testPassphrase}
	if made, err := InitBucket(t.Context(), dir, BucketInit{b, 1, KeyringKey}, person); !made || err != nil {
		t.Fatal(made, err)
	}
	others := join(t, b, 1) // by the passphrase that was chosen on the way
	if _, err := others.Update(t.Context(), "00000001", named("a")); err != nil {
		t.Fatal(err)
	}
	alone := func(o StoreOptions) (Store, error) {
		s, err := OpenStore(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.(*BucketStore).Close)
		_, err = s.Load(t.Context())
		return s, err
	}
	s, err := alone(StoreOptions{})
	if err != nil {
		t.Fatalf("with nobody to ask: %v", err)
	}
	if st, err := s.(*BucketStore).Status(t.Context()); err != nil || st.Kind != KeyringKey || len(items(t)) != 1 {
		t.Errorf("%+v, %v; in the keyring: %q", st, err, items(t))
	}
	if err := others.Rekey(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = alone(StoreOptions{})
	says(t, err, ErrLocked)
	for _, o := range []StoreOptions{person, {}} {
		if s, err := alone(o); err != nil || tokensOf(t, s) != "a=" {
			t.Errorf("the new key: %v", err)
		}
	}
	if len(items(t)) != 1 {
		t.Errorf("in the keyring: %q", items(t))
	}
}
