package ui

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
	"wakey/session"
)

// Where a new password comes from.
const (
	passwordGenerated = "generated"
	passwordTyped     = "typed"
	passwordNone      = "none yet"
)

// nameFields are those that a user has from its beginning to its end.
func nameFields() []*formField {
	return []*formField{
		{name: "username", label: "User name", hint: "1 to 256 characters"},
		{name: "firstname", label: "First name"},
		{name: "lastname", label: "Last name"},
	}
}

func kindFields() []*formField {
	return []*formField{
		{name: "purpose", label: "Purpose", choices: api.Purposes, apart: true},
		{name: "authentication_method", label: "Signs in by", choices: api.AuthenticationMethods},
		{name: "enabled", label: "Enabled", isTick: true, note: "may sign in", ticked: true},
	}
}

// passwordFields are the ways to a new password.
func passwordFields(ways ...string) []*formField {
	way := &formField{name: "way", label: "Password", choices: ways, apart: true}
	untyped := func() bool { return way.value() != passwordTyped }
	return []*formField{
		way,
		{name: "password", label: "New password", in: input{masked: true}, hidden: untyped},
		{name: "again", label: "The same again", in: input{masked: true}, hidden: untyped},
	}
}

// newPassword reads what passwordFields were filled in with.
func (d *form) newPassword() (secret api.Secret, ok bool) {
	switch d.named("way").value() {
	case passwordGenerated:
		return session.NewPassword(), true
	case passwordNone:
		return api.Secret{}, true
	}
	fresh, again := d.named("password"), d.named("again")
	switch {
	case len(fresh.in.text) == 0:
		fresh.wrong = "the new password is missing"
	case fresh.in.value() != again.in.value():
		again.wrong = "it is not the same"
	default:
		return api.NewSecret(fresh.in.value()), true
	}
	d.focusWrong()
	return api.Secret{}, false
}

// focusWrong goes to the first field that something is wrong with.
func (d *form) focusWrong() {
	if i := slices.IndexFunc(d.shown(), func(x *formField) bool { return x.wrong != "" }); i >= 0 {
		d.at = i
	}
}

// create asks for a new user.
func (v *users) create() tea.Cmd {
	if !v.allowed("create users", "auth.users.create") {
		return nil
	}
	d := &form{f: v.f, heading: "Create a user on " + hostOf(v.acc), button: "Create", doing: "Creating"}
	d.fields = append(nameFields(), &formField{name: "email_address", label: "E-mail", hint: "counts as confirmed"})
	d.fields = append(d.fields, passwordFields(passwordGenerated, passwordTyped, passwordNone)...)
	d.fields = append(d.fields, kindFields()...)
	tenants := v.tenantChoices()
	if len(tenants) > 1 {
		names := make([]string, len(tenants))
		for i, t := range tenants {
			names[i] = v.tenantName(t.UUID)
		}
		d.fields = append(d.fields, &formField{name: "tenant", label: "Tenant", choices: names})
	}
	sc, mgr := v.scope, v.f.mgr
	d.submit = func() tea.Cmd {
		enabled := d.named("enabled").ticked
		u := api.NewUser{
			Username: d.named("username").value(), Firstname: d.named("firstname").value(), Lastname: d.named("lastname").value(),
			Email: d.named("email_address").value(), Purpose: d.named("purpose").value(), Enabled: &enabled,
		}
		// The stack has a default of its own for each purpose (contract 10).
		if method := d.named("authentication_method").value(); method != api.AuthenticationMethods[0] {
			u.AuthenticationMethod = method
		}
		if u.Username == "" && u.Email == "" {
			d.named("username").wrong = "a user name or an e-mail: without one nobody can sign in"
			d.focusWrong()
			return nil
		}
		if err := u.Check(); err != nil {
			d.refused(err, nil)
			return nil
		}
		var ok bool
		if u.Password, ok = d.newPassword(); !ok {
			return nil
		}
		tenant := ""
		if len(tenants) > 1 {
			tenant = tenants[d.named("tenant").choice].UUID
		}
		generated := d.named("way").value() == passwordGenerated
		return startForm(d, "creating "+cmp.Or(u.Username, u.Email), func(ctx context.Context) (api.User, error) {
			return mgr.CreateUser(ctx, sc.acc, u, tenant)
		}, nil, func(made api.User) tea.Cmd {
			v.want = made.UUID
			if generated {
				v.f.push(newOnce(v.f, userName(made), u.Password))
			}
			return v.over(sc, result{toastGood, "created " + userName(made) + " on " + hostOf(v.acc)})
		})
	}
	v.f.push(d)
	return nil
}

