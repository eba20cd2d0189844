package session

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// indexJSON is what the index tells of an account: neither its secrets, nor whom it trusts, nor its
// sessions.
type indexJSON struct {
	ID          ID        `json:"id"`
	Name        string    `json:"name"`
	Stack       string    `json:"stack"`
	Login       string    `json:"login"`
	UserUUID    string    `json:"user_uuid,omitempty"`
	TenantUUID  string    `json:"tenant_uuid,omitempty"`
	Purpose     string    `json:"purpose,omitempty"`
	Admin       bool      `json:"admin,omitempty"`
	ClientID    string    `json:"client_id,omitempty"`
	Refreshes   bool      `json:"refreshes,omitempty"` // holds a refresh token
	Lifetime    duration  `json:"lifetime,omitempty"`
	SignedInAt  time.Time `json:"signed_in_at,omitzero"`
	SessionUUID string    `json:"session_uuid,omitempty"`
	ObtainedAt  time.Time `json:"obtained_at,omitzero"`
	ExpiresAt   time.Time `json:"expires_at,omitzero"`
	RefreshAt   time.Time `json:"refresh_at,omitzero"`
	State       State     `json:"state,omitempty"`
	Reason      string    `json:"reason,omitempty"`
}

func encodeIndexed(r *Record) ([]byte, error) {
	a := accountOf(r)
	return json.Marshal(indexJSON{
		ID: a.ID, Name: a.Name, Stack: a.Stack, Login: a.Login, UserUUID: a.UserUUID, TenantUUID: a.TenantUUID, Purpose: a.Purpose, Admin: a.Admin,
		ClientID: a.ClientID, Refreshes: !r.RefreshToken.IsZero(), Lifetime: duration(a.Lifetime), SignedInAt: a.SignedInAt,
		SessionUUID: a.SessionUUID, ObtainedAt: a.ObtainedAt, ExpiresAt: a.ExpiresAt, RefreshAt: a.RefreshAt,
		State: a.State, Reason: a.Reason,
	})
}

func decodeIndexed(line []byte, now time.Time) (Account, error) {
	var j indexJSON
	if err := json.Unmarshal(line, &j); err != nil {
		return Account{}, err
	}
	a := Account{
		ID: j.ID, Name: j.Name, Stack: j.Stack, Login: j.Login, UserUUID: j.UserUUID, TenantUUID: j.TenantUUID, Purpose: j.Purpose, Admin: j.Admin,
		ClientID: j.ClientID, Lifetime: time.Duration(j.Lifetime), SignedInAt: j.SignedInAt,
		SessionUUID: j.SessionUUID, ObtainedAt: j.ObtainedAt, ExpiresAt: j.ExpiresAt, RefreshAt: j.RefreshAt,
		State: j.State, Reason: j.Reason, TotalSessions: -1,
	}
	switch {
	case a.State != "":
	case now.Before(a.ExpiresAt):
		a.State = Active
	case j.Refreshes:
		a.State = Expired
	default:
		a.State = SignInNeeded
	}
	return a, nil
}

// ReadIndex reads the accounts as last written down beside the store in dir, without their
// secrets and without the key: what the first frame, the shell prompt and completion show, without
// trust, sessions and leaks. They come in order of name, each active or expired by its token's expiry unless a problem is
// noted. No index is no error. Errors: ErrNewer, ErrDamaged (the next change mends it).
func ReadIndex(dir string) ([]Account, error) {
	path := filepath.Join(dir, indexName)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b, err := parseIndex(data)
	if errors.Is(err, ErrNewer) {
		return nil, fmt.Errorf("%s was %w", path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s can't be read (%w): it is made again with the next change of an account", ErrDamaged, path, err)
	}
	now := time.Now()
	accounts := make([]Account, 0, len(b.ids))
	for _, id := range b.ids {
		a, err := decodeIndexed(b.lines[id], now)
		if err != nil {
			return nil, fmt.Errorf("%w: %s can't be read (%w): it is made again with the next change of an account", ErrDamaged, path, err)
		}
		accounts = append(accounts, a)
	}
	slices.SortFunc(accounts, func(a, b Account) int { return byName(Record{Name: a.Name}, Record{Name: b.Name}) })
	return accounts, nil
}

func parseIndex(data []byte) (*book, error) {
	return parseBook(data, func(raw []byte) (ID, []byte, error) {
		var j indexJSON
		if err := json.Unmarshal(raw, &j); err != nil {
			return "", nil, err
		}
		line, err := json.Marshal(j)
		return j.ID, line, err
	})
}

// writeIndex writes the index of after. ids are the accounts that differ from those of before;
// before is nil when nothing is known to be the same. The index is a cache: that it can't be
// written fails nothing. One that a newer wakey wrote stays. The store's lock is held.
func (s *FileStore) writeIndex(before, after *snapshot, ids []ID) {
	path := s.path(indexName)
	err := errIndexStale
	if before != nil {
		err = replaceFile(path, "", false, func(w io.Writer) error { return patchIndex(w, path, before, after, ids) })
	}
	if !errors.Is(err, errIndexStale) {
		return
	}
	if data, err := os.ReadFile(path); err == nil {
		if _, err := parseIndex(data); errors.Is(err, ErrNewer) {
			return
		} else if err != nil {
			_ = os.Rename(path, path+".damaged")
		}
	}
	_ = replaceFile(path, "", false, func(w io.Writer) error {
		return writeBook(w, after.stamp, after.book.ids, after.indexed)
	})
}

// indexed is the account's line in the index.
func (s *snapshot) indexed(id ID) ([]byte, error) {
	r, _, err := s.get(id)
	if err != nil {
		return nil, err
	}
	return encodeIndexed(&r)
}

// errIndexStale says that the index is not that of the generation before, line by line.
var errIndexStale = errors.New("the index is of another generation")

// patchIndex copies the index of before but for the lines of ids. Both generations have their
// accounts in the same order, new ones last.
func patchIndex(w io.Writer, path string, before, after *snapshot, ids []ID) error {
	f, err := os.Open(path)
	if err != nil {
		return errIndexStale
	}
	defer f.Close()
	old := bufio.NewReaderSize(f, 1<<16)
	if head, err := old.ReadString('\n'); err != nil || head != bookHead(before.stamp) {
		return errIndexStale
	}
	return writeBook(w, after.stamp, after.book.ids, func(id ID) ([]byte, error) {
		if slices.Contains(ids, id) {
			return after.indexed(id)
		}
		for {
			line, err := old.ReadSlice('\n')
			if err != nil {
				return nil, errIndexStale
			}
			line = bytes.TrimRight(line, ",\n")
			if got, _, ok := cutID(line); !ok || got != id && !slices.Contains(ids, got) {
				return nil, errIndexStale
			} else if got == id {
				return line, nil
			}
		}
	})
}
