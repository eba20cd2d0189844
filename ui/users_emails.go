package ui

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
	"wakey/session"
)

// editEmails asks for a user's list of e-mails.
func (v *users) editEmails(u api.User) tea.Cmd {
	if !v.allowed("change the e-mails of "+userName(u), "auth.admin.users."+u.UUID+".emails.update") {
		return nil
	}
	return v.read(u, func(before api.User) tea.Cmd {
		v.f.push(newEmailsEdit(v, before).form)
		return nil
	})
}

// emailsEdit is the form of a list of e-mails: three fields each, and an empty one to add another.
type emailsEdit struct {
	*form

	v      *users
	before api.User
	rows   []emailFields
}

type emailFields struct{ address, main, confirmed *formField }

func newEmailsEdit(v *users, before api.User) *emailsEdit {
	e := &emailsEdit{v: v, before: before, form: &form{
		f: v.f, heading: "E-mails of " + userName(before) + " on " + hostOf(v.acc), button: "Save", doing: "Saving",
		intro: "With a confirmed address the user can sign in. An address that is emptied is taken away.",
	}}
	for _, m := range before.Emails {
		e.add(m)
	}
	e.add(api.Email{})
	e.typed = e.changedField
	e.submit = e.check
	return e
}

func (e *emailsEdit) add(m api.Email) {
	r := emailFields{
		address:   &formField{label: "Address", hint: "another address"},
		main:      &formField{isTick: true, note: "the main one", ticked: m.Main},
		confirmed: &formField{isTick: true, note: "confirmed", ticked: m.Confirmed},
	}
	r.address.in.set(m.Address)
	r.main.hidden = func() bool { return r.address.value() == "" }
	r.confirmed.hidden = r.main.hidden
	e.rows = append(e.rows, r)
	e.fields = append(e.fields, r.address, r.main, r.confirmed)
}

// changedField keeps one address main, and one empty.
func (e *emailsEdit) changedField(x *formField) {
	for _, r := range e.rows {
		if r.main != x && x.ticked && slices.ContainsFunc(e.rows, func(o emailFields) bool { return o.main == x }) {
			r.main.ticked = false
		}
	}
	if last := e.rows[len(e.rows)-1]; last.address.value() != "" {
		if !slices.ContainsFunc(e.rows, func(r emailFields) bool { return r.main.ticked && r.address.value() != "" }) {
			last.main.ticked = true
		}
		e.add(api.Email{})
	}
}

// list is what the form has, its fields named as the stack names them.
func (e *emailsEdit) list() []api.Email {
	var list []api.Email
	for _, r := range e.rows {
		r.address.name = ""
		if r.address.value() == "" {
			continue
		}
		r.address.name = "emails." + strconv.Itoa(len(list)) + ".address"
		list = append(list, api.Email{Address: r.address.value(), Main: r.main.ticked, Confirmed: r.confirmed.ticked})
	}
	return list
}

func (e *emailsEdit) check() tea.Cmd {
	list := e.list()
	if err := api.CheckEmails(list); err != nil {
		e.refused(err, nil)
		return nil
	}
	if session.EmailsText(list) == session.EmailsText(e.before.Emails) {
		e.leave()
		return e.f.say(toastInfo, "nothing was changed")
	}
	lost := session.LosesLogin(e.before.Emails, list)
	if lost == "" {
		return e.write(list)
	}
	c := &confirm{f: e.f, heading: "Change the e-mails of " + userName(e.before), yes: "Change them", no: "Back", harm: true}
	c.items = []confirmItem{{shortText(lost), "no login any more"}}
	c.text = []string{"Refresh tokens that were made by signing in with it die, on stacks before 26.07, and stay listed. The stack does not tell which" + e.f.hint("; enter on the user shows all") + "."}
	c.then = func(bool) tea.Cmd { return e.write(list) }
	e.f.push(c)
	return nil
}

func (e *emailsEdit) write(list []api.Email) tea.Cmd {
	mgr, sc, before, v := e.f.mgr, e.v.scope, e.before, e.v
	return startForm(e.form, "saving the e-mails of "+userName(before), func(ctx context.Context) ([]api.Email, error) {
		return mgr.SetUserEmails(ctx, sc.acc, before, list)
	}, func(_ []api.Email, err error) bool {
		taken, ok := errors.AsType[*api.Error](err)
		if !ok || !errors.Is(err, api.ErrConflict) {
			return false
		}
		// The stack says which login is taken, and not which of the list it is.
		aliases := map[string]string{}
		for _, r := range e.rows {
			if said := taken.Fields["email_address"].Message; r.address.name != "" && strings.Contains(strings.ToLower(said), `"`+strings.ToLower(r.address.value())+`"`) {
				aliases["email_address"] = r.address.name
			}
		}
		e.refused(err, aliases)
		return true
	}, func([]api.Email) tea.Cmd {
		return v.over(sc, result{toastGood, "changed the e-mails of " + userName(before)})
	})
}
