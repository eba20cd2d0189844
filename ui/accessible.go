package ui

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"wakey/session"
)

// Console is where a person reads and types lines.
type Console struct {
	In  io.Reader
	Out io.Writer
	// Hide keeps what is typed from being shown until show is called. nil: nothing is shown anyway.
	Hide func() (show func(), err error)
	// Signals tells that Out is a terminal that understands a bell and the like, and nothing else reads it.
	Signals bool
}

// talk is the program without a screen: the model of the screen, asked and answered line by line.
// What a list holds, what a confirmation says and what happens then are the views'; here is how it is
// put into sentences and numbered choices.
type talk struct {
	*app
	c     Console
	in    *bufio.Reader
	msgs  chan tea.Msg   // what commands came to
	typed chan typedLine // what was typed; one is read at a time
	ended chan struct{}

	reading   bool       // somebody waits for a line in the background
	ahead     *typedLine // typed before it was asked for
	patient   jobID      // has to be over before the dialog that began it goes on
	spoke     bool       // something was said while a question was open
	prompting bool       // a question stands on the line, and its answer is awaited
	alarm     bool       // a person is needed since the choices were said
	over      bool       // the person is done
	heard     map[string]bool
	toastNo   int                                    // of the toast that was said last
	outcome   result                                 // of the last revocation, as it was said
	steps     map[session.StepName]session.StepState // of a response, as they were said
	offered   string                                 // the choices that were said last, which need no saying again
	known     map[string]bool                        // those that were said before, with everything about them
	rowOf     map[viewID]string
	page      int
	was       viewID // shown when there was an answer last
}

type typedLine struct {
	text string
	err  error
}

// A line is as long as it needs to be: the terminal, or the screen reader, breaks it.
const (
	talkWidth  = 4_000
	talkHeight = 4_000
)

// errNoMoreLines ends the talk: nothing more will be typed.
var errNoMoreLines = errors.New("there is no more to read")

// Talk is Run without a screen: no colours, no escape sequences, nothing that moves. It asks and
// answers line by line until the person quits, no more lines come, or ctx ends.
func Talk(ctx context.Context, o Options, c Console) error {
	return talkIn(ctx, o, environmentNow(), c)
}

func talkIn(ctx context.Context, o Options, env environment, c Console) error {
	outer := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var known []session.Account
	if o.Dir != "" {
		known, _ = session.ReadIndex(o.Dir) // what is wrong with the store, opening it will tell
	}
	t := &talk{
		app: newApp(ctx, o, known), c: c, in: bufio.NewReader(c.In),
		msgs: make(chan tea.Msg), typed: make(chan typedLine, 1), ended: make(chan struct{}),
		heard: map[string]bool{}, known: map[string]bool{}, rowOf: map[viewID]string{},
	}
	defer close(t.ended)
	t.spoken, t.depth, t.env = true, depthNone, env
	t.env.mute = !c.Signals
	t.toTerminal = func(text string) tea.Cmd {
		return func() tea.Msg { t.signal(ansi.SetSystemClipboard(text)); return nil }
	}
	t.send = func(msg tea.Msg) { t.deliver(msg) }
	t.restyle()
	t.Update(tea.WindowSizeMsg{Width: talkWidth, Height: talkHeight})
	err := t.converse()
	cancel()
	t.runner.stop()
	t.emptyClipboard(signals{t})
	if errors.Is(err, errNoMoreLines) {
		err = nil
	}
	if outer.Err() != nil {
		return context.Cause(outer)
	}
	return err
}

// signals writes to a terminal that understands more than text, and else nowhere.
type signals struct{ t *talk }

func (s signals) Write(b []byte) (int, error) {
	s.t.signal(string(b))
	return len(b), nil
}

func (t *talk) signal(sequence string) {
	if t.c.Signals {
		_, _ = io.WriteString(t.c.Out, sequence)
	}
}

