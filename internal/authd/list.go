package authd

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// columns are what a list can be ordered by; first is the default, "" for none.
type columns struct {
	order []string
	first string
}

// params are the query parameters that every list knows.
type params struct {
	order   string
	down    bool
	limit   int64 // -1: no limit
	offset  int64
	search  string
	given   bool // search is in the query, empty or not
	recurse bool
}

// finds applies the search to the columns that it covers; one that is null never
// fits, not even an empty search.
func (p params) finds(columns ...any) bool {
	return !p.given || slices.ContainsFunc(columns, func(column any) bool {
		text, ok := column.(string)
		return ok && like(p.search, text)
	})
}

// filters applies the exact filters of the query.
func (q *request) filters(columns ...field) bool {
	for _, column := range columns {
		if wanted, given := value(q.query, column.key); given && column.value != any(wanted) {
			return false
		}
	}
	return true
}

// listParams reads them; a bad value is a 400 whose message is an object, whatever
// the list is of (contract 3).
func (q *request) listParams(c columns) (params, *answer) {
	p := params{order: c.first, limit: -1, search: q.query.Get("search"), given: q.query.Has("search")}
	var fault dict
	number := func(name string, into *int64) {
		value, given := value(q.query, name)
		if !given {
			return
		}
		n, ok := pyInt(value)
		switch {
		case !ok:
			fault = append(fault, field{name, errInteger()})
		case n.Sign() < 0:
			fault = append(fault, field{name, errAtLeastZero()})
		default:
			*into = clampInt(n)
		}
	}
	if dir, given := value(q.query, "direction"); given {
		switch dir {
		case "asc":
		case "desc":
			p.down = true
		default:
			fault = append(fault, field{"direction", errEnum("asc", "desc")})
		}
	}
	if by, given := value(q.query, "order"); given {
		if !slices.Contains(c.order, by) {
			fault = append(fault, field{"order", errEnum(c.order...)})
		}
		p.order = by
	}
	number("limit", &p.limit)
	number("offset", &p.offset)
	if text, given := value(q.query, "recurse"); given {
		recurse, ok := truth(text)
		if !ok {
			fault = append(fault, field{"recurse", errBoolean()})
		}
		p.recurse = recurse
	}
	if fault != nil {
		a := modern(http.StatusBadRequest, "invalid-list-param", fault, dict{}, "users")
		return p, &a
	}
	if n := max(p.limit, p.offset); n == maxInt64 {
		a := internalError() // PostgreSQL refuses what does not fit 64 bits (contract 7.1)
		return p, &a
	}
	return p, nil
}

const maxInt64 = 1<<63 - 1

func value(v url.Values, name string) (string, bool) { return v.Get(name), v.Has(name) }

// truth reads a boolean as the real server's schema does.
func truth(s string) (value, ok bool) {
	switch s {
	case "t", "T", "true", "True", "TRUE", "on", "On", "ON", "y", "Y", "yes", "Yes", "YES", "1":
		return true, true
	case "f", "F", "false", "False", "FALSE", "off", "Off", "OFF", "n", "N", "no", "No", "NO", "0":
		return false, true
	}
	return false, false
}

// pgBool reads a boolean as PostgreSQL does.
func pgBool(s string) (value, ok bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "" {
		return false, false
	}
	for word, value := range map[string]bool{"true": true, "yes": true, "on": true, "1": true, "false": false, "no": false, "off": false, "0": false} {
		if strings.HasPrefix(word, s) && s != "o" {
			return value, true
		}
	}
	return false, false
}

// pgTime reads a timestamp as PostgreSQL does, as far as a client is likely to
// write one; a year alone is refused.
func pgTime(s string, zone *time.Location) (time.Time, bool) {
	for _, layout := range []string{
		"2006-01-02T15:04:05.999999Z07:00", "2006-01-02 15:04:05.999999Z07:00",
		"2006-01-02T15:04:05.999999", "2006-01-02 15:04:05.999999", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02",
	} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// order sorts by a column that the list knows; a list without one keeps its own order.
func order[T any](list []T, p params, by func(a, b T) int) {
	if p.order == "" {
		return
	}
	slices.SortStableFunc(list, func(a, b T) int {
		if p.down {
			return by(b, a)
		}
		return by(a, b)
	})
}

// page cuts out what limit and offset ask for.
func page[T any](list []T, p params) []T {
	list = list[min(p.offset, int64(len(list))):]
	if p.limit >= 0 {
		list = list[:min(p.limit, int64(len(list)))]
	}
	return list
}

// listObject is a list as most routes answer it.
type listObject[T any] struct {
	Total    int `json:"total"`
	Filtered int `json:"filtered"`
	Items    []T `json:"items"`
}

// compareText orders texts without regard to case; null comes last.
func compareText(a, b any) int {
	s, hasA := a.(string)
	t, hasB := b.(string)
	if !hasA || !hasB {
		return compareBool(!hasA, !hasB)
	}
	return cmp.Or(cmp.Compare(strings.ToLower(s), strings.ToLower(t)), cmp.Compare(s, t))
}

// hasNUL finds a NUL in query parameters that reach PostgreSQL, which refuses it.
func (q *request) hasNUL(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return strings.ContainsRune(q.query.Get(name), 0) })
}

func compareBool(a, b bool) int {
	n := map[bool]int{true: 1}
	return cmp.Compare(n[a], n[b])
}

// like is the ILIKE '%text%' of the real server: blanks become "%", "%" and "_"
// are not escaped (contract 7.1).
func like(search, text string) bool {
	words := slices.DeleteFunc(strings.Split(search, " "), func(word string) bool { return word == "" })
	pattern := "%" + strings.Join(words, "%") + "%"
	return ilike(strings.ToLower(pattern), strings.ToLower(text))
}

// ilike keeps every place in text that the pattern read so far can end at.
func ilike(pattern, text string) bool {
	ends := make([]bool, len(text)+1)
	ends[0] = true
	for i := 0; i < len(pattern); {
		r, size := utf8.DecodeRuneInString(pattern[i:])
		literal := true
		switch {
		case r == '%':
			for at := 1; at < len(ends); at++ {
				ends[at] = ends[at] || ends[at-1]
			}
			i += size
			continue
		case r == '_':
			literal = false
		case r == '\\' && i+size < len(pattern):
			i += size
			r, size = utf8.DecodeRuneInString(pattern[i:])
		}
		next := make([]bool, len(ends))
		for at, ok := range ends {
			if !ok || at == len(text) {
				continue
			}
			t, n := utf8.DecodeRuneInString(text[at:])
			if !literal || unicode.ToLower(t) == unicode.ToLower(r) {
				next[at+n] = true
			}
		}
		ends = next
		i += size
	}
	return ends[len(text)]
}
