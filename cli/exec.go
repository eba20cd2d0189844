package cli

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func (a *app) execCommand() *cobra.Command {
	var minValid time.Duration
	cmd := &cobra.Command{
		Use:     "exec [ACCOUNT] -- COMMAND [ARGUMENT...]",
		Short:   "Run a command with a good access token in its environment",
		GroupID: groupTokens,
		Long: `Run a command with these variables in its environment:

  WAZO_TOKEN             the access token
  WAZO_TOKEN_EXPIRES_AT  when it expires, as RFC 3339
  WAZO_HOST              the stack's host, and port if it has one of its own
  WAZO_URL               the stack's address: https://HOST
  WAZO_TENANT_UUID       the user's tenant
  WAZO_USER_UUID         the user

The command gets none of wakey's own variables (WAKEY_...). Signals and the exit status are the
command's own.`,
		Example: `  wakey exec -- sh -c 'curl -H "X-Auth-Token: $WAZO_TOKEN" "$WAZO_URL/api/confd/1.1/infos"'
  wakey exec prod --min-valid 1h -- ./nightly-report`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch dash := cmd.ArgsLenAtDash(); {
			case dash < 0:
				return errors.New("put -- before the command to run")
			case dash > 1:
				return errors.New("only one account may be named before --")
			case dash == len(args):
				return errors.New("there is no command after --")
			}
			return nil
		},
		ValidArgsFunction: completeAccounts,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := minValidSetting(cmd, &minValid); err != nil {
				return err
			}
			dash := cmd.ArgsLenAtDash()
			return a.exec(cmd.Context(), args[:dash], args[dash:], minValid)
		},
	}
	cmd.Flags().DurationVar(&minValid, "min-valid", time.Minute, "refresh a token that would live shorter")
	a.accountFlags(cmd)
	return cmd
}

func (a *app) exec(ctx context.Context, account, command []string, minValid time.Duration) error {
	path, err := exec.LookPath(command[0])
	if err != nil {
		return err
	}
	g, err := a.grant(ctx, account, minValid, false)
	if err != nil {
		return err
	}
	a.manager.Wait()
	return replace(path, command, childEnvironment(os.Environ(), g))
}

// childEnvironment is env without what is ours and with what the command is to have.
func childEnvironment(env []string, g grant) []string {
	child := make([]string, 0, len(env)+6)
	for _, v := range env {
		name, _, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(strings.ToUpper(name), "WAKEY_") && !strings.HasPrefix(strings.ToUpper(name), "WAZO_") {
			child = append(child, v)
		}
	}
	expires, _ := rfc3339(g.access.ExpiresAt).(string)
	return append(child,
		"WAZO_TOKEN="+g.access.Token.Reveal(),
		"WAZO_TOKEN_EXPIRES_AT="+expires,
		"WAZO_HOST="+stackName(g.Account),
		"WAZO_URL="+stackURL(g.Stack),
		"WAZO_TENANT_UUID="+g.TenantUUID,
		"WAZO_USER_UUID="+g.UserUUID,
	)
}

// stackURL is the address of the whole stack: the base URL without wazo-auth's own path.
func stackURL(base string) string {
	if root, ok := strings.CutSuffix(base, "/api/auth/0.1"); ok {
		return root
	}
	return strings.TrimSuffix(base, "/0.1")
}
