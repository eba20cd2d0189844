package session

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"wakey/api"
)

// SignInRequest says who signs in where.
type SignInRequest struct {
	Name      string // of the account; empty: login@stack
	Stack     string
	Login     string // user name or confirmed e-mail
	Password  api.Secret
	Lifetime  time.Duration // of each access token; 0: the server's default
	Online    bool          // no refresh token: the account ends with its access token
	Trust     api.Trust
	PlainHTTP bool

	user string // uuid that has to answer; empty: any
}

// SignIn signs in and keeps the account. An account of that name for the same stack and login is
// signed in again: it keeps its ID, gets a new client_id, and its old refresh token and sessions
// are revoked. On an error nothing is kept, here or on the server. A certificate that nobody
// vouches for gives an *api.CertError with its fingerprint: ask the person, then call again with
// Trust.Pin set. Without a Trust the stack's other accounts decide: a key that is not the one
// pinned for them gives an *api.CertError of the reason api.CertChanged. Other errors: those of api.Client.CreateToken and of the store.
func (m *Manager) SignIn(ctx context.Context, r SignInRequest) (Account, error) {
	base, err := api.NormalizeStack(r.Stack, r.PlainHTTP)
	if err != nil {
		return Account{}, err
	}
	r.Stack = base
	if r.Name == "" {
		r.Name = r.Login + "@" + api.StackName(base)
	}
	id, err := m.idFor(ctx, r)
	if err != nil {
		return Account{}, err
	}
	r.Trust = m.trustFor(r)
	c, err := m.dial(endpoint{base, r.Trust, r.PlainHTTP})
	if err != nil {
		return Account{}, err
	}
	select {
	case m.slots <- struct{}{}:
		defer func() { <-m.slots }()
	case <-ctx.Done():
		return Account{}, ctx.Err()
	}
	lock, err := m.lock(ctx, id, nil)
	if err != nil {
		return Account{}, err
	}
	defer lock.Release()
	if err := m.takeOver(ctx, lock, id); err != nil {
		return Account{}, err
	}

	clientID := ""
	if !r.Online {
		clientID = m.clientIDFor(r)
	}
	asked := m.now()
	note := Attempt{Op: "sign-in", At: asked, Lifetime: r.Lifetime, ClientID: clientID, Stack: base, Login: r.Login}
	if err := lock.Begin(note); err != nil {
		return Account{}, fmt.Errorf("the sign-in can't be noted, so nothing was asked for: %w", err)
	}
	tok, err := c.CreateToken(ctx, api.PasswordRequest{
		Login: r.Login, Password: r.Password, ClientID: clientID, Lifetime: r.Lifetime,
	})
	if err != nil {
		if !mayHaveHappened(err) {
			m.settle(r)
			err = errors.Join(err, lock.End())
		}
		return Account{}, err
	}
	if r.user != "" && tok.AuthID != r.user {
		return Account{}, m.undoSignIn(ctx, lock, c, tok, clientID, errOtherUser(r.Login))
	}
	return m.keepSignIn(ctx, lock, c, id, r, tok, clientID, asked)
}

// keepSignIn writes a fresh sign-in down, or undoes it on the server when it can't.
func (m *Manager) keepSignIn(ctx context.Context, lock *Lock, c *api.Client, id ID, r SignInRequest, tok *api.Token, clientID string, asked time.Time) (Account, error) {
	access := newAccess(tok, asked, random())
	var old Record
	kept, err := m.store.Update(ctx, id, lock.Fenced(func(rec *Record) error {
		old = rec.clone()
		*rec = Record{
			ID: id, Name: r.Name, Stack: r.Stack, PlainHTTP: r.PlainHTTP, Trust: r.Trust, Login: r.Login,
			UserUUID: tok.AuthID, TenantUUID: tok.Metadata.TenantUUID, Purpose: tok.Metadata.Purpose, Admin: isAdmin(tok),
			ClientID: clientID, RefreshToken: tok.RefreshToken, Lifetime: r.Lifetime, SignedInAt: asked,
			Access:       access,
			Sessions:     append(rec.Sessions, OpenedSession{access.SessionUUID, access.ExpiresAt}),
			OldClientIDs: oldClientIDs(&old, clientID), Leaks: rec.Leaks, Version: rec.Version,
		}
		return nil
	}))
	if errors.Is(err, errUnsure) {
		// It may be kept, so it is not taken back, and the note stays for whoever comes next.
		return Account{}, fmt.Errorf("whether the sign-in was kept is not known, look before you sign in again: %w", err)
	}
	if err != nil {
		return Account{}, m.undoSignIn(ctx, lock, c, tok, clientID, err)
	}
	m.settle(r)
	if err := lock.End(); err != nil {
		m.report(id, r.Name, "sign-in", Warn, fmt.Sprintf("the sign-in's note stays behind: %v", err))
	}
	m.publish(kept, 0)
	m.report(id, r.Name, "sign-in", Info, fmt.Sprintf("signed in as %s: …%s, good for %s", api.Clean(r.Login),
		access.Token.Suffix(), lasting(access.ExpiresAt.Sub(access.ObtainedAt))))
	m.retireOld(ctx, c, kept)
	m.poke()
	return m.Account(string(id))
}

