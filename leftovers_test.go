package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// leftovers are words that belong to the place where a text was written, not to the product. Each has a
// character class in it, so that it doesn't find itself.
var leftovers = []*regexp.Regexp{
	regexp.MustCompile(`/wor[k]/`),
	regexp.MustCompile(`/home/[a-z]+/(?:src|go|[Dd]esktop)[/]`),
	regexp.MustCompile(`/Users/[a-z]+[/]`),
	regexp.MustCompile(`(?i)\bissue[s]? #?\d+`),
	regexp.MustCompile(`(?i)\bworktre[e]s?\b`),
	regexp.MustCompile(`^(?:<<<<<<[<]|>>>>>>[>]) `),
}

func TestNoLeftovers(t *testing.T) {
	t.Parallel()

	out, err := exec.CommandContext(t.Context(), "git", "ls-files", "-z").Output()
	if err != nil {
		t.Skipf("not a git checkout, so which files are committed is unknown: %v", err)
	}

	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		content, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			continue // deleted, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(content, 0) >= 0 {
			continue // an image or another binary
		}
		number := 0
		for line := range strings.Lines(string(content)) {
			number++
			if word := leftover(line); word != "" {
				t.Errorf("%s:%d: %q says nothing about the product", name, number, word)
			}
		}
	}
}

func TestLeftover(t *testing.T) {
	t.Parallel()

	slash := "/"
	tests := map[string]string{
		"see " + slash + "work" + slash + "notes": slash + "work" + slash,
		"as issue" + " #12 says":                  "issue" + " #12",
		"in my work" + "tree":                     "work" + "tree",
		"~/work is fine, and network/work is":     "",
		"a token is issued 12 times":              "",
	}
	for line, want := range tests {
		if got := leftover(line); got != want {
			t.Errorf("leftover(%q) = %q, want %q", line, got, want)
		}
	}
}

// leftover gives the first word in a line that doesn't belong to the product, or "".
func leftover(line string) string {
	for _, pattern := range leftovers {
		if word := pattern.FindString(line); word != "" {
			return word
		}
	}

	return ""
}
