package session

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

// spy stands between this machine and the server. It gathers every token that the server gives, to
// look for them where they don't belong, and sees to it that nothing of anybody else is revoked
// without having been shown to a person first.
type spy struct {
	d    *drill
	next http.RoundTripper
	mu   sync.Mutex
	seen map[string]bool
}

func (s *spy) RoundTrip(r *http.Request) (*http.Response, error) {
	s.d.witness.judge(s.d.t, r)
	var signIn string
	if r.Method == http.MethodPost && r.Header.Get("Authorization") != "" {
		b, _ := io.ReadAll(r.Body)
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(b))
		var asked struct {
			ClientID string `json:"client_id"`
		}
		_ = json.Unmarshal(b, &asked)
		signIn = asked.ClientID
		s.d.witness.own(signIn)
	}
	res, err := s.next.RoundTrip(r)
	if err != nil {
		return res, err
	}
	b, err := io.ReadAll(res.Body)
	res.Body = io.NopCloser(io.MultiReader(bytes.NewReader(b), failingReader{err}))
	var answer struct {
		Data struct {
			Token        string `json:"token"`
			RefreshToken string `json:"refresh_token"`
			SessionUUID  string `json:"session_uuid"`
		} `json:"data"`
	}
	if json.Unmarshal(b, &answer) == nil {
		s.d.witness.own(answer.Data.Token, answer.Data.SessionUUID)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.seen[answer.Data.Token], s.seen[answer.Data.RefreshToken] = true, true
	}
	return res, nil
}

// listed is what may be revoked: what this machine made, and what a person has been shown.
type listed struct {
	mu    sync.Mutex
	ours  map[string]bool // client_ids, session uuids and access tokens
	shown map[string]bool // "user client_id" and "user session"
	me    string          // the user whose response it is
}

func (l *listed) own(things ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, thing := range things {
		l.ours[thing] = thing != ""
	}
}

func (l *listed) show(n Appeared) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range n.Tokens {
		l.shown[t.UserUUID+" "+t.ClientID] = true
	}
	for _, s := range n.Sessions {
		l.shown[s.UserUUID+" "+s.UUID] = true
	}
}

func (l *listed) showPlan(p *Plan) {
	l.mu.Lock()
	l.me = p.UserUUID
	l.mu.Unlock()
	l.show(Appeared{p.Revoke, p.Sessions})
}

// judge fails when a request revokes what is neither.
func (l *listed) judge(t *testing.T, r *http.Request) {
	t.Helper()
	if r.Method != http.MethodDelete {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	at := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/api/auth/0.1/"), "/")
	last, err := url.PathUnescape(at[len(at)-1])
	if err != nil {
		t.Error(err)
	}
	user := l.me
	if at[0] == "users" && at[1] != "me" {
		user = at[1]
	}
	if !l.ours[last] && !l.shown[user+" "+last] {
		t.Errorf("revoked without having been shown to anybody: %s", r.URL.Path)
	}
}

type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) {
	if f.err == nil {
		return 0, io.EOF
	}
	return 0, f.err
}

// spied puts a spy between this machine and the server; at the test's end no file of dir may hold
// what it saw, nor any of the words.
func (d *drill) spied(words ...string) *spy { return d.spiedOn(authd.Transport(d.Server), words...) }

func (d *drill) spiedOn(next http.RoundTripper, words ...string) *spy {
	s := &spy{d: d, next: next, seen: map[string]bool{}}
	d.t.Cleanup(func() {
		delete(s.seen, "")
		for _, w := range words {
			s.seen[w] = true
		}
		_ = filepath.WalkDir(d.dir, func(path string, e os.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			for secret := range s.seen {
				if bytes.Contains(b, []byte(secret)) {
					d.t.Errorf("%s holds the secret %s", path, secret)
				}
			}
			return err
		})
	})
	return s
}

