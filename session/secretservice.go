//go:build !darwin && !windows

package session

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	secretServiceName = "org.freedesktop.secrets"
	secretServicePath = "/org/freedesktop/secrets"
	secretServiceCall = "org.freedesktop.Secret.Service."
)

// openItem reads an item of the keyring, if it is open; tests leave the keyring of whoever runs them alone.
var openItem = readOpenItem

// readOpenItem waits three times for an answer, where the library, which finds out first where the item has to be and
// unlocks what may be locked, waits twelve times; "wakey token" waits for nothing else. ok is false when the
// library has to be asked: the item is locked, isn't there, or there is no answer.
func readOpenItem(ctx context.Context, service, item string) (secret string, ok bool) {
	bus, err := dialBus(ctx)
	if err != nil {
		return "", false
	}
	defer bus.Close()
	// Its answer is waited for: gnome-keyring 42.1 dies, once in a thousand times, of a call that comes right behind.
	if bus.Hello() != nil {
		return "", false
	}
	keyring := bus.Object(secretServiceName, secretServicePath)
	opened := keyring.Go(secretServiceCall+"OpenSession", 0, nil, "plain", dbus.MakeVariant(""))
	found := keyring.Go(secretServiceCall+"SearchItems", 0, nil, map[string]string{"service": service, "username": item})
	var (
		ignored          dbus.Variant
		session          dbus.ObjectPath
		unlocked, locked []dbus.ObjectPath
	)
	if (<-opened.Done).Store(&ignored, &session) != nil || (<-found.Done).Store(&unlocked, &locked) != nil || len(unlocked) != 1 {
		return "", false
	}
	var secrets map[dbus.ObjectPath]struct {
		Session           dbus.ObjectPath
		Parameters, Value []byte
		ContentType       string
	}
	if keyring.Call(secretServiceCall+"GetSecrets", 0, unlocked, session).Store(&secrets) != nil || len(secrets) != 1 {
		return "", false
	}
	return string(slices.Collect(maps.Values(secrets))[0].Value), true
}

// dialBus connects to the session bus without waiting for it.
func dialBus(ctx context.Context) (*dbus.Conn, error) {
	path, ok := busSocket(os.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	if !ok {
		return nil, errors.New("another kind of address")
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(keyringTimeout))
	bus, err := dbus.NewConn(&eagerConn{Conn: conn, in: bufio.NewReader(conn), canned: "REJECTED EXTERNAL\r\nOK 0\r\n"})
	if err == nil {
		err = bus.Auth([]dbus.Auth{dbus.AuthExternal("")})
	}
	if err != nil {
		_ = conn.Close()
	}
	return bus, err
}

// busSocket gives the socket of an address of the usual kinds.
func busSocket(address string) (path string, ok bool) {
	address, _, _ = strings.Cut(address, ",")
	if strings.ContainsAny(address, "%;") {
		return "", false
	}
	if name, ok := strings.CutPrefix(address, "unix:abstract="); ok {
		return "@" + name, true
	}
	if name, ok := strings.CutPrefix(address, "unix:path="); ok {
		return name, true
	}
	return "", false
}

// eagerConn spares the library the five questions and answers that precede its first message: what the bus is
// going to ask is known, so all is sent with the first message, and the library hears canned answers.
type eagerConn struct {
	net.Conn

	in     *bufio.Reader
	canned string
	begun  bool
	heard  bool
}

func (c *eagerConn) Write(b []byte) (int, error) {
	if c.begun {
		return c.Conn.Write(b)
	}
	if string(b) == "BEGIN\r\n" {
		c.begun = true
		_, err := c.Conn.Write([]byte("\x00AUTH EXTERNAL " + hex.EncodeToString([]byte(strconv.Itoa(os.Geteuid()))) + "\r\nBEGIN\r\n"))
		return len(b), err
	}
	return len(b), nil
}

func (c *eagerConn) Read(b []byte) (int, error) {
	if c.canned != "" {
		n := copy(b, c.canned)
		c.canned = c.canned[n:]
		return n, nil
	}
	if !c.heard {
		c.heard = true
		line, err := c.in.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "OK ") {
			return 0, errors.New("the bus refuses")
		}
	}
	return c.in.Read(b)
}
