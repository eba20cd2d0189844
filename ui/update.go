package ui

import (
	"slices"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

// Update takes a message. It never waits: what takes time is a command.
func (a *app) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := a.take(msg)
	w, h := a.bodySize()
	a.screen().layout(w, h)
	return a, cmd
}

// depthOf is what the terminal, and who sits there, allow.
func depthOf(p colorprofile.Profile) depth {
	switch p {
	case colorprofile.TrueColor:
		return depthFull
	case colorprofile.ANSI256:
		return depth256
	case colorprofile.ANSI:
		return depth16
	default:
		return depthNone
	}
}

func (f *frame) take(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		f.w, f.h = msg.Width, msg.Height
	case tea.BackgroundColorMsg, groundMsg:
		f.ground(msg)
	case tea.ColorProfileMsg:
		f.depth = depthOf(msg.Profile)
		f.restyle()
	case tea.FocusMsg:
		f.notifier.seen = true
		return f.setFocus(true)
	case tea.BlurMsg:
		f.notifier.seen = true
		return tea.Batch(f.screen().update(msg), f.setFocus(false))
	case tickMsg:
		if msg.gen == f.tickGen {
			f.now = msg.at.Round(0)
			return tea.Batch(f.tick(), f.countSessions())
		}
	case tea.KeyPressMsg:
		return f.key(msg)
	case tea.PasteMsg:
		return f.top().update(msg)
	case tea.MouseClickMsg:
		if msg.Button == tea.MouseLeft {
			return f.click(msg.X, msg.Y)
		}
	case tea.MouseWheelMsg:
		switch msg.Button {
		case tea.MouseWheelUp:
			return f.top().update(wheelMsg(-3))
		case tea.MouseWheelDown:
			return f.top().update(wheelMsg(3))
		default:
		}
	case toastOverMsg:
		if msg.gen == f.toast.gen {
			f.toast.text = ""
		}
	case clipOverMsg:
		return f.clipOver(msg)
	case answerMsg, bulkStepMsg, slowMsg, spinMsg:
		return f.jobs.update(msg)
	case osc9Msg, tea.ProgramStatusSupportMsg:
		return f.notifying(msg)
	case asideMsg:
		f.aside = Aside(msg)
		return watchAside(f.ctx, f.opts.Aside)
	case respondStepMsg:
		msg.r.in = msg.in
		msg.r.page.stale = true
	case respondAskMsg:
		msg.r.asked(msg)
	case openedMsg, stateMsg, runOverMsg, askMsg, keyringMsg, keyringOverMsg:
		return f.opening(msg)
	}
	return nil
}

// key finds out what a key means: to the topmost part first, then everywhere.
func (f *frame) key(k tea.KeyPressMsg) tea.Cmd {
	top := f.top()
	modal := len(f.dialogs) > 0
	switch k.String() {
	case "ctrl+c":
		return f.quit()
	case "ctrl+z":
		return tea.Suspend
	case "ctrl+l":
		return tea.ClearScreen
	case "esc":
		if j := f.jobs.visible(); j != nil && !j.firm && !modal && !top.typing() {
			return f.stopJob(j)
		}
	case "ctrl+p", "f1":
		if !modal && top.typing() {
			a, _ := matching(everywhere, k)
			return f.do(a)
		}
	}
	if top.typing() {
		return top.update(k)
	}
	if a, ok := matching(top.bindings(), k); ok {
		return top.do(a)
	}
	if modal {
		return nil
	}
	if a, ok := matching(viewBindings(), k); ok {
		return f.do(a)
	}
	if a, ok := matching(everywhere, k); ok {
		return f.do(a)
	}
	return nil
}

