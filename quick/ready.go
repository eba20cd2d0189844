package quick

import (
	"bytes"
	"os"
	"strconv"
	"time"
)

// Ready is the access token that "wakey token" printed last, as it lies in the kernel's keyring beside the key
// of an unlocked store, and all that has to be as it was for the token to be the answer again.
type Ready struct {
	KeySerial  int       // of the store's key in the kernel: the token is of no use once that is gone
	Key        string    // its description
	Generation []byte    // of accounts.age: as Generation gives it
	Settings   string    // of config.toml: as Settings gives it
	ID, Name   string    // of the account
	Only       bool      // there is no other account
	From       time.Time // earlier than this the clock is wrong
	Until      time.Time // later than this the token lives too short
	Token      string
}

// ReadyName is what the kernel knows the token of the store in dir by.
func ReadyName(dir string) string { return "wakey:ready:" + dir }

const readyVersion = "ready 1"

// Encode gives r as it lies in the kernel.
func (r *Ready) Encode() []byte {
	only := ""
	if r.Only {
		only = "only"
	}
	var b []byte
	for _, text := range []string{
		readyVersion, strconv.Itoa(r.KeySerial), r.Key, r.Settings, r.ID, r.Name, only,
		strconv.FormatInt(r.From.UnixNano(), 10), strconv.FormatInt(r.Until.UnixNano(), 10), r.Token,
	} {
		b = append(append(b, text...), '\n')
	}
	return append(b, r.Generation...)
}

// parseReady reads what Encode gives.
func parseReady(b []byte) (r Ready, ok bool) {
	parts := bytes.SplitN(b, []byte("\n"), 11)
	if len(parts) != 11 || string(parts[0]) != readyVersion {
		return r, false
	}
	text := func(i int) string { return string(parts[i]) }
	serial, err := strconv.Atoi(text(1))
	from, fromErr := strconv.ParseInt(text(7), 10, 64)
	until, untilErr := strconv.ParseInt(text(8), 10, 64)
	return Ready{
		KeySerial: serial, Key: text(2), Settings: text(3), ID: text(4), Name: text(5), Only: text(6) == "only",
		From: time.Unix(0, from), Until: time.Unix(0, until), Token: text(9), Generation: parts[10],
	}, err == nil && fromErr == nil && untilErr == nil && text(9) != ""
}

// Settings names what config.toml holds now.
func Settings() string {
	path := configFile()
	if path == "" {
		return ""
	}
	info, err := os.Stat(path)
	switch {
	case os.IsNotExist(err):
		return "none"
	case err != nil:
		return ""
	}
	return strconv.FormatInt(info.Size(), 10) + " " + strconv.FormatInt(info.ModTime().UnixNano(), 10) + " " + path
}

// tokenText is what "wakey token" prints with args, unless it takes the program to tell.
func tokenText(dir string, args []string, now time.Time) (text string, sure bool) {
	name, form, ok := tokenArgs(args)
	if !ok || os.Getenv("WAKEY_REFRESH_TOKEN") != "" {
		return "", false
	}
	harden()
	r, ok := readReady(dir)
	if !ok || now.Before(r.From) || !now.Before(r.Until) || r.Settings == "" || r.Settings != Settings() {
		return "", false
	}
	if name == "" {
		var err error
		if name, _, err = Named(plainName); err != nil {
			return "", false
		}
	}
	current := ""
	if name == "" {
		current = Current(dir)
	}
	switch {
	case name != "" && name == r.Name, name == "" && current == r.ID, name == "" && current == "" && r.Only:
	default:
		return "", false
	}
	if generation := Generation(dir); generation == nil || !bytes.Equal(generation, r.Generation) {
		return "", false
	}
	return form.before + r.Token + form.after, true
}

// tokenForm is what stands around the token.
type tokenForm struct{ before, after string }

func tokenFormOf(arg string) (form tokenForm, ok bool) {
	switch arg {
	case "--header":
		return tokenForm{"X-Auth-Token: ", "\n"}, true
	case "--curl-config":
		return tokenForm{`header = "X-Auth-Token: `, "\"\n"}, true
	}
	return tokenForm{}, false
}

const accountFlag = "--account="

// tokenArgs understands the arguments that need no more than a token that lives.
func tokenArgs(args []string) (name string, form tokenForm, ok bool) {
	form = tokenForm{"", "\n"}
	formed := false
	for i := 0; i < len(args); i++ {
		arg := args[i]
		next, isForm := tokenFormOf(arg)
		switch {
		case isForm && !formed:
			form, formed = next, true
			continue
		case arg == "--no-input":
			continue
		case (arg == "-a" || arg == "--account") && i+1 < len(args):
			i++
			arg = args[i]
		case len(arg) > len(accountFlag) && arg[:len(accountFlag)] == accountFlag:
			arg = arg[len(accountFlag):]
		}
		if arg == "" || arg[0] == '-' || name != "" {
			return "", form, false
		}
		name = arg
	}
	return name, form, true
}
