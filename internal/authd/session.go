package authd

import (
	"cmp"
	"net/http"
	"slices"
)

func sessionRoutes() []route {
	return []route{
		{method: http.MethodGet, path: "/sessions", acl: "auth.sessions.read", handler: (*request).listSessions},
		{method: http.MethodDelete, path: "/sessions/{session_uuid}", acl: "auth.sessions.{session_uuid}.delete", handler: (*request).deleteSession},
		{method: http.MethodGet, path: "/users/{user_uuid}/sessions", acl: "auth.users.{user_uuid}.sessions.read", handler: (*request).listUserSessions},
		{method: http.MethodDelete, path: "/users/{user_uuid}/sessions/{session_uuid}", acl: "auth.users.{user_uuid}.sessions.{session_uuid}.delete", handler: (*request).deleteUserSession},
	}
}

type sessionItem struct {
	UUID       string  `json:"uuid"`
	Mobile     bool    `json:"mobile"`
	TenantUUID string  `json:"tenant_uuid"`
	UserUUID   *string `json:"user_uuid"`
}

// sessionColumns: the real list has no ORDER BY unless mobile is asked for; here
// it is the order of creation (contract 8).
var sessionColumns = columns{order: []string{"mobile"}}

func (q *request) listSessions() answer {
	tenant, a, ok := q.tenant()
	if !ok {
		return a
	}
	p, bad := q.listParams(sessionColumns)
	if bad != nil {
		return *bad
	}
	in := q.scope(tenant, p.recurse)
	var list []*accessToken
	for _, t := range q.s.sessions {
		if in(t.tenant) {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b *accessToken) int { return cmp.Compare(a.seq, b.seq) })
	return sessionPage(list, p)
}

// listUserSessions has no "me" form; "me" in the grant covers the own uuid.
func (q *request) listUserSessions() answer {
	u, a, ok := q.visibleUser(q.arg["user_uuid"])
	if !ok {
		return a
	}
	p, bad := q.listParams(sessionColumns)
	if bad != nil {
		return *bad
	}
	return sessionPage(q.s.tokensOf(u.uuid), p)
}

func sessionPage(list []*accessToken, p params) answer {
	total := len(list)
	order(list, p, func(a, b *accessToken) int { return compareBool(a.mobile, b.mobile) })
	items := make([]sessionItem, 0, len(list))
	for _, t := range page(list, p) {
		item := sessionItem{UUID: t.session, Mobile: t.mobile, TenantUUID: t.tenant}
		if t.sessionUser != "" {
			item.UserUUID = &t.sessionUser
		}
		items = append(items, item)
	}
	return reply(http.StatusOK, listObject[sessionItem]{Total: total, Filtered: total, Items: items})
}

// deleteUserSession wants to see the path's user; whose the session is, is not
// checked (transcript session_delete_of_other_user_via_own_path).
func (q *request) deleteUserSession() answer {
	if _, a, ok := q.visibleUser(q.arg["user_uuid"]); !ok {
		return a
	}
	return q.deleteSession()
}

// deleteSession answers 204 whatever the session: unknown, gone, or in a tenant
// out of sight, where nothing happens.
func (q *request) deleteSession() answer {
	tenant, a, ok := q.tenant()
	if !ok {
		return a
	}
	t := q.s.sessions[q.arg["session_uuid"]]
	if t == nil || !q.s.sees(tenant, t.tenant) {
		return noContent()
	}
	q.s.dropToken(t)
	if q.s.faults.busDown() {
		return internalError()
	}
	return noContent()
}
