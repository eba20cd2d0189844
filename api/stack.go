package api

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// stackPath is where a stack's nginx puts wazo-auth (contract 1).
const stackPath = "/api/auth/0.1"

// NormalizeStack makes the base URL of wazo-auth from what a person typed: "pbx.example.com",
// "https://pbx.example.com:8443", or a full base URL such as "http://127.0.0.1:9497/0.1", which is
// what wazo-auth itself listens on. The answer is canonical: lower-case host, no default port, no
// slash at the end. Plain http is refused, as passwords and tokens would travel in clear, except to
// this machine (127.0.0.0/8, ::1, localhost) or with plainHTTP.
func NormalizeStack(stack string, plainHTTP bool) (string, error) {
	s := strings.TrimSpace(stack)
	if s == "" {
		return "", stackError("no stack was given")
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }); i >= 0 {
		return "", stackError("%q holds a blank or a control character", shown(s))
	}
	if !strings.Contains(s, "://") {
		if ip, err := netip.ParseAddr(s); err == nil && ip.Is6() {
			s = "[" + s + "]"
		}
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil {
		return "", stackError("%q is not an address", shown(stripUserinfo(s)))
	}
	u.Scheme = strings.ToLower(u.Scheme)
	switch {
	case u.User != nil:
		return "", stackError("leave user name and password out of the address")
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return "", stackError("%q holds more than an address", shown(s))
	case u.Scheme != "https" && u.Scheme != "http":
		return "", stackError("%q is neither https nor http", shown(u.Scheme))
	}
	host, err := canonicalHost(u)
	if err != nil {
		return "", err
	}
	if u.Scheme == "http" && !plainHTTP && !isLoopback(u.Hostname()) {
		return "", stackError("http://%s would send passwords and tokens in clear; type https://%s, or allow plain http expressly", shown(host), shown(u.Hostname()))
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	switch path {
	case "", "/api", "/api/auth":
		path = stackPath
	}
	if !strings.HasSuffix(path, "/0.1") {
		return "", stackError("%q does not end in /0.1, which is where every wazo-auth lives", shown(path))
	}
	return u.Scheme + "://" + host + path, nil
}

// canonicalHost gives host[:port] in lower case, without the scheme's own port.
func canonicalHost(u *url.URL) (string, error) {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if host == "" {
		return "", stackError("the address names no host")
	}
	if port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return "", stackError("%q is not a port", shown(port))
		}
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		host = strings.Replace(ip.String(), "%", "%25", 1) // a zone is escaped in a URL
	} else if i := strings.IndexFunc(host, notInHost); i >= 0 {
		return "", stackError("%q is no host", shown(host))
	}
	if port == "443" && u.Scheme == "https" || port == "80" && u.Scheme == "http" {
		port = ""
	}
	if port != "" {
		return net.JoinHostPort(host, port), nil
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]", nil
	}
	return host, nil
}

// notInHost tells what no host's name holds. Letters and digits of all scripts are let through; looking such a name up is
// the resolver's business.
func notInHost(r rune) bool {
	switch {
	case r == '.' || r == '-' || r == '_':
		return false
	case unicode.IsLetter(r) || unicode.IsDigit(r):
		return replacement(r, 0, 0) != r
	}
	return !unicode.IsMark(r) || replacement(r, 0, 0) != r
}

// StackName shortens a base URL to host[:port], for display.
func StackName(base string) string {
	u, err := parseBase(base)
	if err != nil {
		return Clean(base)
	}
	return Clean(u.Host)
}

func isLoopback(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// stripUserinfo keeps a password typed into an address out of the error about it.
func stripUserinfo(s string) string {
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		return "…" + s[i:]
	}
	return s
}

// shown is what was typed, fit for an error's text.
func shown(s string) string { return shorten(Clean(s), 100) }

func stackError(format string, args ...any) error {
	return &Error{
		Kind:    KindInvalid,
		lead:    "that is no address of a stack",
		Message: fmt.Sprintf(format, args...),
		next:    `type it as "pbx.example.com" or "https://pbx.example.com:8443"`,
	}
}
