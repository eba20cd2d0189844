package ui

import (
	"context"
	"errors"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
)

// formField is a place of a form: a text to type, one of some choices, or a switch.
type formField struct {
	name    string // as the stack calls it in its refusals
	label   string
	in      input
	choices []string // what space goes through; nil: it is no choice
	choice  int
	isTick  bool
	ticked  bool
	hint    string      // in an empty text
	note    string      // behind a switch
	hidden  func() bool // nil: never
	apart   bool        // a blank line before it
	wrong   string
}

// value is what was typed or chosen.
func (d *formField) value() string {
	if d.choices != nil {
		return d.choices[d.choice]
	}
	return strings.TrimSpace(d.in.value())
}

// set puts a value in. A choice that is not among the others is added: a stack may have more than are known.
func (d *formField) set(value string) {
	if d.choices == nil {
		d.in.set(value)
		return
	}
	if d.choice = slices.Index(d.choices, value); d.choice < 0 {
		d.choices = append(slices.Clone(d.choices), value)
		d.choice = len(d.choices) - 1
	}
}

func (d *formField) isText() bool { return d.choices == nil && !d.isTick }

// form is a dialog to fill in. The button is behind the fields.
type form struct {
	f       *frame
	heading string
	intro   string
	fields  []*formField
	at      int    // among those in sight; the button is behind the last
	button  string // "Create"
	doing   string // "Creating"
	wrong   string // what is wrong with no field alone
	job     jobID
	submit  func() tea.Cmd
	typed   func(*formField) // a field was changed; nil: nobody wants to know
}

func (d *form) title() string { return d.heading }
func (d *form) typing() bool  { return true }

const actSave action = "save"

func (d *form) bindings() []binding {
	bs := []binding{
		{action: actChoose, keys: []string{"enter"}, short: "next"},
		{action: actSave, keys: []string{"ctrl+s"}, short: strings.ToLower(d.button)},
		{action: actDown, keys: []string{"tab", "down"}, show: "↑↓", short: "move"},
		{action: actUp, keys: []string{"shift+tab", "up"}},
		{action: actCancel, keys: []string{"esc"}, short: "leave it"},
	}
	if at := d.field(); at != nil && !at.isText() {
		bs = append(bs, binding{action: actCheck, keys: []string{"space", "right"}, short: "change"},
			binding{action: actLeft, keys: []string{"left"}})
	}
	return bs
}

// shown are the fields in sight.
func (d *form) shown() []*formField {
	return slices.DeleteFunc(slices.Clone(d.fields), func(x *formField) bool { return x.hidden != nil && x.hidden() })
}

// field is the one that one is at; nil at the button.
func (d *form) field() *formField {
	shown := d.shown()
	if d.at < 0 || d.at >= len(shown) {
		return nil
	}
	return shown[d.at]
}

// named finds a field.
func (d *form) named(name string) *formField {
	i := slices.IndexFunc(d.fields, func(x *formField) bool { return x.name == name })
	if i < 0 {
		return &formField{}
	}
	return d.fields[i]
}

func (d *form) do(a action) tea.Cmd {
	n := len(d.shown()) + 1
	switch a {
	case actDown:
		d.at = (d.at + 1) % n
	case actUp:
		d.at = (d.at + n - 1) % n
	case actCheck:
		d.turn(1)
	case actLeft:
		d.turn(-1)
	case actChoose:
		if d.at < n-1 {
			d.at++
			return nil
		}
		return d.save()
	case actSave:
		return d.save()
	case actCancel:
		if d.job != 0 {
			d.f.jobs.drop(d.job)
			d.job = 0
			return d.f.say(toastInfo, "stopped waiting: what the stack was asked for may still happen there")
		}
		d.leave()
	}
	return nil
}

// leave closes the form and forgets what was typed.
func (d *form) leave() {
	for _, x := range d.fields {
		if x.isText() {
			x.in.wipe()
		}
	}
	d.f.close(d)
}

// turn goes to the next choice, or turns the switch over.
func (d *form) turn(by int) {
	x := d.field()
	switch {
	case x == nil || d.job != 0:
		return
	case x.isTick:
		x.ticked = !x.ticked
	case x.choices != nil:
		x.choice = (x.choice + by + len(x.choices)) % len(x.choices)
	}
	d.changed(x)
}

func (d *form) changed(x *formField) {
	x.wrong, d.wrong = "", ""
	if d.typed != nil {
		d.typed(x)
	}
}

func (d *form) save() tea.Cmd {
	if d.job != 0 {
		return nil
	}
	d.wrong = ""
	for _, x := range d.fields {
		x.wrong = ""
	}
	return d.submit()
}

func (d *form) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		at := d.field()
		text := at != nil && at.isText()
		if a, ok := matching(d.bindings(), msg); ok && (!text || msg.String() != "left" && msg.String() != "right") {
			return d.do(a)
		}
	case clickMsg:
		return d.click(msg)
	case wheelMsg:
		d.at = max(0, min(d.at+sign(int(msg)), len(d.shown())))
		return nil
	}
	if x := d.field(); x != nil && x.isText() && d.job == 0 {
		before := x.in.value()
		x.in.update(msg)
		if x.in.value() != before {
			d.changed(x)
		}
	}
	return nil
}

