package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestNothingSleepsForReal finds tests that sleep in real time, which makes them slow on a fast machine and
// wrong on a slow one. In a bubble of testing/synctest a sleep takes no time: there it is fine, as in a
// function that bubbles alone call.
func TestNothingSleepsForReal(t *testing.T) {
	t.Parallel()

	dirs := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != "." {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, "_test.go") {
			dirs[filepath.Dir(path)] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(dirs) < 5 {
		t.Fatalf("tests in %d directories only", len(dirs))
	}
	for dir := range dirs {
		fset := token.NewFileSet()
		names, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		var files []*ast.File
		for _, name := range names {
			f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
		for _, pos := range sleeps(files) {
			t.Errorf("%s: sleeps in real time: wait for what is to happen, or use a bubble of testing/synctest", fset.Position(pos))
		}
	}
}

// sleeps gives the places of a package's tests that sleep outside of a bubble. It goes by names, so it
// doesn't follow a method whose name something else has as well.
func sleeps(files []*ast.File) []token.Pos {
	declared := map[string]int{}
	bubbles := map[string]bool{"synctest.Test": true}
	for range 3 { // a function that runs its argument in a bubble, and one that leaves that to another
		for _, f := range files {
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil && takesFunc(fn) && callsAny(fn.Body, bubbles) {
					bubbles[fn.Name.Name] = true
				}
			}
		}
	}
	// A function that sleeps does so for whoever calls it, up to a bubble, a test or nobody.
	calls := map[string][]call{} // of a name, outside of bubbles
	for _, f := range files {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				declared[fn.Name.Name]++
				if fn.Body != nil {
					callsIn(fn.Body, fn.Name.Name, bubbles, calls)
				}
			} else {
				callsIn(d, "init", bubbles, calls)
			}
		}
	}
	var found []token.Pos
	asked := map[string]bool{}
	var ask func(name string)
	ask = func(name string) {
		if asked[name] {
			return
		}
		asked[name] = true
		for _, c := range calls[name] {
			switch {
			case strings.HasPrefix(c.in, "Test"), strings.HasPrefix(c.in, "Benchmark"), strings.HasPrefix(c.in, "Fuzz"), c.in == "init":
				found = append(found, c.at)
			case declared[c.in] == 1:
				ask(c.in)
			}
		}
	}
	ask("time.Sleep")
	return found
}

func takesFunc(fn *ast.FuncDecl) bool {
	for _, p := range fn.Type.Params.List {
		if _, ok := p.Type.(*ast.FuncType); ok {
			return true
		}
	}
	return false
}

func callsAny(n ast.Node, names map[string]bool) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok {
			found = found || names[callee(c)]
		}
		return !found
	})
	return found
}

// call is a call in a function.
type call struct {
	in string
	at token.Pos
}

// callsIn collects the calls below n, by the name of what is called, but for those in a bubble.
func callsIn(n ast.Node, in string, bubbles map[string]bool, calls map[string][]call) {
	ast.Inspect(n, func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		name := callee(c)
		calls[name] = append(calls[name], call{in, c.Pos()})
		return !bubbles[name]
	})
}

// callee is the name of what is called, with its package where that is the standard library's.
func callee(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok && (x.Name == "time" || x.Name == "synctest") {
			return x.Name + "." + f.Sel.Name
		}
		return f.Sel.Name
	}
	return ""
}

// TestSleeps makes sure that the check above can fail at all.
func TestSleeps(t *testing.T) {
	t.Parallel()

	const helpers = "func bubble(t T, f func()) { synctest.Test(t, f) }\nfunc y() { time.Sleep(1) }\nfunc (w) z() { y() }\n"
	for body, want := range map[string]int{
		`func TestX() { time.Sleep(1) }`:                              1,
		`func TestX() { go func() { time.Sleep(1) }() }`:              1,
		`func TestX() { t.Run("", func() { y() }) }`:                  1,
		`func TestX() { w.z() }`:                                      1,
		`func BenchmarkX() { w.z() }`:                                 1,
		`var x = map[string]func(){"a": func() { time.Sleep(1) }}`:    1,
		`func TestX() { bubble(t, func() {}); y() }`:                  1,
		`func TestX() { synctest.Test(t, func() { time.Sleep(1) }) }`: 0,
		`func TestX() { bubble(t, func() { y() }) }`:                  0,
		`func TestX() { time.After(1) }`:                              0,
		`func TestX() { w.z() }` + "\n" + `func (v) z() {}`:           0,
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "x_test.go", "package x\n"+helpers+body, parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if got := sleeps([]*ast.File{f}); len(got) != want {
			t.Errorf("%s\nfinds %d, want %d", body, len(got), want)
		}
	}
}
