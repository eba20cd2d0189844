package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"wakey/api"
)

// The requests here are those of the JetStream API (ADR-8 key-value, ADR-43 values that end by
// themselves, ADR-50 batches, of github.com/nats-io/nats-architecture-and-design). The package
// jetstream of nats.go makes most of them too, but not a lease that is taken anew, and it would make
// the program half a megabyte larger.

// apiError is what JetStream answers instead of what was asked for.
type apiError struct {
	Code        int    `json:"code"`
	ErrCode     int    `json:"err_code"`
	Description string `json:"description"`
}

func (e *apiError) Error() string {
	return fmt.Sprintf("JetStream: %s (%d)", api.Clean(e.Description), e.ErrCode)
}

// The error codes of JetStream that decide something here (server/errors.json of nats-server).
const (
	codeNoStream        = 10059
	codeNoMessage       = 10037
	codeWrongLast       = 10071 // somebody else was faster
	codeWrongLastAtWork = 10164 // and is being written just now
	codeBatchIncomplete = 10176 // the leader changed between two of its messages
	codeBatchesInFlight = 10210
	codeNameInUse       = 10058
)

func isCode(err error, codes ...int) bool {
	e, ok := errors.AsType[*apiError](err)
	for _, c := range codes {
		if ok && e.ErrCode == c {
			return true
		}
	}
	return false
}

// errConflict says that a key is not at the revision that a write was made for.
var errConflict = errors.New("somebody else was faster")

// stream is the bucket's name in JetStream, as every tool for NATS expects it.
func (b Bucket) stream() string { return "KV_" + b.Name }

func (b Bucket) subject(key string) string { return "$KV." + b.Name + "." + key }

// news is where JetStream tells of what was written to key.
func (b Bucket) news(key string) string { return "wakey." + b.Name + "." + key }

// call asks the JetStream API for something about the stream, once.
func (l *link) call(ctx context.Context, what string, request, response any) error {
	body := []byte(nil)
	if request != nil {
		var err error
		if body, err = json.Marshal(request); err != nil {
			return err
		}
	}
	answer, err := l.ask(ctx, &nats.Msg{Subject: "$JS.API.STREAM." + what + "." + l.bucket.stream(), Data: body})
	if err != nil {
		return err
	}
	var failed struct {
		Error *apiError `json:"error"`
	}
	if err := json.Unmarshal(answer.Data, &failed); err != nil {
		return fmt.Errorf("JetStream answers something else than it should: %w", err)
	}
	if failed.Error != nil {
		if failed.Error.ErrCode == codeNoStream {
			return fmt.Errorf("%w: there is no bucket %q: \"wakey store init --nats\" makes it", errNoBucket, l.bucket.Name)
		}
		return failed.Error
	}
	if response == nil {
		return nil
	}
	return json.Unmarshal(answer.Data, response)
}

var errNoBucket = errors.New("the bucket is not there")

// value is what a key of the bucket holds.
type value struct {
	data []byte    // nil: nothing
	rev  uint64    // of the last write; 0: there was none
	at   time.Time // when it was written, by the server's clock
}

// storedMessage is the answer to MSG.GET.
type storedMessage struct {
	Message struct {
		Seq     uint64    `json:"seq"`
		Headers []byte    `json:"hdrs"`
		Data    []byte    `json:"data"`
		Time    time.Time `json:"time"`
	} `json:"message"`
}

// get reads a key from the leader: no other replica may answer, for it may be behind.
func (l *link) get(ctx context.Context, patience time.Duration, key string) (value, error) {
	var m storedMessage
	err := l.persist(ctx, patience, func(ctx context.Context) error {
		return l.call(ctx, "MSG.GET", map[string]string{"last_by_subj": l.bucket.subject(key)}, &m)
	})
	if isCode(err, codeNoMessage) {
		return value{}, nil
	}
	if err != nil {
		return value{}, err
	}
	v := value{m.Message.Data, m.Message.Seq, m.Message.Time}
	if strings.Contains(string(m.Message.Headers), tombHeader+":") {
		v.data = nil
	}
	return v, nil
}