// through is a manager of the drill's store that talks through rt.
func (d *drill) through(rt http.RoundTripper) *Manager {
	m := New(d.store, Options{Version: "test", Transport: rt, Dir: d.dir})
	if err := m.Load(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	return m
}

func password(p string) func(context.Context, string) (api.Secret, error) {
	return func(context.Context, string) (api.Secret, error) { return api.NewSecret(p), nil }
}

func newPassword(p string) func(context.Context) (api.Secret, error) {
	return func(context.Context) (api.Secret, error) { return api.NewSecret(p), nil }
}

func (d *drill) plan(m *Manager, id ID, o ResponseOptions) *Plan {
	d.t.Helper()
	p, err := m.PlanResponse(d.t.Context(), id, o)
	if err != nil {
		d.t.Fatal(err)
	}
	d.witness.showPlan(p)
	return p
}

// agree is a person who reads what has appeared and wants it revoked.
func (d *drill) agree(_ context.Context, n Appeared) (bool, error) {
	d.witness.show(n)
	return true, nil
}

func (d *drill) respond(m *Manager, p *Plan, h ResponseHooks) *Incident {
	d.t.Helper()
	if h.Confirm == nil {
		h.Confirm = d.agree
	}
	in, err := m.Respond(d.t.Context(), p, h)
	if err != nil {
		d.t.Fatal(err)
	}
	return in
}

// clean fails unless the incident is.
func (d *drill) clean(in *Incident) {
	d.t.Helper()
	if !in.Clean() {
		d.t.Errorf("not clean:\n%s", story(in))
	}
}

func story(in *Incident) string {
	var b strings.Builder
	for _, s := range in.Steps {
		b.WriteString(string(s.Name) + " " + string(s.State) + ": " + s.Text + "\n")
	}
	for _, p := range in.Proofs {
		b.WriteString(string(p.State) + ": " + p.Claim + ": " + p.How + "\n")
	}
	return b.String()
}

func state(in *Incident, name StepName, want StepState) string {
	if s := in.step(name); s.State != want {
		return "step " + string(name) + " is " + string(s.State) + ", want " + string(want) + "\n" + story(in)
	}
	return ""
}

// dead fails unless an access token and a refresh token are refused.
func (d *drill) dead(tok *api.Token, clientID string) {
	d.t.Helper()
	if err := d.other.CheckToken(d.t.Context(), tok.Value, "", ""); !errors.Is(err, api.ErrTokenDead) {
		d.t.Errorf("the access token of %s lives: %v", clientID, err)
	}
	if tok.RefreshToken.IsZero() {
		return
	}
	if _, err := d.other.Refresh(d.t.Context(), api.RefreshRequest{RefreshToken: tok.RefreshToken, ClientID: clientID}); !errors.Is(err, api.ErrRefreshRefused) {
		d.t.Errorf("the refresh token of %s lives: %v", clientID, err)
	}
}

func (d *drill) works(m *Manager, id ID) {
	d.t.Helper()
	err := m.Do(d.t.Context(), id, func(ctx context.Context, c *api.Client, token api.Secret) error {
		return c.CheckToken(ctx, token, "", "")
	})
	if err != nil {
		d.t.Errorf("our own account does not work: %v", err)
	}
	if _, err := m.Refresh(d.t.Context(), id); err != nil {
		d.t.Errorf("our own account does not refresh: %v", err)
	}
}

func TestRespond(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.through(d.spied("alice-pass"))
		a := d.add(m, "alice", "alice", 0)
		b := d.add(m, "alice two", "alice", 3*time.Hour)
		phone := d.elsewhere("alice", "phone")
		d.look(m, a.ID)
		if err := m.Label(a.ID, "phone", "my phone"); err != nil {
			t.Fatal(err)
		}
		evil := d.elsewhere("alice", "evil")
		stolen := d.stolen(a.ID)
		loot := d.refreshElsewhere(stolen)
		bob := d.elsewhere("bob", "phone")
		d.look(m, a.ID)

		p := d.plan(m, a.ID, ResponseOptions{})
		if len(p.Revoke) != 1 || p.Revoke[0].ClientID != "evil" || len(p.Sessions) != 3 || len(p.Ours) != 2 || len(p.Rotate) != 2 ||
			len(p.Keep) != 3 || len(p.Missing) != 0 || p.Lifetime != 3*time.Hour {
			t.Fatalf("plan %+v", p)
		}
		before := d.Count("", "")
		asked := 0
		var seen []StepState
		in := d.respond(m, p, ResponseHooks{
			Password: func(context.Context, string) (api.Secret, error) {
				asked++
				return api.NewSecret("alice-pass"), nil
			},
			Progress: func(in Incident) { seen = append(seen, in.Steps[2].State) },
			Stolen:   []api.Secret{stolen.RefreshToken},
		})
		d.clean(in)
		// A refresh token that still works would make new sessions while the old ones are revoked.
		var order []string
		for _, r := range d.Requests()[before:] {
			if r.Method == http.MethodDelete {
				order = append(order, r.Path)
			}
		}
		if len(order) < 2 || order[0] != "/users/me/tokens/{client_id}" || order[1] != "/users/{user_uuid}/sessions/{session_uuid}" {
			t.Errorf("revoked in the order %v", order)
		}
		if asked != 1 {
			t.Errorf("the password was asked for %d times", asked)
		}
		if !slices.Contains(seen, Pending) || !slices.Contains(seen, Running) || !slices.Contains(seen, Done) {
			t.Errorf("progress %v", seen)
		}
		d.dead(evil, "evil")
		loot.RefreshToken = stolen.RefreshToken
		d.dead(loot, stolen.ClientID)
		if err := d.other.CheckToken(t.Context(), phone.Value, "", ""); !errors.Is(err, api.ErrTokenDead) {
			t.Errorf("the phone's session stays: %v", err)
		}
		d.refreshElsewhere(api.RefreshRequest{RefreshToken: phone.RefreshToken, ClientID: "phone"})
		d.refreshElsewhere(api.RefreshRequest{RefreshToken: bob.RefreshToken, ClientID: "phone"})
		if err := d.other.CheckToken(t.Context(), bob.Value, "", ""); err != nil {
			t.Errorf("bob is hit: %v", err)
		}
		d.want(m, a.ID) // the person has seen it all
		d.works(m, a.ID)
		d.works(m, b.ID)

		proofs := map[ProofState]int{}
		for _, p := range in.Proofs {
			proofs[p.State]++
		}
		// evil, two rotated ones; the sessions; two held access tokens; the stolen value.
		if proofs[Proven] != 7 || proofs[Disproven] != 0 {
			t.Errorf("proofs %v\n%s", proofs, story(in))
		}
		last := in.Proofs[len(in.Proofs)-1]
		if want := in.LastEnd.Add(3 * time.Hour); !last.Until.Equal(want) {
			t.Errorf("access tokens live until %s, want %s", last.Until, want)
		}
		md, js, err := m.exportIncident(p.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"# Incident " + p.ID, "## Proven", "evil", "## Can't be proven", "3 refresh tokens and 3 sessions ended", "the password not changed", "my phone", "| revoked |"} {
			if !bytes.Contains(md, []byte(want)) {
				t.Errorf("the report lacks %q:\n%s", want, md)
			}
		}
		if !json.Valid(js) || !bytes.Contains(js, []byte(`"clean": true`)) {
			t.Errorf("%.200s", js)
		}
		if err := os.WriteFile(filepath.Join(d.dir, "report"), append(md, js...), 0o600); err != nil { // for the spy
			t.Fatal(err)
		}
		all, err := m.Incidents()
		if err != nil || len(all) != 1 || all[0].Ended.IsZero() {
			t.Errorf("incidents %v, %v", all, err)
		}
		intact(t, m.Audit())
		if _, err := m.Respond(t.Context(), p, ResponseHooks{}); err == nil {
			t.Error("the same plan is carried out twice")
		}
	})
}

