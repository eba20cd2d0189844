package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"wakey/session"
)

// panes is how the body is shared out: a head with the timeline, and below it the facts and the
// list, beside each other when wide, one at a time when narrow.
type panes struct {
	timeline bool
	beside   bool
	y        int // of the panes' titles, or of the panes when there is no room for titles
	titles   bool
	factsW   int
	listX    int
	listW    int
	factsH   int // lines for the facts; also for the list
}

const (
	inspectBeside = 100 // from this width facts and list stand beside each other
	factsWidth    = 55
	factLabel     = 14
)

func (v *inspector) panes(w, h int) panes {
	p := panes{beside: w >= inspectBeside, timeline: h >= 12 && w >= 30 && v.life().until.After(v.life().from), titles: h >= 6}
	p.y = min(h, 1)
	if p.timeline {
		p.y += timelineLines + 2
	}
	p.factsH = max(0, h-p.y)
	if p.titles {
		p.factsH--
	}
	p.factsW, p.listW = w, w
	if p.beside {
		p.factsW, p.listX = factsWidth, factsWidth+2
		p.listW = w - p.listX
	}
	return p
}

// listHasKeys tells whether the keys move in the list. Beside facts that are all in sight there
// is nothing else to move in.
func (v *inspector) listHasKeys(w, h int) bool {
	if p := v.panes(w, h); p.beside && v.factRows <= p.factsH {
		return true
	}
	return v.onList && v.listed()
}

// listed tells whether there is something to list.
func (v *inspector) listed() bool { return v.cmp != nil || v.told() != nil }

func (v *inspector) layout(w, h int) {
	if !v.shown.IsZero() && !v.f.now.Before(v.hideAt) {
		v.hide()
	}
	p := v.panes(w, h)
	v.factRows = len(v.factLines(p.factsW))
	v.scroll = max(0, min(v.scroll, v.factRows-p.factsH))
	v.list.layout(p.factsH)
}

// click goes to the pane that was hit, and to the line of the list.
func (v *inspector) click(msg clickMsg) tea.Cmd {
	w, h := v.f.bodySize()
	p := v.panes(w, h)
	if p.titles && msg.y == p.y {
		if p.beside {
			v.onList = msg.x >= p.listX
		} else {
			v.onList = msg.x >= 1+width(factsTitle)+2
		}
		return nil
	}
	if msg.y < p.y || !v.listed() || !p.beside && !v.onList || p.beside && msg.x < p.listX {
		v.onList = v.onList && !p.beside
		return nil
	}
	v.onList = true
	y := msg.y - p.y
	if p.titles {
		y--
	}
	if v.list.update(clickMsg{msg.x - p.listX, y}) {
		return v.openMay()
	}
	return nil
}

// life is that of the token that is shown, by this machine's clock.
func (v *inspector) life() lifetimeOf {
	if p := v.pasted; p != nil {
		if p.kind != pastedAccess {
			return lifetimeOf{}
		}
		if p.held {
			return lifeOf(p.owner)
		}
		return p.in.life
	}
	a, _ := v.f.currentAccount()
	return lifeOf(a)
}

func (v *inspector) view(w, h int) string {
	s := v.f.st
	if _, ok := v.f.currentAccount(); !ok && v.pasted == nil {
		return emptyView(s, w, h, "There is no token to inspect.", "Press n to sign in to a Wazo stack.")
	}
	p := v.panes(w, h)
	lines := []string{v.headLine(w)}
	if p.timeline {
		lines = append(lines, "")
		for _, l := range drawTimeline(s, v.life(), v.f.now, w-2) {
			lines = append(lines, " "+l)
		}
		lines = append(lines, "")
	}
	lines = head(lines, h)
	if p.titles {
		lines = append(lines, v.titleLine(p, w, h))
	}
	facts := v.factLines(p.factsW)
	facts = facts[min(v.scroll, len(facts)):]
	switch {
	case p.beside:
		left := strings.Split(block(strings.Join(facts, "\n"), p.factsW, p.factsH), "\n")
		right := strings.Split(v.listView(p.listW, p.factsH, v.listHasKeys(w, h)), "\n")
		for i := range left {
			lines = append(lines, left[i]+s.faint.Render("│")+" "+right[i])
		}
	case v.onList && v.listed():
		lines = append(lines, v.listView(p.listW, p.factsH, true))
	default:
		lines = append(lines, head(facts, p.factsH)...)
	}
	return block(strings.Join(lines, "\n"), w, h)
}

