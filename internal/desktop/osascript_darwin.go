package desktop

import (
	"context"
	"fmt"
	"os/exec"
)

// show hands the texts over as arguments: what is in them is no part of the script.
func show(ctx context.Context, n Notification) error {
	sound := ""
	if n.Urgent {
		sound = ` sound name "Ping"`
	}
	cmd := exec.CommandContext(ctx, "osascript",
		"-e", "on run argv",
		"-e", "display notification (item 2 of argv) with title (item 1 of argv)"+sound,
		"-e", "end run",
		n.Heading, n.Text)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: osascript: %w", ErrNone, err)
	}
	return nil
}
