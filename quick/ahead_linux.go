package quick

import (
	"bytes"
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
	b = bytes.ReplaceAll(b, []byte(`": "`), []byte(`":"`)) // it is indented
	if field(b, "kind") != "keyring" || field(b, "item") == "" || hasKey("wakey:"+field(b, "recipient")) {
		return
	}
	harden()
	q := &question{field(b, "item"), make(chan opened, 1)}
	ahead.Store(q)
	go func() {
		secret, ok := askItem(keyringService, q.item, aheadPatience)
		q.answer <- opened{secret, ok}
	}()
}

// askedAhead gives the answer to the question for item, if that was asked ahead.
func askedAhead(service, item string) (secret string, ok bool) {
	q := ahead.Swap(nil)
	if q == nil || service != keyringService || item != q.item {
		return "", false
	}
	a := <-q.answer
	return a.secret, a.ok
}
