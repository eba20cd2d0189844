//go:build linux

package security_test

import (
	"errors"
	"os"
	"slices"
	"testing"
)

// A program that leaks is put in place of wakey, and the same search has to find each leak, where it is.
func TestPlantedLeaksAreFound(t *testing.T) {
	w := newWorld(t, newStack(t))
	token, _ := w.stack.signIn(t, alice, alicePassword, "phone-7c1e")
	w.program = w.beside("leaky")
	script := "#!/bin/sh\nTOKEN=$(cat ../token)\neval \"$LEAK\"\n"
	if err := errors.Join(os.WriteFile(w.program, []byte(script), 0o700), os.WriteFile(w.beside("token"), []byte(token), 0o600)); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, script, place string
		terminal            bool
	}{
		{"output", `echo "token: $TOKEN"`, "stdout", false},
		{"half of it", `echo "$TOKEN" | cut -c1-18`, "stdout", false},
		{"an error, in base64", `printf %s "$TOKEN" | base64 >&2`, "stderr", false},
		{"a file", `mkdir -p data; echo "{\"token\": \"$TOKEN\"}" > data/cache.json`, "file data/cache.json", false},
		{"a file's name", `touch "$TOKEN"`, "file " + token, false},
		{"an argument", `show --token "$TOKEN"`, "arguments of show", false},
		{"an environment", `X="$TOKEN" show`, "environment of show", false},
		{"one's own arguments", `sh -c 'show >/dev/null; true' x "$TOKEN"`, "arguments of what started show", false},
		{"a terminal", `echo "$TOKEN"`, "terminal", true},
		{"a terminal, cell by cell", `printf '\033[2J'; i=1; while [ $i -le 36 ]; do printf '\033[5;%dH%s' $((37-i)) "$(echo "$TOKEN" | cut -c$((37-i)))"; i=$((i+1)); done`, "screen", true},
		{"a terminal's title", `printf '\033]2;%s\007' "$TOKEN"`, "title", true},
		{"a clipboard", `printf '\033]52;c;%s\007' "$(printf %s "$TOKEN" | base64 -w0)"`, "clipboard", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.records = nil
			w.t = t
			if tt.terminal {
				x := w.sit("planted", 80, 24, command{env: []string{"LEAK=" + tt.script + `; printf '\033[20;1Hthat is all'; read x`}})
				x.sees("that is all")
				x.types("\n")
				x.ends()
			} else {
				w.run(command{step: "planted", env: []string{"LEAK=" + tt.script}})
			}
			var places []string
			found, _ := w.leaks()
			for _, h := range found {
				places = append(places, h.place)
			}
			if !slices.Contains(places, tt.place) {
				t.Errorf("found in %q, not in %s", places, tt.place)
			}
		})
	}
}
