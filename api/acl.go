package api

import "strings"

// Allows tells whether a token with this ACL may do what is required, by the grammar of contract 2: words
// separated by dots; "*" stands for anything without "." and "#", "#" for anything; the words "me" and
// "my_session" also stand for the token's own user and session, "edit" also for "update"; an entry that begins with "!"
// denies, and a denial wins. With an empty uuid only the word itself matches.
func Allows(acl []string, required, userUUID, sessionUUID string) bool {
	allowed := false
	for _, entry := range acl {
		pattern, denies := strings.CutPrefix(entry, "!")
		if (denies || !allowed) && matches(pattern, required, userUUID, sessionUUID) {
			if denies {
				return false
			}
			allowed = true
		}
	}
	return allowed
}

// Matching gives the entries of the ACL that decided: the denials that match or, without any, the grants.
// Nothing means that the ACL does not speak of it, so it is not allowed.
func Matching(acl []string, required, userUUID, sessionUUID string) []string {
	var grants, denials []string
	for _, entry := range acl {
		pattern, denies := strings.CutPrefix(entry, "!")
		if !matches(pattern, required, userUUID, sessionUUID) {
			continue
		}
		if denies {
			denials = append(denials, entry)
		} else {
			grants = append(grants, entry)
		}
	}
	if denials != nil {
		return denials
	}
	return grants
}

// matches walks the pattern once and keeps all the places in required that its beginning can reach, so
// that a hostile row of wildcards costs pattern times text and no more.
func matches(pattern, required, userUUID, sessionUUID string) bool {
	at := make([]bool, len(required)+1)
	to := make([]bool, len(required)+1)
	at[0] = true
	for rest, more := pattern, true; more; {
		var word string
		word, rest, more = strings.Cut(rest, ".")
		if other := alias(word, userUUID, sessionUUID); other != "" {
			clear(to)
			literal(to, at, required, word)
			literal(to, at, required, other)
			at, to = to, at
		} else {
			at, to = wildcards(at, to, required, word)
		}
		if more {
			clear(to)
			literal(to, at, required, ".")
			at, to = to, at
		}
	}
	return at[len(required)]
}

// alias gives what a reserved word stands for besides itself.
func alias(word, userUUID, sessionUUID string) string {
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

// wildcards advances over one word.
func wildcards(at, to []bool, required, word string) (after, spare []bool) {
	for word != "" {
		i := strings.IndexAny(word, "*#")
		switch {
		case i == 0:
			spread(at, required, word[0] == '*')
			word = word[1:]
			continue
		case i < 0:
			i = len(word)
		}
		clear(to)
		literal(to, at, required, word[:i])
		at, to = to, at
		word = word[i:]
	}
	return at, to
}

// literal marks in to every place behind text that begins at a place marked in at.
func literal(to, at []bool, required, text string) {
	for i, here := range at {
		if here && strings.HasPrefix(required[i:], text) {
			to[i+len(text)] = true
		}
	}
}

// spread marks every place that a wildcard reaches from those marked.
func spread(at []bool, required string, withinWord bool) {
	reach := false
	for i := range at {
		if i > 0 && withinWord && (required[i-1] == '.' || required[i-1] == '#') {
			reach = false
		}
		reach = reach || at[i]
		at[i] = reach
	}
}
