package api

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Kind tells failures apart. Each has a sentinel for errors.Is.
type Kind int

// The kinds of failure.
const (
	KindUnknown        Kind = iota // the server refused in a way the contract does not know
	KindBadCredentials             // wrong login or password; also unknown, disabled and not-native users (contract 5)
	KindRefreshRefused             // the refresh token is revoked, of another client_id, or its login no longer exists
	KindTokenDead                  // the access token is unknown, expired or revoked
	KindPermission                 // the token lives but lacks a permission; Permission names it
	KindWrongTenant                // the tenant is not the token's own nor below it; Tenant names it
	KindUnauthorized               // 401 without a reason: stacks before 22.04, password resets, the configuration
	KindSessionCeiling             // the user has as many sessions as the stack allows (100 unless configured)
	KindRateLimited                // nginx's own 429, on /status and /backends only
	KindNotFound                   // the user, the refresh token … is not there, or out of sight
	KindConflict                   // a login or e-mail is taken
	KindInvalid                    // the request is wrong: 400, or refused here before sending
	KindUnsupported                // wazo-auth does not know this call: too old, or switched off
	KindServer                     // 5xx, which does not mean that nothing happened (contract 5, bus outage): list again before retrying a write
	KindNotWazo                    // what answered is no wazo-auth: HTML, a redirect, other JSON
	KindTooLarge                   // the answer is larger than any honest one
	KindBadBody                    // the answer's body cannot be understood
	KindNetwork                    // no answer at all, or not all of it
	KindChanged                    // the object changed between reading and writing it
)

// Sentinels for errors.Is, one for each Kind, and one for *CertError.
var (
	ErrUnknown        = errors.New("unknown refusal")
	ErrBadCredentials = errors.New("bad credentials")
	ErrRefreshRefused = errors.New("refresh token refused")
	ErrTokenDead      = errors.New("token dead")
	ErrPermission     = errors.New("permission missing")
	ErrWrongTenant    = errors.New("wrong tenant")
	ErrUnauthorized   = errors.New("unauthorized, cause unknown")
	ErrSessionCeiling = errors.New("session ceiling")
	ErrRateLimited    = errors.New("rate limited")
	ErrNotFound       = errors.New("not found")
	ErrConflict       = errors.New("conflict")
	ErrInvalid        = errors.New("invalid request")
	ErrUnsupported    = errors.New("not supported by this stack")
	ErrServer         = errors.New("server fault")
	ErrNotWazo        = errors.New("not a wazo-auth")
	ErrTooLarge       = errors.New("answer too large")
	ErrBadBody        = errors.New("answer not understood")
	ErrNetwork        = errors.New("no answer")
	ErrChanged        = errors.New("changed meanwhile")
	ErrCertificate    = errors.New("certificate not trusted")
)

