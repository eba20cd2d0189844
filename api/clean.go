package api

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMarks is how many combining marks in a row are believed; more would paint over other lines.
const maxMarks = 8

// Clean makes a server's text harmless for a terminal, on one line. Control characters become their
// pictures (␛, ␊); invalid UTF-8, line and paragraph separators, bidirectional controls and everything
// invisible become U+FFFD. Wide characters, emoji with their joiners, and combining marks stay.
func Clean(s string) string {
	if harmless(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 8)
	var last rune // the last rune that was kept as it is
	marks := 0
	for i, r := range s {
		size := utf8.RuneLen(r)
		if r == utf8.RuneError {
			_, size = utf8.DecodeRuneInString(s[i:])
		}
		next, _ := utf8.DecodeRuneInString(s[i+size:])
		if unicode.In(r, unicode.Mn, unicode.Me) {
			marks++
		} else {
			marks = 0
		}
		out := replacement(r, last, next)
		if marks > maxMarks {
			out = utf8.RuneError
		}
		if out == r {
			last = r
		} else {
			last = 0
		}
		b.WriteRune(out)
	}
	return b.String()
}

// harmless is the quick way for the usual case.
func harmless(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// replacement gives r itself, or what stands for it.
func replacement(r, last, next rune) rune {
	switch {
	case r < ' ':
		return '␀' + r
	case r == 0x7f:
		return '␡'
	case r < 0xa0 && r > '~':
		return utf8.RuneError // C1: some terminals take U+009B for an escape
	case r == 0x200d:
		if pictograph(last) && pictograph(next) {
			return r // a joiner inside one emoji
		}
		return utf8.RuneError
	case r == 0xfe0e || r == 0xfe0f:
		if last > ' ' {
			return r // text or emoji form of the character before
		}
		return utf8.RuneError
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return r // format characters that show
	case r == 0x2028, r == 0x2029,
		unicode.Is(unicode.Cf, r),
		unicode.Is(unicode.Variation_Selector, r),
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r),
		unicode.Is(unicode.Noncharacter_Code_Point, r):
		return utf8.RuneError
	}
	return r
}

// pictograph tells whether a joiner may stand next to r: emoji, their modifiers, and the signs they are joined with.
func pictograph(r rune) bool {
	return r == 0xfe0f || r >= 0x2190 && r <= 0x2bff || r >= 0x1f000 && r <= 0x1faff
}

// CleanJSON escapes in a JSON text what encoding/json leaves: DEL, the C1 controls, and the
// formatting characters that turn a line around. They stand in strings only, so JSON stays JSON.
func CleanJSON(b []byte) []byte {
	var out []byte
	for _, r := range string(b) {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			out = append(out, byte(r))
		case r > 0xffff && unicode.Is(unicode.Cf, r):
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		case unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || r == 0x2028 || r == 0x2029:
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = append(out, string(r)...)
		}
	}
	return out
}
