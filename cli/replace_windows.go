package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// replace runs the command and ends as it ends: processes can't be replaced there. Ctrl-C reaches
// the command by itself, which shares the console.
func replace(path string, command, env []string) error {
	cmd := exec.Command(path, command[1:]...) //nolint:gosec,noctx // running the person's command is the point
	cmd.Env = env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return statusError(exit.ExitCode())
	}
	if err != nil {
		return fmt.Errorf("running %s: %w", path, err)
	}
	return statusError(exitDone)
}
