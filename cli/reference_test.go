package cli

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

//go:generate go test . -count=1 -run TestReference -update

var update = flag.Bool("update", false, "write docs/reference.md anew")

// docs/reference.md says what the program says of itself.
func TestReference(t *testing.T) {
	const path = "../docs/reference.md"
	want := reference(newRoot())
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the commands say: go generate ./cli", path)
	}
}

// reference is the command line as a page of Markdown, from the words that help and manual page are made of.
func reference(root *cobra.Command) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# The command line\n\nMade from the program's own help: `go generate ./cli` writes this page. `wakey help COMMAND` says the same.\n")
	for cmd := range allCommands(root) {
		line("- [`%s`](#%s): %s", cmd.CommandPath(), strings.ReplaceAll(cmd.CommandPath(), " ", "-"), lower(cmd.Short))
	}
	for cmd := range allCommands(root) {
		line("\n## %s\n\n%s\n", cmd.CommandPath(), markdown(long(cmd)))
		if use := cmd.UseLine(); use != cmd.CommandPath() {
			line("```\n%s\n```", use)
		}
		flagTable(line, localFlags(cmd))
		if cmd.Example != "" {
			line("\n```sh\n%s\n```", unindent(cmd.Example))
		}
	}
	line("\n## Options of every command")
	flagTable(line, func(yield func(*pflag.Flag) bool) {
		root.PersistentFlags().VisitAll(func(f *pflag.Flag) { yield(f) })
	})
	line("\n## Environment\n\n| variable | |\n|---|---|")
	for _, v := range environmentHelp {
		line("| `%s` | %s |", strings.ReplaceAll(v[0], ", ", "`, `"), cell(v[1]))
	}
	line("\n## Exit codes\n\n| code | |\n|---|---|")
	for code, text := range exitHelp {
		line("| %d | %s |", code, text)
	}
	return b.String()
}

func flagTable(line func(string, ...any), flags func(func(*pflag.Flag) bool)) {
	heads := "\n| option | |\n|---|---|"
	for f := range flags {
		if heads != "" {
			line("%s", heads)
			heads = ""
		}
		line("| `%s` | %s |", strings.ReplaceAll(flagHead(f), "|", `\|`), cell(flagText(f)))
	}
}

// cell is a text as it can stand in a cell of a table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`).Replace(s)
}

// markdown is a help text as Markdown: its indented lines stay as they are.
func markdown(text string) string {
	var b strings.Builder
	block := false
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, l := range lines {
		indented := strings.HasPrefix(l, "  ") || l == "" && block && i+1 < len(lines) && strings.HasPrefix(lines[i+1], "  ")
		if indented != block {
			if block = indented; block && b.Len() > 0 && !strings.HasSuffix(b.String(), "\n\n") {
				b.WriteString("\n")
			}
			b.WriteString("```\n")
			if !block && l != "" {
				b.WriteString("\n")
			}
		}
		if block {
			b.WriteString(strings.TrimPrefix(l, "  ") + "\n")
		} else {
			b.WriteString(cell(l) + "\n")
		}
	}
	if block {
		b.WriteString("```\n")
	}
	return strings.TrimSpace(b.String())
}

func unindent(text string) string {
	var lines []string
	for l := range strings.Lines(strings.Trim(text, "\n")) {
		lines = append(lines, strings.TrimPrefix(strings.TrimRight(l, "\n"), "  "))
	}
	return strings.Join(lines, "\n")
}
