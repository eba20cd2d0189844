package ui

import (
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"wakey/session"
)

func (v *accounts) spokenRows() rows {
	return accountRows{rowsOf[session.Account]{&v.list, func(a session.Account) string { return sayAccount(a, v.f.now) }}, v}
}

// accountRows are accounts; the one that is chosen becomes the one that the views are about.
type accountRows struct {
	rowsOf[session.Account]

	v *accounts
}

func (r accountRows) choose(id string) bool {
	ok := r.rowsOf.choose(id)
	r.v.follow()
	return ok
}

func (v *accounts) above() []string {
	if n := len(v.f.accounts); n > 0 {
		return []string{plural(n, "account") + "."}
	}
	if v.f.store == storeLocked {
		return []string{"The store is locked."}
	}
	return []string{"No account yet. Sign in to a Wazo stack, and wakey keeps you signed in from then on."}
}

func (v *accounts) spokenRow() []string {
	a, ok := v.list.selected()
	if !ok {
		return nil
	}
	said := []string{sayAccount(a, v.f.now) + "."}
	if a.Reason != "" {
		said = append(said, sayError(upper(a.Reason)))
	}
	return append(said, sayFacts(v.facts(a))...)
}

func sayFacts(facts []fact) []string {
	said := make([]string, 0, len(facts))
	for _, f := range facts {
		text := strings.Trim(strings.ReplaceAll(f.text, "\n", ", ")+", "+f.note, ", ")
		if f.label != "" {
			text = f.label + ": " + text
		}
		said = append(said, text)
	}
	return said
}

// accountOptions are the choices of an account that the screen has a view or a key for.
func (t *talk) accountOptions() []option {
	a, ok := t.currentAccount()
	if !ok {
		return nil
	}
	show := option{"print", "Print the access token", func() error { return t.printToken(a) }}
	return []option{
		show,
		t.option("Users of its stack", func() tea.Cmd { return t.open(viewUsers) }),
		t.option("Somebody else has a token of it", func() tea.Cmd { return t.respondTo(a) }),
	}
}

// printToken prints an account's access token, once the person knows where it stays.
func (t *talk) printToken(a session.Account) error {
	if cmd, ok := t.ready(); !ok {
		t.run(cmd)
		return nil
	}
	on, err := t.yes("The token is shown as text and stays where this output is kept. Print it?", false)
	if err != nil || !on {
		return err
	}
	mgr := t.mgr
	_, cmd := start(t.frame, "getting the token of "+a.Name, func(ctx context.Context) (session.Access, error) {
		return mgr.Token(ctx, a.ID, copyMinValid)
	}, func(access session.Access, err error) tea.Cmd {
		if err != nil {
			return t.fail("nothing was printed", err)
		}
		t.tell(access.Token.Reveal())
		return nil
	})
	t.run(cmd)
	return nil
}

func (v *remote[T]) above() []string {
	lines := v.head(talkWidth, talkHeight)
	said := plainLines(lines[:len(lines)-len(v.result.lines(v.f.st, talkWidth, talkHeight))])
	if len(v.list.all) == 0 {
		body := strings.Split(v.nothing(talkWidth, talkHeight), "\n")[len(lines):]
		said = append(said, strings.Join(plainLines(body), " "))
	}
	return said
}

// outcome is what a revocation came to. It is said once.
func (v *remote[T]) outcome() result { return v.result }

// loading tells whether the list is being asked for, also where the screen need not say so.
func (v *remote[T]) loading() bool { return v.f.jobs.find(v.job) != nil }

func (v *remote[T]) spokenRow() []string {
	t, ok := v.list.selected()
	if !ok {
		return nil
	}
	return plainLines(v.details(t, talkWidth))
}

func (v *remote[T]) mark(ids []string) {
	clear(v.list.marks)
	for _, id := range ids {
		v.list.marks[id] = true
	}
}

func (v *remote[T]) markMost() { v.list.markAll(func(t T) bool { return !v.ours(t) }) }

func (v *refreshTokens) spokenRows() rows {
	r := rowsOf[tokenRow]{&v.list, func(t tokenRow) string {
		s := t.name + ": " + v.itemNote(t)
		if t.Mobile {
			s += ", mobile"
		}
		if t.never {
			s += ", can't be revoked"
		}
		return s
	}}
	if v.partial() || v.search != "" {
		return searched[tokenRow]{r, &v.search, v.load}
	}
	return r
}

func (v *sessions) spokenRows() rows {
	return rowsOf[sessionRow]{&v.list, func(r sessionRow) string {
		s := "session " + head8(r.name) + ": " + v.itemNote(r)
		if !r.until.IsZero() {
			s += ", expires in " + longSpan(r.until.Sub(v.f.now))
		}
		if r.Mobile {
			s += ", mobile"
		}
		return s
	}}
}

// head8 is as much of a uuid as anybody listens to.
func head8(uuid string) string {
	first, _, _ := strings.Cut(uuid, "-")
	return cut(first, 12)
}

