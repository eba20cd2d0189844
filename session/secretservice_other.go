//go:build !linux

package session

import "context"

// openItem reads nothing: the library's way is the only one here.
var openItem = func(context.Context, string, string) (secret string, ok bool) { return "", false }
