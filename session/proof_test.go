package session

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

// Each proof is a question to the server, and what it answers counts: a lister that hides something, a token that still
// lives, and a thief that is faster than the list are all told.
func TestProofsAreQuestions(t *testing.T) {
	alive := func(r *http.Request) *http.Response {
		return &http.Response{StatusCode: http.StatusNoContent, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody, Request: r}
	}
	cases := map[string]struct {
		// meddle may answer a request that proves, or do something behind it.
		meddle func(d *drill, r *http.Request) *http.Response
		claim  string
		how    string
	}{
		"an access token that we held is still taken": {
			meddle: func(_ *drill, r *http.Request) *http.Response {
				if r.Method == http.MethodHead {
					return alive(r)
				}
				return nil
			},
			claim: "our earlier access token", how: "the server still takes it",
		},
		"a refresh token is there though the list does not show it": {
			meddle: func(_ *drill, r *http.Request) *http.Response {
				if r.Method == http.MethodDelete && strings.HasSuffix(r.URL.Path, "/tokens/evil") {
					return alive(r)
				}
				return nil
			},
			claim: "the refresh token evil is dead", how: "it was there again, and was revoked again",
		},
		"a refresh token is listed again": {
			meddle: func(d *drill, r *http.Request) *http.Response {
				if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/tokens") && len(d.RefreshTokens(drillAlice)) == 1 {
					d.elsewhere("alice", "evil")
				}
				return nil
			},
			claim: "the refresh token evil is dead", how: "it is listed",
		},
		"a session is listed again": {
			meddle: func(d *drill, r *http.Request) *http.Response {
				if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/sessions") && d.Sessions(drillAlice) == 1 {
					d.elsewhere("alice", "")
				}
				return nil
			},
			claim: "no session but ours is left", how: "1 session that this machine does not hold",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				d := newDrill(t)
				proving := false
				m := d.through(roundTrip(func(r *http.Request) (*http.Response, error) {
					if proving {
						if res := c.meddle(d, r); res != nil {
							return res, nil
						}
					}
					return authd.Transport(d).RoundTrip(r)
				}))
				a := d.add(m, "alice", "alice", 0)
				d.elsewhere("alice", "evil")
				in := d.respond(m, d.plan(m, a.ID, ResponseOptions{}), ResponseHooks{
					Password: password("alice-pass"),
					Progress: func(in Incident) { proving = in.Steps[6].State == Running },
				})
				found := false
				for _, p := range in.Proofs {
					found = found || p.State == Disproven && strings.Contains(p.Claim, c.claim) && strings.Contains(p.How, c.how)
				}
				if !found || in.Clean() {
					t.Errorf("%q is not disproven because %q:\n%s", c.claim, c.how, story(in))
				}
				if text := state(in, StepProve, Failed); text != "" {
					t.Error(text)
				}
			})
		})
	}
}

// While the person thinks about a new password, the stolen refresh token is dead already.
func TestRotatesBeforeTheNewPassword(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.through(d.spied("alice-pass", "new-pass"))
		a := d.add(m, "alice", "alice", 0)
		stolen := d.stolen(a.ID)
		in := d.respond(m, d.plan(m, a.ID, ResponseOptions{ChangePassword: true}), ResponseHooks{
			Password: password("alice-pass"),
			NewPassword: func(ctx context.Context) (api.Secret, error) {
				time.Sleep(time.Minute)
				if _, err := d.other.Refresh(ctx, stolen); err == nil {
					t.Error("the stolen refresh token still works")
				}
				return api.NewSecret("new-pass"), nil
			},
		})
		d.clean(in)
	})
}
