package ui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// speak says what ends and what does not, asks what else there is to choose, and last whether to go on.
// The safe answer comes first, and is what Enter alone gives.
func (c *confirm) speak(t *talk) error {
	t.tell("")
	t.tell(sentence(c.heading))
	for _, it := range c.items {
		t.tell(sayItem(it))
	}
	for _, it := range c.kept {
		t.tell("Left alone: " + sayItem(it))
	}
	for _, p := range c.text {
		t.tell(strings.TrimPrefix(p, "! "))
	}
	if c.check != "" {
		if len(c.also) > 0 {
			t.tell("There is a further choice: " + c.check + ".")
			for _, it := range c.also {
				t.tell(sayItem(it))
			}
		}
		on, err := t.yes(upper(c.check)+"?", c.checked)
		if err != nil {
			return err
		}
		c.checked = on
	}
	if c.yes == "" {
		_, err := t.ask(c.no + ": Enter.")
		t.run(c.answer(false))
		return err
	}
	if c.word != "" {
		answer, err := t.ask(fmt.Sprintf("%s? Type %s to do it (Enter: %s):", c.label(), c.word, strings.ToLower(c.no)))
		if err != nil {
			return err
		}
		c.typed.set(strings.TrimSpace(answer))
		t.run(c.answer(c.matches()))
		return nil
	}
	t.tell("1. " + c.no)
	t.tell("2. " + c.label())
	for {
		answer, err := t.ask("1 or 2 (Enter: 1):")
		if err != nil {
			return err
		}
		chosen, why := choose([]option{{label: c.no}, {label: c.label()}}, strings.TrimSpace(answer))
		switch {
		case strings.TrimSpace(answer) == "" || strings.EqualFold(strings.TrimSpace(answer), "b"):
			t.run(c.answer(false))
			return nil
		case chosen != nil:
			t.run(c.answer(chosen.label == c.label()))
			return nil
		}
		t.tell(why)
	}
}

func sayItem(it confirmItem) string {
	if it.note == "" {
		return sentence(it.name)
	}
	return sentence(it.name + ": " + it.note)
}

// speak waits for the keyring, or for a person who has enough of waiting.
func (k *keyringWait) speak(t *talk) error {
	t.tell(sentence(k.heading) + " " + strings.Join(k.text, " "))
	_, err := t.askUntil(k.no+": Enter. It goes on by itself when the keyring answers.", func() bool { return t.top() != part(k) })
	if err == nil && t.top() == part(k) {
		t.run(k.answer(false))
	}
	return err
}

func (m *menu) speak(t *talk) error {
	options := make([]option, len(m.choices))
	for i, c := range m.choices {
		label := c.name
		if c.key != "" {
			label += ", " + c.key
		}
		options[i] = t.option(label, func() tea.Cmd { m.f.close(m); return c.do() })
	}
	return t.offer(m.heading, []string{sentence(m.heading)}, options, func() tea.Cmd { return m.do(actCancel) })
}

func (c *card) speak(t *talk) error {
	t.tell("")
	t.tell(sentence(c.heading))
	for _, l := range plainLines(c.lines(talkWidth)) {
		t.tell(l)
	}
	if c.again == nil {
		c.f.close(c)
		return nil
	}
	again, err := t.yes("Try again?", false)
	if err != nil {
		return err
	}
	if again {
		t.run(c.do(actRetry))
	} else {
		t.run(c.do(actCancel))
	}
	return nil
}

func (p *prompt) speak(t *talk) error {
	t.tell(sentence(p.heading) + " " + p.text)
	question := "Answer (Enter: leave it):"
	if now := p.typed.value(); now != "" {
		question = "Answer (Enter: leave it at " + now + "; a minus sign: none):"
	}
	answer, err := t.ask(question)
	if err != nil {
		return err
	}
	switch answer = strings.TrimSpace(answer); answer {
	case "":
		t.run(p.do(actCancel))
		return nil
	case "-":
		answer = ""
	}
	p.typed.set(answer)
	t.run(p.do(actChoose))
	return nil
}

