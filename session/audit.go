package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"wakey/api"
)

// Audit is the log of everything wakey did and noticed: JSON Lines in audit.jsonl of a directory,
// 0600, rotated by size into audit-NUMBER.jsonl. Each line carries its number, the hash of the
// line before and its own hash, over rotations too, and audit.head holds the last line's number and
// hash, so that Verify finds a line that was edited, cut, reordered or taken out.
//
// Whoever may write the directory may also write the whole log and its head anew, each hash
// fitting; no file on the same disk can tell. Against that, note down the hash that Verify gives
// and hold it against the log later. If the log and its head are deleted together, a new log
// begins at 1, and again only a noted hash tells.
//
// Any number of processes may append. It holds no secrets: its callers give the last 8 characters
// of tokens at most.
type Audit struct {
	dir  string
	size int64 // a file that would grow beyond is rotated
	keep int   // rotated files

	one  gate
	last tail // as this process left the log
}

// The log takes 17 files of 4 MiB at most: some 180,000 lines.
const (
	auditSize = 4 << 20
	auditKeep = 16
	// auditWait bounds how long a stopped process that holds the lock keeps others waiting.
	auditWait = 5 * time.Second
)

// OpenAudit gives the log in dir, which is made when something is first appended. An empty dir
// gives a log that keeps nothing.
func OpenAudit(dir string) *Audit {
	return &Audit{dir: dir, size: auditSize, keep: auditKeep, one: make(gate, 1)}
}

// Entry is one line of the log. Append sets N, Prev and Hash, and Time when it is zero.
type Entry struct {
	N       uint64            `json:"n"` // from 1, without gaps
	Time    time.Time         `json:"time"`
	Account ID                `json:"account,omitempty"`
	Name    string            `json:"name,omitempty"` // the account's, then
	Op      string            `json:"op"`             // as in Event
	Level   Level             `json:"level"`
	Text    string            `json:"text"`
	Fields  map[string]string `json:"fields,omitempty"`
	Prev    string            `json:"prev"` // Hash of the line before; 64 zeros before the first
	Hash    string            `json:"-"`    // SHA-256 over the line's bytes without its last member, "hash"
}

// Bounds of one line. The end of a file that is read to go on from it is longer than two lines.
const (
	maxAuditText   = 2000 // bytes
	maxAuditFields = 20
	auditTail      = 256 << 10
)

var firstPrev = strings.Repeat("0", 2*sha256.Size)

// Append writes one line and returns when it is on the disk. Text and fields are cleaned of
// control characters and cut to 2,000 bytes. Errors are those of the file system; what was begun
// then is told by the next line.
func (a *Audit) Append(e Entry) error {
	if a.dir == "" {
		return nil
	}
	e = tamedEntry(e)
	defer a.one.pass()()
	unlock, err := a.lock()
	if err != nil {
		return err
	}
	defer unlock()
	w, err := a.open()
	if err != nil {
		return fmt.Errorf("the log can't be written: %w", err)
	}
	err = w.append(e)
	if cerr := w.file.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("the log can't be written: %w", err)
	}
	a.last = w.tail
	return nil
}

// lock keeps other processes off the log.
func (a *Audit) lock() (unlock func(), err error) {
	if err := makeDir(a.dir); err != nil {
		return nil, err
	}
	return holdFile(filepath.Join(a.dir, "audit.lock"), auditWait)
}

// holdFile waits until this process alone has the lock at path, which stays behind.
func holdFile(path string, wait time.Duration) (release func(), err error) {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	l, err := acquire(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("%s can't be locked (does another wakey hang?): %w", path, err)
	}
	return func() { _ = l.Close() }, nil
}

// line gives the entry's line, with the hash that it also keeps in e.
func (e *Entry) line() ([]byte, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	e.Hash = hex.EncodeToString(sum[:])
	return append(body[:len(body)-1], `,"hash":"`+e.Hash+"\"}\n"...), nil
}

// parseEntry reads a line without its newline. intact tells whether its hash is its own; an error
// means that it is no line of a log at all.
func parseEntry(line []byte) (e Entry, intact bool, err error) {
	const open, digits = `,"hash":"`, 2 * sha256.Size
	cut := len(line) - len(open) - digits - len(`"}`)
	if cut < 1 || string(line[cut:cut+len(open)]) != open || string(line[len(line)-2:]) != `"}` {
		return Entry{}, false, errors.New("no line of the log")
	}
	body := append(append(make([]byte, 0, cut+1), line[:cut]...), '}')
	if err := json.Unmarshal(body, &e); err != nil {
		return Entry{}, false, err
	}
	sum := sha256.Sum256(body)
	e.Hash = string(line[cut+len(open) : len(line)-2])
	return e, e.Hash == hex.EncodeToString(sum[:]), nil
}

// tamedEntry bounds an entry and makes its texts harmless.
func tamedEntry(e Entry) Entry {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	e.Time = e.Time.UTC().Truncate(time.Microsecond)
	e.Name, e.Op, e.Text = tamed(e.Name), tamed(e.Op), tamed(e.Text)
	fields := map[string]string{}
	for k, v := range e.Fields {
		if len(fields) < maxAuditFields {
			fields[tamed(k)] = tamed(v)
		}
	}
	e.Fields = fields
	return e
}

func tamed(s string) string {
	if len(s) > maxAuditText {
		cut := maxAuditText
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return api.Clean(s)
}

var levelNames = [...]string{Info: "info", Warn: "warn", Alarm: "alarm"}

// String gives info, warn or alarm.
func (l Level) String() string {
	if l < 0 || int(l) >= len(levelNames) {
		return "unknown"
	}
	return levelNames[l]
}

// MarshalText gives what String does.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what String gives.
func (l *Level) UnmarshalText(text []byte) error {
	for i, name := range levelNames {
		if name == string(text) {
			*l = Level(i)
			return nil
		}
	}
	return fmt.Errorf("%q is no level", text)
}
