package ui

import "strings"

// head are the lines above the list: whose it is, how many, and what the last revocation came to.
func (v *remote[T]) head(w, h int) []string {
	if h < 6 {
		return nil
	}
	s := v.f.st
	of := v.acc.Login + " on " + hostOf(v.acc)
	if v.scope.everyone {
		of = "everyone in the tenant of " + v.acc.Login
		if v.scope.below {
			of += " and below"
		}
		of += ", on " + hostOf(v.acc)
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
	lines := []string{spread(" "+s.strong.Render(of), s.muted.Render(right)+" ", w)}
	if v.partial() && v.f.jobs.find(v.job) == nil {
		note := "the first " + number(len(v.list.all)) + " of " + number(v.total)
		if v.searchable {
			note += ": / and enter search the stack for a client_id"
		}
		lines = append(lines, " "+s.warn.Render(cut("▲ "+note, w-2)))
	}
	if v.search != "" {
		lines = append(lines, " "+s.info.Render(cut("· searched on the stack for "+clean(v.search)+"; esc shows all", w-2)))
	}
	return append(lines, v.result.lines(s, w, h)...)
}

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
	pane := ""
	if t, ok := v.list.selected(); ok {
		paneW, paneH := sp.room()
		lines := v.details(t, paneW-2)
		if len(lines) > paneH && paneH > 0 {
			lines = append(lines[:paneH-1:paneH-1], v.f.st.muted.Render("↓ enter shows all of it"))
		}
		for i := range lines {
			lines[i] = " " + lines[i]
		}
		pane = strings.Join(lines, "\n")
	}
	return strings.Join(append(head, sp.join(v.f.st, rows, pane)), "\n")
}

// nothing says why there are no rows, and what to do.
func (v *remote[T]) nothing(w, h int) string {
	s := v.f.st
	head := v.head(w, h)
	h -= len(head)
	var body string
	job := v.f.jobs.find(v.job)
	switch {
	case v.f.mgr == nil && v.f.store != storeOpen:
		body = emptyView(s, w, h, upper(v.what())+" are listed when the store is open.", v.f.store.word())
	case job != nil && !job.slow:
		body = block("", w, h)
	case job != nil:
		body = emptyView(s, w, h, "Listing "+v.what()+"…", "The stack takes its time. esc stops asking.")
	case v.err != nil:
		what, next := advice(clean(v.err.Error()))
		if next != "" {
			next += ". "
		}
		body = emptyView(s, w, h, upper(v.what())+" can't be listed: "+what+".", next+"Press r to ask again.")
	case v.listed.IsZero():
		body = emptyView(s, w, h, upper(v.what())+" were not listed.", "Press r to ask the stack.")
	case v.scope.everyone:
		body = emptyView(s, w, h, "There are no "+v.noun+"s in this tenant.", "Press r to ask again.")
	default:
		body = emptyView(s, w, h, clean(v.acc.Login)+" has no "+v.noun+" on "+hostOf(v.acc)+".", "Press r to ask again, n to sign in.")
	}
	return strings.Join(append(head, body), "\n")
}

// upper begins a sentence.
func upper(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}
