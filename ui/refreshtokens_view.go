package ui

import (
	"context"

	"charm.land/lipgloss/v2"

	tea "charm.land/bubbletea/v2"
)

// tokenDetails tell everything about a refresh token.
func (v *refreshTokens) tokenDetails(t tokenRow, w int) []string {
	s := v.f.st
	shape, st := t.whose.look(s)
	lines := []string{spread(s.strong.Render(cutMiddle(t.name, max(8, w-18))), st.Render(shape+" "+v.whoseText(t)), w), ""}
	lines = append(lines, paragraph(s.text, v.whoseStory(t), w)...)
	lines = append(lines, "")
	lines = append(lines, labelled(s, "client_id", t.name, w)...)
	lines = append(lines, labelled(s, "made", age(v.f.now, t.CreatedAt), w)...)
	if !t.CreatedAt.IsZero() {
		lines = append(lines, labelled(s, "", exact(t.CreatedAt), w)...)
	}
	lines = append(lines, labelled(s, "user", t.user, w)...)
	if uuid := clean(t.UserUUID); uuid != t.user && width(uuid)+detailLabel <= w {
		lines = append(lines, labelled(s, "", uuid, w)...)
	}
	kind := "an ordinary client"
	if t.Mobile {
		kind = "mobile: the next mobile sign-in of this user ends it, with its sessions"
	}
	lines = append(lines, labelled(s, "client", kind, w)...)
	if t.why != "" {
		lines = append(lines, "")
		lines = append(lines, paragraph(s.warn, whatHelps("It", t.why, t.never), w)...)
	}
	return lines
}

// whoseStory says how it is known whose a refresh token is, and what to do about it.
func (v *refreshTokens) whoseStory(t tokenRow) string {
	switch t.whose {
	case whoseNew:
		return "It was not there when the findings were last seen, no account of this machine has it, and nobody has labelled it." + v.f.hint(" x revokes it; l labels it if it is yours.")
	case whoseLeft:
		return "A sign-in of this machine was cut off before its answer came: nobody holds this one." + v.f.hint(" x revokes it.")
	case whoseKnown:
		return "Labelled " + t.label + " on this machine."
	case whoseOurs:
		return "The account " + t.account + " of this machine holds it."
	case whoseThis:
		return "This machine holds it, in the account " + t.account + "." + v.f.hint(" L in the accounts signs out properly.")
	case whoseOtherNew:
		return "Made since these were last looked at, by a user whom no account of this machine belongs to." + v.f.hint(" l labels it if you know it.")
	case whoseOther:
		return "It is of a user whom no account of this machine belongs to." + v.f.hint(" l labels it if you know it.")
	case whoseUnknown:
	}
	return "No account of this machine has it, and nobody has labelled it." + v.f.hint(" x revokes it; l labels it if it is yours.")
}

// whatHelps says what can be done about a refresh token that is not simply revoked
// (contract 5, 7.3).
func whatHelps(name, why string, never bool) string {
	if never {
		return name + " can't be revoked: " + why + ". What helps: deleting the user, or renaming it, which makes its refresh tokens useless though they stay listed."
	}
	return upper(why) + ". The list afterwards tells."
}

// detailLabel is how wide labels are.
const detailLabel = 11

// labelled is a label and a text of any length.
func labelled(s *styles, label, text string, w int) []string {
	lines := wrap(text, max(1, w-detailLabel))
	for i, l := range lines {
		lines[i] = s.muted.Render(fit(label, detailLabel)) + s.text.Render(l)
		label = ""
	}
	return lines
}

// paragraph wraps plain text in one style.
func paragraph(st lipgloss.Style, text string, w int) []string {
	lines := wrap(text, max(1, w))
	for i, l := range lines {
		lines[i] = st.Render(l)
	}
	return lines
}

// askLabel asks whose a refresh token is. An empty answer takes the label away.
func (v *refreshTokens) askLabel(t tokenRow) tea.Cmd {
	if cmd, ok := v.f.ready(); !ok {
		return cmd
	}
	p := &prompt{f: v.f, heading: "Whose is " + cutMiddle(t.name, 30) + "?", hint: "my phone, CI of the web team…"}
	p.text = "Whoever labels a client vouches for it: it is not told as unknown any more."
	if t.label != "" {
		p.typed.set(t.label)
		p.text += " Without a label it is unknown again."
	}
	mgr, id := v.f.mgr, v.scope.acc
	p.then = func(label string) tea.Cmd {
		_, cmd := start(v.f, "keeping the label", func(context.Context) (struct{}, error) {
			return struct{}{}, mgr.LabelOf(id, t.UserUUID, t.ClientID, label)
		}, func(_ struct{}, err error) tea.Cmd {
			if err != nil {
				return v.f.fail("the label was not kept", err)
			}
			return v.load()
		})
		return cmd
	}
	v.f.push(p)
	return nil
}

// prompt asks for one line of text.
type prompt struct {
	f             *frame
	heading, text string
	hint          string
	typed         input
	then          func(string) tea.Cmd
}

func (p *prompt) title() string { return p.heading }
func (p *prompt) typing() bool  { return true }

func (p *prompt) bindings() []binding {
	return []binding{
		{action: actChoose, keys: []string{"enter"}, short: "keep"},
		{action: actCancel, keys: []string{"esc"}, short: "leave it"},
	}
}

func (p *prompt) do(a action) tea.Cmd {
	p.f.close(p)
	if a == actChoose {
		return p.then(p.typed.value())
	}
	return nil
}

func (p *prompt) update(msg tea.Msg) tea.Cmd {
	if k, ok := msg.(tea.KeyPressMsg); ok {
		if a, ok := matching(p.bindings(), k); ok {
			return p.do(a)
		}
	}
	p.typed.update(msg)
	return nil
}

func (p *prompt) view(w, _ int) []string {
	w = min(w, 56)
	lines := paragraph(p.f.st.text, p.text, w)
	return append(lines, "", p.typed.view(p.f.st, w, true, p.hint))
}
