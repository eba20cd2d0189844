package quick

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
)

// account is what a prompt has to know of one, as it stands in the index.
type account struct {
	id, name, expires []byte
	state             []byte // of a problem; empty when there is none
	refreshes         bool   // holds a refresh token
}

// isHead tells whether a line begins the index that session writes beside the store, with one account a line.
func isHead(line []byte) bool {
	line, begins := bytes.CutPrefix(line, []byte(`{"version":1,"of":"`))
	generation, ends := bytes.CutSuffix(line, []byte(`","accounts":[`))
	return begins && ends && !bytes.ContainsAny(generation, `"\`)
}

// errNone says that no account is chosen.
var errNone = errors.New("no account")

// eachAccount calls fn with the index's lines until fn has seen enough. Of ten thousand lines it keeps one. It is
// errUnsure when there is an index that is not laid out as ours are.
func eachAccount(dir string, fn func(line []byte) (more bool)) error {
	f, err := openFile(inside(dir, "index.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return errUnsure
	}
	defer f.close()
	var (
		buf  = make([]byte, 0, 8<<10)
		head = true
	)
	for {
		if len(buf) == cap(buf) { // a long line
			if cap(buf) > 1<<20 {
				return errUnsure
			}
			buf = append(make([]byte, 0, 4*cap(buf)), buf...)
		}
		n, err := f.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		rest := buf
		for {
			line, after, whole := bytes.Cut(rest, []byte("\n"))
			if !whole {
				break
			}
			rest = after
			switch {
			case head && !isHead(line):
				return errUnsure
			case head:
				head = false
			case string(line) == "]}" || !fn(line):
				return nil
			}
		}
		buf = buf[:copy(buf, rest)]
		if errors.Is(err, io.EOF) && n == 0 {
			return errUnsure // it has an end of its own
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return errUnsure
		}
	}
}

// parseAccount reads a line of the index.
func parseAccount(line []byte) (a account, ok bool) {
	ok = object(bytes.TrimSuffix(line, []byte(",")), func(name, value []byte) {
		switch string(name) {
		case "id":
			a.id = value
		case "name":
			a.name = value
		case "state":
			a.state = value
		case "expires_at":
			a.expires = value
		case "refreshes":
			a.refreshes = string(value) == "true"
		}
	})
	return a, ok
}

// find gives the account that choose chooses: named by what the environment says, else the one
// switched to, else the only one. When there is none as it should be, the program says what then.
func find(dir string) (account, error) {
	name, _, err := Named(plainName)
	if err != nil {
		return account{}, err
	}
	wanted := name
	if name == "" {
		wanted = Current(dir)
	}
	var (
		chosen []byte // a line
		count  int
	)
	err = eachAccount(dir, func(line []byte) (more bool) {
		count++
		if wanted == "" {
			chosen = bytes.Clone(line)
			return count < 2
		}
		if !bytes.Contains(line, []byte(wanted)) { // of ten thousand lines, nearly all
			return true
		}
		a, ok := parseAccount(line)
		byName := name != "" && string(a.name) == name
		if !ok || byName || string(a.id) == wanted {
			chosen = bytes.Clone(line)
		}
		return ok && !byName && (name != "" || chosen == nil) // another one may have that name
	})
	switch {
	case err != nil:
		return account{}, err
	case wanted == "" && count != 1:
		return account{}, errNone
	}
	a, ok := parseAccount(chosen)
	if !ok {
		return account{}, errUnsure
	}
	return a, plainName(string(a.name))
}
