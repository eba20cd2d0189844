package api

import (
	"errors"
	"time"
)

// Kind tells failures apart. Each has a sentinel for errors.Is.
type Kind int

// The kinds of failure.
const (
	KindUnknown        Kind = iota // the server refused with a status or a body the contract does not know
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
	KindServer                     // 5xx. It does not mean that nothing happened (contract 5, bus outage): list again before retrying a write
	KindNotWazo                    // what answered is no wazo-auth: HTML, a redirect, other JSON
	KindTooLarge                   // the answer is larger than any honest one
	KindBadBody                    // the answer's body cannot be understood
	KindNetwork                    // no answer at all
	KindChanged                    // the object changed between reading and writing it
)

// Sentinels for errors.Is, one for each Kind.
var (
	ErrUnknown        = errors.New("unknown refusal")
	ErrBadCredentials = errors.New("bad credentials")
	ErrRefreshRefused = errors.New("refresh token refused")
	ErrTokenDead      = errors.New("token dead")
	ErrPermission     = errors.New("permission missing")
	ErrWrongTenant    = errors.New("wrong tenant")
	ErrUnauthorized   = errors.New("unauthorized")
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
	// ErrCertificate is what every *CertError is.
	ErrCertificate = errors.New("certificate not trusted")
)

// Error is a call that failed. Its text is one line, safe for a terminal, free of secrets, and ends
// with what to do next.
type Error struct {
	Kind       Kind
	Status     int    // HTTP status; 0 when nothing was answered or sent
	Method     string // of the request; empty when nothing was sent
	Path       string // of the request, token values masked, without its query
	Message    string // the server's word, made harmless; may be empty
	Permission string // the access that is missing, with the user's real uuid filled in (details.required_access)
	Tenant     string // the tenant that was refused, where the server names it
	Fields     map[string]FieldError
	ServerTime time.Time // when the server says it failed; zero if unknown

	hint  string // what to do next, where it differs from the Kind's own
	cause error
}

// FieldError is what is wrong with one field of a request (contract 3).
type FieldError struct {
	Message    string
	Constraint string // constraint_id: "unique", "length", "type", …
}

// Error gives the whole story in one line.
func (e *Error) Error() string { return e.Message }

// Unwrap gives the network's own error, if that was the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is matches the Kind's sentinel.
func (e *Error) Is(target error) bool { return false }
