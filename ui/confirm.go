package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
)

// What a dialog with buttons understands.
const (
	actChoose   action = "choose"
	actCancel   action = "cancel"
	actLeft     action = "previous button"
	actRight    action = "next button"
	actCheck    action = "check"
	actPageUp   action = "page up"
	actPageDown action = "page down"
)

// confirm asks before something ends. The safe button has the focus.
type confirm struct {
	f       *frame
	heading string
	items   []confirmItem // exactly what ends, one line each
	also    []confirmItem // ends too while the box is ticked
	kept    []confirmItem // was chosen, and does not end
	text    []string      // paragraphs: what will happen, and what will not
	check   string        // a further choice; empty: none
	checked bool
	word    string // has to be typed first; empty: nothing has
	typed   input
	yes, no string
	yesAlso string // instead of yes while the box is ticked; empty: yes
	harm    bool   // yes ends something for good
	then    func(checked bool) tea.Cmd
	onNo    func() tea.Cmd

	onYes  bool // the focus is on yes
	offset int  // the first line shown

	measured     bool
	names, notes int // cells of the longest, see measure
}

// confirmItem is one thing that ends.
type confirmItem struct{ name, note string }

func (c *confirm) title() string { return c.heading }

func (c *confirm) typing() bool { return c.word != "" }

func (c *confirm) bindings() []binding {
	scroll := ""
	if c.most() > 0 {
		scroll = "scroll"
	}
	bs := []binding{
		{action: actChoose, keys: []string{"enter"}, short: "press"},
		{action: actRight, keys: []string{"right", "tab", "l"}, show: "←→", short: "choose"},
		{action: actLeft, keys: []string{"left", "shift+tab", "h"}},
		{action: actCancel, keys: []string{"esc", "q", "n"}, show: "esc", short: strings.ToLower(c.no)},
		{action: actDown, keys: []string{"down", "j"}, show: "↑↓", short: scroll},
		{action: actUp, keys: []string{"up", "k"}},
		{action: actPageDown, keys: []string{"pgdown"}},
		{action: actPageUp, keys: []string{"pgup"}},
	}
	if c.check != "" {
		bs = append(bs, binding{action: actCheck, keys: []string{"space"}, short: "tick"})
	}
	return bs
}

func (c *confirm) do(a action) tea.Cmd {
	switch a {
	case actLeft, actRight:
		c.onYes = !c.onYes && c.yes != ""
	case actCheck:
		c.checked = !c.checked && c.check != ""
	case actDown:
		c.scroll(1)
	case actUp:
		c.scroll(-1)
	case actPageDown:
		c.scroll(c.f.h / 2)
	case actPageUp:
		c.scroll(-c.f.h / 2)
	case actCancel:
		return c.answer(false)
	case actChoose:
		if c.word != "" && c.matches() {
			return c.answer(true)
		}
		return c.answer(c.onYes)
	}
	return nil
}

// label is what the button that ends things says.
func (c *confirm) label() string {
	if c.checked && c.yesAlso != "" {
		return c.yesAlso
	}
	return c.yes
}

// matches tells whether the word that has to be typed was.
func (c *confirm) matches() bool { return c.word == "" || c.typed.value() == c.word }

func (c *confirm) answer(yes bool) tea.Cmd {
	if yes && (!c.matches() || c.yes == "") {
		return nil
	}
	c.f.close(c)
	switch {
	case yes:
		return c.then(c.checked)
	case c.onNo != nil:
		return c.onNo()
	}
	return nil
}

func (c *confirm) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		switch msg.String() {
		case "tab", "shift+tab":
			return c.do(actRight)
		case "enter":
			return c.do(actChoose)
		case "esc":
			return c.do(actCancel)
		case "space": // the words to type hold none
			return c.do(actCheck)
		case "up":
			return c.do(actUp)
		case "down":
			return c.do(actDown)
		case "pgup":
			return c.do(actPageUp)
		case "pgdown":
			return c.do(actPageDown)
		}
		c.typed.update(msg)
	case tea.PasteMsg:
		if c.word != "" {
			c.typed.update(msg)
		}
	case wheelMsg:
		c.scroll(int(msg))
	case clickMsg:
		return c.click(msg)
	}
	return nil
}

