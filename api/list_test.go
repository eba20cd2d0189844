package api

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"
)

// pages is a server's list that counts how it is asked.
type pages struct {
	items []Session
	asked []ListOptions
	// order gives the order of the items at the nth request; nil: as they are.
	order func(n int, items []Session) []Session
	total int // told instead of the truth, if not 0
}

func (p *pages) fetch(_ context.Context, o ListOptions) (Page[Session], error) {
	p.asked = append(p.asked, o)
	items := slices.Clone(p.items)
	if p.order != nil {
		items = p.order(len(p.asked), items)
	}
	total := len(items)
	if p.total != 0 {
		total = p.total
	}
	items = items[min(o.Offset, len(items)):]
	if o.Limit > 0 {
		items = items[:min(o.Limit, len(items))]
	}
	return Page[Session]{items, total, total}, nil
}

func someSessions(n int) []Session {
	var s []Session
	for i := range n {
		s = append(s, Session{UUID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i)})
	}
	return s
}

func collect[T any](seq iter.Seq2[T, error]) (items []T, err error) {
	for item, err := range seq {
		if err != nil {
			return items, err
		}
		items = append(items, item)
	}
	return items, nil
}

func TestAll(t *testing.T) {
	reverse := func(n int, items []Session) []Session {
		if n%2 == 0 {
			slices.Reverse(items)
		}
		return items
	}
	tests := []struct {
		name     string
		p        pages
		size     int
		want     int
		requests int
	}{
		{"empty", pages{}, 10, 0, 1},
		{"at once", pages{items: someSessions(25)}, 0, 25, 1},
		{"one page", pages{items: someSessions(10)}, 10, 10, 1},
		{"three pages", pages{items: someSessions(25)}, 10, 25, 3},
		{"negative size", pages{items: someSessions(25)}, -1, 25, 1},
		{"an order that turns round every time", pages{items: someSessions(25), order: reverse}, 10, 25, 4},
		{"a count too large", pages{items: someSessions(25), total: 1000}, 10, 25, 5},
		{"a count too small", pages{items: someSessions(25), total: 5}, 10, 10, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			items, err := collect(All(t.Context(), tt.p.fetch, ListOptions{Order: "mobile", Offset: 7}, tt.size))
			if err != nil {
				t.Fatal(err)
			}
			distinct := map[string]bool{}
			for _, s := range items {
				distinct[s.UUID] = true
			}
			if len(items) != tt.want || len(distinct) != tt.want || len(tt.p.asked) != tt.requests {
				t.Errorf("%d items, %d distinct, %d requests", len(items), len(distinct), len(tt.p.asked))
			}
			if tt.p.asked[0].Order != "mobile" || tt.p.asked[0].Offset != 0 {
				t.Errorf("asked %+v", tt.p.asked[0])
			}
		})
	}
}

// A server that never ends gives the same page for ever, or makes items up.
func TestAllIsBounded(t *testing.T) {
	requests := 0
	same := func(context.Context, ListOptions) (Page[Session], error) {
		requests++
		return Page[Session]{someSessions(10), 1 << 40, 1 << 40}, nil
	}
	items, err := collect(All(t.Context(), same, ListOptions{}, 10))
	if err != nil || len(items) != 10 || requests > 4 {
		t.Errorf("%d items in %d requests, %v", len(items), requests, err)
	}
	n := 0
	madeUp := func(context.Context, ListOptions) (Page[Tenant], error) {
		var p Page[Tenant]
		for range 10000 {
			n++
			p.Items = append(p.Items, Tenant{UUID: strconv.Itoa(n)})
		}
		p.Filtered = 1 << 40
		return p, nil
	}
	tenants, err := collect(All(t.Context(), madeUp, ListOptions{}, 10000))
	if !errors.Is(err, ErrTooLarge) || len(tenants) != maxItems {
		t.Errorf("%d items, %v", len(tenants), err)
	}
}

func TestAllStops(t *testing.T) {
	p := pages{items: someSessions(25)}
	for range All(t.Context(), p.fetch, ListOptions{}, 10) {
		break
	}
	if len(p.asked) != 1 {
		t.Errorf("%d requests", len(p.asked))
	}
	failing := func(_ context.Context, o ListOptions) (Page[Session], error) {
		if o.Offset > 0 {
			return Page[Session]{}, ErrServer
		}
		return Page[Session]{someSessions(10), 20, 20}, nil
	}
	items, err := collect(All(t.Context(), failing, ListOptions{}, 10))
	if !errors.Is(err, ErrServer) || len(items) != 10 {
		t.Errorf("%d items, %v", len(items), err)
	}
}

func TestListQuery(t *testing.T) {
	var asked url.Values
	var tenant string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked, tenant = r.URL.Query(), r.Header.Get("Wazo-Tenant")
		answer(200, jsonType, `{"items":[],"total":0,"filtered":0}`)(w, r)
	})
	_, err := c.AllRefreshTokens(t.Context(), token, ListOptions{
		Limit: 5, Offset: 10, Order: "client_id", Desc: true, Search: "a&b=c", Recurse: true, Tenant: aUser, Filter: map[string]string{"mobile": "true"},
	})
	want := url.Values{
		"limit": {"5"}, "offset": {"10"}, "order": {"client_id"}, "direction": {"desc"}, "search": {"a&b=c"}, "recurse": {"true"}, "mobile": {"true"},
	}
	if err != nil || !maps.EqualFunc(asked, want, slices.Equal) || tenant != aUser {
		t.Errorf("%v, tenant %q, %v", asked, tenant, err)
	}
	if _, err := c.AllSessions(t.Context(), token, ListOptions{Limit: -1}); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if _, err := c.AllSessions(t.Context(), token, ListOptions{Tenant: "x\r\nX-Auth-Token: y"}); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}
