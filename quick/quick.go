// Package quick answers the two questions that are asked hundreds of times a day, "wakey prompt" and
// "wakey token", before the rest of the program has begun.
//
// A Go program initializes every package that is linked into it before main runs, which takes longer here than
// either answer: the screen, jq and TLS are of no use to them. Packages are initialized in the order of their import
// paths, each after those that it imports (Go specification, Program initialization). So this package is a module of its own,
// whose path comes before all others, and it imports little: nothing that needs fmt, encoding/json or net. A
// test in cli sees to both. docs/layout.md has what each part is worth.
//
// Whatever it is not sure of, it leaves to the program, which has a way of its own to the same line: see object, which
// reads what wakey wrote and nothing else. Meanwhile it asks the keyring for what the program will want of it.
package quick

import (
	"os"
	"runtime"
	"time"
)

func init() { //nolint:gochecknoinits // it has to come before the other packages
	if len(os.Args) < 2 || runtime.GOOS == "windows" {
		return
	}
	dir := dataDir()
	if dir == "" {
		return
	}
	var (
		text string
		sure bool
	)
	switch os.Args[1] {
	case "prompt":
		if len(os.Args) == 2 {
			text, sure = PromptLine(dir, time.Now())
		}
	case "token":
		if text, sure = tokenText(dir, os.Args[2:], time.Now()); !sure {
			askAhead(dir)
		}
	case "exec", "api":
		askAhead(dir)
	}
	if !sure {
		return
	}
	if _, err := os.Stdout.WriteString(text); err == nil {
		os.Exit(0) //nolint:forbidigo // nothing has begun that would have to end
	}
}

// dataDir is where the store is, "" when that takes more than a look at the environment.
func dataDir() string { return below("XDG_DATA_HOME", "/.local/share") }

// configFile is where the settings are, "" likewise.
func configFile() string {
	if dir := below("XDG_CONFIG_HOME", "/.config"); dir != "" {
		return dir + "/config.toml"
	}
	return ""
}

// below gives wakey's directory below the one in a variable, or below HOME.
func below(variable, usual string) string {
	dir := os.Getenv(variable)
	if home := os.Getenv("HOME"); dir == "" && home != "" && runtime.GOOS != "darwin" {
		dir = home + usual
	}
	if dir == "" || dir[0] != '/' {
		return ""
	}
	return dir + "/wakey"
}
