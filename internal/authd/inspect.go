package authd

import (
	"slices"
	"time"
)

// Sessions tells how many session rows a user has: the live ones, and those that
// expired since the last purge.
func (s *Server) Sessions(userUUID string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.purge(time.Now())
	return len(s.byUser[userUUID])
}

// RefreshTokens gives the client_ids of a user's refresh tokens, sorted.
func (s *Server) RefreshTokens(userUUID string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[userUUID]
	if u == nil {
		return nil
	}
	var ids []string
	for id := range u.refreshTokens {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// ExpireTokens lets every access token of a user run out now. Their sessions stay
// until the next purge, as after any expiry.
func (s *Server) ExpireTokens(userUUID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for t := range s.byUser[userUUID] {
		t.expireT = time.Now().Unix() - 1
	}
}

// RevokeSessions ends every session of a user, as an administrator could.
func (s *Server) RevokeSessions(userUUID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tokensOf(userUUID) {
		s.dropToken(t)
	}
}

// RevokeRefreshTokens revokes every refresh token of a user; its sessions live on.
func (s *Server) RevokeRefreshTokens(userUUID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[userUUID]
	if u == nil {
		return
	}
	for _, rt := range u.refreshTokens {
		s.dropRefreshToken(rt)
	}
}
