package main_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// module is the path that every package of ours starts with.
const module = "wakey"

// quickModule is a package of ours that is a module of its own.
const quickModule = "a.wakey/quick"

// layer says what a package may import of ours, and whether it may draw.
type layer struct {
	imports []string // packages of ours, by their path under the module
	tui     bool     // may import the terminal UI libraries
}

// layers is the map of the house: imports go one way, from the program down to the
// client. A package that isn't here has no place yet: give it one, with its imports.
var layers = map[string]layer{
	module:              {imports: []string{"cli"}},
	"cli":               {imports: []string{"ui", "session", "api", "assets", "internal/authd", "internal/desktop", "quick"}},
	"ui":                {imports: []string{"session", "api", "assets", "internal/desktop"}, tui: true},
	"session":           {imports: []string{"api", "quick"}},
	"api":               {},
	"assets":            {},
	"internal/authd":    {},
	"internal/desktop":  {},
	"internal/keyringd": {imports: []string{"internal/notifyd"}}, // real keyrings for tests
	"internal/notifyd":  {},                                      // takes notifications in tests
	"security":          {},                                      // tests of the whole program
}

// standIns are what the tests of every layer may use: the server, and a desktop. The server doesn't know the client
// and the client doesn't know it: the protocol is written twice, so that one wrong
// field name can't pass on both sides.
var standIns = []string{"internal/authd", "internal/keyringd", "internal/notifyd"}

// goPackage is what `go list -json` says of a package, as far as it matters here.
type goPackage struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func TestImportsGoOneWay(t *testing.T) {
	t.Parallel()

	for _, goos := range []string{"linux", "darwin", "windows"} {
		t.Run(goos, func(t *testing.T) {
			t.Parallel()

			packages := listPackages(t, goos)
			if len(packages) == 0 {
				t.Fatal("go list found no package")
			}
			for _, pkg := range packages {
				for _, complaint := range complaints(pkg) {
					t.Error(complaint)
				}
			}
		})
	}
}

// complaints lists what a package imports although its layer may not.
func complaints(pkg goPackage) []string {
	name := inModule(pkg.ImportPath)
	rule, known := layers[name]
	if !known {
		return []string{pkg.ImportPath + " is not in the table of layers: add it with what it may import"}
	}

	var found []string
	check := func(kind string, imports, allowed []string) {
		for _, path := range imports {
			switch {
			case isTUI(path) && !rule.tui:
				found = append(found, pkg.ImportPath+" "+kind+" "+path+": only ui may use the terminal UI libraries")
			case isOurs(path) && !slices.Contains(allowed, inModule(path)):
				found = append(found, pkg.ImportPath+" "+kind+" "+path+": its layer may not")
			}
		}
	}
	check("imports", pkg.Imports, rule.imports)
	forTests := slices.Concat([]string{name}, standIns, rule.imports)
	check("imports in tests", pkg.TestImports, forTests)
	check("imports in tests", pkg.XTestImports, forTests)

	return found
}

// TestComplaints makes sure that the check above can fail at all.
func TestComplaints(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		pkg  goPackage
		want int
	}{
		"the program starts the command line":    {goPackage{ImportPath: "wakey", Imports: []string{"os", "wakey/cli"}}, 0},
		"the program reaches past it":            {goPackage{ImportPath: "wakey", Imports: []string{"wakey/session"}}, 1},
		"session upwards":                        {goPackage{ImportPath: "wakey/session", Imports: []string{"wakey/ui"}}, 1},
		"session draws":                          {goPackage{ImportPath: "wakey/session", Imports: []string{"charm.land/lipgloss/v2"}}, 1},
		"ui draws":                               {goPackage{ImportPath: "wakey/ui", Imports: []string{"charm.land/lipgloss/v2"}}, 0},
		"a test of cli draws":                    {goPackage{ImportPath: "wakey/cli", XTestImports: []string{"charm.land/bubbletea/v2"}}, 1},
		"the screen is in a hurry":               {goPackage{ImportPath: "wakey/ui", Imports: []string{"a.wakey/quick"}}, 1},
		"the client knows the stand-in":          {goPackage{ImportPath: "wakey/api", Imports: []string{"wakey/internal/authd"}}, 1},
		"a test of the client knows it":          {goPackage{ImportPath: "wakey/api", XTestImports: []string{"wakey/api", "wakey/internal/authd"}}, 0},
		"the stand-in knows the client":          {goPackage{ImportPath: "wakey/internal/authd", Imports: []string{"wakey/api"}}, 1},
		"a test of the stand-in knows it":        {goPackage{ImportPath: "wakey/internal/authd", TestImports: []string{"wakey/api"}}, 1},
		"a package without a place":              {goPackage{ImportPath: "wakey/util"}, 1},
		"a stranger whose name starts like ours": {goPackage{ImportPath: "wakey/api", Imports: []string{"wakeystranger/x"}}, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if got := complaints(test.pkg); len(got) != test.want {
				t.Errorf("complaints = %q, want %d", got, test.want)
			}
		})
	}
}

// listPackages asks the go command, since build tags decide what a system's build imports.
func listPackages(t *testing.T, goos string) []goPackage {
	t.Helper()

	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}

	var packages []goPackage
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var pkg goPackage
		if err := decoder.Decode(&pkg); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("go list printed something else than JSON: %v", err)
		}
		packages = append(packages, pkg)
	}
}

func isOurs(path string) bool {
	return path == module || path == quickModule || strings.HasPrefix(path, module+"/")
}

func isTUI(path string) bool {
	return strings.HasPrefix(path, "charm.land/")
}

// inModule shortens an import path to the directory under the module; the root keeps its name.
func inModule(path string) string {
	if path == quickModule {
		return "quick"
	}
	return strings.TrimPrefix(path, module+"/")
}
