//go:build linux

package cli

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shells do what a person at one of them does: complete asks for completions of a line that begins with @@, prompt draws what the
// help of "wakey prompt" tells to put into the prompt.
var shells = map[string]struct{ complete, prompt string }{
	// Where the package bash-completion isn't, the words come from here, as it would give them.
	"bash": {
		`_get_comp_words_by_ref() { cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=("${COMP_WORDS[@]}") cword=$COMP_CWORD; }
		__ltrim_colon_completions() { :; }; compopt() { :; }
		source <(wakey completion bash); COMP_WORDS=(@@ ""); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); COMP_TYPE=9
		COMP_LINE="${COMP_WORDS[*]}"; COMP_POINT=${#COMP_LINE}; __start_wakey; printf '%s\n' "${COMPREPLY[@]}"`,
		"@@; echo \"${PS1@P}\"",
	},
	"zsh": {`compdef() { :; }; source <(wakey completion zsh); _describe() { print -rl -- $completions }
		words=(@@ ""); CURRENT=${#words}; _wakey`, "@@; print -P $PROMPT"},
	"fish": {"wakey completion fish | source; complete -C '@@ '", "@@; fish_prompt"},
}

// Every shell that is here completes accounts and client_ids as they are, and shows the account in its prompt.
func TestShells(t *testing.T) {
	if testing.Short() {
		t.Skip("shells and their completions: without -short")
	}
	h := newHouse(t)
	if _, err := offlineToken(h.server, "alice", "phone-7c1e"); err != nil {
		t.Fatal(err)
	}
	root := newRoot()
	help, _, err := root.Find([]string{"prompt"})
	if err != nil {
		t.Fatal(err)
	}
	for name, shell := range shells {
		t.Run(name, func(t *testing.T) {
			path, err := exec.LookPath(name)
			if err != nil {
				t.Skipf("%s is not installed (apt-get install %s)", name, name)
			}
			run := func(script string) []string {
				t.Helper()
				cmd := exec.CommandContext(t.Context(), path, "-c", script)
				cmd.Env = append(slices.Clone(h.env), "TERM=xterm")
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("%v\n%s\n%s", err, script, out)
				}
				return strings.Split(strings.TrimSpace(string(out)), "\n")
			}
			for words, want := range map[string]string{
				"wakey token":                 h.account.Name,
				"wakey exec -a":               h.account.Name,
				"wakey refresh-tokens revoke": "phone-7c1e",
				"wakey refresh-tokens label":  "phone-7c1e",
			} {
				got := run(strings.ReplaceAll(shell.complete, "@@", words))
				if !slices.ContainsFunc(got, func(line string) bool {
					line = strings.ReplaceAll(line, `\:`, ":") // as zsh's _describe wants it
					return regexp.MustCompile(`^` + regexp.QuoteMeta(want) + `([\s:]|$)`).MatchString(line)
				}) {
					t.Errorf("%s completes to %q, want %q", words, got, want)
				}
			}
			snippet := regexp.MustCompile(`(?m)^  ` + name + ` +(.+)$`).FindStringSubmatch(help.Long)
			if snippet == nil {
				t.Fatal("the help has no line for it")
			}
			got := run(strings.ReplaceAll(shell.prompt, "@@", snippet[1]))
			if !regexp.MustCompile(`^` + regexp.QuoteMeta(h.account.Name) + ` 1h5\dmin [$#%>]`).MatchString(got[len(got)-1]) {
				t.Errorf("the prompt is %q", got)
			}
		})
	}
}
