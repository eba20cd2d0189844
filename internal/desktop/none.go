//go:build !unix

package desktop

import "context"

func show(context.Context, Notification) error { return ErrNone }
