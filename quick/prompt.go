package quick

import (
	"bytes"
	"errors"
	"os"
	"time"
)

// PromptLine is what "wakey prompt" prints: the account that commands work on here, how long its access
// token has left, and a mark when something is wrong. It reads neither keyring nor network. Errors
// show as nothing: a prompt is no place for them. valid tells which names are fine to print.
func PromptLine(dir string, now time.Time, valid func(name string) error) (line string, sure bool) {
	if os.Getenv("WAKEY_REFRESH_TOKEN") != "" {
		return "environment\n", true
	}
	a, err := find(dir, valid)
	if err != nil {
		return "", !errors.Is(err, errUnsure)
	}
	// The prompts of shells expand some signs in what they are given.
	name := string(bytes.Map(func(r rune) rune {
		switch r {
		case '%', '$', '`', '!', '\\', '"', '\'':
			return '_'
		}
		return r
	}, []byte(a.name)))
	left := a.expires.Sub(now)
	switch {
	case needsPerson(a.state), left <= 0 && !a.refreshes:
		return name + " !\n", true
	case left <= 0:
		return name + " ?\n", true
	}
	return name + " " + string(bytes.ReplaceAll([]byte(InWords(left)), []byte(" "), nil)) + "\n", true
}

// needsPerson tells whether a state is one that a person has to end.
func needsPerson(state string) bool {
	return state == "sign-in needed" || state == "revoked elsewhere" || state == "identity changed"
}
