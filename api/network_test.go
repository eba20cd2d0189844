package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// rawServer answers every connection with bytes of its own.
func rawServer(t *testing.T, talk func(net.Conn)) *Client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				talk(conn)
			}()
		}
	}()
	c, err := NewClient("http://"+l.Addr().String()+"/0.1", Options{Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// readRequest reads up to the end of a request's head.
func readRequest(conn net.Conn) {
	var head []byte
	buf := make([]byte, 4096)
	for !bytes.Contains(head, []byte("\r\n\r\n")) {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		head = append(head, buf[:n]...)
	}
}

func TestBrokenHTTP(t *testing.T) {
	tests := []struct {
		name, say string
		want      error
		text      string
	}{
		{"ssh", "SSH-2.0-OpenSSH_9.2 \x1b[31m" + aToken + "\r\n", ErrNotWazo, "proper HTTP"},
		{"closed", "", ErrNetwork, "closed"},
		{"body too short", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"data\":{", ErrNetwork, "in the middle"},
		{"list too short", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"items\":[", ErrNetwork, "in the middle"},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", ErrNetwork, ""},
		{"endless header", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", 1<<20), ErrNetwork, ""},
		{"twice the same header", "HTTP/1.1 401 No\r\nContent-Type: text/html\r\nContent-Type: application/json\r\nDate: x\r\nDate: y\r\nContent-Length: 0\r\n\r\n", ErrNotWazo, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := rawServer(t, func(conn net.Conn) {
				readRequest(conn)
				_, _ = io.WriteString(conn, tt.say)
			})
			err := getIt(t.Context(), c)
			if strings.HasPrefix(tt.name, "list") {
				err = listIt(t.Context(), c)
			}
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error is %v", err)
			}
			wholesome(t, tt.name, err)
		})
	}
}

func TestNetworkErrorsInWords(t *testing.T) {
	dial := func(err error) http.RoundTripper {
		return &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, err }}
	}
	op := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	tests := []struct {
		name string
		rt   http.RoundTripper
		want string
	}{
		{"no host", dial(op(&net.DNSError{Err: "no such host", Name: "pbx\x1b.example", IsNotFound: true})), "no such host: pbx␛.example; check how the host is spelt"},
		{"dns down", dial(op(&net.DNSError{Err: "server misbehaving", Name: "pbx.example", IsTemporary: true})), "cannot be looked up"},
		{"dns slow", dial(op(&net.DNSError{Err: "i/o timeout", Name: "pbx.example", IsTimeout: true})), "too long"},
		{"refused", dial(op(syscall.ECONNREFUSED)), "the connection was refused"},
		{"refused on Windows", dial(op(errWSAConnRefused)), "the connection was refused"},
		{"unreachable", dial(op(syscall.EHOSTUNREACH)), "the host cannot be reached"},
		{"reset", dial(op(syscall.ECONNRESET)), "the connection was reset"},
		{"other", dial(errors.New("odd \x1b " + aToken)), "odd ␛ …6789abcd"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := NewClient("https://pbx.example", Options{Transport: tt.rt})
			if err != nil {
				t.Fatal(err)
			}
			err = getIt(t.Context(), c)
			if !errors.Is(err, ErrNetwork) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v", err)
			}
			wholesome(t, tt.name, err)
			// Nor does a URL come along for whoever unwraps it: the token is in its path.
			if cause := errors.Unwrap(err); cause == nil || tt.name != "other" && strings.Contains(cause.Error(), aToken) {
				t.Errorf("the cause is %v", cause)
			}
		})
	}
}

func TestTimeouts(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	slow := func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, `{"data":{`)
			w.(http.Flusher).Flush()
		}
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	}
	c := serve(t, slow)
	c.timeout = 50 * time.Millisecond
	for name, err := range map[string]error{"slow body": getIt(t.Context(), c), "slow list": listIt(t.Context(), c), "no answer": c.RevokeToken(t.Context(), token)} {
		if !errors.Is(err, ErrNetwork) || !strings.Contains(err.Error(), "longer than 50ms") {
			t.Errorf("%s: %v", name, err)
		}
		wholesome(t, name, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c.timeout = time.Minute
	arrived := make(chan struct{})
	c2 := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	})
	go func() {
		<-arrived
		cancel()
	}()
	err := getIt(ctx, c2)
	if !errors.Is(err, ErrNetwork) || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "given up") {
		t.Error(err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := getIt(ctx, c); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "it took too long") {
		t.Error(err)
	}
}
