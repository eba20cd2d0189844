package cli

import "github.com/spf13/cobra"

// command is a command's name and what makes it.
type command struct {
	name string
	make func(*app) *cobra.Command
}

// commands are all there are.
var commands = []command{
	{"login", (*app).loginCommand},
	{"list", (*app).listCommand},
	{"status", (*app).statusCommand},
	{"switch", (*app).switchCommand},
	{"use", (*app).useCommand},
	{"logout", (*app).logoutCommand},
	{"token", (*app).tokenCommand},
	{"exec", (*app).execCommand},
	{"inspect", (*app).inspectCommand},
	{"refresh", (*app).refreshCommand},
	{"rotate", (*app).rotateCommand},
	{"refresh-tokens", (*app).refreshTokensCommand},
	{"sessions", (*app).sessionsCommand},
	{"users", (*app).usersCommand},
	{"api", (*app).apiCommand},
	{"respond", (*app).respondCommand},
	{"incidents", (*app).incidentsCommand},
	{"trust", (*app).trustCommand},
	{"store", (*app).storeCommand},
	{"unlock", (*app).unlockCommand},
	{"lock", (*app).lockCommand},
	{"log", (*app).logCommand},
	{"config", (*app).configCommand},
	{"doctor", (*app).doctorCommand},
	{"demo", (*app).demoCommand},
	{"agent", (*app).agentCommand},
	{"serve", (*app).serveCommand},
	{"completion", (*app).completionCommand},
	{"man", (*app).manCommand},
	{"prompt", (*app).promptCommand},
	{"version", (*app).versionCommand},
}

// commandsFor makes the commands that a command line may need. Most name one and need no other,
// and "wakey token" has no time to make them all.
func (a *app) commandsFor(args []string) []*cobra.Command {
	for _, c := range commands {
		if len(args) > 0 && args[0] == c.name && c.name != "man" && c.name != "completion" {
			return []*cobra.Command{c.make(a)}
		}
	}
	all := make([]*cobra.Command, len(commands))
	for i, c := range commands {
		all[i] = c.make(a)
	}
	return all
}
