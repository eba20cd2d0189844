package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) completionCommand() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:     "completion SHELL",
		Short:   "Print completions for bash, zsh, fish or powershell",
		GroupID: groupMachine,
		Long: `Print a script that completes commands, flags, accounts and client_ids.

  bash        wakey completion bash > ~/.local/share/bash-completion/completions/wakey
  zsh         wakey completion zsh > "${fpath[1]}/_wakey"
  fish        wakey completion fish > ~/.config/fish/completions/wakey.fish
  powershell  wakey completion powershell | Out-String | Invoke-Expression`,
		Example: `  wakey completion bash
  wakey completion zsh`,
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.stdout, true)
			case "zsh":
				return root.GenZshCompletion(a.stdout)
			case "fish":
				return root.GenFishCompletion(a.stdout, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(a.stdout)
			}
			return fmt.Errorf("no completions for %s", args[0])
		},
	}
}
