package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wakey/api"
	"wakey/session"
)

// choice is an account and the rule that chose it.
type choice struct {
	session.Account

	Rule string // for a person: "--account", ".wakey in /srv/x"
}

// choose finds the account to work on: the argument, --account, WAKEY_ACCOUNT, the nearest .wakey
// file, the one switched to, and last the only one there is. The first rule that names one
// decides, also when there is no such account: another one would be a surprise.
func (a *app) choose(accounts []session.Account, args []string) (choice, error) {
	name, rule, err := a.named(args)
	if err != nil {
		return choice{}, err
	}
	if name != "" {
		i := slices.IndexFunc(accounts, func(a session.Account) bool { return a.Name == name })
		if i < 0 {
			i = slices.IndexFunc(accounts, func(a session.Account) bool { return a.ID == session.ID(name) })
		}
		if i < 0 {
			return choice{}, noSuchAccount(name, rule, accounts)
		}
		return choice{accounts[i], rule}, nil
	}
	if id := readCurrent(session.DefaultDir()); id != "" {
		if i := slices.IndexFunc(accounts, func(a session.Account) bool { return a.ID == id }); i >= 0 {
			return choice{accounts[i], "wakey switch"}, nil
		}
	}
	switch len(accounts) {
	case 0:
		return choice{}, errNobodySignedIn
	case 1:
		return choice{accounts[0], "the only account"}, nil
	}
	return choice{}, usagef("which account? there are %s: name one, or run \"wakey switch NAME\"", names(accounts))
}

// named gives the name that the argument, the flag, the environment or a .wakey file says.
func (a *app) named(args []string) (name, rule string, err error) {
	switch {
	case len(args) > 0 && a.account != "" && args[0] != a.account:
		return "", "", usagef("two accounts are named: %q and --account %q", args[0], a.account)
	case len(args) > 0:
		return args[0], "the argument", nil
	case a.account != "":
		return a.account, "--account", nil
	}
	if name := os.Getenv("WAKEY_ACCOUNT"); name != "" {
		return name, "WAKEY_ACCOUNT", nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", "", nil //nolint:nilerr // a directory that is gone has no .wakey
	}
	name, path, err := findDotWakey(dir)
	return name, path, err
}

func noSuchAccount(name, rule string, accounts []session.Account) error {
	if len(accounts) == 0 {
		return fmt.Errorf("%w: %q (from %s); %w", session.ErrNoAccount, name, rule, errNobodySignedIn)
	}
	return fmt.Errorf("%w: %q (from %s); there are %s", session.ErrNoAccount, name, rule, names(accounts))
}

func names(accounts []session.Account) string {
	all := make([]string, len(accounts))
	for i, a := range accounts {
		all[i] = a.Name
	}
	return strings.Join(all, ", ")
}

// dotWakey names the account for a directory and what is below it. It holds a name and nothing
// else, so that it may be committed.
const dotWakey = ".wakey"

// findDotWakey looks for a .wakey file in dir and above.
func findDotWakey(dir string) (name, path string, err error) {
	for {
		path := filepath.Join(dir, dotWakey)
		name, err := readDotWakey(path)
		if err == nil {
			return name, path, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", "", fmt.Errorf("%s is not used: %w; name the account with --account", path, err)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", "", nil
		}
		dir = parent
	}
}

// readDotWakey reads a .wakey file. What it holds is not repeated in errors: it may be a link to
// something that is nobody's business.
func readDotWakey(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("it is no regular file")
	}
	if foreign(info) {
		return "", errors.New("it belongs to somebody else")
	}
	if info.Size() > 128 {
		return "", errors.New("it is too long to hold nothing but the name of an account")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	name := strings.TrimRight(string(b), "\r\n")
	if session.ValidName(name) != nil {
		return "", errors.New("it does not hold the name of an account and nothing else")
	}
	return name, nil
}

// currentFile keeps the ID of the account switched to, beside the store.
const currentFile = "current"

// readCurrent gives the account switched to; none is none.
func readCurrent(dir string) session.ID {
	b, err := os.ReadFile(filepath.Join(dir, currentFile))
	if err != nil {
		return ""
	}
	return session.ID(strings.TrimSpace(string(b)))
}

// writeCurrent switches to an account; an empty ID to none.
func writeCurrent(dir string, id session.ID) error {
	path := filepath.Join(dir, currentFile)
	if id == "" {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return writeFile(dir, currentFile, string(id)+"\n", 0o600)
}

// writeFile puts a small file into place in one step: a reader sees the old text or the new one,
// never half of it.
func writeFile(dir, name, text string, mode fs.FileMode) error {
	tmp, err := os.CreateTemp(dir, name+".*")
	if err != nil {
		return err
	}
	_, err = tmp.WriteString(text)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Chmod(tmp.Name(), mode)
	}
	if err == nil {
		err = os.Rename(tmp.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
	}
	return err
}

// stackName is the host of an account's stack.
func stackName(a session.Account) string { return api.StackName(a.Stack) }