func (v *activity) spokenRows() rows {
	return rowsOf[happening]{&v.list, func(h happening) string {
		s := age(v.f.now, h.Time)
		if h.Name != "" {
			s += ", " + h.Name
		}
		if h.Level != session.Info {
			s += ", " + levelWord(h.Level)
		}
		return s + ": " + h.Text
	}}
}

func (v *activity) above() []string {
	if len(v.all) == 0 {
		return plainLines(strings.Split(v.view(talkWidth, talkHeight), "\n"))
	}
	said := []string{"What happened, the newest first: " + plural(len(v.all), "entry") + "."}
	if len(v.all) != 1 {
		said[0] = "What happened, the newest first: " + number(len(v.all)) + " entries."
	}
	if v.logErr != "" {
		said = append(said, sayError(v.logErr))
	}
	return said
}

func (v *activity) spokenRow() []string {
	h, ok := v.list.selected()
	if !ok {
		return nil
	}
	return plainLines(v.inFull(h).lines(talkWidth))
}

// speak says what is known of the token, and offers its permissions and what can be asked about it.
func (v *inspector) speak(t *talk) error {
	var intro []string
	if v.pasted != nil {
		intro = append(intro, "The pasted token: "+plainWords(v.pastedWord())+".")
	} else if a, ok := v.f.currentAccount(); ok {
		intro = append(intro, sayAccount(a, v.f.now)+".")
	}
	if v.told() == nil {
		what, next := v.instead()
		intro = append(intro, what, next)
	}
	for _, s := range v.sections() {
		intro = append(intro, sayFacts(s.facts)...)
	}
	var options []option
	if v.listed() {
		name, count := v.listTitle()
		options = append(options, option{"list", "Read the list: " + name + ", " + count, func() error { return t.readGroups(&v.list) }})
	}
	options = append(options, t.actions(v, func(b binding) bool { return b.action != actReason || v.err != "" })...)
	return t.offer("Inspector", slices.DeleteFunc(intro, func(s string) bool { return s == "" }), options, func() tea.Cmd { return v.do(actBack) })
}

// readGroups reads out the items that contain a word, group by group.
func (t *talk) readGroups(g *grouped) error {
	word, err := t.ask("Read only those that contain a word? Type it (Enter: all):")
	if err != nil {
		return err
	}
	g.filter.set(word)
	g.apply("")
	defer g.endFilter()
	if g.found == 0 {
		t.tell("None contains that.")
		return nil
	}
	for _, r := range g.rows {
		gr := g.groups[r.group]
		if r.item < 0 {
			t.tell(upper(gr.title) + ", " + number(r.count) + ":")
			continue
		}
		it := gr.items[r.item]
		text := it.text
		if it.note != "" {
			text += ", " + it.note
		}
		t.tell(text)
	}
	return nil
}

// speak asks field by field; what is wrong with one is said, and that one asked again.
func (v *signIn) speak(t *talk) error {
	t.offered = ""
	ask := []field{fieldStack, fieldLogin, fieldPassword, fieldName, fieldLifetime, fieldStay}
	if len(v.wrong) == 0 {
		t.tell("Sign in to a Wazo stack. The password is not kept. b at the stack goes back.")
	} else {
		ask = v.wrongFields(t)
	}
	for _, at := range ask {
		if back, err := v.askField(t, at); err != nil || back {
			return err
		}
	}
	clear(v.wrong)
	t.run(v.submit())
	return nil
}

// wrongFields says what is wrong, and gives the fields that have to be asked for again.
func (v *signIn) wrongFields(t *talk) []field {
	var again []field
	for at := range fieldCount {
		if why := v.wrong[at]; why != "" {
			t.tell("Error: " + sayError(why))
			if at < fieldStay {
				again = append(again, at)
			}
		}
	}
	// A password that was refused is wiped, and the only thing to change when all of it is wrong.
	if !slices.Contains(again, fieldPassword) && (len(again) == 0 || len(v.inputs[fieldPassword].text) == 0) {
		again = append(again, fieldPassword)
	}
	return again
}

// askField asks for a field. What it holds is kept with Enter alone; without anything to keep that goes
// back.
func (v *signIn) askField(t *talk, at field) (back bool, err error) {
	if at == fieldStay {
		v.stay, err = t.yes("Stay signed in with a refresh token?", v.stay)
		return false, err
	}
	question, has := [...]string{
		"Stack, its host name or address", "User name or e-mail", "Password", "Name of the account here", "Lifetime of access tokens",
	}[at], v.inputs[at].value()
	if at == fieldName && has == "" {
		has = v.suggestion()
	}
	if at == fieldPassword {
		has = ""
	}
	if has != "" {
		question += " (Enter: " + has + ")"
	}
	ask := t.ask
	if at == fieldPassword {
		ask = t.askSecret
	}
	answer, err := ask(question + ":")
	if err != nil {
		return false, err
	}
	if at != fieldPassword {
		answer = strings.TrimSpace(answer)
	}
	switch {
	case answer == "" && has == "", at == fieldStack && strings.EqualFold(answer, "b"):
		t.run(v.do(actBack))
		return true, nil
	case answer == "":
		answer = has
	}
	v.inputs[at].set(answer)
	return false, nil
}
