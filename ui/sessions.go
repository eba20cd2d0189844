package ui

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"wakey/api"
	"wakey/session"
)

// sessionRow is a session in the list.
type sessionRow struct {
	api.Session

	name    string // the uuid, fit for the screen
	user    string
	whose   whose
	account string // of this machine, that opened it
	holder  session.ID
	current bool      // it is that of the account's access token
	until   time.Time // known of ours alone
	strange bool      // the stack lists it for another user than was asked for
}

// sessions is the view of the sessions of a user, and of a tenant.
type sessions struct {
	remote[sessionRow]

	of [whoseThis + 1]int // how many there are of each
}

func newSessions(f *frame) *sessions {
	v := &sessions{}
	v.f = f
	v.remoteKind = remoteKind[sessionRow]{
		noun:  "session",
		fetch: fetchSessions, judge: v.judgeRows, columns: v.sessionColumns,
		ours:    func(r sessionRow) bool { return r.whose.ours() },
		summary: v.counts, details: v.sessionDetails, revoke: v.askRevoke,
		more: func() []binding { return nil },
	}
	v.list = newList(f,
		func(r sessionRow) string { return r.UUID },
		func(r sessionRow) string {
			return strings.Join([]string{v.whoseText(r), r.account, r.name, r.user}, " ")
		},
		v.sessionColumns()...)
	v.list.marking = true
	return v
}

// fetchSessions lists, and makes what is listed fit for the screen.
func fetchSessions(ctx context.Context, mgr *session.Manager, sc scope, _ string, _ int) ([]sessionRow, int, error) {
	items, err := sc.sessions(ctx, mgr)
	rows := make([]sessionRow, len(items))
	for i, s := range items {
		rows[i] = sessionRow{Session: s, name: clean(s.UUID), strange: !sc.everyone && s.UserUUID != sc.user}
	}
	return rows, len(rows), err
}

// judgeRows says whose each is: what is new first, then the others, ours last.
func (v *sessions) judgeRows(rows []sessionRow) {
	o := ownersOf(v.f.accounts, v.acc.Stack)
	clear(v.of[:])
	for i := range rows {
		r := &rows[i]
		own, ours := o.sessions[r.UUID]
		r.user, r.account, r.holder, r.current, r.until = v.userName(r.UserUUID), own.name, own.account, own.current, own.ExpiresAt
		switch {
		case ours && own.account == v.acc.ID:
			r.whose = whoseThis
		case ours:
			r.whose = whoseOurs
		case !o.users[r.UserUUID]:
			r.whose = whoseOther
		case v.know.newSessions[r.UUID]:
			r.whose = whoseNew
		default:
			r.whose = whoseUnknown
		}
		v.of[r.whose]++
	}
	slices.SortStableFunc(rows, func(a, b sessionRow) int {
		return cmp.Or(cmp.Compare(a.whose, b.whose), currentFirst(a, b), strings.Compare(a.user, b.user), strings.Compare(a.UUID, b.UUID))
	})
}

func currentFirst(a, b sessionRow) int {
	switch {
	case a.current == b.current:
		return 0
	case a.current:
		return -1
	}
	return 1
}

