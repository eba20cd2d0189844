package authd

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	basicNone = iota
	basicGiven
	basicBroken // 500: base64 with wrong padding (contract 5)
)

// basicCredentials reads an Authorization header: the scheme in exactly this case,
// UTF-8 first and Latin-1 else, the password may hold colons.
func basicCredentials(header string) (login, password string, state int) {
	encoded, ok := strings.CutPrefix(header, "Basic ")
	if !ok {
		return "", "", basicNone
	}
	raw, ok := decodeBase64(encoded)
	if !ok {
		return "", "", basicBroken
	}
	text := string(raw)
	if !utf8.ValidString(text) {
		runes := make([]rune, len(raw))
		for i, b := range raw {
			runes[i] = rune(b)
		}
		text = string(runes)
	}
	login, password, ok = strings.Cut(text, ":")
	if !ok {
		return "", "", basicNone
	}
	return login, password, basicGiven
}

// decodeBase64 is as lenient as Python's: what is not of the alphabet is skipped, and
// so is everything after a full padding; only a wrong padding is not, nor what is no ASCII.
func decodeBase64(s string) ([]byte, bool) {
	if strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 }) {
		return nil, false
	}
	var digits []byte
	padding := 0
	for i := range len(s) {
		rest := len(digits) % 4
		switch c := s[i]; {
		case c == '=' && rest >= 2:
			padding++
			if rest+padding == 4 {
				return decodeDigits(digits)
			}
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '+', c == '/':
			digits = append(digits, c)
			padding = 0
		}
	}
	if len(digits)%4 != 0 {
		return nil, false
	}
	return decodeDigits(digits)
}

func decodeDigits(digits []byte) ([]byte, bool) {
	out, err := base64.RawStdEncoding.DecodeString(string(digits))
	return out, err == nil
}

// setPassword keeps a salted hash. The real server spends 150 ms on 250 000 rounds
// of PBKDF2; here one round of SHA-256 keeps demos and tests fast.
func (u *user) setPassword(password string) {
	u.salt = make([]byte, 16)
	_, _ = rand.Read(u.salt) // never fails (crypto/rand)
	u.hash = hashPassword(u.salt, password)
}

func hashPassword(salt []byte, password string) []byte {
	sum := sha256.Sum256(append(bytes.Clone(salt), password...))
	return sum[:]
}

func (u *user) passwordIs(password string) bool {
	return u.hash != nil && subtle.ConstantTimeCompare(u.hash, hashPassword(u.salt, password)) == 1
}

// clientAddress is the address that a token remembers. The daemon trusts one proxy:
// the last address of X-Forwarded-For counts, which nginx sets to its own client.
func (q *request) clientAddress() string {
	if list := q.http.Header.Values("X-Forwarded-For"); len(list) > 0 && !q.proxied {
		all := strings.Split(strings.Join(list, ","), ",")
		if last := strings.TrimSpace(all[len(all)-1]); last != "" {
			return last
		}
	}
	return remoteHost(q.http)
}

func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func itoa(n int) string { return strconv.Itoa(n) }
