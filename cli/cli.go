// Package cli is the command line: one file a command. A command parses its flags into options,
// calls session and api, and prints. Results go to standard output, everything else to standard error.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"wakey/api"
	"wakey/session"
)

// Main runs wakey with args, which leave out the program's own name, and returns its exit code.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, version string) int {
	_ = session.Harden() // where the system refuses, the memory is as open as any other program's
	takeEnvironmentToken()
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, version: version}
	a.person = session.StoreOptions{Passphrase: a.askPassphrase, Keyring: a.awaitKeyring}
	root := a.root(args)
	root.SetArgs(joinFields(root, args))
	cmd, err := root.ExecuteContextC(ctx)
	if a.manager != nil {
		// A refresh that was under way when the command was cancelled ends with its token kept.
		a.manager.Wait()
		a.closeEnvironment(ctx)
	}
	if a.bucket != nil {
		a.bucket.Close()
	}
	if err != nil && !a.began {
		err = &usageError{err: err, command: cmd.CommandPath()}
	}
	a.report(err)
	return exitCode(err)
}

// app is what the commands share in one run.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	version        string
	began          bool // the arguments were fine and a command runs

	accessible        bool // --accessible
	noInput           bool
	person            session.StoreOptions // asks whoever sits there: on the terminal or on the screen
	account           string               // --account
	passphraseFile    string
	passphraseCommand string
	newPassphraseFile string // of the passphrase that is set, where a command sets one

	watch     time.Duration    // how often the manager looks on the stacks; 0: never
	manager   *session.Manager // once open was called
	files     *session.FileStore
	bucket    *session.BucketStore // nil: the accounts are in files
	handedOut bool                 // the access token left this process
}

// root makes the command line for args.
func (a *app) root(args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "wakey",
		Short: "Keep Wazo Platform accounts signed in",
		Long: `wakey keeps Wazo Platform accounts signed in. It signs in once with a password, keeps only the
refresh token, encrypted, and makes fresh access tokens before the old ones expire. Without a
command it shows all that on a screen.`,
		Example: `  wakey login pbx.example.com --user alice
  curl -H "$(wakey token --header)" https://pbx.example.com/api/confd/1.1/infos`,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := cmd.ValidateFlagGroups(); err != nil {
				return err
			}
			a.began = true
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.screen(cmd.Context())
		},
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(flagError)
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddGroup(
		&cobra.Group{ID: groupAccounts, Title: "Accounts:"},
		&cobra.Group{ID: groupTokens, Title: "Tokens:"},
		&cobra.Group{ID: groupServer, Title: "On the stack:"},
		&cobra.Group{ID: groupMachine, Title: "On this machine:"},
	)
	flags := root.PersistentFlags()
	flags.BoolVar(&a.noInput, "no-input", false, "never ask anything")
	flags.StringVar(&a.passphraseFile, "passphrase-file", "", "read the store's passphrase from `FILE` (also WAKEY_PASSPHRASE_FILE)")
	flags.StringVar(&a.passphraseCommand, "passphrase-command", "", "take the store's passphrase from what `COMMAND` prints")
	a.accessibleFlag(root)
	root.AddCommand(a.commandsFor(args)...)
	root.SetHelpCommandGroupID(groupMachine)
	return root
}

const (
	groupAccounts = "accounts"
	groupTokens   = "tokens"
	groupServer   = "server"
	groupMachine  = "machine"
)

// talkf prints a line for a person. What a server sent must have been through api.Clean.
func (a *app) talkf(format string, args ...any) {
	fmt.Fprintf(a.stderr, format+"\n", args...)
}

// report prints an error, on a line that says whose it is.
func (a *app) report(err error) {
	if err == nil || isSilent(err) {
		return
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		a.talkf("wakey: %s", api.Clean(line))
	}
	var cert *api.CertError
	if errors.As(err, &cert) && cert.Reason == api.CertChanged {
		a.talkf("wakey: \"wakey trust pin\" replaces the pinned key, \"wakey trust forget\" drops it")
	}
}

// isTerminal tells whether f is a terminal that a person looks at.
func isTerminal(f any) bool {
	file, ok := f.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
