package authd

import "strings"

// MatchACL tells whether a token with these grants may do what required names
// (contract 2). Words are separated by dots; in a grant "*" matches any run
// without "." and "#", "#" matches anything, "me" also matches userUUID,
// "my_session" also matches sessionUUID and "edit" also matches "update".
// A grant that starts with "!" denies, and wins over every other.
// An empty userUUID or sessionUUID lets its word match only itself.
func MatchACL(grants []string, required, userUUID, sessionUUID string) bool {
	granted := false
	for _, grant := range grants {
		pattern, deny := strings.CutPrefix(grant, "!")
		if granted && !deny {
			continue
		}
		if !matchGrant(pattern, required, userUUID, sessionUUID) {
			continue
		}
		if deny {
			return false
		}
		granted = true
	}
	return granted
}

// matchGrant matches one grant without its "!". It walks the grant once and keeps
// every place in required that the part read so far can end at, so that no grant,
// however many wildcards it has, costs more than its length times required's.
func matchGrant(grant, required, userUUID, sessionUUID string) bool {
	// Most grants differ from what is asked in their first word.
	fixed := grant
	if i := strings.IndexAny(grant, "*#"); i >= 0 {
		fixed = grant[:i]
	}
	if first, _, more := strings.Cut(fixed, "."); more && otherWord(first, userUUID, sessionUUID) == "" &&
		!strings.HasPrefix(required, first+".") {
		return false
	}

	ends := make([]bool, len(required)+1)
	ends[0] = true
	for i, word := range strings.Split(grant, ".") {
		if i > 0 {
			ends = stepLiteral(ends, required, ".")
		}
		if other := otherWord(word, userUUID, sessionUUID); other != "" {
			own := stepLiteral(ends, required, word)
			for at, ok := range stepLiteral(ends, required, other) {
				own[at] = own[at] || ok
			}
			ends = own
			continue
		}
		ends = stepWord(ends, required, word)
	}
	return ends[len(required)]
}

// otherWord is the second reading of a reserved word, or "".
func otherWord(word, userUUID, sessionUUID string) string {
	switch word {
	case "me":
		return userUUID
	case "my_session":
		return sessionUUID
	case "edit":
		return "update"
	}
	return ""
}

// stepWord moves every end over one word of a grant, wildcards included.
func stepWord(ends []bool, required, word string) []bool {
	for word != "" {
		i := strings.IndexAny(word, "*#")
		if i < 0 {
			return stepLiteral(ends, required, word)
		}
		if i > 0 {
			ends = stepLiteral(ends, required, word[:i])
		}
		reach := false
		for at := range ends {
			if at > 0 && word[i] == '*' && (required[at-1] == '.' || required[at-1] == '#') {
				reach = false
			}
			reach = reach || ends[at]
			ends[at] = reach
		}
		word = word[i+1:]
	}
	return ends
}

// stepLiteral moves every end over one fixed text.
func stepLiteral(ends []bool, required, text string) []bool {
	next := make([]bool, len(ends))
	for at, ok := range ends {
		if ok && strings.HasPrefix(required[at:], text) {
			next[at+len(text)] = true
		}
	}
	return next
}
