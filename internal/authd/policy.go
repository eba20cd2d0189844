package authd

import (
	"cmp"
	"net/http"
	"slices"
)

func policyRoutes() []route {
	return []route{
		{method: http.MethodGet, path: "/policies", acl: "auth.policies.read", handler: (*request).listPolicies},
		{method: http.MethodGet, path: "/policies/{policy}", acl: "auth.policies.{policy}.read", handler: (*request).showPolicy},
		{method: http.MethodGet, path: "/users/{user_uuid}/policies", acl: "auth.users.{user_uuid}.policies.read", handler: (*request).listUserPolicies},
		{method: http.MethodPut, path: "/users/{user_uuid}/policies/{policy}", acl: "auth.users.{user_uuid}.policies.{policy}.create", handler: (*request).addUserPolicy},
		{method: http.MethodDelete, path: "/users/{user_uuid}/policies/{policy}", acl: "auth.users.{user_uuid}.policies.{policy}.delete", handler: (*request).removeUserPolicy},
	}
}

type policyObject struct {
	UUID        string   `json:"uuid"`
	Tenant      string   `json:"tenant_uuid"`
	Name        string   `json:"name"`
	Slug        string   `json:"slug"`
	Description any      `json:"description"`
	ACL         []string `json:"acl"`
	ReadOnly    bool     `json:"read_only"`
	Shared      bool     `json:"shared"`
}

// shownIn is a policy as it is answered in a tenant: a stock one passes for the
// tenant's own, wherever it is out of sight (transcript policies_list).
func (s *Server) shownIn(p *policy, tenant string) policyObject {
	owner := p.tenant
	if p.readOnly && !s.sees(tenant, owner) {
		owner = tenant
	}
	return policyObject{p.uuid, owner, p.name, p.slug, p.description, append([]string{}, p.acl...), p.readOnly, false}
}

var policyColumns = columns{order: []string{"name", "slug", "description", "uuid", "read_only"}, first: "name"}

// policyPage filters, sorts and cuts; it gives back the count after the filters too.
func (q *request) policyPage(list []*policy, tenant string, p params) ([]policyObject, int) {
	slices.SortFunc(list, func(a, b *policy) int { return cmp.Compare(a.created, b.created) })
	list = slices.DeleteFunc(list, func(one *policy) bool {
		return !p.finds(one.name, one.description) ||
			!q.filters(field{"uuid", one.uuid}, field{"name", one.name}, field{"slug", one.slug}, field{"tenant_uuid", one.tenant})
	})
	filtered := len(list)
	order(list, p, func(a, b *policy) int {
		switch p.order {
		case "slug":
			return compareText(a.slug, b.slug)
		case "description":
			return compareText(a.description, b.description)
		case "uuid":
			return compareText(a.uuid, b.uuid)
		case "read_only":
			return compareBool(a.readOnly, b.readOnly)
		}
		return compareText(a.name, b.name)
	})
	items := make([]policyObject, 0, len(list))
	for _, one := range page(list, p) {
		items = append(items, q.s.shownIn(one, tenant))
	}
	return items, filtered
}

// listPolicies has no "filtered" (transcript policies_list).
func (q *request) listPolicies() answer {
	tenant, a, ok := q.tenant()
	if !ok {
		return a
	}
	p, bad := q.listParams(policyColumns)
	if bad != nil {
		return *bad
	}
	in := q.scope(tenant, p.recurse)
	var list []*policy
	for _, one := range q.s.policies {
		if in(one.tenant) || one.readOnly {
			list = append(list, one)
		}
	}
	total := len(list)
	items, _ := q.policyPage(list, tenant, p)
	return reply(http.StatusOK, dict{{"items", items}, {"total", total}})
}

// unknownPolicy tells what was looked for the way Python prints it.
func unknownPolicy(key, id string) answer {
	return legacy(http.StatusNotFound, "No such policy "+pyRepr(dict{{key, id}}))
}

// pathPolicy finds the path's policy by uuid, or by a slug of the tenant.
func (q *request) pathPolicy(tenant string) (*policy, answer, bool) {
	id := q.arg["policy"]
	if uuid, ok := pathUUID(id); ok {
		p := q.s.policies[uuid]
		return p, unknownPolicy("uuid", uuid), p != nil
	}
	for _, p := range q.s.policies {
		if p.slug == id && (p.tenant == tenant || p.readOnly) {
			return p, answer{}, true
		}
	}
	return nil, unknownPolicy("slug", id), false
}

// visiblePolicy is the path's policy, seen from the request's tenant.
func (q *request) visiblePolicy() (*policy, string, answer, bool) {
	tenant, a, ok := q.tenant()
	if !ok {
		return nil, "", a, false
	}
	p, a, ok := q.pathPolicy(tenant)
	if ok && !p.readOnly && !q.s.sees(tenant, p.tenant) {
		return nil, "", unknownPolicy("uuid", p.uuid), false
	}
	return p, tenant, a, ok
}

func (q *request) showPolicy() answer {
	p, tenant, a, ok := q.visiblePolicy()
	if !ok {
		return a
	}
	return reply(http.StatusOK, q.s.shownIn(p, tenant))
}

// listUserPolicies gives an empty list for a user that is unknown or out of sight
// (contract 10).
func (q *request) listUserPolicies() answer {
	p, bad := q.listParams(columns{order: []string{"name", "description", "uuid"}, first: "name"})
	if bad != nil {
		return *bad
	}
	tenant, a, ok := q.tenant()
	if !ok {
		return a
	}
	var list []*policy
	if u := q.s.users[q.arg["user_uuid"]]; u != nil && q.s.sees(tenant, u.tenant) {
		list = u.policies
	}
	return q.policyList(list, tenant, p)
}

// policyList is the list of somebody's policies.
func (q *request) policyList(list []*policy, tenant string, p params) answer {
	items, filtered := q.policyPage(slices.Clone(list), tenant, p)
	return reply(http.StatusOK, dict{{"items", items}, {"total", len(list)}, {"filtered", filtered}})
}

// addUserPolicy and removeUserPolicy don't care for the user's tenant.
func (q *request) addUserPolicy() answer {
	u, p, a, ok := q.userAndPolicy(q.mayAdd)
	if !ok {
		return a
	}
	if !slices.Contains(u.policies, p) {
		u.policies = append(u.policies, p)
	}
	return noContent()
}

func (q *request) removeUserPolicy() answer {
	u, p, a, ok := q.userAndPolicy(q.mayRemove)
	if !ok {
		return a
	}
	u.policies = slices.DeleteFunc(u.policies, func(one *policy) bool { return one == p })
	return noContent()
}

func (q *request) userAndPolicy(may func(acl []string) (answer, bool)) (*user, *policy, answer, bool) {
	p, a, ok := q.allowedPolicy(may)
	if !ok {
		return nil, nil, a, false
	}
	u := q.s.users[q.arg["user_uuid"]]
	return u, p, unknownUser(q.arg["user_uuid"]), u != nil
}

// allowedPolicy is the path's policy, if may says so of what it grants.
func (q *request) allowedPolicy(may func(acl []string) (answer, bool)) (*policy, answer, bool) {
	tenant, a, ok := q.tenant()
	if !ok {
		return nil, a, false
	}
	p, a, ok := q.pathPolicy(tenant)
	if !ok {
		return nil, a, false
	}
	a, ok = may(p.acl)
	return p, a, ok
}
