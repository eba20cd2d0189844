package cli

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// named finds a command in a text: "wakey store move --keyring", up to where it ends or the sentence goes on.
var named = regexp.MustCompile(`(?:["“(]|: )wakey ((?:[a-z][a-z-]*|--?[a-z][a-z-]*(?:=\S+)?|%[sq]|[A-Z_]+)(?: (?:[a-z][a-z-]*|--?[a-z][a-z-]*(?:=\S+)?|%[sq]|[A-Z_]+))*)(["“”;:,.)]|$)`)

// What an error or a screen tells people to type can be typed: the command exists, with these flags and as many arguments.
// A command is what stands alone in quotation marks, or after a colon up to the end of the part of the sentence.
func TestNamedCommandsExist(t *testing.T) {
	checked := 0
	for _, dir := range []string{".", "../session", "../api", "../ui", "../quick"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				literal, ok := n.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					return true
				}
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Error(err)
				}
				for _, m := range named.FindAllStringSubmatch(text, -1) {
					checked++
					if complaint := callable(m[1]); complaint != "" {
						t.Errorf("%s: wakey %s: %s", set.Position(literal.Pos()), m[1], complaint)
					}
				}
				return true
			})
		}
	}
	t.Logf("%d commands are named", checked)
	if checked < 40 {
		t.Errorf("only %d commands are named: the search is blind", checked)
	}
}

// callable says why words can't be typed after "wakey". Arguments that are left out are the reader's own.
func callable(words string) string {
	root := newRoot()
	root.InitDefaultHelpCmd()
	cmd, rest, err := root.Find(strings.Fields(words))
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if err == nil && len(cmd.Flags().Args()) > 0 {
		err = cmd.ValidateArgs(cmd.Flags().Args())
	}
	if err == nil || strings.Contains(err.Error(), "needs an argument") || errors.Is(err, pflag.ErrHelp) {
		return ""
	}
	return err.Error()
}
