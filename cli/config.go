package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/adrg/xdg"
	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"

	"wakey/api"
)

// config is what a person has set for good. Flags and the environment come first.
type config struct {
	Lifetime          string `toml:"lifetime,omitempty"`
	MinValid          string `toml:"min_valid,omitempty"`
	PassphraseFile    string `toml:"passphrase_file,omitempty"`
	PassphraseCommand string `toml:"passphrase_command,omitempty"`
	Theme             string `toml:"theme,omitempty"`
}

// setting is one key of the configuration.
type setting struct {
	key   string
	text  string // what it says, for a person
	of    func(*config) *string
	check func(string) error // nil: any text will do
}

var settings = []setting{
	{"lifetime", "how long access tokens live that a sign-in asks for", func(c *config) *string { return &c.Lifetime }, checkLength},
	{"min_valid", "how long a token that is handed out has to live", func(c *config) *string { return &c.MinValid }, checkLength},
	{"passphrase_command", "a shell command that prints the store's passphrase", func(c *config) *string { return &c.PassphraseCommand }, nil},
	{"passphrase_file", "a file that holds the store's passphrase", func(c *config) *string { return &c.PassphraseFile }, checkAbsolute},
	{"theme", "the colours of the screen", func(c *config) *string { return &c.Theme }, nil},
}

func checkLength(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Second {
		return errors.New("give a length of time of a second or more, such as 90s or 1h30m")
	}
	return nil
}

func checkAbsolute(text string) error {
	if !filepath.IsAbs(text) {
		return errors.New("give the whole path: commands are run in many directories")
	}
	return nil
}

func configPath() string { return filepath.Join(xdg.ConfigHome, "wakey", "config.toml") }

// configLimit bounds the configuration, in bytes.
const configLimit = 64 << 10

// readConfig reads the configuration; without a file nothing is set.
func readConfig() (config, error) {
	var c config
	path := configPath()
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err == nil && info.Size() > configLimit {
		err = fmt.Errorf("it is longer than %d bytes", configLimit)
	}
	if err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	d := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields()
	var unknown *toml.StrictMissingError
	switch err := d.Decode(&c); {
	case errors.As(err, &unknown):
		row, _ := unknown.Errors[0].Position()
		return c, fmt.Errorf("%s, line %d: there is no such setting; \"wakey config\" lists them", path, row)
	case err != nil:
		return c, fmt.Errorf("%s: %s; correct it or remove it", path, api.Clean(err.Error()))
	}
	for _, s := range settings {
		if v := *s.of(&c); v != "" && s.check != nil {
			if err := s.check(v); err != nil {
				return c, fmt.Errorf("%s: %s: %w", path, s.key, err)
			}
		}
	}
	return c, nil
}

func writeConfig(c config) error {
	b, err := toml.Marshal(c)
	if err != nil {
		return err
	}
	dir, name := filepath.Split(configPath())
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return writeFile(dir, name, string(b), 0o600)
}

// length is a setting that is a length of time; without one fallback.
func length(text string, fallback time.Duration) time.Duration {
	if d, err := time.ParseDuration(text); err == nil {
		return d
	}
	return fallback
}

func findSetting(key string) (setting, error) {
	i := slices.IndexFunc(settings, func(s setting) bool { return s.key == key })
	if i < 0 {
		return setting{}, usagef("there is no setting %q; there are %v", key, settingKeys())
	}
	return settings[i], nil
}

func settingKeys() []string {
	keys := make([]string, len(settings))
	for i, s := range settings {
		keys[i] = s.key
	}
	return keys
}

func (a *app) configCommand() *cobra.Command {
	var long strings.Builder
	long.WriteString("Show and change what is set for good. Flags and environment variables come first.\n")
	for _, s := range settings {
		fmt.Fprintf(&long, "\n  %-19s %s", s.key, s.text)
	}
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Show and change settings",
		GroupID: groupMachine,
		Long:    long.String(),
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	keys := func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return settingKeys(), cobra.ShellCompDirectiveNoFileComp
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List what is set", Example: `  wakey config list`, Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error { return a.listConfig() },
		},
		&cobra.Command{
			Use: "get KEY", Short: "Print a setting", Example: `  wakey config get lifetime`, Args: cobra.ExactArgs(1), ValidArgsFunction: keys,
			RunE: func(_ *cobra.Command, args []string) error { return a.getConfig(args[0]) },
		},
		&cobra.Command{
			Use: "set KEY VALUE", Short: "Change a setting", Args: cobra.ExactArgs(2), ValidArgsFunction: keys,
			Example: "  wakey config set lifetime 1h\n  wakey config set passphrase_command 'pass show wakey'",
			RunE:    func(_ *cobra.Command, args []string) error { return a.setConfig(args[0], args[1]) },
		},
		&cobra.Command{
			Use: "unset KEY", Short: "Forget a setting", Example: `  wakey config unset lifetime`, Args: cobra.ExactArgs(1), ValidArgsFunction: keys,
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

func (a *app) listConfig() error {
	c, err := readConfig()
	if err != nil {
		return err
	}
	var t table
	for _, s := range settings {
		if v := *s.of(&c); v != "" {
			t.add(s.key, v)
		}
	}
	return t.print(a.stdout)
}

func (a *app) getConfig(key string) error {
	s, err := findSetting(key)
	if err != nil {
		return err
	}
	c, err := readConfig()
	if err != nil {
		return err
	}
	v := *s.of(&c)
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
		return err
	}
	if value != "" && s.check != nil {
		if err := s.check(value); err != nil {
			return usagef("%s: %w", key, err)
		}
	}
	c, err := readConfig()
	if err != nil {
		return err
	}
	*s.of(&c) = value
	return writeConfig(c)
}
