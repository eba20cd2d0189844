package quick

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"time"
)

// account is what a prompt has to know of one.
type account struct {
	id, name  string
	state     string // of a problem; empty when there is none
	refreshes bool   // holds a refresh token
	expires   time.Time
}

// indexHead begins the index that session writes beside the store, with one account a line.
const indexHead = `{"version":1,`

// errNoIndex says that there is none, or none that is laid out as ours are.
var errNoIndex = errors.New("no index")

// eachAccount calls fn with the index's lines until fn has seen enough. Of ten thousand lines it keeps one.
func eachAccount(dir string, fn func(line []byte) (more bool)) error {
	f, err := openFile(inside(dir, "index.json"))
	if err != nil {
		return errNoIndex
	}
	defer f.close()
	var (
		buf  = make([]byte, 0, 8<<10)
		head = true
	)
	for {
		if len(buf) == cap(buf) { // a long line
			if cap(buf) > 1<<20 {
				return errNoIndex
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
			case head && !bytes.HasPrefix(line, []byte(indexHead)):
				return errNoIndex
			case head:
				head = false
			case string(line) == "]}" || !fn(line):
				return nil
			}
		}
		buf = buf[:copy(buf, rest)]
		if errors.Is(err, io.EOF) && n == 0 {
			return errNoIndex // it has an end of its own
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
}

// field gives the text of a field of a line. Inside of a text a quote is escaped, so that no text looks like a
// field.
func field(line []byte, name string) string {
	_, rest, found := bytes.Cut(line, []byte(`"`+name+`":"`))
	if !found {
		return ""
	}
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			text, err := strconv.Unquote(`"` + string(rest[:i]) + `"`)
			if err != nil {
				return ""
			}
			return text
		}
	}
	return ""
}

func parseAccount(line []byte) account {
	expires, _ := time.Parse(time.RFC3339Nano, field(line, "expires_at")) // without one it is long over
	return account{
		id: field(line, "id"), name: field(line, "name"), state: field(line, "state"), expires: expires,
		refreshes: bytes.Contains(line, []byte(`,"refreshes":true,`)),
	}
}

// find gives the account that choose chooses: named by what the environment says, else the one
// switched to, else the only one.
func find(dir string, valid func(string) error) (account, error) {
	name, _, err := Named(valid)
	if err != nil {
		return account{}, err
	}
	current := Current(dir)
	var (
		byID, first []byte
		found       []byte
		count       int
	)
	err = eachAccount(dir, func(line []byte) bool {
		count++
		if count == 1 {
			first = bytes.Clone(line)
		}
		id := field(line, "id")
		switch {
		case name != "" && field(line, "name") == name, name == "" && current != "" && id == current:
			found = bytes.Clone(line)
			return false
		case name != "" && id == name:
			byID = bytes.Clone(line)
		}
		return name != "" || current != "" || count < 2
	})
	switch {
	case err != nil:
		return account{}, err
	case found != nil:
	case byID != nil:
		found = byID
	case name == "" && count == 1:
		found = first
	default:
		return account{}, errNoIndex
	}
	a := parseAccount(found)
	return a, valid(a.name)
}
