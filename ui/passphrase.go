package ui

import (
	tea "charm.land/bubbletea/v2"

	"wakey/api"
)

// passphrase asks for the passphrase of the store; of a new store twice.
type passphrase struct {
	f     *frame
	ask   askMsg
	typed [2]input
	at    int // the input with the focus
	wrong string
}

func newPassphrase(f *frame, ask askMsg) *passphrase {
	p := &passphrase{f: f, ask: ask}
	p.typed[0].masked, p.typed[1].masked = true, true
	return p
}

func (p *passphrase) title() string {
	if p.ask.req.New {
		return "A passphrase for the store"
	}
	return "The store's passphrase"
}

func (p *passphrase) typing() bool { return true }

func (p *passphrase) bindings() []binding {
	return []binding{
		{action: actChoose, keys: []string{"enter"}, short: "go on"},
		{action: actDown, keys: []string{"tab", "down", "shift+tab", "up"}},
		{action: actCancel, keys: []string{"esc"}, short: "leave it locked"},
	}
}

func (p *passphrase) do(a action) tea.Cmd {
	switch a {
	case actDown:
		if p.ask.req.New {
			p.at = 1 - p.at
		}
	case actCancel:
		p.end(api.Secret{})
	case actChoose:
		p.submit()
	}
	return nil
}

func (p *passphrase) submit() {
	switch first := p.typed[0].value(); {
	case first == "":
		p.wrong, p.at = "type a passphrase", 0
	case p.ask.req.New && p.at == 0:
		p.at = 1
	case p.ask.req.New && first != p.typed[1].value():
		p.wrong, p.at = "the two are not the same: type the second again", 1
		p.typed[1].wipe()
	default:
		p.end(api.NewSecret(first))
	}
}

// end gives the answer and wipes what was typed.
func (p *passphrase) end(s api.Secret) {
	p.typed[0].wipe()
	p.typed[1].wipe()
	p.f.close(p)
	p.f.whileOpening(storeOpening)
	p.ask.answer <- s // it has room for one
}

func (p *passphrase) update(msg tea.Msg) tea.Cmd {
	if k, ok := msg.(tea.KeyPressMsg); ok {
		if a, ok := matching(p.bindings(), k); ok {
			return p.do(a)
		}
	}
	if p.typed[p.at].update(msg) {
		p.wrong = ""
	}
	return nil
}

func (p *passphrase) view(w, _ int) []string {
	s := p.f.st
	w = min(w, 56)
	var lines []string
	if p.ask.req.Reason != "" {
		lines = append(wrap(clean(p.ask.req.Reason), w), "")
	}
	label := func(i int, text string) string {
		st := s.muted
		if i == p.at {
			st = s.accent
		}
		return st.Render(fit(text, 12)) + p.typed[i].view(s, max(1, w-12), i == p.at, "")
	}
	lines = append(lines, label(0, "Passphrase"))
	if p.ask.req.New {
		lines = append(lines, label(1, "Again"), "")
		lines = append(lines, wrap("It encrypts the accounts on this machine. Nobody can tell you if you forget it.", w)...)
	}
	if p.wrong != "" {
		lines = append(lines, "", s.bad.Render(cut(shapeDanger+" "+p.wrong, w)))
	}
	return lines
}