// What is not in the plan is asked about, and left alone without a yes.
func TestRespondAsksAgain(t *testing.T) {
	for _, answer := range []bool{true, false} {
		inBubble(t, func(t *testing.T) {
			d := newDrill(t)
			m := d.through(d.spied())
			a := d.add(m, "alice", "alice", 0)
			old := d.elsewhere("alice", "evil")
			p := d.plan(m, a.ID, ResponseOptions{})
			late := d.elsewhere("alice", "late")
			var asked []Appeared
			in := d.respond(m, p, ResponseHooks{
				Password: password("alice-pass"),
				Confirm: func(_ context.Context, n Appeared) (bool, error) {
					asked = append(asked, n)
					if answer {
						d.witness.show(n)
					}
					return answer, nil
				},
			})
			if len(asked) != 1 || len(asked[0].Tokens) != 1 || asked[0].Tokens[0].ClientID != "late" || len(asked[0].Sessions) != 1 {
				t.Errorf("asked %+v", asked)
			}
			d.dead(old, "evil")
			d.clean(in)
			if answer {
				d.dead(late, "late")
				return
			}
			if err := d.other.CheckToken(t.Context(), late.Value, "", ""); err != nil {
				t.Errorf("revoked against the person's word: %v", err)
			}
			d.refreshElsewhere(api.RefreshRequest{RefreshToken: late.RefreshToken, ClientID: "late"})
			if len(in.Appeared) != 1 {
				t.Errorf("appeared %+v", in.Appeared)
			}
			if strings.Contains(story(in), "proven: no session but ours is left: the list names none") {
				t.Error("a session that was left alone is said not to be there")
			}
		})
	}
}

