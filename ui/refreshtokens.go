package ui

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
	"wakey/session"
)

// tokenRow is a refresh token in the list.
type tokenRow struct {
	api.RefreshToken

	id      string // as the list calls it
	name    string // the client_id, fit for the screen
	user    string
	whose   whose
	account string // of this machine, that holds it
	label   string
	why     string // it can't, or not surely, be revoked
	never   bool   // it can't
}

// refreshTokens is the view of the refresh tokens of a user, and of a tenant.
type refreshTokens struct {
	remote[tokenRow]

	of [whoseThis + 1]int // how many there are of each
}

func newRefreshTokens(f *frame) *refreshTokens {
	v := &refreshTokens{}
	v.f = f
	v.remoteKind = remoteKind[tokenRow]{
		noun: "refresh token", searchable: true,
		fetch: fetchTokens, judge: v.judgeRows, columns: v.tokenColumns,
		ours:    func(t tokenRow) bool { return t.whose.ours() },
		made:    func(t tokenRow) time.Time { return t.CreatedAt },
		summary: v.counts, details: v.tokenDetails, revoke: v.askRevoke, more: v.labelBinding,
	}
	v.list = newList(f,
		func(t tokenRow) string { return t.id },
		func(t tokenRow) string { return strings.Join([]string{v.whoseText(t), t.name, t.user}, " ") },
		v.tokenColumns()...)
	v.list.marking = true
	return v
}

// fetchTokens lists, and makes what is listed fit for the screen.
func fetchTokens(ctx context.Context, mgr *session.Manager, sc scope, search string, limit int) ([]tokenRow, int, error) {
	items, total, err := sc.refreshTokens(ctx, mgr, search, limit)
	rows := make([]tokenRow, len(items))
	for i, rt := range items {
		rows[i] = tokenRow{RefreshToken: rt, id: rt.UserUUID + "/" + rt.ClientID, name: shortText(rt.ClientID)}
	}
	return rows, total, err
}

// judgeRows says whose each is. What needs a look comes first, the newest of them before.
func (v *refreshTokens) judgeRows(rows []tokenRow) {
	o := ownersOf(v.f.accounts, v.acc.Stack)
	clear(v.of[:])
	for i := range rows {
		t := &rows[i]
		key := clientKey{t.UserUUID, t.ClientID}
		name, held := o.tokens[key]
		t.user, t.label, t.account = v.userName(t.UserUUID), v.know.labels[key], name
		t.why, t.never = unrevokable(t.ClientID, v.acc.Admin)
		switch {
		case held && t.UserUUID == v.scope.user && t.ClientID == v.acc.ClientID:
			t.whose, t.account = whoseThis, v.acc.Name
		case held:
			t.whose = whoseOurs
		case t.label != "":
			t.whose = whoseKnown
		case o.left[key]:
			t.whose = whoseLeft
		case !o.users[t.UserUUID] && v.sinceLast(t):
			t.whose = whoseOtherNew
		case !o.users[t.UserUUID]:
			t.whose = whoseOther
		case t.UserUUID == v.scope.user && v.know.newTokens[t.ClientID], v.sinceLast(t):
			t.whose = whoseNew
		default:
			t.whose = whoseUnknown
		}
		v.of[t.whose]++
	}
	slices.SortStableFunc(rows, func(a, b tokenRow) int {
		return cmp.Or(cmp.Compare(a.whose, b.whose), b.CreatedAt.Compare(a.CreatedAt))
	})
}

// sinceLast tells whether a refresh token was made since everyone's were last looked at.
func (v *refreshTokens) sinceLast(t *tokenRow) bool {
	return v.scope.everyone && !v.since.IsZero() && t.CreatedAt.After(v.since)
}

// unrevokable tells why a refresh token can't, or not surely, be revoked by an account, and whether
// it is no use trying (contract 7.3).
func unrevokable(clientID string, admin bool) (why string, never bool) {
	why, bad := api.Unrevokable(clientID)
	switch {
	case !bad:
		return "", false
	case clientID == "." || clientID == ".." || strings.ContainsAny(clientID, "/\x00"):
		return why, true
	case strings.Contains(clientID, "#"):
		if admin {
			return "", false
		}
		return why, true
	}
	return why, false
}

