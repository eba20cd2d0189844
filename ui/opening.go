package ui

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
	"wakey/session"
)

// storeState says how far the store is. Until it is open the screen shows the index.
type storeState int

const (
	storeOpening storeState = iota
	storeWaiting            // the keyring does not answer yet
	storeAsking             // the passphrase dialog is on the screen
	storeLocked             // opening failed, or the person gave up
	storeOpen
)

// word says it in the header.
func (s storeState) word() string {
	return [...]string{
		"opening the store…", "waiting for the keyring…", "waiting for the passphrase",
		"the store is locked", "",
	}[s]
}

type (
	openedMsg struct {
		mgr *session.Manager
		cut map[session.ID]session.Incident // responses that were cut off
		err error
	}
	// stateMsg is what the manager says anew.
	stateMsg struct {
		accounts []session.Account
		events   []session.Event
		alerts   []session.Alert
		keyPlace keyPlace
	}
	// runOverMsg ends the manager's loop: with an error while the program runs on.
	runOverMsg struct{ err error }
	// askMsg asks for the store's passphrase on behalf of a goroutine that waits on answer.
	askMsg struct {
		ctx    context.Context //nolint:containedctx // of the one who asks
		req    session.PassphraseRequest
		answer chan<- api.Secret
	}
	// keyringMsg says that the keyring does not answer yet, on behalf of a goroutine that waits
	// for it until enough is closed.
	keyringMsg struct {
		req    session.KeyringRequest
		enough chan struct{}
	}
	keyringOverMsg struct{ keyringMsg }
)

// errNoPassphrase is the answer of a person who closes the passphrase dialog.
var errNoPassphrase = errors.New("no passphrase was given")

// openStore opens the accounts in the background: neither a keyring nor a passphrase delays
// the first frame.
func (f *frame) openStore() tea.Cmd {
	if f.opts.Open == nil {
		return nil
	}
	f.store = storeOpening
	ctx, send, open := f.ctx, f.send, f.opts.Open
	return func() tea.Msg {
		mgr, err := open(ctx, session.StoreOptions{
			Passphrase: func(ctx context.Context, r session.PassphraseRequest) (api.Secret, error) {
				return askPassphrase(ctx, send, r)
			},
			Keyring: func(ctx context.Context, r session.KeyringRequest) { awaitKeyring(ctx, send, r) },
		})
		if err == nil {
			err = mgr.Load(ctx)
		}
		if err != nil {
			return openedMsg{err: err}
		}
		cut, _ := mgr.CutOff() // what can't be read, "!" tells of
		return openedMsg{mgr: mgr, cut: cut}
	}
}

// keyPlace says where the key of the accounts is kept: in a word, and why there.
type keyPlace struct{ word, why string }

// unsaved is that of accounts in memory alone.
var unsaved = keyPlace{"nothing", "gone when wakey ends"}

// header says it at the top of the screen, with nothing around it.
func (k keyPlace) header() string {
	if k == unsaved {
		return "nothing saved"
	}
	return "kept by " + k.word
}

func keyPlaceOf(ctx context.Context, store session.Store) keyPlace {
	s, ok := store.(interface {
		Status(ctx context.Context) (session.KeyStatus, error)
	})
	if !ok {
		return unsaved
	}
	status, err := s.Status(ctx)
	if err != nil || status.Kind == session.NoKey {
		return keyPlace{}
	}
	return keyPlace{string(status.Kind), clean(status.Why)}
}

// askPassphrase waits for a person, who is asked by the program.
func askPassphrase(ctx context.Context, send func(tea.Msg), r session.PassphraseRequest) (api.Secret, error) {
	answer := make(chan api.Secret, 1)
	send(askMsg{ctx: ctx, req: r, answer: answer})
	select {
	case p := <-answer:
		if p.IsZero() {
			return api.Secret{}, errNoPassphrase
		}
		return p, nil
	case <-ctx.Done():
		return api.Secret{}, ctx.Err()
	}
}

// awaitKeyring waits until the keyring has answered or a person has enough of waiting.
func awaitKeyring(ctx context.Context, send func(tea.Msg), r session.KeyringRequest) {
	msg := keyringMsg{req: r, enough: make(chan struct{})}
	send(msg)
	select {
	case <-msg.enough:
	case <-ctx.Done():
		send(keyringOverMsg{msg})
	}
}

// opening takes what comes of opening the store.
func (f *frame) opening(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case askMsg:
		f.whileOpening(storeAsking)
		f.push(newPassphrase(f, msg))
	case keyringMsg:
		f.whileOpening(storeWaiting)
		f.push(newKeyringWait(f, msg))
	case keyringOverMsg:
		f.whileOpening(storeOpening)
		for _, d := range f.dialogs {
			if k, ok := d.(*keyringWait); ok && k.ask.enough == msg.enough {
				f.close(d)
				break
			}
		}
	case openedMsg:
		if msg.err != nil {
			f.store = storeLocked
			f.locked("The accounts could not be opened", msg.err)
			return nil
		}
		f.store, f.mgr = storeOpen, msg.mgr
		f.cut = map[session.ID]bool{}
		for id := range msg.cut {
			f.cut[id] = true
		}
		f.mgr.PauseWatch(!f.focused)
		return tea.Batch(f.runManager(), lookAgain(f.ctx, msg.mgr, true))
	case stateMsg:
		f.keyPlace = msg.keyPlace
		return tea.Batch(f.setAccounts(msg.accounts, msg.events), f.attend(msg.alerts), lookAgain(f.ctx, f.mgr, false))
	case runOverMsg:
		if msg.err != nil && f.ctx.Err() == nil {
			f.store, f.mgr = storeLocked, nil
			f.locked("The accounts are no longer kept fresh", msg.err)
		}
	}
	return nil
}

// whileOpening says how far the opening is. A store that is open stays so: its first account asks
// for a key as well.
func (f *frame) whileOpening(s storeState) {
	if f.store != storeOpen && f.store != storeLocked {
		f.store = s
	}
}

// locked says why the store is not open, and offers to open it again.
func (f *frame) locked(what string, err error) {
	n := newNotice(f, what, err.Error())
	n.again = f.openStore
	f.push(n)
}

// runManager keeps the accounts fresh until the program ends, which waits for it.
func (f *frame) runManager() tea.Cmd {
	ctx, mgr, r := f.ctx, f.mgr, f.runner
	return func() (msg tea.Msg) {
		if !r.begin() {
			return nil
		}
		defer r.wg.Done()
		defer func() {
			if p := recover(); p != nil {
				msg = runOverMsg{fmt.Errorf("wakey went wrong: %v\n%s", p, debug.Stack())}
			}
		}()
		return runOverMsg{mgr.Run(ctx)}
	}
}

// runner lets the end of the program wait for what has begun, and nothing begin after that.
type runner struct {
	mu   sync.Mutex
	over bool
	wg   sync.WaitGroup
}

func (r *runner) begin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		r.wg.Add(1)
	}
	return !r.over
}

func (r *runner) stop() {
	r.mu.Lock()
	r.over = true
	r.mu.Unlock()
	r.wg.Wait()
}

// lookAgain waits until there is something new to see, and reads it. At once: without waiting.
func lookAgain(ctx context.Context, mgr *session.Manager, atOnce bool) tea.Cmd {
	return func() tea.Msg {
		if !atOnce {
			select {
			case <-mgr.Changed():
			case <-ctx.Done():
				return nil
			}
		}
		return stateMsg{mgr.Accounts(), mgr.Events(), mgr.Alerts(), keyPlaceOf(ctx, mgr.Store())}
	}
}
