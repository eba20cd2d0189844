package ui

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// speaker is a screen or a dialog that says in its own way what it has to say, and asks for one
// answer. Those that are no speakers are read out as they would be drawn.
type speaker interface {
	speak(t *talk) error
}

// listed is a screen with a list, which is read out row by row.
type listed interface {
	screen
	spokenRows() rows
	// above is what the screen says above the list.
	above() []string
	// inFull is everything about the row under the cursor.
	spokenRow() []string
}

// rows are what is left of a list by its filter.
type rows interface {
	count() int
	id(i int) string
	// line is a row in words.
	line(i int) string
	// choose puts the cursor on a row, if it is there.
	choose(id string) bool
	// narrow leaves those that hold a text; of a long list the stack is asked for them.
	narrow(text string) tea.Cmd
	narrowed() string
}

// rowsOf puts a list's rows into words.
type rowsOf[T any] struct {
	*list[T]

	say func(T) string
}

func (r rowsOf[T]) count() int        { return len(r.rows) }
func (r rowsOf[T]) row(i int) T       { return r.all[r.rows[i]] }
func (r rowsOf[T]) id(i int) string   { return r.list.id(r.row(i)) }
func (r rowsOf[T]) line(i int) string { return r.say(r.row(i)) }
func (r rowsOf[T]) narrowed() string  { return r.filter.value() }
func (r rowsOf[T]) choose(id string) bool {
	r.list.choose(id)
	return r.selectedID() == id
}

func (r rowsOf[T]) narrow(text string) tea.Cmd {
	r.filter.set(text)
	r.keep()
	return nil
}

// searched are rows that a stack searches.
type searched[T any] struct {
	rowsOf[T]

	search *string
	load   func() tea.Cmd
}

func (r searched[T]) narrowed() string { return *r.search }

func (r searched[T]) narrow(text string) tea.Cmd {
	*r.search = text
	return r.load()
}

// turn says what there is now, and takes one answer.
func (t *talk) turn() error {
	if n := len(t.dialogs); n > 0 {
		t.offered = ""
		return t.speakPart(t.dialogs[n-1])
	}
	if t.was != t.shown {
		if t.was = t.shown; t.shown != viewAccounts { // which one comes back to where one left it
			t.rowOf[t.shown] = ""
		}
		t.page = 0
	}
	s := t.screen()
	if v, ok := s.(listed); ok {
		return t.speakList(v)
	}
	return t.speakPart(s)
}

func (t *talk) speakPart(p part) error {
	if s, ok := p.(speaker); ok {
		return s.speak(t)
	}
	var intro []string
	switch p := p.(type) {
	case dialog:
		intro = append([]string{sentence(p.title())}, plainLines(p.view(talkWidth, talkHeight))...)
	case screen:
		intro = plainLines(strings.Split(p.view(talkWidth, talkHeight), "\n"))
	}
	return t.offer("Choose", intro, t.actions(p, func(binding) bool { return true }), func() tea.Cmd {
		if _, ok := p.(dialog); ok {
			return p.do(actCancel)
		}
		return t.goBack()
	})
}

// hasReason tells whether there is more to read than was said.
func (t *talk) hasReason() bool {
	a, ok := t.currentAccount()
	return t.shown == viewActivity || ok && a.Reason != ""
}

// goBack leaves what is shown.
func (t *talk) goBack() tea.Cmd {
	if t.screen() == t.screens[viewAccounts] {
		t.tell("This is the beginning. q quits.")
		return nil
	}
	return t.do(actBack)
}

// screenOnly are actions that make no sense without a screen.
var screenOnly = []action{
	actFilter, actSort, actReverse, actMark, actMarkAll, actUnmark, actTheme, actSuspend, actRepaint,
	actPalette, actHelp, actRespond, actReveal, actUp, actDown, actLeft, actRight, actPageUp, actPageDown, actHome, actEnd, actBack, actQuit, actCancel,
}

// aboutAll are actions that are not about the row under the cursor.
var aboutAll = []action{actSignIn, actRefreshAll, actReload, actEveryone, actBelow, actSeen, actMarkMost, actUnlock, actCreate}

// actions are the choices that a part offers beside its rows.
func (t *talk) actions(p part, want func(binding) bool) []option {
	var options []option
	for _, b := range p.bindings() {
		name := spokenName(b)
		if _, users := p.(*users); b.action == actDetails && !users { // the row was read out in full
			continue
		}
		if name == "" || b.moving || b.action == actReason && !t.hasReason() || slices.Contains(screenOnly, b.action) || !want(b) {
			continue
		}
		options = append(options, t.option(name, func() tea.Cmd { return p.do(b.action) }))
	}
	return options
}

// spokenName is what an action is called where there is no cursor and no mark.
func spokenName(b binding) string {
	switch {
	case b.action == actRevoke:
		return "Revoke it"
	case b.action == actEnable:
		return upper(b.short) + " this user"
	case b.action == actDelete:
		return "Delete this user"
	case b.action == actCopyAs:
		return "Copy it as a header, a curl command, JSON or its session"
	case b.name != "":
		return b.name
	}
	return upper(b.short)
}

