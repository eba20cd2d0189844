//go:build unix

package cli

import (
	"fmt"
	"syscall"

	"wakey/session"
)

// replace makes this process the command: its signals and its exit status are the command's own.
func replace(path string, command, env []string) error {
	_ = session.Soften()                    // the command decides for itself
	err := syscall.Exec(path, command, env) //nolint:gosec // running the person's command is the point
	return fmt.Errorf("running %s: %w", path, err)
}
