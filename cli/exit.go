package cli

import (
	"context"
	"errors"
	"fmt"

	"wakey/api"
	"wakey/session"
)

// The exit codes of every command, but exec, which ends as its command does.
const (
	exitDone        = 0
	exitError       = 1
	exitUsage       = 2 // the command line makes no sense
	exitCancelled   = 3 // a person said no, or a signal came
	exitSignIn      = 4 // a person has to sign in, or to unlock the store
	exitPermission  = 5 // the token lives, but may not do this
	exitUnreachable = 6 // the stack does not answer, or what answers is not it
	exitPartly      = 7 // some of it was done
)

var (
	// errCancelled says that a person said no.
	errCancelled = errors.New("cancelled: nothing was changed")
	// errPartly says that some of several things failed.
	errPartly = errors.New("only partly done")
	// errNobodySignedIn says that this machine has no account.
	errNobodySignedIn = errors.New(`no account is signed in: run "wakey login STACK --user NAME"`)
)

// usageError is a command line that makes no sense.
type usageError struct {
	err     error
	command string // as typed: "wakey token"
}

func (e *usageError) Error() string {
	if e.command == "" {
		return e.err.Error()
	}
	return fmt.Sprintf("%v\nsee \"%s --help\"", e.err, e.command)
}

func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{err: fmt.Errorf(format, args...)}
}

// statusError carries an exit status of its own, after everything was said.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func isSilent(err error) bool {
	var s statusError
	return errors.As(err, &s)
}

// exitCode is the one place that maps errors to exit codes.
func exitCode(err error) int {
	var (
		status  statusError
		usage   *usageError
		problem *session.ProblemError
	)
	is := func(targets ...error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &usage):
		return exitUsage
	case is(errPartly):
		return exitPartly
	case is(errCancelled, context.Canceled):
		return exitCancelled
	case errors.As(err, &problem),
		is(errNobodySignedIn, session.ErrLocked, api.ErrBadCredentials, api.ErrRefreshRefused, api.ErrTokenDead):
		return exitSignIn
	case is(api.ErrPermission, api.ErrWrongTenant):
		return exitPermission
	case is(session.ErrCutOff, api.ErrNetwork, api.ErrServer, api.ErrCertificate, api.ErrNotWazo, api.ErrTooLarge, api.ErrBadBody,
		context.DeadlineExceeded):
		return exitUnreachable
	default:
		return exitError
	}
}
