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
		store, err := a.store()
		if err != nil {
			return nil, err
		}
		m = session.New(store, session.Options{Version: a.version, Dir: session.DefaultDir(), Watch: a.watch})
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

// store gives the store of this machine's accounts: its file, or the bucket that it shares with others.
// Nobody was reached or asked yet.
func (a *app) store() (session.Store, error) {
	if a.bucket != nil {
		return a.bucket, nil
	}
	if a.files != nil {
		return a.files, nil
	}
	s, err := session.OpenStore(session.DefaultDir(), a.storeOptions())
	switch s := s.(type) {
	case *session.FileStore:
		a.files = s
	case *session.BucketStore:
		a.bucket, a.files = s, s.Files()
	}
	return s, err
}

// fileStore gives this machine's file, which with a bucket is a copy of it, and knows how the key is
// kept here.
func (a *app) fileStore() *session.FileStore {
	if _, err := a.store(); err != nil { // whoever wants the accounts is told
		return session.OpenFileStore(session.DefaultDir(), a.storeOptions())
	}
	return a.files
}

// storeOptions say how the store's key is had.
func (a *app) storeOptions() session.StoreOptions {
	p := &passphraser{a}
	o := session.StoreOptions{Passphrase: p.answer}
	if a.canAsk() { // else nobody sees the keyring's prompt either
		o.Keyring = a.person.Keyring
	}
	return o
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
