package session

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"wakey/api"
)

// UserWriter writes users as ReadUsers reads them.
type UserWriter struct {
	w       io.Writer
	csv     *csv.Writer // nil: JSON Lines
	Further int         // users with more e-mails than CSV has room for
}

// exported are the columns of what is written: no password is ever known.
var exported = UserFields[:len(UserFields)-1]

// NewUserWriter begins with the heading, which CSV has.
func NewUserWriter(w io.Writer, format UserFormat) (*UserWriter, error) {
	if format == UsersJSONL {
		return &UserWriter{w: w}, nil
	}
	u := &UserWriter{w: w, csv: csv.NewWriter(w)}
	return u, u.csv.Write(exported)
}

// Write writes a user.
func (w *UserWriter) Write(u api.User) error {
	main := api.Email{}
	for _, e := range u.Emails {
		if e.Main {
			main = e
		}
	}
	if w.csv == nil {
		return w.writeJSON(u)
	}
	if len(u.Emails) > 1 || len(u.Emails) == 1 && !main.Confirmed {
		w.Further++
	}
	row := []string{
		u.UUID, u.Username, u.Firstname, u.Lastname, main.Address, u.Purpose, strconv.FormatBool(u.Enabled), u.AuthenticationMethod, u.TenantUUID,
	}
	for i := range row {
		row[i] = guarded(row[i])
	}
	return w.csv.Write(row)
}

func (w *UserWriter) writeJSON(u api.User) error {
	emails := make([]jsonEmail, 0, len(u.Emails))
	for _, e := range u.Emails {
		emails = append(emails, jsonEmail{e.Address, e.Main, e.Confirmed})
	}
	orNull := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	line, err := json.Marshal(struct {
		UUID      string      `json:"uuid"`
		Username  *string     `json:"username"`
		Firstname *string     `json:"firstname"`
		Lastname  *string     `json:"lastname"`
		Emails    []jsonEmail `json:"emails"`
		Purpose   string      `json:"purpose"`
		Enabled   bool        `json:"enabled"`
		Method    *string     `json:"authentication_method,omitempty"`
		Tenant    string      `json:"tenant_uuid"`
	}{u.UUID, orNull(u.Username), orNull(u.Firstname), orNull(u.Lastname), emails, u.Purpose, u.Enabled, orNull(u.AuthenticationMethod), u.TenantUUID})
	if err != nil {
		return err
	}
	_, err = w.w.Write(append(line, '\n'))
	return err
}

// Flush writes what is still held back.
func (w *UserWriter) Flush() error {
	if w.csv == nil {
		return nil
	}
	w.csv.Flush()
	return w.csv.Error()
}

// formula are the first characters of what a spreadsheet takes for a formula, and the mark that keeps it from doing so.
const formula, formulaMark = "=+-@\t\r", "'"

// guarded puts the mark before a text that a spreadsheet would carry out: a name is whatever its user chose. A text
// that begins with the mark gets another, so that unguarded gives back what there was.
func guarded(s string) string {
	if s != "" && strings.ContainsAny(s[:1], formula+formulaMark) {
		return formulaMark + s
	}
	return s
}

func unguarded(s string) string {
	if rest, ok := strings.CutPrefix(s, formulaMark); ok && rest != "" && strings.ContainsAny(rest[:1], formula+formulaMark) {
		return rest
	}
	return s
}
