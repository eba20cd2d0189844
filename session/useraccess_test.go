package session

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"wakey/api"
	"wakey/internal/authd"
)

func TestEndAccessEndsWhatWasChosen(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	phone := o.device(t, "pete", "pete-pass", "phone")
	laptop := o.device(t, "pete", "pete-pass", "laptop")
	pete := read(t, o, peteUUID)
	for what, unknown := range map[string]Ending{
		"a client_id": {Tokens: true, ClientIDs: []string{"phone", "nobody"}},
		"a session":   {Sessions: true, UUIDs: []string{phone.SessionUUID, aliceUUID}},
	} {
		if _, err := o.EndAccess(ctx, o.id, pete, unknown); !errors.Is(err, api.ErrNotFound) {
			t.Errorf("%s that is not listed: %v", what, err)
		}
	}
	if len(o.RefreshTokens(peteUUID)) != 2 || o.Sessions(peteUUID) != 2 {
		t.Fatal("something was revoked all the same")
	}
	e, err := o.EndAccess(ctx, o.id, pete, Ending{Tokens: true, ClientIDs: []string{"phone"}, Sessions: true, UUIDs: []string{phone.SessionUUID}})
	if err != nil || !slices.Equal(e.Tokens, []string{"phone"}) || !slices.Equal(e.Sessions, []string{phone.SessionUUID}) || len(e.Left) != 0 {
		t.Errorf("%+v, %v", e, err)
	}
	if got := o.RefreshTokens(peteUUID); !slices.Equal(got, []string{"laptop"}) || o.alive(t, phone) || !o.alive(t, laptop) {
		t.Errorf("left %v; the phone lives: %v, the laptop: %v", got, o.alive(t, phone), o.alive(t, laptop))
	}
	if e, err := o.EndAccess(ctx, o.id, pete, Ending{}); err != nil || len(e.Tokens)+len(e.Sessions) != 0 {
		t.Errorf("%+v, %v", e, err)
	}
}

// A yes is no proof, and an error neither: the list tells (contract 5).
func TestEndAccessProves(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	o.device(t, "pete", "pete-pass", "phone")
	pete := read(t, o, peteUUID)
	all := Ending{Tokens: true, Sessions: true}
	const tokens, sessions = "/users/{user_uuid}/tokens/{client_id}", "/users/{user_uuid}/sessions/{session_uuid}"
	o.Faults().Add(authd.Fault{Method: http.MethodDelete, Path: tokens, Status: http.StatusNoContent, Times: 1})
	o.Faults().Add(authd.Fault{Method: http.MethodDelete, Path: sessions, Status: http.StatusNoContent, Times: 1})
	e, err := o.EndAccess(ctx, o.id, pete, all)
	if err != nil || len(e.Tokens)+len(e.Sessions) != 0 || len(e.Left) != 2 || !strings.Contains(e.Left[0].Error(), "still lists it") {
		t.Errorf("%+v, %v", e, err)
	}
	o.Faults().Add(authd.Fault{Method: http.MethodDelete, Path: tokens, Status: http.StatusServiceUnavailable, Times: 1})
	if e, err = o.EndAccess(ctx, o.id, pete, all); err != nil || len(e.Sessions) != 1 || len(e.Left) != 1 || !errors.Is(e.Left[0], api.ErrServer) {
		t.Errorf("%+v, %v", e, err)
	}
	o.Faults().SetBusDown(true) // 500, and done all the same
	if e, err = o.EndAccess(ctx, o.id, pete, all); err != nil || len(e.Tokens) != 1 || len(e.Left) != 0 {
		t.Errorf("%+v, %v", e, err)
	}
}

// oddDevice signs in with a client_id that this program would not choose.
func (o *office) oddDevice(t *testing.T, user, password, clientID string) {
	t.Helper()
	body := strings.NewReader(`{"access_type":"offline","client_id":"` + clientID + `"}`)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://pbx.example.com/0.1/token", body)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(user, password)
	resp, err := authd.Transport(o.Server).RoundTrip(r)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
}

