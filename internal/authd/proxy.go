package authd

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// proxyPage is a page of the nginx in front: 301, 404 for a service that is not
// there, 429 of its rate limit, 502 when the daemon is stopped (contract 1).
func proxyPage(status int) answer {
	text := http.StatusText(status)
	page := fmt.Sprintf("<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n<center><h1>%d %s</h1></center>\r\n"+
		"<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n", status, text, status, text)
	return answer{status: status, ctype: typeNginxHTML, body: []byte(page)}
}

// The nginx in front lets each client address ask for the status 25 times a
// second, 15 in advance; POST /token has no such limit (contract 1).
const (
	limitRate  = 25.0
	limitBurst = 15.0
)

// limiter counts as nginx does: one bucket a client address, leaking at the rate.
type limiter struct {
	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	level float64
	at    time.Time
}

// refuses tells whether one more request from this address is too much.
func (l *limiter) refuses(address string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buckets == nil || len(l.buckets) > 1000 {
		l.buckets = map[string]bucket{} // forgetting is cheaper than minding who is idle
	}
	b, known := l.buckets[address]
	level := 0.0
	if known {
		level = max(0, b.level-limitRate*now.Sub(b.at).Seconds()+1)
	}
	if level > limitBurst {
		return true
	}
	l.buckets[address] = bucket{level, now}
	return false
}

// limited tells the paths that the limit is on.
func limited(path []string) bool {
	if len(path) == 0 {
		return false
	}
	for _, prefix := range []string{"backends", "status", "saml"} {
		if strings.HasPrefix(path[0], prefix) {
			return true
		}
	}
	return false
}

func tooManyRequests() answer {
	a := proxyPage(http.StatusTooManyRequests)
	a.header = map[string]string{"X-Powered-By": "wazo-auth"}
	return a
}
