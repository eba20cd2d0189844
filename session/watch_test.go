package session

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

const (
	drillAlice   = "aaaaaaaa-0000-4000-8000-0000000000a1"
	drillBob     = "aaaaaaaa-0000-4000-8000-0000000000b1"
	drillAdmin   = "aaaaaaaa-0000-4000-8000-0000000000ad"
	drillService = "aaaaaaaa-0000-4000-8000-0000000000c1"
	drillTenant  = "11111111-1111-4111-8111-1111111111aa"
	drillStack   = "https://pbx.example.com"
)

// drill is a stack with alice, bob and an administrator, this machine's store, and somebody
// else's way to the stack.
type drill struct {
	*authd.Server
	t       *testing.T
	dir     string
	store   Store
	other   *api.Client
	witness listed
}

func newDrill(t *testing.T, aliceACL ...string) *drill {
	t.Helper()
	s, err := authd.New(authd.Config{}, authd.Seed{
		Tenants: []authd.SeedTenant{{UUID: drillTenant, Name: "Example", Slug: "example"}},
		Users: []authd.SeedUser{
			{UUID: drillAlice, Username: "alice", Password: "alice-pass", Tenant: drillTenant, ACL: aliceACL},
			{UUID: drillBob, Username: "bob", Password: "bob-pass", Tenant: drillTenant},
			{UUID: drillService, Username: "svc", Password: "svc-pass", Tenant: drillTenant, Purpose: "internal"},
			{UUID: drillAdmin, Username: "ada", Password: "ada-pass", Tenant: drillTenant, Admin: true},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := api.NewClient(drillStack, api.Options{Transport: authd.Transport(s)})
	if err != nil {
		t.Fatal(err)
	}
	return &drill{
		Server: s, t: t, dir: t.TempDir(), store: NewMemoryStore(), other: c,
		witness: listed{ours: map[string]bool{}, shown: map[string]bool{}},
	}
}

func (d *drill) manager(watch time.Duration) *Manager {
	return New(d.store, Options{Version: "test", Transport: authd.Transport(d), Dir: d.dir, Watch: watch})
}

// add signs in on this machine.
func (d *drill) add(m *Manager, name, login string, lifetime time.Duration) Account {
	d.t.Helper()
	a, err := m.SignIn(d.t.Context(), SignInRequest{
		Name: name, Stack: drillStack, Login: login, Password: api.NewSecret(strings.ToLower(login) + "-pass"), Lifetime: lifetime,
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

// elsewhere signs in on another machine; without a clientID there is no refresh token.
func (d *drill) elsewhere(login, clientID string) *api.Token {
	d.t.Helper()
	tok, err := elsewhere(d.t.Context(), d.other, login, login+"-pass", clientID)
	if err != nil {
		d.t.Fatal(err)
	}
	return tok
}

// elsewhere signs in with any client_id, also with one that our own client refuses to make.
func elsewhere(ctx context.Context, c *api.Client, login, password, clientID string) (*api.Token, error) {
	if _, bad := api.Unrevokable(clientID); !bad {
		return c.CreateToken(ctx, api.PasswordRequest{Login: login, Password: api.NewSecret(password), ClientID: clientID})
	}
	body, err := json.Marshal(map[string]string{"access_type": "offline", "client_id": clientID})
	if err != nil {
		return nil, err
	}
	head := http.Header{}
	head.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(login+":"+password)))
	r, err := c.Do(ctx, http.MethodPost, "/auth/0.1/token", head, bytes.NewReader(body), api.Secret{})
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	var answer struct {
		Data struct {
			Token        string `json:"token"`
			RefreshToken string `json:"refresh_token"`
			SessionUUID  string `json:"session_uuid"`
		} `json:"data"`
	}
	if err := json.NewDecoder(r.Body).Decode(&answer); err != nil || r.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d, %w", r.StatusCode, err)
	}
	return &api.Token{
		Value: api.NewSecret(answer.Data.Token), RefreshToken: api.NewSecret(answer.Data.RefreshToken), SessionUUID: answer.Data.SessionUUID,
	}, nil
}

// stolen is the account's refresh token, in other hands.
func (d *drill) stolen(id ID) api.RefreshRequest {
	d.t.Helper()
	r, err := d.store.Get(d.t.Context(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	return api.RefreshRequest{RefreshToken: r.RefreshToken, ClientID: r.ClientID}
}

func (d *drill) refreshElsewhere(r api.RefreshRequest) *api.Token {
	d.t.Helper()
	tok, err := d.other.Refresh(d.t.Context(), r)
	if err != nil {
		d.t.Fatal(err)
	}
	return tok
}

func (d *drill) look(m *Manager, id ID) {
	d.t.Helper()
	if err := m.Look(d.t.Context(), id); err != nil {
		d.t.Fatal(err)
	}
}

// run runs m until the test's end.
func (d *drill) run(m *Manager) {
	d.t.Helper()
	ctx, cancel := context.WithCancel(d.t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	d.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			d.t.Error(err)
		}
	})
}

// kinds gives the account's findings as "kind level", those that a person has seen marked.
func (d *drill) kinds(m *Manager, id ID) []string {
	d.t.Helper()
	all, err := m.Findings(id)
	if err != nil {
		d.t.Fatal(err)
	}
	var out []string
	for _, f := range all {
		text := string(f.Kind) + " " + f.Level.String()
		if f.Gone {
			text += ", gone"
		}
		if f.Seen {
			text += ", seen"
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return out
}

func (d *drill) want(m *Manager, id ID, kinds ...string) {
	d.t.Helper()
	if got := d.kinds(m, id); !slices.Equal(got, kinds) {
		all, _ := m.Findings(id)
		d.t.Errorf("findings %q, want %q\n%+v", got, kinds, all)
	}
}

// alarms counts the manager's alarms.
func alarms(m *Manager) (n int) {
	for _, e := range m.Events() {
		if e.Level == Alarm {
			n++
		}
	}
	return n
}

func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func TestFirstLookIsQuiet(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		d.elsewhere("alice", "phone")
		d.elsewhere("alice", "")
		m := d.manager(0)
		a := d.add(m, "alice", "alice", 0)
		d.ResetRequests()
		d.look(m, a.ID)
		if n := d.Count("", ""); n != 2 {
			t.Errorf("%d requests a look, want 2", n)
		}
		d.want(m, a.ID, "unknown client info", "unknown sessions info")
		for _, e := range m.Events() {
			if e.Level != Info {
				t.Errorf("event %+v", e)
			}
		}
		a, _ = m.Account("alice")
		if a.TotalSessions != 3 || a.CountedAt.IsZero() {
			t.Errorf("%d sessions", a.TotalSessions)
		}
		if a.LookedAt.IsZero() {
			t.Error("never looked at")
		}
		// What is unknown and stays the same stays unknown, in another process too.
		d.look(m, a.ID)
		other := d.manager(0)
		if err := other.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.look(other, a.ID)
		d.want(other, a.ID, "unknown client info", "unknown sessions info")
		if n := alarms(m) + alarms(other); n != 0 {
			t.Errorf("%d alarms", n)
		}
	})
}

func TestWatchNotices(t *testing.T) {
	thefts := map[string]struct {
		before func(d *drill)            // before the first look
		theft  func(d *drill, a Account) // by somebody else
		want   []string                  // findings one round later
		text   string                    // in one of them
	}{
		"a sign-in elsewhere": {
			theft: func(d *drill, _ Account) { d.elsewhere("alice", "evil/client") },
			want:  []string{"unknown client alarm", "unknown sessions warn"}, text: "can't simply be revoked",
		},
		"our refresh token used elsewhere": {
			theft: func(d *drill, a Account) { d.refreshElsewhere(d.stolen(a.ID)) },
			want:  []string{"unknown sessions alarm"}, text: "somebody has your password or your refresh token",
		},
		"the password used elsewhere": {
			theft: func(d *drill, _ Account) { d.elsewhere("alice", "") },
			want:  []string{"unknown sessions alarm"}, text: "1 session that",
		},
		"our refresh token revoked": {
			theft: func(d *drill, a Account) {
				tok := d.elsewhere("alice", "")
				if err := d.other.RevokeMyRefreshToken(d.t.Context(), tok.Value, a.ClientID); err != nil {
					d.t.Fatal(err)
				}
				_ = d.other.RevokeToken(d.t.Context(), tok.Value)
			},
			want: []string{"our refresh token is gone alarm"}, text: "revoked by somebody else",
		},
		"our refresh token made anew": {
			theft: func(d *drill, a Account) {
				tok := d.elsewhere("alice", "")
				_ = d.other.RevokeMyRefreshToken(d.t.Context(), tok.Value, a.ClientID)
				again := d.elsewhere("alice", a.ClientID)
				_ = d.other.RevokeToken(d.t.Context(), tok.Value)
				_ = d.other.RevokeToken(d.t.Context(), again.Value)
			},
			want: []string{"our refresh token was made anew alarm"}, text: "made anew by somebody else",
		},
		"a known unknown's refresh token made anew": {
			before: func(d *drill) { _ = d.other.RevokeToken(d.t.Context(), d.elsewhere("alice", "phone").Value) },
			theft: func(d *drill, _ Account) {
				tok := d.elsewhere("alice", "")
				_ = d.other.RevokeMyRefreshToken(d.t.Context(), tok.Value, "phone")
				_ = d.other.RevokeToken(d.t.Context(), d.elsewhere("alice", "phone").Value)
				_ = d.other.RevokeToken(d.t.Context(), tok.Value)
			},
			want: []string{"unknown client alarm"}, text: "has appeared",
		},
	}
	for name, c := range thefts {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				d := newDrill(t)
				if c.before != nil {
					c.before(d)
				}
				m := d.manager(DefaultWatch)
				a := d.add(m, "alice", "alice", 0)
				d.run(m)
				time.Sleep(time.Minute)
				if n := alarms(m); n != 0 {
					t.Fatalf("%d alarms before", n)
				}
				c.theft(d, a)
				time.Sleep(DefaultWatch*6/5 + heartbeat)
				d.want(m, a.ID, c.want...)
				if alarms(m) == 0 {
					t.Error("no alarm among the events")
				}
				all, _ := m.Findings(a.ID)
				if !slices.ContainsFunc(all, func(f Finding) bool { return strings.Contains(f.Text, c.text) && f.New }) {
					t.Errorf("no new finding says %q: %+v", c.text, all)
				}
				if len(all) > 0 && (!all[0].Open() || all[0].Level != Alarm) {
					t.Errorf("the gravest is not the first: %+v", all)
				}
				logged := 0
				for e, err := range m.Audit().Read(AuditFilter{Account: a.ID, Op: "watch"}) {
					if err != nil {
						t.Fatal(err)
					}
					if e.Level == Alarm && e.Fields["kind"] != "" {
						logged++
					}
				}
				if logged == 0 {
					t.Error("the log does not tell")
				}
				before := len(m.Events())
				time.Sleep(2 * DefaultWatch)
				if n := len(m.Events()); n != before {
					t.Errorf("%d events more for the same finding", n-before)
				}
			})
		})
	}
}

