package api

import (
	"context"
	"net/http"
)

// Status asks whether wazo-auth is up (HEAD /status, contract 11; stacks since 20.05). It needs no token; nil: yes.
// Asking more than 25 times a second is ErrRateLimited.
func (c *Client) Status(ctx context.Context) error {
	var genuine bool
	err := c.call(ctx, &request{method: http.MethodHead, path: "/status"}, 0, func(h http.Header, _ *bodyReader) error {
		genuine = looksLikeJSON(h)
		return nil
	})
	if err == nil && !genuine {
		return c.notWazo("")
	}
	return err
}

// Backends lists the authentication backends (contract 11). It needs no token.
func (c *Client) Backends(ctx context.Context) ([]string, error) {
	var answer struct {
		Data []string `json:"data"`
	}
	err := c.object(ctx, &request{method: http.MethodGet, path: "/backends"}, &answer)
	if err == nil && answer.Data == nil {
		return nil, c.notWazo(`it has no "data"`)
	}
	return answer.Data, err
}

// IdentityProviders lists the identity providers, in no order (contract 11; stacks since 24.08).
func (c *Client) IdentityProviders(ctx context.Context, token Secret) ([]string, error) {
	p, err := list(ctx, c, "/idp", token, ListOptions{}, func(name string) (string, error) { return name, nil })
	return p.Items, err
}
