package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
)

// Page is one page of a list. Total ignores search and filters, Filtered honours them.
type Page[T any] struct {
	Items    []T
	Total    int
	Filtered int
}

// ListOptions are the parameters common to lists. The zero value asks for everything in the
// server's own order.
type ListOptions struct {
	Limit   int // 0: no limit is sent
	Offset  int
	Order   string // a column the endpoint knows
	Desc    bool
	Search  string
	Recurse bool   // sub-tenants too, where the endpoint has it
	Tenant  string // Wazo-Tenant header
	// Filter holds exact filters, by the server's names: client_id, mobile; username, purpose, … (contract 7.1, 10).
	Filter map[string]string
}

// Bounds of what a list may hold. An honest stack has far fewer.
const (
	maxPage  = 200_000
	maxItems = 1_000_000
)

// list asks for one page. W is an item as it is sent, T as it is given.
func list[W, T any](ctx context.Context, c *Client, path string, token Secret, o ListOptions, convert func(W) (T, error)) (Page[T], error) {
	var page Page[T]
	query, err := o.query()
	if err != nil {
		return page, err
	}
	r := &request{method: http.MethodGet, path: path, query: query, token: token, tenant: o.Tenant}
	err = c.call(ctx, r, listLimit, func(h http.Header, body *bodyReader) error {
		var err error
		page, err = decodePage(h, body, r.secrets(), convert)
		return err
	})
	if err != nil {
		return Page[T]{}, err
	}
	return page, nil
}

func (o ListOptions) query() (url.Values, error) {
	if o.Limit < 0 || o.Offset < 0 {
		return nil, invalid("limit and offset cannot be negative", "")
	}
	q := url.Values{}
	for name, value := range o.Filter {
		q.Set(name, value)
	}
	if o.Limit > 0 {
		q.Set("limit", strconv.Itoa(o.Limit))
	}
	if o.Offset > 0 {
		q.Set("offset", strconv.Itoa(o.Offset))
	}
	if o.Order != "" {
		q.Set("order", o.Order)
	}
	if o.Desc {
		q.Set("direction", "desc")
	}
	if o.Search != "" {
		q.Set("search", o.Search)
	}
	if o.Recurse {
		q.Set("recurse", "true")
	}
	return q, nil
}

// decodePage reads {"items": [...], "total": n, "filtered": n} item by item, in any order of keys, so that
// a list of hostile size costs no more memory than its items. Policies have no "filtered" (contract 10).
func decodePage[W, T any](h http.Header, body *bodyReader, secrets []Secret, convert func(W) (T, error)) (Page[T], error) {
	var p Page[T]
	begin := &beginning{r: body}
	dec := json.NewDecoder(begin)
	bad := func(err error) error {
		if begin.all() {
			return bodyError(err, h, begin.kept, secrets)
		}
		return &Error{Kind: KindBadBody, Message: fmt.Sprintf("the list cannot be read from byte %d on", dec.InputOffset())}
	}
	if t, err := dec.Token(); err != nil {
		return p, bad(err)
	} else if t != json.Delim('{') {
		return p, bad(errors.New("no object"))
	}
	total, filtered := -1, -1
	var items bool
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return p, bad(err)
		}
		switch key {
		case "items":
			items = true
			p.Items, err = decodeItems(dec, secrets, convert)
		case "total":
			err = decodeCount(dec, "total", &total)
		case "filtered":
			err = decodeCount(dec, "filtered", &filtered)
		default:
			var ignored json.RawMessage
			err = dec.Decode(&ignored)
		}
		var told *Error
		switch {
		case errors.As(err, &told):
			return p, told
		case err != nil:
			return p, bad(err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return p, bad(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return p, bad(errors.New("more than one object"))
	}
	if !items {
		return p, &Error{Kind: KindNotWazo, Message: `it has no "items"`}
	}
	if total < 0 {
		total = len(p.Items)
	}
	if filtered < 0 {
		filtered = total
	}
	p.Total, p.Filtered = total, filtered
	return p, nil
}

func decodeItems[W, T any](dec *json.Decoder, secrets []Secret, convert func(W) (T, error)) ([]T, error) {
	t, err := dec.Token()
	if err != nil {
		return nil, err
	}
	if t != json.Delim('[') {
		return nil, &Error{Kind: KindBadBody, Message: `"items" is no list`}
	}
	var items []T
	for i := 0; dec.More(); i++ {
		if i == maxPage {
			return nil, &Error{Kind: KindTooLarge, Message: fmt.Sprintf("the list holds more than %d items", maxPage)}
		}
		var w W
		if err := dec.Decode(&w); err != nil {
			if typed, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
				return nil, &Error{Kind: KindBadBody, Message: fmt.Sprintf("item %d of the list: %s", i+1, typeMessage(typed, secrets))}
			}
			return nil, err
		}
		item, err := convert(w)
		if err != nil {
			return nil, &Error{Kind: KindBadBody, Message: fmt.Sprintf("item %d of the list: %s", i+1, err)}
		}
		items = append(items, item)
	}
	_, err = dec.Token()
	return items, err
}

func decodeCount(dec *json.Decoder, name string, n *int) error {
	var typed *json.UnmarshalTypeError
	err := dec.Decode(n)
	if errors.As(err, &typed) || err == nil && *n < 0 {
		return &Error{Kind: KindBadBody, Message: strconv.Quote(name) + " is no count"}
	}
	return err
}

// beginning keeps what came first, to say what it was if it is no list.
type beginning struct {
	r    io.Reader
	kept []byte
	more bool
}

func (b *beginning) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	room := min(n, 64<<10-len(b.kept))
	b.kept = append(b.kept, p[:room]...)
	b.more = b.more || room < n
	return n, err
}

func (b *beginning) all() bool { return !b.more }

// All walks a whole list, pageSize items a request; 0 asks for everything at once. Items that a moving list shows
// twice come once. As sessions have no stable order (contract 8), a list that in the end falls short of the
// server's own count is asked for once more without a limit, and what was missed follows. It ends with the first
// error, when the server gives no new items, or after a million items.
func All[T any](ctx context.Context, fetch func(context.Context, ListOptions) (Page[T], error), o ListOptions, pageSize int) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		w := walk[T]{yield: yield, seen: map[string]bool{}}
		for o.Limit, o.Offset = max(pageSize, 0), 0; ; {
			p, err := fetch(ctx, o)
			if err != nil {
				w.fail(err)
				return
			}
			fresh, on := w.give(p.Items)
			if !on || o.Limit == 0 {
				return
			}
			o.Offset += len(p.Items)
			if fresh > 0 && o.Offset < p.Filtered {
				continue
			}
			if w.given >= p.Filtered || len(w.seen) == 0 {
				return
			}
			o.Limit, o.Offset = 0, 0
		}
	}
}

// walk is the state of All.
type walk[T any] struct {
	yield func(T, error) bool
	seen  map[string]bool
	given int
}

// give hands on what is new, and tells how much that was and whether to go on.
func (w *walk[T]) give(items []T) (fresh int, on bool) {
	for _, item := range items {
		if k, ok := any(item).(interface{ key() string }); ok {
			if w.seen[k.key()] {
				continue
			}
			w.seen[k.key()] = true
		}
		if w.given == maxItems {
			w.fail(&Error{Kind: KindTooLarge, Message: fmt.Sprintf("the list holds more than %d items", maxItems)})
			return fresh, false
		}
		fresh++
		w.given++
		if !w.yield(item, nil) {
			return fresh, false
		}
	}
	return fresh, true
}

func (w *walk[T]) fail(err error) {
	var none T
	w.yield(none, err)
}