// A day of this machine's own doing, by two processes and two accounts of one user, raises nothing.
func TestWatchKnowsItsOwn(t *testing.T) {
	for _, lifetime := range []time.Duration{time.Minute, 11 * time.Minute, 2 * time.Hour} {
		t.Run(lifetime.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				d := newDrill(t)
				m, other := d.manager(DefaultWatch), d.manager(DefaultWatch)
				a := d.add(m, "alice", "alice", lifetime)
				b := d.add(m, "alice again", "ALICE", lifetime*2/3)
				d.run(m)
				d.run(other)
				for range 12 {
					time.Sleep(37 * time.Minute)
					d.add(m, "alice again", "ALICE", lifetime*2/3) // a new client_id, the old one revoked
					if _, err := other.Refresh(t.Context(), a.ID); err != nil {
						t.Fatal(err)
					}
				}
				d.want(m, a.ID)
				d.want(m, b.ID)
				for _, e := range append(m.Events(), other.Events()...) {
					if e.Level != Info {
						t.Errorf("event %+v", e)
					}
				}
			})
		})
	}
}

func TestWatchIsGentle(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m, other := d.manager(DefaultWatch), d.manager(DefaultWatch)
		a := d.add(m, "alice", "alice", 0)
		d.run(m)
		looks := func() int { return d.Count("GET", "/users/me/tokens") }
		time.Sleep(time.Second)
		if n := looks(); n != 1 {
			t.Errorf("%d looks at the start, want 1", n)
		}
		var gaps []time.Duration
		last := account(t, m, a.ID).LookedAt
		for range 600 {
			time.Sleep(30 * time.Second)
			if at := account(t, m, a.ID).LookedAt; !at.Equal(last) {
				gaps = append(gaps, at.Sub(last))
				last = at
			}
		}
		low, high := slices.Min(gaps), slices.Max(gaps)
		if low < DefaultWatch*4/5 || high > DefaultWatch*6/5+time.Second || high-low < time.Minute {
			t.Errorf("looks %s to %s apart", low, high)
		}
		if n, s := looks(), d.Count("GET", "/users/{user_uuid}/sessions"); n != s || n != len(gaps)+1 {
			t.Errorf("%d and %d requests for %d looks", n, s, len(gaps)+1)
		}
		if n, own := d.Count("", ""), d.Count("", "/token")+d.Count("DELETE", ""); n-own != 2*(len(gaps)+1) {
			t.Errorf("%d requests besides refreshing for %d looks, want two each", n-own, len(gaps)+1)
		}

		// A second process looks at its start, and then leaves it to whoever comes first.
		d.run(other)
		time.Sleep(time.Second)
		before := looks()
		time.Sleep(5 * time.Hour)
		if n := looks() - before; n > 80 {
			t.Errorf("%d looks of two processes in 5 h, want about 60", n)
		}

		m.PauseWatch(true)
		other.PauseWatch(true)
		time.Sleep(time.Minute)
		before = looks()
		time.Sleep(time.Hour)
		if n := looks() - before; n != 0 {
			t.Errorf("%d looks while paused", n)
		}
		if at := account(t, m, a.ID).NextLookAt; !at.IsZero() {
			t.Errorf("the next look is told to be at %s, while paused", at)
		}
		m.PauseWatch(false)
		time.Sleep(minWait + time.Second)
		if n := looks() - before; n != 1 {
			t.Errorf("%d looks at once, want 1", n)
		}
	})
}

