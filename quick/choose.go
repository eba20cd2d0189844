package quick

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
)

// DotWakey names the account for a directory and what is below it. It holds a name and nothing else, so
// that it may be committed.
const DotWakey = ".wakey"

// dotWakeyLimit is longer than any name, in bytes.
const dotWakeyLimit = 128

// CurrentName is the file beside the store that keeps the ID of the account switched to.
const CurrentName = "current"

// Named gives the name of the account that the environment or the nearest .wakey file says, and which of
// them did; "" when neither does. A .wakey file that holds something else than what valid takes for a name is
// an error.
func Named(valid func(name string) error) (name, rule string, err error) {
	if name := os.Getenv("WAKEY_ACCOUNT"); name != "" {
		return name, "WAKEY_ACCOUNT", nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", "", nil //nolint:nilerr // a directory that is gone has no .wakey
	}
	return findDotWakey(dir, valid)
}

// findDotWakey looks for a .wakey file in dir and above.
func findDotWakey(dir string, valid func(string) error) (name, path string, err error) {
	for {
		path := inside(dir, DotWakey)
		name, err := readDotWakey(path, valid)
		if err == nil {
			return name, path, nil
		}
		if errors.Is(err, errUnsure) {
			return "", "", err
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", "", errors.New(path + " is not used: " + err.Error() + "; name the account with --account")
		}
		parent := above(dir)
		if parent == dir {
			return "", "", nil
		}
		dir = parent
	}
}

// readDotWakey reads a .wakey file. What it holds is not repeated in errors: it may be a link to
// something that is nobody's business.
func readDotWakey(path string, valid func(string) error) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("it is no regular file")
	}
	if foreign(info) {
		return "", errors.New("it belongs to somebody else")
	}
	if info.Size() > dotWakeyLimit {
		return "", errors.New("it is too long to hold nothing but the name of an account")
	}
	b, err := readFile(path, dotWakeyLimit)
	if err != nil {
		return "", err
	}
	name := string(bytes.TrimRight(b, "\r\n"))
	if err := valid(name); errors.Is(err, errUnsure) {
		return "", err
	} else if err != nil {
		return "", errors.New("it does not hold the name of an account and nothing else")
	}
	return name, nil
}

// errUnsure leaves something to the program.
var errUnsure = errors.New("not for here to say")

// plainName knows the names that are valid beyond doubt, as nearly all are.
func plainName(name string) error {
	if name == "" || len(name) > 64 || name[0] == '-' || name[0] == '.' || name[0] == ' ' || name[len(name)-1] == ' ' {
		return errUnsure
	}
	for i := range len(name) {
		if c := name[i]; c < ' ' || c > '~' || c == '/' || c == '\\' {
			return errUnsure
		}
	}
	return nil
}

// Current gives the ID of the account switched to, "" for none. dir is the store's.
func Current(dir string) string {
	b, err := readFile(inside(dir, CurrentName), 128)
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(b))
}

// inside and above are filepath.Join and filepath.Dir for a clean path: package filepath is initialized late.
func inside(dir, name string) string {
	if os.IsPathSeparator(dir[len(dir)-1]) {
		return dir + name
	}
	return dir + string(os.PathSeparator) + name
}

func above(dir string) string {
	for i := len(dir) - 1; i >= 0; i-- {
		if os.IsPathSeparator(dir[i]) {
			if root := dir[:i+1]; i == 0 || dir[i-1] == ':' {
				return root
			}
			return dir[:i]
		}
	}
	return dir
}
