package ui

import (
	"context"
	"errors"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
	"wakey/session"
)

// setPassword asks for a user's new password: as the user itself with the old one, else as an administrator.
func (v *users) setPassword(u api.User) tea.Cmd {
	reset := "auth.users.password.reset." + u.UUID + ".create"
	own, mayReset := u.UUID == v.acc.UserUUID, v.may == nil || v.may(reset)
	if own && !mayReset && !v.allowed("change its password", "auth.users."+u.UUID+".password.update") || !own && !v.allowed("set the password of "+userName(u), reset) {
		return nil
	}
	d := &form{f: v.f, heading: "Set the password of " + userName(u) + " on " + hostOf(v.acc), button: "Set it", doing: "Setting it"}
	d.intro = "Its sessions end with it; stacks before 26.04 leave them. Its refresh tokens go on working, unless they are revoked too."
	ways := []string{passwordGenerated, passwordTyped}
	if own {
		ways = []string{passwordTyped, passwordGenerated}
		hint := ""
		if mayReset {
			hint = "may be left out: you may do without"
		}
		d.fields = append(d.fields, &formField{name: "old_password", label: "Old password", in: input{masked: true}, hint: hint})
	}
	d.fields = append(d.fields, passwordFields(ways...)...)
	d.fields = append(d.fields, &formField{name: "revoke", label: "Revoke", isTick: true, note: "its refresh tokens and sessions too", apart: true})
	d.submit = func() tea.Cmd { return v.submitPassword(d, u, own, mayReset) }
	v.f.push(d)
	return nil
}

func (v *users) submitPassword(d *form, u api.User, own, mayReset bool) tea.Cmd {
	var old api.Secret
	if own {
		at := d.named("old_password")
		if len(at.in.text) == 0 && !mayReset {
			at.wrong = "the old password is missing"
			d.focusWrong()
			return nil
		}
		old = api.NewSecret(at.in.value())
	}
	fresh, ok := d.newPassword()
	if !ok {
		return nil
	}
	mgr, sc, revoke := v.f.mgr, v.scope, d.named("revoke").ticked
	generated := d.named("way").value() == passwordGenerated
	type outcome struct {
		ended session.Ended
		left  int
	}
	return startForm(d, "setting the password of "+userName(u), func(ctx context.Context) (o outcome, err error) {
		if err := mgr.SetUserPassword(ctx, sc.acc, u, old, fresh); err != nil {
			return o, err
		}
		if revoke {
			if o.ended, err = mgr.EndAccess(ctx, sc.acc, u, session.Ending{Tokens: true, Sessions: true}); err != nil {
				o.ended.Left = append(o.ended.Left, err)
			}
			return o, nil
		}
		if details, err := mgr.UserDetails(ctx, sc.acc, u.UUID); err == nil {
			o.left = len(details.Tokens)
		}
		return o, nil
	}, func(_ outcome, err error) bool {
		if !errors.Is(err, api.ErrBadCredentials) {
			return false
		}
		at := d.named("old_password")
		at.in.wipe()
		at.wrong = "the old password is wrong"
		d.focusWrong()
		return true
	}, func(o outcome) tea.Cmd {
		if generated {
			v.f.push(newOnce(v.f, userName(u), fresh))
		}
		res := v.withEnded(userName(u)+" has a new password", o.ended)
		if o.left > 0 {
			res.text += "; " + plural(o.left, "refresh token") + " of it still listed" + v.f.hint(": enter, then X revokes")
		}
		return v.over(sc, res)
	})
}

// once shows a generated password for the only time.
type once struct {
	bare

	f      *frame
	whose  string
	secret api.Secret
	open   bool
}

func newOnce(f *frame, whose string, secret api.Secret) *once {
	return &once{f: f, whose: whose, secret: secret}
}

func (d *once) title() string { return "The password of " + d.whose }

func (d *once) bindings() []binding {
	word := "show it"
	if d.open {
		word = "hide it"
	}
	return []binding{
		{action: actCopy, keys: []string{"y"}, short: "copy it"},
		{action: actReveal, keys: []string{"v"}, short: word},
		{action: actCancel, keys: []string{"esc", "q"}, show: "esc", short: "done with it"},
	}
}

func (d *once) do(a action) tea.Cmd {
	switch a {
	case actCopy:
		secret := d.secret
		return d.f.copySecret("copying the password", "the password of "+d.whose, func(context.Context) (text, token api.Secret, err error) {
			return secret, secret, nil
		})
	case actReveal:
		d.open = !d.open
	case actCancel:
		d.secret = api.Secret{}
		d.f.close(d)
	}
	return nil
}

func (d *once) view(w, _ int) []string {
	s := d.f.st
	w = min(w, 60)
	text := "•••••-•••••-•••••-•••••"
	if d.open {
		text = d.secret.Reveal()
	}
	lines := paragraph(s.text, "It was generated, and is kept nowhere: whoever needs it gets it now.", w)
	return append(lines, "", s.strong.Render(cut(text, w)))
}