func TestSeen(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.manager(0)
		a := d.add(m, "alice", "alice", 0)
		d.look(m, a.ID)
		tok := d.elsewhere("alice", "evil")
		d.look(m, a.ID)
		d.want(m, a.ID, "unknown client alarm", "unknown sessions warn")
		if err := m.Seen(a.ID); err != nil {
			t.Fatal(err)
		}
		d.want(m, a.ID, "unknown client alarm, seen", "unknown sessions warn, seen")
		n := len(m.Events())
		d.look(m, a.ID)
		d.want(m, a.ID, "unknown client info, seen", "unknown sessions info, seen")
		if len(m.Events()) != n {
			t.Error("an event for what was seen")
		}
		// Another session is news again; the client is not.
		d.refreshElsewhere(api.RefreshRequest{RefreshToken: tok.RefreshToken, ClientID: "evil"})
		d.look(m, a.ID)
		d.want(m, a.ID, "unknown client info, seen", "unknown sessions warn")
		// What is over stays until it is seen.
		if err := d.other.RevokeMyRefreshToken(t.Context(), tok.Value, "evil"); err != nil {
			t.Fatal(err)
		}
		d.elsewhere("alice", "evil2")
		d.look(m, a.ID)
		mine := d.elsewhere("alice", "")
		if err := d.other.RevokeMyRefreshToken(t.Context(), mine.Value, "evil2"); err != nil {
			t.Fatal(err)
		}
		d.look(m, a.ID)
		d.want(m, a.ID, "unknown client alarm, gone", "unknown sessions alarm")
		if err := m.Seen(a.ID); err != nil {
			t.Fatal(err)
		}
		d.want(m, a.ID, "unknown sessions alarm, seen")
		// And back again, it is new again.
		d.elsewhere("alice", "evil2")
		d.look(m, a.ID)
		d.want(m, a.ID, "unknown client alarm", "unknown sessions alarm")
	})
}

