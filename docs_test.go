package main_test

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pages are the documents that people read.
func pages(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, name := range append(names, "README.md", "CONTRIBUTING.md", "SECURITY.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found[name] = string(text)
	}
	return found
}

var (
	linkPattern    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headingPattern = regexp.MustCompile(`(?m)^#+ (.+)$`)
	notInAnchor    = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	blockPattern   = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$\n?")
	codePattern    = regexp.MustCompile("`([^`\n]+)`")
	flagPattern    = regexp.MustCompile(`^--?[a-z][a-z-]*`)
	saysPattern    = regexp.MustCompile("^\\s*says `([^`]+)`")
)

// anchors are the ids that a page's headings get.
func anchors(text string) []string {
	var ids []string
	for _, m := range headingPattern.FindAllStringSubmatch(text, -1) {
		id := notInAnchor.ReplaceAllString(strings.ToLower(m[1]), "")
		ids = append(ids, strings.ReplaceAll(id, " ", "-"))
	}
	return ids
}

func TestDocsLinks(t *testing.T) {
	all := pages(t)
	for name, text := range all {
		for _, m := range linkPattern.FindAllStringSubmatch(blockPattern.ReplaceAllString(text, ""), -1) {
			to, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
				continue
			}
			path := name
			if to != "" {
				path = filepath.Join(filepath.Dir(name), to)
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s links to %s, which is not there", name, m[1])
				continue
			}
			if anchor != "" && !slices.Contains(anchors(all[path]), anchor) {
				t.Errorf("%s links to %s, but %s has no such heading", name, m[1], path)
			}
		}
	}
}

// commandsIn are the calls of wakey in a page: in its shell blocks, in what a CI runs, and between backquotes.
func commandsIn(text string) []string {
	var calls []string
	add := func(line string) {
		for _, part := range regexp.MustCompile(`(?:^|[|;&(]\s*|\$\()wakey( [^|;&)#>]*|$)`).FindAllStringSubmatch(line, -1) {
			calls = append(calls, strings.TrimSpace(part[1]))
		}
	}
	for _, block := range blockPattern.FindAllStringSubmatch(text, -1) {
		if block[1] == "yaml" {
			for _, step := range steps(block[2]) {
				add(step)
			}
		}
		if block[1] != "sh" {
			continue
		}
		for line := range strings.Lines(strings.ReplaceAll(block[2], "\\\n", " ")) {
			add(strings.TrimSpace(line))
		}
	}
	for _, code := range codePattern.FindAllStringSubmatch(blockPattern.ReplaceAllString(text, ""), -1) {
		add(code[1])
	}
	return calls
}

func TestDocsCommands(t *testing.T) {
	bin, err := buildWakey()
	if err != nil {
		t.Fatal(err)
	}
	helps := map[string]string{}
	help := func(words string) string {
		if text, ok := helps[words]; ok {
			return text
		}
		out, err := exec.CommandContext(t.Context(), bin, append(strings.Fields(words), "--help")...).CombinedOutput()
		if err != nil {
			t.Fatalf("wakey %s --help: %v\n%s", words, err, out)
		}
		helps[words] = string(out)
		return helps[words]
	}
	checked := 0
	for name, text := range pages(t) {
		for _, call := range commandsIn(text) {
			if complaint := wrongCall(call, help); complaint != "" {
				t.Errorf("%s: `wakey %s`: %s", name, call, complaint)
			}
			checked++
		}
	}
	if checked < 50 {
		t.Errorf("only %d commands were found in the documents", checked)
	}
}