// undoSignIn takes back on the server what could not be kept here.
func (m *Manager) undoSignIn(ctx context.Context, lock *Lock, c *api.Client, tok *api.Token, clientID string, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	var errs []error
	if clientID != "" {
		errs = append(errs, c.RevokeMyRefreshToken(ctx, tok.Value, clientID))
	}
	errs = append(errs, c.RevokeToken(ctx, tok.Value))
	if undo := errors.Join(errs...); undo != nil {
		return fmt.Errorf("%w (and the stack keeps what it gave, client_id %s: %w)", cause, clientID, undo)
	}
	return errors.Join(cause, lock.End())
}

// retireOld revokes what an earlier sign-in of the account left on the server: its refresh
// token, by client_id, and its sessions. What fails is tried again at the next sign-in.
func (m *Manager) retireOld(ctx context.Context, c *api.Client, rec Record) {
	var left []string
	for _, id := range rec.OldClientIDs {
		err := c.RevokeMyRefreshToken(ctx, rec.Access.Token, id)
		if err != nil && !errors.Is(err, api.ErrNotFound) {
			left = append(left, id)
			m.report(rec.ID, rec.Name, "sign-in", Warn, fmt.Sprintf("the old refresh token %s could not be revoked: %v", id, err))
		}
	}
	sessions := m.revokeSuperseded(ctx, c, rec)
	if len(left) == len(rec.OldClientIDs) && len(sessions) == len(rec.Sessions) {
		return
	}
	kept, err := m.store.Update(ctx, rec.ID, func(r *Record) error {
		if r.Name == "" {
			return ErrNoAccount
		}
		r.OldClientIDs, r.Sessions = left, sessions
		return nil
	})
	if err != nil {
		m.report(rec.ID, rec.Name, "sign-in", Warn, fmt.Sprintf("the end of the old sign-in could not be kept: %v", err))
		return
	}
	m.publish(kept, 0)
}

// idFor finds the account that r signs in again, or makes a new ID.
func (m *Manager) idFor(ctx context.Context, r SignInRequest) (ID, error) {
	if err := ValidName(r.Name); err != nil {
		return "", err
	}
	m.mu.Lock()
	loaded := m.loaded
	m.mu.Unlock()
	if !loaded {
		if err := m.Load(ctx); err != nil {
			return "", err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.order {
		rec := &e.rec
		if rec.Name != r.Name {
			continue
		}
		if rec.Stack != r.Stack || !strings.EqualFold(rec.Login, r.Login) {
			return "", fmt.Errorf("%w: %q is %s at %s; choose another name", ErrNameTaken, r.Name, rec.Login, api.StackName(rec.Stack))
		}
		return rec.ID, nil
	}
	return ID(hex8()), nil
}

// trustFor is whom the sign-in trusts: whoever the request says, else whoever another account of the
// stack does. A key that was pinned once holds for the stack, so that another one is noticed.
func (m *Manager) trustFor(r SignInRequest) api.Trust {
	m.mu.Lock()
	defer m.mu.Unlock()
	trust := r.Trust
	for _, e := range m.order {
		if trust == (api.Trust{}) && e.rec.Stack == r.Stack {
			trust = e.rec.Trust
		}
	}
	return trust
}

// clientIDFor names the refresh token about to be made. A sign-in whose answer never came is
// repeated under the same name: the server then hands out the token it may have made already
// instead of another (contract 5).
func (m *Manager) clientIDFor(r SignInRequest) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := r.Stack + "\n" + r.Login
	if m.pending[key] == "" {
		host, _ := os.Hostname()
		if b, fleet := m.store.(*BucketStore); fleet {
			host = "fleet-" + b.bucket.Name // all its machines share the refresh token
		}
		m.pending[key] = newClientID(host)
	}
	return m.pending[key]
}

// settle says that the outcome of a sign-in is known.
func (m *Manager) settle(r SignInRequest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.pending, r.Stack+"\n"+r.Login)
}

// newClientID gives wakey-HOST-8hex of a-z, 0-9 and -, at most 64 bytes: a name that a person
// recognises in a list and that every server can revoke (contract 7.3).
func newClientID(host string) string {
	host = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, host)
	host = strings.Trim(host, "-")
	if host == "" {
		host = "host"
	}
	if len(host) > 49 {
		host = host[:49]
	}
	return "wakey-" + host + "-" + hex8()
}

func hex8() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// ValidName refuses names that can't stand for an account on a command line, in a list or in a
// .wakey file.
func ValidName(name string) error {
	if name == "" || len(name) > 64 || name != strings.TrimSpace(name) || name != api.Clean(name) ||
		strings.ContainsAny(name, "/\\\n") || name[0] == '-' || name[0] == '.' {
		return fmt.Errorf("%q can't name an account: use 1 to 64 letters, digits or signs, no slash, and no dot or dash at the beginning", name)
	}
	return nil
}
