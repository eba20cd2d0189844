package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"wakey/api"
	"wakey/session"
)

// secretLimit bounds a password or a passphrase, in bytes.
const secretLimit = 64 << 10

// passphraser answers the store's questions for its passphrase.
type passphraser struct{ app *app }

// secretSource is where a secret comes from: a file, or a command that prints it; neither: a person.
type secretSource struct{ file, command string }

// answer takes the passphrase from where source says.
func (p *passphraser) answer(ctx context.Context, r session.PassphraseRequest) (api.Secret, error) {
	from, err := p.source()
	if err != nil {
		return api.Secret{}, err
	}
	if r.New && p.app.newPassphraseFile != "" {
		from = secretSource{file: p.app.newPassphraseFile}
	}
	var secret api.Secret
	switch {
	case from.file != "":
		secret, err = secretFile(from.file)
	case from.command != "":
		secret, err = p.app.secretCommand(ctx, from.command)
	default:
		return p.app.person.Passphrase(ctx, r)
	}
	if err == nil && secret.IsZero() {
		err = errors.New("it is empty")
	}
	if err != nil {
		return api.Secret{}, fmt.Errorf("reading the store's passphrase: %w", err)
	}
	return secret, nil
}

// source is the first that is set: --passphrase-file, --passphrase-command, WAKEY_PASSPHRASE_FILE,
// WAKEY_PASSPHRASE_COMMAND, the credential of a systemd unit, the configuration, and last a person.
func (p *passphraser) source() (secretSource, error) {
	if p.app.passphraseFile != "" {
		return secretSource{file: p.app.passphraseFile}, nil
	}
	if p.app.passphraseCommand != "" {
		return secretSource{command: p.app.passphraseCommand}, nil
	}
	if path := os.Getenv("WAKEY_PASSPHRASE_FILE"); path != "" {
		return secretSource{file: path}, nil
	}
	if line := os.Getenv("WAKEY_PASSPHRASE_COMMAND"); line != "" {
		return secretSource{command: line}, nil
	}
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" {
		path := filepath.Join(dir, "wakey-passphrase")
		if _, err := os.Stat(path); err == nil {
			return secretSource{file: path}, nil
		}
	}
	c, err := readConfig()
	if err != nil {
		return secretSource{}, err
	}
	if path := c.text(setPassphraseFile); path != "" {
		return secretSource{file: path}, nil
	}
	return secretSource{command: c.text(setPassphraseCommand)}, nil
}

// askPassphrase asks on the terminal; for a new passphrase until two answers are the same.
func (a *app) askPassphrase(ctx context.Context, r session.PassphraseRequest) (api.Secret, error) {
	if !a.canAsk() {
		return api.Secret{}, fmt.Errorf("%s: %w; name a file that holds the passphrase with --passphrase-file or WAKEY_PASSPHRASE_FILE",
			r.Reason, errNobodyToAsk)
	}
	if r.Reason != "" {
		a.talkf("wakey: %s", api.Clean(r.Reason))
	}
	if !r.New {
		return a.askSecret(ctx, "Passphrase of the store: ")
	}
	return a.askTwice(ctx, "New passphrase of the store: ")
}

// keyringPatience is how long a person at a terminal is given to answer the keyring's own prompt.
const keyringPatience = 30 * time.Second

// awaitKeyring says that the keyring does not answer yet, and waits a while.
func (a *app) awaitKeyring(ctx context.Context, r session.KeyringRequest) {
	instead := "ctrl+c gives up"
	if r.New {
		instead = fmt.Sprintf("after %s a passphrase is asked for instead", inWords(keyringPatience))
	}
	a.talkf("wakey: the keyring does not answer yet; if it shows a prompt, answer that (%s)", instead)
	enough := time.NewTimer(keyringPatience)
	defer enough.Stop()
	select {
	case <-enough.C:
	case <-ctx.Done():
	}
}

// askTwice asks for a secret that is set, until two answers are the same.
func (a *app) askTwice(ctx context.Context, prompt string) (api.Secret, error) {
	for {
		first, err := a.askSecret(ctx, prompt)
		if err != nil {
			return api.Secret{}, err
		}
		if first.IsZero() {
			return api.Secret{}, errCancelled
		}
		second, err := a.askSecret(ctx, "The same again: ")
		if err != nil {
			return api.Secret{}, err
		}
		if first.Reveal() == second.Reveal() {
			return first, nil
		}
		a.talkf("wakey: the two answers differ, once more")
	}
}

// secretFile reads a secret from a file, without the newline at its end.
func secretFile(path string) (api.Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return api.Secret{}, err
	}
	defer f.Close()
	return readSecret(f)
}

// readSecret reads a secret to the end of r, without the newline there.
func readSecret(r io.Reader) (api.Secret, error) {
	b, err := io.ReadAll(io.LimitReader(r, secretLimit+1))
	if err != nil {
		return api.Secret{}, err
	}
	if len(b) > secretLimit {
		return api.Secret{}, fmt.Errorf("it is longer than %d bytes", secretLimit)
	}
	b = bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
	return api.NewSecret(string(b)), nil
}

// secretCommand runs a line of shell and takes what it prints as a secret. It may talk to the
// person through the terminal and standard error.
func (a *app) secretCommand(ctx context.Context, line string) (api.Secret, error) {
	shell := []string{"/bin/sh", "-c"}
	if runtime.GOOS == "windows" {
		shell = []string{"cmd", "/c"}
	}
	cmd := exec.CommandContext(ctx, shell[0], append(shell[1:], line)...) //nolint:gosec // the person's own command
	cmd.Stderr = a.stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return api.Secret{}, err
	}
	if err := cmd.Start(); err != nil {
		return api.Secret{}, err
	}
	secret, err := readSecret(out)
	_, _ = io.Copy(io.Discard, out)
	if werr := cmd.Wait(); werr != nil {
		return api.Secret{}, fmt.Errorf("the command that prints it failed: %w", werr)
	}
	return secret, err
}
