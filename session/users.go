package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"wakey/api"
)

// UserName is what a user is called: its username, else its main e-mail, else its uuid. It is not cleaned.
func UserName(u api.User) string {
	if u.Username != "" {
		return u.Username
	}
	for _, e := range u.Emails {
		if e.Main {
			return e.Address
		}
	}
	return u.UUID
}

// CreateUser creates a user as the account, in tenant (its uuid; empty: the account's own). A user without a uuid gets a version 4
// one here, so that after an answer that never came the stack can be asked whether the user is there.
// Errors: those of api.NewUser.Check, before anything is sent, and of api.Client.CreateUser.
func (m *Manager) CreateUser(ctx context.Context, id ID, u api.NewUser, tenant string) (made api.User, err error) {
	if err := u.Check(); err != nil {
		return api.User{}, err
	}
	if u.UUID == "" {
		u.UUID = uuid.NewString()
	}
	err = m.Do(ctx, id, func(ctx context.Context, c *api.Client, token api.Secret) error {
		made, err = c.CreateUser(ctx, token, u, tenant)
		return err
	})
	if mayHaveHappened(err) {
		if there, rerr := m.readAgain(ctx, id, u.UUID); rerr == nil {
			made, err = there, nil
		} else if !errors.Is(rerr, api.ErrNotFound) {
			err = fmt.Errorf("whether %s was created is not known: %w", shown(newUserName(u)), err)
		}
	}
	if err != nil {
		return api.User{}, err
	}
	m.toldUser(id, made, "created", nil)
	return made, nil
}

func newUserName(u api.NewUser) string {
	if u.Username != "" {
		return u.Username
	}
	if u.Email != "" {
		return u.Email
	}
	return u.UUID
}

// readAgain reads a user after a write whose outcome is not known: an error is no rollback (contract 5).
func (m *Manager) readAgain(ctx context.Context, id ID, userUUID string) (u api.User, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	err = m.Do(ctx, id, func(ctx context.Context, c *api.Client, token api.Secret) error {
		u, err = c.User(ctx, token, userUUID)
		return err
	})
	return u, err
}

// ReadUser reads a user in full, as ChangeUser wants it.
func (m *Manager) ReadUser(ctx context.Context, id ID, userUUID string) (u api.User, err error) {
	err = m.Do(ctx, id, func(ctx context.Context, c *api.Client, token api.Secret) error {
		u, err = c.User(ctx, token, userUUID)
		return err
	})
	return u, err
}

// ChangeUser writes wanted over before, which ReadUser gave. Errors: those of api.User.Check, before anything is sent, and of
// api.Client.WriteUser: api.ErrChanged when somebody else changed the user since it was read.
func (m *Manager) ChangeUser(ctx context.Context, id ID, before, wanted api.User) (now api.User, err error) {
	if err := wanted.Check(); err != nil {
		return api.User{}, err
	}
	err = m.Do(ctx, id, func(ctx context.Context, c *api.Client, token api.Secret) error {
		now, err = c.WriteUser(ctx, token, before, wanted)
		return err
	})
	if mayHaveHappened(err) {
		if there, rerr := m.readAgain(ctx, id, before.UUID); rerr == nil && len(UserChanges(wanted, there)) == 0 {
			now, err = there, nil
		}
	}
	changes := UserChanges(before, now)
	if err == nil && len(changes) > 0 {
		m.toldUser(id, now, "changed "+strings.Join(fieldsOf(changes), ", ")+" of", changes)
	}
	return now, err
}

// UserChange is a field that differs between two users.
type UserChange struct{ Field, Before, After string }

// UserChanges tells what ChangeUser would write to make before after.
func UserChanges(before, after api.User) []UserChange {
	var changes []UserChange
	for _, c := range [...]UserChange{
		{"username", before.Username, after.Username},
		{"firstname", before.Firstname, after.Firstname},
		{"lastname", before.Lastname, after.Lastname},
		{"purpose", before.Purpose, after.Purpose},
		{"enabled", yesOrNo(before.Enabled), yesOrNo(after.Enabled)},
		{"authentication_method", before.AuthenticationMethod, after.AuthenticationMethod},
	} {
		if c.Before != c.After {
			changes = append(changes, c)
		}
	}
	return changes
}

func fieldsOf(changes []UserChange) []string {
	names := make([]string, len(changes))
	for i, c := range changes {
		names[i] = c.Field
	}
	return names
}

func yesOrNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// SetUserEmails replaces a user's whole list of e-mails, if it still is that of before. As an administrator it says
// which are confirmed; without that permission, on the account's own user, the stack keeps what was (contract 10).
// Errors: those of api.CheckEmails, before anything is sent; api.ErrChanged; those of api.Client.SetAdminEmails.
func (m *Manager) SetUserEmails(ctx context.Context, id ID, before api.User, emails []api.Email) (now []api.Email, err error) {
	if err := api.CheckEmails(emails); err != nil {
		return nil, err
	}
	err = m.Do(ctx, id, func(ctx context.Context, c *api.Client, token api.Secret) error {
		u, err := c.User(ctx, token, before.UUID)
		if permission, other := lacking(err, ""); other != nil {
			return other
		} else if permission == "" && !sameEmails(u.Emails, before.Emails) {
			return &api.Error{Kind: api.KindChanged, Message: "emails"}
		}
		now, err = c.SetAdminEmails(ctx, token, before.UUID, emails)
		if !errors.Is(err, api.ErrPermission) {
			return err
		}
		own, ownErr := c.SetEmails(ctx, token, before.UUID, emails)
		if errors.Is(ownErr, api.ErrPermission) {
			return err // the administrator's is the one to ask for
		}
		now = own
		return ownErr
	})
	if mayHaveHappened(err) {
		if there, rerr := m.readAgain(ctx, id, before.UUID); rerr == nil && sameEmails(there.Emails, emails) {
			now, err = there.Emails, nil
		}
	}
	if err != nil {
		return nil, err
	}
	if !sameEmails(before.Emails, now) {
		m.toldUser(id, before, "changed the e-mails of", []UserChange{{"emails", EmailsText(before.Emails), EmailsText(now)}})
	}
	return now, nil
}

