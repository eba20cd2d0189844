package ui

import (
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"wakey/session"
)

// areas is how the height is shared out. What matters least goes first when it is short: the
// rule, the line of views, the status line, the header.
type areas struct {
	header, tabs, rule, status, help bool
	bodyY, bodyH                     int
}

func areasOf(h int) areas {
	a := areas{help: h >= 3, header: h >= 5, tabs: h >= 8, rule: h >= 12, status: h >= 12}
	for _, on := range []bool{a.header, a.tabs, a.rule} {
		if on {
			a.bodyY++
		}
	}
	a.bodyH = h - a.bodyY
	for _, on := range []bool{a.status, a.help} {
		if on {
			a.bodyH--
		}
	}
	return a
}

// bodySize is what is left for the view.
func (f *frame) bodySize() (w, h int) { return f.w, areasOf(f.h).bodyH - f.asideHeight() }

// View draws the frame. It depends on the model alone.
func (a *app) View() tea.View {
	v := tea.NewView(a.draw())
	v.AltScreen = true
	v.ReportFocus = true
	if !a.opts.NoMouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	v.WindowTitle = a.windowTitle()
	v.ProgramStatus = a.programStatus()
	return v
}

func (f *frame) draw() string {
	if f.w <= 0 || f.h <= 0 {
		return ""
	}
	ar := areasOf(f.h)
	lines := make([]string, 0, f.h)
	if ar.header {
		lines = append(lines, f.headerLine())
	}
	if ar.tabs {
		lines = append(lines, f.tabLine())
	}
	if ar.rule {
		lines = append(lines, f.ruleLine())
	}
	w, h := f.bodySize()
	lines = append(lines, strings.Split(block(f.screen().view(w, h), w, h), "\n")...)
	lines = append(lines, f.asideView()...)
	status := f.statusLine()
	if ar.status {
		lines = append(lines, status)
		status = ""
	}
	if ar.help {
		if status == "" {
			status = f.helpLine()
		}
		lines = append(lines, status)
	}
	for i, l := range lines {
		lines[i] = fit(l, f.w)
	}
	for i, d := range f.dialogs {
		lines = f.drawDialog(d, lines, i == len(f.dialogs)-1)
	}
	return strings.Join(lines[:min(len(lines), f.h)], "\n")
}

// drawDialog lays a dialog over what is drawn so far. The help line stays in sight: it is the
// dialog's own.
func (f *frame) drawDialog(d dialog, behind []string, top bool) []string {
	b, content := layBox(d, f.w, f.h)
	padX, padY := boxPadding(f.w, f.h)
	edge := f.st.faint
	if top {
		edge = f.st.accent
		if c, ok := d.(*confirm); ok && c.harm {
			edge = f.st.bad
		}
	}
	out := overlay(f.st, behind, b, drawBox(f.st, edge, b, d.title(), content, padX, padY), f.w)
	if last := len(out) - 1; top && last > 0 && b.y+b.h <= last {
		out[last] = fit(f.helpLine(), f.w)
	}
	return out
}

// headerLine names the program and says what needs attention first.
func (f *frame) headerLine() string {
	name := " " + f.st.title.Render("wakey")
	room := max(0, f.w-width(name)-2)
	var line string
	for _, n := range f.attention() {
		next := n.style.Render(n.text)
		if line != "" {
			next = line + f.st.faint.Render(" · ") + next
		}
		if line != "" && width(next) > room {
			break
		}
		line = next
	}
	return spread(name, line+" ", f.w)
}

// tabSpans are where the names of the views lie in their line.
func (f *frame) tabSpans() []cells {
	for _, form := range []struct {
		label func(viewID) string
		gap   int
	}{
		{f.tabLabel, 3},
		{f.tabLabel, 2},
		{func(id viewID) string { return strconv.Itoa(int(id)+1) + " " + id.short() }, 1},
		{func(id viewID) string {
			if id == f.shown {
				return strconv.Itoa(int(id)+1) + " " + id.short()
			}
			return strconv.Itoa(int(id) + 1)
		}, 1},
	} {
		spans := make([]cells, 0, viewCount)
		x := 1
		for id := range viewCount {
			n := width(form.label(id))
			spans = append(spans, cells{x, x + n})
			x += n + form.gap
		}
		if x-form.gap <= f.w {
			return spans
		}
	}
	return nil
}

