package session

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"
)

// AuditFilter says which entries are wanted. The zero value wants all.
type AuditFilter struct {
	Since   time.Time
	Account ID
	Op      string
}

func (f AuditFilter) wants(e *Entry) bool {
	return !e.Time.Before(f.Since) && (f.Account == "" || f.Account == e.Account) && (f.Op == "" || f.Op == e.Op)
}

// Read gives the wanted entries, oldest first, as the log is at the call. A line that can't be
// read comes as an error, and reading goes on behind it; Verify tells more about it.
func (a *Audit) Read(f AuditFilter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if a.dir == "" {
			return
		}
		log, err := a.snapshot()
		if err != nil {
			yield(Entry{}, err)
			return
		}
		for line, err := range log.lines() {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			e, _, err := parseEntry(line.text)
			switch {
			case err != nil:
				err = fmt.Errorf("%s, line %d: %w", line.file, line.number, err)
			case !f.wants(&e):
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// auditLog is the log as it was at one instant. Rotated files don't change, but the oldest may go.
type auditLog struct {
	rotated []string
	active  []byte
	head    tail
	headed  bool
}

func (a *Audit) snapshot() (*auditLog, error) {
	if _, err := os.Stat(a.dir); errors.Is(err, fs.ErrNotExist) {
		return &auditLog{}, nil
	}
	unlock, err := a.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	var log auditLog
	if log.rotated, err = a.rotated(); err != nil {
		return nil, err
	}
	if log.active, err = os.ReadFile(a.active()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	log.head, log.headed = a.readHead()
	return &log, nil
}

// auditLine is one line where it stands, without its newline.
type auditLine struct {
	file   string
	number int // from 1
	text   []byte
	whole  bool // it ends in a newline
}

func (l *auditLog) lines() iter.Seq2[auditLine, error] {
	return func(yield func(auditLine, error) bool) {
		split := func(name string, b []byte) bool {
			for number := 1; len(b) > 0; number++ {
				text, rest, whole := bytes.Cut(b, []byte{'\n'})
				if !yield(auditLine{name, number, text, whole}, nil) {
					return false
				}
				b = rest
			}
			return true
		}
		for _, name := range l.rotated {
			b, err := os.ReadFile(name)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				yield(auditLine{}, err)
				return
			}
			if !split(filepath.Base(name), b) {
				return
			}
		}
		split("audit.jsonl", l.active)
	}
}
