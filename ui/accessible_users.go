package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

func (v *users) spokenRows() rows {
	return searched[userRow]{rowsOf[userRow]{&v.list, func(r userRow) string {
		s := r.name() + ": " + enabledWord(r.Enabled)
		if full := strings.TrimSpace(r.first + " " + r.last); full != "" {
			s += ", " + full
		}
		if r.email != "" && r.email != r.login {
			s += ", " + r.email
		}
		return s
	}}, &v.search, v.load}
}

func (v *users) above() []string {
	lines := v.head(talkWidth, talkHeight)
	said := plainLines(lines[:len(lines)-len(v.result.lines(v.f.st, talkWidth, talkHeight))])
	if len(v.list.all) == 0 {
		said = append(said, strings.Join(plainLines(strings.Split(v.nothing(talkWidth, talkHeight), "\n")), " "))
	}
	return said
}

func (v *users) spokenRow() []string {
	r, ok := v.list.selected()
	if !ok {
		return nil
	}
	return plainLines(v.details(r, talkWidth))
}

func (v *users) outcome() result { return v.result }
func (v *users) loading() bool   { return v.f.jobs.find(v.job) != nil }

// speak asks field by field, and last whether to go on; what is wrong is said, and asked again.
func (d *form) speak(t *talk) error {
	wrong := d.saidWrong(t)
	if !wrong {
		t.tell("")
		t.tell(sentence(d.heading) + " " + d.intro)
	}
	for d.at = 0; d.field() != nil; d.at++ { // an answer may bring others up
		x := d.field()
		if wrong && x.wrong == "" && d.wrong == "" {
			continue
		}
		if err := d.askField(t, x); err != nil {
			return err
		}
	}
	on, err := t.yes(d.button+"?", true)
	if err != nil {
		return err
	}
	if !on {
		t.run(d.do(actCancel))
		return nil
	}
	t.run(d.save())
	t.patient = d.job
	return nil
}

// saidWrong says what is wrong, and tells whether anything is.
func (d *form) saidWrong(t *talk) bool {
	wrong := d.wrong != ""
	if wrong {
		t.tell("Error: " + sayError(d.wrong))
	}
	for _, x := range d.fields {
		if x.wrong != "" {
			wrong = true
			t.tell("Error: " + x.label + ": " + sayError(x.wrong))
		}
	}
	return wrong
}

func (d *form) askField(t *talk, x *formField) error {
	switch {
	case x.isTick:
		on, err := t.yes(x.label+" "+x.note+"?", x.ticked)
		if err == nil && on != x.ticked {
			x.ticked = on
			d.changed(x)
		}
		return err
	case x.choices != nil:
		for {
			answer, err := t.ask(x.label + ": " + joinOr(x.choices) + "? (Enter: " + x.value() + ")")
			if answer = strings.TrimSpace(answer); err != nil || answer == "" {
				return err
			}
			options := make([]option, len(x.choices))
			for i, c := range x.choices {
				options[i].label = c
			}
			chosen, why := choose(options, answer)
			if chosen != nil {
				x.set(chosen.label)
				d.changed(x)
				return nil
			}
			t.tell(why)
		}
	}
	ask, question := t.ask, x.label
	has := x.value()
	switch {
	case x.in.masked:
		ask = t.askSecret
		question += " (Enter: none)"
	case has != "":
		question += " (Enter: " + has + "; a minus sign: none)"
	default:
		question += " (Enter: none)"
	}
	answer, err := ask(question + ":")
	if err != nil {
		return err
	}
	if !x.in.masked {
		answer = strings.TrimSpace(answer)
	}
	switch {
	case answer == "-" && !x.in.masked:
		x.in.wipe()
	case answer != "" || x.in.masked:
		x.in.set(answer)
	default:
		return nil
	}
	d.changed(x)
	return nil
}

// spokenThings are as many of a user's tokens, sessions, groups and policies as are read out as choices.
const spokenThings = 60

// speak reads out all that hangs on a user; what is chosen of it can be revoked, or taken away.
func (c *userCard) speak(t *talk) error {
	if c.f.jobs.find(c.job) != nil && t.patient != c.job {
		t.patient = c.job // what the stack tells comes first
		return nil
	}
	said := plainLines(c.head(talkWidth))
	if c.err != nil {
		said = append(said, sayError(clean(c.err.Error())))
	}
	var options []option
	for g, gr := range c.list.groups {
		said = append(said, gr.title+": "+number(len(gr.items)))
		for i, it := range gr.items {
			if len(options) == spokenThings {
				break
			}
			label := gr.title + ", " + it.text
			if it.note != "" {
				label += ", " + it.note
			}
			options = append(options, option{label, label, func() error { t.run(c.things[g][i]()); return nil }})
		}
	}
	options = append(options, t.actions(c, func(b binding) bool { return b.action != actRevoke })...)
	return t.offer(c.title(), said, options, func() tea.Cmd { return c.do(actCancel) })
}

// speak says that there is a password, and prints it where that is wanted.
func (d *once) speak(t *talk) error {
	show := option{"print", "Print it", func() error {
		on, err := t.yes("The password is shown as text and stays where this output is kept. Print it?", false)
		if on {
			t.tell(d.secret.Reveal())
		}
		return err
	}}
	return t.offer(d.title(), []string{sentence(d.title()), "It was generated, and is kept nowhere: whoever needs it gets it now."}, []option{
		t.option("Copy it", func() tea.Cmd { return d.do(actCopy) }), show, t.option("Done with it", func() tea.Cmd { return d.do(actCancel) }),
	}, func() tea.Cmd { return d.do(actCancel) })
}
