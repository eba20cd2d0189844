package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "man",
		Short:   "Print the manual page",
		GroupID: groupMachine,
		Long:    `Print the manual page wakey(1), made from the same words as the help of each command.`,
		Example: `  wakey man > wakey.1`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(a.stdout, manPage(cmd.Root()))
			return err
		},
	}
}

// manPage writes the one manual page in roff.
func manPage(root *cobra.Command) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line(".TH WAKEY 1")
	line(".SH NAME")
	line("wakey \\- %s", roff(lower(root.Short)))
	line(".SH SYNOPSIS")
	line(".B wakey\n.I COMMAND\n[\\fIARGUMENT\\fR...]")
	line(".SH DESCRIPTION")
	line("%s", roffText(root.Long))
	line(".SH COMMANDS")
	for cmd := range allCommands(root) {
		line(".SS \"%s\"", roff(cmd.UseLine()))
		line("%s", roffText(long(cmd)))
		for f := range localFlags(cmd) {
			line(".TP\n%s\n%s", roff(flagHead(f)), roff(flagText(f)))
		}
		if cmd.Example != "" {
			line(".PP\n.EX\n%s\n.EE", roffText(cmd.Example))
		}
	}
	line(".SH OPTIONS OF EVERY COMMAND")
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) {
		line(".TP\n%s\n%s", roff(flagHead(f)), roff(flagText(f)))
	})
	line(".SH ENVIRONMENT")
	for _, v := range environmentHelp {
		line(".TP\n.B %s\n%s", roff(v[0]), roff(v[1]))
	}
	line(".SH EXIT STATUS")
	for code, text := range exitHelp {
		line(".TP\n.B %d\n%s", code, roff(text))
	}
	return b.String()
}

// environmentHelp are the variables that are read, with what they say.
var environmentHelp = [][2]string{
	{"WAKEY_ACCOUNT", "the account to work on, unless --account names one"},
	{"WAKEY_PASSPHRASE_FILE", "a file with the store's passphrase, where there is no keyring"},
	{"WAKEY_PASSPHRASE_COMMAND", "a shell command that prints it"},
	{"CREDENTIALS_DIRECTORY", "set by systemd; its file wakey-passphrase holds the passphrase"},
	{"WAKEY_REFRESH_TOKEN, WAKEY_STACK, WAKEY_CLIENT_ID", "a refresh token, its stack and its client_id, for machines that keep nothing: no store is read or written"},
	{"WAKEY_FINGERPRINT, WAKEY_CA_FILE, WAKEY_LIFETIME", "with WAKEY_REFRESH_TOKEN: as the options of wakey login"},
	{"ACCESSIBLE", "1 for asking and answering line by line, without a screen"},
	{"NO_COLOR", "no colours"},
}

// exitHelp are the exit codes, by number.
var exitHelp = [...]string{
	exitDone:        "done",
	exitError:       "an error that is none of the others",
	exitUsage:       "the command line makes no sense",
	exitCancelled:   "cancelled",
	exitSignIn:      "a person has to sign in, or to unlock the store",
	exitPermission:  "the token lacks a permission",
	exitUnreachable: "the stack can't be reached, or what answers is not it",
	exitPartly:      "only part of it was done",
}

// allCommands walks the commands, in the order of the help; a group's own text comes before its commands.
func allCommands(cmd *cobra.Command) func(func(*cobra.Command) bool) {
	return func(yield func(*cobra.Command) bool) { walk(cmd, yield) }
}

func walk(cmd *cobra.Command, yield func(*cobra.Command) bool) bool {
	for _, c := range cmd.Commands() {
		if c.Hidden || c.Name() == "help" {
			continue
		}
		if c.Runnable() && !yield(c) || !walk(c, yield) {
			return false
		}
	}
	return true
}

func long(cmd *cobra.Command) string {
	if strings.TrimSpace(cmd.Long) == "" || strings.HasPrefix(cmd.Long, "\n") {
		return cmd.Short + "." + cmd.Long
	}
	return cmd.Long
}

func localFlags(cmd *cobra.Command) func(func(*pflag.Flag) bool) {
	return func(yield func(*pflag.Flag) bool) {
		more := true
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if more && !f.Hidden && f.Name != "help" {
				more = yield(f)
			}
		})
	}
}

func flagHead(f *pflag.Flag) string {
	name, _ := pflag.UnquoteUsage(f)
	head := "--" + f.Name
	if f.Shorthand != "" {
		head = "-" + f.Shorthand + ", " + head
	}
	if name == "" {
		return head
	}
	if f.NoOptDefVal != "" {
		return head + "[=" + name + "]"
	}
	return head + " " + name
}

func flagText(f *pflag.Flag) string {
	_, usage := pflag.UnquoteUsage(f)
	return usage
}

// roff escapes one line.
func roff(s string) string {
	s = strings.ReplaceAll(s, `\`, `\e`)
	s = strings.ReplaceAll(s, "-", `\-`)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}

// roffText escapes a text; empty lines part paragraphs, and indented lines stay as they are.
func roffText(s string) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	for i, l := range lines {
		switch {
		case l == "":
			lines[i] = ".PP"
		case strings.HasPrefix(l, "  "):
			lines[i] = roff(l) + "\n.br"
		default:
			lines[i] = roff(l)
		}
	}
	return strings.Join(lines, "\n")
}

func lower(s string) string { return strings.ToLower(s[:1]) + s[1:] }