// A refresh token that is revoked and made anew after it was shown is another one, under the same name.
func TestMadeAnewIsAskedAbout(t *testing.T) {
	for _, answer := range []bool{true, false} {
		inBubble(t, func(t *testing.T) {
			d := newDrill(t)
			m := d.through(d.spied())
			a := d.add(m, "alice", "alice", 0)
			old := d.elsewhere("alice", "phone")
			p := d.plan(m, a.ID, ResponseOptions{})
			if err := d.other.RevokeMyRefreshToken(t.Context(), old.Value, "phone"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			again := d.elsewhere("alice", "phone")
			asked := 0
			in := d.respond(m, p, ResponseHooks{Password: password("alice-pass"), Confirm: func(_ context.Context, n Appeared) (bool, error) {
				if asked++; len(n.Tokens) != 1 || n.Tokens[0].ClientID != "phone" || !strings.Contains(n.Tokens[0].Why, "made it anew") {
					t.Errorf("asked about %+v", n)
				}
				if answer {
					d.witness.show(n)
				}
				return answer, nil
			}})
			d.clean(in)
			if asked != 1 {
				t.Errorf("asked %d times", asked)
			}
			if answer {
				d.dead(again, "phone")
				return
			}
			d.refreshElsewhere(api.RefreshRequest{RefreshToken: again.RefreshToken, ClientID: "phone"})
		})
	}
}

// A thief that knows the password signs in under the name of what was just rotated, and under that of what is kept:
// neither is left alone for its name.
func TestMadeAnewUnderOurNames(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.through(d.spied())
		a := d.add(m, "alice", "alice", 0)
		phone := d.elsewhere("alice", "phone")
		if err := m.Label(a.ID, "phone", "my phone"); err != nil {
			t.Fatal(err)
		}
		p := d.plan(m, a.ID, ResponseOptions{})
		if err := d.other.RevokeMyRefreshToken(t.Context(), phone.Value, "phone"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		again := map[string]*api.Token{"phone": d.elsewhere("alice", "phone")}
		var asked []string
		in := d.respond(m, p, ResponseHooks{
			Password: password("alice-pass"),
			Progress: func(in Incident) {
				if again[a.ClientID] == nil && in.Steps[3].State == Done {
					again[a.ClientID] = d.elsewhere("alice", a.ClientID)
				}
			},
			Confirm: func(ctx context.Context, n Appeared) (bool, error) {
				for _, t := range n.Tokens {
					asked = append(asked, t.ClientID)
				}
				return d.agree(ctx, n)
			},
		})
		d.clean(in)
		if slices.Sort(asked); !slices.Equal(asked, []string{"phone", a.ClientID}) {
			t.Errorf("asked about %q", asked)
		}
		for clientID, tok := range again {
			d.dead(tok, clientID)
		}
		d.works(m, a.ID)
	})
}

// Our old refresh token that could not be revoked at its rotation is not kept for its name, nor asked about: it was to end.
func TestOursThatIsNotRetired(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.through(d.spied())
		a := d.add(m, "alice", "alice", 0)
		stolen := d.stolen(a.ID)
		p := d.plan(m, a.ID, ResponseOptions{})
		d.Faults().Add(authd.Fault{Path: "/users/me/tokens/{client_id}", Status: http.StatusForbidden, Times: 2})
		in := d.respond(m, p, ResponseHooks{Password: password("alice-pass"), Confirm: func(_ context.Context, n Appeared) (bool, error) {
			t.Errorf("asked about %+v", n)
			return false, nil
		}})
		if text := state(in, StepRotate, Failed); text != "" {
			t.Error(text)
		}
		if _, err := d.other.Refresh(t.Context(), stolen); !errors.Is(err, api.ErrRefreshRefused) {
			t.Errorf("the stolen refresh token: %v", err)
		}
		in, err := m.ResumeResponse(t.Context(), p.ID, ResponseHooks{})
		if err != nil {
			t.Fatal(err)
		}
		d.clean(in)
		d.works(m, a.ID)
	})
}

