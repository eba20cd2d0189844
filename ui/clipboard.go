package ui

import (
	"context"
	"crypto/sha256"
	"errors"
	"os/exec"
	"strings"
	"time"

	"github.com/atotto/clipboard"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
)

// DefaultClipboardTime is how long a copied token stays in the clipboard unless Options say otherwise.
const DefaultClipboardTime = 45 * time.Second

// environment is what the program needs to know of where it runs.
type environment struct {
	tmux    bool   // inside tmux, which drops an application's OSC 52 by default
	remote  bool   // over ssh: the clipboard of this machine is nobody's
	display bool   // there is a desktop here
	wayland bool   // it is one of Wayland
	mute    bool   // the terminal understands nothing but text, or is none
	colours string // COLORFGBG
}

// clipWay is how the clipboard was reached.
type clipWay int

const (
	clipLocal clipWay = iota // the desktop's own
	clipTmux                 // tmux's buffer, which hands it to the outer terminal
	clipOSC52                // asked of the terminal, which never acknowledges it
)

// clipState remembers what we put into the clipboard, to take it out again: its digest alone.
type clipState struct {
	cleared int // the gen that was taken out again
	gen     int
	way     clipWay
	digest  [sha256.Size]byte
}

type clipOverMsg struct{ gen int }

// copied is the answer of putting something into the clipboard.
type copied struct {
	way    clipWay
	digest [sha256.Size]byte
	osc    api.Secret // still to be sent through the terminal
}

// copySecret puts what get gives into the clipboard, takes it out again after a while, and says
// so with the token's last 8 characters, never the token. get runs in a command.
func (f *frame) copySecret(title, what string, get func(context.Context) (text, token api.Secret, err error)) tea.Cmd {
	env := f.env
	type result struct {
		copied

		suffix string
	}
	_, cmd := start(f, title, func(ctx context.Context) (result, error) {
		text, token, err := get(ctx)
		if err != nil {
			return result{}, err
		}
		c, err := toClipboard(ctx, env, text)
		return result{c, token.Suffix()}, err
	}, func(r result, err error) tea.Cmd {
		if err != nil {
			return f.fail("nothing was copied", err)
		}
		f.clip.gen++
		f.clip.way, f.clip.digest = r.way, r.digest
		gen := f.clip.gen
		if r.suffix != "" { // a password has none that could be shown
			what += " …" + r.suffix
		}
		done := "copied " + what
		cmds := []tea.Cmd{tea.Tick(f.opts.clipboardTime(), func(time.Time) tea.Msg { return clipOverMsg{gen} })}
		if r.way == clipOSC52 {
			done = "sent " + what + " to the terminal's clipboard"
			cmds = append(cmds, f.toTerminal(r.osc.Reveal()))
		}
		return tea.Batch(append(cmds, f.say(toastGood, done+", cleared in "+span(f.opts.clipboardTime())))...)
	})
	return cmd
}

// toClipboard puts text where the environment wants it.
func toClipboard(ctx context.Context, env environment, text api.Secret) (copied, error) {
	c := copied{digest: sha256.Sum256([]byte(text.Reveal()))}
	if env.tmux {
		load := exec.CommandContext(ctx, "tmux", "load-buffer", "-w", "-b", tmuxBuffer, "-")
		load.Stdin = strings.NewReader(text.Reveal())
		if load.Run() == nil {
			// The outer terminal has it now; tmux itself need not keep it.
			_ = exec.CommandContext(ctx, "tmux", "delete-buffer", "-b", tmuxBuffer).Run()
			c.way = clipTmux
			return c, nil
		}
	}
	if env.display && !env.remote && !clipboard.Unsupported && toDesktop(ctx, env, text) == nil {
		c.way = clipLocal
		return c, ctx.Err()
	}
	if env.mute {
		return c, errNoClipboard
	}
	c.way, c.osc = clipOSC52, text
	return c, ctx.Err()
}

const tmuxBuffer = "wakey"

// toDesktop puts text into the desktop's clipboard, where it can be with the mark that asks clipboard
// managers not to keep it (x-kde-passwordManagerHint, which wl-copy sets since its version 2.3).
func toDesktop(ctx context.Context, env environment, text api.Secret) error {
	if env.wayland {
		marked := exec.CommandContext(ctx, "wl-copy", "--sensitive")
		marked.Stdin = strings.NewReader(text.Reveal())
		if marked.Run() == nil {
			return nil
		}
	}
	return clipboard.WriteAll(text.Reveal())
}

var errNoClipboard = errors.New("no clipboard is to be reached from here; print the token instead")

// clipOver takes our token out of the clipboard, if it still is what is in there. A terminal's
// clipboard can't be read without asking the person, so there it is emptied as it is.
func (f *frame) clipOver(msg clipOverMsg) tea.Cmd {
	if msg.gen != f.clip.gen {
		return nil // something else was copied since
	}
	f.clip.cleared = f.clip.gen
	if f.clip.way == clipOSC52 {
		return f.toTerminal("")
	}
	return clearClipboard(f.clip)
}

// clearClipboard is for a clipboard that is reached without the terminal.
func clearClipboard(c clipState) tea.Cmd {
	switch c.way {
	case clipOSC52:
	case clipTmux:
		return func() tea.Msg {
			load := exec.Command("tmux", "load-buffer", "-w", "-b", tmuxBuffer, "-") //nolint:noctx // short, and the program may be ending
			load.Stdin = strings.NewReader(" ")
			err := load.Run()
			return clipClearedMsg{errors.Join(err, exec.Command("tmux", "delete-buffer", "-b", tmuxBuffer).Run())} //nolint:noctx // as above
		}
	case clipLocal:
		return func() tea.Msg {
			now, err := clipboard.ReadAll()
			if err == nil && sha256.Sum256([]byte(now)) == c.digest {
				err = clipboard.WriteAll("")
			}
			return clipClearedMsg{err}
		}
	}
	return nil
}

type clipClearedMsg struct{ err error }