// click presses the button, or ticks the box, that was hit.
func (c *confirm) click(msg clickMsg) tea.Cmd {
	w, h := boxRoom(c.f.w, c.f.h)
	lines := c.view(w, h)
	inner := 0
	for _, l := range lines {
		inner = max(inner, width(l))
	}
	if msg.y == len(lines)-1 {
		yes, no := c.buttonSpans(inner)
		switch {
		case yes.has(msg.x):
			return c.answer(true)
		case no.has(msg.x):
			return c.answer(false)
		}
	}
	if c.check != "" && msg.y == len(lines)-c.footHeight() {
		return c.do(actCheck)
	}
	return nil
}

type cells struct{ from, to int }

func (s cells) has(x int) bool { return x >= s.from && x < s.to }

const buttonGap = 3

// buttonLeast is how narrow a button gets before it leaves the line to the other one.
const buttonLeast = 8

// buttonSpans are where the buttons lie on a line of w cells: to the right, the safe one last, which is
// always in full. Where there is no room for two, the one that has the focus is there.
func (c *confirm) buttonSpans(w int) (yes, no cells) {
	no = cells{max(0, w-width(c.no)-4), w}
	yes.to = max(0, no.from-buttonGap)
	yes.from = max(0, yes.to-width(c.label())-4)
	switch {
	case c.yes == "":
		return cells{}, no
	case yes.to >= buttonLeast:
		return yes, no
	case c.onYes:
		return cells{max(0, w-width(c.label())-4), w}, cells{}
	}
	return cells{}, no
}

// footHeight is how many lines of the dialog never scroll away.
func (c *confirm) footHeight() int {
	n := 2 // a blank one and the buttons
	if c.check != "" {
		n++
	}
	if c.word != "" {
		n += 2
	}
	return n
}

// confirmItems is how many lines of what ends stay in sight at least, before the paragraphs
// scroll with them.
const confirmItems = 4

// confirmWidth is how wide a confirmation gets at most, confirmText its paragraphs.
const (
	confirmWidth = 84
	confirmText  = 66
)

func (c *confirm) view(w, h int) []string {
	lay := c.lay(min(w, confirmWidth))
	foot := c.foot(lay.width)
	n, room := c.window(lay, h)
	from := max(0, min(c.offset, n-room))
	body := lay.draw(c, from, min(room, n-from))
	if more := n - room - from; more > 0 && room > 0 {
		body[room-1] = c.f.st.muted.Render("↓ " + plural(more+1, "more line"))
	}
	body = append(body, lay.text[len(lay.text)-(lay.lines()-n):]...)
	return append(body, foot...)
}

// window tells how many lines scroll, and in how many. What will happen is read before the things
// that it happens to: its paragraphs don't scroll where there is room for them.
func (c *confirm) window(lay confirmLay, h int) (n, room int) {
	n, room = lay.lines(), max(0, h-c.footHeight())
	if fixed := len(lay.text); n > room && room-fixed >= confirmItems {
		return n - fixed, room - fixed
	}
	return n, room
}

// most is the furthest that one can scroll.
func (c *confirm) most() int {
	w, h := boxRoom(c.f.w, c.f.h)
	n, room := c.window(c.lay(min(w, confirmWidth)), h)
	return max(0, n-room)
}

func (c *confirm) scroll(n int) { c.offset = max(0, min(c.offset+n, c.most())) }

// confirmLay is the body of a confirmation, measured. Of thousands of things that end, those
// in sight are drawn.
type confirmLay struct {
	ends  [][]confirmItem // the items, what ends too, and last what is kept
	count int             // of all of them
	text  []string
	room  int // for a line
	names int // cells of the longest name
	width int // of the widest line: the buttons are set to its right end
}

