package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"wakey/api"
)

// UserOutcome is what an import did with a line, or would do.
type UserOutcome string

// The outcomes of a line.
const (
	UserCreated   UserOutcome = "created"
	UserChanged   UserOutcome = "changed"
	UserUnchanged UserOutcome = "unchanged" // it was as the line wants it
	UserFailed    UserOutcome = "failed"
)

// ImportOptions say how users are imported.
type ImportOptions struct {
	Tenant   string             // uuid, of users whose line names none; empty: the account's own
	Parallel int                // requests at once, MaxParallel at most; 0: 4
	Rate     float64            // users a second that something is done to, at most; 0: as fast as the stack answers
	Source   string             // what the log calls the file
	DryRun   bool               // tell what would be done
	Report   func(ImportedUser) // gets each line, in the order of the file, one at a time
}

// MaxParallel is how many requests an import has under way at most.
const MaxParallel = 8

// ImportedUser is a line and what came of it.
type ImportedUser struct {
	UserLine

	Outcome UserOutcome
	UUID    string   // of the user; empty when there is none
	Fields  []string // what was changed
	Err     error    // why it failed
}

// ImportCount counts lines by what came of them.
type ImportCount map[UserOutcome]int

// UnfinishedImportError says that an import could not go on. What was done stays done; the same import again goes on from there.
type UnfinishedImportError struct {
	Left  int // lines that were not begun
	cause error
}

func (e *UnfinishedImportError) Error() string {
	return fmt.Sprintf("the import stopped with %s left: %v", count(e.Left, "line"), e.cause)
}

// Unwrap gives what stopped it.
func (e *UnfinishedImportError) Unwrap() error { return e.cause }

// ImportUsers makes the stack have the users of lines: it creates who is not there, changes what a line has and the stack has
// not, and leaves the rest alone. A password is set at creation alone. Who is there already is recognised by uuid, else by
// username or e-mail; so the same import can be run again, after whatever cut it off, until nothing is left to do.
// Errors: *UnfinishedImportError, when nothing could be expected of the lines that follow either; a line that failed is none.
func (m *Manager) ImportUsers(ctx context.Context, id ID, lines []UserLine, o ImportOptions) (ImportCount, error) {
	im := &importer{m: m, id: id, o: o, lines: lines, count: ImportCount{}, done: map[int]ImportedUser{}}
	if err := im.look(ctx); err != nil {
		return im.count, err
	}
	if !o.DryRun {
		im.tell("importing " + count(len(lines), "user") + " from " + shown(o.Source))
	}
	err := im.run(ctx)
	if !o.DryRun {
		im.tell(fmt.Sprintf("imported %s: %d created, %d changed, %d unchanged, %d failed", count(len(lines), "user"),
			im.count[UserCreated], im.count[UserChanged], im.count[UserUnchanged], im.count[UserFailed]))
	}
	return im.count, err
}

// importer is one import under way.
type importer struct {
	m      *Manager
	id     ID
	o      ImportOptions
	home   string // uuid of the tenant of lines that name none
	lines  []UserLine
	byUUID map[string]api.User // in lower case
	byName map[string]api.User // usernames and e-mails, in lower case

	mu     sync.Mutex
	until  time.Time // the stack gets a rest
	faults int       // lines in a row at which the stack failed
	stop   error     // nothing more can be expected
	done   map[int]ImportedUser
	next   int // the line to be reported next
	count  ImportCount
}

func (im *importer) tell(text string) {
	name := ""
	if a, err := im.m.Account(string(im.id)); err == nil {
		name = a.Name
	}
	im.m.report(im.id, name, "users", Info, text)
}

// look lists who is there.
func (im *importer) look(ctx context.Context) error {
	a, err := im.m.Account(string(im.id))
	if err != nil {
		return err
	}
	if im.home = im.o.Tenant; im.home == "" {
		im.home = a.TenantUUID
	}
	im.byUUID, im.byName = map[string]api.User{}, map[string]api.User{}
	page := func(ctx context.Context, o api.ListOptions) (p api.Page[api.User], err error) {
		err = im.m.Do(ctx, im.id, func(ctx context.Context, c *api.Client, token api.Secret) error {
			p, err = c.Users(ctx, token, o)
			return err
		})
		return p, err
	}
	for u, err := range api.All(ctx, page, api.ListOptions{Recurse: true, Tenant: im.o.Tenant}, usersPage) {
		if err != nil {
			return err
		}
		im.byUUID[strings.ToLower(u.UUID)] = u
		im.byName[strings.ToLower(u.Username)] = u
		for _, e := range u.Emails {
			im.byName[strings.ToLower(e.Address)] = u
		}
	}
	delete(im.byName, "")
	return nil
}