func (v *sessions) sessionColumns() []column[sessionRow] {
	look := func(r sessionRow) lipgloss.Style { _, st := r.whose.look(v.f.st); return st }
	muted := func(sessionRow) lipgloss.Style { return v.f.st.muted }
	cols := []column[sessionRow]{
		{min: 1, max: 1, draw: func(r sessionRow, _ int, on bool) string {
			shape, st := r.whose.look(v.f.st)
			return v.f.st.on(st, on).Render(shape)
		}},
		{
			title: "WHOSE", min: 12, max: 16, firm: true, text: v.whoseText, style: look,
			compare: func(a, b sessionRow) int { return cmp.Compare(a.whose, b.whose) },
		},
		{
			title: "OPENED BY", min: 9, max: 24, firm: true, rank: 2, text: v.openedBy,
			style:   func(sessionRow) lipgloss.Style { return v.f.st.strong },
			compare: func(a, b sessionRow) int { return strings.Compare(v.openedBy(a), v.openedBy(b)) },
		},
		{
			title: "SESSION", min: 13, max: 36, text: func(r sessionRow) string { return r.name },
			draw: func(r sessionRow, w int, on bool) string {
				return v.f.st.on(v.f.st.muted, on).Render(fit(cutMiddle(r.name, w), w))
			},
			compare: func(a, b sessionRow) int { return strings.Compare(a.name, b.name) },
		},
	}
	if v.scope.everyone {
		cols = append(cols, column[sessionRow]{
			title: "USER", min: 8, max: 20, rank: 1, text: func(r sessionRow) string { return r.user },
			compare: func(a, b sessionRow) int { return strings.Compare(a.user, b.user) },
		})
	}
	return append(cols,
		column[sessionRow]{
			title: "EXPIRES IN", min: 10, max: 10, right: true, rank: 3, style: muted,
			text: func(r sessionRow) string {
				switch {
				case r.until.IsZero():
					return "not told"
				case !r.until.After(v.f.now):
					return "over"
				}
				return countdown(r.until.Sub(v.f.now))
			},
			compare: func(a, b sessionRow) int { return compareTimes(a.until, b.until) },
		},
		column[sessionRow]{max: 6, rank: 4, style: muted, text: func(r sessionRow) string {
			if r.Mobile {
				return "mobile"
			}
			return ""
		}})
}

func (v *sessions) whoseText(r sessionRow) string {
	switch r.whose {
	case whoseNew:
		return "new, unknown"
	case whoseThis, whoseOurs:
		return "this machine"
	case whoseOther:
		return "other user"
	case whoseUnknown, whoseKnown, whoseLeft, whoseOtherNew:
	}
	return "not ours"
}

// openedBy names the account of this machine that opened a session.
func (v *sessions) openedBy(r sessionRow) string {
	if r.current {
		return r.account + ", current"
	}
	return r.account
}

// counts says how many there are, and how many are ours.
func (v *sessions) counts() string {
	s := plural(len(v.list.all), "session")
	if !v.scope.everyone {
		s = number(len(v.list.all)) + " of " + number(sessionCeiling) + " sessions"
	}
	s += ", " + number(v.of[whoseThis]+v.of[whoseOurs]) + " ours"
	if n := v.of[whoseNew]; n > 0 {
		s += ", " + number(n) + " new"
	}
	return s
}

// count is how many of the current account's are new.
func (v *sessions) count() int {
	if v.scope.acc != v.f.current {
		return 0
	}
	return v.of[whoseNew]
}

// sessionDetails tell everything about a session, which is not much (contract 8).
func (v *sessions) sessionDetails(r sessionRow, w int) []string {
	s := v.f.st
	shape, st := r.whose.look(s)
	lines := []string{spread(s.strong.Render(cutMiddle(r.name, max(8, w-16))), st.Render(shape+" "+v.whoseText(r)), w), ""}
	lines = append(lines, paragraph(s.text, v.story(r), w)...)
	lines = append(lines, "")
	lines = append(lines, labelled(s, "session", r.name, w)...)
	lines = append(lines, labelled(s, "user", r.user, w)...)
	if uuid := clean(r.UserUUID); uuid != r.user && width(uuid)+detailLabel <= w {
		lines = append(lines, labelled(s, "", uuid, w)...)
	}
	if !r.until.IsZero() {
		lines = append(lines, labelled(s, "expires", exact(r.until), w)...)
	}
	kind := "an ordinary client"
	if r.Mobile {
		kind = "mobile"
	}
	return append(lines, labelled(s, "client", kind, w)...)
}

func (v *sessions) story(r sessionRow) string {
	switch {
	case r.strange:
		return "The stack lists it for another user than was asked for; wakey leaves it alone."
	case r.current:
		return "It is the access token that the account " + r.account + " uses now. Revoking it ends that token at once."
	case r.whose.ours():
		return "The account " + r.account + " of this machine opened it earlier. It ends by itself."
	case r.whose == whoseNew:
		return "It was not there when the findings were last seen, and this machine did not open it." + v.f.hint(" x revokes it; 3 shows which clients may have opened it.")
	}
	return "This machine did not open it. The stack tells neither who did, nor when, nor until when it lives." + v.f.hint(" x revokes it: its access token ends at once.")
}