// wrongCall says what in a call of wakey doesn't exist; "" when all does.
func wrongCall(call string, help func(string) string) string {
	path := ""
	words := strings.Fields(call)
	for len(words) > 0 && !strings.HasPrefix(words[0], "-") {
		if !regexp.MustCompile(`(?m)^  ` + regexp.QuoteMeta(words[0]) + ` +`).MatchString(subcommands(help(path))) {
			break
		}
		path = strings.TrimSpace(path + " " + words[0])
		words = words[1:]
	}
	text := help(path)
	if len(words) > 0 && subcommands(text) != "" && !strings.HasPrefix(words[0], "-") && strings.ToUpper(words[0]) != words[0] {
		return fmt.Sprintf("there is no command %q", strings.TrimSpace(path+" "+words[0]))
	}
	for _, w := range words {
		if w == "--" {
			break
		}
		if flag := flagPattern.FindString(w); flag != "" && !regexp.MustCompile(`(?m)(?:^|[ ,])`+regexp.QuoteMeta(flag)+`(?:[ ,=\[]|$)`).MatchString(text) {
			return fmt.Sprintf("%q has no %s", "wakey "+path, flag)
		}
	}
	return ""
}

// subcommands is the part of a help text that lists them.
func subcommands(help string) string {
	if !strings.Contains(help, "[command]") {
		return ""
	}
	_, list, _ := strings.Cut(help, "wakey [command]")
	if list == "" {
		list = help
	}
	list, _, _ = strings.Cut(list, "\nFlags:")
	return list
}

func TestWrongCall(t *testing.T) {
	t.Parallel()
	help := func(words string) string {
		return map[string]string{
			"":           "Usage:\n  wakey [command]\n\nAvailable Commands:\n  store       See\n  token       Print\n\nFlags:\n  -h, --help   help\n",
			"store":      "Usage:\n  wakey store [command]\n\nAvailable Commands:\n  init        Make\n\nFlags:\n",
			"store init": "Usage:\n  wakey store init [flags]\n\nFlags:\n      --passphrase   keep\n",
			"token":      "Usage:\n  wakey token [ACCOUNT] [flags]\n\nFlags:\n  -a, --account NAME   the\n      --json FIELDS[=\"all\"]   print\n",
		}[words]
	}
	for call, want := range map[string]bool{
		"": true, "token": true, "token prod -a x": true, "token --json=a": true, "store init --passphrase": true, "store": true, "COMMAND --help": true,
		"tokens": false, "store move": false, "store init --keyring": false, "token -x": false, "token --acc": false,
	} {
		if got := wrongCall(call, help); (got == "") != want {
			t.Errorf("wrongCall(%q) = %q", call, got)
		}
	}
}

// TestTutorial does what docs/tutorial.md says, block by block in one shell, and holds what each block prints last
// against what the text says that it says.
func TestTutorial(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the tutorial needs %s: %v", tool, err)
		}
	}
	bin, err := buildWakey()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("docs/tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	const port, mark = "127.0.0.1:9497", "=== end of a block ==="
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()

	var script strings.Builder
	var says []string
	script.WriteString("set -euo pipefail\ntrap 'kill %1' EXIT\n")
	text := string(page)
	for _, at := range blockPattern.FindAllStringSubmatchIndex(text, -1) {
		block := strings.ReplaceAll(text[at[4]:at[5]], port, address)
		script.WriteString(block + "\necho '" + mark + "'\n")
		if strings.Contains(block, "wakey serve") {
			script.WriteString("until [ -s stack.json ]; do sleep 0.05; done\n")
		}
		want := ""
		if m := saysPattern.FindStringSubmatch(text[at[1]:]); m != nil {
			want = m[1]
		}
		says = append(says, want)
	}

	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "passphrase"), []byte("of the tutorial\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sh := exec.CommandContext(t.Context(), "bash", "-c", script.String())
	sh.Dir = home
	sh.Env = []string{
		"HOME=" + home, "PATH=" + filepath.Dir(bin) + ":" + os.Getenv("PATH"), "TZ=UTC", "DBUS_SESSION_BUS_ADDRESS=disabled:",
		"WAKEY_PASSPHRASE_FILE=" + filepath.Join(home, "passphrase"),
	}
	var stdout, stderr bytes.Buffer
	sh.Stdout, sh.Stderr = &stdout, &stderr
	runErr := sh.Run()
	outputs := strings.Split(stdout.String(), mark+"\n")
	if runErr != nil || len(outputs) != len(says)+1 {
		t.Fatalf("the tutorial ended in block %d of %d: %v\n%s%s", len(outputs), len(says), runErr, stdout.String(), stderr.String())
	}
	for i, want := range says {
		lines := strings.Split(strings.TrimSpace(outputs[i]), "\n")
		if got := lines[len(lines)-1]; want != "" && got != want {
			t.Errorf("block %d says %q, and the text says %q", i+1, got, want)
		}
	}
	if n := len(slices.DeleteFunc(slices.Clone(says), func(s string) bool { return s == "" })); n < 5 {
		t.Errorf("only %d blocks are held against the text", n)
	}
}

