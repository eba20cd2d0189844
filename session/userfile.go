package session

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"wakey/api"
)

// UserFormat is how users stand in a file.
type UserFormat string

// The formats: CSV with a heading, and JSON Lines, one object a line, which also holds further e-mails.
const (
	UsersCSV   UserFormat = "csv"
	UsersJSONL UserFormat = "jsonl"
)

// UserFields are the columns of CSV and the keys of JSON Lines, by the server's names (contract 10). JSON Lines has
// "emails" besides: a list of objects with address, main and confirmed.
var UserFields = []string{
	"uuid", "username", "firstname", "lastname", "email_address", "purpose", "enabled", "authentication_method", "tenant_uuid", "password",
}

// UserLine is a user as a file wants it.
type UserLine struct {
	Line   int // in the file, from 1
	User   api.NewUser
	Emails []api.Email // the whole list; nil: only User.Email is given
	Tenant string      // uuid; empty: not given
	// Given tells which fields are to be as the line has them; of a user that is there already, the others stay as they are.
	Given map[string]bool
}

// Name is what the line calls its user: the first of username, e-mail and uuid that it has.
func (l UserLine) Name() string { return newUserName(l.User) }

// LineError is what is wrong with a line of a file.
type LineError struct {
	Line int
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap gives what is wrong.
func (e *LineError) Unwrap() error { return e.Err }

// Bounds of what is read.
const (
	maxUserLine  = 1 << 20 // bytes
	maxUserLines = 200_000
	maxUserFile  = 256 << 20
)

// ReadUsers reads a whole file and checks every line as the server would, so that nothing is begun with a file that is wrong.
// A line needs a uuid, a username or an e-mail address: by the first of them it has, a user is recognised that is there
// already. Errors: *LineError, one for each line that is wrong, joined.
func ReadUsers(r io.Reader, format UserFormat) ([]UserLine, error) {
	bounded := &io.LimitedReader{R: r, N: maxUserFile + 1}
	in := bufio.NewReaderSize(bounded, 64<<10)
	if mark, err := in.Peek(3); err == nil && string(mark) == "\ufeff" { // as spreadsheets put it
		_, _ = in.Discard(3)
	}
	var lines []UserLine
	var wrong []error
	read := readJSONL
	if format == UsersCSV {
		read = readCSV
	}
	err := read(in, func(l UserLine, err error) error {
		if err == nil {
			err = l.check()
		}
		if err != nil {
			wrong = append(wrong, &LineError{l.Line, err})
		}
		if len(lines) == maxUserLines {
			return fmt.Errorf("it has more than %d users", maxUserLines)
		}
		lines = append(lines, l)
		return nil
	})
	if bounded.N == 0 {
		err = fmt.Errorf("it is longer than %d MiB", maxUserFile>>20)
	}
	if err != nil {
		return nil, errors.Join(append(wrong, err)...)
	}
	return lines, errors.Join(append(wrong, twice(lines)...)...)
}

// check is what one line alone can have wrong.
func (l *UserLine) check() error {
	if l.User.UUID == "" && l.User.Username == "" && l.User.Email == "" {
		return errors.New("it has neither uuid nor username nor email_address: nobody could tell whether the user is there already")
	}
	if l.Tenant != "" && uuid.Validate(l.Tenant) != nil {
		return errors.New("tenant_uuid: Not a valid UUID")
	}
	err := l.User.Check()
	if l.Emails != nil {
		err = errors.Join(err, api.CheckEmails(l.Emails))
	}
	return err
}

// twice finds names that two lines want: the server has one name space for usernames and e-mails (contract 10).
func twice(lines []UserLine) []error {
	var wrong []error
	seen := map[string]int{}
	for _, l := range lines {
		names := map[string]bool{}
		for _, n := range []string{l.User.UUID, l.User.Username, l.User.Email} {
			names[strings.ToLower(n)] = true
		}
		for _, e := range l.Emails {
			names[strings.ToLower(e.Address)] = true
		}
		delete(names, "")
		for _, n := range slices.Sorted(maps.Keys(names)) {
			if first, there := seen[n]; there {
				wrong = append(wrong, &LineError{l.Line, fmt.Errorf("%s stands in line %d too", shown(n), first)})
				break
			}
			seen[n] = l.Line
		}
	}
	return wrong
}

// set puts a value into a field. What was left empty is not given, but for the names that can be taken away.
func (l *UserLine) set(field, value string) error {
	texts := map[string]*string{
		"uuid": &l.User.UUID, "username": &l.User.Username, "firstname": &l.User.Firstname, "lastname": &l.User.Lastname,
		"email_address": &l.User.Email, "purpose": &l.User.Purpose, "authentication_method": &l.User.AuthenticationMethod, "tenant_uuid": &l.Tenant,
	}
	switch to, isText := texts[field]; {
	case isText:
		*to = value
	case field == "password":
		l.User.Password = api.NewSecret(value)
	case field == "enabled" && value == "":
	case field == "enabled":
		on := slices.Contains([]string{"true", "yes", "1"}, strings.ToLower(value))
		if !on && !slices.Contains([]string{"false", "no", "0"}, strings.ToLower(value)) {
			return errors.New("enabled: Not a valid boolean; write true or false")
		}
		l.User.Enabled = &on
	default:
		return fmt.Errorf("there is no field %s; there are %s", shown(field), strings.Join(UserFields, ", "))
	}
	if value != "" || field == "firstname" || field == "lastname" {
		l.Given[field] = true
	}
	return nil
}

// readCSV reads CSV whose first line names the columns.
func readCSV(r *bufio.Reader, add func(UserLine, error) error) error {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	head, err := in.Read()
	if errors.Is(err, io.EOF) {
		return errors.New("the file is empty: its first line names the columns")
	}
	if err != nil {
		return csvError(err)
	}
	fields := make([]string, len(head))
	for i, name := range head {
		fields[i] = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(UserFields, fields[i]) {
			return &LineError{1, fmt.Errorf("there is no column %s; there are %s", shown(name), strings.Join(UserFields, ", "))}
		}
		if slices.Contains(fields[:i], fields[i]) {
			return &LineError{1, fmt.Errorf("the column %s stands there twice", fields[i])}
		}
	}
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return csvError(err)
		}
		at, _ := in.FieldPos(0)
		l := UserLine{Line: at, Given: map[string]bool{}}
		for i, value := range record {
			if fields[i] != "password" { // which nobody exports
				value = unguarded(value)
			}
			err = errors.Join(err, l.set(fields[i], value))
		}
		if err := add(l, err); err != nil {
			return err
		}
	}
}

