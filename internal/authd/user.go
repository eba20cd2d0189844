package authd

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

func userRoutes() []route {
	return []route{
		{method: http.MethodGet, path: "/users", acl: "auth.users.read", handler: (*request).listUsers},
		{method: http.MethodPost, path: "/users", acl: "auth.users.create", handler: (*request).createUser},
		{method: http.MethodGet, path: "/users/{user_uuid}", acl: "auth.users.{user_uuid}.read", handler: (*request).showUser},
		{method: http.MethodPut, path: "/users/{user_uuid}", acl: "auth.users.{user_uuid}.update", handler: (*request).replaceUser},
		{method: http.MethodDelete, path: "/users/{user_uuid}", acl: "auth.users.{user_uuid}.delete", handler: (*request).deleteUser},
	}
}

type userObject struct {
	Username  any         `json:"username"`
	UUID      string      `json:"uuid"`
	Enabled   bool        `json:"enabled"`
	Emails    []emailItem `json:"emails"`
	Firstname any         `json:"firstname"`
	Lastname  any         `json:"lastname"`
	Purpose   string      `json:"purpose"`
	Tenant    string      `json:"tenant_uuid"`
	Method    string      `json:"authentication_method"`
}

type emailItem struct {
	UUID      string `json:"uuid"`
	Address   string `json:"address"`
	Main      bool   `json:"main"`
	Confirmed any    `json:"confirmed"` // null only in the answer to a PUT of e-mails
}

func (u *user) shown() userObject {
	o := userObject{
		Username: u.username, UUID: u.uuid, Enabled: u.enabled, Emails: make([]emailItem, 0, len(u.emails)),
		Firstname: u.firstname, Lastname: u.lastname, Purpose: u.purpose, Tenant: u.tenant, Method: u.method,
	}
	for _, e := range u.emails {
		o.Emails = append(o.Emails, emailItem{e.uuid, e.address, e.main, e.confirmed})
	}
	return o
}

// addUser enters a user, with the group that every user of a tenant is in.
func (s *Server) addUser(u *user) {
	u.created = s.next()
	u.refreshTokens = map[string]*refreshToken{}
	u.groups = []*group{s.tenants[u.tenant].allUsers}
	s.users[u.uuid] = u
	s.indexNames(u)
}

func defaultMethod(purpose string) string {
	if purpose == "user" {
		return "default"
	}
	return "native"
}

func addresses(emails []email) []string {
	list := make([]string, len(emails))
	for i, e := range emails {
		list[i] = e.address
	}
	return list
}

var userColumns = columns{order: []string{"username", "firstname", "lastname"}, first: "username"}

// listUsers: search is over names and e-mails, the filters are exact and
// case-sensitive, enabled is none of them (contract 10).
func (q *request) listUsers() answer {
	tenant, a, ok := q.tenant()
	if !ok {
		return a
	}
	p, bad := q.listParams(userColumns)
	if bad != nil {
		return *bad
	}
	in := q.scope(tenant, p.recurse)
	var list []*user
	for _, u := range q.s.users {
		if in(u.tenant) {
			list = append(list, u)
		}
	}
	return q.userPage(list, p)
}

// userPage filters, sorts and cuts a list.
func (q *request) userPage(list []*user, p params) answer {
	slices.SortFunc(list, func(a, b *user) int { return cmp.Compare(a.created, b.created) })
	total := len(list)
	if q.hasNUL("search", "uuid", "username", "firstname", "lastname", "purpose", "email_address", "policy_slug", "has_policy_slug") {
		return internalError()
	}
	list = slices.DeleteFunc(list, func(u *user) bool { return !q.userFits(u, p) })
	filtered := len(list)
	order(list, p, func(a, b *user) int {
		switch p.order {
		case "firstname":
			return compareText(a.firstname, b.firstname)
		case "lastname":
			return compareText(a.lastname, b.lastname)
		}
		return compareText(a.username, b.username)
	})
	items := make([]userObject, 0, len(list))
	for _, u := range page(list, p) {
		items = append(items, u.shown())
	}
	return reply(http.StatusOK, listObject[userObject]{Total: total, Filtered: filtered, Items: items})
}

// userFits applies the search and the filters of the query.
func (q *request) userFits(u *user, p params) bool {
	searched := append(make([]any, 0, 3+len(u.emails)), u.firstname, u.lastname, u.username)
	for _, address := range addresses(u.emails) {
		searched = append(searched, address)
	}
	if !p.finds(searched...) || !q.filters(field{"uuid", u.uuid}, field{"username", u.username},
		field{"firstname", u.firstname}, field{"lastname", u.lastname}, field{"purpose", u.purpose}) {
		return false
	}
	if address := q.query.Get("email_address"); q.query.Has("email_address") && !slices.Contains(addresses(u.emails), address) {
		return false
	}
	if id := q.query.Get("group_uuid"); q.query.Has("group_uuid") &&
		!slices.ContainsFunc(u.groups, func(g *group) bool { return g.uuid == id }) {
		return false
	}
	all := slices.Clone(u.policies)
	for _, g := range u.groups {
		all = append(all, g.policies...)
	}
	for name, among := range map[string][]*policy{
		"policy_uuid": u.policies, "policy_slug": u.policies, "has_policy_uuid": all, "has_policy_slug": all,
	} {
		id := q.query.Get(name)
		of := func(p *policy) bool { return p.uuid == id }
		if strings.HasSuffix(name, "slug") {
			of = func(p *policy) bool { return p.slug == id }
		}
		if id != "" && !slices.ContainsFunc(among, of) { // an empty one is no filter
			return false
		}
	}
	return true
}