// do carries out what every view understands.
func (f *frame) do(a action) tea.Cmd {
	for id := range viewCount {
		if a == openView(id) {
			return f.open(id)
		}
	}
	switch a {
	case actQuit:
		return f.quit()
	case actHelp:
		f.push(newHelp(f))
	case actPalette:
		f.push(newPalette(f))
	case actNext:
		return f.open((f.shown + 1) % viewCount)
	case actPrev:
		return f.open((f.shown + viewCount - 1) % viewCount)
	case actBack:
		if f.covered() || f.shown != viewAccounts {
			return f.open(viewAccounts)
		}
	case actSignIn:
		return f.openSignIn(SignInDefaults{})
	case actRespond:
		return f.openRespond()
	case actUnlock:
		if f.store == storeLocked {
			return f.openStore()
		}
	case actTheme:
		return f.nextTheme()
	case actRepaint:
		return tea.ClearScreen
	case actSuspend:
		return tea.Suspend
	}
	return nil
}

func (f *frame) nextTheme() tea.Cmd {
	i := slices.IndexFunc(themes, func(t theme) bool { return t.name == f.theme.name })
	f.theme, f.unsure = themes[(i+1)%len(themes)], false // whoever chooses sees what it looks like
	f.restyle()
	return f.say(toastInfo, "theme "+f.theme.name)
}

// stopJob cancels what esc is shown for.
func (f *frame) stopJob(j *job) tea.Cmd {
	if j.bulk != nil {
		j.cancel() // its answer says how far it came
		return nil
	}
	f.jobs.drop(j.id)
	return f.say(toastInfo, "stopped "+j.title)
}

// quit ends the program; when work is under way it asks first, and the second time it does not.
func (f *frame) quit() tea.Cmd {
	if n := len(f.dialogs); n > 0 {
		if c, ok := f.dialogs[n-1].(*confirm); ok && c.heading == quitHeading {
			return tea.Quit
		}
	}
	if !f.jobs.busy() {
		return tea.Quit
	}
	c := &confirm{
		f: f, heading: quitHeading, yes: "Quit", no: "Wait",
		text: []string{"What is under way is cut off. What a stack has been asked for may still happen there."},
		then: func(bool) tea.Cmd { return tea.Quit },
	}
	for _, j := range f.jobs.matter() {
		c.items = append(c.items, confirmItem{name: clean(j.title)})
	}
	f.push(c)
	return nil
}

const quitHeading = "Quit while work is under way?"

// click finds out what was hit.
func (f *frame) click(x, y int) tea.Cmd {
	ar := areasOf(f.h)
	onHelp := ar.help && y == f.h-1
	if n := len(f.dialogs); n > 0 {
		d := f.dialogs[n-1]
		b, _ := layBox(d, f.w, f.h)
		padX, padY := boxPadding(f.w, f.h)
		switch {
		case x > b.x && x < b.x+b.w-1 && y > b.y && y < b.y+b.h-1:
			return d.update(clickMsg{x - b.x - 1 - padX, y - b.y - 1 - padY})
		case onHelp && b.y+b.h <= y:
			return f.clickHelp(x)
		}
		return nil
	}
	switch {
	case ar.tabs && y == 1:
		for id, span := range f.tabSpans() {
			if span.has(x) {
				return f.open(viewID(id))
			}
		}
	case y >= ar.bodyY && y < ar.bodyY+ar.bodyH-f.asideHeight():
		return f.screen().update(clickMsg{x, y - ar.bodyY})
	case ar.status && y == f.h-2, onHelp && !ar.status && f.statusLine() != "":
		return f.clickStatus()
	case onHelp:
		return f.clickHelp(x)
	}
	return nil
}

// clickHelp does what the help line names at x.
func (f *frame) clickHelp(x int) tea.Cmd {
	for _, it := range f.helpItems() {
		switch {
		case !it.at.has(x):
		case it.last:
			return f.do(it.action)
		default:
			return f.top().do(it.action)
		}
	}
	return nil
}

// clickStatus takes a toast away, or stops what is shown to run.
func (f *frame) clickStatus() tea.Cmd {
	if f.toast.text != "" {
		f.toast.text = ""
		return nil
	}
	j := f.jobs.visible()
	if j == nil && f.alarmLine() != "" || j != nil && j.firm {
		return f.openRespond()
	}
	if j != nil {
		return f.stopJob(j)
	}
	return nil
}
