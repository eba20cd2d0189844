package cli

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestConfigIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"theme = \"ambar\"":                           `line 1: theme: give one of "harbour", "heath", "ember", "terminal"`,
		"# x\n\nthemes = \"ember\"":                   `line 3: there is no setting "themes"; did you mean "theme"?`,
		"notification = true":                         `did you mean "notifications"?`,
		"clipboard = \"1m\"":                          `did you mean "clipboard_clear"?`,
		"passphrase-file = \"/x\"":                    `did you mean "passphrase_file"?`,
		"quite_another = 1":                           `there is no setting "quite_another"; "wakey config" lists them`,
		"[screen]\ntheme = \"ember\"":                 `line 1: there are no tables here, and so no [screen]`,
		"[[theme]]":                                   "no tables",
		"screen.theme = \"ember\"":                    `there is no setting "screen.theme"`,
		"theme = ember":                               "line 1: this is no TOML",
		"theme = \"ember":                             "line 1: this is no TOML",
		"bell = true\ntheme":                          "line 2: this is no TOML",
		"theme = \"ember\" bell = true":               "line 1: this is no TOML",
		"bell = \"true\"":                             "line 1: bell: give true or false, without quotes",
		"bell = 1":                                    "bell: give true or false",
		"bell = true\nbell = false":                   "line 2: bell: it is set in line 1 already",
		"lifetime = 90":                               `lifetime: give a length of time of a second or more, such as "90s"`,
		"lifetime = \"90\"":                           "lifetime: give a length",
		"lifetime = \"-1h\"":                          "lifetime: give a length",
		"watch = \"10s\"":                             `watch: give a length of time of 30s or more, such as "90s" or "1h30m", or "never"`,
		"passphrase_file = \"here\"":                  "passphrase_file: give the whole path",
		"passphrase_command = true":                   "passphrase_command: give a text in quotes",
		"passphrase_command = \"\"":                   "passphrase_command: it is empty; leave it out instead",
		"theme = [\"ember\"]":                         "theme: give one of",
		"theme = {name = \"ember\"}":                  "theme: give one of",
		"background = \"dim\"":                        `background: give one of "auto", "dark", "light"`,
		"\x1b]0;x\x07theme = \"ember\"":               "this is no TOML",
		"\"\\u001b]0;x\\u0007\" = \"ember\"":          "there is no setting",
		"passphrase_command = \"a\\u001b\"\nx = 1\n]": `line 2: there is no setting "x"`,
	} {
		c, err := parseConfig([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
			continue
		}
		if c != nil || strings.ContainsFunc(err.Error(), unicode.IsControl) {
			t.Errorf("%q: %v, %q", text, c, err)
		}
	}
}

func TestConfigIsRead(t *testing.T) {
	c, err := parseConfig([]byte("# mine\n\"theme\" = '''ember'''\r\nwatch=\"never\" # quiet\nclipboard_clear = \"1m30s\"\nbell = false"))
	if err != nil {
		t.Fatal(err)
	}
	if c.text(setTheme) != "ember" || c.length(setWatch) != 0 || c.length(setClipboardClear) != 90*time.Second || c.on(setBell) || !c.on(setNotifications) {
		t.Errorf("%+v", c)
	}
	if c[setTheme].line != 2 || c[setBell].line != 5 {
		t.Errorf("%+v", c)
	}
	if c := config(nil); c.length(setWatch) != 5*time.Minute || c.length(setClipboardClear) != 45*time.Second || c.length(setLifetime) != 0 {
		t.Error("the defaults are others than those of the help")
	}
}

// Every default is a value that the setting itself would accept.
func TestSettingsAreSound(t *testing.T) {
	known := map[string]bool{}
	for i := range settings {
		s := &settings[i]
		if s.or != "" && s.accept(s.or) != nil {
			t.Errorf("%s: its default %q: %v", s.key, s.or, s.accept(s.or))
		}
		if known[s.key] || s.text == "" {
			t.Errorf("%s: twice, or not explained", s.key)
		}
		known[s.key] = true
		if !strings.Contains(settingsHelp(), "  "+s.key+" ") {
			t.Errorf("%s is not in the help", s.key)
		}
	}
}

// The page about the settings tells of every one, with its default.
func TestSettingsPage(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "docs", "settings.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings {
		row := ""
		for line := range strings.Lines(string(b)) {
			if cells := strings.Split(line, "|"); len(cells) > 3 && strings.Contains(cells[1], "`"+s.key+"`") {
				row = line
			}
		}
		if row == "" || s.or != "" && !strings.Contains(row, "`"+s.or+"`") {
			t.Errorf("%s, default %q: %q", s.key, s.or, row)
		}
		for _, v := range s.values {
			if !strings.Contains(row, "`"+v+"`") {
				t.Errorf("%s may be %s: %q", s.key, v, row)
			}
		}
	}
}

func TestNearest(t *testing.T) {
	for word, want := range map[string]string{
		"theem": "theme", "Theme": "theme", "colours": "", "life_time": "lifetime", "notify": "notifications", "bel": "bell", "x": "", "": "",
	} {
		if got := nearest(word, settingKeys()); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

// FuzzConfig holds that no file makes the reader fall over, and that a change of one setting
// changes nothing else.
func FuzzConfig(f *testing.F) {
	f.Add("theme = \"ember\" # x\nbell = false\n", "x")
	f.Add("a.b = 1", "\"")
	f.Add("lifetime = '''\n1h'''", "\\")
	f.Fuzz(func(t *testing.T, text, value string) {
		b := []byte(text)
		before, err := parseConfig(b)
		if err != nil {
			if _, ok := errors.AsType[*configError](err); !ok {
				t.Fatalf("%v", err)
			}
			return
		}
		s, _ := findSetting(setPassphraseCommand)
		if s.accept(value) != nil {
			return
		}
		for _, v := range []string{value, ""} {
			changed, err := changeConfig(b, before, s, v)
			if err != nil {
				t.Fatal(err)
			}
			after, err := parseConfig(changed)
			if err != nil {
				t.Fatalf("%q became %q: %v", text, changed, err)
			}
			if after.text(s.key) != v {
				t.Fatalf("%q: %q in %q", v, after.text(s.key), changed)
			}
			want := maps.Clone(before)
			delete(want, s.key)
			delete(after, s.key)
			same := func(a, b given) bool { return a.text == b.text }
			if !maps.EqualFunc(want, after, same) {
				t.Fatalf("%q became %q", text, changed)
			}
		}
	})
}
