package ui

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
	"wakey/session"
)

// pastedKind is what a pasted token turned out to be.
type pastedKind int

const (
	pastedUnasked pastedKind = iota // the stack is being asked, or could not be
	pastedAccess                    // a living access token
	pastedOurs                      // the refresh token of an account here
	pastedUnknown                   // no living access token
	pastedRefresh                   // a refresh token: it was tried
)

// pasted is a token that somebody pasted. It is never shown, and forgotten when the view is left.
type pasted struct {
	token    api.Secret
	asked    session.Account // whose stack is asked
	kind     pastedKind
	owner    session.Account // whose it is, if he has an account here
	held     bool            // the owner's account holds this very token
	in       *inspected      // an access token; of a refresh token the one that it made
	clientID string          // of a refresh token that was tried
	err      string          // why the stack could not tell
	note     string          // what went on
	job      jobID
}

// openPaste asks for a token, or shows what was pasted straight into the view: only enter sends
// it anywhere.
func (v *inspector) openPaste(content string) tea.Cmd {
	if cmd, ok := v.f.ready(); !ok {
		return cmd
	}
	acc, ok := v.f.currentAccount()
	if !ok {
		return v.f.say(toastInfo, "sign in first: the stack to ask is an account's")
	}
	d := &pasteDialog{f: v.f, stack: hostOf(acc), then: func(token api.Secret) tea.Cmd { return v.takePasted(acc, token) }}
	d.in.masked = true
	d.in.insert(tokenIn(content))
	v.f.push(d)
	return nil
}

// openPasteFor asks for a token to compare with.
func (v *inspector) openPasteFor(in *inspected) tea.Cmd {
	acc, ok := v.f.currentAccount()
	if !ok {
		return nil
	}
	d := &pasteDialog{f: v.f, stack: hostOf(acc), then: func(token api.Secret) tea.Cmd {
		mgr := v.f.mgr
		return v.runCompare("comparing "+acc.Name+" with the pasted token", acc.Name, "the pasted token", func(ctx context.Context) (a, b []string, err error) {
			other, err := askAbout(ctx, mgr, acc.ID, token)
			if err != nil {
				return nil, nil, err
			}
			return in.ACL, other.ACL, nil
		})
	}}
	d.in.masked = true
	v.f.push(d)
	return nil
}

// askAbout asks an account's stack about any access token.
func askAbout(ctx context.Context, mgr *session.Manager, id session.ID, token api.Secret) (*inspected, error) {
	c, err := mgr.Client(id)
	if err != nil {
		return nil, err
	}
	t, err := c.GetToken(ctx, token)
	if err != nil {
		return nil, err
	}
	return inspect(id, t, time.Now()), nil
}

// takePasted finds out what a pasted token is: first here, then from the stack.
func (v *inspector) takePasted(acc session.Account, token api.Secret) tea.Cmd {
	v.forgetPasted()
	v.reset()
	p := &pasted{token: token, asked: acc}
	owner, kind := v.f.mgr.OwnerOf(token)
	if kind != session.NoKind {
		cleanAccount(&owner)
		p.owner, p.asked, p.held = owner, owner, true
	}
	v.pasted = p
	v.relist()
	if kind == session.RefreshKind {
		p.kind = pastedOurs
		return nil
	}
	return v.askPasted(p)
}

// askPasted asks the stack whether the token is a living access token. That uses nothing up and
// needs no other authentication (contract 6).
func (v *inspector) askPasted(p *pasted) tea.Cmd {
	v.f.jobs.drop(p.job)
	p.err = ""
	mgr := v.f.mgr
	id, cmd := ask(v.f, "asking "+hostOf(p.asked)+" about the pasted token", func(ctx context.Context) (*inspected, error) {
		return askAbout(ctx, mgr, p.asked.ID, p.token)
	}, func(in *inspected, err error) tea.Cmd {
		p.job = 0
		switch {
		case errors.Is(err, api.ErrTokenDead):
			p.kind = pastedUnknown
		case err != nil:
			p.err = clean(err.Error())
		default:
			p.kind, p.in = pastedAccess, in
			p.findOwner(v.f)
		}
		v.relist()
		return nil
	})
	p.job = id
	return cmd
}

