package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagError keeps values out of pflag's words, which may be a password on the wrong side of a typo,
// and refuses a secret in a flag.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var wrong *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		if word := secretWord(unknown.GetSpecifiedName()); word != "" {
			return secretInFlag(cmd, unknown.GetSpecifiedName(), word)
		}
		if short := unknown.GetSpecifiedShortnames(); short != "" {
			return fmt.Errorf("unknown shorthand flag: %q", short[:1])
		}
	case errors.As(err, &wrong):
		if word := secretWord(wrong.GetFlag().Name); word != "" {
			return secretInFlag(cmd, wrong.GetFlag().Name, word)
		}
	}
	return err
}

// secretWord is what a flag of this name would take that nobody else may read; "" when nothing.
func secretWord(flag string) string {
	for _, word := range []string{"password", "passphrase", "token", "secret"} {
		if flag == word || strings.HasSuffix(flag, "-"+word) {
			return word
		}
	}
	return ""
}

// secretInFlag refuses a secret and names the ways that the command has for it.
func secretInFlag(cmd *cobra.Command, flag, word string) error {
	var ways []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		for _, way := range []string{"-stdin", "-file", "-command"} {
			if strings.HasSuffix(f.Name, word+way) {
				ways = append(ways, "--"+f.Name)
			}
		}
	})
	instead := "leave it out to be asked"
	if word == "token" {
		instead = "leave it out"
	}
	if len(ways) > 0 {
		instead += ", or use " + strings.Join(ways, " or ")
	}
	return fmt.Errorf("--%s: a %s on the command line can be read by everybody on this machine; %s", flag, word, instead)
}

// noPassphrase is for commands whose --passphrase takes none.
func noPassphrase(cmd *cobra.Command, args []string) error {
	if len(args) > 0 && cmd.Flags().Changed("passphrase") {
		return secretInFlag(cmd, "passphrase", "passphrase")
	}
	return cobra.NoArgs(cmd, args)
}
