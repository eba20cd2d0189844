package quick

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// object reads a JSON object as the program writes them: of texts, whole numbers, true and false. fn gets each
// field; a value lives as long as b. Of what it does not know for sure it reads nothing, and ok is false: the program
// has a real reader.
func object(b []byte, fn func(name, value []byte)) (ok bool) {
	r := reader{b}
	if !r.take('{') {
		return false
	}
	for first := true; !r.take('}'); first = false {
		if !first && !r.take(',') {
			return false
		}
		name, ok := r.text()
		if !ok || !plainField(name) || !r.take(':') {
			return false
		}
		value, ok := r.word()
		if !ok {
			value, ok = r.text()
		}
		if !ok {
			return false
		}
		fn(name, value)
	}
	return len(bytes.Trim(r.b, whitespace)) == 0
}

// plainField knows the names that say the same to every reader of JSON, whether or not it looks at case.
func plainField(name []byte) bool {
	for _, c := range name {
		if c != '_' && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

const whitespace = " \t\r\n"

// escapes are what may follow a backslash, and Go reads as JSON does.
var escapes = []byte(`"\bfnrtu`)

type reader struct{ b []byte }

// take takes one sign, and the space before it.
func (r *reader) take(sign byte) bool {
	b := bytes.TrimLeft(r.b, whitespace)
	if len(b) == 0 || b[0] != sign {
		return false
	}
	r.b = b[1:]
	return true
}

// text takes a text.
func (r *reader) text() (text []byte, ok bool) {
	if !r.take('"') {
		return nil, false
	}
	escaped := false
	for i := 0; i < len(r.b); i++ {
		switch c := r.b[i]; {
		case c == '"':
			text, r.b = r.b[:i], r.b[i+1:]
			if escaped {
				plain, err := strconv.Unquote(`"` + string(text) + `"`) // Go knows these escapes, too
				return []byte(plain), err == nil && utf8.ValidString(plain)
			}
			return text, utf8.Valid(text)
		case c == '\\':
			escaped = true
			if i++; i == len(r.b) || bytes.IndexByte(escapes, r.b[i]) < 0 {
				return nil, false
			}
		case c < ' ':
			return nil, false
		}
	}
	return nil, false
}

// word takes a number, true or false; nothing, when there is none of them.
func (r *reader) word() (word []byte, ok bool) {
	b := bytes.TrimLeft(r.b, whitespace)
	n := 0
	for n < len(b) && (b[n] >= 'a' && b[n] <= 'z' || b[n] >= '0' && b[n] <= '9') {
		n++
	}
	word = b[:n]
	switch string(word) {
	case "true", "false":
	default:
		if _, err := strconv.ParseUint(string(word), 10, 63); err != nil || n > 1 && word[0] == '0' {
			return nil, false
		}
	}
	r.b = b[n:]
	return word, true
}
