package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"wakey/api"
)

func (s *target) testToken(t *testing.T) {
	token := s.signIn(t, "")
	if !token.RefreshToken.IsZero() || token.SessionUUID == "" || len(token.ACL) == 0 || token.Date.IsZero() || !strings.HasPrefix(token.UserAgent, "wakey/test (") {
		t.Errorf("%+v", token)
	}
	if lifetime := token.ExpiresAt.Sub(token.IssuedAt); lifetime != 5*time.Minute {
		t.Errorf("it lives %v", lifetime)
	}
	if early := token.IssuedAt.Sub(token.Date); early < -2*time.Second || early > 2*time.Second {
		t.Errorf("issued %v, answered %v", token.IssuedAt, token.Date)
	}
	if m := token.Metadata; m.UUID != token.AuthID || m.TenantUUID == "" || m.Purpose == "" {
		t.Errorf("%+v", m)
	}
	read, err := s.GetToken(t.Context(), token.Value)
	if err != nil {
		t.Fatal(err)
	}
	// GET truncates to the second (contract 4).
	if d := token.ExpiresAt.Sub(read.ExpiresAt); d < 0 || d > time.Second || !read.ExpiresAt.Equal(read.ExpiresAt.Truncate(time.Second)) {
		t.Errorf("expires %v, read %v", token.ExpiresAt, read.ExpiresAt)
	}
	if !read.Value.Equal(token.Value) || read.SessionUUID != token.SessionUUID || read.AuthID != token.AuthID || !slices.Equal(read.ACL, token.ACL) || read.SessionsRevoked != -1 {
		t.Errorf("read %+v\nmade %+v", read, token)
	}
	if err := s.CheckToken(t.Context(), token.Value, "", token.Metadata.TenantUUID); err != nil {
		t.Error(err)
	}
	for range 2 { // an already revoked token is no error
		if err := s.RevokeToken(t.Context(), token.Value); err != nil {
			t.Error(err)
		}
	}
	_, err = s.GetToken(t.Context(), token.Value)
	wants(t, "reading a revoked token", err, api.ErrTokenDead)
	wants(t, "checking a revoked token", s.CheckToken(t.Context(), token.Value, "", ""), api.ErrTokenDead)
	_, err = s.CheckScopes(t.Context(), token.Value, []string{"x"}, "")
	wants(t, "asking a revoked token", err, api.ErrTokenDead)
	_, err = s.MyRefreshTokens(t.Context(), token.Value, api.ListOptions{})
	wants(t, "using a revoked token", err, api.ErrTokenDead)
}

func (s *target) testRefreshToken(t *testing.T) {
	id := s.newClientID("rt")
	made := s.signIn(t, id)
	if made.RefreshToken.IsZero() {
		t.Fatal("no refresh token")
	}
	if again := s.signIn(t, id); !again.RefreshToken.Equal(made.RefreshToken) || again.SessionUUID == made.SessionUUID {
		t.Error("the same client_id does not give the same refresh token and another session (contract 5)")
	}
	fresh := s.refresh(t, made.RefreshToken, id)
	if !fresh.RefreshToken.IsZero() || fresh.AuthID != made.AuthID || fresh.SessionUUID == made.SessionUUID || fresh.Value.Equal(made.Value) {
		t.Errorf("%+v", fresh)
	}
	_, err := s.Refresh(t.Context(), api.RefreshRequest{RefreshToken: made.RefreshToken, ClientID: id + "x"})
	wants(t, "another client_id", err, api.ErrRefreshRefused)
	_, err = s.Refresh(t.Context(), api.RefreshRequest{RefreshToken: made.Value, ClientID: id})
	wants(t, "an access token as refresh token", err, api.ErrRefreshRefused)
	_, err = s.GetToken(t.Context(), made.RefreshToken)
	wants(t, "a refresh token as access token", err, api.ErrTokenDead)
	_, err = s.MyRefreshTokens(t.Context(), made.RefreshToken, api.ListOptions{})
	wants(t, "a refresh token as X-Auth-Token", err, api.ErrTokenDead)
	for name, list := range map[string]func() (api.Page[api.RefreshToken], error){
		"mine": func() (api.Page[api.RefreshToken], error) {
			return s.MyRefreshTokens(t.Context(), made.Value, api.ListOptions{Search: strings.ToUpper(id)})
		},
		"the user's": func() (api.Page[api.RefreshToken], error) {
			return s.UserRefreshTokens(t.Context(), made.Value, made.AuthID, api.ListOptions{Filter: map[string]string{"client_id": id}})
		},
	} {
		p, err := list()
		if err != nil || len(p.Items) != 1 || p.Filtered != 1 || p.Total != len(s.before)+1 {
			t.Errorf("%s: %+v, %v", name, p, err)
			continue
		}
		rt := p.Items[0]
		if age := made.Date.Sub(rt.CreatedAt); rt.ClientID != id || rt.UserUUID != made.AuthID || rt.Mobile || age < -5*time.Second || age > time.Minute {
			t.Errorf("%s: %+v", name, rt)
		}
	}
}