func (c *confirm) lay(w int) confirmLay {
	lay := confirmLay{ends: [][]confirmItem{c.items, nil, c.kept}, room: w}
	if c.checked {
		lay.ends[1] = c.also
	}
	lay.width = max(width(c.heading)+2, max(width(c.yes), width(c.yesAlso))+width(c.no)+8+buttonGap, width(c.check)+4)
	if c.word != "" {
		lay.width = max(lay.width, width(c.ask())+width(c.word)+2)
	}
	for _, list := range lay.ends {
		lay.count += len(list)
	}
	names, notes := c.measure()
	lay.names = min(names, max(w/2, w-4-notes))
	if lay.names > 0 {
		lay.width = max(lay.width, lay.names+notes+4)
	}
	for i, p := range c.text {
		if i > 0 || lay.count > 0 {
			lay.text = append(lay.text, "")
		}
		lay.text = append(lay.text, wrap(p, min(w, confirmText))...)
	}
	if c.check != "" {
		lay.text = append(lay.text, "")
	}
	for _, l := range lay.text {
		lay.width = max(lay.width, width(l))
	}
	lay.width = min(lay.width, w)
	return lay
}

// measure gives the cells of the longest name and note. Once is enough, and what the box adds
// is measured from the beginning, so that the dialog keeps its place.
func (c *confirm) measure() (names, notes int) {
	if !c.measured {
		for _, list := range [][]confirmItem{c.items, c.also, c.kept} {
			for _, it := range list {
				c.names, c.notes = max(c.names, width(it.name)), max(c.notes, width(it.note))
			}
		}
		c.measured = true
	}
	return c.names, c.notes
}

func (l *confirmLay) lines() int { return l.count + len(l.text) }

// draw gives at most n lines from the one numbered from.
func (l *confirmLay) draw(c *confirm, from, n int) []string {
	var lines []string
	at := 0
	for i, list := range l.ends {
		for j := max(0, from-at); j < len(list) && len(lines) < n; j++ {
			lines = append(lines, l.item(c, list[j], c.harm && i < 2))
		}
		at += len(list)
	}
	for j := max(0, from-at); j < len(l.text) && len(lines) < n; j++ {
		lines = append(lines, l.text[j])
	}
	return lines
}

func (l *confirmLay) item(c *confirm, it confirmItem, ends bool) string {
	s := c.f.st
	shape := s.muted.Render("·")
	if ends {
		shape = s.bad.Render(shapeDanger)
	}
	return cut(shape+" "+s.strong.Render(fit(cutMiddle(it.name, l.names), l.names))+"  "+s.muted.Render(it.note), l.room)
}

// ask is what stands before the word to type.
func (c *confirm) ask() string { return "type " + c.word + " to go on: " }

// foot is what stays in sight: the choice, the word to type, the buttons.
func (c *confirm) foot(w int) []string {
	s := c.f.st
	var lines []string
	if c.check != "" {
		tick := "[ ] "
		if c.checked {
			tick = "[x] "
		}
		lines = append(lines, s.accent.Render(tick)+cut(c.check, w-4))
	}
	if c.word != "" {
		ask := c.ask()
		lines = append(lines, "", cut(s.muted.Render(ask)+c.typed.view(s, max(1, w-width(ask)), true, ""), w))
	}
	yes, no := s.button, s.button
	switch {
	case !c.onYes:
		no = s.buttonOn
	case c.harm:
		yes = s.dangerOn
	default:
		yes = s.buttonOn
	}
	if !c.onYes && c.matches() && c.harm {
		yes = s.button.Foreground(s.bad.GetForeground())
	}
	line, at := "", 0
	put := func(at int, span cells, st lipgloss.Style, label string) int {
		if span.to == 0 {
			return at
		}
		line += blanks(span.from-at) + st.Render(s.buttonText(cut(label, span.to-span.from-4)))
		return span.to
	}
	yesAt, noAt := c.buttonSpans(w)
	at = put(at, yesAt, yes, c.label())
	put(at, noAt, no, c.no)
	return append(lines, "", cut(line, w))
}
