package session

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// How long the bucket is waited for. Electing another leader takes NATS 4 to 10 s.
var (
	bucketTry    = 5 * time.Second  // one request and its answer
	bucketDial   = 2 * time.Second  // one server to take the connection
	bucketGlance = 3 * time.Second  // a look, in place of which the copy here will do
	bucketWait   = 20 * time.Second // what has to be done
	bucketMove   = 5 * time.Second  // a server through which nothing gets done, before another is tried
)

// bucketStay is how long no third server is tried then: where none can do anything, thousands of machines must
// not keep them busy with connections.
const bucketStay = 30 * time.Second

// bucketGone is how long a broken connection may be broken before nobody waits for it any more.
const bucketGone = 2 * time.Second

// passing tells whether the same may be asked again a little later: nobody answers, there is no
// leader just now, or the connection is being made anew.
func passing(err error) bool {
	if errors.Is(err, ErrCutOff) {
		return false // it was waited for
	}
	if e, ok := errors.AsType[*apiError](err); ok {
		return e.Code == 503 || isCode(err, codeBatchIncomplete, codeBatchesInFlight)
	}
	for _, known := range []error{
		nats.ErrNoResponders, nats.ErrTimeout, context.DeadlineExceeded, nats.ErrConnectionClosed, nats.ErrDisconnected,
		nats.ErrConnectionReconnecting, nats.ErrReconnectBufExceeded, nats.ErrNoServers, nats.ErrStaleConnection, errNotConnected,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	_, network := errors.AsType[net.Error](err)
	return network
}

// unsure tells whether what was asked for may have been done although it failed with err.
func unsure(err error) bool {
	_, answered := errors.AsType[*apiError](err)
	return err != nil && !answered && !errors.Is(err, nats.ErrNoResponders) && !errors.Is(err, errNotConnected)
}

var errNotConnected = errors.New("no NATS server can be reached")

// link is a connection to NATS that comes back by itself.
type link struct {
	bucket  Bucket
	dialing gate
	conn    atomic.Pointer[nats.Conn]
	// trouble is the last thing that the server or the connection complained about.
	trouble atomic.Pointer[error]
	// since when there is no connection, in nanoseconds of Unix time; 0: there is one.
	since atomic.Int64
	// idle is since when something is asked for and nothing gets done, likewise; 0: the last request was answered.
	idle atomic.Int64
	// changed is called when the connection breaks, comes back, or dropped messages.
	changed func()
}

func newLink(b Bucket, changed func()) *link {
	return &link{bucket: b, dialing: make(gate, 1), changed: changed}
}

// connected gives the connection, waiting for it while that makes sense.
func (l *link) connected(ctx context.Context) (*nats.Conn, error) {
	nc := l.conn.Load()
	if nc == nil || nc.IsClosed() {
		var err error
		if nc, err = l.dial(); err != nil {
			return nil, err
		}
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !nc.IsConnected() {
		if l.gone() || nc.IsClosed() {
			return nil, l.complaint(errNotConnected)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, l.complaint(errNotConnected)
		}
	}
	return nc, nil
}

// gone tells whether the connection has been broken for so long that nobody waits for it.
func (l *link) gone() bool {
	since := l.since.Load()
	return since != 0 && time.Since(time.Unix(0, since)) > bucketGone
}

func (l *link) complaint(err error) error {
	if p := l.trouble.Load(); p != nil && *p != nil {
		return fmt.Errorf("%w: %w", err, *p)
	}
	return err
}

func (l *link) dial() (*nats.Conn, error) {
	defer l.dialing.pass()()
	if nc := l.conn.Load(); nc != nil && !nc.IsClosed() {
		return nc, nil
	}
	if l.gone() && time.Since(time.Unix(0, l.since.Load())) < 2*bucketGone {
		return nil, l.complaint(errNotConnected) // it was tried just now
	}
	urls, err := l.bucket.addresses()
	if err != nil {
		return nil, err
	}
	options := []nats.Option{
		nats.Name("wakey"), nats.Timeout(bucketDial),
		nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond), nats.ReconnectJitter(250*time.Millisecond, 500*time.Millisecond),
		nats.ReconnectBufSize(-1), // a request of before would come too late
		nats.PingInterval(30 * time.Second), nats.MaxPingsOutstanding(2), nats.NoCallbacksAfterClientClose(),
		nats.ReconnectHandler(func(*nats.Conn) { l.back() }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { l.broken(err) }),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { l.complain(err) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			l.complain(err)
			l.changed() // a slow reader, whom messages were kept from
		}),
	}
	if l.bucket.CAFile != "" {
		options = append(options, nats.RootCAs(l.bucket.CAFile))
	}
	if l.bucket.Creds != "" {
		credentials, err := userOption(l.bucket.Creds)
		if err != nil {
			return nil, fmt.Errorf("%w %q: the credentials can't be read (%w): put the file back", ErrCutOff, l.bucket.Name, err)
		}
		options = append(options, credentials)
	}
	nc, err := nats.Connect(urls, options...)
	if err != nil {
		l.broken(err)
		l.since.Store(time.Now().Add(-bucketGone).UnixNano()) // all were tried: nobody waits
		return nil, fmt.Errorf("%w: %w", errNotConnected, err)
	}
	l.since.Store(0)
	if old := l.conn.Swap(nc); old != nil {
		old.Close()
	}
	return nc, nil
}