func (s *target) testRevocation(t *testing.T) {
	id := s.newClientID("gone")
	made := s.signIn(t, id)
	fresh := s.refresh(t, made.RefreshToken, id)
	if err := s.RevokeMyRefreshToken(t.Context(), made.Value, id); err != nil {
		t.Fatal(err)
	}
	_, err := s.Refresh(t.Context(), api.RefreshRequest{RefreshToken: made.RefreshToken, ClientID: id})
	wants(t, "a revoked refresh token", err, api.ErrRefreshRefused)
	wants(t, "revoking it again", s.RevokeMyRefreshToken(t.Context(), made.Value, id), api.ErrNotFound)
	wants(t, "revoking it again by user", s.RevokeUserRefreshToken(t.Context(), made.Value, made.AuthID, id), api.ErrNotFound)
	// What was made from it lives on (contract 7.2).
	if err := s.CheckToken(t.Context(), fresh.Value, "", ""); err != nil {
		t.Error(err)
	}
	if again := s.signIn(t, id); again.RefreshToken.Equal(made.RefreshToken) {
		t.Error("the revoked refresh token came back")
	}
}

func (s *target) testClientIDs(t *testing.T) {
	for i, odd := range []string{"a b", "50%", "%2F", "ü日本", "q?x=1&y", "semi;colon:+*", "{curly}", "..."} {
		id := fmt.Sprintf("%s %d %s", s.newClientID("odd"), i, odd)
		s.clientIDs[len(s.clientIDs)-1] = id
		made := s.signIn(t, id)
		p, err := s.MyRefreshTokens(t.Context(), made.Value, api.ListOptions{Filter: map[string]string{"client_id": id}})
		if err != nil || len(p.Items) != 1 || p.Items[0].ClientID != id {
			t.Errorf("%q: %+v, %v", id, p, err)
		}
		if err := s.RevokeMyRefreshToken(t.Context(), made.Value, id); err != nil {
			t.Errorf("%q: %v", id, err)
		}
		_, err = s.Refresh(t.Context(), api.RefreshRequest{RefreshToken: made.RefreshToken, ClientID: id})
		wants(t, "revoked "+id, err, api.ErrRefreshRefused)
	}
}

