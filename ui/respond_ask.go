package ui

import (
	tea "charm.land/bubbletea/v2"

	"wakey/api"
)

// secretDialog asks for a secret; with two labels twice, and both have to be the same. then gets it,
// or nothing from a person who leaves.
type secretDialog struct {
	f             *frame
	heading, text string
	hint          string
	labels        []string
	typed         [2]input
	at            int
	wrong         string
	then          func(api.Secret) tea.Cmd
}

func (d *secretDialog) title() string { return d.heading }
func (d *secretDialog) typing() bool  { return true }

func (d *secretDialog) bindings() []binding {
	return []binding{
		{action: actChoose, keys: []string{"enter"}, short: "go on"},
		{action: actDown, keys: []string{"tab", "down", "shift+tab", "up"}},
		{action: actCancel, keys: []string{"esc"}, short: "leave it out"},
	}
}

func (d *secretDialog) do(a action) tea.Cmd {
	last := len(d.labels) - 1
	switch a {
	case actDown:
		d.at = last - d.at
	case actCancel:
		return d.end(api.Secret{})
	case actChoose:
		switch first := d.typed[0].value(); {
		case first == "":
			d.wrong, d.at = "type it, or leave it out with esc", 0
		case d.at < last:
			d.at++
		case last > 0 && d.typed[1].value() != first:
			d.wrong, d.at = "the two are not the same: type the second again", 1
			d.typed[1].wipe()
		default:
			return d.end(api.NewSecret(first))
		}
	}
	return nil
}

// end wipes what was typed and gives the answer.
func (d *secretDialog) end(s api.Secret) tea.Cmd {
	d.typed[0].wipe()
	d.typed[1].wipe()
	d.f.close(d)
	return d.then(s)
}

func (d *secretDialog) update(msg tea.Msg) tea.Cmd {
	if k, ok := msg.(tea.KeyPressMsg); ok {
		if a, ok := matching(d.bindings(), k); ok {
			return d.do(a)
		}
	}
	d.typed[d.at].masked = true
	if d.typed[d.at].update(msg) {
		d.wrong = ""
	}
	return nil
}

func (d *secretDialog) view(w, _ int) []string {
	const label = 14
	s := d.f.st
	w = min(w, 60)
	lines := append(paragraph(s.text, d.text, w), "")
	for i, text := range d.labels {
		st := s.muted
		if i == d.at {
			st = s.accent
		}
		lines = append(lines, cut(st.Render(fit(text, label))+d.typed[i].view(s, max(1, w-label), i == d.at, ""), w))
	}
	if d.hint != "" {
		lines = append(lines, "")
		lines = append(lines, paragraph(s.muted, d.hint, w)...)
	}
	if d.wrong != "" {
		lines = append(lines, "", s.bad.Render(cut(shapeDanger+" "+d.wrong, w)))
	}
	return lines
}
