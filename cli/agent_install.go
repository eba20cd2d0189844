package cli

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/adrg/xdg"

	"wakey/api"
	"wakey/assets"
)

// service is how a system starts the agent at every sign-in.
type service struct {
	path    string   // of the file that describes it
	text    string   // what stands there
	answers []string // a command that succeeds where the service manager can be talked to
	start   []step   // once the file is there
	stop    []step   // before it is removed
	after   []step   // once it is gone
	link    string   // made by start, and left over where nobody could run stop
	hint    string   // for a person, when it runs
}

// step is a command on the way.
type step struct {
	command []string
	orNot   bool          // it fails where there is nothing to do
	gone    time.Duration // it is run until it fails, for so long at most; 0: once
}

func (s step) String() string { return strings.Join(s.command, " ") }

// systemdService is the agent as a systemd user unit below configHome.
func systemdService(program, configHome string, environment []string) service {
	lines := make([]string, len(environment))
	for i, v := range environment {
		lines[i] = "Environment=" + systemdQuote(v)
	}
	const unit = "wakey.service"
	dir := filepath.Join(configHome, "systemd", "user")
	systemctl := func(args ...string) step {
		return step{command: append([]string{"systemctl", "--user"}, args...)}
	}
	return service{
		path: filepath.Join(dir, unit),
		text: strings.NewReplacer(
			"@PROGRAM@", systemdQuote(program),
			"@ENVIRONMENT@\n", joinLines(lines),
		).Replace(assets.SystemdUnit),
		answers: systemctl("show", "--property=Version").command,
		start:   []step{systemctl("daemon-reload"), systemctl("enable", unit), systemctl("restart", unit)},
		stop:    []step{systemctl("disable", "--now", unit)},
		after:   []step{systemctl("daemon-reload")},
		link:    filepath.Join(dir, "default.target.wants", unit),
		hint: `It runs while you are signed in to this machine; "loginctl enable-linger" has it run from boot on.
What it does: journalctl --user -u wakey`,
	}
}

// systemdQuote writes a word so that systemd reads it as it is (systemd.syntax(7)).
func systemdQuote(word string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`, "\n", `\n`).Replace(word) + `"`
}

// launchdService is the agent as a launchd agent of the user uid, whose directory is home.
func launchdService(program, home string, uid int, environment []string) service {
	lines := make([]string, len(environment))
	for i, v := range environment {
		name, value, _ := strings.Cut(v, "=")
		lines[i] = "\t\t<key>" + html.EscapeString(name) + "</key>\n\t\t<string>" + html.EscapeString(value) + "</string>"
	}
	const label = "wakey.agent"
	path := filepath.Join(home, "Library", "LaunchAgents", label+".plist")
	log := filepath.Join(home, "Library", "Logs", "wakey.log")
	domain := fmt.Sprintf("gui/%d", uid)
	bootout := step{command: []string{"launchctl", "bootout", domain + "/" + label}, orNot: true}
	// bootout comes back before the agent has ended, which may take what ExitTimeOut says, and until
	// then bootstrap fails with "5: Input/output error".
	over := step{command: []string{"launchctl", "print", domain + "/" + label}, gone: 150 * time.Second}
	return service{
		path: path,
		text: strings.NewReplacer(
			"@PROGRAM@", html.EscapeString(program),
			"@ENVIRONMENT@\n", joinLines(lines),
			"@LOG@", html.EscapeString(log),
		).Replace(assets.LaunchdAgent),
		answers: []string{"launchctl", "print", domain},
		start:   []step{bootout, over, {command: []string{"launchctl", "bootstrap", domain, path}}},
		stop:    []step{bootout, over},
		hint:    "What it does: tail " + log,
	}
}

// joinLines ends every line, so that none at all leaves nothing behind.
func joinLines(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

// service is that of this system.
func (a *app) service() (service, error) {
	program, err := ownProgram()
	if err != nil {
		return service{}, fmt.Errorf("finding wakey's own program: %w", err)
	}
	environment, err := a.serviceEnvironment()
	if err != nil {
		return service{}, err
	}
	switch runtime.GOOS {
	case "linux":
		return systemdService(program, xdg.ConfigHome, environment), nil
	case "darwin":
		return launchdService(program, xdg.Home, os.Getuid(), environment), nil
	default:
		return service{}, usagef(`wakey knows no service manager here; have "wakey agent" started at sign-in by the system's own means`)
	}
}

// ownProgram is the path by which this program was started where that is one: a package manager
// keeps a link in place over updates, while what it points to goes.
func ownProgram() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	named, err := exec.LookPath(os.Args[0])
	if err != nil {
		return self, nil //nolint:nilerr // started under another name
	}
	a, errA := os.Stat(self)
	b, errB := os.Stat(named)
	if errA == nil && errB == nil && os.SameFile(a, b) {
		return filepath.Abs(named)
	}
	return self, nil
}

