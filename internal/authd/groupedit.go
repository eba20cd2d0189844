package authd

import (
	"cmp"
	"net/http"
	"slices"
)

func groupEditRoutes() []route {
	return []route{
		{method: http.MethodPost, path: "/groups", acl: "auth.groups.create", handler: (*request).createGroup},
		{method: http.MethodPut, path: "/groups/{group_uuid}", acl: "auth.groups.{group_uuid}.update", handler: (*request).renameGroup},
		{method: http.MethodDelete, path: "/groups/{group_uuid}", acl: "auth.groups.{group_uuid}.delete", handler: (*request).deleteGroup},
		{method: http.MethodPut, path: "/groups/{group_uuid}/users/{user_uuid}", acl: "auth.groups.{group_uuid}.users.{user_uuid}.create", handler: (*request).addGroupUser},
		{method: http.MethodDelete, path: "/groups/{group_uuid}/users/{user_uuid}", acl: "auth.groups.{group_uuid}.users.{user_uuid}.delete", handler: (*request).removeGroupUser},
		{method: http.MethodPut, path: "/groups/{group_uuid}/policies/{policy}", acl: "auth.groups.{group_uuid}.policies.{policy}.create", handler: (*request).addGroupPolicy},
		{method: http.MethodDelete, path: "/groups/{group_uuid}/policies/{policy}", acl: "auth.groups.{group_uuid}.policies.{policy}.delete", handler: (*request).removeGroupPolicy},
	}
}

// groupBody reads a group's name and slug.
func (q *request) groupBody() (name, slug string, a answer, ok bool) {
	f, a, ok := q.form("groups")
	if !ok {
		return "", "", a, false
	}
	name, _ = f.text("name", rule{required: true, check: upTo(128)}).(string)
	slug, _ = f.text("slug", rule{nullable: true, check: slugCheck}).(string)
	if f.fault != nil {
		return "", "", f.first("groups"), false
	}
	return name, slug, answer{}, true
}

// groupTaken finds another group of the tenant with this name or slug.
func (q *request) groupTaken(g *group) (answer, bool) {
	for _, other := range q.s.groups {
		if other.uuid != g.uuid && other.tenant == g.tenant && (other.name == g.name || other.slug == g.slug) {
			return legacy(http.StatusConflict, `Group "`+g.name+`" already exists`), true
		}
	}
	return answer{}, false
}

func (q *request) createGroup() answer {
	name, slug, a, ok := q.groupBody()
	if !ok {
		return a
	}
	tenant, a, ok := q.tenant()
	if !ok {
		return a
	}
	g := &group{tenant: tenant, name: name, slug: cmp.Or(slug, notInSlug().ReplaceAllString(name, ""), newUUID()[:3])}
	if a, taken := q.groupTaken(g); taken {
		return a
	}
	return reply(http.StatusOK, q.s.addGroup(g).shown())
}

// openGroup is the path's group, if it may be changed.
func (q *request) openGroup() (*group, answer, bool) {
	g, a, ok := q.visibleGroup()
	if !ok {
		return nil, a, false
	}
	a, ok = g.open()
	return g, a, ok
}

// renameGroup keeps the slug.
func (q *request) renameGroup() answer {
	g, a, ok := q.openGroup()
	if !ok {
		return a
	}
	name, _, a, ok := q.groupBody()
	if !ok {
		return a
	}
	if a, taken := q.groupTaken(&group{uuid: g.uuid, tenant: g.tenant, name: name, slug: g.slug}); taken {
		return a
	}
	g.name = name
	return reply(http.StatusOK, g.shown())
}

func (q *request) deleteGroup() answer {
	g, a, ok := q.openGroup()
	if !ok {
		return a
	}
	for _, u := range q.s.users {
		u.groups = slices.DeleteFunc(u.groups, func(one *group) bool { return one == g })
	}
	delete(q.s.groups, g.uuid)
	return noContent()
}

// takes tells whether a user can come into the group or leave it: both are of one
// tenant, and it is none that the server keeps itself.
func (g *group) takes(u *user) (answer, bool) {
	if g.tenant != u.tenant {
		return modern(http.StatusBadRequest, "missmatching-tenant", "Ressources are not in the same tenant",
			dict{{"user_tenant_uuid", u.tenant}, {"group_tenant_uuid", g.tenant}}, "groups"), false
	}
	return g.open()
}

// open refuses the groups that the server keeps itself.
func (g *group) open() (answer, bool) {
	return modern(http.StatusForbidden, "forbidden-group", `Forbidden group modification: "`+g.uuid+`"`,
		dict{{"uuid", g.uuid}}, "groups"), !g.system
}

func (q *request) addGroupUser() answer {
	u, a, ok := q.visibleUser(q.arg["user_uuid"])
	if !ok {
		return a
	}
	g, a, ok := q.visibleGroup()
	if !ok {
		return a
	}
	if a, ok := g.takes(u); !ok {
		return a
	}
	if !slices.Contains(u.groups, g) {
		u.groups = append(u.groups, g)
	}
	return noContent()
}

func (q *request) removeGroupUser() answer {
	g, a, ok := q.visibleGroup()
	if !ok {
		return a
	}
	u, a, ok := q.visibleUser(q.arg["user_uuid"])
	if !ok {
		return a
	}
	if a, ok := g.takes(u); !ok {
		return a
	}
	u.groups = slices.DeleteFunc(u.groups, func(one *group) bool { return one == g })
	return noContent()
}

func (q *request) addGroupPolicy() answer {
	g, p, a, ok := q.groupAndPolicy(q.mayAdd)
	if !ok {
		return a
	}
	if !slices.Contains(g.policies, p) {
		g.policies = append(g.policies, p)
	}
	return noContent()
}

func (q *request) removeGroupPolicy() answer {
	g, p, a, ok := q.groupAndPolicy(q.mayRemove)
	if !ok {
		return a
	}
	g.policies = slices.DeleteFunc(g.policies, func(one *policy) bool { return one == p })
	return noContent()
}

func (q *request) groupAndPolicy(may func(acl []string) (answer, bool)) (*group, *policy, answer, bool) {
	g, a, ok := q.openGroup()
	if !ok {
		return nil, nil, a, false
	}
	p, a, ok := q.allowedPolicy(may)
	return g, p, a, ok
}
