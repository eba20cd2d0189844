package cli

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Show and change settings",
		GroupID: groupMachine,
		Long: `Show and change what is set for good, in a TOML file. Flags and environment variables come first.
A file that makes no sense is refused, with the line and what would be right.

` + settingsHelp(),
		Example: "  wakey config list",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var f format
	list := &cobra.Command{
		Use: "list", Short: "List every setting, its value, and where it is set", Args: cobra.NoArgs,
		Example: "  wakey config list\n  wakey config list --jq '.[] | select(.source != \"default\") | .key'",
		RunE:    func(*cobra.Command, []string) error { return a.listConfig(&f) },
	}
	f.flags(list, fieldNames(settingFields))
	cmd.AddCommand(
		list,
		&cobra.Command{
			Use: "get KEY", Short: "Print what counts for a setting", Example: `  wakey config get theme`, Args: cobra.ExactArgs(1), ValidArgsFunction: completeSettings,
			RunE: func(_ *cobra.Command, args []string) error { return a.getConfig(args[0]) },
		},
		&cobra.Command{
			Use: "set KEY VALUE", Short: "Change a setting", Args: cobra.ExactArgs(2), ValidArgsFunction: completeSettings,
			Example: "  wakey config set lifetime 1h\n  wakey config set theme terminal\n  wakey config set bell false\n  wakey config set passphrase_command 'pass show wakey'",
			RunE:    func(_ *cobra.Command, args []string) error { return a.setConfig(args[0], args[1]) },
		},
		&cobra.Command{
			Use: "unset KEY", Short: "Forget a setting", Example: `  wakey config unset lifetime`, Args: cobra.ExactArgs(1), ValidArgsFunction: completeSettings,
			RunE: func(_ *cobra.Command, args []string) error { return a.setConfig(args[0], "") },
		},
		&cobra.Command{
			Use: "path", Short: "Print where the settings are kept", Example: `  wakey config path`, Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				_, err := fmt.Fprintln(a.stdout, configPath())
				return err
			},
		},
	)
	return cmd
}

// settingsHelp explains every setting.
func settingsHelp() string {
	var b strings.Builder
	for i := range settings {
		s := &settings[i]
		fmt.Fprintf(&b, "  %-19s %s", s.key, s.text)
		if s.values != nil {
			fmt.Fprintf(&b, ": %s", strings.Join(s.values, ", "))
		}
		b.WriteString("\n")
		if s.or != "" {
			fmt.Fprintf(&b, "  %-19s default: %s\n", "", s.or)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// completeSettings offers keys, and the values of those that have but a few.
func completeSettings(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	switch {
	case len(args) == 0:
		return settingKeys(), cobra.ShellCompDirectiveNoFileComp
	case len(args) > 1 || cmd.Name() != "set":
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	s, err := findSetting(args[0])
	switch {
	case err != nil:
		return nil, cobra.ShellCompDirectiveNoFileComp
	case s.yesNo:
		return []string{yes, no}, cobra.ShellCompDirectiveNoFileComp
	case s.key == setPassphraseFile:
		return nil, cobra.ShellCompDirectiveDefault
	}
	return s.values, cobra.ShellCompDirectiveNoFileComp
}

// standingSetting is a setting, what counts for it, and who says so.
type standingSetting struct {
	*setting

	value, source string
}

var settingFields = []field[standingSetting]{
	{"key", func(s standingSetting) any { return s.key }},
	{"value", func(s standingSetting) any { return s.value }},
	{"default", func(s standingSetting) any { return s.or }},
	{"source", func(s standingSetting) any { return s.source }},
	{"text", func(s standingSetting) any { return s.text }},
}

// standing tells what counts: the environment's word, else the file's, else the default.
func (c config) standing(s *setting) standingSetting {
	all := standingSetting{s, c.text(s.key), "default"}
	if g, set := c[s.key]; set {
		all.source = fmt.Sprintf("line %d", g.line)
	}
	if v := os.Getenv(s.env); s.env != "" && v != "" {
		all.value, all.source = v, s.env
		if s.yesNo {
			all.value = strconv.FormatBool(saysYes(v))
		}
	}
	return all
}

// saysYes reads a variable that is set for yes, as ACCESSIBLE=1.
func saysYes(v string) bool {
	on, err := strconv.ParseBool(v)
	return v != "" && (on || err != nil)
}

func (a *app) listConfig(f *format) error {
	c, err := readConfig()
	if err != nil {
		return err
	}
	all := make([]standingSetting, len(settings))
	for i := range settings {
		all[i] = c.standing(&settings[i])
	}
	if f.on() {
		return printAll(a, f, settingFields, all)
	}
	t := newTable("SETTING", "VALUE", "SET BY")
	for _, s := range all {
		if s.value == "" {
			s.value = "–"
		}
		t.add(s.key, s.value, s.source)
	}
	if err := t.print(a.stdout); err != nil {
		return err
	}
	a.talkf("The file is %s.", configPath())
	return nil
}

func (a *app) getConfig(key string) error {
	s, err := findSetting(key)
	if err != nil {
		return &usageError{err: err}
	}
	c, err := readConfig()
	if err != nil {
		return err
	}
	v := c.standing(s).value
	if v == "" {
		return fmt.Errorf("%s is not set", key)
	}
	_, err = fmt.Fprintln(a.stdout, a.forOutput(v))
	return err
}

// setConfig changes a setting; an empty value forgets it.
func (a *app) setConfig(key, value string) error {
	s, err := findSetting(key)
	if err != nil {
		return &usageError{err: err}
	}
	if value != "" {
		if err := s.accept(value); err != nil {
			return usagef("%s: %w", key, err)
		}
	}
	c, b, err := readConfigFile()
	if err != nil {
		return err
	}
	changed, err := changeConfig(b, c, s, value)
	if err != nil {
		return err
	}
	if _, err := parseConfig(changed); err != nil {
		return fmt.Errorf("%s could not be changed in place: %w; change it by hand", configPath(), err)
	}
	return writeConfig(changed)
}