// The server lets anybody end any session of the tenant; the response only touches what the
// server lists for the user, whatever a plan or a journal says.
func TestRespondLeavesOthersAlone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.through(d.spied())
		a := d.add(m, "alice", "alice", 0)
		bob := d.elsewhere("bob", "shared-name")
		p := d.plan(m, a.ID, ResponseOptions{})
		p.Users = append(p.Users, drillBob)
		p.Sessions = append(p.Sessions, PlannedSession{UserUUID: drillBob, UUID: bob.SessionUUID}, PlannedSession{UserUUID: drillAlice, UUID: bob.SessionUUID})
		p.Revoke = append(p.Revoke, PlannedToken{UserUUID: drillBob, ClientID: "shared-name"}, PlannedToken{UserUUID: drillAlice, ClientID: "shared-name"})
		d.witness.show(Appeared{Tokens: []PlannedToken{{UserUUID: drillAlice, ClientID: "shared-name"}}})
		d.respond(m, p, ResponseHooks{Password: password("alice-pass")})
		if err := d.other.CheckToken(t.Context(), bob.Value, "", ""); err != nil {
			t.Errorf("bob's session: %v", err)
		}
		d.refreshElsewhere(api.RefreshRequest{RefreshToken: bob.RefreshToken, ClientID: "shared-name"})
		for _, path := range []string{"/users/{user_uuid}/tokens/{client_id}", "/users/{user_uuid}/tokens"} {
			if n := d.Count("", path); n != 0 {
				t.Errorf("%d requests to %s", n, path)
			}
		}
	})
}

func TestRespondWithoutPassword(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.through(d.spied())
		a := d.add(m, "alice", "alice", 0)
		evil := d.elsewhere("alice", "evil")
		in := d.respond(m, d.plan(m, a.ID, ResponseOptions{}), ResponseHooks{})
		if text := state(in, StepRotate, Skipped); text != "" || in.Clean() {
			t.Error(text, in.Clean())
		}
		d.dead(evil, "evil")
		d.works(m, a.ID)
		if !strings.Contains(story(in), "it was not rotated") {
			t.Error(story(in))
		}
		wrong := 0
		_, err := m.ResumeResponse(t.Context(), in.Plan.ID, ResponseHooks{Password: func(context.Context, string) (api.Secret, error) {
			wrong++
			return api.NewSecret("wrong"), nil
		}})
		if err != nil || wrong != 0 {
			t.Errorf("a skipped step was tried again: %v, asked %d times", err, wrong)
		}
		p := d.plan(m, a.ID, ResponseOptions{})
		in = d.respond(m, p, ResponseHooks{Password: func(context.Context, string) (api.Secret, error) {
			wrong++
			return api.NewSecret("wrong"), nil
		}})
		if text := state(in, StepRotate, Failed); text != "" || wrong != 3 {
			t.Error(text, wrong)
		}
		d.works(m, a.ID)
		in, err = m.ResumeResponse(t.Context(), p.ID, ResponseHooks{Password: password("alice-pass"), Confirm: d.agree})
		if err != nil {
			t.Fatal(err)
		}
		d.clean(in)
		d.works(m, a.ID)
	})
}

func TestRespondWithoutPermission(t *testing.T) {
	cases := map[string]string{
		"!auth.users.me.tokens.read":       "auth.users.me.tokens.read",
		"!auth.users.me.sessions.read":     "auth.users." + drillAlice + ".sessions.read",
		"!auth.users.me.tokens.*.delete":   "auth.users.me.tokens.*.delete",
		"!auth.users.me.sessions.*.delete": "auth.users." + drillAlice + ".sessions.*.delete",
		"!auth.users.me.password.update":   "auth.users." + drillAlice + ".password.update",
	}
	for deny, want := range cases {
		t.Run(deny, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				d := newDrill(t, deny)
				m := d.through(d.spied())
				a := d.add(m, "alice", "alice", 0)
				d.elsewhere("alice", "evil")
				p := d.plan(m, a.ID, ResponseOptions{ChangePassword: true})
				if !slices.Equal(p.Missing, []string{want}) {
					t.Errorf("missing %v, want %s", p.Missing, want)
				}
				in := d.respond(m, p, ResponseHooks{Password: password("alice-pass"), NewPassword: newPassword("new-pass")})
				if in.Clean() {
					t.Error("clean without", want)
				}
				stem, _, _ := strings.Cut(want, "*")
				if !strings.Contains(story(in), stem) {
					t.Errorf("no step names %s:\n%s", want, story(in))
				}
				d.works(m, a.ID)
			})
		})
	}
}

