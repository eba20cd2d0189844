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
		{method: http.MethodGet, path: "/groups/{group_uuid}", acl: "auth.groups.{group_uuid}.read", handler: (*request).showGroup},
		{method: http.MethodGet, path: "/groups/{group_uuid}/users", acl: "auth.groups.{group_uuid}.users.read", handler: (*request).listGroupUsers},
		{method: http.MethodGet, path: "/groups/{group_uuid}/policies", acl: "auth.groups.{group_uuid}.policies.read", handler: (*request).listGroupPolicies},
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

func (g *group) shown() groupObject {
	return groupObject{g.uuid, g.name, g.slug, g.tenant, g.system, g.system}
}

func (q *request) groupPage(list []*group, p params) answer {
	slices.SortFunc(list, func(a, b *group) int { return cmp.Compare(a.created, b.created) })
	total := len(list)
	list = slices.DeleteFunc(list, func(g *group) bool {
		return !p.finds(g.name) || !q.filters(field{"uuid", g.uuid}, field{"name", g.name}, field{"slug", g.slug})
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
		items = append(items, g.shown())
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

// visibleGroup is the path's group, seen from the request's tenant.
func (q *request) visibleGroup() (*group, answer, bool) {
	tenant, a, ok := q.tenant()
	if !ok {
		return nil, a, false
	}
	id := q.arg["group_uuid"]
	g := q.s.groups[id]
	if g == nil || !q.s.sees(tenant, g.tenant) {
		return nil, modern(http.StatusNotFound, "unknown-group", `No such group: "`+id+`"`, dict{{"uuid", id}}, "groups"), false
	}
	return g, answer{}, true
}

func (q *request) showGroup() answer {
	g, a, ok := q.visibleGroup()
	if !ok {
		return a
	}
	return reply(http.StatusOK, g.shown())
}

func (q *request) listGroupUsers() answer {
	g, a, ok := q.visibleGroup()
	if !ok {
		return a
	}
	p, bad := q.listParams(columns{order: []string{"username"}, first: "username"})
	if bad != nil {
		return *bad
	}
	var list []*user
	for _, u := range q.s.users {
		if slices.Contains(u.groups, g) {
			list = append(list, u)
		}
	}
	return q.userPage(list, p)
}

func (q *request) listGroupPolicies() answer {
	g, a, ok := q.visibleGroup()
	if !ok {
		return a
	}
	p, bad := q.listParams(columns{order: []string{"name", "description", "uuid"}, first: "name"})
	if bad != nil {
		return *bad
	}
	return q.policyList(g.policies, g.tenant, p)
}
