package ui

import (
	"fmt"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// option is a choice in a list.
type option struct {
	id    string // two lists with the same ids are the same list, whatever time has made of the labels
	label string
	do    func() error
}

func (t *talk) option(label string, do func() tea.Cmd) option {
	return option{label, label, func() error {
		t.run(do())
		return nil
	}}
}

// offer says the choices, unless they were said last, and carries out the one that is chosen. about
// names the place in the question; back is what b does.
func (t *talk) offer(about string, intro []string, options []option, back func() tea.Cmd) error {
	ids := make([]string, len(options))
	for i, o := range options {
		ids[i] = o.id
	}
	key := about + "\n" + strings.Join(ids, "\n")
	if t.offered != key {
		if t.known[key] && len(intro) > 1 {
			intro = intro[:1] // the rest was said before; ? says it again
		}
		t.offered, t.known[key] = key, true
		t.tell("")
		t.sayAside()
		for _, line := range intro {
			t.tell(line)
		}
		for i, o := range options {
			t.tell(strconv.Itoa(i+1) + ". " + o.label)
		}
	}
	t.alarm = false
	answer, err := t.askUntil(fmt.Sprintf("%s, 1 to %d:", about, len(options)), func() bool { return t.alarm }) // there is another choice then
	if err != nil {
		return err
	}
	if t.alarm {
		t.offered = "" // how it stands now is read out
	}
	switch answer = strings.TrimSpace(answer); strings.ToLower(answer) {
	case "":
		return nil
	case "?":
		t.offered = ""
		delete(t.known, key)
		t.tell("Answer with a number, or with the first letters of a choice. ? says the choices again, b goes back, q quits.")
		return nil
	case "b":
		t.offered = ""
		t.run(back())
		return nil
	case "q":
		t.offered = ""
		t.leave()
		return nil
	}
	chosen, why := choose(options, answer)
	if chosen == nil {
		t.tell(why)
		return nil
	}
	return chosen.do()
}

// choose finds the option that an answer means: its number, or the beginning of its label.
func choose(options []option, answer string) (*option, string) {
	if n, err := strconv.Atoi(strings.TrimSuffix(answer, ".")); err == nil {
		if n < 1 || n > len(options) {
			return nil, fmt.Sprintf("There is no choice %d. Answer with 1 to %d, or ? to hear the choices.", n, len(options))
		}
		return &options[n-1], ""
	}
	var found []int
	for i, o := range options {
		if strings.HasPrefix(strings.ToLower(o.label), strings.ToLower(answer)) {
			found = append(found, i)
		}
	}
	switch len(found) {
	case 0:
		return nil, "No choice begins like that. Answer with a number, or ? to hear the choices."
	case 1:
		return &options[found[0]], ""
	}
	which := make([]string, len(found))
	for i, at := range found {
		which[i] = strconv.Itoa(at + 1)
	}
	return nil, "That may be " + joinOr(which) + ". Answer with the number."
}

func joinOr(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// yes asks a question that is answered with yes or no; Enter alone is usual.
func (t *talk) yes(question string, usual bool) (bool, error) {
	hint := " yes or no (Enter: no):"
	if usual {
		hint = " yes or no (Enter: yes):"
	}
	for {
		answer, err := t.ask(question + hint)
		if err != nil {
			return false, err
		}
		switch strings.ToLower(strings.TrimSpace(answer)) {
		case "":
			return usual, nil
		case "y", "yes":
			return true, nil
		case "n", "no":
			return false, nil
		}
		t.tell("Answer yes or no.")
	}
}

// numbers reads "1, 3-5" as 1, 3, 4 and 5, each between 1 and most.
func numbers(text string, most int) (picked []int, ok bool) {
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ' ' || r == ';' }) {
		first, last, span := strings.Cut(part, "-")
		from, err := strconv.Atoi(first)
		to := from
		if span && err == nil {
			to, err = strconv.Atoi(last)
		}
		if err != nil || from < 1 || to < from || to > most {
			return nil, false
		}
		for n := from; n <= to; n++ {
			picked = append(picked, n)
		}
	}
	return picked, len(picked) > 0
}

// leave ends the talk; when work is under way that is asked first.
func (t *talk) leave() {
	if t.over = !t.jobs.busy(); !t.over {
		t.run(t.quit())
	}
}