// rowsAtOnce of a list are read out at once.
const rowsAtOnce = 15

// speakList reads out a list, or what there is to do with the row that was chosen of it.
func (t *talk) speakList(v listed) error {
	id, l := t.shown, v.spokenRows()
	if row := t.rowOf[id]; row != "" {
		for i := range l.count() {
			if l.id(i) == row {
				return t.speakRow(v, row, l.line(i))
			}
		}
		t.rowOf[id] = ""
	}
	from := min(t.page, max(0, l.count()-1)) / rowsAtOnce * rowsAtOnce
	to := min(l.count(), from+rowsAtOnce)
	intro := v.above()
	if text := l.narrowed(); text != "" {
		intro = append(intro, fmt.Sprintf("Only those that contain %q are read: %d.", text, l.count()))
	}
	var options []option
	ids := make([]string, 0, to-from) // as they are read out: the list may change before the answer comes
	for i := from; i < to; i++ {
		row := l.id(i)
		ids = append(ids, row)
		options = append(options, option{row, l.line(i), func() error {
			t.rowOf[id], t.offered = row, ""
			return nil
		}})
	}
	turnTo := func(label string, page int) {
		options = append(options, t.option(label, func() tea.Cmd { t.page = page; return nil }))
	}
	if to < l.count() {
		turnTo(fmt.Sprintf("Next page, from %s of %s", number(to+1), number(l.count())), to)
	}
	if from > 0 {
		turnTo("Page before", from-rowsAtOnce)
	}
	if l.count() > rowsAtOnce || l.narrowed() != "" {
		options = append(options, option{"narrow", "Read only those that contain a word", func() error {
			text, err := t.ask("Which word? (Enter: all)")
			t.page, t.offered = 0, ""
			if err == nil {
				t.run(l.narrow(strings.TrimSpace(text)))
			}
			return err
		}})
	}
	if r, ok := v.(revoker); ok && l.count() > 1 {
		options = append(options, option{"several", "Revoke several", func() error { return t.revokeSeveral(r, ids) }})
	}
	options = append(options, t.actions(v, func(b binding) bool {
		return (l.count() == 0 || slices.Contains(aboutAll, b.action)) && b.action != actMarkMost
	})...)
	options = append(options, t.everywhere(v)...)
	return t.offer(id.name(), intro, options, t.goBack)
}

// everywhere are the choices of the beginning that are about no account.
func (t *talk) everywhere(v listed) []option {
	if v != t.screens[viewAccounts] {
		return nil
	}
	var options []option
	if r := t.respond; r != nil {
		options = append(options, t.option("Show the response to the theft of "+r.acc.Name, t.openRespond))
	} else if a, n := t.alarms(); n > 0 {
		options = append(options, t.option("Respond: somebody may have a token of "+a.Name, t.openRespond))
	}
	if t.store == storeLocked {
		options = append(options, t.option("Open the locked store", func() tea.Cmd { return t.do(actUnlock) }))
	}
	options = append(options, t.option("Activity: what happened", func() tea.Cmd { return t.open(viewActivity) }))
	return append(options, t.option("Quit", func() tea.Cmd { t.leave(); return nil }))
}

// speakRow says everything about a row, and what can be done with it.
func (t *talk) speakRow(v listed, row, line string) error {
	v.spokenRows().choose(row)
	options := t.actions(v, func(b binding) bool { return !slices.Contains(aboutAll, b.action) })
	if v == t.screens[viewAccounts] {
		options = append(options, t.accountOptions()...)
	}
	for i, o := range options {
		options[i].do = func() error {
			if l := v.spokenRows(); !l.choose(row) { // the list has changed since
				t.tell("It is not listed any more.")
				return nil
			}
			return o.do()
		}
	}
	name, _, _ := strings.Cut(line, ",")
	name, _, _ = strings.Cut(name, ":")
	if t.shown == viewActivity {
		name = "Entry"
	}
	return t.offer(name, v.spokenRow(), options, func() tea.Cmd { t.rowOf[t.shown] = ""; return nil })
}

// revoker is a list whose rows can be revoked together.
type revoker interface {
	listed
	mark(ids []string)
	markMost()
}

// revokeSeveral asks which, and then as the screen does.
func (t *talk) revokeSeveral(v revoker, rows []string) error {
	answer, err := t.ask("Which? Numbers as read out, such as 1, 3-5; or \"others\" for all but this machine's (Enter: none):")
	if err != nil {
		return err
	}
	answer = strings.TrimSpace(answer)
	switch strings.ToLower(answer) {
	case "":
		return nil
	case "others":
		v.mark(nil)
		v.markMost()
		t.run(v.do(actRevoke))
		return nil
	}
	picked, ok := numbers(answer, len(rows))
	if !ok {
		t.tell(fmt.Sprintf("Give numbers from 1 to %d, with commas between them.", len(rows)))
		return nil
	}
	ids := make([]string, len(picked))
	for i, n := range picked {
		ids[i] = rows[n-1]
	}
	v.mark(ids)
	t.run(v.do(actRevoke))
	return nil
}