// click goes to the field that was hit; a switch, a choice and the button work at once.
func (d *form) click(msg clickMsg) tea.Cmd {
	w, h := boxRoom(d.f.w, d.f.h)
	_, rows := d.lay(w, h)
	at, ok := rows[msg.y]
	if !ok {
		return nil
	}
	d.at = at
	if d.field() == nil {
		return d.save()
	}
	d.turn(1)
	return nil
}

// refused puts what a stack, or a check, says at the fields that it concerns, and goes to the first of them. aliases
// gives fields other names.
func (d *form) refused(err error, aliases map[string]string) {
	d.job = 0
	told := map[string]string{}
	if e, ok := errors.AsType[*api.Error](err); ok {
		for name, f := range e.Fields {
			if alias := aliases[name]; alias != "" {
				name = alias
			}
			told[name] = f.Message
		}
	}
	for _, x := range d.fields {
		if msg := told[x.name]; msg != "" {
			x.wrong = clean(msg)
			delete(told, x.name)
		}
	}
	if len(told) > 0 || !slices.ContainsFunc(d.fields, func(x *formField) bool { return x.wrong != "" }) {
		d.wrong = clean(err.Error())
	}
	d.at = len(d.shown())
	for i, x := range d.shown() {
		if x.wrong != "" {
			d.at = i
			break
		}
	}
}

const (
	dialogWidth = 64
	dialogLabel = 16
)

func (d *form) view(w, h int) []string {
	lines, _ := d.lay(w, h)
	return lines
}

// lay draws the form, and tells on which line every field is. When it is too high it shows what is around the one that
// one is at.
func (d *form) lay(w, h int) (lines []string, rows map[int]int) {
	s := d.f.st
	w = min(w, dialogWidth)
	rows = map[int]int{}
	here := 0
	if d.intro != "" {
		lines = append(append(lines, paragraph(s.muted, d.intro, w)...), "")
	}
	for i, x := range d.shown() {
		if x.apart && h >= 14 {
			lines = append(lines, "")
		}
		if i == d.at {
			here = len(lines)
		}
		rows[len(lines)] = i
		lines = append(lines, d.line(x, i == d.at, w))
		for _, l := range head(hang(s.bad, shapeDanger, x.wrong, max(1, w-dialogLabel)), 3) {
			lines = append(lines, blanks(dialogLabel)+l)
		}
	}
	lines = append(lines, "")
	what, next := advice(d.wrong)
	lines = append(lines, head(hang(s.bad, shapeDanger, what, w), 4)...)
	for _, l := range head(wrap(next, max(1, w-2)), 3) {
		lines = append(lines, "  "+s.muted.Render(l))
	}
	if d.field() == nil {
		here = len(lines)
	}
	rows[len(lines)] = len(d.shown())
	lines = append(lines, d.buttonLine(w))
	skip := 0
	if len(lines) > h {
		skip = max(0, min(here-h/2, len(lines)-h))
	}
	placed := map[int]int{}
	for y, i := range rows {
		if y >= skip {
			placed[y-skip] = i
		}
	}
	return head(lines[skip:], h), placed
}

func (d *form) buttonLine(w int) string {
	s := d.f.st
	line := s.button.Render(s.buttonText(d.button))
	switch {
	case d.job != 0:
		line = s.muted.Render(d.doing + "… esc stops waiting")
	case d.field() == nil:
		line = s.buttonOn.Render(s.buttonText(d.button))
	}
	return cut(blanks(min(dialogLabel, max(0, w-width(line))))+line, w)
}

// line is a field with its label.
func (d *form) line(x *formField, here bool, w int) string {
	s := d.f.st
	label, bar := s.muted, "  "
	if here {
		label, bar = s.accent, shapeCursor+" "
	}
	room := max(1, w-dialogLabel)
	line := s.accent.Render(bar) + label.Render(fit(x.label, dialogLabel-2))
	switch {
	case x.isTick:
		tick := "[ ] "
		if x.ticked {
			tick = "[x] "
		}
		line += s.accent.Render(tick) + s.text.Render(cut(x.note, room-4))
	case x.choices != nil:
		cells := min(room, 24)
		line += s.field.Render(fit(clean(x.value()), cells))
		if here {
			line += s.muted.Render(cut("  space changes", max(0, room-cells)))
		}
	default:
		line += x.in.view(s, room, here, x.hint)
	}
	return cut(line, w)
}

// startForm runs what a form was filled in for. then gets the answer when it went well; what went wrong stands in the form.
func startForm[T any](d *form, title string, fn func(context.Context) (T, error), failed func(T, error) bool, then func(T) tea.Cmd) tea.Cmd {
	id, cmd := start(d.f, title, fn, func(t T, err error) tea.Cmd {
		d.job = 0
		if err != nil {
			if failed == nil || !failed(t, err) {
				d.refused(err, nil)
			}
			return nil
		}
		d.leave()
		return then(t)
	})
	d.job = id
	return cmd
}
