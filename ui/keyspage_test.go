package ui

import (
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

//go:generate go test . -count=1 -run TestGoldenKeysPage -update

// keysPage is the reference of all keys, made from the bindings.
const keysPage = "../docs/keys.md"

// keysIntro begins it.
const keysIntro = `# Keys

Every key of the screen, as the program itself declares them: this page is made from its key maps, and a test fails when
it says something else. The line at the bottom of the screen shows the ones that matter most where you are, ` + "`?`" + ` shows
all of them, and ` + "`ctrl+p`" + ` finds what they do by name. What can't be done at the moment is not offered.

Everything works with the mouse too: click a view's name, a row, a column's heading, a button, or a word in the line at
the bottom, and scroll with the wheel.
`

// keySection is a part of the page.
type keySection struct{ title, about string }

// keySections are the parts of the page, in their order.
var keySections = []keySection{
	{"Everywhere", "While text is typed, letters are text: `f1` and `ctrl+c` take the place of `?` and `q` then."},
	{"Accounts", "View 1. Where there is no account yet, `enter` signs in."},
	{"Inspector", "View 2."},
	{"Refresh tokens", "View 3."},
	{"Sessions", "View 4."},
	{"Users", "View 5."},
	{"Activity", "View 6."},
	{"While a filter is typed", "After `/`, in every list. In the users the stack searches."},
	{"Sign in", "The form that `n` opens."},
	{"Somebody has a token", "The response that `!` opens: its plan, its course and its end."},
	{"A user's details", "What `enter` opens in view 5."},
	{"A user's forms", "To create and edit a user, to set a password, to change e-mails."},
	{"A generated password", "Shown once."},
	{"Confirmations", "Before something ends. The safe button has the focus; where a word has to be typed, letters are text."},
	{"Lists to choose from", "Every action by name, and what to copy a token as."},
	{"What failed", "After work on many things at once."},
	{"Texts in full", "The keys, a reason, what happened."},
	{"Questions", "A token to paste, a permission to ask about, a label, a password, the passphrase."},
	{"Lines of text", "Wherever something is typed."},
}

// sectionOf tells where the bindings of what lies on top belong.
func sectionOf(a *app) string {
	switch a.top().(type) {
	case *signIn:
		return "Sign in"
	case *respond:
		return "Somebody has a token"
	case *userCard:
		return "A user's details"
	case *form:
		return "A user's forms"
	case *once:
		return "A generated password"
	case *confirm:
		return "Confirmations"
	case *menu:
		return "Lists to choose from"
	case *failures:
		return "What failed"
	case *card:
		return "Texts in full"
	case dialog:
		return "Questions"
	}
	if a.top().typing() {
		return "While a filter is typed"
	}
	return a.shown.name()
}

// keyRow is a line of the page: what one action, and its opposite, are called and reached by.
type keyRow struct {
	action action
	keys   []string
	words  []string
}

// opposites are the actions that a help line names together.
var opposites = map[action]action{
	actDown: actUp, actUp: actDown, actPageDown: actPageUp, actPageUp: actPageDown, actHome: actEnd, actEnd: actHome,
	actLeft: actRight, actRight: actLeft, actNext: actPrev, actPrev: actNext,
}

// dialogWords are for what dialogs leave without words, or call differently in each.
var dialogWords = map[action]string{
	actUp: "Move", actDown: "Move", actPageDown: "Move by a page", actHome: "To the beginning, the end", actLeft: "Change, the other way round",
	actChoose: "Go on: what it does is shown", actCancel: "Close, and leave everything as it is", actSave: "Save, from every field",
}

// addKeys puts bindings into a section, each after the one it follows there.
func addKeys(rows []keyRow, bs []binding) []keyRow {
	at := 0
	for _, b := range bs {
		words := b.name
		if words == "" && b.short != "" {
			words = strings.ToUpper(b.short[:1]) + b.short[1:]
		}
		i := slices.IndexFunc(rows, func(r keyRow) bool { return r.action == b.action })
		if i < 0 {
			i = at
			rows = slices.Insert(rows, i, keyRow{action: b.action})
		}
		r := &rows[i]
		for _, k := range b.keys {
			if !slices.Contains(r.keys, k) {
				r.keys = append(r.keys, k)
			}
		}
		if words != "" && !slices.Contains(r.words, words) {
			r.words = append(r.words, words)
		}
		at = i + 1
	}
	return rows
}

// inPairs makes one row of two that a help line names together, and finds words for all.
func inPairs(rows []keyRow) []keyRow {
	var out []keyRow
	for _, r := range rows {
		i := slices.IndexFunc(out, func(o keyRow) bool { return o.action == opposites[r.action] })
		if i >= 0 && (len(r.words) == 0 || len(out[i].words) == 0 || slices.Equal(r.words, out[i].words)) {
			for _, k := range r.keys {
				if !slices.Contains(out[i].keys, k) {
					out[i].keys = append(out[i].keys, k)
				}
			}
			out[i].words = append(out[i].words, r.words...)
			continue
		}
		out = append(out, r)
	}
	for i, r := range out {
		if word := dialogWords[r.action]; word != "" && (len(r.words) == 0 || len(r.words) > 2) {
			out[i].words = []string{word}
		}
		out[i].words = slices.Compact(out[i].words)
	}
	return out
}

// keyOnPage is a key as the page writes it: as the screen does.
func keyOnPage(k string) string {
	for from, to := range map[string]string{"up": "↑", "down": "↓", "left": "←", "right": "→", "pgdown": "pgdn"} {
		if k == from {
			k = to
		}
	}
	return "`" + k + "`"
}

// TestGoldenKeysPage holds the page of keys against the bindings of every scene; -update writes it anew.
func TestGoldenKeysPage(t *testing.T) {
	sections := map[string][]keyRow{
		"Everywhere":    addKeys(nil, slices.Concat(viewBindings(), everywhere)),
		"Lines of text": addKeys(nil, inputBindings),
	}
	setUps := scenes()
	names := slices.Concat(goldenScenes, slices.Sorted(maps.Keys(setUps)))
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			continue
		}
		for row := range 5 {
			a := newTestApp(t, 100, 30, testAccounts(noon))
			for range row {
				press(a, "j")
			}
			setUps[name](a)
			if len(a.accounts) == 0 {
				continue // enter signs in then, and that is told
			}
			section := sectionOf(a)
			sections[section] = addKeys(sections[section], a.top().bindings())
		}
	}
	var page strings.Builder
	page.WriteString(keysIntro)
	for _, sec := range keySections {
		rows := inPairs(sections[sec.title])
		delete(sections, sec.title)
		if len(rows) == 0 {
			t.Errorf("%s: no scene shows its keys", sec.title)
		}
		page.WriteString("\n## " + sec.title + "\n\n" + sec.about + "\n\n| keys | what they do |\n|---|---|\n")
		for _, r := range rows {
			keys := make([]string, len(r.keys))
			for i, k := range r.keys {
				keys[i] = keyOnPage(k)
			}
			page.WriteString("| " + strings.Join(keys, " ") + " | " + strings.Join(r.words, "; ") + " |\n")
		}
	}
	for title := range sections {
		t.Errorf("the page has no section %q", title)
	}
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		if err := os.WriteFile(keysPage, []byte(page.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(keysPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(kept) != page.String() {
		t.Errorf("docs/keys.md is not what the bindings say: go generate ./ui, then look at the difference")
	}
}
