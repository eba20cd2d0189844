package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// describe says what came back instead of what was expected, without quoting what may be secret: a sign-in's
// answer that broke off holds fresh tokens.
func describe(header http.Header, body []byte, secrets []Secret) string {
	if encoding := header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return "a compressed answer (" + tame(encoding, 20, nil) + ") that was not asked for"
	}
	text := bytes.TrimLeft(body, " \t\r\n\ufeff")
	switch {
	case len(text) == 0:
		return "an empty answer"
	case text[0] == '<':
		if title := htmlTitle(text); title != "" {
			return "a web page titled " + strconv.Quote(maskUUIDs(tame(title, 80, secrets)))
		}
		return "a web page"
	case text[0] == '{':
		return describeObject(text, secrets)
	case text[0] == '[':
		if json.Valid(text) {
			return "a JSON list"
		}
		return "broken JSON of " + bytesText(len(body))
	case json.Valid(text):
		return "JSON, but neither an object nor a list"
	}
	kind := tame(header.Get("Content-Type"), 40, secrets)
	if kind == "" {
		kind = "an answer"
	}
	return kind + " of " + bytesText(len(body)) + " that begins with " + strconv.Quote(maskUUIDs(tame(string(text[:min(len(text), 200)]), 60, secrets)))
}

func describeObject(text []byte, secrets []Secret) string {
	var object map[string]json.RawMessage
	if json.Unmarshal(text, &object) != nil {
		return "broken JSON of " + bytesText(len(text))
	}
	if len(object) == 0 {
		return "an empty JSON object"
	}
	var keys []string
	for key := range object {
		keys = append(keys, strconv.Quote(maskUUIDs(tame(key, 30, secrets))))
	}
	slices.Sort(keys)
	if len(keys) > 5 {
		keys = append(keys[:5], "…")
	}
	return "a JSON object with " + strings.Join(keys, ", ")
}

func htmlTitle(page []byte) string {
	page = page[:min(len(page), 4096)]
	lower := bytes.ToLower(page)
	from := bytes.Index(lower, []byte("<title>"))
	if from < 0 || len(lower) != len(page) {
		return ""
	}
	from += len("<title>")
	to := bytes.Index(lower[from:], []byte("</title>"))
	if to < 0 {
		return ""
	}
	return string(bytes.TrimSpace(page[from : from+to]))
}

func bytesText(n int) string {
	if n == 1 {
		return "1 byte"
	}
	return strconv.Itoa(n) + " bytes"
}
