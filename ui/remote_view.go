package ui

import (
	"strings"
	"time"

	"wakey/session"
)

// head are the lines above the list: whose it is, how many, and what the last revocation came to.
func (v *remote[T]) head(w, h int) []string {
	if h < 6 {
		return nil
	}
	s := v.f.st
	of := v.acc.Login
	if v.scope.everyone {
		of = "everyone in the tenant of " + v.acc.Login
		if v.scope.below {
			of += " and below"
		}
	}
	right := ""
	if !v.listed.IsZero() {
		right = v.summary()
		if n := len(v.list.marks); n > 0 {
			right = number(n) + " marked · " + right
		}
		if w >= 100 {
			right += " · listed " + clockTime(v.f.now, v.listed)
		}
	}
	lines := []string{v.f.heading(v.acc, of, right, w)}
	if v.partial() && v.f.jobs.find(v.job) == nil {
		note := "the first " + number(len(v.list.all)) + " of " + number(v.total)
		if v.searchable {
			note += v.f.hint(": / and enter search the stack for a client_id")
		}
		lines = append(lines, " "+s.warn.Render(cut("▲ "+note, w-2)))
	}
	if v.search != "" {
		lines = append(lines, " "+s.info.Render(cut("· searched on the stack for "+clean(v.search)+v.f.hint("; esc shows all"), w-2)))
	}
	return append(lines, v.result.lines(s, w, h)...)
}

// heading begins a list: the account, whose things they are, and at the right how many. Where there is
// room for one of the two, the tab has told the first.
func (f *frame) heading(a session.Account, of, right string, w int) string {
	s := f.st
	if right != "" && w-width(right) < headingLeast {
		return " " + s.muted.Render(cut(right, w-1))
	}
	return spread(" "+s.strong.Render(a.Name)+s.muted.Render("  "+of+" at "+hostOf(a)), s.muted.Render(right)+" ", w)
}

// headingLeast is how many cells the left of a heading needs to say something.
const headingLeast = 12

func (v *remote[T]) view(w, h int) string {
	if len(v.f.accounts) == 0 {
		return v.f.screens[viewAccounts].view(w, h)
	}
	if len(v.list.all) == 0 && v.search == "" {
		return v.nothing(w, h)
	}
	head := v.head(w, h)
	sp := splitBody(w, h-len(head), len(v.list.all))
	rows := v.list.view(sp.listW, sp.listH)
	var lines []string
	if t, ok := v.list.selected(); ok {
		lines = v.details(t, sp.textWidth())
	}
	return strings.Join(append(head, sp.withDetails(v.f.st, rows, lines)), "\n")
}

// nothing says why there are no rows, and what to do.
func (v *remote[T]) nothing(w, h int) string {
	s := v.f.st
	head := v.head(w, h)
	h -= len(head)
	body, ok := v.f.unlisted(upper(v.what()), v.job, v.listed, v.err, w, h)
	switch {
	case ok:
	case v.scope.everyone:
		body = emptyView(s, w, h, "There are no "+v.noun+"s in this tenant.", v.f.hint("Press r to ask again."))
	default:
		body = emptyView(s, w, h, clean(v.acc.Login)+" has no "+v.noun+" on "+hostOf(v.acc)+".", v.f.hint("Press r to ask again, n to sign in."))
	}
	return strings.Join(append(head, body), "\n")
}

// unlisted is the body of a list that the stack has not given: why not, and what to do. what names it and begins a sentence.
// ok tells whether that is so.
func (f *frame) unlisted(what string, listing jobID, listed time.Time, err error, w, h int) (body string, ok bool) {
	job := f.jobs.find(listing)
	switch {
	case f.mgr == nil && f.store != storeOpen:
		return emptyView(f.st, w, h, what+" are listed when the store is open.", f.store.word()), true
	case job != nil && !job.slow:
		return block("", w, h), true
	case job != nil:
		return emptyView(f.st, w, h, "Listing "+lower(what)+"…", "The stack takes its time."+f.hint(" esc stops asking.")), true
	case err != nil:
		why, next := advice(clean(err.Error()))
		if next != "" {
			next += "."
		}
		return emptyView(f.st, w, h, what+" can't be listed: "+why+".", strings.TrimSpace(next+"\n"+f.hint("Press r to ask again."))), true
	case listed.IsZero():
		return emptyView(f.st, w, h, what+" were not listed.", f.hint("Press r to ask the stack.")), true
	}
	return "", false
}

// upper begins a sentence.
func upper(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}

// lower goes on with a sentence.
func lower(s string) string {
	if s == "" || s[0] < 'A' || s[0] > 'Z' {
		return s
	}
	return string(s[0]-'A'+'a') + s[1:]
}
