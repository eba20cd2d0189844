package ui

import (
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	tea "charm.land/bubbletea/v2"

	"wakey/session"
)

// stepWord says what a step does.
func stepWord(name session.StepName) string {
	switch name {
	case session.StepSnapshot:
		return "write down what there is"
	case session.StepTokens:
		return "revoke the refresh tokens"
	case session.StepSessions:
		return "revoke the sessions"
	case session.StepRotate:
		return "rotate our own refresh token"
	case session.StepPassword:
		return "change the password"
	case session.StepSweep:
		return "list again until nothing is left"
	case session.StepProve:
		return "prove that it is dead"
	}
	return string(name)
}

// stepLook is how a step's state is shown.
func (s *styles) stepLook(st session.StepState) (shape string, style lipgloss.Style) {
	switch st {
	case session.Running:
		return "◐", s.info
	case session.Done:
		return "✓", s.good
	case session.Failed:
		return shapeDanger, s.bad
	case session.Skipped:
		return "–", s.muted
	case session.Pending:
	}
	return "○", s.muted
}

func (r *respond) layout(w, h int) {
	if r.page.stale || r.page.width != w {
		r.page.width, r.page.stale = w, false
		switch r.phase {
		case respondPlanned:
			r.page.lines = r.planPage(w)
		case respondRunning:
			r.page.lines = r.runningPage(w)
		case respondOver:
			r.page.lines = r.overPage(w)
		case respondLooking, respondStuck:
			r.page.lines = nil
		}
	}
	r.page.layout(h - r.footHeight(h))
}

// footHeight is how many lines the buttons take.
func (r *respond) footHeight(h int) int {
	if r.phase != respondPlanned {
		return 0
	}
	return min(2, max(1, h-3))
}

func (r *respond) view(w, h int) string {
	s := r.f.st
	switch r.phase {
	case respondLooking:
		return emptyView(s, w, h, "Looking what there is of "+r.acc.Login+" on "+hostOf(r.acc)+"…", "Nothing is changed.")
	case respondStuck:
		what, next := advice(clean(r.err.Error()))
		if needsSignIn(r.err) {
			what = "Somebody has revoked this machine's own access to " + r.acc.Login + " on " + hostOf(r.acc) + ": " + what
			next = "→ " + r.f.hint("enter: ") + "sign in again with the password, then see what there is"
		}
		return emptyView(s, w, h, what, next)
	case respondPlanned, respondRunning, respondOver:
	}
	foot := r.footHeight(h)
	lines := r.page.view(s, w, h-foot)
	if foot == 0 {
		return strings.Join(lines, "\n")
	}
	for len(lines) < h-1 {
		lines = append(lines, "")
	}
	return strings.Join(append(lines, r.buttons(w)), "\n")
}

// The labels of the buttons. The safe one has the focus.
func (r *respond) labels() (yes, no string) { return "  Begin" + r.ends() + "  ", "  Not now  " }

func (r *respond) buttonSpans(w int) (yes, no cells) {
	y, n := r.labels()
	no = cells{max(0, w-1-width(n)), w - 1}
	yes.to = max(0, no.from-buttonGap)
	yes.from = max(0, yes.to-width(y))
	return yes, no
}

func (r *respond) buttons(w int) string {
	s := r.f.st
	yes, no := s.bad, s.buttonOn
	if r.onYes {
		yes, no = s.dangerOn, s.button
	}
	span, _ := r.buttonSpans(w)
	y, n := r.labels()
	return cut(blanks(span.from)+yes.Render(cut(y, span.to-span.from))+blanks(buttonGap)+no.Render(n), w)
}

// click moves the cursor, or presses a button.
func (r *respond) click(msg clickMsg) tea.Cmd {
	w, h := r.f.bodySize()
	if r.phase == respondPlanned && msg.y == h-1 {
		switch yes, no := r.buttonSpans(w); {
		case yes.has(msg.x):
			return r.begin()
		case no.has(msg.x):
			return r.f.open(r.f.shown)
		}
		return nil
	}
	if msg.y < h-r.footHeight(h) {
		r.page.cursor = r.page.offset + msg.y
	}
	return nil
}