// run hands the lines out, in order, and waits for them.
func (im *importer) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	width := im.o.Parallel
	if width <= 0 {
		width = 4
	}
	slots := make(chan struct{}, min(width, MaxParallel))
	var pace <-chan time.Time
	if im.o.Rate > 0 {
		t := time.NewTicker(time.Duration(float64(time.Second) / im.o.Rate))
		defer t.Stop()
		pace = t.C
	}
	var all sync.WaitGroup
	begun := 0
	for i, l := range im.lines {
		u, there := im.there(l)
		if quick, ok := im.quick(l, u, there); ok { // costs the stack nothing
			im.finish(i, quick)
			begun++
			continue
		}
		if !im.mayBegin(ctx, slots, pace) {
			break
		}
		begun++
		all.Go(func() {
			defer func() { <-slots }()
			im.finish(i, im.one(ctx, l, u, there))
		})
	}
	all.Wait()
	im.flush()
	if err := im.stopped(ctx); err != nil {
		return &UnfinishedImportError{len(im.lines) - begun, err}
	}
	return nil
}

// mayBegin waits for a place and for the pace.
func (im *importer) mayBegin(ctx context.Context, slots chan struct{}, pace <-chan time.Time) bool {
	if pace != nil {
		select {
		case <-pace:
		case <-ctx.Done():
			return false
		}
	}
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	if im.stopped(ctx) != nil {
		<-slots
		return false
	}
	return true
}

func (im *importer) stopped(ctx context.Context) error {
	im.mu.Lock()
	defer im.mu.Unlock()
	if im.stop != nil {
		return im.stop
	}
	return ctx.Err()
}

// maxImportFaults is how many lines in a row the stack may fail at before nothing more is expected of it.
const maxImportFaults = 5

// judge decides whether what a line came to is that line's trouble alone.
func (im *importer) judge(l UserLine, err error) {
	im.mu.Lock()
	defer im.mu.Unlock()
	if !errors.Is(err, api.ErrServer) {
		im.faults = 0
	} else if im.faults++; im.faults < maxImportFaults {
		return
	}
	_, problem := errors.AsType[*ProblemError](err)
	ends := problem || errors.Is(err, api.ErrWrongTenant) && l.Tenant == ""
	for _, kind := range []error{
		context.Canceled, ErrLocked, ErrNoAccount, api.ErrNetwork, api.ErrServer, api.ErrCertificate, api.ErrNotWazo, api.ErrRateLimited,
		api.ErrPermission, api.ErrUnauthorized, api.ErrTokenDead, api.ErrRefreshRefused,
	} {
		ends = ends || errors.Is(err, kind)
	}
	if ends && im.stop == nil {
		im.stop = err
	}
}

// finish keeps what came of a line, and reports what is next in the order of the file.
func (im *importer) finish(i int, out ImportedUser) {
	im.mu.Lock()
	defer im.mu.Unlock()
	im.done[i] = out
	for {
		out, ok := im.done[im.next]
		if !ok {
			return
		}
		im.give(im.next, out)
		im.next++
	}
}

// flush reports what is left behind a line that was never begun.
func (im *importer) flush() {
	im.mu.Lock()
	defer im.mu.Unlock()
	left := make([]int, 0, len(im.done))
	for i := range im.done {
		left = append(left, i)
	}
	slices.Sort(left)
	for _, i := range left {
		im.give(i, im.done[i])
	}
}

// give reports a line. im.mu is held.
func (im *importer) give(i int, out ImportedUser) {
	delete(im.done, i)
	im.count[out.Outcome]++
	if im.o.Report != nil {
		im.o.Report(out)
	}
}
