package authd

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// form reads a JSON object key by key and collects what is wrong with it, in the
// order of reading.
type form struct {
	body  map[string]any
	fault dict
}

// rule says what a text may be besides a text.
type rule struct {
	required bool
	nullable bool
	check    func(string) any
}

func (f *form) wrong(key string, problem any) {
	f.fault = append(f.fault, field{key, problem})
}

func (f *form) has(key string) bool {
	_, given := f.body[key]
	return given
}

// missing deals with an absent key and with null; it tells whether to read on.
func (f *form) missing(key string, r rule) bool {
	value, given := f.body[key]
	switch {
	case !given && r.required:
		f.wrong(key, errRequired())
	case given && value == nil && !r.nullable:
		f.wrong(key, errNull())
	}
	return !given || value == nil
}

// text reads a text; absent and null are nil.
func (f *form) text(key string, r rule) any {
	if f.missing(key, r) {
		return nil
	}
	s, ok := f.body[key].(string)
	if !ok {
		f.wrong(key, errString())
		return nil
	}
	if r.check != nil {
		if problem := r.check(s); problem != nil {
			f.wrong(key, problem)
		}
	}
	return s
}

// texts reads a list of texts, none when absent.
func (f *form) texts(key string) []string {
	if f.missing(key, rule{}) {
		return nil
	}
	list, ok := f.body[key].([]any)
	if !ok {
		f.wrong(key, errType("Not a valid list.", "list"))
		return nil
	}
	var faults indexed
	texts := make([]string, len(list))
	for i, item := range list {
		text, ok := item.(string)
		switch {
		case item == nil:
			faults = append(faults, field{itoa(i), errNull()})
		case !ok:
			faults = append(faults, field{itoa(i), errString()})
		}
		texts[i] = text
	}
	if faults != nil {
		f.wrong(key, faults)
	}
	return texts
}

// objects reads a list of objects, each by read.
func (f *form) objects(key string, read func(one *form)) {
	if f.missing(key, rule{required: true}) {
		return
	}
	list, ok := f.body[key].([]any)
	if !ok {
		f.wrong(key, errType("Invalid type.", "dict"))
		return
	}
	var faults indexed
	for i, item := range list {
		body, ok := asObject(item)
		if !ok {
			faults = append(faults, field{itoa(i), dict{{"_schema", []any{"Invalid input type."}}}})
			continue
		}
		one := &form{body: body}
		read(one)
		if one.fault != nil {
			faults = append(faults, field{itoa(i), one.fault})
		}
	}
	if faults != nil {
		f.wrong(key, faults)
	}
}

// uuid reads a UUID; "" when absent.
func (f *form) uuid(key string) string {
	if f.missing(key, rule{}) {
		return ""
	}
	s, _ := f.body[key].(string)
	uuid, ok := bodyUUID(s)
	if !ok {
		f.wrong(key, errUUID())
	}
	return uuid
}

// boolean reads a truth value; the real server takes texts and numbers for one too.
func (f *form) boolean(key string, otherwise bool, r rule) bool {
	if f.missing(key, r) {
		return otherwise
	}
	switch v := f.body[key].(type) {
	case bool:
		return v
	case string:
		if b, ok := truth(v); ok {
			return b
		}
	case json.Number:
		if n, err := v.Float64(); err == nil && v != notANumber && (n == 0 || n == 1) {
			return n == 1
		}
	}
	f.wrong(key, errBoolean())
	return otherwise
}

// first is the 400 that tells the first error only (transcript user_create_two_errors).
func (f *form) first(resource string) answer {
	problem := f.firstProblem()
	return modern(http.StatusBadRequest, "invalid-data", problem.get("message"), dict{{f.fault[0].key, problem}}, resource)
}

// firstProblem is the first error of the first key that has one.
func (f *form) firstProblem() dict {
	problem := f.fault[0].value
	if list, ok := problem.([]any); ok {
		problem = list[0]
	}
	d, _ := problem.(dict)
	return d
}

// invalidType is the 400 of a body that is no object.
func invalidType(resource string) answer {
	const message = "Invalid input type."
	return modern(http.StatusBadRequest, "invalid-data", message, dict{{"_schema", dict{{"message", message}}}}, resource)
}

// form reads the request's body as an object; ok is false when it is something
// else, and the answer says so.
func (q *request) form(resource string) (*form, answer, bool) {
	if !q.bodyOK {
		return nil, notUnderstood(), false
	}
	body, ok := q.object()
	if !ok {
		return nil, invalidType(resource), false
	}
	return &form{body: body}, answer{}, true
}

// upTo wants 1 to most characters.
func upTo(most int) func(string) any {
	return func(s string) any {
		if !lengthOK(s, 1, most) {
			return errLength(1, most)
		}
		return nil
	}
}

func notEmpty(s string) any {
	if s == "" {
		return errLength(1, 0)
	}
	return nil
}

func oneOf(choices ...string) func(string) any {
	return func(s string) any {
		if !slices.Contains(choices, s) {
			return errEnum(choices...)
		}
		return nil
	}
}

var (
	mailName   = pattern("^[-!#$%&'*+/=?^`{}|~\\pL\\pN_]+(?:\\.[-!#$%&'*+/=?^`{}|~\\pL\\pN_]+)*$")
	mailQuoted = pattern(`^"(?:[\x01-\x08\x0b\x0c\x0e-!#-\[\]-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*"$`)
	mailDomain = pattern(`^(?:[\pL\pN](?:[\pL\pN-]{0,61}[\pL\pN])?\.)+[\pL\pN-]{1,62}[\pL\pN]$`)
	mailIPv4   = pattern(`^\[\d{1,3}(?:\.\d{1,3}){3}\]$`)
)

// pattern compiles a regular expression when it is first used: a program that links this
// server in and doesn't run it would pay for it at each start.
func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

func emailAddress(s string) any {
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return errEmail()
	}
	name, domain := s[:at], s[at+1:]
	if !mailName().MatchString(name) && !mailQuoted().MatchString(name) ||
		!mailDomain().MatchString(domain) && !mailIPv4().MatchString(domain) && domain != "localhost" {
		return errEmail()
	}
	return nil
}

// bodyUUID reads a UUID of a body, which may be written in more ways than one of a path.
func bodyUUID(s string) (string, bool) {
	s = strings.NewReplacer("urn:", "", "uuid:", "").Replace(s)
	s = strings.ReplaceAll(strings.Trim(s, "{}"), "-", "")
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != 16 {
		return "", false
	}
	return formatUUID([16]byte(raw)), true
}
