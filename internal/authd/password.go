package authd

import (
	"net/http"
	"strings"
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
	if !u.passwordIs(old) {
		return authenticationFailed()
	}
	return q.putPassword(u, fresh)
}

// putPassword sets a password, but not for who has no login, nor where an identity
// provider keeps it.
func (q *request) putPassword(u *user, password string) answer {
	if u.login() == "" {
		return authenticationFailed()
	}
	if method := q.s.methodOf(u); method == "saml" || method == "ldap" {
		return modern(http.StatusMethodNotAllowed, "password-managed-externally",
			`Unable to update externally managed password for user : "`+u.uuid+`"`, dict{{"uuid", u.uuid}}, "users")
	}
	u.setPassword(password)
	return q.passwordSet(u)
}

// passwordSet ends every session of the user.
func (q *request) passwordSet(u *user) answer {
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
	var login string
	given := 0
	for _, name := range []string{"username", "email", "login"} {
		if !q.query.Has(name) {
			continue
		}
		login = q.query.Get(name)
		given++
		switch {
		case name == "email" && emailAddress(login) != nil:
			return resetFault("Not a valid email address.")
		case name != "email" && !lengthOK(login, 1, 256):
			return resetFault("Length must be between 1 and 256.")
		}
	}
	if strings.ContainsRune(login, 0) {
		return internalError()
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
		value: newUUID(), session: newUUID(), authID: internalID, tenant: s.master.uuid,
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
	uuid := "None" // as the real server writes a missing one
	if q.query.Has("user_uuid") {
		uuid = q.query.Get("user_uuid")
	}
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
		return q.putPassword(u, text)
	}
	u.salt, u.hash = nil, nil
	return q.passwordSet(u)
}