// tenantChoices are the tenants in sight, the account's own first.
func (v *users) tenantChoices() []api.Tenant {
	all := slices.Collect(maps.Values(v.tenants))
	own := func(t api.Tenant) int {
		if t.UUID == v.acc.TenantUUID {
			return 0
		}
		return 1
	}
	slices.SortFunc(all, func(a, b api.Tenant) int {
		return cmp.Or(own(a)-own(b), strings.Compare(a.Name, b.Name), strings.Compare(a.UUID, b.UUID))
	})
	return all
}

// read reads a user in full before then gets it: a list does not tell everything.
func (v *users) read(u api.User, then func(api.User) tea.Cmd) tea.Cmd {
	mgr, sc := v.f.mgr, v.scope
	v.f.jobs.drop(v.reading)
	var cmd tea.Cmd
	v.reading, cmd = start(v.f, "reading "+userName(u), func(ctx context.Context) (api.User, error) {
		return mgr.ReadUser(ctx, sc.acc, u.UUID)
	}, func(u api.User, err error) tea.Cmd {
		if err != nil {
			return v.f.fail("the user could not be read", err)
		}
		return then(u)
	})
	return cmd
}

// edit asks what is to be changed of a user.
func (v *users) edit(u api.User) tea.Cmd {
	if !v.allowed("change "+userName(u), "auth.users."+u.UUID+".update") {
		return nil
	}
	return v.read(u, func(before api.User) tea.Cmd {
		v.f.push(newUserEdit(v, before))
		return nil
	})
}

// userEdit is the form of a user that is there, and the user as it was read.
type userEdit struct {
	*form

	v      *users
	before api.User
}

func newUserEdit(v *users, before api.User) *form {
	e := &userEdit{v: v, before: before, form: &form{
		f: v.f, heading: "Edit " + userName(before) + " on " + hostOf(v.acc), button: "Save", doing: "Saving",
	}}
	e.fields = append(nameFields(), kindFields()...)
	e.fill(before)
	e.submit = e.check
	return e.form
}

// texts are the fields of the form that are texts of a user.
func userTexts(u *api.User) map[string]*string {
	return map[string]*string{
		"username": &u.Username, "firstname": &u.Firstname, "lastname": &u.Lastname,
		"purpose": &u.Purpose, "authentication_method": &u.AuthenticationMethod,
	}
}

func (e *userEdit) fill(u api.User) {
	for name, value := range userTexts(&u) {
		e.named(name).set(*value)
	}
	e.named("enabled").ticked = u.Enabled
}

// wanted is the user as the form has it.
func (e *userEdit) wanted() api.User {
	u := e.before
	for name, to := range userTexts(&u) {
		// What the form could not show as it is stays as it was, unless it was changed.
		if shown := (&formField{in: e.named(name).in, choices: e.named(name).choices, choice: e.named(name).choice}).value(); shown != inForm(*to) {
			*to = shown
		}
	}
	u.Enabled = e.named("enabled").ticked
	return u
}

// inForm is what a text becomes in a field: one line, without control characters, trimmed.
func inForm(s string) string {
	var in input
	in.set(s)
	return strings.TrimSpace(in.value())
}

// check looks at the form, asks about what a renaming or a disabling does, and writes.
func (e *userEdit) check() tea.Cmd {
	wanted := e.wanted()
	if err := wanted.Check(); err != nil {
		e.refused(err, nil)
		return nil
	}
	changes := session.UserChanges(e.before, wanted)
	if len(changes) == 0 {
		e.leave()
		return e.f.say(toastInfo, "nothing was changed")
	}
	renamed, disabled := e.before.Username != wanted.Username, e.before.Enabled && !wanted.Enabled
	if !renamed && !disabled {
		return e.write(wanted, false)
	}
	mgr, sc := e.f.mgr, e.v.scope
	id, cmd := start(e.f, "looking at what that ends", func(ctx context.Context) (session.UserDetails, error) {
		return mgr.UserDetails(ctx, sc.acc, e.before.UUID)
	}, func(d session.UserDetails, err error) tea.Cmd {
		e.job = 0
		if err != nil {
			e.refused(err, nil)
			return nil
		}
		e.f.push(e.v.confirmChange(e.before, wanted, d, func(revoke bool) tea.Cmd { return e.write(wanted, revoke) }))
		return nil
	})
	e.job = id
	return cmd
}

