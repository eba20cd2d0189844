package authd

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strconv"
	"unicode/utf8"
)

// maxBody is far above any honest request; the real stack's nginx stops at it too.
const maxBody = 1 << 20

// readBody takes the raw body of a request. A form's body is eaten by the form
// parser of the real server, so that nothing is left to parse (contract 1).
func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(raw) > maxBody {
		return raw, err
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/x-www-form-urlencoded" || kind == "multipart/form-data" {
		return nil, nil
	}
	return raw, nil
}

// parseBody reads JSON as the real server does: UTF-8 with or without a mark,
// NaN and the infinities allowed. Numbers are json.Number.
func parseBody(raw []byte) (any, bool) {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(raw) {
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(pythonJSON(raw)))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, false
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, false
	}
	return v, true
}

// notANumber stands for NaN in a parsed body: nobody writes a zero that way.
const notANumber = json.Number("0e77777")

// pythonJSON turns what only Python's parser takes into JSON: Infinity becomes a
// number too large for anything, NaN becomes notANumber, half a surrogate pair
// becomes NUL, which ends the same way on the real server (contract 5).
func pythonJSON(raw []byte) []byte {
	if !bytes.ContainsAny(raw, `NI\`) {
		return raw
	}
	out := make([]byte, 0, len(raw))
	inString := false
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c == '"':
			inString = !inString
		case inString && c == '\\' && i+1 < len(raw):
			if n := loneSurrogate(raw[i:]); n > 0 {
				out = append(out, `\u0000`...)
				i += n - 1
				continue
			}
			if n := surrogatePair(raw[i:]); n > 0 {
				out = append(out, raw[i:i+n]...)
				i += n - 1
				continue
			}
			out = append(out, c)
			i++
			c = raw[i]
		case !inString && (c == 'N' || c == 'I'):
			for word, number := range map[string]string{"NaN": string(notANumber), "Infinity": "1e99999"} {
				if bytes.HasPrefix(raw[i:], []byte(word)) {
					out = append(out, number...)
					i += len(word) - 1
					c = 0
					break
				}
			}
			if c == 0 {
				continue
			}
		}
		out = append(out, c)
	}
	return out
}

// escapeAt reads \uXXXX at the start of b.
func escapeAt(b []byte) (uint64, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 32)
	return n, err == nil
}

func surrogatePair(b []byte) int {
	high, ok := escapeAt(b)
	if !ok || high < 0xD800 || high > 0xDBFF {
		return 0
	}
	if low, ok := escapeAt(b[6:]); ok && low >= 0xDC00 && low <= 0xDFFF {
		return 12
	}
	return 0
}

func loneSurrogate(b []byte) int {
	n, ok := escapeAt(b)
	if ok && n >= 0xD800 && n <= 0xDFFF && surrogatePair(b) == 0 {
		return 6
	}
	return 0
}