// sameEmails compares two lists, whatever their order.
func sameEmails(a, b []api.Email) bool {
	if len(a) != len(b) {
		return false
	}
	flags := map[string]api.Email{}
	for _, e := range a {
		e.UUID = ""
		flags[e.Address] = e
	}
	for _, e := range b {
		e.UUID = ""
		if there, ok := flags[e.Address]; !ok || there != e {
			return false
		}
	}
	return true
}

// LosesLogin gives an address of before that the user signs in with, perhaps, and after does not any more; empty when there is none.
// Refresh tokens that were made with it die with that before 26.07, and stay listed (contract 5).
func LosesLogin(before, after []api.Email) string {
	for _, e := range before {
		there := slices.ContainsFunc(after, func(x api.Email) bool { return x.Confirmed && strings.EqualFold(x.Address, e.Address) })
		if e.Confirmed && !there {
			return e.Address
		}
	}
	return ""
}

// EmailsText puts e-mails on one line: "a@example.com (main, confirmed), b@example.com". It is not cleaned.
func EmailsText(emails []api.Email) string {
	texts := make([]string, len(emails))
	for i, e := range emails {
		texts[i] = e.Address
		switch {
		case e.Main && e.Confirmed:
			texts[i] += " (main, confirmed)"
		case e.Main:
			texts[i] += " (main)"
		case e.Confirmed:
			texts[i] += " (confirmed)"
		}
	}
	return strings.Join(texts, ", ")
}

// SetUserPassword sets a user's password: with the old one as the user itself, without as an administrator, and with a zero fresh one
// it takes the password away, as an administrator. Sessions of the user end with it since 26.04, refresh tokens stay (contract 9): EndAccess ends
// them. When the user is that of accounts of this machine, they get new access tokens right away.
// Errors: those of api.Client.SetOwnPassword and ResetPassword; a permission that is missing is named.
func (m *Manager) SetUserPassword(ctx context.Context, id ID, u api.User, old, fresh api.Secret) error {
	what := "set the password of"
	err := m.Do(ctx, id, func(ctx context.Context, c *api.Client, token api.Secret) error {
		switch {
		case !old.IsZero():
			return c.SetOwnPassword(ctx, token, u.UUID, old, fresh)
		case fresh.IsZero():
			what = "took the password of"
			return m.named(ctx, c, token, u.UUID, c.RemovePassword(ctx, token, u.UUID))
		}
		return m.named(ctx, c, token, u.UUID, c.ResetPassword(ctx, token, u.UUID, fresh))
	})
	if err != nil && !mayHaveHappened(err) {
		return err
	}
	if err != nil {
		m.toldUser(id, u, "perhaps "+what, nil)
		return err
	}
	m.toldUser(id, u, what, nil)
	m.refreshOwn(ctx, id, u.UUID)
	return nil
}

// named finds out what a refusal without a reason means: the reset of a password gives none (contract 2).
func (m *Manager) named(ctx context.Context, c *api.Client, token api.Secret, userUUID string, err error) error {
	if !errors.Is(err, api.ErrUnauthorized) {
		return err
	}
	permission := "auth.users.password.reset." + userUUID + ".create"
	may, cerr := c.CheckScopes(ctx, token, []string{permission}, "")
	switch {
	case errors.Is(cerr, api.ErrTokenDead):
		return cerr // so that it is refreshed, and asked again
	case cerr == nil && !may[permission]:
		return &api.Error{Kind: api.KindPermission, Permission: permission}
	}
	return err
}

// refreshOwn gives the accounts of this machine that are the user new access tokens. What fails, their state tells.
func (m *Manager) refreshOwn(ctx context.Context, id ID, userUUID string) {
	for _, a := range m.OwnAccounts(id, userUUID) {
		if a.ClientID != "" {
			_, _ = m.Refresh(ctx, a.ID)
		}
	}
}

// OwnAccounts are the accounts of this machine that sign in as the user, on the stack of the account id.
func (m *Manager) OwnAccounts(id ID, userUUID string) []Account {
	stack := ""
	if a, err := m.Account(string(id)); err == nil {
		stack = a.Stack
	}
	return filter(m.Accounts(), func(a Account) bool { return a.Stack == stack && a.UserUUID == userUUID })
}

// NewPassword makes a password that nobody guesses: 100 bits, in letters and digits that are not taken for each other.
func NewPassword() api.Secret {
	text := strings.ToLower(rand.Text())
	return api.NewSecret(text[:5] + "-" + text[5:10] + "-" + text[10:15] + "-" + text[15:20])
}

// toldUser writes down what was done to a user. The texts of a server are made harmless there.
func (m *Manager) toldUser(id ID, u api.User, did string, changes []UserChange) {
	name := ""
	if a, err := m.Account(string(id)); err == nil {
		name = a.Name
	}
	more := map[string]string{"user": u.UUID, "tenant": u.TenantUUID}
	for _, c := range changes {
		more[c.Field] = c.Before + " → " + c.After
	}
	m.tell(Event{Account: id, Name: name, Op: "users", Level: Info, Text: did + " " + shown(UserName(u))}, more)
}
