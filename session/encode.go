package session

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unique"

	"wakey/api"
)

// formatVersion is that of accounts.age, index.json, key.json and backups. A file with a higher
// one is refused: this program would drop what it doesn't know.
const formatVersion = 1

// ErrNewer says that a file was written by a later version of this program.
var ErrNewer = errors.New("written by a newer wakey")

func checkVersion(v int) error {
	switch {
	case v > formatVersion:
		return fmt.Errorf("%w (its format is %d, this one knows %d): update wakey", ErrNewer, v, formatVersion)
	case v < 1:
		return errors.New("no version in it")
	}
	return nil
}

// recordJSON is a record as it is written down. This is the one place besides the HTTP client
// where a secret is read. The ID and the name come first: book relies on it.
type recordJSON struct {
	ID           ID            `json:"id"`
	Name         string        `json:"name"`
	Stack        string        `json:"stack"`
	PlainHTTP    bool          `json:"plain_http,omitempty"`
	Pin          string        `json:"pin,omitempty"`
	CAFile       string        `json:"ca_file,omitempty"`
	Login        string        `json:"login"`
	UserUUID     string        `json:"user_uuid,omitempty"`
	TenantUUID   string        `json:"tenant_uuid,omitempty"`
	Purpose      string        `json:"purpose,omitempty"`
	Admin        bool          `json:"admin,omitempty"`
	ClientID     string        `json:"client_id,omitempty"`
	OldClientIDs []string      `json:"old_client_ids,omitempty"`
	RefreshToken string        `json:"refresh_token,omitempty"`
	Lifetime     duration      `json:"lifetime,omitempty"`
	SignedInAt   time.Time     `json:"signed_in_at,omitzero"`
	Access       *accessJSON   `json:"access,omitempty"`
	Sessions     []sessionJSON `json:"sessions,omitempty"`
	Leaks        []leakJSON    `json:"leaks,omitempty"`
	Problem      *problemJSON  `json:"problem,omitempty"`
	Version      uint64        `json:"version"`
}

type accessJSON struct {
	Token       string    `json:"token"`
	SessionUUID string    `json:"session_uuid,omitempty"`
	ObtainedAt  time.Time `json:"obtained_at"`
	ExpiresAt   time.Time `json:"expires_at"`
	RefreshAt   time.Time `json:"refresh_at,omitzero"`
}

type sessionJSON struct {
	UUID      string    `json:"uuid"`
	ExpiresAt time.Time `json:"expires_at"`
}

type leakJSON struct {
	At       time.Time `json:"at"`
	Until    time.Time `json:"until"`
	Op       string    `json:"op"`
	ClientID string    `json:"client_id,omitempty"`
}

