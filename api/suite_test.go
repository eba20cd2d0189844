package api_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

// target is the stack the suite runs against: an authd of its own, or a real one, as an ordinary user of it:
//
//	WAKEY_TEST_STACK=URL WAKEY_TEST_USER=… WAKEY_TEST_PASSWORD=… [WAKEY_TEST_FINGERPRINT=SHA256:…] go test ./api/...
//
// Everything it makes carries a client_id of its own and is taken away at the end.
type target struct {
	*api.Client
	login    string
	password api.Secret

	clientIDs []string     // refresh tokens made
	tokens    []*api.Token // access tokens made
	before    []string     // client_ids that were there
}

const (
	suiteUser   = "8e1a3c5e-0000-4000-8000-00000000000a"
	suiteTenant = "8e1a3c5e-0000-4000-8000-000000000001"
	otherTenant = "8e1a3c5e-0000-4000-8000-000000000002"
	nobody      = "00000000-0000-4000-8000-000000000000"
)

// realStack is the stack that the environment names, "" for none, and whose key to trust: the one that the environment
// names, or the one that the stack shows now.
func realStack(t *testing.T) (stack string, trust api.Trust) {
	t.Helper()
	stack, trust.Pin = os.Getenv("WAKEY_TEST_STACK"), os.Getenv("WAKEY_TEST_FINGERPRINT")
	if stack == "" || trust.Pin != "" || strings.HasPrefix(stack, "http://") {
		return stack, trust
	}
	info, err := api.Fingerprint(t.Context(), stack)
	if err != nil {
		t.Fatal(err)
	}
	if info.Problem != "" {
		t.Logf("%s shows the key %s, which nobody vouches for (%s); it is trusted for this run", stack, info.Fingerprint, info.Problem)
		trust.Pin = info.Fingerprint
	}
	return stack, trust
}

func newTarget(t *testing.T) *target {
	t.Helper()
	stack, trust := realStack(t)
	s := &target{login: os.Getenv("WAKEY_TEST_USER"), password: api.NewSecret(os.Getenv("WAKEY_TEST_PASSWORD"))}
	switch {
	case stack != "" && (s.login == "" || s.password.IsZero()):
		t.Fatal("WAKEY_TEST_STACK wants WAKEY_TEST_USER and WAKEY_TEST_PASSWORD too")
	case stack == "":
		seed := authd.DemoSeed()
		seed.Tenants = append(seed.Tenants, authd.SeedTenant{UUID: otherTenant, Name: "Other", Slug: "other"})
		for i := range seed.Users {
			seed.Users[i].Tenant = suiteTenant
		}
		zone := time.FixedZone("UTC-5", -5*60*60)
		server, err := authd.New(authd.Config{Timezone: zone, StackUUID: nobody}, seed)
		if err != nil {
			t.Fatal(err)
		}
		running, err := authd.Start(t.Context(), server, "127.0.0.1:0", false)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = running.Close() })
		t.Cleanup(func() { nothingLeft(t, server, suiteUser) })
		stack, trust.Pin = running.URL, running.Fingerprint
		s.login, s.password = "alice", api.NewSecret("alice-demo")
	}
	var err error
	s.Client, err = api.NewClient(stack, api.Options{Version: "test", Trust: trust})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// nothingLeft counts, on the server's side, what the suite should have taken away.
func nothingLeft(t *testing.T, server *authd.Server, users ...string) {
	t.Helper()
	for _, user := range users {
		if n, ids := server.Sessions(user), server.RefreshTokens(user); n != 0 || len(ids) != 0 {
			t.Errorf("the server keeps %d sessions and the refresh tokens %q of %s", n, ids, user)
		}
	}
}

// newClientID makes a client_id that no other run has, and remembers it.
func (s *target) newClientID(kind string) string {
	id := "wakey-suite-" + kind + "-" + randomHex()
	s.clientIDs = append(s.clientIDs, id)
	return id
}