// TestExitCodes holds the table of docs/scripts.md against the manual page, which is made from what the program knows.
func TestExitCodes(t *testing.T) {
	bin, err := buildWakey()
	if err != nil {
		t.Fatal(err)
	}
	manual, err := exec.CommandContext(t.Context(), bin, "man").Output()
	if err != nil {
		t.Fatal(err)
	}
	_, manual, _ = bytes.Cut(manual, []byte(".SH EXIT STATUS\n"))
	want := regexp.MustCompile(`\.TP\n\.B (\d)\n(.+)\n`).ReplaceAllString(string(manual), "| $1 | $2 |\n")
	page, err := os.ReadFile("docs/scripts.md")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(want, "\n") != 8 || !strings.Contains(string(page), want) {
		t.Errorf("docs/scripts.md has another table of exit codes than the manual page:\n%s", want)
	}
}

// TestDependencies holds docs/dependencies.md against go.mod.
func TestDependencies(t *testing.T) {
	page, err := os.ReadFile("docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.+) \\|$").FindAllStringSubmatch(string(page), -1) {
		listed[m[1]] = true
	}
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{if not (or .Indirect .Main)}}{{.Path}}{{end}}", "all").Output()
	if err != nil {
		t.Fatal(err)
	}
	for module := range strings.FieldsSeq(string(out)) {
		if !listed[module] {
			t.Errorf("docs/dependencies.md does not say why %s is there", module)
		}
		delete(listed, module)
	}
	for _, module := range slices.Sorted(maps.Keys(listed)) {
		t.Errorf("docs/dependencies.md lists %s, which go.mod does not require", module)
	}
}

// keyPattern is what a page names as a key, between backquotes.
var keyPattern = regexp.MustCompile("`([A-Za-z0-9/?!:]|esc|enter|tab|space|home|end|delete|backspace|pgup|pgdn|f\\d+|(?:ctrl|alt|shift)\\+[^`\\s]+|[↑↓←→]+)`")

// TestDocsKeys makes sure that every key which a page names is one: docs/keys.md lists them all, and is
// made from the program's own declarations.
func TestDocsKeys(t *testing.T) {
	all := pages(t)
	known := map[string]bool{}
	for line := range strings.Lines(all["docs/keys.md"]) {
		if cell, _, ok := strings.Cut(strings.TrimPrefix(line, "| "), " | "); ok && strings.HasPrefix(line, "| ") {
			for _, m := range codePattern.FindAllStringSubmatch(cell, -1) {
				known[m[1]] = true
			}
		}
	}
	checked := 0
	for name, text := range all {
		for _, m := range keyPattern.FindAllStringSubmatch(blockPattern.ReplaceAllString(text, ""), -1) {
			checked++
			if !known[m[1]] {
				t.Errorf("%s: no part of the screen has the key %q", name, m[1])
			}
		}
	}
	if len(known) < 50 || checked < 200 {
		t.Errorf("%d keys are known, and %d were found in the pages", len(known), checked)
	}
}
