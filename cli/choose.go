package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"a.wakey/quick"

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
	return quick.Named(session.ValidName)
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

// readCurrent gives the account switched to; none is none.
func readCurrent(dir string) session.ID { return session.ID(quick.Current(dir)) }

// writeCurrent switches to an account; an empty ID to none.
func writeCurrent(dir string, id session.ID) error {
	path := filepath.Join(dir, quick.CurrentName)
	if id == "" {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return writeFile(dir, quick.CurrentName, string(id)+"\n", 0o600)
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
