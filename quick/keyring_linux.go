package quick

import (
	"os"
	"syscall"
	"time"
)

// OpenItem reads an item of the keyring, if it is open. It speaks to the Secret Service by itself, as "wakey token"
// waits for nothing else: it asks four times. The library asks twelve times, as it finds out first where the
// item has to be and unlocks what may be locked, and its answers pass through other threads. ok is false when the
// library has to be asked: the item is locked, isn't there, or there is no answer within patience.
func OpenItem(service, item string, patience time.Duration) (secret string, ok bool) {
	if q := ahead.Swap(nil); q != nil && service == keyringService && item == q.item {
		a := <-q.answer
		return a.secret, a.ok
	}
	return askItem(service, item, patience)
}

func askItem(service, item string, patience time.Duration) (secret string, ok bool) {
	path, ok := busSocket(os.Getenv("DBUS_SESSION_BUS_ADDRESS"), os.Geteuid())
	if !ok {
		return "", false
	}
	bus, err := dialBus(path, os.Geteuid(), patience)
	if err != nil {
		return "", false
	}
	defer func() { _ = syscall.Close(bus.fd) }()
	secret, err = bus.openItem(service, item)
	return secret, err == nil
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
