package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"wakey/session"
)

func (a *app) agentCommand() *cobra.Command {
	var install, uninstall bool
	cmd := &cobra.Command{
		Use:     "agent",
		Short:   "Keep every account signed in, without a screen",
		GroupID: groupMachine,
		Long: `Keep every account of this machine signed in, without a screen, until it is interrupted. What
happens is logged to standard error, alarms included. Accounts that come, go or change are taken
over within a second; without accounts it waits for one. Where systemd starts it, systemd is told
when the accounts are loaded. When an account needs a person, the desktop shows a notification,
once, unless the setting "notifications" is false.

--install has it started at every sign-in to this machine: by a systemd user unit, or a launchd
agent on macOS. The service finds the store's passphrase where --passphrase-file,
--passphrase-command or the environment say now.`,
		Example: `  wakey agent
  wakey agent --install
  wakey agent --install --passphrase-file ~/.config/wakey/passphrase
  wakey agent --uninstall`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case install:
				return a.installAgent(cmd.Context())
			case uninstall:
				return a.uninstallAgent(cmd.Context())
			}
			return a.agent(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&install, "install", false, "start it now and at every sign-in to this machine")
	cmd.Flags().BoolVar(&uninstall, "uninstall", false, "end what --install began")
	cmd.MarkFlagsMutuallyExclusive("install", "uninstall")
	return cmd
}

// agent runs the manager until ctx ends, then until what is under way is over.
func (a *app) agent(ctx context.Context) error {
	if fromEnvironment() {
		return usagef("WAKEY_REFRESH_TOKEN is set, and the agent keeps the accounts of the store: unset it")
	}
	c, err := readConfig()
	if err != nil {
		return err
	}
	dir := session.DefaultDir()
	release, err := lockAgent(dir)
	if err != nil {
		return err
	}
	defer release()

	// It runs all day beside what people work with: room in memory counts for more than the few
	// milliseconds that collecting garbage early takes.
	debug.SetGCPercent(40)

	log := slog.New(slog.NewTextHandler(a.stderr, nil))
	log.Info("starting", "version", a.version, "pid", os.Getpid(), "store", dir)
	store, err := a.store()
	if err != nil {
		return err
	}
	m := session.New(store, session.Options{
		Version: a.version, Dir: dir, Watch: c.length(setWatch), Log: log,
	})
	a.manager = m

	running, over := context.WithCancel(ctx)
	told := make(chan struct{})
	go func() {
		defer close(told)
		select {
		case <-m.Changed(): // the first time: the accounts are loaded
			log.Info("ready", "accounts", m.Len())
			notify(log, "READY=1")
			if c.on(setNotifications) {
				tellDesktop(running, log, m)
			}
		case <-running.Done():
		}
		<-running.Done()
		if ctx.Err() != nil {
			log.Info("stopping once what is under way is done")
			notify(log, "STOPPING=1")
		}
	}()
	err = m.Run(ctx)
	over()
	<-told
	if err != nil {
		return fmt.Errorf("the agent can't begin: %w", err)
	}
	log.Info("stopped")
	return nil
}