func TestLabelledClients(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.manager(0)
		a := d.add(m, "alice", "alice", 0)
		phone := d.elsewhere("alice", "phone")
		d.look(m, a.ID)
		d.want(m, a.ID, "unknown client info", "unknown sessions info")
		if err := m.Label(a.ID, "phone", "my \x1b[1mphone"); err != nil {
			t.Fatal(err)
		}
		d.look(m, a.ID)
		d.want(m, a.ID, "unknown sessions info")
		for range 3 {
			d.refreshElsewhere(api.RefreshRequest{RefreshToken: phone.RefreshToken, ClientID: "phone"})
			d.look(m, a.ID)
			if n := alarms(m); n != 0 {
				t.Errorf("%d alarms over a labelled client's sessions", n)
			}
		}
		// It has 4 now. One more than it can explain is somebody else's.
		d.refreshElsewhere(d.stolen(a.ID))
		d.look(m, a.ID)
		d.want(m, a.ID, "unknown sessions alarm")
		_ = m.Seen(a.ID)
		// The labelled client signs in anew: told, not alarmed.
		_ = d.other.RevokeMyRefreshToken(t.Context(), phone.Value, "phone")
		time.Sleep(time.Second)
		_ = d.other.RevokeToken(t.Context(), d.elsewhere("alice", "phone").Value)
		d.look(m, a.ID)
		d.want(m, a.ID, "known client signed in info", "unknown sessions info, seen")
	})
}

