package cli

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// lockAgent makes this process the one agent of the store in dir until it releases that, or ends:
// the system gives the lock back then, however it ends. The number of the process stands in a
// file of its own, as Windows lets nobody read a locked one.
func lockAgent(dir string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making room for the store: %w", err)
	}
	pidFile, lock := agentFiles(dir)
	ours, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", lock.Path(), err)
	}
	if !ours {
		pid, _ := os.ReadFile(pidFile)
		return nil, fmt.Errorf("an agent keeps the accounts in %s already, process %s: one is enough; to replace it, end it first",
			dir, cmp.Or(strings.TrimSpace(string(pid)), "unknown"))
	}
	if err := os.WriteFile(pidFile, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("writing down the agent's process: %w", err)
	}
	return func() {
		_ = os.Remove(pidFile)
		_ = lock.Close()
	}, nil
}

func agentFiles(dir string) (pidFile string, lock *flock.Flock) {
	return filepath.Join(dir, "agent.pid"), flock.New(filepath.Join(dir, "agent.lock"), flock.SetPermissions(0o600))
}

// runningAgent gives the number of the process of the agent that keeps the store in dir, "" for none.
func runningAgent(dir string) string {
	pidFile, lock := agentFiles(dir)
	pid, err := os.ReadFile(pidFile)
	if err != nil {
		return ""
	}
	if free, err := lock.TryRLock(); err != nil || free {
		_ = lock.Close() // it was killed
		return ""
	}
	return strings.TrimSpace(string(pid))
}
