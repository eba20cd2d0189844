package ui

import (
	"strings"
)

const (
	formWidth  = 64
	labelWidth = 18
)

func (v *signIn) view(w, h int) string {
	lines, _ := v.form(w, h)
	return block(strings.Join(lines, "\n"), w, h)
}

// form lays the form out, and tells in which row every field is. When it is too high it shows
// what is around the field one is at.
func (v *signIn) form(w, h int) (lines []string, rows map[int]field) {
	s := v.f.st
	inner := max(1, min(w-2, formWidth))
	roomy := h >= 17
	at := 0
	rows = map[int]field{}
	add := func(ls ...string) { lines = append(lines, ls...) }
	gap := func() {
		if roomy {
			add("")
		}
	}
	if h >= 10 {
		add(s.title.Render("Sign in to a Wazo stack"))
		gap()
	}
	for id := range fieldCount {
		if id == fieldName || id == fieldStay {
			gap()
		}
		if id == fieldSubmit {
			if h >= 12 {
				add("")
			}
			if msg := v.wrong[id]; msg != "" {
				add(v.wrongLines(msg, inner)...)
			}
		}
		if id == v.at {
			at = len(lines)
		}
		rows[len(lines)] = id
		add(v.fieldLine(id, inner))
		if msg := v.wrong[id]; msg != "" && id != fieldSubmit {
			add(v.wrongLines(msg, inner)...)
		}
	}
	hint := v.hintLines(inner, h-len(lines))
	if len(hint) > 0 && h > len(lines)+len(hint) {
		add("")
	}
	add(hint...)
	return placeForm(lines, rows, at, inner, w, h)
}

// hintLines are what there is to know before one signs in. Where they don't fit into room, the first,
// which says what the others are, is left out, and those stand beside each other.
func (v *signIn) hintLines(w, room int) []string {
	if v.f.opts.Hint == "" {
		return nil
	}
	parts := strings.Split(v.f.opts.Hint, "\n")
	if len(parts) > room {
		packed := []string{}
		for _, p := range parts[min(1, len(parts)-1):] {
			last := len(packed) - 1
			if last >= 0 && width(packed[last])+2+width(p) <= w {
				packed[last] += ", " + p
			} else {
				packed = append(packed, p)
			}
		}
		parts = packed
	}
	for i, p := range parts {
		parts[i] = v.f.st.muted.Render(cut(clean(p), w))
	}
	return parts
}

// placeForm sets the form in the middle, or scrolls it to line at.
func placeForm(lines []string, rows map[int]field, at, inner, w, h int) ([]string, map[int]field) {
	top := max(0, (h-len(lines))*2/5)
	skip := 0
	if len(lines) > h {
		skip = max(0, min(at-h/2, len(lines)-h))
	}
	placed := map[int]field{}
	for y, id := range rows {
		placed[y-skip+top] = id
	}
	out := make([]string, top, h)
	left := blanks((w - inner) / 2)
	for _, l := range lines[skip:] {
		out = append(out, left+l)
	}
	return head(out, h), placed
}

func (v *signIn) wrongLines(msg string, w int) []string {
	s := v.f.st
	what, next := advice(msg)
	first := head(wrap(what, max(1, w-labelWidth-2)), 3)
	out := make([]string, 0, len(first)+1)
	for i, l := range first {
		shape := "  "
		if i == 0 {
			shape = shapeDanger + " "
		}
		out = append(out, blanks(labelWidth)+s.bad.Render(shape+l))
	}
	for _, l := range head(wrap(next, max(1, w-labelWidth)), 3) {
		out = append(out, blanks(labelWidth)+s.muted.Render(l))
	}
	return out
}

// fieldLine is one field with its label.
func (v *signIn) fieldLine(id field, w int) string {
	s := v.f.st
	here := id == v.at
	label := s.muted
	bar := "  "
	if here {
		label, bar = s.accent, shapeCursor+" "
	}
	room := max(1, w-labelWidth)
	names := [...]string{"Stack", "User", "Password", "Account", "Lifetime", "Stay signed in", ""}
	line := s.accent.Render(bar) + label.Render(fit(names[id], labelWidth-2))
	switch id {
	case fieldStay:
		tick, what := "[ ]", "no: the account ends with its access token"
		if v.stay {
			tick, what = "[x]", "yes: the refresh token is kept, encrypted"
		}
		if width(what) > room-4 {
			what, _, _ = strings.Cut(what, ":")
		}
		return cut(line+s.accent.Render(tick)+" "+s.text.Render(cut(what, room-4)), w)
	case fieldSubmit:
		return cut(line+v.button(here), w)
	case fieldLifetime:
		note := "  of each access token, space changes"
		field := min(room, 8)
		if width(note) > room-field {
			note = "  space changes"
		}
		return cut(line+v.inputs[id].view(s, field, here, "1h")+s.muted.Render(cut(note, room-field)), w)
	case fieldName:
		return cut(line+v.inputs[id].view(s, room, here, v.suggestion()), w)
	case fieldStack:
		return cut(line+v.inputs[id].view(s, room, here, "pbx.example.com"), w)
	default:
	}
	return cut(line+v.inputs[id].view(s, room, here, ""), w)
}

func (v *signIn) button(here bool) string {
	s := v.f.st
	switch {
	case v.job != 0:
		return s.muted.Render("Signing in… esc stops it")
	case here:
		return s.buttonOn.Render(s.buttonText("Sign in"))
	}
	return s.button.Render(s.buttonText("Sign in"))
}
