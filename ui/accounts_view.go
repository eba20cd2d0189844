package ui

import (
	"strconv"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"wakey/session"
)

// accountsBeside is from which width the details stand beside the list: from where the list keeps
// every column. A countdown out of sight tells nobody anything.
const accountsBeside = 168

func (v *accounts) split(w, h int) split {
	return splitFrom(accountsBeside, w, h, len(v.f.accounts))
}

func (v *accounts) view(w, h int) string {
	if len(v.f.accounts) == 0 {
		return v.emptyView(w, h)
	}
	sp := v.split(w, h)
	rows := v.list.view(sp.listW, sp.listH)
	acc, ok := v.list.selected()
	if !ok || sp.paneH == 0 {
		return rows
	}
	paneW, paneH := sp.room()
	return sp.join(v.f.st, rows, v.details(acc, paneW, paneH, sp.beside))
}

func (v *accounts) emptyView(w, h int) string {
	switch v.f.store {
	case storeOpening, storeWaiting, storeAsking:
		if v.f.opts.Open != nil {
			return emptyView(v.f.st, w, h, "Opening the accounts…", v.f.store.word())
		}
	case storeLocked:
		return emptyView(v.f.st, w, h, "The store is locked.", "Press u to open it again.")
	case storeOpen:
	}
	return emptyView(v.f.st, w, h, "No account yet.", "Press n to sign in to a Wazo stack. wakey keeps you signed in from then on.")
}

func (v *accounts) drawShape(a session.Account, _ int, on bool) string {
	shape, st := v.f.st.stateLook(a.State)
	return v.f.st.on(st, on).Render(shape)
}

func lifeOf(a session.Account) lifetimeOf {
	return lifetimeOf{from: a.ObtainedAt, refresh: a.RefreshAt, until: a.ExpiresAt}
}

// countdownStyle is plain while all is well: what changes every second is quiet until it
// matters, and costs the terminal few bytes.
func (v *accounts) countdownStyle(a session.Account) lipgloss.Style {
	switch p := lifeOf(a).phase(v.f.now); p {
	case phaseGood:
		return v.f.st.text
	default:
		return v.f.st.phaseLook(p)
	}
}

// expiresText counts the seconds of the account under the cursor, and of those that are about to
// expire.
func (v *accounts) expiresText(a session.Account) string {
	switch {
	case a.ExpiresAt.IsZero():
		return "–"
	case !a.ExpiresAt.After(v.f.now):
		return "over"
	}
	if left := a.ExpiresAt.Sub(v.f.now); a.ID != v.f.current && left >= secondsBelow {
		return minutesLeft(left)
	}
	return countdown(a.ExpiresAt.Sub(v.f.now))
}

func (v *accounts) drawGauge(a session.Account, w int, on bool) string {
	return gaugeView(v.f.st, lifeOf(a), v.f.now, w, on)
}

// gaugeView draws the bar in the colour of the phase. The mark stands out from both parts.
func gaugeView(s *styles, l lifetimeOf, now time.Time, w int, on bool) string {
	if l.until.IsZero() {
		return s.on(s.faint, on).Render(blanks(w))
	}
	bar := drawGauge(l, now, w)
	filled, rest := s.on(s.phaseLook(l.phase(now)), on), s.on(s.faint, on)
	mark := s.on(s.text, on)
	var b strings.Builder
	for len(bar) > 0 {
		run := runOf(bar)
		st := rest
		switch {
		case strings.HasPrefix(run, "━"), strings.HasPrefix(run, "╸"):
			st = filled
		case strings.HasPrefix(run, "┃"):
			st = mark
		}
		b.WriteString(st.Render(run))
		bar = bar[len(run):]
	}
	return b.String()
}

// runOf is the beginning of a gauge that has one style.
func runOf(bar string) string {
	kind := func(r rune) int {
		switch r {
		case '━', '╸':
			return 0
		case '┃':
			return 1
		}
		return 2
	}
	first := -1
	for i, r := range bar {
		if first < 0 {
			first = kind(r)
		} else if kind(r) != first {
			return bar[:i]
		}
	}
	return bar
}

// refreshText says when the next attempt comes.
func (v *accounts) refreshText(a session.Account) string {
	now := v.f.now
	switch {
	case a.State == session.Refreshing:
		return "now"
	case a.State.NeedsPerson():
		return ""
	case !a.RetryAt.IsZero():
		return "retry " + countdown(a.RetryAt.Sub(now))
	case a.RefreshAt.IsZero():
		return "never"
	}
	if left := a.RefreshAt.Sub(now); left >= refreshSecondsBelow {
		return minutesLeft(left)
	}
	return countdown(a.RefreshAt.Sub(now))
}

func sessionsText(a session.Account) string {
	if a.TotalSessions < 0 {
		return "–"
	}
	return strconv.Itoa(a.TotalSessions) + "/" + strconv.Itoa(sessionCeiling)
}

func (v *accounts) sessionsStyle(a session.Account) lipgloss.Style {
	switch {
	case a.TotalSessions >= sessionCeiling-5:
		return v.f.st.bad
	case a.TotalSessions >= sessionCeiling*3/4:
		return v.f.st.warn
	}
	return v.f.st.muted
}

// trustWord says how a stack's certificate is trusted when that is not the usual way.
func trustWord(a session.Account) string {
	switch {
	case strings.HasPrefix(a.Stack, "http://"):
		return "http"
	case a.Trust.Pin != "":
		return "pinned"
	case a.Trust.CAFile != "":
		return "own CA"
	}
	return ""
}

// compareTimes orders times, none last.
func compareTimes(a, b time.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b)
}
