package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"wakey/session"
	"wakey/ui"
)

// setting is one key of the configuration.
type setting struct {
	key    string
	text   string             // what it says, for a person
	or     string             // what counts where it is not set; empty: nothing does
	env    string             // the variable that comes first; empty: none
	yesNo  bool               // true or false, without quotes
	values []string           // the only ones; nil: check says
	check  func(string) error // nil: any text will do
}

const (
	setLifetime          = "lifetime"
	setMinValid          = "min_valid"
	setPassphraseCommand = "passphrase_command"
	setPassphraseFile    = "passphrase_file"
	setWatch             = "watch"
	setTheme             = "theme"
	setBackground        = "background"
	setMouse             = "mouse"
	setClipboardClear    = "clipboard_clear"
	setNotifications     = "notifications"
	setBell              = "bell"
	setAccessible        = "accessible"
)

// never is what a setting is that is a length of time, for not at all.
const never = "never"

// settings are all there are, in the order of the help.
var settings = []setting{
	{key: setLifetime, text: "how long access tokens live that a sign-in asks for (without: the stack's own, usually 2h)", check: atLeast(time.Second)},
	{key: setMinValid, text: "how long a token that is handed out has to live", or: "1m", check: atLeast(time.Second)},
	{key: setPassphraseCommand, text: "a shell command that prints the store's passphrase", env: "WAKEY_PASSPHRASE_COMMAND"},
	{key: setPassphraseFile, text: "a file that holds the store's passphrase", env: "WAKEY_PASSPHRASE_FILE", check: checkAbsolute},
	{
		key: setWatch, text: "how often the screen and the agent look on the stacks for what nobody here knows, or never",
		or: shortLength(session.DefaultWatch), check: orNever(atLeast(30 * time.Second)),
	},
	{key: setNotifications, text: "tell the desktop when an account needs a person", or: yes, yesNo: true},
	{key: setBell, text: "ring the terminal's bell when an account needs a person", or: yes, yesNo: true},
	{key: setClipboardClear, text: "how long a copied token stays in the clipboard", or: shortLength(ui.DefaultClipboardTime), check: atLeast(time.Second)},
	{key: setTheme, text: "the colours of the screen", or: ui.Themes()[0], values: ui.Themes()},
	{key: setBackground, text: "what the terminal is; auto asks it, and where it doesn't tell uses its own colours", or: "auto", values: []string{"auto", "dark", "light"}},
	{key: setMouse, text: "let the screen have the mouse; without it the terminal selects text", or: yes, yesNo: true},
	{key: setAccessible, text: "ask and answer line by line, without a screen (also --accessible)", or: no, env: "ACCESSIBLE", yesNo: true},
}

const (
	yes = "true"
	no  = "false"
)

// shortLength writes a length of time as a person types it: 5m instead of 5m0s.
func shortLength(d time.Duration) string {
	if s := d.String(); strings.HasSuffix(s, "m0s") {
		return strings.TrimSuffix(s, "0s")
	}
	return d.String()
}

func atLeast(least time.Duration) func(string) error {
	return func(text string) error {
		d, err := time.ParseDuration(text)
		if err == nil && d >= least {
			return nil
		}
		what := "a second"
		if least != time.Second {
			what = shortLength(least)
		}
		return fmt.Errorf("give a length of time of %s or more, such as \"90s\" or \"1h30m\"", what)
	}
}

func orNever(check func(string) error) func(string) error {
	return func(text string) error {
		if text == never {
			return nil
		}
		if err := check(text); err != nil {
			return fmt.Errorf("%w, or \"never\"", err)
		}
		return nil
	}
}

func checkAbsolute(text string) error {
	if !filepath.IsAbs(text) {
		return errors.New("give the whole path: commands are run in many directories")
	}
	return nil
}

// accept tells why text can't be the setting's value.
func (s *setting) accept(text string) error {
	switch {
	case s.yesNo && text != yes && text != no:
		return errors.New("give true or false, without quotes")
	case s.values != nil && !slices.Contains(s.values, text):
		return fmt.Errorf("give one of %s", quoted(s.values))
	case text == "":
		return errors.New("it is empty; leave it out instead")
	case !utf8.ValidString(text):
		return errors.New("it is no UTF-8")
	case s.check != nil:
		return s.check(text)
	}
	return nil
}

func quoted(texts []string) string {
	all := make([]string, len(texts))
	for i, t := range texts {
		all[i] = `"` + t + `"`
	}
	return strings.Join(all, ", ")
}

func findSetting(key string) (*setting, error) {
	i := slices.IndexFunc(settings, func(s setting) bool { return s.key == key })
	if i < 0 {
		return nil, noSuchSetting(key)
	}
	return &settings[i], nil
}

// noSuchSetting names the setting that was probably meant.
func noSuchSetting(key string) error {
	near := ""
	if s := nearest(key, settingKeys()); s != "" {
		near = fmt.Sprintf("did you mean %q? ", s)
	}
	return fmt.Errorf("there is no setting %q; %s\"wakey config\" lists them", key, near)
}

func settingKeys() []string {
	keys := make([]string, len(settings))
	for i, s := range settings {
		keys[i] = s.key
	}
	return keys
}

// nearest gives the word that takes the fewest changes of a letter, or one that begins alike, or
// none when all are far.
func nearest(word string, words []string) string {
	best, least := "", len(word)/2+1
	for _, w := range words {
		d := distance(word, w)
		if begin := word[:len(word)*3/4]; len(word) >= 3 && (strings.HasPrefix(w, begin) || strings.HasPrefix(word, w)) {
			d = min(d, 1)
		}
		if d < least {
			best, least = w, d
		}
	}
	return best
}

// distance is how many letters have to be put in, taken out or exchanged to get from a to b
// (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// text is a setting's value, or else what counts without it.
func (c config) text(key string) string {
	if g, ok := c[key]; ok {
		return g.text
	}
	if s, err := findSetting(key); err == nil {
		return s.or
	}
	return ""
}

// length is a setting that is a length of time; 0 for never, and for none.
func (c config) length(key string) time.Duration {
	d, _ := time.ParseDuration(c.text(key)) // checked when it was read
	return d
}

// on is a setting that is true or false.
func (c config) on(key string) bool { return c.text(key) == yes }