// converse asks and answers until it is over.
func (t *talk) converse() error {
	t.tell("wakey, line by line. Answer with the number of a choice, or with its first letters. ? says the choices again, b goes back, q quits.")
	if t.opts.Hint != "" {
		for line := range strings.Lines(t.opts.Hint) {
			t.tell(line)
		}
	}
	t.run(tea.Batch(t.tick(), t.openStore(), t.screens[t.shown].enter(), watchAside(t.ctx, t.opts.Aside)))
	for !t.over {
		if err := t.settle(); err != nil {
			return err
		}
		if t.over {
			break
		}
		if err := t.turn(); err != nil {
			return err
		}
	}
	t.tell("Goodbye.")
	return nil
}

// run starts a command; what it comes to arrives in msgs.
func (t *talk) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() { t.deliver(cmd()) }()
}

func (t *talk) deliver(msg tea.Msg) {
	select {
	case t.msgs <- msg:
	case <-t.ended:
	case <-t.ctx.Done():
	}
}

// receive lets the model have a message, and says what there is to say at once.
func (t *talk) receive(msg tea.Msg) {
	switch msg := msg.(type) {
	case nil:
		return
	case tea.QuitMsg:
		t.over = true
		return
	case tea.BatchMsg:
		for _, cmd := range msg {
			t.run(cmd)
		}
		return
	case tea.RawMsg:
		t.signal(fmt.Sprint(msg.Msg))
		return
	}
	_, cmd := t.Update(msg)
	t.run(cmd)
	t.sayNews()
}

// sayNews says what came by itself: what needs a person, and what an action came to.
func (t *talk) sayNews() {
	for _, a := range t.notifier.alerts {
		if !t.heard[a.Key] {
			t.heard[a.Key], t.alarm = true, true
			t.tell("Attention: " + a.Name + ", " + a.What + ": " + sayError(clean(a.Text)))
		}
	}
	t.saySteps()
	if v, ok := t.screen().(interface{ outcome() result }); ok && v.outcome() != t.outcome {
		if t.outcome = v.outcome(); t.outcome.text != "" {
			t.tell(toastSentence(t.outcome.kind, t.outcome.text))
		}
	}
	if t.toast.gen != t.toastNo && t.toast.text != "" {
		t.toastNo = t.toast.gen
		t.tell(upper(toastSentence(t.toast.kind, t.toast.text)))
	}
}

// settle waits until nothing that somebody asked for is under way, or a question came up, and takes
// over how the accounts stand then.
func (t *talk) settle() error {
	if err := t.await(); err != nil || t.mgr == nil || t.over {
		return err
	}
	t.run(t.setAccounts(t.mgr.Accounts(), t.mgr.Events()))
	return t.await() // a list of what has changed may be asked for anew
}

func (t *talk) await() error {
	slow, named := time.NewTimer(slowAfter), ""
	defer slow.Stop()
	for !t.over && t.waiting() != "" && (len(t.dialogs) == 0 || t.jobs.find(t.patient) != nil) {
		stop := (<-chan typedLine)(nil)
		if named != "" && t.c.Hide != nil && t.ahead == nil {
			t.read()
			stop = t.typed
		}
		select {
		case msg := <-t.msgs:
			t.receive(msg)
		case <-t.ctx.Done():
			return t.ctx.Err()
		case l := <-stop:
			t.reading = false
			j := t.loudJob()
			if l.text != "" || l.err != nil || j == nil {
				t.ahead = &l
				break
			}
			switch v := t.signIn; {
			case v != nil && v.job == j.id:
				t.run(v.do(actBack))
			case j.firm && t.respond != nil:
				t.run(t.respond.askStop())
			default:
				t.run(t.stopJob(j))
			}
			t.sayNews()
		case <-slow.C:
			if what := t.waiting(); what != named {
				named = what
				more := ""
				if t.c.Hide != nil && t.loudJob() != nil {
					more = " Enter stops it."
				}
				t.tell("Please wait: " + what + "." + more)
			}
			slow.Reset(slowAfter)
		}
	}
	return nil
}

