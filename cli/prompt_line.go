package cli

import (
	"io"
	"time"

	"a.wakey/quick"
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
			_, err := io.WriteString(a.stdout, a.promptLine(session.DefaultDir(), time.Now()))
			return err
		},
	}
}

// promptLine is what package quick prints, where that is sure of it.
func (a *app) promptLine(dir string, now time.Time) string {
	if fromEnvironment() {
		return environmentAccount + "\n"
	}
	accounts, err := session.ReadIndex(dir)
	if err != nil {
		return ""
	}
	c, err := a.choose(accounts, nil)
	if err != nil || session.ValidName(c.Name) != nil {
		return ""
	}
	return quick.Prompt(c.Name, string(c.State), c.ExpiresAt.Sub(now))
}