// serviceEnvironment is what a service has to be told to find the store and its passphrase where
// this process does: a service manager gives it nothing of a shell's environment. The source of
// the passphrase is the one that passphraser takes.
func (a *app) serviceEnvironment() ([]string, error) {
	var environment []string
	for _, name := range []string{"XDG_DATA_HOME", "XDG_CONFIG_HOME"} {
		if v := os.Getenv(name); v != "" {
			environment = append(environment, name+"="+v)
		}
	}
	const fileName, commandName = "WAKEY_PASSPHRASE_FILE", "WAKEY_PASSPHRASE_COMMAND"
	file, command := a.passphraseFile, a.passphraseCommand
	if file == "" && command == "" {
		file, command = os.Getenv(fileName), os.Getenv(commandName)
	}
	switch {
	case file != "":
		path, err := filepath.Abs(file)
		if err != nil {
			return nil, fmt.Errorf("finding the passphrase's file: %w", err)
		}
		environment = append(environment, fileName+"="+path)
	case command != "":
		environment = append(environment, commandName+"="+command)
	}
	return environment, nil
}

func (a *app) installAgent(ctx context.Context) error {
	s, err := a.service()
	if err != nil {
		return err
	}
	dir := filepath.Dir(s.path)
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // as the service manager itself makes it
		return err
	}
	if err := writeFile(dir, filepath.Base(s.path), s.text, 0o644); err != nil {
		return fmt.Errorf("writing the service: %w", err)
	}
	a.talkf("Written: %s", api.Clean(s.path))
	if why := managerIsSilent(ctx, s); why != nil {
		a.talkf("The service manager can't be reached from here (%v). Where it can, run:", why)
		for _, step := range s.start {
			if step.gone == 0 { // a person sees
				a.talkf("  %s", step)
			}
		}
		return fmt.Errorf("%w: the agent is installed, but does not run", errPartly)
	}
	if err := run(ctx, s.start); err != nil {
		return fmt.Errorf("the agent is installed, but did not start: %w", err)
	}
	a.talkf("The agent runs, now and at every sign-in to this machine.\n%s", s.hint)
	return nil
}

func (a *app) uninstallAgent(ctx context.Context) error {
	s, err := a.service()
	if err != nil {
		return err
	}
	if _, err := os.Lstat(s.path); errors.Is(err, fs.ErrNotExist) {
		a.talkf("The agent is not installed: there is no %s", api.Clean(s.path))
		return nil
	}
	reachable := managerIsSilent(ctx, s) == nil
	if reachable {
		if err := run(ctx, s.stop); err != nil {
			return fmt.Errorf("the agent could not be stopped, so it stays installed: %w", err)
		}
	}
	for _, path := range []string{s.path, s.link} {
		if err := os.Remove(path); path != "" && err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing the service: %w", err)
		}
	}
	if reachable {
		if err := run(ctx, s.after); err != nil {
			return err
		}
	}
	a.talkf("Removed: %s", api.Clean(s.path))
	return nil
}

// managerIsSilent says why the service manager can't be talked to, nil when it can.
func managerIsSilent(ctx context.Context, s service) error {
	return run(ctx, []step{{command: s.answers}})
}

// run runs commands up to the first that fails, whose words end up in the error.
func run(ctx context.Context, steps []step) error {
	for _, s := range steps {
		if s.gone > 0 {
			if err := waitUntilGone(ctx, s); err != nil {
				return err
			}
			continue
		}
		out, err := exec.CommandContext(ctx, s.command[0], s.command[1:]...).CombinedOutput() //nolint:gosec // our own
		if err == nil || s.orNot {
			continue
		}
		if text := api.Clean(strings.ReplaceAll(strings.TrimSpace(string(out)), "\n", "; ")); text != "" {
			return fmt.Errorf("%s: %w: %s", s, err, text)
		}
		return fmt.Errorf("%s: %w", s, err)
	}
	return nil
}

// waitUntilGone runs what shows something until there is nothing to show.
func waitUntilGone(ctx context.Context, s step) error {
	ctx, cancel := context.WithTimeout(ctx, s.gone)
	defer cancel()
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	for {
		err := exec.CommandContext(ctx, s.command[0], s.command[1:]...).Run() //nolint:gosec // our own
		if ctx.Err() != nil {
			return fmt.Errorf("what %q shows does not go away: %w", s, ctx.Err())
		}
		if err != nil {
			return nil // it is gone
		}
		select {
		case <-look.C:
		case <-ctx.Done():
		}
	}
}
