//go:build linux

package security_test

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// secret is something that must not be found where nobody asked for it.
type secret struct {
	kind  string // password, access token, refresh token, passphrase, identity
	value string
}

// record is what was seen in one place.
type record struct {
	step  string // the command or the screen
	place string // stdout, argv, file data/wakey/index.json
	data  []byte
}

// hit is a secret, or 12 characters of one, that was found in a record.
type hit struct {
	record
	secret

	form string // plain, base64
	at   int
}

func (h hit) String() string {
	from, to := max(0, h.at-60), min(len(h.data), h.at+60)
	return fmt.Sprintf("%s: %s holds the %s %q (%s): …%q…", h.step, h.place, h.kind, h.value, h.form, h.data[from:to])
}

// window is how much of a secret is enough to be one: half a token on a screen that was too narrow is a leak.
// It is longer than the 8 characters by which a token is named everywhere.
const window = 12

// needle is a piece of a form of a secret.
type needle struct {
	secret
	form, text string
}

// searcher finds any of many needles in one pass.
type searcher map[[window]byte][]needle

func newSearcher(secrets []secret) searcher {
	s := searcher{}
	known := map[string]bool{}
	for _, one := range secrets {
		if len(one.value) < window+4 {
			panic("too short to be looked for: " + one.value)
		}
		for form, texts := range forms(one.value) {
			for _, text := range texts {
				size := window
				if form == "bytes" {
					size = 3 * window // digits and blanks alone: shorter ones turn up by chance
				}
				for i := 0; i+size <= len(text); i++ {
					piece := text[i : i+size]
					if known[piece] {
						continue
					}
					known[piece] = true
					key := [window]byte([]byte(piece[:window]))
					s[key] = append(s[key], needle{one, form, piece})
				}
			}
		}
	}
	return s
}

// forms are the ways in which a value may have been written down.
func forms(value string) map[string][]string {
	f := map[string][]string{
		"plain":      {value, strings.ToUpper(value), strings.ToLower(value)},
		"no dashes":  {strings.ReplaceAll(value, "-", "")},
		"hex":        {hex.EncodeToString([]byte(value)), strings.ToUpper(hex.EncodeToString([]byte(value)))},
		"URL":        {url.QueryEscape(value), url.PathEscape(value), percent(value, "%%%02X"), percent(value, "%%%02x")},
		"HTML":       {html.EscapeString(value)},
		"quoted":     {within(strconv.Quote(value)), within(strconv.QuoteToASCII(value))},
		"shell":      {strings.ReplaceAll(value, "'", `'\''`)},
		"bytes":      {strings.Trim(fmt.Sprintf("%d", []byte(value)), "[]")},
		"UTF-16":     {wide(value)},
		"JSON":       {within(jsonText(value, true)), within(jsonText(value, false)), escaped(value, `\u%04x`), escaped(value, `\u%04X`)},
		"backwards":  {reversed(value)},
		"base32":     {base32.StdEncoding.EncodeToString([]byte(value))},
		"base64":     aligned(value, base64.RawStdEncoding),
		"base64 URL": aligned(value, base64.RawURLEncoding),
	}
	return f
}

// aligned gives a value's base64 for each of the three places where it may begin in a longer text, without what
// its neighbours have a part in.
func aligned(value string, encoding *base64.Encoding) []string {
	texts := make([]string, 3)
	for shift := range texts {
		text := encoding.EncodeToString([]byte(strings.Repeat("\x00", shift) + value))
		texts[shift] = text[(8*shift+5)/6 : len(text)-1]
	}
	return texts
}

func percent(s, format string) string {
	var b strings.Builder
	for i := range len(s) {
		if strings.IndexByte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~", s[i]) >= 0 {
			b.WriteByte(s[i])
		} else {
			fmt.Fprintf(&b, format, s[i])
		}
	}
	return b.String()
}

func escaped(s, format string) string {
	var b strings.Builder
	for _, r := range s {
		fmt.Fprintf(&b, format, r)
	}
	return b.String()
}

func wide(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteByte(byte(r))
		b.WriteByte(byte(r >> 8))
	}
	return b.String()
}

func reversed(s string) string {
	r := []rune(s)
	slices.Reverse(r)
	return string(r)
}

func jsonText(s string, escapeHTML bool) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(escapeHTML)
	if err := e.Encode(s); err != nil {
		panic(err)
	}
	return strings.TrimSpace(b.String())
}

// within drops the quotes around a text.
func within(s string) string { return s[1 : len(s)-1] }

// find gives the first hit of each secret in each form.
func (s searcher) find(r record) []hit {
	var hits []hit
	seen := map[string]bool{}
	for i := 0; i+window <= len(r.data); i++ {
		for _, n := range s[[window]byte(r.data[i:])] {
			if !bytes.HasPrefix(r.data[i:], []byte(n.text)) {
				continue
			}
			if id := n.form + n.value; !seen[id] {
				seen[id] = true
				hits = append(hits, hit{r, n.secret, n.form, i})
			}
		}
	}
	return hits
}