func TestRespondForEveryone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.through(d.spied())
		boss := d.add(m, "ada", "ada", 0)
		mine := d.add(m, "alice", "alice", 0)
		phone, bob, ada := d.elsewhere("alice", "phone"), d.elsewhere("bob", "phone"), d.elsewhere("ada", "evil")
		service := d.elsewhere("svc", "service")
		if _, err := m.PlanResponse(t.Context(), mine.ID, ResponseOptions{Tenant: true}); !errors.Is(err, api.ErrPermission) {
			t.Errorf("an ordinary user plans for everyone: %v", err)
		}
		p := d.plan(m, boss.ID, ResponseOptions{Tenant: true})
		if len(p.Users) != 3 || len(p.Revoke) != 4 || len(p.Sessions) != 4 || len(p.Rotate) != 1 {
			t.Fatalf("plan %+v", p)
		}
		if !strings.Contains(p.Revoke[0].Why+p.Revoke[1].Why+p.Revoke[2].Why+p.Revoke[3].Why, "signs out the account alice of this machine") {
			t.Errorf("plan %+v", p.Revoke)
		}
		in := d.respond(m, p, ResponseHooks{Password: password("ada-pass")})
		d.clean(in)
		d.dead(phone, "phone")
		d.dead(bob, "phone")
		d.dead(ada, "evil")
		if err := d.other.CheckToken(t.Context(), service.Value, "", ""); err != nil {
			t.Errorf("a service of the stack is hit: %v", err)
		}
		d.refreshElsewhere(api.RefreshRequest{RefreshToken: service.RefreshToken, ClientID: "service"})
		d.works(m, boss.ID)
		if _, err := m.Refresh(t.Context(), mine.ID); err == nil {
			t.Error("our other account was spared")
		}
	})
}

// A thief that has our access token revokes our own refresh token and session in the middle.
func TestRespondSignsInAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.through(d.spied())
		a := d.add(m, "alice", "alice", 0)
		evil := d.elsewhere("alice", "evil")
		p := d.plan(m, a.ID, ResponseOptions{})
		d.RevokeRefreshTokens(drillAlice)
		d.RevokeSessions(drillAlice)
		again := d.elsewhere("alice", "evil")
		in := d.respond(m, p, ResponseHooks{Password: password("alice-pass")})
		d.clean(in)
		d.dead(evil, "evil")
		d.dead(again, "evil")
		d.works(m, a.ID)

		p = d.plan(m, a.ID, ResponseOptions{})
		d.RevokeRefreshTokens(drillAlice)
		d.RevokeSessions(drillAlice)
		in = d.respond(m, p, ResponseHooks{})
		if in.Clean() || !strings.Contains(story(in), "sign in again") {
			t.Error(story(in))
		}
	})
}

func TestRespondChangesPassword(t *testing.T) {
	faults := map[string]*authd.Fault{
		"":                   nil,
		"the answer is lost": {Path: "/users/{user_uuid}/password", Times: 1, Status: 502, HTML: true, After: true},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				d := newDrill(t)
				m := d.through(d.spied("alice-pass", "new-pass"))
				a := d.add(m, "alice", "alice", 0)
				evil := d.elsewhere("alice", "evil")
				p := d.plan(m, a.ID, ResponseOptions{ChangePassword: true})
				if fault != nil {
					d.Faults().Add(*fault)
				}
				in := d.respond(m, p, ResponseHooks{Password: password("alice-pass"), NewPassword: newPassword("new-pass")})
				d.clean(in)
				d.dead(evil, "evil")
				if _, err := elsewhere(t.Context(), d.other, "alice", "alice-pass", ""); !errors.Is(err, api.ErrBadCredentials) {
					t.Errorf("the old password: %v", err)
				}
				d.works(m, a.ID)
				if strings.Contains(story(in), "nobody else knows the password") {
					t.Error(story(in))
				}
			})
		})
	}
}