func TestWatchWithoutPermission(t *testing.T) {
	cases := map[string]struct {
		deny []string
		want []string
		text []string
	}{
		"refresh tokens": {[]string{"!auth.users.me.tokens.read"}, []string{"missing permission warn", "unknown sessions warn"}, []string{"auth.users.me.tokens.read"}},
		"sessions":       {[]string{"!auth.users.me.sessions.read"}, []string{"missing permission warn", "unknown client alarm"}, []string{"auth.users." + drillAlice + ".sessions.read"}},
		"both": {
			[]string{"!auth.users.me.tokens.read", "!auth.users.me.sessions.read"},
			[]string{"missing permission warn", "missing permission warn"},
			[]string{"auth.users.me.tokens.read", "auth.users." + drillAlice + ".sessions.read"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				d := newDrill(t, c.deny...)
				m := d.manager(0)
				a := d.add(m, "alice", "alice", 0)
				d.look(m, a.ID)
				d.elsewhere("alice", "evil")
				d.look(m, a.ID)
				d.look(m, a.ID)
				d.want(m, a.ID, c.want...)
				all, _ := m.Findings(a.ID)
				for _, text := range c.text {
					if !slices.ContainsFunc(all, func(f Finding) bool { return f.Subject == text && strings.Contains(f.Text, text) }) {
						t.Errorf("nothing names %s: %+v", text, all)
					}
				}
			})
		})
	}
}

func TestRefusedRefreshIsAFinding(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.manager(0)
		a := d.add(m, "alice", "alice", 0)
		d.look(m, a.ID)
		d.RevokeRefreshTokens(drillAlice)
		_, _ = m.Refresh(t.Context(), a.ID)
		d.want(m, a.ID, "refresh refused alarm")
		d.look(m, a.ID)
		d.want(m, a.ID, "login changed info", "our refresh token is gone alarm", "refresh refused alarm")
		if err := m.Seen(a.ID); err != nil {
			t.Fatal(err)
		}
		d.look(m, a.ID)
		d.want(m, a.ID, "login changed info, seen", "our refresh token is gone alarm, seen", "refresh refused alarm, seen")
		d.add(m, "alice", "alice", 0)
		d.look(m, a.ID)
		d.want(m, a.ID)
	})
}

func TestOtherUserIsAFinding(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.manager(0)
		a := d.add(m, "alice", "alice", 0)
		d.Faults().RefreshAs(drillBob, 1)
		_, _ = m.Refresh(t.Context(), a.ID)
		d.want(m, a.ID, "another user answers alarm")
	})
}

