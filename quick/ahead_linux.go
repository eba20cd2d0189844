package quick

import (
	"os"
	"sync/atomic"
	"time"
)

// keyringService is what session files the key under, and aheadPatience how long its keyring may take here.
const (
	keyringService = "wakey"
	aheadPatience  = time.Second
)

// question to the keyring is under way while the program begins: most of the time that it takes, both wait
// for others.
type question struct {
	item   string
	answer chan opened
}

type opened struct {
	secret string
	ok     bool
}

// ahead is the question that was asked ahead, until somebody wants its answer.
var ahead atomic.Pointer[question]

// askAhead asks the keyring for the key of the store in dir, if it is there that a command will look for it.
func askAhead(dir string) {
	b, err := readFile(inside(dir, "key.json"), 4096)
	if err != nil || os.Getenv("WAKEY_REFRESH_TOKEN") != "" {
		return
	}
	var kind, item, recipient string
	known := object(b, func(name, value []byte) {
		switch string(name) {
		case "kind":
			kind = string(value)
		case "item":
			item = string(value)
		case "recipient":
			recipient = string(value)
		}
	})
	if _, unlocked := findKey("wakey:" + recipient); !known || kind != "keyring" || item == "" || unlocked {
		return
	}
	harden()
	q := &question{item, make(chan opened, 1)}
	ahead.Store(q)
	go func() {
		secret, ok := askItem(keyringService, q.item, aheadPatience)
		q.answer <- opened{secret, ok}
	}()
}
