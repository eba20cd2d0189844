package ui

import (
	"slices"
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// inputMax is how many characters an input holds: more is a mistake, or an attack.
const inputMax = 4096

// input is one line of text to type. It is our own because a password typed into it can be
// wiped from memory, and because its cursor needs no timer.
type input struct {
	text   []rune
	pos    int
	masked bool
}

// value is what was typed.
func (in *input) value() string { return string(in.text) }

// set replaces the text and puts the cursor behind it.
func (in *input) set(s string) {
	in.wipe()
	in.insert(s)
}

// wipe overwrites the text before letting it go.
func (in *input) wipe() {
	clear(in.text[:cap(in.text)])
	in.text, in.pos = nil, 0
}

// insert puts s at the cursor. A line has no line breaks and no control characters: of a
// pasted text the first line counts.
func (in *input) insert(s string) {
	s = strings.TrimLeft(s, "\r\n")
	if i := strings.IndexAny(s, "\r\n"); i >= 0 {
		s = s[:i]
	}
	for _, r := range s {
		if unicode.IsControl(r) || len(in.text) >= inputMax {
			continue
		}
		in.grow()
		in.text = slices.Insert(in.text, in.pos, r)
		in.pos++
	}
}

// grow makes room for one more without leaving a copy of the text behind.
func (in *input) grow() {
	if len(in.text) < cap(in.text) {
		return
	}
	bigger := make([]rune, len(in.text), max(64, 2*cap(in.text)))
	copy(bigger, in.text)
	clear(in.text)
	in.text = bigger
}

// remove deletes from position a up to b.
func (in *input) remove(a, b int) {
	in.text = slices.Delete(in.text, a, b)
	in.pos = a
}

// update takes a key or a paste, and tells whether it was for the input.
func (in *input) update(msg tea.Msg) bool {
	switch msg := msg.(type) {
	case tea.PasteMsg:
		in.insert(msg.Content)
		return true
	case tea.KeyPressMsg:
		return in.key(msg)
	}
	return false
}

// What a line of text understands besides what is typed.
const (
	actErase     action = "erase before"
	actEraseHere action = "erase here"
	actEraseWord action = "erase the word"
	actEraseHead action = "erase up to here"
	actEraseTail action = "erase from here"
)

// inputBindings are the keys of a line of text, those of a shell.
var inputBindings = []binding{
	{action: actLeft, keys: []string{"left", "ctrl+b"}, name: "One character back"},
	{action: actRight, keys: []string{"right", "ctrl+f"}, name: "One character on"},
	{action: actHome, keys: []string{"home", "ctrl+a"}, name: "To the beginning"},
	{action: actEnd, keys: []string{"end", "ctrl+e"}, name: "To the end"},
	{action: actErase, keys: []string{"backspace", "ctrl+h", "shift+backspace"}, name: "Erase the character before"},
	{action: actEraseHere, keys: []string{"delete", "ctrl+d"}, name: "Erase the character here"},
	{action: actEraseWord, keys: []string{"ctrl+w", "alt+backspace", "ctrl+backspace"}, name: "Erase the word before"},
	{action: actEraseHead, keys: []string{"ctrl+u"}, name: "Erase all before"},
	{action: actEraseTail, keys: []string{"ctrl+k"}, name: "Erase all from here on"},
}

func (in *input) key(k tea.KeyPressMsg) bool {
	n := len(in.text)
	a, _ := matching(inputBindings, k)
	switch a {
	case actLeft:
		in.pos = max(0, in.pos-1)
	case actRight:
		in.pos = min(n, in.pos+1)
	case actHome:
		in.pos = 0
	case actEnd:
		in.pos = n
	case actErase:
		if in.pos > 0 {
			in.remove(in.clusterStart(), in.pos)
		}
	case actEraseHere:
		if in.pos < n {
			at := in.pos
			in.remove(at, in.clusterEnd())
		}
	case actEraseWord:
		in.remove(in.wordStart(), in.pos)
	case actEraseHead:
		in.remove(0, in.pos)
	case actEraseTail:
		in.remove(in.pos, n)
	default:
		if k.Text == "" || k.Mod.Contains(tea.ModCtrl) || k.Mod.Contains(tea.ModAlt) {
			return false
		}
		in.insert(k.Text)
	}
	return true
}

// clusterStart is where the character before the cursor begins, its combining marks included.
func (in *input) clusterStart() int {
	i := in.pos - 1
	for i > 0 && joins(in.text[i]) {
		i--
	}
	return i
}

// clusterEnd is where the character at the cursor ends.
func (in *input) clusterEnd() int {
	i := in.pos + 1
	for i < len(in.text) && joins(in.text[i]) {
		i++
	}
	return i
}

func joins(r rune) bool { return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) }

func (in *input) wordStart() int {
	i := in.pos
	for i > 0 && in.text[i-1] == ' ' {
		i--
	}
	for i > 0 && in.text[i-1] != ' ' {
		i--
	}
	return i
}

// view draws w cells of the text, so that the cursor is among them. Without focus there is no
// cursor, and the beginning is shown.
func (in *input) view(s *styles, w int, focused bool, placeholder string) string {
	if w <= 0 {
		return ""
	}
	before, at, after := in.parts()
	text := s.field
	if len(in.text) == 0 {
		at, after = splitFirst(cut(placeholder, w))
		text = s.placeholder
	}
	if !focused {
		return text.Render(fit(before+at+after, w))
	}
	if at == "" {
		at = " "
	}
	if room := w - width(at); width(before) > room {
		before = cutLeft(before, room)
	}
	after = fit(after, w-width(before)-width(at))
	return s.field.Render(before) + text.Reverse(true).Render(at) + text.Render(after)
}

// splitFirst takes the first character off s.
func splitFirst(s string) (first, rest string) {
	c, _ := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
	return c, s[len(c):]
}

// parts are the text before, under and behind the cursor, as they are shown.
func (in *input) parts() (before, at, after string) {
	if in.masked {
		dots := strings.Repeat("•", len(in.text))
		cutAt := len("•") * in.pos
		before, after = dots[:cutAt], dots[cutAt:]
		if after != "" {
			at, after = "•", after[len("•"):]
		}
		return before, at, after
	}
	before = clean(string(in.text[:in.pos]))
	if in.pos < len(in.text) {
		end := in.clusterEnd()
		at, after = clean(string(in.text[in.pos:end])), clean(string(in.text[end:]))
	}
	return before, at, after
}