// userOption reads the file that says who we are: what "nsc generate creds" writes, or a seed alone.
func userOption(path string) (nats.Option, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if strings.Contains(string(data), "USER JWT") {
		return nats.UserCredentials(path), nil
	}
	return nats.NkeyOptionFromSeed(path)
}

func (l *link) complain(err error) {
	if err != nil {
		l.trouble.Store(&err)
	}
}

func (l *link) broken(err error) {
	l.complain(err)
	l.since.CompareAndSwap(0, time.Now().UnixNano())
	l.changed()
}

func (l *link) back() {
	l.since.Store(0)
	l.trouble.Store(nil)
	l.changed()
}

// elsewhere takes the connection to another server when nothing got done through this one for a while: it
// may be cut off from the others, which its clients can't see.
func (l *link) elsewhere() {
	now, idle := time.Now(), l.idle.Load()
	if idle == 0 {
		return
	}
	if now.Sub(time.Unix(0, idle)) < bucketMove || !l.idle.CompareAndSwap(idle, now.Add(bucketStay-bucketMove).UnixNano()) {
		return
	}
	if nc := l.conn.Load(); nc != nil && nc.IsConnected() {
		_ = nc.ForceReconnect() // it was closed meanwhile: the next request makes another
	}
}

func (l *link) close() {
	if nc := l.conn.Swap(nil); nc != nil {
		nc.Close()
	}
}

// ask sends one request and waits for its answer.
func (l *link) ask(ctx context.Context, msg *nats.Msg) (*nats.Msg, error) {
	try, cancel := context.WithTimeout(ctx, bucketTry)
	defer cancel()
	nc, err := l.connected(try)
	if err != nil {
		return nil, err
	}
	answer, err := nc.RequestMsgWithContext(try, msg)
	if err == nil {
		return answer, nil
	}
	if p := l.trouble.Load(); p != nil && errors.Is(*p, nats.ErrPermissionViolation) && strings.Contains((*p).Error(), msg.Subject) {
		return nil, fmt.Errorf("%w %q: %w", ErrCutOff, l.bucket.Name, *p) // waiting on would not help
	}
	return nil, l.complaint(err)
}

// persist calls op until it succeeds, fails for good, or patience is at its end. Errors: ErrCutOff
// when the bucket can't be reached, and op's.
func (l *link) persist(ctx context.Context, patience time.Duration, op func(ctx context.Context) error) error {
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	l.idle.CompareAndSwap(0, time.Now().UnixNano())
	for delay := 20 * time.Millisecond; ; delay = min(2*delay, time.Second) {
		err := op(wait)
		if err == nil || !passing(err) {
			l.idle.Store(0)
			return err
		}
		l.elsewhere()
		if errors.Is(ctx.Err(), context.Canceled) {
			return ctx.Err()
		}
		if !l.gone() {
			select {
			case <-time.After(delay/2 + rand.N(delay)): //nolint:gosec // spreads the waiting, hides nothing
				continue
			case <-wait.Done():
			}
		}
		return fmt.Errorf("%w %q: %w", ErrCutOff, l.bucket.Name, err)
	}
}
