package quick

import (
	"bytes"
	"errors"
	"os"
	"time"
)

// PromptLine is what "wakey prompt" prints of the account that commands work on here. It reads neither
// keyring nor network. Errors show as nothing: a prompt is no place for them.
func PromptLine(dir string, now time.Time) (line string, sure bool) {
	if os.Getenv("WAKEY_REFRESH_TOKEN") != "" {
		return "environment\n", true
	}
	a, err := find(dir)
	if err != nil {
		return "", !errors.Is(err, errUnsure)
	}
	var expires time.Time // long over, without one
	if a.expires != nil {
		if err := expires.UnmarshalText(a.expires); err != nil {
			return "", false
		}
	}
	state, left := string(a.state), expires.Sub(now)
	if state == "" && left <= 0 && !a.refreshes {
		state = signInNeeded
	}
	return Prompt(string(a.name), state, left), true
}

// Prompt is the line for an account whose access token has so much left: its name, and how long that is or a mark
// when something is wrong.
func Prompt(name, state string, left time.Duration) string {
	// The prompts of shells expand some signs in what they are given.
	name = string(bytes.Map(func(r rune) rune {
		switch r {
		case '%', '$', '`', '!', '\\', '"', '\'':
			return '_'
		}
		return r
	}, []byte(name)))
	switch {
	case needsPerson(state):
		return name + " !\n"
	case left <= 0:
		return name + " ?\n"
	}
	return name + " " + string(bytes.ReplaceAll([]byte(InWords(left)), []byte(" "), nil)) + "\n"
}

const signInNeeded = "sign-in needed"

// needsPerson tells whether a state is one that a person has to end.
func needsPerson(state string) bool {
	return state == signInNeeded || state == "revoked elsewhere" || state == "identity changed"
}
