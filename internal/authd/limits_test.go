package authd

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestRateLimitIsTheProxysAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := newServer(t, Config{})
		count := func(path string) (refused int) {
			for range 40 {
				if c.do("GET", path, nil).status == 429 {
					refused++
				}
			}
			return refused
		}
		if n := count("/api/auth/0.1/backends"); n != 24 {
			t.Errorf("%d of 40 at once refused, want 24: 1 and a burst of 15 pass", n)
		}
		if n := count("/0.1/backends"); n != 0 {
			t.Errorf("the daemon itself refused %d", n)
		}
		time.Sleep(time.Second)
		if n := count("/api/auth/0.1/backends"); n != 24 {
			t.Errorf("a second later %d refused, want 24", n)
		}
	})
}

func TestStateStaysBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := newServer(t, Config{TokenLifetime: 20 * time.Second})
		_, rt := c.offline("alice", "laptop")
		for range 15000 {
			if r := c.refresh(rt, "laptop"); r.status != 200 {
				t.Fatalf("%d %v", r.status, r.body)
			}
			time.Sleep(time.Second)
		}
		if n := len(s.tokens) + len(s.sessions) + len(s.byUser[alice]); n > 3*100 {
			t.Errorf("%d tokens and sessions are kept", n)
		}
		if n := len(s.Requests()); n != keepRequests {
			t.Errorf("%d requests are kept, want %d", n, keepRequests)
		}
		if n := s.Count("POST", "/token refresh"); n != 15000 {
			t.Errorf("counted %d refreshes", n)
		}
	})
}