func randomHex() string {
	var b [4]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// signIn signs in; with a client_id also for a refresh token.
func (s *target) signIn(t *testing.T, clientID string) *api.Token {
	t.Helper()
	token, err := s.CreateToken(t.Context(), api.PasswordRequest{Login: s.login, Password: s.password, ClientID: clientID, Lifetime: 5 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	s.tokens = append(s.tokens, token)
	return token
}

func (s *target) refresh(t *testing.T, refreshToken api.Secret, clientID string) *api.Token {
	t.Helper()
	token, err := s.Refresh(t.Context(), api.RefreshRequest{RefreshToken: refreshToken, ClientID: clientID, Lifetime: 5 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	s.tokens = append(s.tokens, token)
	return token
}

// cleanUp takes everything away, proves it, and finds that nothing else is missing.
func (s *target) cleanUp(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	last, err := s.CreateToken(ctx, api.PasswordRequest{Login: s.login, Password: s.password, Lifetime: time.Minute})
	if err != nil {
		t.Errorf("nothing is cleaned up: %v", err)
		return
	}
	for _, id := range s.clientIDs {
		if err := s.RevokeMyRefreshToken(ctx, last.Value, id); err != nil && !errors.Is(err, api.ErrNotFound) {
			t.Errorf("refresh token %q stays: %v", id, err)
		}
	}
	for _, token := range s.tokens {
		if err := s.RevokeToken(ctx, token.Value); err != nil {
			t.Errorf("access token %v stays: %v", token.Value, err)
		}
	}
	after, err := s.refreshTokens(ctx, last.Value)
	if err != nil || !slices.Equal(after, s.before) {
		t.Errorf("refresh tokens are %q, were %q, %v", after, s.before, err)
	}
	sessions, err := s.UserSessions(ctx, last.Value, last.AuthID, api.ListOptions{})
	if err != nil {
		t.Error(err)
	}
	for _, session := range sessions.Items {
		if slices.ContainsFunc(s.tokens, func(token *api.Token) bool { return token.SessionUUID == session.UUID }) {
			t.Errorf("session %s stays", session.UUID)
		}
	}
	if err := s.RevokeToken(ctx, last.Value); err != nil {
		t.Error(err)
	}
}

func (s *target) refreshTokens(ctx context.Context, token api.Secret) ([]string, error) {
	var ids []string
	for rt, err := range api.All(ctx, func(ctx context.Context, o api.ListOptions) (api.Page[api.RefreshToken], error) {
		return s.MyRefreshTokens(ctx, token, o)
	}, api.ListOptions{}, 50) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, rt.ClientID)
	}
	slices.Sort(ids)
	return ids, nil
}

func wants(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func TestClient(t *testing.T) {
	s := newTarget(t)
	own := s.signIn(t, "")
	admin := api.Allows(own.ACL, "auth.tokens.read", own.AuthID, own.SessionUUID)
	var err error
	if s.before, err = s.refreshTokens(t.Context(), own.Value); err != nil {
		t.Fatal(err)
	}
	defer s.cleanUp(t)

	t.Run("Status", func(t *testing.T) {
		if err := s.Status(t.Context()); err != nil {
			t.Error(err)
		}
		backends, err := s.Backends(t.Context())
		if err != nil || !slices.Contains(backends, "wazo_user") {
			t.Errorf("%q, %v", backends, err)
		}
	})
	t.Run("WrongPassword", func(t *testing.T) {
		_, err := s.CreateToken(t.Context(), api.PasswordRequest{Login: s.login, Password: api.NewSecret("surely not the password"), Lifetime: time.Minute})
		wants(t, "wrong password", err, api.ErrBadCredentials)
		_, err = s.CreateToken(t.Context(), api.PasswordRequest{Login: "nobody-" + s.clientIDOfNobody(), Password: s.password, Lifetime: time.Minute})
		wants(t, "unknown user", err, api.ErrBadCredentials)
	})
	t.Run("Token", func(t *testing.T) { s.testToken(t) })
	t.Run("RefreshToken", func(t *testing.T) { s.testRefreshToken(t) })
	t.Run("Revocation", func(t *testing.T) { s.testRevocation(t) })
	t.Run("ClientIDs", func(t *testing.T) { s.testClientIDs(t) })
	t.Run("Sessions", func(t *testing.T) { s.testSessions(t) })
	t.Run("Scopes", func(t *testing.T) { s.testScopes(t) })
	t.Run("Paging", func(t *testing.T) { s.testPaging(t) })
	t.Run("Refusals", func(t *testing.T) { s.testRefusals(t, admin) })
	t.Run("Do", func(t *testing.T) { s.testDo(t) })
}

func (s *target) clientIDOfNobody() string {
	id := s.newClientID("nobody")
	s.clientIDs = s.clientIDs[:len(s.clientIDs)-1]
	return id
}
