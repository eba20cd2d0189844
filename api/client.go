// Package api is the client of wazo-auth, the authentication service of a Wazo Platform stack.
// It is stateless: every call takes what it needs and returns what the server said.
package api

import (
	"errors"
	"net/http"
	"net/url"
	"runtime"
	"time"
)

// Limits of what is read from a server, in bytes.
const (
	objectLimit = 1 << 20  // a token, a user, an error
	listLimit   = 64 << 20 // a list
)

// defaultTimeout is for one request, its answer's body included.
const defaultTimeout = 15 * time.Second

// Options say how a stack is reached. The zero value is right for a stack with a certificate
// that this machine trusts.
type Options struct {
	Trust     Trust
	PlainHTTP bool          // allow http:// to a host that is not this machine
	Version   string        // wakey's own, for the User-Agent
	Timeout   time.Duration // for one request with its answer; 0: 15 s
	// Transport replaces the network, and with it everything Trust says.
	Transport http.RoundTripper
}

// Client talks to the wazo-auth of one stack. It is safe for concurrent use and keeps
// connections open, so one Client per stack and trust is enough; Close drops them.
type Client struct {
	base    string // ends without a slash: https://HOST/api/auth/0.1
	http    *http.Client
	ua      string
	timeout time.Duration
}

// NewClient makes the client of a stack. It sends nothing. The stack is what a person types: a host,
// https://host[:port], or the full base URL of wazo-auth (see NormalizeStack).
func NewClient(stack string, o Options) (*Client, error) {
	base, err := NormalizeStack(stack, o.PlainHTTP)
	if err != nil {
		return nil, err
	}
	rt := o.Transport
	if rt == nil {
		if rt, err = newTransport(o.Trust); err != nil {
			return nil, err
		}
	}
	version := o.Version
	if version == "" {
		version = "dev"
	}
	timeout := o.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	return &Client{
		base:    base,
		ua:      "wakey/" + version + " (" + runtime.GOOS + " " + runtime.GOARCH + ")",
		timeout: timeout,
		http: &http.Client{
			Transport: rt,
			// A stack's port 80 answers 301 (contract 1); following it would carry credentials along.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Base returns the canonical base URL, such as https://pbx.example.com/api/auth/0.1.
func (c *Client) Base() string { return c.base }

// Close drops the idle connections. The Client stays usable.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// parseBase reads what NormalizeStack made.
func parseBase(base string) (*url.URL, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return nil, errors.New("not the base URL of a stack")
	}
	return u, nil
}
