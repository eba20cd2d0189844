package api

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Do sends a raw request to any service of the stack, with the token as X-Auth-Token unless it is zero. The path starts
// below the stack's /api: "/auth/0.1/users", "/confd/1.1/infos". A Client that was given wazo-auth's own address reaches
// only "/auth/0.1/…". The answer comes as it is, whatever its status: no redirect is followed, no size is bounded, only
// ctx limits the time its body takes, and an error's body may echo the token (see Redact). The caller closes the body.
func (c *Client) Do(ctx context.Context, method, path string, header http.Header, body io.Reader, token Secret) (*http.Response, error) {
	target, err := c.serviceURL(path)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, invalid("that is no request", "check the method and the path")
	}
	for name, values := range header {
		req.Header[http.CanonicalHeaderKey(name)] = append([]string(nil), values...)
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", c.ua)
	}
	if !token.IsZero() {
		req.Header.Set("X-Auth-Token", token.Reveal())
	}
	resp, err := c.http.Do(req)
	if err != nil {
		bare, _, _ := strings.Cut(path, "?")
		return nil, c.networkError(ctx, &request{method: method, path: bare, token: token}, err)
	}
	return resp, nil
}

// serviceURL joins a path to the stack, and nothing but the stack: the token goes along.
func (c *Client) serviceURL(path string) (string, error) {
	const next = `give the path below /api, such as "/auth/0.1/users/me/tokens" or "/confd/1.1/infos"`
	if _, err := url.Parse(path); err != nil || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return "", invalid("that is no path of the stack", next)
	}
	path, _, _ = strings.Cut(path, "#")
	if rest, ok := strings.CutPrefix(path, "/auth/0.1"); ok && (rest == "" || rest[0] == '/' || rest[0] == '?') {
		return c.base + rest, nil
	}
	root, ok := strings.CutSuffix(c.base, "/auth/0.1")
	if !ok {
		return "", invalid("this address is wazo-auth's alone, and "+shorten(Clean(path), 60)+" is another service", "give the address of the whole stack instead")
	}
	return root + path, nil
}