func (s *target) testSessions(t *testing.T) {
	id := s.newClientID("session")
	own, other := s.signIn(t, id), s.signIn(t, "")
	listed := func() map[string]bool {
		t.Helper()
		p, err := s.UserSessions(t.Context(), own.Value, own.AuthID, api.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		there := map[string]bool{}
		for _, session := range p.Items {
			there[session.UUID] = true
			if session.UserUUID != own.AuthID || session.TenantUUID == "" {
				t.Errorf("%+v", session)
			}
		}
		return there
	}
	if there := listed(); !there[own.SessionUUID] || !there[other.SessionUUID] {
		t.Errorf("%v", there)
	}
	for range 2 { // an unknown session is no error (contract 8)
		if err := s.RevokeUserSession(t.Context(), own.Value, own.AuthID, other.SessionUUID); err != nil {
			t.Fatal(err)
		}
	}
	if listed()[other.SessionUUID] {
		t.Error("the session stays")
	}
	wants(t, "the token of a revoked session", s.CheckToken(t.Context(), other.Value, "", ""), api.ErrTokenDead)
	if err := s.RevokeUserSession(t.Context(), own.Value, own.AuthID, own.SessionUUID); err != nil {
		t.Error(err)
	}
	wants(t, "the own token after its session", s.CheckToken(t.Context(), own.Value, "", ""), api.ErrTokenDead)
	s.refresh(t, own.RefreshToken, id) // the refresh token is untouched
}

// What the server answers about a token is what Allows says of its ACL.
func (s *target) testScopes(t *testing.T) {
	token := s.signIn(t, "")
	scopes := []string{
		"auth.users.me.tokens.read", "auth.users." + token.AuthID + ".tokens.read", "auth.users.me.tokens.x.delete", "auth.users.me.tokens.a#b.delete",
		"auth.users." + nobody + ".tokens.read", "auth.tokens.read", "auth.users.read", "auth.users.me.read", "auth.users.me.password.update",
		"auth.users.me.password.edit", "auth.sessions.read", "auth.users.me.sessions." + token.SessionUUID + ".delete", "confd.infos.read", "confd.infos.update",
		"events.auth.users.me.sessions." + token.SessionUUID + ".expire_soon", "events.auth.users.me.sessions." + nobody + ".expire_soon", "websocketd", "webhookd.x", "#", "*", "",
	}
	for _, grant := range token.ACL {
		scopes = append(scopes, strings.NewReplacer("*", "x", "#", "x.y").Replace(grant))
	}
	told, err := s.CheckScopes(t.Context(), token.Value, scopes, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, scope := range scopes {
		if got := api.Allows(token.ACL, scope, token.AuthID, token.SessionUUID); got != told[scope] {
			t.Errorf("%q: Allows says %v, the stack %v; decided by %q", scope, got, told[scope], api.Matching(token.ACL, scope, token.AuthID, token.SessionUUID))
		}
		if scope == "" {
			continue // CheckToken does not ask for nothing
		}
		err := s.CheckToken(t.Context(), token.Value, scope, "")
		if told[scope] != (err == nil) || err != nil && !errors.Is(err, api.ErrPermission) {
			t.Errorf("%q: %v", scope, err)
		}
		if scope == "auth.users.me.password.edit" {
			break // two dozen single questions are enough
		}
	}
	wants(t, "a foreign tenant", s.CheckToken(t.Context(), token.Value, "", nobody), api.ErrWrongTenant)
}

func (s *target) testPaging(t *testing.T) {
	var last *api.Token
	for range 3 {
		last = s.signIn(t, s.newClientID("page"))
	}
	for _, size := range []int{0, 1, 2, 100} {
		ids, err := s.walkTokens(t, last, size)
		want, err2 := s.refreshTokens(t.Context(), last.Value)
		slices.Sort(ids)
		if err != nil || err2 != nil || len(ids) < 3 || !slices.Equal(ids, want) {
			t.Errorf("pages of %d: %q, want %q, %v, %v", size, ids, want, err, err2)
		}
		var sessions []string
		for session, err := range api.All(t.Context(), func(ctx context.Context, o api.ListOptions) (api.Page[api.Session], error) {
			return s.UserSessions(ctx, last.Value, last.AuthID, o)
		}, api.ListOptions{Order: "mobile"}, size) {
			if err != nil {
				t.Fatal(err)
			}
			sessions = append(sessions, session.UUID)
		}
		p, err := s.UserSessions(t.Context(), last.Value, last.AuthID, api.ListOptions{})
		if err != nil || len(sessions) != p.Total || len(p.Items) != p.Total {
			t.Errorf("pages of %d: %d sessions of %d, %v", size, len(sessions), p.Total, err)
		}
	}
	p, err := s.MyRefreshTokens(t.Context(), last.Value, api.ListOptions{Order: "client_id", Desc: true, Limit: 2, Offset: 1})
	if err != nil || len(p.Items) != 2 || p.Items[0].ClientID < p.Items[1].ClientID {
		t.Errorf("%+v, %v", p, err)
	}
	_, err = s.MyRefreshTokens(t.Context(), last.Value, api.ListOptions{Order: "user_uuid"})
	wants(t, "an order that is none", err, api.ErrInvalid)
}

func (s *target) walkTokens(t *testing.T, token *api.Token, size int) (ids []string, err error) {
	seq := api.All(t.Context(), func(ctx context.Context, o api.ListOptions) (api.Page[api.RefreshToken], error) {
		return s.MyRefreshTokens(ctx, token.Value, o)
	}, api.ListOptions{}, size)
	for rt, err := range seq {
		if err != nil {
			return nil, err
		}
		ids = append(ids, rt.ClientID)
	}
	return ids, nil
}

func (s *target) testRefusals(t *testing.T, admin bool) {
	token := s.signIn(t, "")
	ctx := t.Context()
	_, err := s.MyRefreshTokens(ctx, token.Value, api.ListOptions{Tenant: nobody})
	wants(t, "a foreign tenant", err, api.ErrWrongTenant)
	_, err = s.MyRefreshTokens(ctx, api.NewSecret(nobody), api.ListOptions{})
	wants(t, "an unknown token", err, api.ErrTokenDead)
	_, err = s.MyRefreshTokens(ctx, api.Secret{}, api.ListOptions{})
	wants(t, "no token", err, api.ErrTokenDead)
	err = s.SetOwnPassword(ctx, token.Value, token.AuthID, api.NewSecret("surely not the password"), s.password)
	wants(t, "a wrong old password", err, api.ErrBadCredentials)
	if admin {
		t.Skip("an administrator is refused less")
	}
	_, allTokens := s.AllRefreshTokens(ctx, token.Value, api.ListOptions{})
	_, allSessions := s.AllSessions(ctx, token.Value, api.ListOptions{})
	_, users := s.Users(ctx, token.Value, api.ListOptions{})
	_, self := s.User(ctx, token.Value, token.AuthID)
	_, tenants := s.Tenants(ctx, token.Value, api.ListOptions{})
	_, idp := s.IdentityProviders(ctx, token.Value)
	for access, err := range map[string]error{
		"auth.tokens.read": allTokens, "auth.sessions.read": allSessions, "auth.users.read": users, "auth.tenants.read": tenants, "auth.idp.read": idp,
		"auth.users." + token.AuthID + ".read":                     self,
		"auth.sessions." + token.SessionUUID + ".delete":           s.RevokeSession(ctx, token.Value, token.SessionUUID),
		"auth.users." + nobody + ".tokens.x.delete":                s.RevokeUserRefreshToken(ctx, token.Value, nobody, "x"),
		"auth.users." + nobody + ".sessions." + nobody + ".delete": s.RevokeUserSession(ctx, token.Value, nobody, nobody),
		"auth.users.me.tokens.wakey-suite#.delete":                 s.RevokeMyRefreshToken(ctx, token.Value, "wakey-suite#"),
		"auth.users." + token.AuthID + ".delete":                   s.DeleteUser(ctx, token.Value, token.AuthID),
	} {
		var e *api.Error
		if !errors.As(err, &e) || !errors.Is(err, api.ErrPermission) || e.Permission != access {
			t.Errorf("%s: %v", access, err)
			continue
		}
		if strings.Contains(err.Error(), token.Value.Reveal()) {
			t.Errorf("the token shows in %q", err)
		}
	}
	wants(t, "another's password", s.ResetPassword(ctx, token.Value, token.AuthID, s.password), api.ErrUnauthorized)
}

func (s *target) testDo(t *testing.T) {
	token := s.signIn(t, "")
	resp, err := s.Do(t.Context(), http.MethodGet, "/auth/0.1/users/me/tokens?limit=0", nil, nil, token.Value)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), `"items"`) {
		t.Errorf("%d %s, %v", resp.StatusCode, body, err)
	}
}
