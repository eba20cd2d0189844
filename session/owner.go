package session

import "wakey/api"

// TokenKind says what a token is.
type TokenKind int

// The kinds of token that an account holds.
const (
	NoKind TokenKind = iota
	AccessKind
	RefreshKind
)

// OwnerOf finds the account of this machine that holds a token, and what it is there, without
// asking a server: a refresh token tells itself only by being used (contract 5). NoKind: nobody
// here has it. How long it takes does not depend on what the token is.
func (m *Manager) OwnerOf(token api.Secret) (Account, TokenKind) {
	if token.IsZero() {
		return Account{}, NoKind
	}
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	var owner *entry
	kind := NoKind
	for _, e := range m.entries {
		if e.rec.Access != nil && e.rec.Access.Token.Equal(token) {
			owner, kind = e, AccessKind
		}
		if e.rec.RefreshToken.Equal(token) {
			owner, kind = e, RefreshKind
		}
	}
	if owner == nil {
		return Account{}, NoKind
	}
	return m.account(owner, now), kind
}
