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

	"github.com/adrg/xdg"
	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"wakey/api"
)

// config is what a person has set for good, by key. Flags and the environment come first.
type config map[string]given

// given is a value as the configuration gives it.
type given struct {
	text     string
	line     int // counted from 1
	from, to int // where it stands in the file, in bytes
}

func configPath() string { return filepath.Join(xdg.ConfigHome, "wakey", "config.toml") }

// configLimit bounds the configuration, in bytes.
const configLimit = 64 << 10

// readConfig reads the configuration; without a file nothing is set. Errors name the file, the line
// and what would be right.
func readConfig() (config, error) {
	c, _, err := readConfigFile()
	return c, err
}

func readConfigFile() (c config, b []byte, err error) {
	path := configPath()
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err == nil && info.Size() > configLimit {
		err = fmt.Errorf("%s: it is longer than %d bytes", path, configLimit)
	}
	if err == nil {
		b, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, nil, err
	}
	c, err = parseConfig(b)
	if bad, ok := errors.AsType[*configError](err); ok {
		err = fmt.Errorf("%s, line %d: %w", path, bad.line, bad.err)
	}
	return c, b, err
}

// configError is what is wrong with a line of the configuration.
type configError struct {
	line int
	err  error
}

func (e *configError) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }
func (e *configError) Unwrap() error { return e.err }

// parseConfig reads TOML strictly: every key is known, stands there once, outside of tables, and
// has a value that makes sense. What a value says is not repeated in errors: it may be a secret
// that does not belong there. Errors: *configError.
func parseConfig(b []byte) (config, error) {
	var p unstable.Parser
	p.Reset(b)
	c := config{}
	for p.NextExpression() {
		e := p.Expression()
		line := lineOf(b, int(firstKey(e).Raw.Offset))
		key, v, err := parseSetting(e)
		if before, twice := c[key]; err == nil && twice {
			err = fmt.Errorf("%s: it is set in line %d already", key, before.line)
		}
		if err != nil {
			return nil, &configError{line, err}
		}
		v.line = line
		c[key] = v
	}
	if err := p.Error(); err != nil {
		line := 1 + bytes.Count(b, []byte("\n"))
		if bad, ok := errors.AsType[*unstable.ParserError](err); ok {
			line = lineOf(b, int(p.Range(bad.Highlight).Offset))
		}
		return nil, &configError{line, fmt.Errorf("this is no TOML (%s); a setting is a line such as theme = \"ember\"", api.Clean(err.Error()))}
	}
	return c, nil
}

// firstKey is the first part of the key that an expression begins with.
func firstKey(e *unstable.Node) *unstable.Node {
	it := e.Key()
	it.Next()
	return it.Node()
}

func lineOf(b []byte, offset int) int { return 1 + bytes.Count(b[:offset], []byte("\n")) }

func parseSetting(e *unstable.Node) (key string, v given, err error) {
	var parts [][]byte
	for it := e.Key(); it.Next(); {
		parts = append(parts, it.Node().Data)
	}
	key = api.Clean(string(bytes.Join(parts, []byte("."))))
	if e.Kind != unstable.KeyValue {
		return key, v, fmt.Errorf("there are no tables here, and so no [%s]; every setting is a line of its own", key)
	}
	s, err := findSetting(key)
	if err != nil {
		return key, v, err
	}
	value := e.Value()
	v = given{text: string(value.Data), from: int(value.Raw.Offset), to: int(value.Raw.Offset + value.Raw.Length)}
	switch {
	case s.yesNo && value.Kind != unstable.Bool:
		err = errors.New("give true or false, without quotes")
	case !s.yesNo && value.Kind != unstable.String && s.values != nil:
		err = fmt.Errorf("give one of %s, in quotes", quoted(s.values))
	case !s.yesNo && value.Kind != unstable.String:
		err = errors.New("give a text in quotes")
		if s.check != nil {
			err = s.check("")
		}
	default:
		err = s.accept(v.text)
	}
	if err != nil {
		return key, v, fmt.Errorf("%s: %w", key, err)
	}
	return key, v, nil
}

// changeConfig gives the text of a configuration in which key is value, or, with an empty value,
// not set. All else, comments included, stays as it is.
func changeConfig(b []byte, c config, s *setting, value string) ([]byte, error) {
	text := []byte(value)
	if !s.yesNo {
		var err error
		if text, err = tomlText(value); err != nil {
			return nil, err
		}
	}
	old, set := c[s.key]
	switch {
	case set && value != "":
		return slices.Concat(b[:old.from], text, b[old.to:]), nil
	case set:
		from := bytes.LastIndexByte(b[:old.from], '\n') + 1
		to := len(b)
		if i := bytes.IndexByte(b[old.to:], '\n'); i >= 0 {
			to = old.to + i + 1
		}
		return slices.Concat(b[:from], b[to:]), nil
	case value == "":
		return b, nil
	}
	if len(b) > 0 && b[len(b)-1] != '\n' {
		b = append(b, '\n')
	}
	return slices.Concat(b, []byte(s.key+" = "), text, []byte("\n")), nil
}

// tomlText writes a text the way TOML quotes it.
func tomlText(value string) ([]byte, error) {
	if !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r == 0x7f }) {
		return []byte(`"` + value + `"`), nil
	}
	b, err := toml.Marshal(map[string]string{"v": value})
	_, b, _ = bytes.Cut(bytes.TrimSpace(b), []byte("= "))
	return b, err
}

// writeConfig puts the text of the configuration into place. Where the file is a link, what it
// points to is replaced: many keep their settings elsewhere.
func writeConfig(b []byte) error {
	path := configPath()
	mode := fs.FileMode(0o600)
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
		if info, err := os.Stat(path); err == nil {
			mode = info.Mode().Perm()
		}
	}
	dir, name := filepath.Split(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return writeFile(dir, name, string(b), mode)
}