type problemJSON struct {
	State  State     `json:"state"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}

// duration is written as "2h0m0s".
type duration time.Duration

func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = duration(v)
	return err
}

func encodeRecord(r *Record) ([]byte, error) {
	j := recordJSON{
		ID: r.ID, Name: r.Name, Stack: r.Stack, PlainHTTP: r.PlainHTTP, Pin: r.Trust.Pin, CAFile: r.Trust.CAFile,
		Login: r.Login, UserUUID: r.UserUUID, TenantUUID: r.TenantUUID, Purpose: r.Purpose, Admin: r.Admin,
		ClientID: r.ClientID, OldClientIDs: r.OldClientIDs, RefreshToken: r.RefreshToken.Reveal(),
		Lifetime: duration(r.Lifetime), SignedInAt: r.SignedInAt,
		Sessions: sessionsJSON(r.Sessions), Leaks: leaksJSON(r.Leaks), Problem: (*problemJSON)(r.Problem), Version: r.Version,
	}
	if a := r.Access; a != nil {
		j.Access = &accessJSON{a.Token.Reveal(), a.SessionUUID, a.ObtainedAt, a.ExpiresAt, a.RefreshAt}
	}
	return json.Marshal(j) //nolint:gosec // what it gives is encrypted
}

func decodeRecord(line []byte) (*Record, error) {
	var j recordJSON
	if err := json.Unmarshal(line, &j); err != nil {
		return nil, err
	}
	r := &Record{
		ID: j.ID, Name: j.Name, Stack: shared(j.Stack), PlainHTTP: j.PlainHTTP, Trust: api.Trust{Pin: shared(j.Pin), CAFile: shared(j.CAFile)},
		Login: j.Login, UserUUID: j.UserUUID, TenantUUID: shared(j.TenantUUID), Purpose: shared(j.Purpose), Admin: j.Admin,
		ClientID: j.ClientID, OldClientIDs: j.OldClientIDs, RefreshToken: api.NewSecret(j.RefreshToken),
		Lifetime: time.Duration(j.Lifetime), SignedInAt: j.SignedInAt,
		Sessions: openedSessions(j.Sessions), Leaks: leaks(j.Leaks), Problem: (*Problem)(j.Problem), Version: j.Version,
	}
	if a := j.Access; a != nil {
		r.Access = &Access{api.NewSecret(a.Token), a.SessionUUID, a.ObtainedAt, a.ExpiresAt, a.RefreshAt}
	}
	return r, nil
}

// shared is s, of which thousands of accounts then hold one copy.
func shared(s string) string { return unique.Make(s).Value() }

func sessionsJSON(in []OpenedSession) (out []sessionJSON) {
	for _, s := range in {
		out = append(out, sessionJSON(s))
	}
	return out
}

func openedSessions(in []sessionJSON) (out []OpenedSession) {
	for _, s := range in {
		out = append(out, OpenedSession(s))
	}
	return out
}

func leaksJSON(in []Leak) (out []leakJSON) {
	for _, l := range in {
		out = append(out, leakJSON(l))
	}
	return out
}

func leaks(in []leakJSON) (out []Leak) {
	for _, l := range in {
		out = append(out, Leak(l))
	}
	return out
}

// book is a JSON document with one account a line, so that one of ten thousand is found,
// replaced and written without parsing the others:
//
//	{"version":1,"of":"","accounts":[
//	{"id":"0123abcd","name":"work",…},
//	{"id":"4567cdef","name":"home",…}
//	]}
type book struct {
	of    string // of an index: the stamp of the accounts.age that it was made from
	ids   []ID
	lines map[ID][]byte
}

type bookJSON struct {
	Version  int               `json:"version"`
	Of       string            `json:"of"`
	Accounts []json.RawMessage `json:"accounts"`
}

func newBook() *book { return &book{lines: map[ID][]byte{}} }

// parseBook reads a document. One that a person laid out anew (with plain age and an editor) is
// brought back into form by canonical, which parses one account and gives its line.
func parseBook(data []byte, canonical func([]byte) (ID, []byte, error)) (*book, error) {
	if b, err := parseLines(data); err == nil || errors.Is(err, ErrNewer) {
		return b, err
	}
	var doc bookJSON
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	if err := checkVersion(doc.Version); err != nil {
		return nil, err
	}
	b := newBook()
	b.of = doc.Of
	for _, raw := range doc.Accounts {
		id, line, err := canonical(raw)
		if err != nil {
			return nil, err
		}
		if err := b.add(id, line); err != nil {
			return nil, err
		}
	}
	return b, nil
}

var errLayout = errors.New("not laid out by wakey")

func parseLines(data []byte) (*book, error) {
	head, rest, _ := bytes.Cut(data, []byte("\n"))
	var doc bookJSON
	if err := json.Unmarshal(append(bytes.Clone(head), "]}"...), &doc); err != nil || len(doc.Accounts) > 0 {
		return nil, errLayout
	}
	if err := checkVersion(doc.Version); err != nil {
		return nil, err
	}
	rest, ok := bytes.CutSuffix(rest, []byte(bookTail))
	if !ok {
		return nil, errLayout
	}
	b := &book{of: doc.Of, lines: make(map[ID][]byte, bytes.Count(rest, []byte("\n")))}
	for len(rest) > 0 {
		line, after, _ := bytes.Cut(rest, []byte("\n"))
		if line, ok = bytes.CutSuffix(line, []byte(",")); ok == (len(after) == 0) {
			return nil, errLayout
		}
		id, _, ok := cutID(line)
		if !ok {
			return nil, errLayout
		}
		if err := b.add(id, line); err != nil {
			return nil, err
		}
		rest = after
	}
	return b, nil
}

// cutID splits a line after its ID.
func cutID(line []byte) (ID, []byte, bool) {
	rest, ok := bytes.CutPrefix(line, []byte(`{"id":"`))
	if !ok {
		return "", nil, false
	}
	id, rest, ok := bytes.Cut(rest, []byte(`"`))
	return ID(id), rest, ok && validID(ID(id)) == nil
}

func (b *book) add(id ID, line []byte) error {
	if _, twice := b.lines[id]; twice {
		return fmt.Errorf("account %s is in it twice", id)
	}
	b.put(id, line)
	return nil
}

func (b *book) put(id ID, line []byte) {
	if _, known := b.lines[id]; !known {
		b.ids = append(b.ids, id)
	}
	b.lines[id] = line
}

func (b *book) write(w io.Writer) error {
	return writeBook(w, b.of, b.ids, func(id ID) ([]byte, error) { return b.lines[id], nil })
}

// writeBook writes a document of the accounts ids, each as line gives it.
func writeBook(w io.Writer, of string, ids []ID, line func(ID) ([]byte, error)) error {
	if _, err := io.WriteString(w, bookHead(of)); err != nil {
		return err
	}
	for i, id := range ids {
		text, err := line(id)
		if err != nil {
			return err
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
		end := ",\n"
		if i == len(ids)-1 {
			end = "\n"
		}
		if _, err := io.WriteString(w, end); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, bookTail)
	return err
}

// bookHead is the first line of a document; of has no character that JSON quotes.
func bookHead(of string) string {
	return fmt.Sprintf(`{"version":%d,"of":"%s","accounts":[`+"\n", formatVersion, of)
}

const bookTail = "]}\n"