func TestLoginChangedUnderUs(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t, "auth.users.me.read")
		m := d.manager(0)
		a := d.add(m, "alice", "alice", 0)
		d.look(m, a.ID)
		boss := d.elsewhere("ada", "")
		_, err := d.other.UpdateUser(t.Context(), boss.Value, drillAlice, func(u *api.User) error { u.Username = "alicia"; return nil })
		if err != nil {
			t.Fatal(err)
		}
		_, _ = m.Refresh(t.Context(), a.ID)
		d.ResetRequests()
		d.look(m, a.ID)
		if n := d.Count("", ""); n != 2 {
			t.Errorf("%d requests a look, want 2", n)
		}
		d.want(m, a.ID, "login changed alarm", "refresh refused alarm")
		all, _ := m.Findings(a.ID)
		if !strings.Contains(fmt.Sprint(all), "not called alice any more but alicia") {
			t.Errorf("findings %+v", all)
		}
		d.look(m, a.ID)
		if n := d.Count("GET", "/users/{user_uuid}"); n != 1 {
			t.Errorf("the user was read %d times", n)
		}
	})
}

// A label is of one user's client_id: the same name elsewhere is known to nobody.
func TestLabelIsOfOneUser(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.manager(0)
		a, b := d.add(m, "alice", "alice", 0), d.add(m, "bob", "bob", 0)
		d.look(m, a.ID)
		d.look(m, b.ID)
		if err := m.Label(b.ID, "phone", "bob's phone"); err != nil {
			t.Fatal(err)
		}
		d.elsewhere("alice", "phone")
		d.elsewhere("bob", "phone")
		d.look(m, a.ID)
		d.look(m, b.ID)
		d.want(m, a.ID, "unknown client alarm", "unknown sessions warn")
		d.want(m, b.ID, "known client signed in info", "unknown sessions info")
	})
}

// Why a refresh is refused, as far as the user may read itself.
func TestWhyARefreshIsRefused(t *testing.T) {
	const address = "alice@example.com"
	emails := func(confirmed bool) []api.Email {
		return []api.Email{{Address: address, Main: true, Confirmed: confirmed}}
	}
	user := func(change func(u *api.User)) func(context.Context, *api.Client, api.Secret) error {
		return func(ctx context.Context, c *api.Client, admin api.Secret) error {
			_, err := c.UpdateUser(ctx, admin, drillAlice, func(u *api.User) error { change(u); return nil })
			return err
		}
	}
	for name, tt := range map[string]struct {
		login  string
		change func(ctx context.Context, c *api.Client, admin api.Secret) error
		want   string
		level  Level
	}{
		"disabled":            {"alice", user(func(*api.User) {}), "the user was disabled", Alarm},
		"renamed":             {"Alice", user(func(u *api.User) { u.Username = "alicia" }), "not called Alice any more but alicia", Alarm},
		"still the same name": {"ALICE", user(func(*api.User) {}), "still called ALICE, so the refresh token was revoked", Info},
		"still that address":  {address, user(func(*api.User) {}), "still called " + address, Info},
		"an address that is not confirmed any more": {address, func(ctx context.Context, c *api.Client, admin api.Secret) error {
			_, err := c.SetAdminEmails(ctx, admin, drillAlice, emails(false))
			return err
		}, "not called " + address + " any more but alice", Alarm},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				d := newDrill(t, "auth.users.me.read")
				through := authd.Transport(d)
				m := d.through(roundTrip(func(r *http.Request) (*http.Response, error) {
					res, err := through.RoundTrip(r)
					if err == nil && name == "disabled" && r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/users/"+drillAlice) {
						// Since 26.04 disabling ends the sessions, and nothing can be asked any more (contract 9).
						body, _ := io.ReadAll(res.Body)
						res.Body = io.NopCloser(bytes.NewReader(bytes.Replace(body, []byte(`"enabled":true`), []byte(`"enabled":false`), 1)))
						res.ContentLength = -1
					}
					return res, err
				}))
				boss := d.elsewhere("ada", "").Value
				if _, err := d.other.SetAdminEmails(t.Context(), boss, drillAlice, emails(true)); err != nil {
					t.Fatal(err)
				}
				a, err := m.SignIn(t.Context(), SignInRequest{Name: "alice", Stack: drillStack, Login: tt.login, Password: api.NewSecret("alice-pass")})
				if err != nil {
					t.Fatal(err)
				}
				d.look(m, a.ID)
				if err := tt.change(t.Context(), d.other, boss); err != nil {
					t.Fatal(err)
				}
				d.RevokeRefreshTokens(drillAlice)
				_, _ = m.Refresh(t.Context(), a.ID)
				d.look(m, a.ID)
				all, _ := m.Findings(a.ID)
				if !slices.ContainsFunc(all, func(f Finding) bool {
					return f.Kind == LoginChanged && f.Level == tt.level && strings.Contains(f.Text, tt.want)
				}) {
					t.Errorf("nothing says %q: %+v", tt.want, all)
				}
			})
		})
	}
}

