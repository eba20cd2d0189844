package authd

import (
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"
)

// requestLog writes one JSON line a request.
type requestLog struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *requestLog) write(begun time.Time, r *http.Request, status int) {
	if l.w == nil {
		return
	}
	path := r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	line, err := json.Marshal(struct {
		Time     string  `json:"time"`
		Method   string  `json:"method"`
		Path     string  `json:"path"`
		Status   int     `json:"status"`
		Duration float64 `json:"duration_ms"`
	}{
		begun.Format(time.RFC3339Nano), r.Method, maskTokens(path), status,
		float64(time.Since(begun).Microseconds()) / 1000,
	})
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.w.Write(append(line, '\n')) // a full disk must not stop the server
}

// tokenInPath finds what may be a token: the segment after /token and the value of
// ?token=.
var tokenInPath = pattern(`(/token/|[?&]token=)([^/?&]+)`)

// maskTokens keeps the last 8 characters of a token, as the real server's log does.
func maskTokens(path string) string {
	return tokenInPath().ReplaceAllStringFunc(path, func(found string) string {
		parts := tokenInPath().FindStringSubmatch(found)
		value := parts[2]
		return parts[1] + "XXXXXXXX-XXXX-XXXX-XXXX-XXXX" + value[max(0, len(value)-8):]
	})
}
