package api

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
)

// Windows numbers its socket errors on its own; no other system uses these numbers.
const (
	errWSANetUnreachable  = syscall.Errno(10051)
	errWSAConnReset       = syscall.Errno(10054)
	errWSAConnRefused     = syscall.Errno(10061)
	errWSAHostUnreachable = syscall.Errno(10065)
)

// networkError puts a failure to get an answer into words. It drops the *url.Error around it,
// whose text holds the URL and so, below /token/, the token.
func (c *Client) networkError(ctx context.Context, r *request, err error) error {
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	if cert, ok := errors.AsType[*CertError](err); ok {
		return cert
	}
	e := c.newError(r, KindNetwork)
	e.cause = err
	var (
		dns    *net.DNSError
		record tls.RecordHeaderError
	)
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		e.Message, e.next = "it was given up before an answer came", "try again"
	case isTimeout(err):
		e.Message = "it took too long"
		if errors.Is(err, errSlow) || errors.Is(context.Cause(ctx), errSlow) {
			e.Message = "it took longer than " + c.timeout.String()
		}
		e.next = "try again; if it stays so, check that the stack is up and that no firewall is in between"
	case errors.As(err, &dns) && dns.IsNotFound:
		e.Message = "no such host: " + shorten(Clean(dns.Name), 100)
		e.next = "check how the host is spelt"
	case errors.As(err, &dns):
		e.Message = "the name " + shorten(Clean(dns.Name), 100) + " cannot be looked up"
		e.next = "check the network and its name servers"
	case isErrno(err, syscall.ECONNREFUSED, errWSAConnRefused):
		e.Message = "the connection was refused"
		e.next = "check host and port, and that the stack is up"
	case isErrno(err, syscall.EHOSTUNREACH, errWSAHostUnreachable), isErrno(err, syscall.ENETUNREACH, errWSANetUnreachable):
		e.Message = "the host cannot be reached"
	case isErrno(err, syscall.ECONNRESET, errWSAConnReset), isErrno(err, syscall.EPIPE, errWSAConnReset):
		e.Message = "the connection was reset"
		e.next = "try again"
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record):
		e.Kind, e.Message = KindNotWazo, "the port does not speak TLS"
		e.next = "check the port; a stack's is 443"
	case strings.Contains(err.Error(), "tls: "):
		e.Message = "no TLS connection: " + tame(err.Error(), 100, nil)
		e.next = "check that the stack speaks TLS 1.2 or newer"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		e.Message = "the connection was closed in the middle of the answer"
		e.next = "try again"
	case strings.Contains(err.Error(), "Location header"):
		e.Kind, e.Message = KindNotWazo, "it redirects to what is no address"
	case strings.Contains(err.Error(), "invalid header field"):
		e.Kind, e.lead, e.next = KindInvalid, "a header cannot be sent", "check the names and values of the headers"
	case strings.Contains(err.Error(), "malformed HTTP"), strings.Contains(err.Error(), "unsupported transfer encoding"):
		e.Kind, e.Message = KindNotWazo, "what answers does not speak proper HTTP"
	default:
		e.Message = tame(err.Error(), 200, r.secrets())
	}
	return e
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

func isErrno(err error, unix, windows syscall.Errno) bool {
	return errors.Is(err, unix) || errors.Is(err, windows)
}
