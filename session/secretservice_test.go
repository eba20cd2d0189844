//go:build linux

package session

import (
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

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
	if secret, ok := openItem(t.Context(), keyringService, "mine"); secret != "a secret" || !ok {
		t.Errorf("open: %q, %v", secret, ok)
	}
	if secret, ok := openItem(t.Context(), keyringService, "nobody's"); secret != "" || ok {
		t.Errorf("no such item: %q, %v", secret, ok)
	}
	keyringd.Lock(t, os.Environ())
	if secret, ok := openItem(t.Context(), keyringService, "mine"); secret != "" || ok {
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
				if secret, ok := openItem(t.Context(), keyringService, "mine"); secret != "a secret" || !ok {
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
			if secret, ok := readOpenItem(t.Context(), keyringService, "mine"); secret != "" || ok {
				t.Errorf("%q, %v", secret, ok)
			}
		})
	}
}

func TestBusSocket(t *testing.T) {
	for address, want := range map[string]string{
		"unix:path=/run/user/1000/bus":        "/run/user/1000/bus",
		"unix:path=/tmp/dbus-x,guid=0123":     "/tmp/dbus-x",
		"unix:abstract=/tmp/dbus-x,guid=0123": "@/tmp/dbus-x",
		"unix:path=/tmp/a%20b":                "",
		"unix:tmpdir=/tmp;unix:path=/x":       "",
		"tcp:host=localhost,port=1":           "",
		"":                                    "/run/user/1000/bus",
		"disabled:":                           "",
	} {
		if got, ok := busSocket(address, 1000); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v", address, got, ok)
		}
	}
}

// Whatever comes over the bus, it is read to its end and no further.
func FuzzBusReader(f *testing.F) {
	b := &sessionBus{}
	f.Add(b.request(secretCall("GetSecrets", "aoo", busBytes{}.number(0).text("/x"))))
	f.Add([]byte("l\x02\x01\x01\x08\x00\x00\x00\x03\x00\x00\x00\x08\x00\x00\x00\x05\x01u\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, message []byte) {
		if len(message) >= busHeader {
			replySerial(message)
		}
		r := &busReader{b: message}
		for range 5 {
			r.text()
			r.align(8)
			r.signature()
			r.bytes(int(r.number()))
		}
		if r.at > len(message) {
			t.Errorf("at %d of %d", r.at, len(message))
		}
	})
}
