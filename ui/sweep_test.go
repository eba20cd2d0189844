package ui

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// moreScenes are dialogs over views that the other scenes leave out.
func moreScenes() map[string]func(a *app) {
	all := map[string]func(a *app){
		"quit while busy": func(a *app) {
			a.jobs.add(&job{title: "revoking " + strings.Repeat("very ", 30) + "much", cancel: func() {}})
			press(a, "q")
		},
		"forget": func(a *app) {
			a.mgr = noManager()
			press(a, "j", "F")
		},
		"stopped job": func(a *app) {
			a.say(toastWarn, "stopped something with a long name, and more to say about it")
			a.jobs.add(&job{title: "listing the refresh tokens of alice", slow: true, cancel: func() {}})
		},
		"opened twice": func(a *app) {
			a.push(newNotice(a.frame, "behind", strings.Repeat("words ", 200)))
			a.push(newHelp(a.frame))
		},
		"compare with": func(a *app) {
			scenes()["inspector told"](a)
			a.mgr = noManager()
			press(a, "c")
		},
	}
	for id := range viewCount {
		all["help of "+id.name()] = func(a *app) { a.open(id); press(a, "?") }
		all["palette of "+id.name()] = func(a *app) { a.open(id); press(a, ":") }
	}
	all["help of the sign-in"] = func(a *app) { press(a, "n", "f1") }
	return all
}

// TestEverythingIsSwept holds that every view and every dialog there is, is among the scenes that
// are drawn at all sizes.
func TestEverythingIsSwept(t *testing.T) {
	seen := map[string]bool{}
	for _, setUp := range scenes() {
		a := newTestApp(t, 80, 24, testAccounts(noon))
		setUp(a)
		seen[reflect.TypeOf(a.screen()).Elem().Name()] = true
		for _, d := range a.dialogs {
			seen[reflect.TypeOf(d).Elem().Name()] = true
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || fn.Name.Name != "view" || !takesBox(fn) {
				continue
			}
			typ := receiver(fn)
			if typ == "" {
				continue // a part of others
			}
			found++
			if !seen[typ] {
				t.Errorf("%s: no scene shows a %s", name, typ)
			}
		}
	}
	if found < 12 {
		t.Errorf("only %d views and dialogs were found", found)
	}
}

// takesBox tells the view method of a screen or a dialog from others: it takes a width and a height,
// and nothing else.
func takesBox(fn *ast.FuncDecl) bool {
	n := 0
	for _, f := range fn.Type.Params.List {
		n += max(1, len(f.Names))
		if id, ok := f.Type.(*ast.Ident); !ok || id.Name != "int" {
			return false
		}
	}
	return n == 2
}

// receiver names the type of a method; the generic ones are parts of others and have none here.
func receiver(fn *ast.FuncDecl) string {
	t := fn.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

// TestLateAnswersOfEveryView delays what each view asks for until it is left, and holds that
// nothing of it is shown any more: not there, and not in the view that is shown by then.
func TestLateAnswersOfEveryView(t *testing.T) {
	s := newStack(t)
	s.stranger(t, bob, "phone-of-bob")
	s.adminAccount(t)
	for id := range viewCount {
		for _, keys := range [][]string{{}, {"r"}, {"e"}, {"a"}, {"x"}, {"enter"}} {
			a := s.openApp(t)
			for _, x := range a.accounts {
				if x.Name == "admin" {
					a.current = x.ID
				}
			}
			a.open(viewAccounts)
			late := collect[answerMsg](press(a, string(rune('1'+id))))
			if len(keys) > 0 { // what was asked is answered, and something else is asked for
				for _, m := range late {
					_, cmd := a.Update(m)
					answers(a, cmd)
				}
				late = collect[answerMsg](press(a, keys...))
			}
			if id == viewAccounts || id == viewInspector && len(keys) > 0 && keys[0] == "r" {
				continue // a refresh is the account's, whatever view is shown
			}
			for range len(a.dialogs) {
				press(a, "esc")
			}
			press(a, "1")
			for _, j := range a.jobs.list {
				t.Errorf("%s after %q: it still runs: %s", id.name(), keys, j.title)
			}
			before := plainFrame(a)
			for _, m := range late {
				if _, cmd := a.Update(m); cmd != nil {
					t.Errorf("%s after %q: a late answer leads to more", id.name(), keys)
				}
			}
			if after := plainFrame(a); after != before {
				t.Errorf("%s after %q: a late answer changed the accounts:\n%s", id.name(), keys, after)
			}
		}
	}
}
