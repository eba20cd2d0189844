package ui

import (
	"context"
	"errors"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
)

const (
	// tryLifetime is that of the access token which a trial makes, should revoking it fail.
	tryLifetime = time.Minute
	// tryTimeout bounds revoking it, which is not cut off when the person stops the trial.
	tryTimeout = 15 * time.Second
)

// tryDialog asks for the client_id of what may be a refresh token.
type tryDialog struct {
	v     *inspector
	p     *pasted
	in    input
	wrong string
}

func (v *inspector) openTry() tea.Cmd {
	if v.pasted == nil || v.pasted.kind != pastedUnknown {
		return nil
	}
	v.f.push(&tryDialog{v: v, p: v.pasted})
	return nil
}

func (d *tryDialog) title() string { return "Try it as a refresh token" }
func (d *tryDialog) typing() bool  { return true }

func (d *tryDialog) bindings() []binding {
	return []binding{
		{action: actChoose, keys: []string{"enter"}, short: "try it"},
		{action: actCancel, keys: []string{"esc"}, short: "leave it"},
	}
}

func (d *tryDialog) do(a action) tea.Cmd {
	switch a {
	case actCancel:
		d.v.f.close(d)
	case actChoose:
		clientID := strings.TrimSpace(d.in.value())
		if clientID == "" {
			d.wrong = "Which client_id? The stack takes a refresh token only together with it."
			return nil
		}
		d.v.f.close(d)
		return d.v.try(d.p, clientID)
	}
	return nil
}

func (d *tryDialog) update(msg tea.Msg) tea.Cmd {
	if k, ok := msg.(tea.KeyPressMsg); ok {
		if a, ok := matching(d.bindings(), k); ok {
			return d.do(a)
		}
	}
	if d.in.update(msg) {
		d.wrong = ""
	}
	return nil
}

func (d *tryDialog) view(w, _ int) []string {
	s := d.v.f.st
	w = min(w, 62)
	label := "client_id "
	lines := []string{s.muted.Render(label) + d.in.view(s, max(1, w-width(label)), true, "such as wakey-laptop-3fa9c1d2"), ""}
	for _, l := range wrap(d.wrong, w) {
		lines = append(lines, s.bad.Render(l))
	}
	if d.wrong != "" {
		lines = append(lines, "")
	}
	for i, p := range d.story() {
		if i > 0 {
			lines = append(lines, "")
		}
		for _, l := range wrap(p, w) {
			lines = append(lines, s.muted.Render(l))
		}
	}
	return lines
}

// story says what a trial does, and what its outcome means.
func (d *tryDialog) story() []string {
	return []string{
		"Only using a refresh token tells it. This makes an access token, which opens a session on " + hostOf(d.p.asked) +
			"; wakey revokes both at once. The refresh token itself stays as it is.",
		"The stack's no means: no refresh token, or revoked, or of another client_id. The list of refresh tokens" + d.v.f.hint(" (3)") +
			" names the client_ids.",
	}
}

// tried is what a trial found: the access token that was made, and whether that is gone again.
type tried struct {
	in     *inspected
	revoke error
}

// try uses a refresh token, and revokes at once the access token that it makes.
func (v *inspector) try(p *pasted, clientID string) tea.Cmd {
	if v.pasted != p {
		return nil
	}
	v.f.jobs.drop(p.job)
	mgr := v.f.mgr
	id, cmd := start(v.f, "trying the pasted token on "+hostOf(p.asked), func(ctx context.Context) (tried, error) {
		c, err := mgr.Client(p.asked.ID)
		if err != nil {
			return tried{}, err
		}
		t, err := c.Refresh(ctx, api.RefreshRequest{RefreshToken: p.token, ClientID: clientID, Lifetime: tryLifetime})
		if err != nil {
			return tried{}, err
		}
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), tryTimeout)
		defer cancel()
		return tried{inspect(p.asked.ID, t, time.Now()), c.RevokeToken(end, t.Value)}, nil
	}, func(t tried, err error) tea.Cmd {
		p.job = 0
		p.note = ""
		switch {
		case errors.Is(err, api.ErrRefreshRefused):
			p.note = "Refused together with the client_id " + clean(clientID) +
				": it is no refresh token, or a revoked one, or one of another client_id."
			return nil
		case err != nil:
			return v.f.fail("it could not be tried", err)
		}
		p.kind, p.in, p.clientID = pastedRefresh, t.in, clean(clientID)
		p.note = "The access token that it made for this is revoked again, with its session."
		if t.revoke != nil {
			p.note = "The access token that it made for this could not be revoked; it is over by " +
				clockTime(v.f.now, t.in.life.until) + ": " + clean(t.revoke.Error())
		}
		p.findOwner(v.f)
		v.relist()
		return nil
	})
	p.job = id
	return cmd
}
