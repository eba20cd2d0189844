package quick

import "testing"

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
