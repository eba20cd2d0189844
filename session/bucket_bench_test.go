package session

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"wakey/api"
	"wakey/internal/authd"
)

// traffic is what went through the NATS server that the tests share, in both directions.
func traffic(b *testing.B) (messages, bytes float64) {
	b.Helper()
	s, err := natsServer()
	if err != nil {
		b.Fatal(err)
	}
	v, err := s.Varz(&server.VarzOptions{})
	if err != nil {
		b.Fatal(err)
	}
	return float64(v.InMsgs + v.OutMsgs), float64(v.InBytes + v.OutBytes)
}

// measured runs fn and says what it cost in messages, to the server and from it, for each of n machines.
func measured(b *testing.B, n int, fn func()) {
	b.Helper()
	messages, bytes := traffic(b)
	runs := 0
	for b.Loop() {
		fn()
		runs++
	}
	m, by := traffic(b)
	b.ReportMetric((m-messages)/float64(n*runs), "msgs")
	b.ReportMetric((by-bytes)/float64(n*runs), "wire-B")
}

// benchFleet is n machines of a bucket with one account, whose clocks later moves.
func benchFleet(b *testing.B, n int, later *atomic.Int64) (machines []*Manager, id ID) {
	b.Helper()
	stack, err := authd.New(authd.Config{}, authd.DemoSeed())
	if err != nil {
		b.Fatal(err)
	}
	bucket := newTestBucket(b)
	first := join(b, bucket, 1)
	for i := range n {
		store := first
		if i > 0 {
			store = openTestBucket(b, copyMachine(b, first.Dir()))
		}
		machines = append(machines, New(store, Options{
			Transport: authd.Transport(stack), Now: func() time.Time { return time.Now().Add(time.Duration(later.Load())) },
		}))
	}
	a, err := machines[0].SignIn(b.Context(), SignInRequest{
		Stack: "pbx.example.com", Login: "alice", Password: api.NewSecret("alice-demo"), Lifetime: fleetLifetime,
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, m := range machines {
		if err := m.Load(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	return machines, a.ID
}

// BenchmarkBucketRefresh is a whole refresh: lease, read again, note, proof, ask, keep, give back; with nobody who
// listens, and with ten machines that do.
func BenchmarkBucketRefresh(b *testing.B) {
	for _, listeners := range []int{0, 10} {
		b.Run(fmt.Sprintf("listeners=%d", listeners), func(b *testing.B) {
			machines, id := benchFleet(b, 1+listeners, new(atomic.Int64))
			for _, m := range machines[1:] {
				if _, err := m.store.Stamp(); err != nil {
					b.Fatal(err)
				}
			}
			measured(b, 1, func() {
				if _, err := machines[0].Refresh(b.Context(), id); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// BenchmarkBucketTogether is what each of a hundred machines costs that find a dead token at the same instant.
func BenchmarkBucketTogether(b *testing.B) {
	later := new(atomic.Int64)
	machines, id := benchFleet(b, 100, later)
	measured(b, len(machines), func() {
		later.Add(int64(fleetLifetime + time.Minute))
		var all sync.WaitGroup
		for _, m := range machines {
			all.Go(func() {
				if _, err := m.Token(b.Context(), id, 0); err != nil {
					b.Error(err)
				}
			})
		}
		all.Wait()
	})
}

// BenchmarkBucketLoad is what a process that has begun reads: of one account, and of a hundred.
func BenchmarkBucketLoad(b *testing.B) {
	for _, accounts := range []int{1, 100} {
		b.Run(fmt.Sprintf("accounts=%d", accounts), func(b *testing.B) {
			machines, _ := benchFleet(b, 2, new(atomic.Int64))
			fill(b, machines[0].store, accounts-1)
			measured(b, 1, func() {
				if err := machines[1].Load(b.Context()); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// BenchmarkBucketStart is a process that begins, connects, reads one account and ends, as "wakey token" does.
func BenchmarkBucketStart(b *testing.B) {
	machines, id := benchFleet(b, 1, new(atomic.Int64))
	first := machines[0].store.(*BucketStore)
	measured(b, 1, func() {
		s := openTestBucket(b, first.Dir())
		s.files.setKey(first.files.openedKey()) // as from the kernel's keyring
		m := New(s, Options{})
		if err := m.Load(b.Context()); err != nil {
			b.Fatal(err)
		}
		if _, err := m.Token(b.Context(), id, 0); err != nil {
			b.Fatal(err)
		}
		s.Close()
	})
}

// BenchmarkBucketNews is what a machine that listens pays for a token that another one wrote, until it has it.
func BenchmarkBucketNews(b *testing.B) {
	machines, id := benchFleet(b, 2, new(atomic.Int64))
	stamp := func() string {
		s, err := machines[1].store.Stamp()
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	stamp()
	if err := machines[1].Load(b.Context()); err != nil {
		b.Fatal(err)
	}
	tick := time.NewTicker(100 * time.Microsecond)
	defer tick.Stop()
	measured(b, 1, func() {
		before := stamp()
		if _, err := machines[0].store.Update(b.Context(), id, func(r *Record) error { r.Lifetime++; return nil }); err != nil {
			b.Fatal(err)
		}
		for stamp() == before {
			<-tick.C
		}
		if err := machines[1].Load(b.Context()); err != nil {
			b.Fatal(err)
		}
	})
}
