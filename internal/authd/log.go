package authd

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
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
	path := maskPath(r.URL.EscapedPath())
	if r.URL.RawQuery != "" {
		path += "?" + maskQuery(r.URL.RawQuery)
	}
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(struct {
		Time     string  `json:"time"`
		Method   string  `json:"method"`
		Path     string  `json:"path"`
		Status   int     `json:"status"`
		Duration float64 `json:"duration_ms"`
	}{
		begun.Format(time.RFC3339Nano), r.Method, path, status,
		float64(time.Since(begun).Microseconds()) / 1000,
	}); err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.w.Write(line.Bytes()) // a full disk must not stop the server
}

// maskPath hides what follows a segment "token", however that is written.
func maskPath(path string) string {
	segments := strings.Split(path, "/")
	for i := 1; i < len(segments); i++ {
		if decodeSegment(segments[i-1]) == "token" && segments[i] != "" {
			segments[i] = masked(segments[i])
		}
	}
	return strings.Join(segments, "/")
}

// maskQuery hides the values of "token".
func maskQuery(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		if name, value, _ := strings.Cut(pair, "="); value != "" && unescapeQuery(name) == "token" {
			pairs[i] = name + "=" + masked(value)
		}
	}
	return strings.Join(pairs, "&")
}

// masked keeps the last 8 characters of a token, as the real server's log does.
func masked(token string) string {
	return "XXXXXXXX-XXXX-XXXX-XXXX-XXXX" + token[max(0, len(token)-8):]
}
