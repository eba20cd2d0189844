package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"wakey/api"
)

// errNobodyToAsk says that there is no terminal, or that --no-input was given.
var errNobodyToAsk = errors.New("there is nobody to ask")

// console opens the terminal that a person sits at, whatever the standard streams are connected to:
// a password can be asked for in the middle of a pipe.
func (a *app) console() (in, out *os.File, err error) {
	if a.noInput || !isTerminal(a.stdin) && !isTerminal(a.stderr) {
		return nil, nil, errNobodyToAsk
	}
	in, out, err = openConsole()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errNobodyToAsk, err)
	}
	return in, out, nil
}

// canAsk tells whether a question would reach a person.
func (a *app) canAsk() bool {
	in, out, err := a.console()
	if err != nil {
		return false
	}
	_ = in.Close()
	_ = out.Close()
	return true
}

// askSecret asks for a secret, which is not echoed.
func (a *app) askSecret(ctx context.Context, prompt string) (api.Secret, error) {
	answer, err := a.question(ctx, prompt, true)
	return api.NewSecret(answer), err
}

// ask asks for a line.
func (a *app) ask(ctx context.Context, prompt string) (string, error) {
	answer, err := a.question(ctx, prompt, false)
	return strings.TrimSpace(answer), err
}

// confirm asks a question that only "y" or "yes" answers. Errors: errCancelled, errNobodyToAsk.
func (a *app) confirm(ctx context.Context, question string) error {
	answer, err := a.ask(ctx, question+" [y/N] ")
	if err != nil {
		return err
	}
	if answer = strings.ToLower(answer); answer != "y" && answer != "yes" {
		return errCancelled
	}
	return nil
}

// question prints prompt on the terminal and reads one line. A cancelled context leaves the
// terminal as it was.
func (a *app) question(ctx context.Context, prompt string, secret bool) (string, error) {
	in, out, err := a.console()
	if err != nil {
		return "", err
	}
	defer in.Close()
	defer out.Close()
	fd := int(in.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNobodyToAsk, err)
	}
	if secret {
		// Before the prompt: a quick answer to it must not be echoed either.
		if err := silence(fd); err != nil {
			return "", fmt.Errorf("%w: %w", errNobodyToAsk, err)
		}
		defer func() { _ = term.Restore(fd, before) }()
	}
	if _, err := io.WriteString(out, prompt); err != nil {
		return "", err
	}

	type line struct {
		text string
		err  error
	}
	read := make(chan line, 1)
	// Not term.ReadPassword: it changes the terminal when it begins, which may be after a cancelled
	// context has put everything back.
	go func() {
		text, err := bufio.NewReader(in).ReadString('\n')
		read <- line{strings.TrimRight(text, "\r\n"), err}
	}()
	select {
	case l := <-read:
		if secret {
			_, _ = io.WriteString(out, "\n") // the person's own was not echoed
		}
		if errors.Is(l.err, io.EOF) && l.text == "" {
			return "", errCancelled
		}
		if errors.Is(l.err, io.EOF) {
			l.err = nil
		}
		return l.text, l.err
	case <-ctx.Done():
		_, _ = io.WriteString(out, "\n")
		return "", ctx.Err()
	}
}