// kinds gives each Kind its sentinel, what to say first, and what to do next.
var kinds = [...]struct {
	sentinel error
	lead     string
	next     string
}{
	KindUnknown:        {ErrUnknown, "the stack refused", "try again, and tell the stack's administrator if it stays so"},
	KindBadCredentials: {ErrBadCredentials, "wrong user name or password", "check both; a user that is disabled, or that signs in through SAML or LDAP, is refused alike"},
	KindRefreshRefused: {ErrRefreshRefused, "the stack refuses the refresh token: it was revoked, or its user was renamed, disabled or deleted", "sign in again"},
	KindTokenDead:      {ErrTokenDead, "the access token is expired, revoked or unknown", "refresh it, or sign in again"},
	KindPermission:     {ErrPermission, "the access token lacks a permission", "ask an administrator of the stack for it, then refresh the token"},
	KindWrongTenant:    {ErrWrongTenant, "the tenant is not the token's own nor below it", "choose another tenant, or none"},
	KindUnauthorized:   {ErrUnauthorized, "the stack refuses the access token and does not say why", "see whether the token is still alive and what it may do"},
	KindSessionCeiling: {ErrSessionCeiling, "the user has as many open sessions as the stack allows", "revoke some of them, or wait until they expire"},
	KindRateLimited:    {ErrRateLimited, "the stack is asked too often", "wait a few seconds and try again"},
	KindNotFound:       {ErrNotFound, "not found", "list again to see what is there"},
	KindConflict:       {ErrConflict, "already taken", "choose another"},
	KindInvalid:        {ErrInvalid, "the request is not valid", "correct it and try again"},
	KindUnsupported:    {ErrUnsupported, "this stack's wazo-auth does not know the call", "check the version of the stack"},
	KindServer:         {ErrServer, "the stack failed", "try again in a moment"},
	KindNotWazo:        {ErrNotWazo, "no wazo-auth answers there", "check the address of the stack"},
	KindTooLarge:       {ErrTooLarge, "the answer is too large", "check the address of the stack, or ask for fewer items at a time"},
	KindBadBody:        {ErrBadBody, "the answer is not understood", "check that the address is a stack's, and its version"},
	KindNetwork:        {ErrNetwork, "no answer", "check the network and try again"},
	KindChanged:        {ErrChanged, "somebody else changed it meanwhile", "look at it again and repeat the change"},
}

// Error is a call that failed. Its text is one line, safe for a terminal, free of secrets, and ends
// with what to do next.
type Error struct {
	Kind       Kind
	Status     int    // HTTP status; 0 when nothing was answered or sent
	Host       string // whom it was sent to; empty when nothing was sent
	Method     string // of the request; empty when nothing was sent
	Path       string // of the request, secrets masked, without its query
	Message    string // the server's word, or what came instead, made harmless; may be empty
	Permission string // the access that is missing, with the user's real uuid filled in (details.required_access)
	Tenant     string // the tenant that was refused, where it is known
	Fields     map[string]FieldError
	ServerTime time.Time // the server's clock when it failed; zero if unknown

	lead  string // instead of the Kind's own
	next  string // instead of the Kind's own
	cause error
}

// FieldError is what is wrong with one field of a request (contract 3).
type FieldError struct {
	Message    string
	Constraint string // constraint_id: "unique", "length", "type", …
}

// Error gives the whole story in one line.
func (e *Error) Error() string {
	k := kinds[KindUnknown]
	if e.Kind >= 0 && int(e.Kind) < len(kinds) {
		k = kinds[e.Kind]
	}
	var b strings.Builder
	b.WriteString(first(e.lead, k.lead))
	switch e.Kind {
	case KindPermission:
		if e.Permission != "" {
			b.WriteString(" (" + e.Permission + ")")
		}
	case KindWrongTenant:
		if e.Tenant != "" {
			b.WriteString(" (" + e.Tenant + ")")
		}
	case KindServer, KindUnknown:
		if e.Status != 0 {
			b.WriteString(" (status " + strconv.Itoa(e.Status) + ")")
		}
	case KindNetwork, KindNotWazo, KindBadBody, KindTooLarge:
		if e.Host != "" {
			b.WriteString(" (" + e.Host + ")")
		}
	case KindUnsupported:
		if e.Path != "" {
			b.WriteString(" (" + e.Method + " " + e.Path + ")")
		}
	default: // the lead says it all
	}
	if e.Message != "" {
		b.WriteString(": " + strings.TrimSuffix(e.Message, "."))
	}
	b.WriteString("; " + first(e.next, k.next))
	return b.String()
}

// Unwrap gives the network's own error, if that was the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is matches the Kind's sentinel.
func (e *Error) Is(target error) bool {
	return e.Kind >= 0 && int(e.Kind) < len(kinds) && kinds[e.Kind].sentinel == target
}

// invalid is a request refused here; nothing was sent.
func invalid(message, next string) error {
	return &Error{Kind: KindInvalid, Message: message, next: next}
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
