package authd

import (
	"net/http"
)

func emailRoutes() []route {
	return []route{
		{method: http.MethodPut, path: "/users/{user_uuid}/emails", acl: "auth.users.{user_uuid}.emails.update", handler: (*request).replaceEmails},
		{method: http.MethodPut, path: "/admin/users/{user_uuid}/emails", acl: "auth.admin.users.{user_uuid}.emails.update", handler: (*request).replaceEmailsAdmin},
		{method: http.MethodGet, path: "/users/{user_uuid}/emails/{email_uuid}/confirm", acl: "auth.users.{user_uuid}.emails.{email_uuid}.confirm.read", handler: (*request).askConfirmation},
		{method: http.MethodGet, path: "/emails/{email_uuid}/confirm", acl: "auth.emails.{email_uuid}.confirm.update", link: true, handler: (*request).confirmByLink},
		{method: http.MethodPut, path: "/emails/{email_uuid}/confirm", acl: "auth.emails.{email_uuid}.confirm.update", handler: (*request).confirm},
	}
}

func (q *request) replaceEmails() answer      { return q.putEmails(false) }
func (q *request) replaceEmailsAdmin() answer { return q.putEmails(true) }

// putEmails replaces the whole list and answers a bare array; only an
// administrator sets confirmed. The user's tenant is not checked (contract 10).
func (q *request) putEmails(admin bool) answer {
	list, a, ok := q.emailList(admin)
	if !ok {
		return a
	}
	u := q.s.users[q.arg["user_uuid"]]
	for _, item := range list {
		if q.s.loginTaken(item.Address, u) {
			return conflict("email_address", item.Address)
		}
	}
	if u == nil {
		return unknownUser(q.arg["user_uuid"])
	}
	before := map[string]email{}
	for _, e := range u.emails {
		before[e.address] = e
	}
	for i := range list {
		item := &list[i]
		item.UUID = newUUID()
		if old, ok := before[item.Address]; ok {
			item.UUID = old.uuid
			if item.Confirmed == nil {
				item.Confirmed = old.confirmed
			}
		}
		if item.Confirmed == nil && !admin {
			item.Confirmed = false
		}
	}
	u.emails = nil
	for _, item := range list {
		confirmed, _ := item.Confirmed.(bool)
		u.emails = append(u.emails, email{item.UUID, item.Address, item.Main, confirmed})
	}
	q.s.indexNames(u)
	return reply(http.StatusOK, list)
}

// emailList reads the body; its 400 has an object for a message, and it tells all
// errors (contract 3).
func (q *request) emailList(admin bool) ([]emailItem, answer, bool) {
	if !q.bodyOK {
		return nil, notUnderstood(), false
	}
	refuse := func(fault dict) ([]emailItem, answer, bool) {
		return nil, modern(http.StatusBadRequest, "invalid-data", fault, dict{}, "emails"), false
	}
	body, ok := q.object()
	if !ok {
		return refuse(dict{{"_schema", []any{"Invalid input type."}}})
	}
	outer := &form{body: body}
	mains := 0
	seen := map[string]bool{}
	repeated := false
	list := []emailItem{}
	outer.objects("emails", func(f *form) {
		var item emailItem
		item.Address, _ = f.text("address", rule{required: true, check: emailAddress}).(string)
		if admin && f.body["confirmed"] != nil {
			item.Confirmed = f.boolean("confirmed", false, rule{})
		}
		item.Main = f.boolean("main", false, rule{})
		if item.Main {
			mains++
		}
		repeated = repeated || seen[item.Address]
		seen[item.Address] = true
		list = append(list, item)
	})
	if outer.fault != nil {
		return refuse(outer.fault)
	}
	var wrong []any
	if repeated {
		wrong = append(wrong, "The same address can only be used once")
	}
	switch {
	case mains > 1:
		wrong = append(wrong, "Only one address should be main")
	case mains == 0 && len(list) > 0:
		wrong = append(wrong, "At least one address should be main")
	}
	if wrong != nil {
		return refuse(dict{{"_schema", wrong}})
	}
	return list, answer{}, true
}

// askConfirmation mails a link; there is no mail here, so only the answer is left.
func (q *request) askConfirmation() answer {
	u := q.s.users[q.arg["user_uuid"]]
	if u == nil {
		return unknownUser(q.arg["user_uuid"])
	}
	id := q.arg["email_uuid"]
	for _, e := range u.emails {
		if e.uuid != id {
			continue
		}
		if e.confirmed {
			return modern(http.StatusConflict, "conflict", `This email already confirmed: "`+id+`"`,
				dict{{"uuid", id}}, "emails")
		}
		q.s.mail("auth.emails."+id+".confirm.edit", q.now)
		return noContent()
	}
	return unknownEmail(id)
}

func unknownEmail(id string) answer {
	return modern(http.StatusNotFound, "unknown-email", `No such email: "`+id+`"`, dict{{"uuid", id}}, "emails")
}

// confirm makes an address a login.
func (q *request) confirm() answer {
	id := q.arg["email_uuid"]
	for _, u := range q.s.users {
		for i := range u.emails {
			if u.emails[i].uuid == id {
				u.emails[i].confirmed = true
				return noContent()
			}
		}
	}
	return unknownEmail(id)
}

// confirmByLink answers a person's browser.
func (q *request) confirmByLink() answer {
	a := q.confirm()
	if a.status != http.StatusNoContent {
		return a
	}
	return answer{status: http.StatusOK, ctype: typeHTML, body: []byte("<!doctype html>\n<title>Confirmed</title>\n<p>The e-mail address is confirmed.</p>\n")}
}
