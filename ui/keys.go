package ui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// action is something a person can do. Keys, the palette and the mouse lead to one. It is no
// type of its own, as every view understands but a few of them.
type action = string

// binding declares an action once: its keys, and its words wherever it is shown.
type binding struct {
	action action
	keys   []string // as tea.KeyPressMsg.String writes them; the first is the one shown
	show   string   // instead of the first key: "↑↓"
	typed  string   // instead of it while plain keys are text: "f1"
	short  string   // in the help line: "refresh"; empty: not in it
	name   string   // in the overlay and the palette: "Refresh this account now"; empty: in neither
	moving bool     // only moves around: not in the palette
}

// shown is the key as a person reads it.
func (b binding) shown() string {
	if b.show != "" {
		return b.show
	}
	if len(b.keys) == 0 {
		return ""
	}
	return b.keys[0]
}

// all are the keys as the overlay lists them.
func (b binding) all() string {
	if b.show != "" {
		return b.show
	}
	return strings.Join(b.keys, " ")
}

// matching finds the action of a key.
func matching(bs []binding, k tea.KeyPressMsg) (action, bool) {
	s := k.String()
	for _, b := range bs {
		if slices.Contains(b.keys, s) {
			return b.action, true
		}
	}
	return "", false
}

// What every view understands.
const (
	actQuit    action = "quit"
	actHelp    action = "help"
	actPalette action = "palette"
	actBack    action = "back"
	actNext    action = "next view"
	actPrev    action = "previous view"
	actTheme   action = "theme"
	actSuspend action = "suspend"
	actRepaint action = "repaint"
	actUnlock  action = "unlock"
	actSignIn  action = "sign in"
)

// everywhere are the bindings of the frame. A view's own come first.
var everywhere = []binding{
	{action: actSignIn, keys: []string{"n"}, name: "Sign in to a stack"},
	{action: actRespond, keys: []string{"!"}, short: "respond", name: "Somebody has a token of mine"},
	{action: actHelp, keys: []string{"?", "f1"}, typed: "f1", short: "help", name: "Show every key"},
	{action: actPalette, keys: []string{"ctrl+p", ":"}, name: "Find an action by name"},
	{action: actNext, keys: []string{"tab"}, show: "tab shift+tab", name: "Next and previous view", moving: true},
	{action: actPrev, keys: []string{"shift+tab"}},
	{action: actBack, keys: []string{"esc"}, name: "Back, or stop what is running", moving: true},
	{action: actUnlock, keys: []string{"u"}, name: "Open the locked store"},
	{action: actTheme, keys: []string{"T"}, name: "Next theme"},
	{action: actRepaint, keys: []string{"ctrl+l"}, name: "Draw the screen anew"},
	{action: actSuspend, keys: []string{"ctrl+z"}, name: "Suspend to the shell"},
	{action: actQuit, keys: []string{"q", "ctrl+c"}, typed: "ctrl+c", short: "quit", name: "Quit"},
}

// viewBindings open the views by number.
func viewBindings() []binding {
	bs := make([]binding, 0, viewCount)
	for id := range viewCount {
		bs = append(bs, binding{
			action: openView(id), keys: []string{string(rune('1' + id))}, name: id.name(),
		})
	}
	return bs
}

// openView is the action that opens a view.
func openView(id viewID) action { return "open " + id.name() }

// helpItem is a binding in the help line, and the cells that it takes there.
type helpItem struct {
	binding

	at   cells
	last bool // it is one of those that are always there
}

// helpItems lays bindings out in w cells, as many as there is room for. What comes last is always
// there when it fits at all: what to do about a theft, how to get help, and out.
func helpItems(own, last []binding, typing bool, w int) []helpItem {
	room := w - 1
	for _, b := range last {
		if b.short != "" {
			room -= b.helpWidth(typing) + helpGap
		}
	}
	var items []helpItem
	x := 1
	add := func(b binding, last bool) {
		items = append(items, helpItem{b, cells{x, x + b.helpWidth(typing)}, last})
		x += b.helpWidth(typing) + helpGap
	}
	for _, b := range own {
		if b.short == "" {
			continue
		}
		if room -= b.helpWidth(typing) + helpGap; room < -helpGap {
			break
		}
		add(b, false)
	}
	for _, b := range last {
		if b.short != "" {
			add(b, true)
		}
	}
	return items
}

const helpGap = 3 // " · "

// helpKey is the key as the help line shows it.
func (b binding) helpKey(typing bool) string {
	if typing && b.typed != "" {
		return b.typed
	}
	return b.shown()
}

func (b binding) helpWidth(typing bool) int { return width(b.helpKey(typing)) + 1 + width(b.short) }

// drawHelp writes the help line.
func drawHelp(s *styles, items []helpItem, typing bool, w int) string {
	texts := make([]string, len(items))
	for i, it := range items {
		texts[i] = s.key.Render(it.helpKey(typing)) + " " + s.muted.Render(it.short)
	}
	return cut(" "+strings.Join(texts, s.faint.Render(" · ")), w)
}
