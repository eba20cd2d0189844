package ui

import (
	"fmt"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"wakey/session"
)

// respondTo begins with a plan for an account, or shows the response that is under way.
func (t *talk) respondTo(a session.Account) tea.Cmd {
	if t.respond != nil {
		return t.openRespond()
	}
	if cmd, ok := t.ready(); !ok {
		return cmd
	}
	r := &respond{f: t.frame, acc: a}
	t.cover(r)
	return r.look(nil)
}

// speak reads out the plan, what is under way, or what came of it, and offers what can be done.
func (r *respond) speak(t *talk) error {
	if r.phase == respondPlanned {
		return r.speakPlan(t)
	}
	var said []string
	switch r.phase {
	case respondRunning, respondOver:
		r.layout(talkWidth, talkHeight)
		said = r.read(r.page.lines)
	case respondLooking, respondStuck, respondPlanned:
		said = plainLines(strings.Split(r.view(talkWidth, talkHeight), "\n"))
	}
	return t.offer("Response", said, t.actions(r, func(binding) bool { return true }), func() tea.Cmd { return r.do(actBack) })
}

// read is a page, line by line: what ends is said to end.
func (r *respond) read(lines []pageLine) []string {
	var said []string
	for _, l := range lines {
		if l.item == nil {
			if text := plainWords(l.text); text != "" {
				said = append(said, text)
			}
			continue
		}
		text := l.item.name
		switch {
		case l.item.harm:
			text = "Ends: " + text
		case l.item.shape == "✓":
			text = "Done: " + text
		case l.item.shape == "–":
			text = "Left out: " + text
		case l.item.shape == "○":
			text = "Not begun: " + text
		}
		text = strings.Replace(strings.Replace(text, "[x] ", "", 1), "[ ] ", "not chosen: ", 1)
		if l.item.note != "" {
			text += ": " + l.item.note
		}
		if n, err := strconv.Atoi(l.item.shape); err == nil {
			text = fmt.Sprintf("Step %d: %s", n, text)
		}
		said = append(said, text)
	}
	return said
}

func (r *respond) speakPlan(t *talk) error {
	lines := r.planPage(talkWidth)
	options := []option{
		t.option("Not now", func() tea.Cmd { return r.do(actBack) }),
		{"begin", "Begin: end " + r.ends(), func() error {
			on, err := t.yes("Begin, and end "+r.ends()+"?", false)
			if on {
				t.run(r.begin())
			}
			return err
		}},
	}
	var tokens []*session.PlannedToken
	for _, l := range lines {
		if l.item != nil && l.item.token != nil {
			tokens = append(tokens, l.item.token)
		}
	}
	if len(tokens) > 0 {
		options = append(options, option{"keep", "Keep one that would end, or end one that would be kept", func() error { return r.askTurn(t, tokens) }})
	}
	options = append(options, t.actions(r, func(b binding) bool { return b.action != actChoose && b.action != actKeepIt })...)
	t.known = map[string]bool{} // a plan that was changed is read out again
	return t.offer("Plan", r.read(lines), options, func() tea.Cmd { return r.do(actBack) })
}

// askTurn asks which refresh token is to be kept, or to end after all.
func (r *respond) askTurn(t *talk, tokens []*session.PlannedToken) error {
	for i, token := range tokens {
		t.tell(fmt.Sprintf("%d. %s: %s", i+1, shortText(token.ClientID), token.Why))
	}
	answer, err := t.ask(fmt.Sprintf("Which, 1 to %d? (Enter: none)", len(tokens)))
	if err != nil {
		return err
	}
	if picked, ok := numbers(answer, len(tokens)); ok {
		for _, n := range picked {
			r.turn(tokens[n-1])
		}
		t.offered = ""
	}
	return nil
}

// saySteps says how far a response is, step by step.
func (t *talk) saySteps() {
	r := t.respond
	if r == nil || r.phase != respondRunning {
		t.steps = nil
		return
	}
	if t.steps == nil {
		t.steps = map[session.StepName]session.StepState{}
	}
	for _, s := range r.in.Steps {
		if t.steps[s.Name] == s.State || s.State == session.Pending || s.State == session.Running {
			continue
		}
		t.steps[s.Name] = s.State
		t.tell(sentence(upper(stepWord(s.Name)) + ", " + string(s.State) + ": " + clean(s.Text)))
	}
}

// sayAside says the last of what else goes on.
func (t *talk) sayAside() {
	if n := len(t.aside.Lines); n > 0 {
		t.tell("Meanwhile, the demo's thief: " + t.aside.Lines[n-1].Text)
	}
}

// speak asks for the secret, and for one that is set twice.
func (d *secretDialog) speak(t *talk) error {
	t.tell(sentence(d.heading) + " " + d.text)
	if d.hint != "" {
		for line := range strings.Lines(d.hint) {
			t.tell(line)
		}
	}
	for {
		question := d.labels[d.at]
		if d.at == 0 {
			question += " (Enter: leave it out)"
		}
		answer, err := t.askSecret(question + ":")
		if err != nil {
			return err
		}
		if answer == "" && d.at == 0 {
			t.run(d.do(actCancel))
			return nil
		}
		d.typed[d.at].set(answer)
		last := d.at == len(d.labels)-1
		d.wrong = ""
		t.run(d.do(actChoose))
		if d.wrong != "" {
			t.tell("Error: " + d.wrong + ".")
		} else if last {
			return nil
		}
	}
}
