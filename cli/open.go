package cli

import (
	"context"

	"github.com/spf13/cobra"

	"wakey/session"
)

// open gives the manager of the accounts, with the store read.
func (a *app) open(ctx context.Context) (*session.Manager, error) {
	if a.manager != nil {
		return a.manager, nil
	}
	var m *session.Manager
	if fromEnvironment() {
		var err error
		if m, err = a.openEnvironment(ctx); err != nil {
			return nil, err
		}
	} else {
		m = session.New(a.fileStore(), session.Options{Version: a.version, Dir: session.DefaultDir(), Watch: a.watch})
	}
	a.manager = m
	return m, m.Load(ctx)
}

// opened opens the accounts and chooses one.
func (a *app) opened(ctx context.Context, args []string) (*session.Manager, choice, error) {
	m, err := a.open(ctx)
	if err != nil {
		return nil, choice{}, err
	}
	c, err := a.choose(m.Accounts(), args)
	return m, c, err
}

// glance chooses an account from the index, which needs no key and asks nobody, and from the store
// where there is no index. What it tells may be a little old.
func (a *app) glance(ctx context.Context, args []string) (choice, error) {
	if !fromEnvironment() {
		if accounts, err := session.ReadIndex(session.DefaultDir()); err == nil && len(accounts) > 0 {
			return a.choose(accounts, args)
		}
	}
	_, c, err := a.opened(ctx, args)
	return c, err
}

// fileStore gives this machine's store. Nothing is read and nobody asked yet.
func (a *app) fileStore() *session.FileStore {
	if a.files == nil {
		p := &passphraser{a}
		o := session.StoreOptions{Passphrase: p.answer}
		if a.canAsk() { // else nobody sees the keyring's prompt either
			o.Keyring = a.person.Keyring
		}
		a.files = session.OpenFileStore(session.DefaultDir(), o)
	}
	return a.files
}

// accountFlags adds what chooses an account to a command that works on one.
func (a *app) accountFlags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&a.account, "account", "a", "", "the account's `NAME` (also WAKEY_ACCOUNT, .wakey, wakey switch)")
	_ = cmd.RegisterFlagCompletionFunc("account", completeAccounts)
}

// completeAccounts offers the accounts of the index, which needs no key.
func completeAccounts(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	accounts, err := session.ReadIndex(session.DefaultDir())
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	names := make([]string, len(accounts))
	for i, account := range accounts {
		names[i] = account.Name
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