// waiting says what is waited for; empty: nothing.
func (t *talk) waiting() string {
	if t.mgr == nil && t.opts.Open != nil && (t.store == storeOpening || t.store == storeWaiting) {
		return strings.TrimSuffix(t.store.word(), "…")
	}
	if t.mgr != nil && t.notifier.heard == nil {
		return "reading the accounts"
	}
	if j := t.loudJob(); j != nil {
		return clean(j.title)
	}
	if v, ok := t.screen().(interface{ loading() bool }); ok && v.loading() {
		return "listing " + strings.ToLower(t.shown.name())
	}
	return ""
}

// loudJob is work that somebody asked for; nil: there is none.
func (t *talk) loudJob() *job {
	for _, j := range t.jobs.list {
		if !j.quiet {
			return j
		}
	}
	return nil
}

// read reads a line in the background.
func (t *talk) read() {
	if t.reading {
		return
	}
	t.reading = true
	go func() {
		text, err := t.in.ReadString('\n')
		if errors.Is(err, io.EOF) && text != "" {
			err = nil // the last line needs no end
		}
		t.typed <- typedLine{strings.TrimRight(text, "\r\n"), err}
	}()
}

// ask puts a question and waits for a line. What comes meanwhile is said, and the question put again.
func (t *talk) ask(question string) (string, error) {
	return t.askUntil(question, func() bool { return false })
}

// askUntil is ask for a question that may answer itself; then the answer is empty.
func (t *talk) askUntil(question string, over func() bool) (string, error) {
	put := func() {
		_, _ = io.WriteString(t.c.Out, clean(question)+" ")
		t.prompting = true
	}
	defer func() { t.prompting = false }()
	put()
	for {
		if t.ahead == nil {
			t.read()
		} else {
			t.typed <- *t.ahead
			t.ahead = nil
		}
		select {
		case l := <-t.typed:
			t.reading = false
			if l.err != nil {
				t.tell("")
				return "", errNoMoreLines
			}
			t.prompting = false
			if t.c.Hide == nil {
				_, _ = io.WriteString(t.c.Out, "\n") // nobody sees what was typed, nor the end of its line
			}
			return l.text, nil
		case msg := <-t.msgs:
			t.spoke = false
			t.quietly(msg)
			if over() {
				return "", nil
			}
			if t.spoke {
				put()
			}
		case <-t.ctx.Done():
			t.tell("")
			return "", t.ctx.Err()
		}
	}
}

// quietly takes a message while a question is open.
func (t *talk) quietly(msg tea.Msg) {
	before := len(t.dialogs)
	t.receive(msg)
	if len(t.dialogs) > before {
		t.tell("Something else has come up; answer this first.")
	}
}

// askSecret asks for a secret, which is not shown.
func (t *talk) askSecret(question string) (string, error) {
	if t.c.Hide == nil {
		return t.ask(question)
	}
	show, err := t.c.Hide() // before the question: a quick answer must not be shown either
	if err != nil {
		return "", err
	}
	text, err := t.ask(question)
	show()
	if err == nil {
		_, _ = io.WriteString(t.c.Out, "\n") // the person's own was not shown
	}
	return text, err
}

// tell prints a line.
func (t *talk) tell(text string) {
	if t.prompting { // a question stands on the line
		_, _ = io.WriteString(t.c.Out, "\n")
	}
	t.spoke, t.prompting = true, false
	text = endOfToken().ReplaceAllString(clean(strings.TrimSpace(text)), "ending in $1")
	_, _ = io.WriteString(t.c.Out, text+"\n")
}

// endOfToken is how a token is named everywhere: by its last 8 characters.
var endOfToken = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`…([0-9a-f]{8})\b`) })

// hintOr is a key, or else what says the same without one.
func (f *frame) hintOr(text, spoken string) string {
	if f.spoken {
		return spoken
	}
	return text
}

// hint is what a text says of keys, which nobody can press where it is read line by line.
func (f *frame) hint(text string) string {
	if f.spoken {
		return ""
	}
	return text
}