// findOwner finds the account here whose user the token is of.
func (p *pasted) findOwner(f *frame) {
	if p.held {
		return
	}
	for _, a := range f.accounts {
		if a.Stack == p.asked.Stack && a.UserUUID != "" && a.UserUUID == p.in.AuthID {
			p.owner = a
			return
		}
	}
}

// forgetPasted lets go of the pasted token and of what is being asked about it.
func (v *inspector) forgetPasted() {
	if v.pasted != nil {
		v.f.jobs.drop(v.pasted.job)
		v.pasted.token = api.Secret{}
		v.pasted = nil
	}
	v.cmp = nil
	v.list.clear()
}

func (v *inspector) pastedBindings() []binding {
	var bs []binding
	switch v.pasted.kind {
	case pastedUnknown:
		bs = append(bs, binding{action: actTry, keys: []string{"enter", "x"}, short: "try as a refresh token…", name: "Try it as a refresh token: opens a session"})
	case pastedUnasked:
		bs = append(bs, binding{action: actAskNow, keys: []string{"a"}, short: "ask again", name: "Ask the stack again"})
	case pastedAccess, pastedRefresh:
		bs = append(bs,
			binding{action: actMay, keys: []string{"m", "enter"}, short: "may it…?", name: "Ask whether the token may do something"},
			binding{action: actFilter, keys: []string{"/"}, short: "filter", name: "Filter the permissions"},
			binding{action: actCompare, keys: []string{"c"}, short: "compare", name: "Compare the permissions with another token's"},
		)
	case pastedOurs:
	}
	if v.pasted.owner.ID != "" {
		bs = append(bs,
			binding{action: actTokens, keys: []string{"t"}, short: "refresh tokens", name: "List its user's refresh tokens"},
			binding{action: actSessions, keys: []string{"s"}, short: "sessions", name: "List its user's sessions"},
		)
	}
	return bs
}

// tokenForm is what every token of a stack looks like (contract 4).
var tokenForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
})

// tokenIn is the token in a pasted text: alone, in quotes, or behind the header's name.
func tokenIn(s string) string {
	s = strings.TrimSpace(s)
	s, _, _ = strings.Cut(s, "\n")
	s = strings.Trim(strings.TrimSpace(s), `"'`)
	if name, value, ok := strings.Cut(s, ":"); ok && strings.EqualFold(strings.TrimSpace(name), "X-Auth-Token") {
		s = strings.TrimSpace(value)
	}
	return s
}

// pasteDialog takes a token without showing it.
type pasteDialog struct {
	f     *frame
	stack string
	in    input
	wrong string
	then  func(api.Secret) tea.Cmd
}

func (d *pasteDialog) title() string { return "Which token is it?" }
func (d *pasteDialog) typing() bool  { return true }

func (d *pasteDialog) bindings() []binding {
	return []binding{
		{action: actChoose, keys: []string{"enter"}, short: "ask " + d.stack},
		{action: actCancel, keys: []string{"esc"}, short: "close"},
	}
}

func (d *pasteDialog) do(a action) tea.Cmd {
	switch a {
	case actCancel:
		d.in.wipe()
		d.f.close(d)
	case actChoose:
		text := tokenIn(d.in.value())
		if !tokenForm().MatchString(text) {
			d.wrong = "A token has 36 characters: hexadecimal digits in five groups. This has " + number(len([]rune(text))) + "."
			return nil
		}
		d.in.wipe()
		d.f.close(d)
		return d.then(api.NewSecret(text))
	}
	return nil
}

func (d *pasteDialog) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		if a, ok := matching(d.bindings(), msg); ok {
			return d.do(a)
		}
		d.in.update(msg)
		d.wrong = ""
	case tea.PasteMsg:
		d.in.insert(tokenIn(msg.Content))
		d.wrong = ""
	}
	return nil
}

func (d *pasteDialog) view(w, _ int) []string {
	s := d.f.st
	w = min(w, 60)
	lines := []string{d.in.view(s, w, true, "paste an access token or a refresh token"), ""}
	for _, l := range wrap(d.wrong, w) {
		lines = append(lines, s.bad.Render(l))
	}
	if d.wrong != "" {
		return lines
	}
	for _, l := range wrap("wakey looks whether an account here holds it. If none does, "+d.stack+
		" is asked, and no other stack. Asking does not use the token up; it is never shown, and forgotten when you leave.", w) {
		lines = append(lines, s.muted.Render(l))
	}
	return lines
}