func csvError(err error) error {
	if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
		return &LineError{wrong.Line, wrong.Err}
	}
	return err
}

// readJSONL reads one object a line; blank lines are nothing.
func readJSONL(r *bufio.Reader, add func(UserLine, error) error) error {
	in := bufio.NewScanner(r)
	in.Buffer(nil, maxUserLine)
	n := 0
	for in.Scan() {
		n++
		text := bytes.TrimSpace(in.Bytes())
		if len(text) == 0 {
			continue
		}
		l := UserLine{Line: n, Given: map[string]bool{}}
		err := l.parse(text)
		if err := add(l, err); err != nil {
			return err
		}
	}
	if errors.Is(in.Err(), bufio.ErrTooLong) {
		return &LineError{n + 1, fmt.Errorf("it is longer than %d bytes", maxUserLine)}
	}
	return in.Err()
}

// parse reads one object.
func (l *UserLine) parse(text []byte) error {
	if !utf8.Valid(text) {
		return errors.New("it is no UTF-8")
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(text, &object) != nil || object == nil {
		return errors.New("it is no JSON object")
	}
	var wrong []error
	for _, name := range slices.Sorted(maps.Keys(object)) {
		raw := object[name]
		if err := l.parseField(name, raw); err != nil {
			wrong = append(wrong, err)
		}
	}
	return errors.Join(wrong...)
}

func (l *UserLine) parseField(name string, raw json.RawMessage) error {
	null := string(raw) == "null"
	switch {
	case name == "emails" && null:
		return nil
	case name == "emails":
		return l.parseEmails(raw)
	case null:
		return l.set(name, "")
	case name == "enabled":
		var on bool
		if json.Unmarshal(raw, &on) != nil {
			return errors.New("enabled: Not a valid boolean")
		}
		return l.set(name, strconv.FormatBool(on))
	}
	var text string
	if slices.Contains(UserFields, name) && json.Unmarshal(raw, &text) != nil {
		return fmt.Errorf("%s: Not a valid string", shown(name))
	}
	return l.set(name, text)
}

// jsonEmail is an e-mail in a line.
type jsonEmail struct {
	Address   string `json:"address"`
	Main      bool   `json:"main"`
	Confirmed bool   `json:"confirmed"`
}

func (l *UserLine) parseEmails(raw json.RawMessage) error {
	var list []jsonEmail
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if d.Decode(&list) != nil {
		return errors.New("emails: it is a list of objects with address, main and confirmed")
	}
	l.Given["emails"] = true
	l.Emails = make([]api.Email, 0, len(list))
	for _, e := range list {
		l.Emails = append(l.Emails, api.Email{Address: e.Address, Main: e.Main, Confirmed: e.Confirmed})
		if !e.Main {
			continue
		}
		if l.User.Email != "" && l.User.Email != e.Address {
			return errors.New("emails: the main one is not email_address")
		}
		l.User.Email = e.Address
	}
	return nil
}
