package authd

import (
	"net/http"
	"time"
)

func passwordRoutes() []route {
	return []route{
		{method: http.MethodPut, path: "/users/{user_uuid}/password", acl: "auth.users.{user_uuid}.password.update", handler: (*request).changePassword},
		{method: http.MethodGet, path: "/users/password/reset", handler: (*request).askReset},
		{method: http.MethodPost, path: "/users/password/reset", handler: (*request).resetPassword},
	}
}

// changePassword wants the old password from everybody, and ends every session of
// the user, the caller's too; refresh tokens stay (contract 9).
func (q *request) changePassword() answer {
	f, a, ok := q.form("users")
	if !ok {
		return a
	}
	old, _ := f.text("old_password", rule{required: true, check: notEmpty}).(string)
	fresh, _ := f.text("new_password", rule{required: true, check: notEmpty}).(string)
	if f.fault != nil {
		return f.first("users")
	}
	u := q.s.users[q.arg["user_uuid"]]
	if u == nil {
		return unknownUser(q.arg["user_uuid"])
	}
	if method := q.s.methodOf(u); method == "saml" || method == "ldap" {
		return modern(http.StatusMethodNotAllowed, "password-managed-externally", "Unable to update externally managed password",
			dict{{"uuid", u.uuid}}, "users")
	}
	if u.login() == "" || !u.passwordIs(old) {
		return authenticationFailed()
	}
	u.setPassword(fresh)
	if !q.endSessions(u) {
		return internalError()
	}
	return noContent()
}

// login is what a user is known by: the username, or the main e-mail once confirmed.
func (u *user) login() string {
	if name, ok := u.username.(string); ok {
		return name
	}
	for _, e := range u.emails {
		if e.main && e.confirmed {
			return e.address
		}
	}
	return ""
}

// resetFault is the 400 of the reset routes, which keep nothing in details.
func resetFault(message any) answer {
	return modern(http.StatusBadRequest, "invalid-data", message, dict{}, "reset")
}

// resetLifetime is how long a mailed reset token works.
const resetLifetime = 48 * time.Hour

// askReset answers 204 to everybody, whether the user exists or not (contract 10).
func (q *request) askReset() answer {
	if bad := q.query.Get("email"); q.query.Has("email") && emailAddress(bad) != nil {
		return resetFault("Not a valid email address.")
	}
	var login string
	given := 0
	for _, name := range []string{"username", "email", "login"} {
		if q.query.Has(name) {
			login = q.query.Get(name)
			given++
			if !lengthOK(login, 1, 256) {
				return resetFault("Length must be between 1 and 256.")
			}
		}
	}
	if given != 1 {
		return resetFault([]any{`"username" or "email" or "login" should be used`})
	}
	if u := q.s.loginOwner(login); u != nil && u.login() != "" {
		q.s.mail("auth.users.password.reset."+u.uuid+".create", q.now)
	}
	return noContent()
}

// mail makes the token that a mailed link carries: it belongs to nobody, and its
// session lies in the master tenant (contract 4, 8).
func (s *Server) mail(acl string, now time.Time) {
	t := &accessToken{
		value: newUUID(), session: newUUID(), authID: "wazo-auth", tenant: s.master.uuid,
		issued: now, expires: now.Add(resetLifetime), expireT: now.Add(resetLifetime).Unix(),
		acl: []string{acl}, metadata: dict{}, agent: "wazo-auth-email-reset", seq: s.next(),
	}
	s.addToken(t)
}

// resetPassword sets a password without the old one for whoever holds the ACL, a
// tenant administrator included; null removes the password (contract 10).
func (q *request) resetPassword() answer {
	value := q.query.Get("token")
	if value == "" {
		value = q.http.Header.Get("X-Auth-Token")
	}
	uuid := q.query.Get("user_uuid")
	t := q.s.liveToken(value, q.now)
	if t == nil || !t.allows("auth.users.password.reset."+uuid+".create") {
		return unauthorized(value, "", "")
	}
	if !q.bodyOK {
		return notUnderstood()
	}
	body, ok := q.object()
	if !ok {
		return resetFault([]any{"Invalid input type."})
	}
	f := &form{body: body}
	password := f.text("password", rule{required: true, nullable: true, check: notEmpty})
	if f.fault != nil {
		return resetFault(f.firstProblem().get("message"))
	}
	u := q.s.users[uuid]
	if u == nil {
		return unknownUser(uuid)
	}
	if text, ok := password.(string); ok {
		u.setPassword(text)
	} else {
		u.salt, u.hash = nil, nil
	}
	if !q.endSessions(u) {
		return internalError()
	}
	return noContent()
}
