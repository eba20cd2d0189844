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

func (p *policy) shown() policyObject {
	return policyObject{p.uuid, p.tenant, p.name, p.slug, p.description, append([]string{}, p.acl...), p.readOnly, false}
}

var policyColumns = columns{order: []string{"name", "slug", "description", "uuid", "read_only"}, first: "name"}

// policyPage sorts and cuts; it gives back the count after the search too.
func (q *request) policyPage(list []*policy, p params) ([]policyObject, int) {
	slices.SortFunc(list, func(a, b *policy) int { return cmp.Compare(a.created, b.created) })
	list = slices.DeleteFunc(list, func(one *policy) bool {
		text, _ := one.description.(string)
		return p.search != "" && !like(p.search, one.name) && !like(p.search, one.slug) && !like(p.search, text) ||
			q.query.Has("slug") && q.query.Get("slug") != one.slug ||
			q.query.Has("name") && q.query.Get("name") != one.name ||
			q.query.Has("uuid") && q.query.Get("uuid") != one.uuid
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
		items = append(items, one.shown())
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
		if in(one.tenant) {
			list = append(list, one)
		}
	}
	items, filtered := q.policyPage(list, p)
	return reply(http.StatusOK, dict{{"items", items}, {"total", filtered}})
}

func unknownPolicy(id string) answer { return legacy(http.StatusNotFound, "No such policy "+id) }

// policyNamed finds a policy by uuid or slug.
func (q *request) policyNamed(id, tenant string) *policy {
	if uuid, ok := pathUUID(id); ok {
		return q.s.policies[uuid]
	}
	for _, p := range q.s.policies {
		if p.slug == id && (tenant == "" || p.tenant == tenant) {
			return p
		}
	}
	return nil
}

func (q *request) showPolicy() answer {
	tenant, a, ok := q.tenant()
	if !ok {
		return a
	}
	p := q.policyNamed(q.arg["policy"], tenant)
	if p == nil || !q.s.sees(tenant, p.tenant) {
		return unknownPolicy(q.arg["policy"])
	}
	return reply(http.StatusOK, p.shown())
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
		list = slices.Clone(u.policies)
	}
	total := len(list)
	items, filtered := q.policyPage(list, p)
	return reply(http.StatusOK, dict{{"items", items}, {"total", total}, {"filtered", filtered}})
}

// userAndPolicy finds both and refuses who would hand out or take away more than
// they hold themselves (contract 10).
func (q *request) userAndPolicy() (*user, *policy, answer, bool) {
	u := q.s.users[q.arg["user_uuid"]]
	if u == nil {
		return nil, nil, unknownUser(q.arg["user_uuid"]), false
	}
	p := q.policyNamed(q.arg["policy"], u.tenant)
	if p == nil {
		return nil, nil, unknownPolicy(q.arg["policy"]), false
	}
	for _, access := range p.acl {
		if !q.token.allows(access) {
			return nil, nil, modern(http.StatusUnauthorized, "unauthorized", "Unauthorized",
				dict{{"invalid_token", q.token.value}, {"required_access", access}}, ""), false
		}
	}
	return u, p, answer{}, true
}

func (q *request) addUserPolicy() answer {
	u, p, a, ok := q.userAndPolicy()
	if !ok {
		return a
	}
	if !slices.Contains(u.policies, p) {
		u.policies = append(u.policies, p)
	}
	return noContent()
}

func (q *request) removeUserPolicy() answer {
	u, p, a, ok := q.userAndPolicy()
	if !ok {
		return a
	}
	u.policies = slices.DeleteFunc(u.policies, func(one *policy) bool { return one == p })
	return noContent()
}
