package api

import (
	"context"
	"io"
	"net/http"
)

// Do sends a raw request to any service of the stack, with the token as X-Auth-Token unless it is zero. The path starts
// at the stack's /api: "/auth/0.1/users", "/confd/1.1/infos". A Client given wazo-auth's own address reaches only
// "/auth/0.1/…". The answer comes as it is, whatever its status: no redirect is followed, no size is bounded, and an error
// body may echo the token (see Redact). The caller closes the body.
func (c *Client) Do(ctx context.Context, method, path string, header http.Header, body io.Reader, token Secret) (*http.Response, error) {
	return nil, errNotYet
}