// The server lets an administrator list and end anybody's sessions: what it lists for another user than was asked for is neither
// told of nor ended.
func TestSessionsListedForSomebodyElse(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		through := authd.Transport(d)
		m := d.through(d.spiedOn(roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/sessions") {
				r = r.Clone(r.Context())
				r.URL.Path = strings.Replace(r.URL.Path, drillAdmin, drillBob, 1)
			}
			return through.RoundTrip(r)
		})))
		a := d.add(m, "ada", "ada", 0)
		d.look(m, a.ID)
		bob := d.elsewhere("bob", "")
		d.look(m, a.ID)
		d.want(m, a.ID)
		d.respond(m, d.plan(m, a.ID, ResponseOptions{}), ResponseHooks{Password: password("ada-pass")})
		if err := d.other.CheckToken(t.Context(), bob.Value, "", ""); err != nil {
			t.Errorf("bob's session: %v", err)
		}
	})
}

// A request of ours that was cut off may have opened a session; nobody is to be alarmed by it.
func TestWatchKnowsLeaks(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.manager(DefaultWatch)
		a := d.add(m, "alice", "alice", time.Hour)
		d.run(m)
		time.Sleep(time.Minute)
		d.Faults().Add(authd.Fault{Path: "/token refresh", Times: 1, Cut: true})
		time.Sleep(4 * time.Hour)
		if n := alarms(m); n != 0 {
			t.Errorf("%d alarms", n)
		}
		d.want(m, a.ID)
		// But one leak does not excuse two sessions.
		d.Faults().Add(authd.Fault{Path: "/token refresh", Times: 1, Cut: true})
		_, _ = m.Refresh(t.Context(), a.ID)
		d.refreshElsewhere(d.stolen(a.ID))
		time.Sleep(DefaultWatch * 6 / 5)
		d.want(m, a.ID, "unknown sessions alarm")
	})
}

func TestLookFails(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.manager(0)
		a := d.add(m, "alice", "alice", 0)
		d.look(m, a.ID)
		at := account(t, m, a.ID).LookedAt
		d.Faults().SetDown(true)
		time.Sleep(time.Minute)
		if err := m.Look(t.Context(), a.ID); !errors.Is(err, api.ErrNetwork) {
			t.Errorf("error %v", err)
		}
		if got := account(t, m, a.ID).LookedAt; !got.Equal(at) {
			t.Errorf("looked at %s, want the look before, %s", got, at)
		}
		d.want(m, a.ID)
		if err := m.Look(t.Context(), "ffffffff"); !errors.Is(err, ErrNoAccount) {
			t.Errorf("error %v", err)
		}
	})
}

func TestNotesThatCanNotBeRead(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.manager(0)
		a := d.add(m, "alice", "alice", 0)
		d.look(m, a.ID)
		name := filepath.Join(d.dir, watchFile(a.ID))
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("%v, %v", info, err)
		}
		if err := os.WriteFile(name, []byte("\x00{]"), 0o600); err != nil {
			t.Fatal(err)
		}
		d.elsewhere("alice", "phone")
		d.look(m, a.ID)
		d.want(m, a.ID, "unknown client info", "unknown sessions info")
		if err := m.Forget(t.Context(), a.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("what was seen of a forgotten account stays: %v", err)
		}
	})
}
