// Package desktop shows notifications on the desktop of whoever runs this process: over D-Bus on
// Linux and the BSDs, with osascript on macOS, with Windows PowerShell on Windows.
package desktop

import (
	"context"
	"errors"
	"time"
)

// Notification is what a person is told. Its texts are plain: markup in them is shown as it is.
type Notification struct {
	Heading, Text string
	Urgent        bool // it stays until it is dismissed, where the desktop does that
}

// ErrNone says that nothing here shows notifications.
var ErrNone = errors.New("there is no desktop here that shows notifications")

// timeout bounds the whole exchange with the desktop.
const timeout = 3 * time.Second

// Notify shows n, within 3 s. No bus is started for it. Errors: ErrNone, what the desktop says, ctx's.
func Notify(ctx context.Context, n Notification) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return show(ctx, n)
}
