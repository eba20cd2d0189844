package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wakey/session"
)

func (a *app) promptCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "prompt",
		Short:   "Print the account and its minutes left, for a shell's prompt",
		GroupID: groupMachine,
		Long: `Print the account that commands work on here, the time its access token has left, and a mark when
something is wrong ("!" when a person has to act, "?" when the token has expired and will be made
anew when it is needed). Neither keyring nor network is asked, and nothing is printed when there is
no account.

  bash      PS1='$(wakey prompt) \$ '
  zsh       setopt prompt_subst; PROMPT='$(wakey prompt) %# '
  fish      function fish_prompt; echo -n (wakey prompt)' > '; end
  starship  [custom.wakey]
            command = "wakey prompt"
            when = true`,
		Example: `  wakey prompt`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if line := a.promptLine(time.Now()); line != "" {
				fmt.Fprintln(a.stdout, line)
			}
			return nil
		},
	}
}

// promptLine is what the prompt shows. Errors show as nothing: a prompt is no place for them.
func (a *app) promptLine(now time.Time) string {
	accounts, err := session.ReadIndex(session.DefaultDir())
	if err != nil {
		return ""
	}
	c, err := a.choose(accounts, nil)
	if err != nil {
		return ""
	}
	// The prompts of shells expand some signs in what they are given.
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune("%$`!\\\"'", r) {
			return '_'
		}
		return r
	}, c.Name)
	left := c.ExpiresAt.Sub(now)
	switch {
	case c.State.NeedsPerson(), left <= 0 && c.ClientID == "":
		return name + " !"
	case left <= 0:
		return name + " ?"
	}
	return name + " " + strings.ReplaceAll(inWords(left), " ", "")
}
