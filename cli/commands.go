package cli

import "github.com/spf13/cobra"

// commands are all there are.
func (a *app) commands() []*cobra.Command {
	return []*cobra.Command{
		a.loginCommand(),
		a.listCommand(),
		a.statusCommand(),
		a.switchCommand(),
		a.useCommand(),
		a.logoutCommand(),
		a.tokenCommand(),
		a.execCommand(),
		a.inspectCommand(),
		a.refreshCommand(),
		a.refreshTokensCommand(),
		a.sessionsCommand(),
		a.apiCommand(),
		a.trustCommand(),
		a.storeCommand(),
		a.unlockCommand(),
		a.lockCommand(),
		a.logCommand(),
		a.configCommand(),
		a.doctorCommand(),
		a.demoCommand(),
		a.agentCommand(),
		a.serveCommand(),
		a.completionCommand(),
		a.manCommand(),
		a.promptCommand(),
		a.versionCommand(),
	}
}