// tombHeader marks a value that says that there is none.
const tombHeader = "KV-Operation"

// write is one message to the bucket.
type write struct {
	key  string
	data []byte // nil: take the value away
	// rev is the revision that the key has to be at; 0: it has no value.
	rev uint64
	ttl time.Duration // 0: it stays
}

func (l *link) message(w write) *nats.Msg {
	m := nats.NewMsg(l.bucket.subject(w.key))
	m.Data = w.data
	m.Header.Set("Nats-Expected-Last-Subject-Sequence", strconv.FormatUint(w.rev, 10))
	if w.data == nil {
		m.Header.Set(tombHeader, "PURGE")
	}
	if w.ttl > 0 {
		m.Header.Set("Nats-TTL", w.ttl.String())
	}
	return m
}

// publish sends a message that JetStream keeps, once, and returns its revision.
func (l *link) publish(ctx context.Context, m *nats.Msg) (uint64, error) {
	answer, err := l.ask(ctx, m)
	if err != nil {
		return 0, err
	}
	var ack struct {
		Seq   uint64    `json:"seq"`
		Error *apiError `json:"error"`
	}
	if err := json.Unmarshal(answer.Data, &ack); err != nil {
		return 0, fmt.Errorf("JetStream answers something else than it should: %w", err)
	}
	if ack.Error != nil {
		return 0, ack.Error
	}
	return ack.Seq, nil
}

// put makes writes in one atomic step and returns the revision of the last. What got no answer is
// looked for before it is sent again: no two ciphertexts are the same. Errors: errConflict,
// errUnsure, ErrCutOff; only after errUnsure it may have been made.
func (l *link) put(ctx context.Context, patience time.Duration, writes ...write) (uint64, error) {
	var rev uint64
	maybe := false
	last := writes[len(writes)-1]
	err := l.persist(ctx, patience, func(ctx context.Context) error {
		var err error
		rev, err = l.send(ctx, writes)
		if isCode(err, codeWrongLast, codeWrongLastAtWork) {
			if !maybe {
				return errConflict
			}
			var there value
			if there, err = l.get(ctx, bucketTry, last.key); err != nil {
				return err
			}
			if rev = there.rev; string(there.data) != string(last.data) || (last.data == nil && there.rev == last.rev) {
				return errConflict
			}
			return nil
		}
		maybe = maybe || unsure(err)
		return err
	})
	if err != nil && maybe && !errors.Is(err, errConflict) {
		err = fmt.Errorf("%w: %w", errUnsure, err)
	}
	return rev, err
}

// send sends writes once: several as a batch, of which all are kept or none.
func (l *link) send(ctx context.Context, writes []write) (uint64, error) {
	if len(writes) == 1 {
		return l.publish(ctx, l.message(writes[0]))
	}
	nc, err := l.connected(ctx)
	if err != nil {
		return 0, err
	}
	batch := nats.NewInbox()[len(nats.InboxPrefix):]
	for i, w := range writes {
		m := l.message(w)
		m.Header.Set("Nats-Batch-Id", batch)
		m.Header.Set("Nats-Batch-Sequence", strconv.Itoa(i+1))
		if i == len(writes)-1 {
			m.Header.Set("Nats-Batch-Commit", "1")
			return l.publish(ctx, m)
		}
		if err := nc.PublishMsg(m); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// erase takes back what was written at a revision, unless something else is there by now. It is
// not tried for long: whoever calls it can do without.
func (l *link) erase(ctx context.Context, rev uint64) error {
	err := l.persist(ctx, bucketGlance, func(ctx context.Context) error {
		return l.call(ctx, "MSG.DELETE", map[string]any{"seq": rev, "no_erase": true}, nil)
	})
	if isCode(err, codeNoMessage, codeGone, codeNotDeleted) {
		return nil
	}
	return err
}

// The answers to the deletion of a message that is not there any more.
const (
	codeGone       = 10043
	codeNotDeleted = 10057
)