// revocable is that in short; empty when it can simply be revoked.
func revocable(why string, never bool) string {
	switch {
	case why == "":
		return ""
	case never:
		return "can't be revoked"
	}
	return "hard to revoke"
}

func (v *refreshTokens) tokenColumns() []column[tokenRow] {
	look := func(t tokenRow) lipgloss.Style { _, st := t.whose.look(v.f.st); return st }
	muted := func(tokenRow) lipgloss.Style { return v.f.st.muted }
	name := func(t tokenRow) string { return t.name }
	cols := []column[tokenRow]{
		{min: 1, max: 1, draw: func(t tokenRow, _ int, on bool) string {
			shape, st := t.whose.look(v.f.st)
			return v.f.st.on(st, on).Render(shape)
		}},
		{
			title: "WHOSE", min: 12, max: 26, text: v.whoseText, style: look,
			compare: func(a, b tokenRow) int {
				return cmp.Or(cmp.Compare(a.whose, b.whose), strings.Compare(a.label, b.label), strings.Compare(a.account, b.account))
			},
		},
		{
			title: "CLIENT_ID", min: 12, max: 44, text: name,
			draw: func(t tokenRow, w int, on bool) string {
				return v.f.st.on(v.f.st.strong, on).Render(fit(cutMiddle(t.name, w), w))
			},
			compare: func(a, b tokenRow) int { return strings.Compare(a.name, b.name) },
		},
	}
	if v.scope.everyone {
		cols = append(cols, column[tokenRow]{
			title: "USER", min: 8, max: 20, rank: 2, text: func(t tokenRow) string { return t.user },
			compare: func(a, b tokenRow) int { return strings.Compare(a.user, b.user) },
		})
	}
	return append(cols,
		column[tokenRow]{
			title: "MADE", min: 14, max: 14, rank: 3, style: muted,
			text:    func(t tokenRow) string { return age(v.f.now, t.CreatedAt) },
			compare: func(a, b tokenRow) int { return -compareTimes(a.CreatedAt, b.CreatedAt) },
		},
		column[tokenRow]{max: 6, rank: 5, style: muted, text: func(t tokenRow) string {
			if t.Mobile {
				return "mobile"
			}
			return ""
		}},
		column[tokenRow]{
			max: 16, rank: 4, style: func(tokenRow) lipgloss.Style { return v.f.st.warn },
			text: func(t tokenRow) string {
				return revocable(t.why, t.never)
			},
		})
}

func (v *refreshTokens) whoseText(t tokenRow) string {
	switch t.whose {
	case whoseNew:
		return "new, unknown"
	case whoseLeft:
		return "a cut-off sign-in"
	case whoseKnown:
		return "known: " + t.label
	case whoseOurs:
		return "account " + t.account
	case whoseThis:
		return "this machine"
	case whoseOtherNew:
		return "other user, new"
	case whoseOther:
		return "other user"
	case whoseUnknown:
	}
	return "unknown"
}

// counts says how many there are, and how many need a look.
func (v *refreshTokens) counts() string {
	s := plural(max(v.total, len(v.list.all)), v.noun)
	if n := v.of[whoseNew] + v.of[whoseOtherNew]; n > 0 {
		s += ", " + number(n) + " new"
	}
	if n := v.of[whoseUnknown] + v.of[whoseNew]; n > 0 {
		s += ", " + number(n) + " unknown"
	}
	return s
}

// count is how many of the current account's nobody knows.
func (v *refreshTokens) count() int {
	if v.scope.acc != v.f.current || v.scope.everyone {
		return 0
	}
	return v.of[whoseUnknown] + v.of[whoseNew]
}

const actLabel action = "label"

func (v *refreshTokens) labelBinding() []binding {
	if t, ok := v.list.selected(); ok && !t.whose.ours() {
		return []binding{{action: actLabel, keys: []string{"l"}, short: "label", name: "Say whose this one is"}}
	}
	return nil
}

func (v *refreshTokens) do(a action) tea.Cmd {
	if a != actLabel {
		return v.remote.do(a)
	}
	if t, ok := v.list.selected(); ok {
		return v.askLabel(t)
	}
	return nil
}
