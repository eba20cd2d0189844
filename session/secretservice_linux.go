package session

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// openItem reads an item of the keyring, if it is open; tests leave the keyring of whoever runs them alone.
var openItem = readOpenItem

// readOpenItem speaks to the Secret Service by itself, as "wakey token" waits for nothing else: it asks four times.
// The library asks twelve times, as it finds out first where the item
// has to be and unlocks what may be locked, and its answers pass through other threads. ok is false when the library
// has to be asked: the item is locked, isn't there, or there is no answer.
func readOpenItem(ctx context.Context, service, item string) (secret string, ok bool) {
	if ctx.Err() != nil {
		return "", false
	}
	path, ok := busSocket(os.Getenv("DBUS_SESSION_BUS_ADDRESS"), os.Geteuid())
	if !ok {
		return "", false
	}
	bus, err := dialBus(path)
	if err != nil {
		return "", false
	}
	defer func() { _ = syscall.Close(bus.fd) }()
	secret, err = bus.openItem(service, item)
	return secret, err == nil
}

// busSocket gives the socket of an address of the usual kinds; without one, where systemd puts it.
func busSocket(address string, uid int) (path string, ok bool) {
	if address == "" {
		return "/run/user/" + strconv.Itoa(uid) + "/bus", true
	}
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

// sessionBus is a connection to a message bus that one goroutine uses.
type sessionBus struct {
	fd      int
	serial  uint32
	in      []byte
	giveUp  time.Time
	waiting [4096]byte
}

var errBus = errors.New("the bus does not answer as it should")

func dialBus(path string) (*sessionBus, error) {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	patience := keyringTimeout / 5 // an open keyring answers at once; the library gets the rest
	b := &sessionBus{fd: fd, giveUp: time.Now().Add(patience)}
	wait := syscall.NsecToTimeval(int64(patience))
	err = errors.Join(
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &wait),
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &wait),
	)
	if err == nil {
		err = syscall.Connect(fd, &syscall.SockaddrUnix{Name: path})
	}
	if err == nil {
		err = b.greet()
	}
	if err != nil {
		_ = syscall.Close(fd)
		return nil, err
	}
	return b, nil
}

// greet says who we are, and hello, and asks the Secret Service for its collections, as the library does first:
// gnome-keyring 42.1 doesn't know a client yet that it has not answered, and dies of opening a session for it.
func (b *sessionBus) greet() error {
	uid := hex.EncodeToString([]byte(strconv.Itoa(os.Geteuid())))
	const bus = "org.freedesktop.DBus"
	hello := b.request(busCall{bus, "/org/freedesktop/DBus", bus, "Hello", "", nil})
	if err := b.send([]byte("\x00AUTH EXTERNAL "+uid+"\r\nBEGIN\r\n"), hello); err != nil {
		return err
	}
	for !bytes.Contains(b.in, []byte("\r\n")) {
		if err := b.more(); err != nil {
			return err
		}
	}
	line, rest, _ := bytes.Cut(b.in, []byte("\r\n"))
	if b.in = rest; !bytes.HasPrefix(line, []byte("OK ")) {
		return errBus
	}
	if _, err := b.answer(b.serial); err != nil {
		return err
	}
	question := secretCall("Get", "ss", busBytes{}.text(secretService).text("Collections"))
	question.in = bus + ".Properties"
	if err := b.send(b.request(question)); err != nil {
		return err
	}
	_, err := b.answer(b.serial)
	return err
}

// openItem finds an item that is open, and reads it.
func (b *sessionBus) openItem(service, item string) (string, error) {
	opening := b.request(secretCall("OpenSession", "sv", busBytes{}.text("plain").signature("s").text("")))
	session := b.serial
	attributes := busBytes{}.text("service").text(service).align(8).text("username").text(item)
	search := b.request(secretCall("SearchItems", "a{ss}", busBytes{}.length(len(attributes)).align(8).raw(attributes)))
	found := b.serial
	if err := b.send(opening, search); err != nil {
		return "", err
	}
	answer, err := b.answer(session)
	if err != nil {
		return "", err
	}
	answer.signature() // of an empty text
	answer.text()
	sessionPath := answer.text()
	items, err := b.answer(found)
	if err != nil {
		return "", err
	}
	unlocked := items.number() // bytes of paths
	path := items.text()
	if answer.bad || items.bad || items.at != 4+int(unlocked) {
		return "", errBus // none, or more than one
	}
	paths := busBytes{}.text(path)
	if err := b.send(b.request(secretCall("GetSecrets", "aoo", busBytes{}.length(len(paths)).raw(paths).text(sessionPath)))); err != nil {
		return "", err
	}
	secrets, err := b.answer(b.serial)
	if err != nil {
		return "", err
	}
	secrets.number()
	secrets.align(8)
	secrets.text() // the item
	secrets.align(8)
	secrets.text()                       // the session
	secrets.bytes(int(secrets.number())) // parameters, which this session has none of
	value := secrets.bytes(int(secrets.number()))
	if secrets.bad {
		return "", errBus
	}
	return string(value), nil
}
