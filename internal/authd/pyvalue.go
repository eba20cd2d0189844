package authd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// dict is a mapping that keeps its order. The 400 of POST /token shows its errors
// as the text of a Python dict, where the order can be seen (contract 3, shape 1).
type dict []field

type field struct {
	key   string
	value any
}

// indexed is a dict whose keys are the numbers of a list's items: quoted in JSON,
// bare in Python.
type indexed dict

// MarshalJSON writes it as any dict.
func (d indexed) MarshalJSON() ([]byte, error) { return dict(d).MarshalJSON() }

func (d dict) get(key string) any {
	for _, f := range d {
		if f.key == key {
			return f.value
		}
	}
	return nil
}

// MarshalJSON writes the mapping as a JSON object in its own order.
func (d dict) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range d {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(f.key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(f.value)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// pyRepr writes a value the way Python prints it.
func pyRepr(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case string:
		return pyString(v)
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int:
		return strconv.Itoa(v)
	case dict:
		return pyDict(v, pyString)
	case indexed:
		return pyDict(dict(v), func(key string) string { return key })
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = pyRepr(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return fmt.Sprint(v)
}

func pyDict(d dict, key func(string) string) string {
	parts := make([]string, len(d))
	for i, f := range d {
		parts[i] = key(f.key) + ": " + pyRepr(f.value)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// pyString quotes as Python does: single quotes, unless the text holds one and no
// double quote.
func pyString(s string) string {
	quote := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	var b strings.Builder
	b.WriteRune(quote)
	for _, r := range s {
		switch {
		case r == quote || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteRune(quote)
	return b.String()
}
