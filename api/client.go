// Package api is the client of wazo-auth, the authentication service of a Wazo Platform stack.
// It is stateless: every call takes what it needs and returns what the server said.
package api

import (
	"net/http"
	"net/url"
)

// Client talks to the wazo-auth of one stack. It is safe for concurrent use.
type Client struct {
	base *url.URL // ends without a slash: https://HOST/api/auth/0.1
	http *http.Client
	ua   string
}
