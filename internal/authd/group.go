package authd

import (
	"cmp"
	"net/http"
	"slices"
)

func groupRoutes() []route {
	return []route{
		{method: http.MethodGet, path: "/groups", acl: "auth.groups.read", handler: (*request).listGroups},
		{method: http.MethodGet, path: "/users/{user_uuid}/groups", acl: "auth.users.{user_uuid}.groups.read", handler: (*request).listUserGroups},
		{method: http.MethodPut, path: "/groups/{group_uuid}/users/{user_uuid}", acl: "auth.groups.{group_uuid}.users.{user_uuid}.create", handler: (*request).addGroupUser},
		{method: http.MethodDelete, path: "/groups/{group_uuid}/users/{user_uuid}", acl: "auth.groups.{group_uuid}.users.{user_uuid}.delete", handler: (*request).removeGroupUser},
	}
}

type groupObject struct {
	UUID     string `json:"uuid"`
	Name     string `json:"name"`
	Slug     string `json:"slug"`
	Tenant   string `json:"tenant_uuid"`
	System   bool   `json:"system_managed"`
	ReadOnly bool   `json:"read_only"`
}

func (q *request) groupPage(list []*group, p params) answer {
	slices.SortFunc(list, func(a, b *group) int { return cmp.Compare(a.created, b.created) })
	total := len(list)
	list = slices.DeleteFunc(list, func(g *group) bool {
		return p.search != "" && !like(p.search, g.name) && !like(p.search, g.slug) ||
			q.query.Has("slug") && q.query.Get("slug") != g.slug ||
			q.query.Has("name") && q.query.Get("name") != g.name ||
			q.query.Has("uuid") && q.query.Get("uuid") != g.uuid
	})
	filtered := len(list)
	order(list, p, func(a, b *group) int {
		switch p.order {
		case "slug":
			return compareText(a.slug, b.slug)
		case "uuid":
			return compareText(a.uuid, b.uuid)
		case "read_only":
			return compareBool(a.system, b.system)
		}
		return compareText(a.name, b.name)
	})
	items := make([]groupObject, 0, len(list))
	for _, g := range page(list, p) {
		items = append(items, groupObject{g.uuid, g.name, g.slug, g.tenant, g.system, g.system})
	}
	return reply(http.StatusOK, listObject[groupObject]{Total: total, Filtered: filtered, Items: items})
}

func (q *request) listGroups() answer {
	tenant, a, ok := q.tenant()
	if !ok {
		return a
	}
	p, bad := q.listParams(columns{order: []string{"name", "slug", "uuid", "read_only"}, first: "name"})
	if bad != nil {
		return *bad
	}
	in := q.scope(tenant, p.recurse)
	var list []*group
	for _, g := range q.s.groups {
		if in(g.tenant) {
			list = append(list, g)
		}
	}
	return q.groupPage(list, p)
}

func (q *request) listUserGroups() answer {
	u, a, ok := q.visibleUser(q.arg["user_uuid"])
	if !ok {
		return a
	}
	p, bad := q.listParams(columns{order: []string{"name", "uuid"}, first: "name"})
	if bad != nil {
		return *bad
	}
	return q.groupPage(slices.Clone(u.groups), p)
}

// groupAndUser finds both, in one tenant, and refuses the groups that the server
// keeps itself.
func (q *request) groupAndUser() (*group, *user, answer, bool) {
	tenant, a, ok := q.tenant()
	if !ok {
		return nil, nil, a, false
	}
	id := q.arg["group_uuid"]
	g := q.s.groups[id]
	if g == nil || !q.s.sees(tenant, g.tenant) {
		return nil, nil, modern(http.StatusNotFound, "unknown-group", `No such group: "`+id+`"`, dict{{"uuid", id}}, "groups"), false
	}
	u, a, ok := q.visibleUser(q.arg["user_uuid"])
	if !ok {
		return nil, nil, a, false
	}
	if g.tenant != u.tenant {
		return nil, nil, modern(http.StatusBadRequest, "missmatching-tenant", "Ressources are not in the same tenant",
			dict{{"user_tenant_uuid", u.tenant}, {"group_tenant_uuid", g.tenant}}, "groups"), false
	}
	if g.system {
		return nil, nil, modern(http.StatusForbidden, "forbidden-group", `Forbidden group modification: "`+id+`"`, dict{{"uuid", id}}, "groups"), false
	}
	return g, u, answer{}, true
}

func (q *request) addGroupUser() answer {
	g, u, a, ok := q.groupAndUser()
	if !ok {
		return a
	}
	if !slices.Contains(u.groups, g) {
		u.groups = append(u.groups, g)
	}
	return noContent()
}

func (q *request) removeGroupUser() answer {
	g, u, a, ok := q.groupAndUser()
	if !ok {
		return a
	}
	u.groups = slices.DeleteFunc(u.groups, func(one *group) bool { return one == g })
	return noContent()
}
