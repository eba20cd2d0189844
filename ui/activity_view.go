package ui

import (
	"strings"

	"wakey/session"
)

// activityBeside is from which width the details stand beside the list: what happened takes more
// room than the cells of other lists.
const activityBeside = 160

func (v *activity) split(w, h int) split {
	return splitFrom(activityBeside, w, h, len(v.list.all))
}

func (v *activity) view(w, h int) string {
	s := v.f.st
	if len(v.all) == 0 {
		if v.logErr != "" {
			what, next := advice(v.logErr)
			return emptyView(s, w, h, "Nothing has happened yet, and the log can't be read: "+what, next)
		}
		return emptyView(s, w, h, "Nothing has happened yet.", "Refreshes, sign-ins, and what goes wrong with them come here by themselves.")
	}
	sp := v.split(w, h)
	rows := v.list.view(sp.listW, sp.listH)
	if sp.paneH == 0 {
		return rows
	}
	paneW, paneH := sp.room()
	pane := ""
	if h, ok := v.list.selected(); ok {
		pane = v.details(h, paneW, paneH)
	}
	return sp.join(s, rows, pane)
}

// details tell of one happening in h lines; what does not fit is one key away.
func (v *activity) details(e happening, w, h int) string {
	s := v.f.st
	shape, st := levelLook(s, e.Level)
	name := e.Name
	if name == "" {
		name = "wakey"
	}
	lines := []string{spread(" "+s.strong.Render(name)+s.muted.Render("  "+e.Op), st.Render(shape+" "+levelWord(e.Level))+" ", w)}
	facts := timeFact("", e.Time, age(v.f.now, e.Time))
	for l := range strings.SplitSeq(facts.text, "\n") {
		lines = append(lines, " "+s.muted.Render(cut(l, w-2)))
	}
	if h > 10 {
		lines = append(lines, "")
	}
	what, next := advice(e.Text)
	for _, l := range wrap(what, w-2) {
		lines = append(lines, " "+s.text.Render(l))
	}
	for _, l := range wrap(next, w-2) {
		lines = append(lines, " "+s.text.Render(l))
	}
	for i, f := range e.fields {
		if i == 0 && h > 10 {
			lines = append(lines, "")
		}
		lines = append(lines, factBlock(s, f, w)...)
	}
	if v.logErr != "" && len(lines)+2 <= h {
		for len(lines) < h-1 {
			lines = append(lines, "")
		}
		lines = append(lines, " "+s.warn.Render(cut("▲ "+v.logErr, w-2)))
	}
	if len(lines) > h && h > 0 {
		lines = lines[:h]
		lines[h-1] = " " + s.key.Render("enter") + s.muted.Render(" reads it in full")
	}
	return strings.Join(lines, "\n")
}

// inFull is a dialog with all there is to read of a happening.
func (v *activity) inFull(e happening) *card {
	name := e.Name
	if name == "" {
		name = "wakey"
	}
	t := timeFact("", e.Time, "")
	foot := []fact{{"when", strings.ReplaceAll(t.text, "\n", ", "), age(v.f.now, e.Time)}}
	if e.Account != "" {
		foot = append(foot, fact{"account", string(e.Account), v.accountNote(e.Account)})
	}
	return newNotice(v.f, name+": "+e.Op+", "+levelWord(e.Level), e.Text, append(foot, e.fields...)...)
}

func (v *activity) accountNote(id session.ID) string {
	if a, ok := v.f.account(id); ok {
		return "now called " + a.Name
	}
	return "no longer here"
}