func (q *request) showUser() answer {
	u, a, ok := q.visibleUser(q.arg["user_uuid"])
	if !ok {
		return a
	}
	return reply(http.StatusOK, u.shown())
}

// userFields reads what POST and PUT have in common, in the order of the real
// schema: only the first error is told.
func (q *request) userFields(f *form, u *user) {
	u.username = f.text("username", rule{nullable: true, check: upTo(256)})
	u.firstname = f.text("firstname", rule{nullable: true})
	u.lastname = f.text("lastname", rule{nullable: true})
	u.purpose = "user"
	if purpose, ok := f.text("purpose", rule{check: oneOf("user", "internal", "external_api")}).(string); ok {
		u.purpose = purpose
	}
	u.method = defaultMethod(u.purpose)
	if method, ok := f.text("authentication_method", rule{}).(string); ok {
		u.method = method
	}
	u.enabled = f.boolean("enabled", true, rule{})
}

// newUserFields reads what only a new user has.
func (q *request) newUserFields(f *form, u *user) {
	u.uuid = cmp.Or(f.uuid("uuid"), newUUID())
	if password, ok := f.text("password", rule{nullable: true, check: notEmpty}).(string); ok {
		u.setPassword(password)
	}
	if address, ok := f.text("email_address", rule{nullable: true, check: emailAddress}).(string); ok {
		u.emails = []email{{uuid: newUUID(), address: address, main: true, confirmed: true}}
	}
}

// methodKnown checks what the schema leaves to the identity providers.
func methodKnown(method string) (answer, bool) {
	if slices.Contains(identityProviders, method) {
		return answer{}, true
	}
	return modern(http.StatusBadRequest, "invalid-data", "Invalid authentication method "+method,
		dict{{"authentication_method", method}}, "users"), false
}

// createUser answers 200, not 201 (contract 10).
func (q *request) createUser() answer {
	tenant, a, ok := q.tenant()
	if !ok {
		return a
	}
	f, a, ok := q.form("users")
	if !ok {
		return a
	}
	u := &user{tenant: tenant}
	q.userFields(f, u)
	q.newUserFields(f, u)
	if f.fault != nil {
		return f.first("users")
	}
	if a, ok := methodKnown(u.method); !ok {
		return a
	}
	if u.holdsNUL() {
		return internalError()
	}
	if name, ok := u.username.(string); ok && q.s.loginTaken(name, nil) {
		return conflict("username", name)
	}
	for _, e := range u.emails {
		if q.s.loginTaken(e.address, nil) {
			return conflict("email_address", e.address)
		}
	}
	if q.s.users[u.uuid] != nil {
		return modern(http.StatusConflict, "conflict", "Conflict detected", dict{{"uuid", dict{
			{"constraint_id", "unique"}, {"message", `The uuid "` + u.uuid + `" is already used`},
		}}}, "users")
	}
	q.s.addUser(u)
	return reply(http.StatusOK, u.shown())
}

// replaceUser is a full replacement with defaults: what is left out is forgotten,
// and a disabled user comes back enabled (transcript user_put_forgets_enabled).
func (q *request) replaceUser() answer {
	if _, a, ok := q.tenant(); !ok {
		return a
	}
	f, a, ok := q.form("users")
	if !ok {
		return a
	}
	var next user
	q.userFields(f, &next)
	if f.fault != nil {
		return f.first("users")
	}
	if a, ok := methodKnown(next.method); !ok {
		return a
	}
	u, a, ok := q.visibleUser(q.arg["user_uuid"])
	if !ok {
		return a
	}
	if next.holdsNUL() {
		return internalError()
	}
	if name, ok := next.username.(string); ok && q.s.loginTaken(name, u) {
		return conflict("username", name)
	}
	u.username, u.firstname, u.lastname = next.username, next.firstname, next.lastname
	u.purpose, u.method, u.enabled = next.purpose, next.method, next.enabled
	q.s.indexNames(u)
	if !u.enabled && !q.endSessions(u) {
		return internalError()
	}
	return reply(http.StatusOK, u.shown())
}

// endSessions ends all sessions of a user (since 26.04, contract 9). It tells
// whether the bus could be told.
func (q *request) endSessions(u *user) bool {
	list := q.s.tokensOf(u.uuid)
	for _, t := range list {
		q.s.dropToken(t)
	}
	return len(list) == 0 || !q.s.faults.busDown()
}

// deleteUser takes the refresh tokens along and leaves the access tokens, which
// stay valid until they expire (contract 9).
func (q *request) deleteUser() answer {
	u, a, ok := q.visibleUser(q.arg["user_uuid"])
	if !ok {
		return a
	}
	for _, rt := range u.refreshTokens {
		q.s.dropRefreshToken(rt)
	}
	for _, name := range u.names {
		delete(q.s.names, name)
	}
	delete(q.s.users, u.uuid)
	return noContent()
}

// holdsNUL finds what PostgreSQL refuses.
func (u *user) holdsNUL() bool {
	return slices.ContainsFunc([]any{u.username, u.firstname, u.lastname}, func(v any) bool {
		s, _ := v.(string)
		return strings.ContainsRune(s, 0)
	})
}
