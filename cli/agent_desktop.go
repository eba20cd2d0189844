package cli

import (
	"context"
	"log/slog"

	"wakey/internal/desktop"
	"wakey/session"
)

// tellDesktop tells the desktop what needs a person, until ctx ends. Where there is no desktop, one
// that comes later is told.
func tellDesktop(ctx context.Context, log *slog.Logger, m *session.Manager) {
	failed := ""
	for {
		err := m.Tell(func(alerts []session.Alert) error {
			n := desktop.Notification{}
			n.Heading, n.Text = session.Summary(alerts)
			n.Heading, n.Text = cleanText(n.Heading), cleanText(n.Text)
			for _, a := range alerts {
				n.Urgent = n.Urgent || a.Grave
			}
			return desktop.Notify(ctx, n)
		})
		if err == nil {
			failed = ""
		} else if failed != err.Error() && ctx.Err() == nil {
			failed = err.Error()
			log.Info("the desktop can't be told", "error", failed)
		}
		select {
		case <-ctx.Done():
			return
		case <-m.Changed():
		}
	}
}
