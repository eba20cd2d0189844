//go:build linux

package security_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"wakey/internal/authd"
)

// The people of every stack here. Their passwords have characters that each way of writing them down escapes otherwise.
const (
	alice, alicePassword = "alice", `corréct "horse"/battery+stàple & <co>\'s 100%`
	bob, bobPassword     = "bob", `b0b's ¿sécret? {"pass":"word"} #1~ünder`
	admin, adminPassword = "admin", `Ädmin;of=the&tenant/"example"?`
	aliceUUID            = "8e1a3c5e-0000-4000-8000-00000000000a"
	bobUUID              = "8e1a3c5e-0000-4000-8000-00000000000b"
	adminUUID            = "8e1a3c5e-0000-4000-8000-0000000000ad"
)

// stack is a wazo-auth that notes every secret it hands out.
type stack struct {
	*authd.Server
	*authd.Running

	mu      sync.Mutex
	secrets []secret
	// instead answers a request in place of the server, or passes the server's answer on.
	instead func(w http.ResponseWriter, r *http.Request, next http.Handler)
}

func newStack(t *testing.T) *stack {
	t.Helper()
	seed := authd.DemoSeed()
	for i, password := range []string{alicePassword, bobPassword, adminPassword} {
		seed.Users[i].Password = password
	}
	server, err := authd.New(authd.Config{MaxSessions: 1000}, seed)
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{Server: server, secrets: []secret{
		{"password", alicePassword}, {"password", bobPassword}, {"password", adminPassword},
	}}
	if s.Running, err = authd.Start(t.Context(), s, "127.0.0.1:0", false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// set changes what happens to requests; nil makes it an honest server.
func (s *stack) set(instead func(w http.ResponseWriter, r *http.Request, next http.Handler)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.instead = instead
}

// ServeHTTP answers and takes notes.
func (s *stack) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	instead := s.instead
	s.mu.Unlock()
	if instead == nil {
		s.honest(w, r)
		return
	}
	instead(w, r, http.HandlerFunc(s.honest))
}

func (s *stack) honest(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/token") {
		s.Server.ServeHTTP(w, r)
		return
	}
	answer := capture(s.Server, r)
	var made struct {
		Data struct {
			Token        string `json:"token"`
			RefreshToken string `json:"refresh_token"`
		} `json:"data"`
	}
	if json.Unmarshal(answer.Body.Bytes(), &made) == nil && made.Data.Token != "" {
		s.mu.Lock()
		s.secrets = append(s.secrets, secret{"access token", made.Data.Token})
		if made.Data.RefreshToken != "" {
			s.secrets = append(s.secrets, secret{"refresh token", made.Data.RefreshToken})
		}
		s.mu.Unlock()
	}
	send(w, answer, answer.Body.Bytes())
}

// capture is what a handler answers.
func capture(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	return answer
}

// send passes an answer on, with another body.
func send(w http.ResponseWriter, answer *httptest.ResponseRecorder, body []byte) {
	for name, values := range answer.Header() {
		if name != "Content-Length" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(answer.Code)
	w.Write(body)
}

// last gives the newest secret of a kind.
func (s *stack) last(kind string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range slices.Backward(s.secrets) {
		if v.kind == kind {
			return v.value
		}
	}
	return ""
}

// signIn signs somebody in as another device, with nothing of the program under test.
func (s *stack) signIn(t *testing.T, user, password, clientID string) (access, refresh string) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"access_type": "offline", "client_id": clientID})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/0.1/token", bytes.NewReader(body))
	r.SetBasicAuth(user, password)
	if answer := capture(http.HandlerFunc(s.honest), r); answer.Code != http.StatusOK {
		t.Fatalf("signing %s in: %d %s", user, answer.Code, answer.Body)
	}
	return s.last("access token"), s.last("refresh token")
}

// echo makes a server that refuses everything and repeats in its refusal all that it was sent.
func echo(status int, html bool) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		body, _ := io.ReadAll(r.Body)
		login, password, _ := r.BasicAuth()
		var sent strings.Builder
		_ = r.Header.Write(&sent)
		all := r.Method + " " + r.URL.String() + " " + sent.String() + login + " " + password + " " + string(body)
		if html {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			io.WriteString(w, "<html><title>"+all+"</title><body>"+all+"</body></html>")
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string]any{
			"message": all, "reason": []string{all}, "error_id": "unauthorized", "timestamp": 1795.4, "resource": all, "status_code": status,
			"details": map[string]any{
				"reason": "missing_permission_or_invalid_tenant", "invalid_token": r.Header.Get("X-Auth-Token"),
				"required_access": all, "tenant_uuid": all, "username": map[string]any{"message": all, "constraint_id": all, "constraint": all},
			},
		})
	}
}

// quietLog is for servers whose clients break off on purpose.
var quietLog = log.New(io.Discard, "", 0)
