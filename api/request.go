package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// request is one call of wazo-auth.
type request struct {
	method string
	path   string // below the base URL, its arguments escaped
	query  url.Values
	token  Secret // X-Auth-Token
	tenant string // Wazo-Tenant
	login  string // with password: Authorization: Basic
	pass   Secret
	body   any      // sent as JSON
	hidden []Secret // what else is secret of path and body

	want      int    // the status that means success; 0: 200
	legacy401 Kind   // what a 401 in the legacy shape means here
	tokenPath bool   // a path below /token/: 404 is a dead token
	scope     string // what CheckToken asked, for a HEAD answer tells nothing
	next      string // what to do next after a server fault, where it differs
}

// secrets are what must not appear in an error about this request.
func (r *request) secrets() []Secret {
	all := make([]Secret, 0, len(r.hidden)+3)
	for _, s := range append([]Secret{r.token, r.pass}, r.hidden...) {
		if !s.IsZero() {
			all = append(all, s)
			all = append(all, spellings(s.Reveal())...)
		}
	}
	if !r.pass.IsZero() {
		// As the header carried it: a server that repeats what it was sent repeats that, too.
		all = append(all, NewSecret(base64.StdEncoding.EncodeToString([]byte(r.login+":"+r.pass.Reveal()))))
	}
	return all
}

// spellings are the ways in which a secret that is no token may stand in a body or an address.
func spellings(value string) []Secret {
	if isUUID(value) {
		return nil // always the same
	}
	var all []Secret
	escaped, err := json.Marshal(value)
	if err != nil {
		escaped = []byte(`""`)
	}
	for _, s := range []string{string(escaped[1 : len(escaped)-1]), url.QueryEscape(value), url.PathEscape(value)} {
		if s != value {
			all = append(all, NewSecret(s))
		}
	}
	return all
}

// newError begins an error about this request.
func (c *Client) newError(r *request, kind Kind) *Error {
	return &Error{
		Kind:   kind,
		Host:   StackName(c.base),
		Method: r.method,
		Path:   maskPath(r.path, r.secrets()),
	}
}

// maskPath makes a path fit to print. What follows /token/ is a token, whoever's.
func maskPath(path string, secrets []Secret) string {
	path = tame(path, 200, secrets)
	if before, after, found := strings.Cut(path, "/token/"); found {
		return before + "/token/" + maskUUIDs(after)
	}
	return path
}

// call sends a request and hands the answer of a success to read, which gets its body bounded to limit bytes.
// read may be nil when nothing is expected.
func (c *Client) call(ctx context.Context, r *request, limit int64, read func(http.Header, *bodyReader) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, errSlow)
	defer cancel()
	req, err := c.build(ctx, r)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.networkError(ctx, r, err)
	}
	body := &bodyReader{r: resp.Body, left: limit}
	defer func() {
		// A short rest is read, so that the connection can be used again.
		_, _ = io.CopyN(io.Discard, resp.Body, 4096)
		_ = resp.Body.Close()
	}()
	want := r.want
	if want == 0 {
		want = http.StatusOK
	}
	if resp.StatusCode != want {
		return c.failure(ctx, r, resp)
	}
	if read == nil {
		return nil
	}
	err = read(resp.Header, body)
	switch {
	case err == nil:
		return nil
	case body.err != nil:
		return c.networkError(ctx, r, fmt.Errorf("the answer broke off: %w", body.err))
	case body.over:
		e := c.newError(r, KindTooLarge)
		e.Status, e.Message = resp.StatusCode, "more than "+sizeText(limit)
		return e
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = c.newError(r, KindBadBody)
		e.Message = tame(err.Error(), 300, r.secrets())
	}
	e.Host, e.Method, e.Path, e.Status = StackName(c.base), r.method, maskPath(r.path, r.secrets()), resp.StatusCode
	return e
}

// build makes the HTTP request.
func (c *Client) build(ctx context.Context, r *request) (*http.Request, error) {
	target := c.base + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	var body io.Reader
	if r.body != nil {
		encoded, err := json.Marshal(r.body)
		if err != nil {
			return nil, invalid("the request cannot be written as JSON", "")
		}
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, body)
	if err != nil {
		return nil, invalid("the request cannot be written as a URL", "")
	}
	req.Header.Set("User-Agent", c.ua)
	if r.method != http.MethodHead {
		req.Header.Set("Accept", "application/json")
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if !r.token.IsZero() {
		req.Header.Set("X-Auth-Token", r.token.Reveal())
	}
	if r.tenant != "" {
		req.Header.Set("Wazo-Tenant", r.tenant)
	}
	if !r.pass.IsZero() {
		req.SetBasicAuth(r.login, r.pass.Reveal())
	}
	return req, nil
}

// object reads a JSON object (or what else v is) of bounded size.
func (c *Client) object(ctx context.Context, r *request, v any) error {
	return c.call(ctx, r, objectLimit, func(h http.Header, body *bodyReader) error {
		return readJSON(h, body, r.secrets(), v)
	})
}

// nothing expects 204 and no body.
func (c *Client) nothing(ctx context.Context, r *request) error {
	r.want = http.StatusNoContent
	return c.call(ctx, r, 0, nil)
}

func readJSON(h http.Header, body *bodyReader, secrets []Secret, v any) error {
	data, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return bodyError(err, h, data, secrets)
	}
	return nil
}

// bodyReader bounds a body and remembers what went wrong with it.
type bodyReader struct {
	r    io.Reader
	left int64
	over bool  // there was more than the limit
	err  error // the network's error
}

func (b *bodyReader) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.left <= 0 {
		var one [1]byte
		n, err := b.r.Read(one[:])
		switch {
		case n > 0:
			b.over = true
			return 0, errTooLarge
		case err != nil && err != io.EOF:
			b.err = err
		}
		return 0, err
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}

var (
	errTooLarge = errors.New("the body is too large")
	errSlow     = fmt.Errorf("the request's own: %w", context.DeadlineExceeded)
)

func sizeText(n int64) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}

// date reads the server's clock.
func date(h http.Header) time.Time {
	t, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// looksLikeJSON tells by its head whether an answer without a readable body came from wazo-auth, which
// calls even an empty 204 application/json (contract 1).
func looksLikeJSON(h http.Header) bool {
	return strings.HasPrefix(strings.ToLower(h.Get("Content-Type")), "application/json")
}
