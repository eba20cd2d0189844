package ui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"wakey/session"
)

// app is the program's only tea.Model: a frame that takes messages and gives frames.
type app struct{ *frame }

// newApp makes the model. known are the accounts of the index, shown until the store is open.
func newApp(ctx context.Context, o Options, known []session.Account) *app {
	f := &frame{
		ctx: ctx, opts: o, send: func(tea.Msg) {}, toTerminal: tea.SetClipboard,
		now: time.Now().Round(0), focused: true,
		theme: themeNamed(o.Theme), dark: o.Background != backgroundLight,
		groundKnown: o.Background == backgroundDark || o.Background == backgroundLight,
		runner:      &runner{}, counted: map[session.ID]time.Time{},
	}
	f.restyle()
	f.screens = [viewCount]screen{
		viewAccounts:      newAccounts(f),
		viewInspector:     newInspector(f),
		viewRefreshTokens: newRefreshTokens(f),
		viewSessions:      newSessions(f),
		viewUsers:         newUsers(f),
		viewActivity:      newActivity(f),
	}
	f.setAccounts(known, nil)
	return &app{f}
}

// Init asks for the background, starts the clock and opens the store.
func (a *app) Init() tea.Cmd {
	return tea.Batch(tea.RequestProgramStatusSupport, a.askGround(), a.tick(), a.openStore(), a.screens[a.shown].enter(), watchAside(a.ctx, a.opts.Aside))
}

// restyle makes the styles anew.
func (f *frame) restyle() {
	d := f.depth
	if f.unsure {
		d = max(d, depth16)
	}
	f.st = newStyles(f.theme, f.dark, d)
}

// tickMsg moves the clock. Every chain of ticks has a number: only the latest lives.
type tickMsg struct {
	gen int
	at  time.Time
}

const (
	tickEvery = time.Second
	// tickUnseen is for a program without the focus: its countdowns may be a bit behind.
	tickUnseen = 5 * time.Second
)

// tick waits for the next full second.
func (f *frame) tick() tea.Cmd {
	gen, every := f.tickGen, tickEvery
	if !f.focused {
		every = tickUnseen
	}
	return tea.Every(every, func(t time.Time) tea.Msg { return tickMsg{gen, t} })
}

// setFocus starts another chain of ticks, at once when one comes back to the program.
func (f *frame) setFocus(on bool) tea.Cmd {
	f.focused = on
	f.tickGen++
	if on {
		f.now = time.Now().Round(0)
	}
	if f.mgr != nil {
		f.mgr.PauseWatch(!on) // nobody looks; what falls due meanwhile is looked at on coming back
	}
	return f.tick()
}
