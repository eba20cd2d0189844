package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"wakey/api"
)

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