// headLine says whose token it is, and how it stands.
func (v *inspector) headLine(w int) string {
	s := v.f.st
	if p := v.pasted; p != nil {
		return spread(" "+s.strong.Render("pasted token")+s.muted.Render("  "+p.token.String()+" on "+hostOf(p.asked)), v.pastedWord()+" ", w)
	}
	a, _ := v.f.currentAccount()
	shape, st := s.stateLook(a.State)
	return spread(" "+s.strong.Render(a.Name)+s.muted.Render("  "+a.Login+" at "+hostOf(a)), st.Render(shape+" "+string(a.State))+" ", w)
}

const factsTitle = "Token"

// titleLine names the panes; the one that has the keys stands out.
func (v *inspector) titleLine(p panes, w, h int) string {
	s := v.f.st
	title := func(text string, on bool) string {
		if on {
			return s.title.Render(text)
		}
		return s.muted.Render(text)
	}
	name, count := v.listTitle()
	inList := v.listHasKeys(w, h)
	more := v.factRows - p.factsH - v.scroll
	list := title(name, inList) + " " + s.muted.Render(count)
	if !p.beside {
		hint := "← →"
		if more > 0 && !inList {
			hint = "↓ " + plural(more, "more line") + " · " + hint
		}
		if !v.listed() {
			return " " + title(factsTitle, true)
		}
		return spread(" "+title(factsTitle, !inList)+"   "+list, s.muted.Render(hint)+" ", w)
	}
	facts := " " + title(factsTitle, !inList)
	if more > 0 {
		facts = spread(facts, s.muted.Render("← ↓ "+plural(more, "more line"))+" ", p.factsW)
	}
	return fit(facts, p.factsW) + s.faint.Render("│") + "  " + list
}

// listTitle is what the list holds, and how much.
func (v *inspector) listTitle() (name, count string) {
	if v.cmp != nil {
		return v.cmp.nameA + " and " + v.cmp.nameB, plural(v.list.total, "permission")
	}
	if in := v.told(); in != nil {
		return "Permissions", number(in.permissions())
	}
	return "Permissions", ""
}

// listView draws the list, or says why there is none.
func (v *inspector) listView(w, h int, focused bool) string {
	if v.listed() {
		if v.list.total == 0 {
			return emptyView(v.f.st, w, h, "It holds no permission at all.", "")
		}
		return v.list.view(w, h, focused)
	}
	what, next := v.instead()
	return emptyView(v.f.st, w, h, what, next)
}

// instead says why there are no permissions to list, and what to do next.
func (v *inspector) instead() (what, next string) {
	if p := v.pasted; p != nil && !v.loading() {
		return v.pastedWords(p)
	}
	a, _ := v.f.currentAccount()
	switch {
	case v.loading():
		return "The stack is being asked…", ""
	case v.f.mgr == nil && v.f.opts.Open != nil:
		return "The permissions are known to the stack alone.", "They come when the store is open: " + v.f.store.word()
	case v.err != "":
		what, next = advice(v.err)
		again := "Press a to ask again."
		if a.State.NeedsPerson() {
			again = "Press N to sign in again."
		}
		return what, strings.TrimSpace(next + "\n" + v.f.hint(again))
	case a.State == session.Refreshing:
		return "The token is being refreshed…", ""
	}
	return "The permissions are known to the stack alone.", v.f.hint("Press a to ask it.")
}