func (d *failures) speak(t *talk) error {
	intro := append(make([]string, 0, 1+len(d.failed)), sentence(d.title()))
	var options []option
	for i, it := range d.failed {
		intro = append(intro, clean(it.label)+": "+sayError(clean(it.err.Error())))
		options = append(options, t.option("Try again: "+clean(it.label), func() tea.Cmd { d.cursor = i; return d.do(actRetry) }))
	}
	options = append(options, t.option("All of them again", func() tea.Cmd { return d.do(actRetryAll) }),
		t.option("Close", func() tea.Cmd { return d.do(actCancel) }))
	return t.offer("Choose", intro, options, func() tea.Cmd { return d.do(actCancel) })
}

func (p *passphrase) speak(t *talk) error {
	if p.ask.req.Reason != "" {
		t.tell(sentence(upper(p.ask.req.Reason)))
	}
	if p.ask.req.New {
		t.tell("It encrypts the accounts on this machine. Nobody can tell you if you forget it.")
	}
	for i := range p.typed {
		question := p.title() + " (Enter: leave it locked):"
		if i == 1 {
			if !p.ask.req.New {
				break
			}
			question = "The same again:"
		}
		answer, err := t.askSecret(question)
		if err != nil {
			return err
		}
		if answer == "" {
			t.run(p.do(actCancel))
			return nil
		}
		p.typed[i].set(answer)
	}
	if p.ask.req.New && p.typed[0].value() != p.typed[1].value() {
		t.tell("The two are not the same.")
		p.typed[0].wipe()
		p.typed[1].wipe()
		return nil
	}
	p.at = 1
	t.run(p.do(actChoose))
	return nil
}

func (d *pasteDialog) speak(t *talk) error {
	t.tell("An access token or a refresh token. wakey looks whether an account here holds it; if none does, " + d.stack +
		" is asked, and no other stack. Asking does not use it up, and it is never shown.")
	for {
		answer, err := t.askSecret("The token (Enter: none):")
		if err != nil {
			return err
		}
		if strings.TrimSpace(answer) == "" {
			t.run(d.do(actCancel))
			return nil
		}
		d.in.wipe()
		d.in.insert(tokenIn(answer))
		t.run(d.do(actChoose))
		if d.wrong == "" {
			return nil
		}
		t.tell("Error: " + d.wrong)
		d.wrong = ""
	}
}

func (d *tryDialog) speak(t *talk) error {
	for _, p := range d.story() {
		t.tell(p)
	}
	answer, err := t.ask("client_id, such as wakey-laptop-3fa9c1d2 (Enter: leave it):")
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) == "" {
		t.run(d.do(actCancel))
		return nil
	}
	d.in.set(strings.TrimSpace(answer))
	t.run(d.do(actChoose))
	if d.wrong != "" {
		t.tell("Error: " + d.wrong)
	}
	return nil
}

// speak asks what the token may do, and says what its list and what the stack say.
func (d *mayDialog) speak(t *talk) error {
	if d.asked != "" { // the stack has answered
		local, deciding := d.byList(d.asked)
		for _, l := range d.listWords(local, deciding, talkWidth) {
			t.tell("By its list: " + plainWords(l))
		}
		for _, l := range d.stackWords(talkWidth) {
			t.tell("The stack: " + plainWords(l))
		}
		if d.differs(local) {
			t.tell("The two differ, and the stack's word counts.")
		}
	}
	answer, err := t.ask("May the token of " + d.name + " do what? A permission such as auth.users.me.sessions.read (Enter: close):")
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) == "" {
		t.run(d.do(actCancel))
		return nil
	}
	d.text.set(strings.TrimSpace(answer))
	t.run(d.do(actChoose))
	t.patient = d.job
	return nil
}