// confirmChange says what a renaming and a disabling end, and what not.
func (v *users) confirmChange(before, wanted api.User, d session.UserDetails, then func(revoke bool) tea.Cmd) *confirm {
	c := &confirm{f: v.f, heading: "Change " + userName(before) + " on " + hostOf(v.acc), yes: "Change it", no: "Back", harm: true, then: then}
	if before.Username != wanted.Username {
		c.heading, c.yes = "Rename "+userName(before)+" to "+userName(wanted), "Rename"
		c.items, c.text = v.renamed(before, d)
		if n := len(c.items); n > 0 {
			c.check, c.checked = "also revoke "+plural(n, "refresh token"), true
			c.yesAlso = "Rename, revoke " + number(n)
		}
	}
	if before.Enabled && !wanted.Enabled {
		c.text = append(c.text, disabling)
	}
	for _, name := range v.ownAccounts(before.UUID) {
		c.text = append(c.text, "! The account "+name+" of this machine is this user: it will have to be signed in again.")
		c.word = "change"
	}
	return c
}

// renamed are the refresh tokens that a renaming kills, perhaps, and what there is to say about them (contract 5).
func (v *users) renamed(u api.User, d session.UserDetails) (items []confirmItem, text []string) {
	if p := d.Missing["tokens"]; p != "" {
		return nil, []string{"Its refresh tokens can't be read without the permission " + clean(p) + ": those that were made by signing in as " + userName(u) + " die, and stay listed."}
	}
	for _, t := range d.Tokens {
		items = append(items, confirmItem{shortText(t.ClientID), "made " + age(v.f.now, t.CreatedAt)})
	}
	if len(items) == 0 {
		return nil, []string{"It has no refresh tokens that would die with the name."}
	}
	which := "They were all made by signing in as " + userName(u) + ", and die."
	if slices.ContainsFunc(u.Emails, func(e api.Email) bool { return e.Confirmed }) {
		which = "Those that were made by signing in as " + userName(u) + " die; those made with an e-mail address live on. The stack does not tell which is which."
	}
	return items, []string{which + " What is dead stays listed, and works for whoever is called " + userName(u) + " next."}
}

const disabling = "Its sessions end at once; stacks before 26.04 leave them. Its refresh tokens are refused while it is disabled, and work again when it is enabled."

// write writes the user, and revokes its refresh tokens when that was wanted.
func (e *userEdit) write(wanted api.User, revoke bool) tea.Cmd {
	mgr, sc, before, v := e.f.mgr, e.v.scope, e.before, e.v
	type outcome struct {
		now   api.User
		ended session.Ended
	}
	return startForm(e.form, "saving "+userName(before), func(ctx context.Context) (o outcome, err error) {
		if o.now, err = mgr.ChangeUser(ctx, sc.acc, before, wanted); err == nil && revoke {
			var failed error
			if o.ended, failed = mgr.EndAccess(ctx, sc.acc, o.now, session.Ending{Tokens: true}); failed != nil {
				o.ended.Left = append(o.ended.Left, failed)
			}
		}
		return o, err
	}, func(o outcome, err error) bool {
		if !errors.Is(err, api.ErrChanged) || o.now.UUID == "" {
			return false
		}
		e.rebase(o.now)
		return true
	}, func(o outcome) tea.Cmd {
		return v.over(sc, v.withEnded("changed "+strings.Join(changedFields(before, o.now), ", ")+" of "+userName(o.now), o.ended))
	})
}

// rebase takes over what somebody else has changed, where the person has not, and says so: saving again writes both.
func (e *userEdit) rebase(now api.User) {
	mine := e.wanted()
	changed, theirs, before := changedFields(e.before, mine), changedFields(e.before, now), e.before
	e.before = now
	for name, value := range userTexts(&now) {
		if !slices.Contains(changed, name) {
			e.named(name).set(*value)
		}
	}
	if mine.Enabled == before.Enabled {
		e.named("enabled").ticked = now.Enabled
	}
	if len(theirs) == 0 {
		theirs = []string{"something else"}
	}
	e.wrong = "somebody else has changed " + strings.Join(theirs, ", ") + " meanwhile, and nothing was written; look at it, and save again"
	e.at = len(e.shown())
}

func changedFields(before, after api.User) []string {
	changes := session.UserChanges(before, after)
	names := make([]string, len(changes))
	for i, c := range changes {
		names[i] = c.Field
	}
	return names
}

// withEnded puts into words what was done, and what was revoked with it.
func (v *users) withEnded(did string, e session.Ended) result {
	res := result{toastGood, did}
	var parts []string
	if n := len(e.Tokens); n > 0 {
		parts = append(parts, plural(n, "refresh token")+" revoked")
	}
	if n := len(e.Sessions); n > 0 {
		parts = append(parts, plural(n, "session")+" ended")
	}
	if len(parts) > 0 {
		res.text += "; " + strings.Join(parts, ", ")
	}
	if e.Kept > 0 {
		res.text += "; what this machine holds was left alone"
	}
	if n := len(e.Left); n > 0 {
		res.kind = toastWarn
		res.text += "; " + number(n) + " not ended: " + clean(e.Left[0].Error())
	}
	return res
}
