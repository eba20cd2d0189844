package session

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// natsServer is a NATS server with JetStream in this process, for all tests that need no cluster.
var natsServer = sync.OnceValues(func() (*server.Server, error) {
	dir, err := tempDir("wakey-nats-")
	if err != nil {
		return nil, err
	}
	return startNATS(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: dir})
})

func startNATS(o *server.Options) (*server.Server, error) {
	o.NoLog, o.NoSigs = o.LogFile == "", true
	s, err := server.NewServer(o)
	if err != nil {
		return nil, err
	}
	s.ConfigureLogger()
	s.Start()
	if !s.ReadyForConnections(time.Minute) {
		return nil, fmt.Errorf("the NATS server %s does not get ready", o.ServerName)
	}
	return s, nil
}

var buckets atomic.Int64

// newTestBucket names a bucket that is not there yet, on the server that the tests share.
func newTestBucket(tb testing.TB) Bucket {
	tb.Helper()
	s, err := natsServer()
	if err != nil {
		tb.Fatal(err)
	}
	return Bucket{URL: s.ClientURL(), Name: fmt.Sprint("test", buckets.Add(1))}
}

// join makes a new directory a machine of the bucket.
func join(tb testing.TB, b Bucket, replicas int) *BucketStore {
	tb.Helper()
	dir := tb.TempDir()
	if _, err := InitBucket(tb.Context(), dir, BucketInit{b, replicas, PassphraseKey}, StoreOptions{Passphrase: testPassphrase}); err != nil {
		tb.Fatal(err)
	}
	return openTestBucket(tb, dir)
}

// openTestBucket opens the store of a machine that has joined a bucket, as another process would.
func openTestBucket(tb testing.TB, dir string) *BucketStore {
	tb.Helper()
	s, err := OpenStore(dir, StoreOptions{Passphrase: testPassphrase})
	if err != nil {
		tb.Fatal(err)
	}
	b, ok := s.(*BucketStore)
	if !ok {
		tb.Fatalf("the store is a %T", s)
	}
	tb.Cleanup(b.Close)
	return b
}
