package api

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// parsePython reads the repr of Python dicts, lists, strings, numbers, True, False and None, which is what
// POST /token puts into reason[0] of a 400 (contract 3). Dicts become map[string]any, lists and tuples []any,
// strings string; everything else becomes its text.
func parsePython(s string) (any, bool) {
	p := pyParser{s: s}
	v, ok := p.value(0)
	p.blanks()
	return v, ok && p.i == len(p.s)
}

type pyParser struct {
	s string
	i int
}

func (p *pyParser) blanks() {
	for p.i < len(p.s) && (p.s[p.i] == ' ' || p.s[p.i] == '\n') {
		p.i++
	}
}

// take skips blanks and then c, if it is there.
func (p *pyParser) take(c byte) bool {
	p.blanks()
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *pyParser) value(depth int) (any, bool) {
	p.blanks()
	if depth > 32 || p.i >= len(p.s) {
		return nil, false
	}
	switch p.s[p.i] {
	case '{':
		return p.dict(depth)
	case '[':
		return p.list(depth, ']')
	case '(':
		return p.list(depth, ')')
	case '\'', '"':
		return p.text()
	}
	end := strings.IndexAny(p.s[p.i:], ",:]}) \n")
	if end < 0 {
		end = len(p.s) - p.i
	}
	word := p.s[p.i : p.i+end]
	p.i += end
	return word, word != ""
}

func (p *pyParser) dict(depth int) (any, bool) {
	p.i++
	m := map[string]any{}
	for !p.take('}') {
		key, ok := p.value(depth + 1)
		if !ok || !p.take(':') {
			return nil, false
		}
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		if name, isText := key.(string); isText {
			m[name] = v
		}
		if !p.take(',') {
			return m, p.take('}')
		}
	}
	return m, true
}

func (p *pyParser) list(depth int, end byte) (any, bool) {
	p.i++
	l := []any{}
	for !p.take(end) {
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		l = append(l, v)
		if !p.take(',') {
			return l, p.take(end)
		}
	}
	return l, true
}

func (p *pyParser) text() (any, bool) {
	quote := p.s[p.i]
	var b strings.Builder
	for p.i++; p.i < len(p.s); {
		c := p.s[p.i]
		switch {
		case c == quote:
			p.i++
			return b.String(), true
		case c == '\\' && p.i+1 < len(p.s):
			p.escape(&b)
		default:
			b.WriteByte(c)
			p.i++
		}
	}
	return nil, false
}

// escape reads one escape of a Python string.
func (p *pyParser) escape(b *strings.Builder) {
	c := p.s[p.i+1]
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	p.i += 2
	if digits == 0 {
		if i := strings.IndexByte("nrt", c); i >= 0 {
			c = "\n\r\t"[i]
		}
		b.WriteByte(c)
		return
	}
	if p.i+digits <= len(p.s) {
		if r, err := strconv.ParseUint(p.s[p.i:p.i+digits], 16, 31); err == nil {
			p.i += digits
			b.WriteRune(rune(r)) // what is no character becomes U+FFFD
			return
		}
	}
	b.WriteRune(utf8.RuneError)
}
