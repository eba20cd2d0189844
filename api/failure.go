package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// failure reads an answer that is not the success expected.
func (c *Client) failure(ctx context.Context, r *request, resp *http.Response) error {
	reader := &bodyReader{r: resp.Body, left: objectLimit}
	body, err := io.ReadAll(reader)
	if reader.err != nil && len(body) == 0 {
		return c.networkError(ctx, r, err)
	}
	secrets := r.secrets()
	said := parseErrorBody(body).tamed(secrets)
	e := c.newError(r, KindUnknown)
	e.Status, e.Message, e.Fields, e.ServerTime = resp.StatusCode, said.message, said.fields, said.at
	if e.ServerTime.IsZero() {
		e.ServerTime = date(resp.Header)
	}
	if e.Message == "" {
		e.Message = describe(resp.Header, body, secrets)
	}
	if r.method == http.MethodHead {
		e.Message = ""
		said.known = looksLikeJSON(resp.Header)
	}
	c.classify(e, r, said, resp.Header)
	return e
}

// classify finds the Kind by status and shape (contract 2, 3, 5, 6).
func (c *Client) classify(e *Error, r *request, said errorBody, h http.Header) {
	switch status := e.Status; {
	case status == http.StatusTooManyRequests:
		e.Kind = KindRateLimited // nginx, with HTML; HEAD answers have no body at all
		if said.legacy {
			e.Kind, e.Message = KindSessionCeiling, ""
		}
	case status >= 500 && status <= 599:
		e.Kind = KindServer
		e.next = r.next
		if !said.known && (status == 502 || status == 504) {
			e.next = "the stack's web server is up, but wazo-auth behind it is not: try again in a moment"
		}
	case status < 400 || status > 599:
		e.Kind = KindNotWazo
		c.redirected(e, h)
	case !said.known:
		e.Kind = KindNotWazo
		if status == http.StatusNotFound && h.Get("X-Powered-By") == "wazo-auth" {
			e.Kind, e.Message = KindUnsupported, "" // its own page for an unknown route, through the stack's nginx
		}
	case status == http.StatusUnauthorized:
		unauthorized(e, r, said)
	case status == http.StatusForbidden:
		forbidden(e, r, said)
	case status == http.StatusNotFound:
		e.Kind = KindNotFound
		if r.tokenPath && (said.legacy || r.method == http.MethodHead) {
			e.Kind, e.Message = KindTokenDead, ""
		}
	case status == http.StatusMethodNotAllowed:
		e.Kind, e.Message = KindUnsupported, ""
		if said.id == "password-managed-externally" {
			e.lead = "this user's password is not kept by the stack"
			e.next = "change it where it is kept (SAML or LDAP)"
		}
	case status == http.StatusConflict:
		e.Kind = KindConflict
	case status == http.StatusBadRequest, status == http.StatusRequestEntityTooLarge, status == http.StatusRequestURITooLong, status == http.StatusUnprocessableEntity:
		e.Kind = KindInvalid
	}
}

func unauthorized(e *Error, r *request, said errorBody) {
	e.Message = "" // "Unauthorized", or "Authentication Failed": the Kind says more
	switch {
	case said.legacy && r.legacy401 != KindUnknown:
		e.Kind = r.legacy401
	case said.bare && r.legacy401 != KindUnknown:
		// Not wazo-auth's answer to a sign-in or a refresh (contract 3), but a gateway's in between: it
		// says nothing about the password or the refresh token.
		e.Kind, e.Message = KindUnknown, said.message
	case said.id == "unauthorized-tenant":
		e.Kind, e.Tenant = KindWrongTenant, said.tenant
	case said.reason == "not_found_or_expired":
		e.Kind, e.Permission = KindTokenDead, said.access
	case strings.HasPrefix(said.reason, "missing_permission"):
		e.Kind, e.Permission, e.Tenant = KindPermission, said.access, said.tenant
	default:
		e.Kind, e.Permission = KindUnauthorized, said.access
	}
}

// forbidden reads a 403, which only /token/{token} and a few system objects answer (contract 2, 6).
func forbidden(e *Error, r *request, said errorBody) {
	e.Kind = KindPermission
	switch refused, found := strings.CutPrefix(said.message, "Unauthorized for "); {
	case r.method == http.MethodHead:
		e.Permission, e.Tenant = r.scope, r.query.Get("tenant")
		if r.scope == "" {
			e.Kind = KindWrongTenant
		}
	case found && strings.HasPrefix(refused, "tenant "):
		e.Kind, e.Tenant, e.Message = KindWrongTenant, strings.TrimPrefix(refused, "tenant "), ""
	case found:
		e.Permission, e.Message = refused, ""
	}
}

// redirected names where a redirect points, and no more of it: the rest may hold the token.
func (c *Client) redirected(e *Error, h http.Header) {
	location := h.Get("Location")
	if location == "" {
		return
	}
	e.lead = "the address answers with a redirect, which wakey does not follow"
	e.Message = "it points elsewhere"
	u, err := url.Parse(location)
	if err != nil || u.Host == "" {
		return
	}
	target := u.Scheme + "://" + u.Host
	e.Message = "it points to " + shorten(Clean(target), 100)
	e.next = "if that is the stack, give its address as " + shorten(Clean(target), 100)
}

// bodyError says what is wrong with the body of a success, in terms of the answer.
func bodyError(err error, h http.Header, body []byte, secrets []Secret) error {
	if typed, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return &Error{Kind: KindBadBody, Message: typeMessage(typed, secrets)}
	}
	kind := KindBadBody
	if !looksLikeJSON(h) {
		kind = KindNotWazo
	}
	return &Error{Kind: kind, Message: "it is " + describe(h, body, secrets)}
}

// typeMessage puts a mismatch of types into words.
func typeMessage(e *json.UnmarshalTypeError, secrets []Secret) string {
	came, _, _ := strings.Cut(e.Value, " ") // "number 12.5": the value is nobody's business
	wanted := "something else"
	if e.Type != nil {
		switch e.Type.Kind().String() {
		case "string":
			wanted = "text"
		case "bool":
			wanted = "true or false"
		case "slice":
			wanted = "a list"
		case "struct", "map":
			wanted = "an object"
		case "int", "int64":
			wanted = "a whole number"
		}
	}
	if e.Field == "" {
		return "it is of type " + came + " where " + wanted + " belongs"
	}
	return `"` + tame(e.Field, 80, secrets) + `" is of type ` + came + " where " + wanted + " belongs"
}
