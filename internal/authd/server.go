package authd

import (
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Config holds the settings of the real server that matter to a client.
type Config struct {
	TokenLifetime time.Duration  // of an access token when none is asked for; 0: 7200 s (contract 5)
	MaxSessions   int            // a user's session ceiling; 0: 100 (contract 5)
	Timezone      *time.Location // of issued_at, expires_at and created_at; nil: UTC
	StackUUID     string         // xivo_uuid; empty: null
	Log           io.Writer      // gets one JSON line a request; nil: none
}

// Server is one wazo-auth. It is safe for concurrent use.
type Server struct {
	cfg     Config
	routes  []route
	started time.Time
	faults  Faults
	traffic traffic
	limiter limiter
	log     requestLog

	mu            sync.Mutex // guards everything below
	seq           uint64
	purged        time.Time // when the last purge was due
	master        *tenant
	adminPolicy   *policy
	userPolicy    *policy
	tenants       map[string]*tenant
	users         map[string]*user
	names         map[string]*user // usernames and e-mails in lower case
	policies      map[string]*policy
	groups        map[string]*group
	tokens        map[string]*accessToken              // by value
	sessions      map[string]*accessToken              // by session uuid
	byUser        map[string]map[*accessToken]struct{} // by auth_id
	refreshTokens map[string]*refreshToken             // by value
}

// New makes a server that holds the master tenant and what the seed names.
func New(cfg Config, seed Seed) (*Server, error) {
	if cfg.TokenLifetime == 0 {
		cfg.TokenLifetime = 7200 * time.Second
	}
	if cfg.MaxSessions == 0 {
		cfg.MaxSessions = 100
	}
	if cfg.Timezone == nil {
		cfg.Timezone = time.UTC
	}
	s := &Server{
		cfg:           cfg,
		routes:        buildRoutes(),
		started:       time.Now(),
		log:           requestLog{w: cfg.Log},
		tenants:       map[string]*tenant{},
		users:         map[string]*user{},
		names:         map[string]*user{},
		policies:      map[string]*policy{},
		groups:        map[string]*group{},
		tokens:        map[string]*accessToken{},
		sessions:      map[string]*accessToken{},
		byUser:        map[string]map[*accessToken]struct{}{},
		refreshTokens: map[string]*refreshToken{},
	}
	if err := s.plant(seed); err != nil {
		return nil, err
	}
	return s, nil
}

// ServeHTTP answers one request, under /0.1 as the daemon itself and under
// /api/auth/0.1 as nginx in front of it does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	if s.faults.isDown() {
		panic(http.ErrAbortHandler)
	}
	q := s.open(r)
	kind, a, cut := s.decide(q)
	s.traffic.add(Request{Time: begun, Method: r.Method, Path: kind, Status: a.status})
	s.log.write(begun, r, a.status)
	if cut {
		send(w, r, a, q.proxied, true)
		panic(http.ErrAbortHandler)
	}
	send(w, r, a, q.proxied, false)
}

// decide finds the answer, faults included. kind is the path's template; cut says
// to break the connection in the middle of it.
func (s *Server) decide(q *request) (kind string, a answer, cut bool) {
	rt, found := q.find()
	if rt != nil {
		q.read()
	}
	kind = found.kind(q)
	fault := s.faults.take(q.http.Method, kind)
	if fault.Delay > 0 {
		wait(q.http.Context(), fault.Delay)
	}
	if fault.refuses() {
		return kind, fault.answer(), fault.Cut
	}
	switch {
	case q.proxied && limited(q.path) && s.limiter.refuses(remoteHost(q.http), time.Now()):
		a = tooManyRequests()
	case q.tooBig:
		a = proxyPage(http.StatusRequestEntityTooLarge)
	case rt == nil:
		a = found.miss(q)
	default:
		a = s.handle(q, rt)
	}
	if fault.After && fault.Status != 0 {
		a = fault.answer()
	}
	return kind, a, fault.Cut
}

// handle runs a route's handler under the lock.
func (s *Server) handle(q *request, rt *route) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	q.now = time.Now()
	s.purge(q.now)
	if rt.acl != "" {
		if a, ok := q.authorize(rt); !ok {
			return a
		}
	}
	return rt.handler(q)
}

// send writes an answer with the headers of the real server. half stops in the
// middle of the body.
func send(w http.ResponseWriter, r *http.Request, a answer, proxied, half bool) {
	h := w.Header()
	h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	h.Set("Server", "Cheroot/9.0.0")
	if proxied || a.ctype == typeNginxHTML {
		h.Set("Server", "nginx/1.22.1")
		h.Set("Connection", "keep-alive")
	}
	if a.ctype != typeNginxHTML {
		allowOrigins(h, r)
		if proxied {
			h.Set("X-Powered-By", "wazo-auth")
		}
	}
	h.Set("Content-Type", a.ctype)
	for k, v := range a.header {
		h.Set(k, v)
	}
	if a.status != http.StatusNoContent {
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if r.Method == http.MethodHead {
		return
	}
	body := a.body
	if half {
		body = body[:len(body)/2]
	}
	_, _ = w.Write(body) // the client has gone: nobody to tell
	if f, ok := w.(http.Flusher); half && ok {
		f.Flush()
	}
}
