package api

import (
	"context"
	"reflect"
	"testing"
	"time"
)

func TestRecordedTokens(t *testing.T) {
	utc := func(s string) time.Time {
		t.Helper()
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return at.UTC()
	}
	no, yes := false, true
	stack := "1cc60e03-8a2c-4f53-9ecc-193c0ce4b7ea"
	tests := []struct {
		name string
		do   call
		want Token
		acl  int
	}{
		{"token_password_default", signInCall, Token{
			Value: NewSecret("b3c8619d-514c-4360-85cd-e6c7b9103e47"), SessionUUID: "16815ba3-42a5-4c0f-a4a6-5af2eb7be9b3", AuthID: recBob,
			IssuedAt: utc("2026-11-23T12:35:02.588789Z"), ExpiresAt: utc("2026-11-23T14:35:02.588789Z"),
			LocalIssuedAt: "2026-11-23T07:35:02.588789", LocalExpiresAt: "2026-11-23T09:35:02.588789",
			Metadata:        Metadata{UUID: recBob, TenantUUID: recTenantA, PBXUserUUID: recBob, Purpose: "user", Admin: &no},
			SessionsRevoked: 0, Date: utc("2026-11-23T12:35:02Z"),
		}, 60},
		{"token_get", getCall, Token{
			Value: NewSecret("36a513c5-ed81-47c2-ac52-c0008e5bd29f"), SessionUUID: "2ab351c2-316c-401d-bb41-981f37f3c23f", AuthID: recBob,
			IssuedAt: utc("2026-11-23T12:35:08Z"), ExpiresAt: utc("2026-11-23T12:40:08Z"),
			LocalIssuedAt: "2026-11-23T07:35:08", LocalExpiresAt: "2026-11-23T07:40:08",
			Metadata:        Metadata{UUID: recBob, TenantUUID: recTenantA, PBXUserUUID: recBob, Purpose: "user", Admin: &no},
			SessionsRevoked: -1, Date: utc("2026-11-23T12:35:09Z"),
		}, 60},
		{"offline_first", signInCall, Token{
			Value: NewSecret("4d1f3ff2-9afb-4fd6-9f0d-4c8c1fc1c8f2"), RefreshToken: NewSecret("95d9298a-5a13-479e-9aba-865843495232"), AuthID: recBob,
			Metadata: Metadata{UUID: recBob, TenantUUID: recTenantA, PBXUserUUID: recBob, Purpose: "user", Admin: &no},
		}, 60},
		{"refresh_ok", refreshCall, Token{
			Value: NewSecret("36a513c5-ed81-47c2-ac52-c0008e5bd29f"), AuthID: recBob,
			Metadata: Metadata{UUID: recBob, TenantUUID: recTenantA, PBXUserUUID: recBob, Purpose: "user", Admin: &no},
		}, 60},
		{"token_purpose_external_api", signInCall, Token{
			Value: NewSecret("45ca838a-b892-48ae-970e-a76ae3abc647"), AuthID: "aaaaaaaa-0000-4000-8000-000000000005",
			Metadata: Metadata{UUID: "aaaaaaaa-0000-4000-8000-000000000005", TenantUUID: recTenantA, Purpose: "external_api"},
		}, 60},
		{"token_tenant_admin", signInCall, Token{
			Value: NewSecret("c8dfc0c5-4066-4f61-b7d9-75d8c6a67855"), AuthID: "aaaaaaaa-0000-4000-8000-00000000000a",
			Metadata: Metadata{UUID: "aaaaaaaa-0000-4000-8000-00000000000a", TenantUUID: recTenantA, PBXUserUUID: "aaaaaaaa-0000-4000-8000-00000000000a", Purpose: "user", Admin: &yes},
		}, 61},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := load(t, tt.name)
			v, err := tt.do(t.Context(), replay(t, rec), rec)
			if err != nil {
				t.Fatal(err)
			}
			got := v.(*Token)
			if len(got.ACL) < tt.acl || got.StackUUID != stack || got.RemoteAddr != "127.0.0.1" || got.UserAgent != "lab-recorder/1.0" {
				t.Errorf("%d ACL entries, stack %q, from %q by %q", len(got.ACL), got.StackUUID, got.RemoteAddr, got.UserAgent)
			}
			if tt.name != "offline_first" && !got.Value.Equal(tt.want.Value) {
				t.Errorf("token %v", got.Value.Reveal())
			}
			if !got.RefreshToken.Equal(tt.want.RefreshToken) {
				t.Errorf("refresh token %v", got.RefreshToken.Reveal())
			}
			if got.AuthID != tt.want.AuthID || !reflect.DeepEqual(got.Metadata, tt.want.Metadata) {
				t.Errorf("whose: %s, %+v", got.AuthID, got.Metadata)
			}
			if tt.want.Date.IsZero() {
				return
			}
			if got.SessionUUID != tt.want.SessionUUID || !got.IssuedAt.Equal(tt.want.IssuedAt) || !got.ExpiresAt.Equal(tt.want.ExpiresAt) ||
				got.LocalIssuedAt != tt.want.LocalIssuedAt || got.LocalExpiresAt != tt.want.LocalExpiresAt ||
				got.SessionsRevoked != tt.want.SessionsRevoked || !got.Date.Equal(tt.want.Date) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// The request bodies of the plain calls are the recorded ones, not only those the tests send by hand.
func TestRecordedRefreshRequest(t *testing.T) {
	for name, lifetime := range map[string]time.Duration{"refresh_ok": 300 * time.Second, "refresh_default_expiration": 0} {
		rec := load(t, name)
		_, err := replay(t, rec).Refresh(t.Context(), RefreshRequest{NewSecret(rec.arg("refresh_token")), rec.arg("client_id"), lifetime})
		if err != nil {
			t.Error(name, err)
		}
	}
	rec := load(t, "token_expiration_max")
	if _, err := signInCall(t.Context(), replay(t, rec), rec); err != nil {
		t.Error(err)
	}
}

func TestRecordedSuccesses(t *testing.T) {
	created := func(s string) time.Time {
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	laptop := RefreshToken{"laptop", created("2026-11-23T07:35:08.269501-05:00"), false, recBob, recTenantA}
	workstation := RefreshToken{"workstation", created("2026-11-23T07:35:08.599696-05:00"), false, recBob, recTenantA}
	danasLaptop := RefreshToken{"laptop", created("2026-11-23T07:35:08.783727-05:00"), false, "aaaaaaaa-0000-4000-8000-000000000002", recTenantA}
	rts := func(total, filtered int, items ...RefreshToken) Page[RefreshToken] {
		return Page[RefreshToken]{items, total, filtered}
	}
	bob := User{
		UUID: recBob, Username: "bob", Firstname: "Bob", Lastname: "Tremblay", Purpose: "user", Enabled: true, TenantUUID: recTenantA,
		AuthenticationMethod: "default", Emails: []Email{{"dc26dd94-c75e-480b-b753-b2dd47432fe1", "bob@lab-a.example.com", true, true}},
	}
	tests := []struct {
		name string
		do   call
		want any
	}{
		{"token_head", checkCall("", ""), nil},
		{"token_scope_ok", checkCall("auth.users.me.tokens.read", ""), nil},
		{"token_tenant_own", checkCall("", recTenantA), nil},
		{"scopes_check", func(ctx context.Context, c *Client, rec *recording) (any, error) {
			return c.CheckScopes(ctx, rec.pathToken(), []string{"auth.users.me.tokens.read", "auth.tokens.read", "auth.users.me.tokens.read"}, "")
		}, map[string]bool{"auth.users.me.tokens.read": true, "auth.tokens.read": false}},
		{"token_delete_again", func(ctx context.Context, c *Client, rec *recording) (any, error) {
			return nil, c.RevokeToken(ctx, rec.pathToken())
		}, nil},
		{"own_uuid_tokens", userListCall(recBob, ListOptions{}), rts(2, 2, laptop, workstation)},
		{"tokens_admin", listCall((*Client).AllRefreshTokens, ListOptions{}), rts(3, 3, laptop, workstation, danasLaptop)},
		{"tokens_root_recurse", listCall((*Client).AllRefreshTokens, ListOptions{Recurse: true, Order: "client_id", Desc: true}), rts(3, 3, workstation, laptop, danasLaptop)},
		{"tokens_search", userListCall(recBob, ListOptions{Search: "WORK"}), rts(2, 1, workstation)},
		{"tokens_filter_client_id", listCall((*Client).AllRefreshTokens, ListOptions{Filter: map[string]string{"client_id": "laptop"}}), rts(3, 2, laptop, danasLaptop)},
		{"rt_delete_cid_space", revokeCall("a b"), nil},
		{"rt_delete_cid_unicode", revokeCall("ü"), nil},
		{"rt_delete_cid_question", revokeCall("a?b"), nil},
		{"rt_delete_cid_percent", revokeCall("50%"), nil},
		{"user_sessions_order", sessionsCall(recDana, ListOptions{Order: "mobile", Desc: true, Limit: 1}), Page[Session]{
			[]Session{{"bd35be53-fe71-4150-8717-f9d2524fb8db", false, recTenantA, recDana}}, 3, 3,
		}},
		{"sessions_root_recurse", sessionsCall("", ListOptions{Recurse: true, Limit: 1}), Page[Session]{
			[]Session{{"2e98fe80-0039-47d3-86a1-44d9df0ce491", false, "1ecc6e50-924c-41c9-ac28-dce313a4da6d", "b768e9bd-6e44-4dcf-bf56-677e5b7e7b8d"}}, 51, 51,
		}},
		{"session_delete_admin", func(ctx context.Context, c *Client, rec *recording) (any, error) {
			return nil, c.RevokeSession(ctx, rec.token(), lastSegment(rec.Request.Path))
		}, nil},
		{"session_delete_of_other_user_via_own_path", func(ctx context.Context, c *Client, rec *recording) (any, error) {
			return nil, c.RevokeUserSession(ctx, rec.token(), recDana, lastSegment(rec.Request.Path))
		}, nil},
		{"users_search", func(ctx context.Context, c *Client, rec *recording) (any, error) {
			return c.Users(ctx, rec.token(), ListOptions{Search: "trem"})
		}, Page[User]{[]User{bob}, 14, 1}},
		{"password_change", ownPasswordCall, nil},
		{"emails_admin_put", adminEmailsCall, []wireEmail{
			{"5e74a08c-1941-464d-aba7-94f04fdb4133", "n1@lab-a.example.com", true, false},
			{"44f42bac-e670-4e16-a02e-fdcb527c332f", "n2@lab-a.example.com", false, false},
		}},
		{"user_email_change", func(ctx context.Context, c *Client, rec *recording) (any, error) {
			return c.SetAdminEmails(ctx, rec.token(), recNewUser, []Email{{Address: "newer@lab-a.example.com", Main: true, Confirmed: true}})
		}, []Email{{"f700c677-2a91-4798-a1d1-442c451b8020", "newer@lab-a.example.com", true, true}}},
		{"emails_clear", func(ctx context.Context, c *Client, rec *recording) (any, error) {
			return c.SetAdminEmails(ctx, rec.token(), recNewUser, nil)
		}, []Email{}},
		{"user_policies", func(ctx context.Context, c *Client, rec *recording) (any, error) {
			return c.UserPolicies(ctx, rec.token(), "aaaaaaaa-0000-4000-8000-000000000013", ListOptions{})
		}, Page[Policy]{[]Policy{{
			UUID: "93ab40a4-1b00-40dd-97e1-c041e152cbfd", TenantUUID: recTenantA, Name: "lab_no_auth", Slug: "lab_no_auth", ACL: []string{"!auth.#"},
		}}, 1, 1}},
		{"groups_list", func(ctx context.Context, c *Client, rec *recording) (any, error) {
			return c.Groups(ctx, rec.token(), ListOptions{})
		}, Page[Group]{[]Group{
			{"1955a3e2-e318-4dde-9080-60ecf380582d", "wazo-all-users-tenant-" + recTenantA, "wazo-all-users-tenant-" + recTenantA, recTenantA, true, true},
			{"d970996d-df44-49e1-bce5-478bcd453742", "wazo_default_admin_group", "wazo_default_admin_group", recTenantA, false, false},
		}, 2, 2}},
		{"status_head", func(ctx context.Context, c *Client, _ *recording) (any, error) { return nil, c.Status(ctx) }, nil},
		{"backends", func(ctx context.Context, c *Client, _ *recording) (any, error) { return c.Backends(ctx) }, []string{"ldap_user", "wazo_user"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := load(t, tt.name)
			got, err := tt.do(t.Context(), replay(t, rec), rec)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(normal(got), normal(tt.want)) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// normal makes times comparable: the same instant in another zone's form is the same.
func normal(v any) any {
	if p, ok := v.(Page[RefreshToken]); ok {
		for i := range p.Items {
			p.Items[i].CreatedAt = p.Items[i].CreatedAt.UTC()
		}
		return p
	}
	return v
}

// /policies has no "filtered" (contract 10).
func TestRecordedPolicies(t *testing.T) {
	rec := load(t, "policies_list")
	p, err := replay(t, rec).Policies(t.Context(), rec.token(), ListOptions{Order: "name"})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Items) == 0 || p.Total == 0 || p.Filtered != p.Total || len(p.Items[0].ACL) != 1 {
		t.Errorf("%d items, total %d, filtered %d", len(p.Items), p.Total, p.Filtered)
	}
}

func TestRecordedUser(t *testing.T) {
	for name, do := range map[string]call{
		"user_get": func(ctx context.Context, c *Client, rec *recording) (any, error) {
			return c.User(ctx, rec.token(), recBob)
		},
		"user_create": createCall,
	} {
		rec := load(t, name)
		v, err := do(t.Context(), replay(t, rec), rec)
		if err != nil {
			t.Error(name, err)
			continue
		}
		if u := v.(User); !isUUID(u.UUID) || u.Username == "" || u.Lastname == "" || !u.Enabled || len(u.Emails) != 1 || !u.Emails[0].Confirmed || u.AuthenticationMethod != "default" {
			t.Errorf("%s: %+v", name, u)
		}
	}
}