// What can't be revoked is told, with what helps, and nothing else is left undone for it.
func TestRespondUnrevokable(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.through(d.spied())
		a := d.add(m, "alice", "alice", 0)
		long := strings.Repeat("x", 200)
		for _, clientID := range []string{"a/b", "..", "x#y", "plain\x1b[2J", long} {
			_, _ = elsewhere(t.Context(), d.other, "alice", "alice-pass", clientID)
		}
		p := d.plan(m, a.ID, ResponseOptions{})
		if len(p.Stuck) != 3 || len(p.Revoke) != 2 {
			t.Fatalf("stuck %+v, revoke %+v", p.Stuck, p.Revoke)
		}
		for _, s := range p.Stuck {
			if s.Why == "" || s.Help == "" {
				t.Errorf("%+v", s)
			}
		}
		_, _ = elsewhere(t.Context(), d.other, "alice", "alice-pass", "late/one")
		in := d.respond(m, p, ResponseHooks{Password: password("alice-pass")})
		if in.Clean() || len(in.Plan.Stuck) != 4 {
			t.Error(story(in))
		}
		left := d.RefreshTokens(drillAlice)
		if len(left) != 5 { // the four, and ours
			t.Errorf("left %q", left)
		}
		if text := state(in, StepRotate, Done) + state(in, StepSessions, Done) + state(in, StepSweep, Done) + state(in, StepProve, Failed); text != "" {
			t.Error(text)
		}
		md, _, err := m.exportIncident(p.ID)
		if err != nil || bytes.ContainsAny(md, "\x1b") {
			t.Errorf("%v, %q", err, md)
		}
	})
}

func TestTryStolen(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.through(d.spied())
		a := d.add(m, "alice", "alice", 0)
		evil, bob := d.elsewhere("alice", "evil"), d.elsewhere("bob", "bobs")
		n := d.Sessions(drillAlice)
		r, err := m.TryStolen(t.Context(), a.ID, evil.RefreshToken, nil)
		if err != nil || !r.Works || r.ClientID != "evil" || !r.Closed || r.UserUUID != drillAlice {
			t.Errorf("%+v, %v", r, err)
		}
		if d.Sessions(drillAlice) != n {
			t.Error("the session that the try opened stays")
		}
		if alarms(m) != 1 || !strings.Contains(m.Events()[len(m.Events())-1].Text, "STILL WORKS") {
			t.Errorf("events %+v", m.Events())
		}
		if r, err = m.TryStolen(t.Context(), a.ID, bob.RefreshToken, nil); err != nil || r.Works {
			t.Errorf("%+v, %v", r, err)
		}
		if r, err = m.TryStolen(t.Context(), a.ID, bob.RefreshToken, []string{"bobs"}); err != nil || !r.Works || r.UserUUID != drillBob {
			t.Errorf("%+v, %v", r, err)
		}
		for d.Sessions(drillAlice) < 100 {
			d.elsewhere("alice", "")
		}
		if r, err = m.TryStolen(t.Context(), a.ID, evil.RefreshToken, nil); err != nil || !r.Works {
			t.Errorf("at the ceiling: %+v, %v", r, err)
		}
		d.Faults().SetDown(true)
		if _, err = m.TryStolen(t.Context(), a.ID, evil.RefreshToken, nil); err == nil {
			t.Error("offline, and yet it knows")
		}
	})
}

func TestStolenTokenThatStillWorks(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.through(d.spied())
		a := d.add(m, "alice", "alice", 0)
		phone := d.elsewhere("alice", "phone")
		_ = m.Label(a.ID, "phone", "my phone")
		in := d.respond(m, d.plan(m, a.ID, ResponseOptions{}), ResponseHooks{
			Password: password("alice-pass"), Stolen: []api.Secret{phone.RefreshToken},
		})
		if in.Clean() || !strings.Contains(story(in), "STILL WORKS") {
			t.Error(story(in))
		}
		in = d.respond(m, d.plan(m, a.ID, ResponseOptions{All: true}), ResponseHooks{
			Password: password("alice-pass"), Stolen: []api.Secret{phone.RefreshToken},
		})
		d.clean(in)
		d.dead(phone, "phone")
	})
}
