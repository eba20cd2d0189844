package quick

import (
	"bytes"
	"errors"
	"strconv"
	"syscall"
	"time"
)

// This is as much of the D-Bus protocol as OpenItem needs (D-Bus specification 0.43, Message Protocol).

// busSocket gives the socket of an address of the usual kinds; without one, where systemd puts it.
func busSocket(address string, uid int) (path string, ok bool) {
	if address == "" {
		return "/run/user/" + strconv.Itoa(uid) + "/bus", true
	}
	b, _, _ := bytes.Cut([]byte(address), []byte(","))
	if bytes.ContainsAny(b, "%;") {
		return "", false
	}
	if name, ok := bytes.CutPrefix(b, []byte("unix:abstract=")); ok {
		return "@" + string(name), true
	}
	if name, ok := bytes.CutPrefix(b, []byte("unix:path=")); ok {
		return string(name), true
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

func dialBus(path string, uid int, patience time.Duration) (*sessionBus, error) {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
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
		err = b.greet(uid)
	}
	if err != nil {
		_ = syscall.Close(fd)
		return nil, err
	}
	return b, nil
}

// greet says who we are, and hello, and asks the Secret Service for its collections, as the library does first:
// gnome-keyring 42.1 doesn't know a client yet that it has not answered, and dies of opening a session for it.
func (b *sessionBus) greet(uid int) error {
	digits := []byte(strconv.Itoa(uid))
	inHex := make([]byte, 0, 2*len(digits))
	for _, digit := range digits {
		inHex = append(inHex, '3', digit)
	}
	const bus = "org.freedesktop.DBus"
	hello := b.request(busCall{bus, "/org/freedesktop/DBus", bus, "Hello", "", nil})
	if err := b.send([]byte("\x00AUTH EXTERNAL "+string(inHex)+"\r\nBEGIN\r\n"), hello); err != nil {
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

// busCall is a call of a method.
type busCall struct {
	to, path, in, method string
	signature            string // of body
	body                 busBytes
}

// secretService is the interface that is called.
const secretService = "org.freedesktop.Secret.Service"

func secretCall(method, signature string, body busBytes) busCall {
	return busCall{"org.freedesktop.secrets", "/org/freedesktop/secrets", secretService, method, signature, body}
}

// busBytes are values as they travel, in little-endian order, each at a multiple of its size from the beginning.
type busBytes []byte

func (b busBytes) align(n int) busBytes {
	for len(b)%n != 0 {
		b = append(b, 0)
	}
	return b
}

func (b busBytes) raw(other []byte) busBytes { return append(b, other...) }

func (b busBytes) number(n uint32) busBytes {
	return append(b.align(4), byte(n), byte(n>>8), byte(n>>16), byte(n>>24)) //nolint:gosec // its bytes, one by one
}

func numberAt(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

// length is a number that says how much follows.
func (b busBytes) length(n int) busBytes {
	return b.number(uint32(n)) //nolint:gosec // all that is sent is short
}

func (b busBytes) text(s string) busBytes { return append(append(b.length(len(s)), s...), 0) }

func (b busBytes) signature(s string) busBytes {
	return append(append(append(b, byte(len(s))), s...), 0) //nolint:gosec // as length
}

// The kinds of messages, and the fields of their headers.
const (
	busMethodCall   = 1
	busMethodReturn = 2
	busError        = 3

	busFieldPath        = 1
	busFieldInterface   = 2
	busFieldMember      = 3
	busFieldReplySerial = 5
	busFieldDestination = 6
	busFieldSignature   = 8
)

// busHeader is how long the fixed part of a message is.
const busHeader = 16

// request gives the next message, which calls c.
func (b *sessionBus) request(c busCall) []byte {
	b.serial++
	var fields busBytes
	field := func(code byte, kind, text string) {
		fields = append(fields.align(8), code).signature(kind)
		if kind == "g" {
			fields = fields.signature(text)
		} else {
			fields = fields.text(text)
		}
	}
	field(busFieldPath, "o", c.path)
	field(busFieldDestination, "s", c.to)
	field(busFieldInterface, "s", c.in)
	field(busFieldMember, "s", c.method)
	if c.signature != "" {
		field(busFieldSignature, "g", c.signature)
	}
	head := busBytes{'l', busMethodCall, 0, 1}.length(len(c.body)).number(b.serial).length(len(fields))
	return head.raw(fields).align(8).raw(c.body)
}

// send writes messages in one go.
func (b *sessionBus) send(messages ...[]byte) error {
	var all []byte
	for _, m := range messages {
		all = append(all, m...)
	}
	for len(all) > 0 {
		n, err := syscall.Write(b.fd, all)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// more waits for bytes.
func (b *sessionBus) more() error {
	for time.Now().Before(b.giveUp) {
		n, err := syscall.Read(b.fd, b.waiting[:])
		if err == syscall.EINTR { // however a signal is handled: the socket has a time limit
			continue
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return errBus
		}
		b.in = append(b.in, b.waiting[:n]...)
		return nil
	}
	return errBus
}

// busLimit bounds a message: nothing that is asked for here comes near it.
const busLimit = 1 << 20

// answer waits for the answer to the request of that serial, and gives its body. Signals pass by.
func (b *sessionBus) answer(serial uint32) (*busReader, error) {
	for {
		for len(b.in) < busHeader {
			if err := b.more(); err != nil {
				return nil, err
			}
		}
		body, fields := numberAt(b.in[4:]), numberAt(b.in[12:])
		if b.in[0] != 'l' || body > busLimit || fields > busLimit {
			return nil, errBus
		}
		start := busHeader + (int(fields)+7)/8*8
		for len(b.in) < start+int(body) {
			if err := b.more(); err != nil {
				return nil, err
			}
		}
		message := b.in[:start+int(body)]
		b.in = b.in[len(message):]
		if replySerial(message[:busHeader+int(fields)]) != serial {
			continue
		}
		if message[1] != busMethodReturn {
			return nil, errBus
		}
		return &busReader{b: message[start:]}, nil
	}
}

// replySerial finds in a message's header which request it answers; 0 for none.
func replySerial(header []byte) uint32 {
	if header[1] != busMethodReturn && header[1] != busError {
		return 0
	}
	r := &busReader{b: header, at: busHeader}
	for !r.bad && r.at < len(r.b) {
		r.align(8)
		code := r.bytes(1)
		switch kind := r.signature(); {
		case r.bad:
		case kind == "u" && code[0] == busFieldReplySerial:
			if n := r.number(); !r.bad {
				return n
			}
		case kind == "u":
			r.number()
		case kind == "g":
			r.signature()
		default:
			r.text()
		}
	}
	return 0
}

// busReader takes values out of a message.
type busReader struct {
	b   []byte
	at  int
	bad bool // something wasn't there
}

func (r *busReader) bytes(n int) []byte {
	if n < 0 || n > len(r.b)-r.at {
		r.bad = true
	}
	if r.bad {
		return nil
	}
	r.at += n
	return r.b[r.at-n : r.at]
}

func (r *busReader) align(n int) { r.bytes((n - r.at%n) % n) }

func (r *busReader) number() uint32 {
	r.align(4)
	b := r.bytes(4)
	if r.bad {
		return 0
	}
	return numberAt(b)
}

// text reads a text with the zero byte behind it.
func (r *busReader) text() string {
	b := r.bytes(int(r.number()))
	r.bytes(1)
	return string(b)
}

func (r *busReader) signature() string {
	n := r.bytes(1)
	if r.bad {
		return ""
	}
	b := r.bytes(int(n[0]))
	r.bytes(1)
	return string(b)
}
