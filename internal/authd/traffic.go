package authd

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Request is one request that reached the server. Path is the route's template,
// such as "/users/{user_uuid}/tokens"; POST /token is told apart as
// "/token password" and "/token refresh"; what fits no route is "(no route)".
type Request struct {
	Time   time.Time
	Method string
	Path   string
	Status int
}

// keepRequests bounds what Requests can give; Count knows all of them.
const keepRequests = 10000

type traffic struct {
	mu     sync.Mutex
	ring   []Request // the last keepRequests, in order from at on once full
	at     int
	counts map[[2]string]int // by method and path
}

func (t *traffic) add(r Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[[2]string]int{}
	}
	t.counts[[2]string{r.Method, r.Path}]++
	if len(t.ring) < keepRequests {
		t.ring = append(t.ring, r)
		return
	}
	t.ring[t.at] = r
	t.at = (t.at + 1) % keepRequests
}

// Requests gives what reached the server, oldest first: the last 10,000.
func (s *Server) Requests() []Request {
	t := &s.traffic
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Concat(t.ring[t.at:], t.ring[:t.at])
}

// Count tells how many requests with this method and path template arrived since
// the start or ResetRequests. An empty method or path means any; "/token" counts
// "/token password" and "/token refresh" together.
func (s *Server) Count(method, path string) int {
	t := &s.traffic
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for key, count := range t.counts {
		if (method == "" || method == key[0]) && matchesPath(path, key[1]) {
			n += count
		}
	}
	return n
}

// ResetRequests forgets what arrived so far.
func (s *Server) ResetRequests() {
	t := &s.traffic
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ring, t.at, t.counts = nil, 0, nil
}

func matchesPath(pattern, path string) bool {
	return pattern == "" || pattern == path || strings.HasPrefix(path, pattern+" ")
}