func (f *frame) tabLabel(id viewID) string {
	label := strconv.Itoa(int(id)+1) + " " + id.name()
	if n := f.screens[id].count(); n > 0 {
		label += " " + number(n)
	}
	return label
}

func (f *frame) tabLine() string {
	s := f.st
	var b strings.Builder
	x := 0
	for i, span := range f.tabSpans() {
		id := viewID(i)
		b.WriteString(blanks(span.from - x))
		x = span.to
		n := span.to - span.from
		label := f.tabLabel(id)
		if width(label) > n {
			label = strconv.Itoa(i+1) + " " + id.short()
		}
		if width(label) > n {
			label = strconv.Itoa(i + 1)
		}
		num, rest, _ := strings.Cut(label, " ")
		if rest != "" {
			rest = " " + rest
		}
		if id == f.shown && !f.covered() {
			b.WriteString(s.accent.Render(num) + s.title.Render(rest))
		} else {
			b.WriteString(s.muted.Render(num + rest))
		}
	}
	return b.String()
}

// ruleLine underlines the view one is in.
func (f *frame) ruleLine() string {
	s := f.st
	spans := f.tabSpans()
	if f.covered() || int(f.shown) >= len(spans) {
		return s.faint.Render(strings.Repeat(shapeRule, f.w))
	}
	here := spans[f.shown]
	return s.faint.Render(strings.Repeat(shapeRule, here.from)) +
		s.accent.Render(strings.Repeat(shapeHere, here.to-here.from)) +
		s.faint.Render(strings.Repeat(shapeRule, max(0, f.w-here.to)))
}

// statusLine is what runs, and the last toast before it: what was said must not hide what is done.
// Where there is neither, an alarm stands.
func (f *frame) statusLine() string {
	said := f.toast.line(f.st, f.w)
	running := f.jobs.visible() != nil
	switch {
	case said == "" && !running:
		return f.alarmLine()
	case said == "":
		return f.jobs.line(f.st, f.w)
	case !running:
		return said
	}
	return spread(said, f.jobs.short(f.st, f.w), f.w)
}

// helpItems are what the help line shows: the dialog's keys, or the view's and those of the frame.
func (f *frame) helpItems() []helpItem {
	if len(f.dialogs) > 0 {
		return helpItems(f.top().bindings(), nil, f.top().typing(), f.w)
	}
	last := everywhere
	if f.screen().typing() || f.respond != nil && f.respond.shown { // "!" is text then, or done already
		last = slices.DeleteFunc(slices.Clone(last), func(b binding) bool { return b.action == actRespond })
	}
	return helpItems(f.screen().bindings(), last, f.screen().typing(), f.w)
}

func (f *frame) helpLine() string { return drawHelp(f.st, f.helpItems(), f.top().typing(), f.w) }

// windowTitle tells of the nearest expiry to whoever sees the title alone.
func (f *frame) windowTitle() string {
	if a, n := f.alarms(); n > 0 {
		return "wakey ‼ " + a.Name + ": " + a.Noticed.Headline()
	}
	for _, a := range f.accounts {
		if a.State.NeedsPerson() {
			return "wakey ‼ " + a.Name + ": " + string(a.State)
		}
	}
	if a, ok := f.nearest(func(a session.Account) bool { return a.ExpiresAt.After(f.now) }); ok {
		return "wakey: " + a.Name + " expires in " + span(a.ExpiresAt.Sub(f.now).Truncate(titleStep))
	}
	return "wakey"
}

// hostOf is how a stack is named on the screen.
func hostOf(a session.Account) string {
	_, rest, _ := strings.Cut(a.Stack, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}