// runningPage shows the steps.
func (r *respond) runningPage(w int) []pageLine {
	b := pageBuilder{s: r.f.st, w: w}
	b.text(b.s.strong, "The response is under way: "+r.acc.Login+" on "+hostOf(r.acc))
	b.text(b.s.muted, "Each step is written down. If the connection is lost or wakey is killed, "+r.f.hintOr("! goes", "another one can go")+" on with it.")
	b.blank()
	r.steps(&b)
	return b.page()
}

func (r *respond) steps(b *pageBuilder) {
	for i := range r.in.Steps {
		st := &r.in.Steps[i]
		shape, style := b.s.stepLook(st.State)
		note := clean(st.Text)
		if st.Of > 0 && st.State == session.Running {
			note = number(st.Done) + " of " + number(st.Of)
		}
		if st.State == session.Failed {
			b.item(pageItem{shape: shape, style: style, name: stepWord(st.Name), note: "failed"})
			b.indented(b.s.bad, note)
			continue
		}
		b.item(pageItem{shape: shape, style: style, name: stepWord(st.Name), note: note})
	}
}

// overPage says first how it stands, and what to do next; then what is proven.
func (r *respond) overPage(w int) []pageLine {
	b := pageBuilder{s: r.f.st, w: w}
	in := &r.in
	switch {
	case r.err != nil:
		b.text(b.s.bad, shapeAlarm+" It is not over. "+r.interruption())
		b.text(b.s.text, "What was done stays done."+r.f.hint(" r goes on where it stopped."))
	case in.Clean():
		verdict := "✓ It is over: everything that was to end is dead"
		if len(in.Rotated) > 0 {
			verdict += ", and this machine has a new refresh token"
		}
		b.text(b.s.good, verdict+".")
		b.text(b.s.text, "Below stands what is proven, and what nobody can prove, with the latest instant at which it can matter."+r.f.hint(" w writes it down."))
	default:
		b.text(b.s.bad, shapeAlarm+" Something is left open. Do this next:")
		for _, next := range r.nextSteps() {
			b.add(b.s.text, "→ ", "  ", next)
		}
	}
	for _, part := range []struct {
		title, shape string
		style        lipgloss.Style
		state        session.ProofState
	}{
		{"Not so yet", shapeDanger, b.s.bad, session.Disproven},
		{"Proven", "✓", b.s.good, session.Proven},
		{"Can't be proven", "?", b.s.warn, session.NotProvable},
	} {
		first := true
		for _, p := range in.Proofs {
			if p.State != part.state {
				continue
			}
			if first {
				b.heading(part.title)
				first = false
			}
			b.add(part.style, " "+part.shape+" ", "   ", upper(clean(p.Claim)))
			b.indented(b.s.muted, upper(clean(p.How))+over(r.f.now, p.Until)+".")
		}
	}
	b.heading("Steps")
	r.steps(&b)
	return b.page()
}

// over says by when something unproven is over in any case.
func over(now, until time.Time) string {
	if until.IsZero() {
		return ""
	}
	return "; over by " + clockTime(now, until)
}

// nextSteps are what a person should do.
func (r *respond) nextSteps() []string {
	var list []string
	add := func(text string) {
		if text != "" && len(list) < 6 {
			list = append(list, text)
		}
	}
	for _, st := range r.in.Steps {
		switch {
		case st.State == session.Failed && st.Name != session.StepProve:
			add("Go on" + r.f.hint(" with r") + ": to " + stepWord(st.Name) + " failed, " + clean(st.Text))
		case st.State == session.Skipped && st.Name == session.StepRotate:
			add("Give the password: " + clean(st.Text) + "." + r.f.hint(" ! begins again"))
		}
	}
	for _, p := range r.in.Proofs {
		if p.State == session.Disproven {
			add(upper(clean(p.Claim)) + ": not so, " + clean(p.How))
		}
	}
	return list
}
