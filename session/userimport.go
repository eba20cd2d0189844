package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

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

// there is the user that a line means.
func (im *importer) there(l UserLine) (api.User, bool) {
	if u, ok := im.byUUID[strings.ToLower(l.User.UUID)]; ok {
		return u, true
	}
	for _, name := range []string{l.User.Username, l.User.Email} {
		if name != "" {
			u, ok := im.byName[strings.ToLower(name)]
			return u, ok
		}
	}
	return api.User{}, false
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

// quick is what comes of a line that nothing has to be asked for.
func (im *importer) quick(l UserLine, u api.User, there bool) (ImportedUser, bool) {
	out := ImportedUser{UserLine: l}
	if !there {
		out.Outcome = UserCreated
		return out, im.o.DryRun
	}
	out.UUID = u.UUID
	if err := im.fits(l, u); err != nil {
		out.Outcome, out.Err = UserFailed, err
		return out, true
	}
	if out.Fields = changesOf(l, u); len(out.Fields) == 0 {
		out.Outcome = UserUnchanged
		return out, true
	}
	out.Outcome = UserChanged
	return out, im.o.DryRun
}

// fits tells what no change can make of u.
func (im *importer) fits(l UserLine, u api.User) error {
	if l.User.UUID != "" && !strings.EqualFold(l.User.UUID, u.UUID) {
		return fmt.Errorf("%s is another user already: %s", shown(l.Name()), u.UUID)
	}
	if l.Tenant != "" && !strings.EqualFold(l.Tenant, u.TenantUUID) {
		return fmt.Errorf("the user is in another tenant: %s", u.TenantUUID)
	}
	return nil
}

// changesOf names what a line has and u has not.
func changesOf(l UserLine, u api.User) []string {
	fields := fieldsOf(UserChanges(u, wantedOf(l, u)))
	if emails := emailsOf(l, u); !sameEmails(u.Emails, emails) {
		fields = append(fields, "emails")
	}
	return fields
}

// wantedOf is u with what the line has.
func wantedOf(l UserLine, u api.User) api.User {
	for _, f := range []struct {
		name string
		from string
		to   *string
	}{
		{"username", l.User.Username, &u.Username},
		{"firstname", l.User.Firstname, &u.Firstname},
		{"lastname", l.User.Lastname, &u.Lastname},
		{"purpose", l.User.Purpose, &u.Purpose},
		{"authentication_method", l.User.AuthenticationMethod, &u.AuthenticationMethod},
	} {
		if l.Given[f.name] {
			*f.to = f.from
		}
	}
	if l.User.Enabled != nil {
		u.Enabled = *l.User.Enabled
	}
	return u
}

// emailsOf is the list of e-mails that the line wants: its own, or that of u with another main one.
func emailsOf(l UserLine, u api.User) []api.Email {
	switch {
	case l.Emails != nil:
		return l.Emails
	case l.User.Email == "":
		return u.Emails
	}
	wanted := []api.Email{{Address: l.User.Email, Main: true, Confirmed: true}} // as a creation makes it
	for _, e := range u.Emails {
		switch {
		case e.Address == l.User.Email && e.Main:
			return u.Emails
		case e.Main, strings.EqualFold(e.Address, l.User.Email):
			continue
		}
		wanted = append(wanted, e)
	}
	return wanted
}

// one sees to a line that takes requests.
func (im *importer) one(ctx context.Context, l UserLine, u api.User, there bool) ImportedUser {
	out := ImportedUser{UserLine: l, UUID: u.UUID, Outcome: UserChanged}
	var err error
	if !there {
		u, there, err = im.create(ctx, l)
		out.UUID = u.UUID
		if !there {
			out.Outcome = UserCreated
		}
	}
	if err == nil {
		err = im.fits(l, u)
	}
	if err == nil && (there || len(changesOf(l, u)) > 0) {
		out.Fields, err = im.change(ctx, l, u)
		if there && len(out.Fields) == 0 {
			out.Outcome = UserUnchanged
		}
	}
	if err != nil {
		out.Outcome, out.Err = UserFailed, err
	}
	im.judge(l, err)
	return out
}

// create creates the user of a line. there tells that somebody has meanwhile.
func (im *importer) create(ctx context.Context, l UserLine) (u api.User, there bool, err error) {
	wanted := l.User
	if wanted.UUID == "" {
		wanted.UUID = uuid.NewString() // the same in every try
	}
	tenant := l.Tenant
	if tenant == "" {
		tenant = im.o.Tenant
	}
	err = im.patiently(ctx, func() error {
		u, err = im.m.CreateUser(ctx, im.id, wanted, tenant)
		return err
	})
	if !errors.Is(err, api.ErrConflict) {
		return u, false, err
	}
	taken := err
	err = im.patiently(ctx, func() error {
		u, err = im.m.FindUser(ctx, im.id, wanted.UUID, im.home)
		if errors.Is(err, ErrNoUser) {
			u, err = im.m.FindUser(ctx, im.id, l.Name(), im.home)
		}
		return err
	})
	if errors.Is(err, ErrNoUser) {
		return api.User{}, false, taken
	}
	return u, !strings.EqualFold(u.UUID, wanted.UUID) || l.User.UUID != "", err
}

// change writes what the line has and the user has not.
func (im *importer) change(ctx context.Context, l UserLine, u api.User) (fields []string, err error) {
	err = im.patiently(ctx, func() error {
		now, err := im.m.ReadUser(ctx, im.id, u.UUID)
		if err != nil {
			return err
		}
		if fields = changesOf(l, now); len(fields) == 0 {
			return nil
		}
		if now, err = im.m.ChangeUser(ctx, im.id, now, wantedOf(l, now)); err != nil {
			return err
		}
		if emails := emailsOf(l, now); !sameEmails(now.Emails, emails) {
			_, err = im.m.SetUserEmails(ctx, im.id, now, emails)
		}
		return err
	})
	return fields, err
}

// How often a request is made that the stack fails at, and how long it gets between.
const (
	importTries = 6
	importRest  = 250 * time.Millisecond // doubled each time
)

// patiently calls f until the stack no longer fails. All lines wait while it gets a rest.
func (im *importer) patiently(ctx context.Context, f func() error) error {
	for try := 1; ; try++ {
		if err := im.rest(ctx); err != nil {
			return err
		}
		err := f()
		again := errors.Is(err, api.ErrNetwork) || errors.Is(err, api.ErrServer) || errors.Is(err, api.ErrRateLimited)
		if !again || try == importTries || ctx.Err() != nil {
			return err
		}
		im.mu.Lock()
		until := im.m.now().Add(importRest << (try - 1))
		if until.After(im.until) {
			im.until = until
		}
		im.mu.Unlock()
	}
}

func (im *importer) rest(ctx context.Context) error {
	for {
		im.mu.Lock()
		wait := im.until.Sub(im.m.now())
		stop := im.stop
		im.mu.Unlock()
		if stop != nil {
			return stop
		}
		if wait <= 0 {
			return ctx.Err()
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		}
	}
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
