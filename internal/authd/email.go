package authd

import (
	"net/http"
	"strings"
)

func emailRoutes() []route {
	return []route{
		{method: http.MethodPut, path: "/users/{user_uuid}/emails", acl: "auth.users.{user_uuid}.emails.update", handler: (*request).replaceEmails},
		{method: http.MethodPut, path: "/admin/users/{user_uuid}/emails", acl: "auth.admin.users.{user_uuid}.emails.update", handler: (*request).replaceEmailsAdmin},
		{method: http.MethodGet, path: "/users/{user_uuid}/emails/{email_uuid}/confirm", acl: "auth.users.{user_uuid}.emails.{email_uuid}.confirm.read", handler: (*request).confirmEmail},
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
	if u == nil {
		return unknownUser(q.arg["user_uuid"])
	}
	before := map[string]email{}
	for _, e := range u.emails {
		before[e.address] = e
	}
	for i := range list {
		item := &list[i]
		if q.s.loginTaken(item.Address, u) {
			return conflict("email_address", item.Address)
		}
		item.UUID = newUUID()
		if old, ok := before[item.Address]; ok {
			item.UUID = old.uuid
			if item.Confirmed == nil {
				item.Confirmed = old.confirmed
			}
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
	if outer.missing("emails", rule{required: true}) {
		return refuse(outer.fault)
	}
	raw, ok := body["emails"].([]any)
	if !ok {
		return refuse(dict{{"emails", errType("Invalid type.", "dict")}})
	}
	list := make([]emailItem, 0, len(raw))
	var faults dict
	mains := 0
	seen := map[string]bool{}
	repeated := false
	for i, one := range raw {
		entry, ok := one.(map[string]any)
		if !ok {
			faults = append(faults, field{itoa(i), dict{{"_schema", []any{"Invalid input type."}}}})
			continue
		}
		f := &form{body: entry}
		var item emailItem
		item.Address, _ = f.text("address", rule{required: true, check: emailAddress}).(string)
		if admin && f.has("confirmed") && entry["confirmed"] != nil {
			item.Confirmed = f.boolean("confirmed", false, rule{})
		}
		item.Main = f.boolean("main", false, rule{})
		if f.fault != nil {
			faults = append(faults, field{itoa(i), f.fault})
		}
		if item.Main {
			mains++
		}
		repeated = repeated || seen[item.Address]
		seen[item.Address] = true
		list = append(list, item)
	}
	if faults != nil {
		return refuse(dict{{"emails", faults}})
	}
	var wrong []any
	switch {
	case mains > 1:
		wrong = append(wrong, "Only one address should be main")
	case mains == 0 && len(list) > 0:
		wrong = append(wrong, "At least one address should be main")
	}
	if repeated {
		wrong = append(wrong, "The same address can only be used once")
	}
	if wrong != nil {
		return refuse(dict{{"_schema", wrong}})
	}
	return list, answer{}, true
}

// confirmEmail mails a link; there is no mail here, so only the answer is left.
func (q *request) confirmEmail() answer {
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
			return modern(http.StatusConflict, "email-already-confirmed", `This email has already been confirmed: "`+id+`"`,
				dict{{"uuid", id}}, "emails")
		}
		q.s.mail("auth.emails."+strings.ReplaceAll(id, ".", "_")+".confirm.edit", q.now)
		return noContent()
	}
	return modern(http.StatusNotFound, "unknown-email", `No such email: "`+id+`"`, dict{{"uuid", id}}, "emails")
}