// Nothing is deleted whose access could not be ended, when that was wanted.
func TestDeletionWaitsForTheEndOfAccess(t *testing.T) {
	o := newOffice(t)
	o.oddDevice(t, "pete", "pete-pass", "a/b") // which no address can name: it goes with its user
	pete := read(t, o, peteUUID)
	o.Faults().Add(authd.Fault{Method: http.MethodDelete, Path: "/users/{user_uuid}/sessions/{session_uuid}", Status: http.StatusBadGateway, HTML: true, Times: 1})
	if _, err := o.DeleteUser(t.Context(), o.id, pete, true); !errors.Is(err, api.ErrServer) {
		t.Error(err)
	}
	read(t, o, peteUUID)
	if d, err := o.DeleteUser(t.Context(), o.id, pete, true); err != nil || len(d.Left) != 0 || len(d.Alive) != 0 {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestGroupsAndPoliciesAreTakenAway(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	pete := read(t, o, peteUUID)
	d, err := o.UserDetails(ctx, o.id, peteUUID)
	if err != nil || len(d.Groups) != 2 {
		t.Fatalf("%+v, %v", d, err)
	}
	for _, g := range d.Groups {
		err := o.LeaveGroup(ctx, o.id, pete, g)
		if own := g.SystemManaged; own != errors.Is(err, api.ErrPermission) || !own && err != nil {
			t.Errorf("%+v: %v", g, err)
		}
	}
	err = o.LosePolicy(ctx, o.id, pete, api.Policy{UUID: aliceUUID, Name: "none"})
	if !errors.Is(err, api.ErrNotFound) {
		t.Error(err)
	}
	if d, err = o.UserDetails(ctx, o.id, peteUUID); err != nil || len(d.Groups) != 1 {
		t.Errorf("%+v, %v", d.Groups, err)
	}
	o.wantLog(t, "took out of the group sales: pete")
}

// Who is no administrator of e-mails changes its own, and can't say which are confirmed.
func TestOwnEmails(t *testing.T) {
	s, err := authd.New(authd.Config{}, authd.Seed{
		Tenants: []authd.SeedTenant{{UUID: rootTenant, Name: "Root", Slug: "root"}},
		Users: []authd.SeedUser{{
			Username: "boss", Password: "boss-pass", ACL: []string{"auth.users.me.read", "auth.users.me.emails.update"},
			Emails: []authd.SeedEmail{{Address: "boss@root.example", Main: true, Confirmed: true}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	m := New(NewMemoryStore(), Options{Transport: authd.Transport(s), Dir: t.TempDir()})
	a := signIn(t, m, "boss", 0)
	me, err := m.ReadUser(t.Context(), a.ID, a.UserUUID)
	if err != nil {
		t.Fatal(err)
	}
	now, err := m.SetUserEmails(t.Context(), a.ID, me, []api.Email{{Address: "boss@root.example", Confirmed: true}, {Address: "b@root.example", Main: true, Confirmed: true}})
	if err != nil || EmailsText(now) != "boss@root.example (confirmed), b@root.example (main)" {
		t.Errorf("%s, %v", EmailsText(now), err)
	}
	_, err = m.SetUserEmails(t.Context(), a.ID, api.User{UUID: aliceUUID}, nil)
	if e, ok := errors.AsType[*api.Error](err); !ok || e.Permission != "auth.admin.users."+aliceUUID+".emails.update" {
		t.Error(err)
	}
}

func TestLosesLogin(t *testing.T) {
	a, b := api.Email{Address: "a@root.example", Main: true, Confirmed: true}, api.Email{Address: "b@root.example"}
	unconfirmed, upper := a, a
	unconfirmed.Confirmed, upper.Address = false, "A@ROOT.example"
	for _, c := range []struct {
		before, after []api.Email
		want          string
	}{
		{[]api.Email{a, b}, []api.Email{a}, ""},
		{[]api.Email{a}, []api.Email{upper}, ""},
		{[]api.Email{a}, []api.Email{unconfirmed}, a.Address},
		{[]api.Email{a, b}, []api.Email{b}, a.Address},
		{nil, []api.Email{a}, ""},
	} {
		if got := LosesLogin(c.before, c.after); got != c.want {
			t.Errorf("%s to %s: %q, want %q", EmailsText(c.before), EmailsText(c.after), got, c.want)
		}
	}
}

// A password that may be set or not is told as that, and logged.
func TestDoubtfulPassword(t *testing.T) {
	o := newOffice(t)
	pete := read(t, o, peteUUID)
	o.Faults().Add(authd.Fault{Method: http.MethodPost, Path: "/users/password/reset", Status: http.StatusBadGateway, HTML: true, After: true, Times: 1})
	err := o.SetUserPassword(t.Context(), o.id, pete, api.Secret{}, api.NewSecret("fresh-pass"))
	if !errors.Is(err, api.ErrServer) {
		t.Error(err)
	}
	o.wantLog(t, "perhaps set the password of pete")
}

// The stack ends any session of the tenant through any user's path (contract 8): what it lists for another user is left alone.
func TestSessionsOfAnotherUserAreNotEnded(t *testing.T) {
	o := newOfficeBehind(t, func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/users/"+peteUUID+"/sessions") {
				r = r.Clone(r.Context())
				r.URL.Path = strings.Replace(r.URL.Path, peteUUID, subUUID, 1)
			}
			return next.RoundTrip(r)
		})
	})
	sues := o.device(t, "sue", "sue-pass", "")
	e, err := o.EndAccess(t.Context(), o.id, read(t, o, peteUUID), Ending{Tokens: true, Sessions: true})
	if err != nil || len(e.Sessions) != 0 || !o.alive(t, sues) {
		t.Errorf("%+v, %v; sue's lives: %v", e, err, o.alive(t, sues))
	}
}
