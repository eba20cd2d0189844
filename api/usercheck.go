package api

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Purposes are what a user can be for (contract 10), the usual one first.
var Purposes = []string{"user", "internal", "external_api"}

// AuthenticationMethods are those of a stack without plugins, the usual one first (contract 11). IdentityProviders
// tells a stack's own.
var AuthenticationMethods = []string{"default", "native", "ldap", "saml"}

// maxUsername is the longest username, in characters (contract 10).
const maxUsername = 256

// The server's own words for what is wrong with a field.
const (
	notUUID   = "Not a valid UUID."
	notEmail  = "Not a valid email address."
	notString = "Not a valid string."
	required  = "Missing data for required field."
)

// Check finds what the server would refuse of a new user, all of it at once where the server tells the first alone.
// The error is an *Error of KindInvalid, its Fields by the server's names and in its words (contract 10). Whether a
// name is taken, and an authentication_method that the stack has not, are left to the server.
func (u NewUser) Check() error {
	f := checked{}
	if u.UUID != "" && !isUUID(u.UUID) {
		f.wrong("uuid", notUUID, "type")
	}
	f.names(u.Username, u.Firstname, u.Lastname)
	f.text("password", u.Password.Reveal())
	f.email("email_address", u.Email, true)
	f.purpose(u.Purpose)
	f.text("authentication_method", u.AuthenticationMethod)
	return f.err()
}

// Check does so for a user as WriteUser would write it.
func (u User) Check() error {
	f := checked{}
	f.names(u.Username, u.Firstname, u.Lastname)
	f.purpose(u.Purpose)
	f.text("authentication_method", u.AuthenticationMethod)
	return f.err()
}

// CheckEmails does so for a whole list of e-mails. The fields are called emails.0.address and so on, and _schema what
// is wrong with all of it (contract 3, 10).
func CheckEmails(emails []Email) error {
	f := checked{}
	mains := 0
	seen := map[string]bool{}
	for i, e := range emails {
		name := "emails." + strconv.Itoa(i) + ".address"
		if e.Address == "" {
			f.wrong(name, required, "required")
		}
		f.email(name, e.Address, false)
		if e.Main {
			mains++
		}
		if seen[strings.ToLower(e.Address)] {
			f.wrong(name, "The same address can only be used once", "unique")
		}
		seen[strings.ToLower(e.Address)] = true
	}
	switch {
	case mains > 1:
		f.wrong("_schema", "Only one address should be main", "")
	case mains == 0 && len(emails) > 0:
		f.wrong("_schema", "At least one address should be main", "")
	}
	return f.err()
}

// checked collects what is wrong, by field.
type checked map[string]FieldError

func (f checked) wrong(name, message, constraint string) {
	if _, told := f[name]; !told {
		f[name] = FieldError{message, constraint}
	}
}

// text refuses what PostgreSQL refuses (500, contract 10), and what JSON would change on the way.
func (f checked) text(name, value string) {
	if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
		f.wrong(name, notString, "type")
	}
}

func (f checked) names(username, first, last string) {
	if utf8.RuneCountInString(username) > maxUsername {
		f.wrong("username", "Length must be between 1 and "+strconv.Itoa(maxUsername)+".", "length")
	}
	f.text("username", username)
	f.text("firstname", first)
	f.text("lastname", last)
}

func (f checked) email(name, address string, mayBeEmpty bool) {
	if address == "" && mayBeEmpty {
		return
	}
	f.text(name, address)
	if !isEmail(address) {
		f.wrong(name, notEmail, "type")
	}
}

func (f checked) purpose(purpose string) {
	if purpose != "" && !slices.Contains(Purposes, purpose) {
		f.wrong("purpose", "Must be one of: "+strings.Join(Purposes, ", ")+".", "enum")
	}
}

func (f checked) err() error {
	if len(f) == 0 {
		return nil
	}
	fields := map[string]FieldError(f)
	return &Error{Kind: KindInvalid, Message: fieldsText(fields), Fields: fields}
}

// isEmail is the server's rule for an address: a dotted name of letters, digits and signs, or a quoted one, and behind
// the last @ a domain of two labels at least, localhost, or an IPv4 address in brackets (marshmallow's Email field).
// Letters are those of every script. Where versions of the server differ, it takes what one of them takes.
func isEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return false
	}
	name, domain := s[:at], s[at+1:]
	return (isDotAtom(name) || isQuoted(name)) && (domain == "localhost" || isDomain(domain) || isBracketed(domain))
}

func isDotAtom(s string) bool {
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.ContainsFunc(atom, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !strings.ContainsRune("-!#$%&'*+/=?^_`{}|~", r)
		}) {
			return false
		}
	}
	return true
}

// isQuoted takes what may stand between double quotes: no quote and no backslash unless a backslash is before it.
func isQuoted(s string) bool {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return false
	}
	escaped := false
	for _, c := range []byte(s[1 : len(s)-1]) {
		switch {
		case c == 0 || c == '\n' || c == '\r' || c >= 0x80:
			return false
		case escaped:
			escaped = false
		case c == '\\':
			escaped = true
		case c == '"' || c == '\t' || c == ' ':
			return false
		}
	}
	return !escaped
}

func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	if len(labels) < 2 {
		return false
	}
	for i, label := range labels {
		n := utf8.RuneCountInString(label)
		last := i == len(labels)-1
		if n == 0 || n > 63 && !last || last && n < 2 || label[0] == '-' && !last || label[len(label)-1] == '-' && !last {
			return false
		}
		if strings.ContainsFunc(label, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != '-' }) {
			return false
		}
	}
	return true
}

func isBracketed(s string) bool {
	inner, ok := strings.CutPrefix(s, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	parts := strings.Split(inner, ".")
	if !ok || !closed || len(parts) != 4 {
		return false
	}
	for _, p := range parts {
		if n, err := strconv.Atoi(p); err != nil || n < 0 || n > 999 || len(p) > 3 || p[0] == '+' {
			return false
		}
	}
	return true
}
