package ui

import (
	"errors"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"wakey/api"
)

// Titles of the columns that the stack sorts by.
const (
	titleUsername = "USERNAME"
	titleFirst    = "FIRST NAME"
	titleLast     = "LAST NAME"
)

// asListed is the order of a column that the stack has sorted by.
func asListed(_, _ userRow) int { return 0 }

func (v *users) columns() []column[userRow] {
	muted := func(userRow) lipgloss.Style { return v.f.st.muted }
	cols := []column[userRow]{
		{min: 1, max: 1, draw: func(r userRow, _ int, on bool) string {
			shape, st := v.f.st.enabledLook(r.Enabled)
			return v.f.st.on(st, on).Render(shape)
		}},
		{
			title: titleUsername, min: 10, max: 32, compare: asListed,
			text:  func(r userRow) string { return orDash(r.login) },
			style: func(userRow) lipgloss.Style { return v.f.st.strong },
		},
		{title: titleFirst, min: 11, max: 20, rank: 2, compare: asListed, text: func(r userRow) string { return r.first }},
		{title: titleLast, min: 10, max: 24, rank: 1, compare: asListed, text: func(r userRow) string { return r.last }},
		{title: "MAIN E-MAIL", min: 11, max: 40, rank: 3, firm: true, text: v.emailText, style: muted},
		{
			title: "STATE", min: 8, max: 8, rank: 5, text: func(r userRow) string { return enabledWord(r.Enabled) },
			style: func(r userRow) lipgloss.Style { _, st := v.f.st.enabledLook(r.Enabled); return st },
		},
		{title: "PURPOSE", min: 7, max: 12, rank: 6, text: func(r userRow) string { return r.purpose }, style: muted},
		{title: "SIGNS IN BY", min: 11, max: 11, rank: 7, text: func(r userRow) string { return r.method }, style: muted},
	}
	if v.scope.below {
		cols = append(cols, column[userRow]{
			title: "TENANT", min: 8, max: 24, rank: 4, text: func(r userRow) string { return v.tenantName(r.TenantUUID) }, style: muted,
		})
	}
	return cols
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// enabledLook is how a user's state is shown, enabledWord what it is called.
func (s *styles) enabledLook(on bool) (shape string, st lipgloss.Style) {
	if on {
		return "●", s.good
	}
	return "○", s.muted
}

// methodWords say how a user signs in; "default" is the stack's word for whatever its tenant does (contract 10).
func methodWords(method string) string {
	if method == api.AuthenticationMethods[0] {
		return "as its tenant does"
	}
	return "by " + method
}

func enabledWord(on bool) string {
	if on {
		return "enabled"
	}
	return "disabled"
}

// emailText is the main address, and how many more there are.
func (v *users) emailText(r userRow) string {
	if n := len(r.Emails); n > 1 {
		return r.email + " +" + number(n-1)
	}
	return r.email
}

func (v *users) tenantName(uuid string) string {
	if t, ok := v.tenants[uuid]; ok && t.Name != "" {
		return shortText(t.Name)
	}
	return shortText(uuid)
}

// head are the lines above the list: whose users, how many, and what the last action came to.
func (v *users) head(w, h int) []string {
	if h < 6 {
		return nil
	}
	s := v.f.st
	of := "users of " + v.tenantName(v.acc.TenantUUID)
	if v.tenants == nil || v.tenants[v.acc.TenantUUID].Name == "" {
		of = "users of the tenant of " + v.acc.Login
	}
	if v.scope.below {
		of += " and below"
	}
	right := ""
	if !v.listed.IsZero() {
		right = plural(v.total, "user")
		if have := len(v.list.all); have < v.total {
			right = "the first " + number(have) + " of " + right
		}
		if n := len(v.list.marks); n > 0 {
			right = number(n) + " marked · " + right
		}
		if w >= 100 {
			right += " · listed " + clockTime(v.f.now, v.listed)
		}
	}
	lines := []string{v.f.heading(v.acc, of, right, w)}
	if v.search != "" {
		lines = append(lines, " "+s.info.Render(cut("· searched on the stack for "+clean(v.search)+v.f.hint("; esc shows all"), w-2)))
	}
	if v.list.typing() {
		lines = append(lines, " "+s.muted.Render(cut(v.f.hint("enter searches the stack: names and e-mails that hold the text"), w-2)))
	}
	return append(lines, v.result.lines(s, w, h)...)
}

func (v *users) view(w, h int) string {
	if len(v.f.accounts) == 0 {
		return v.f.screens[viewAccounts].view(w, h)
	}
	head := v.head(w, h)
	h -= len(head)
	if len(v.list.all) == 0 {
		return strings.Join(append(head, v.nothing(w, h)), "\n")
	}
	sp := v.split(w, h)
	rows := v.list.view(sp.listW, sp.listH)
	var lines []string
	if r, ok := v.list.selected(); ok {
		lines = v.details(r, sp.textWidth())
	}
	return strings.Join(append(head, sp.withDetails(v.f.st, rows, lines)), "\n")
}

// nothing says why there are no rows, and what to do.
func (v *users) nothing(w, h int) string {
	s := v.f.st
	if e, ok := errors.AsType[*api.Error](v.err); ok && v.denied() && v.f.jobs.find(v.job) == nil {
		return emptyView(s, w, h, clean(v.acc.Login)+" may not list the users of "+hostOf(v.acc)+": the permission "+clean(e.Permission)+" is missing.",
			"Ask an administrator of the stack for it, then refresh the token of "+v.acc.Name+"."+v.f.hint(" Press p to change "+clean(v.acc.Login)+"'s own password."))
	}
	if body, ok := v.f.unlisted(upper(v.what()), v.job, v.listed, v.err, w, h); ok {
		return body
	}
	if v.search != "" {
		return emptyView(s, w, h, "No user's names or e-mails hold "+clean(v.search)+".", v.f.hint("esc shows all, c creates a user."))
	}
	return emptyView(s, w, h, "There are no users in this tenant.", v.f.hint("Press c to create one, b to list those of sub-tenants too."))
}

// details tell what the list knows of a user.
func (v *users) details(r userRow, w int) []string {
	s := v.f.st
	shape, st := s.enabledLook(r.Enabled)
	lines := []string{spread(s.strong.Render(cutMiddle(r.name(), max(8, w-14))), st.Render(shape+" "+enabledWord(r.Enabled)), w), ""}
	add := func(label, text string) { lines = append(lines, labelled(s, label, text, w)...) }
	if full := strings.TrimSpace(r.first + " " + r.last); full != "" {
		add("name", full)
	}
	label := "e-mails"
	for _, e := range r.Emails {
		add(label, emailLine(e))
		label = ""
	}
	add("purpose", r.purpose)
	if r.method != "" {
		add("signs in", methodWords(r.method))
	}
	add("tenant", v.tenantName(r.TenantUUID))
	add("uuid", clean(r.UUID))
	for _, name := range v.ownAccounts(r.UUID) {
		lines = append(lines, "")
		lines = append(lines, paragraph(s.info, "The account "+name+" of this machine is this user.", w)...)
	}
	return lines
}

func emailLine(e api.Email) string {
	text := shortText(e.Address)
	var notes []string
	if e.Main {
		notes = append(notes, "main")
	}
	if !e.Confirmed {
		notes = append(notes, "not confirmed")
	}
	if len(notes) > 0 {
		text += ", " + strings.Join(notes, ", ")
	}
	return text
}

// ownAccounts are the names of this machine's accounts that are a user.
func (v *users) ownAccounts(uuid string) []string {
	var names []string
	for _, a := range v.f.accounts {
		if a.Stack == v.acc.Stack && a.UserUUID == uuid {
			names = append(names, a.Name)
		}
	}
	slices.Sort(names)
	return names
}

// usersBeside is from which width the details stand beside the list: below it, all the columns tell more.
const usersBeside = 140

func (v *users) split(w, h int) split { return splitFrom(usersBeside, w, h, len(v.list.all)) }
