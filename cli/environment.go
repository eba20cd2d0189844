package cli

import (
	"context"
	"os"
	"strings"
	"time"

	"wakey/api"
	"wakey/session"
)

// environmentAccount is the one account there is when the refresh token comes from the environment.
const environmentAccount = "environment"

// fromEnvironment tells whether the refresh token comes from the environment: no store is read or
// written then.
func fromEnvironment() bool { return !environmentToken.IsZero() }

// environmentToken is what WAKEY_REFRESH_TOKEN held.
var environmentToken api.Secret

// takeEnvironmentToken takes the refresh token out of the environment, which every command that is
// started from here (a clipboard's, tmux, one that prints a password) would inherit.
func takeEnvironmentToken() {
	environmentToken = api.NewSecret(strings.TrimSpace(os.Getenv("WAKEY_REFRESH_TOKEN")))
	_ = os.Unsetenv("WAKEY_REFRESH_TOKEN")
}

// openEnvironment makes a manager of the account in WAKEY_STACK, WAKEY_CLIENT_ID and
// WAKEY_REFRESH_TOKEN, in memory alone. It asks the stack for an access token at once, as nothing
// else tells whose account it is.
func (a *app) openEnvironment(ctx context.Context) (*session.Manager, error) {
	stack, clientID := os.Getenv("WAKEY_STACK"), os.Getenv("WAKEY_CLIENT_ID")
	if stack == "" || clientID == "" {
		return nil, usagef("WAKEY_REFRESH_TOKEN is set, which needs WAKEY_STACK and WAKEY_CLIENT_ID beside it")
	}
	record := session.Record{
		ID: environmentAccount, Name: environmentAccount, ClientID: clientID,
		RefreshToken: environmentToken,
		Trust:        api.Trust{Pin: os.Getenv("WAKEY_FINGERPRINT"), CAFile: os.Getenv("WAKEY_CA_FILE")},
	}
	if text := os.Getenv("WAKEY_LIFETIME"); text != "" {
		lifetime, err := time.ParseDuration(text)
		if err != nil || lifetime < time.Second {
			return nil, usagef("WAKEY_LIFETIME is a length of time of at least a second, such as 10m")
		}
		record.Lifetime = lifetime
	}
	var err error
	if record.Stack, err = api.NormalizeStack(stack, false); err != nil {
		return nil, usagef("WAKEY_STACK: %w", err)
	}
	client, err := api.NewClient(record.Stack, api.Options{Trust: record.Trust, Version: a.version})
	if err != nil {
		return nil, err
	}
	defer client.Close()
	asked := time.Now().Round(0)
	token, err := client.Refresh(ctx, api.RefreshRequest{
		RefreshToken: record.RefreshToken, ClientID: clientID, Lifetime: record.Lifetime,
	})
	if err != nil {
		return nil, err
	}
	lifetime := token.ExpiresAt.Sub(token.IssuedAt)
	record.UserUUID, record.TenantUUID, record.Purpose = token.AuthID, token.Metadata.TenantUUID, token.Metadata.Purpose
	record.Admin = token.Metadata.Admin != nil && *token.Metadata.Admin
	record.Access = &session.Access{
		Token: token.Value, SessionUUID: token.SessionUUID,
		ObtainedAt: asked, ExpiresAt: asked.Add(lifetime), RefreshAt: asked.Add(lifetime * 3 / 4),
	}
	record.Sessions = []session.OpenedSession{{UUID: token.SessionUUID, ExpiresAt: record.Access.ExpiresAt}}
	store := session.NewMemoryStore()
	if _, err := store.Update(ctx, record.ID, func(r *session.Record) error {
		*r = record
		return nil
	}); err != nil {
		return nil, err
	}
	return session.New(store, session.Options{Version: a.version}), nil
}

// closeEnvironment ends the session that openEnvironment began, unless its token was handed out:
// each run opens one, and a user has 100 (contract 5).
func (a *app) closeEnvironment(ctx context.Context) {
	if a.handedOut || !fromEnvironment() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	account, err := a.manager.Account(environmentAccount)
	if err != nil {
		return // signed out
	}
	client, err := a.manager.Client(account.ID)
	if err != nil {
		return
	}
	if record, err := a.manager.Store().Get(ctx, account.ID); err == nil && record.Access != nil {
		_ = client.RevokeToken(ctx, record.Access.Token) // it expires by itself otherwise
	}
}
