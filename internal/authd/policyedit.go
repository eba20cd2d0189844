package authd

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

func policyEditRoutes() []route {
	return []route{
		{method: http.MethodPost, path: "/policies", acl: "auth.policies.create", handler: (*request).createPolicy},
		{method: http.MethodPut, path: "/policies/{policy}", acl: "auth.policies.{policy}.update", handler: (*request).replacePolicy},
		{method: http.MethodDelete, path: "/policies/{policy}", acl: "auth.policies.{policy}.delete", handler: (*request).deletePolicy},
	}
}

// slugText is what a slug of a policy or a group is made of.
var slugText = pattern(`^[a-zA-Z0-9_.-]+$`)

func slugCheck(s string) any {
	if problem := upTo(80)(s); problem != nil {
		return problem
	}
	return matching(slugText)(s)
}

// matching wants a text of this form.
func matching(form func() *regexp.Regexp) func(string) any {
	return func(s string) any {
		if !form().MatchString(s) {
			return []any{dict{
				{"constraint_id", "regex"}, {"constraint", form().String()}, {"message", "String does not match expected pattern."},
			}}
		}
		return nil
	}
}

// policyBody reads what POST and PUT have in common. What is wrong is told by the
// key's name alone.
func (q *request) policyBody(tenant string) (*policy, answer, bool) {
	if !q.bodyOK {
		return nil, notUnderstood(), false
	}
	body, ok := q.object()
	f := &form{body: body}
	if !ok {
		f.wrong("_schema", nil)
	}
	name, _ := f.text("name", rule{required: true, check: upTo(80)}).(string)
	slug, _ := f.text("slug", rule{nullable: true, check: slugCheck}).(string)
	p := &policy{tenant: tenant, name: name, slug: slug, description: f.text("description", rule{nullable: true}), acl: f.texts("acl")}
	if f.fault != nil {
		return nil, legacy(http.StatusBadRequest, "Invalid value supplied for field: "+f.fault[0].key), false
	}
	a, ok := q.mayAdd(p.acl)
	return p, a, ok
}

// policyTaken finds another policy of the tenant with this name or slug.
func (q *request) policyTaken(p *policy) bool {
	for _, other := range q.s.policies {
		if other.uuid != p.uuid && (other.tenant == p.tenant || other.readOnly) && (other.name == p.name || other.slug == p.slug) {
			return true
		}
	}
	return false
}

func policyExists(p *policy) answer {
	return legacy(http.StatusConflict, `Policy "`+p.name+`" already exists`)
}

func (q *request) createPolicy() answer {
	tenant, a, ok := q.tenant()
	if !ok {
		return a
	}
	p, a, ok := q.policyBody(tenant)
	if !ok {
		return a
	}
	p.slug = cmp.Or(p.slug, notInSlug().ReplaceAllString(p.name, ""), newUUID()[:3])
	if q.policyTaken(p) {
		return policyExists(p)
	}
	return reply(http.StatusOK, q.s.shownIn(q.s.addPolicy(p), tenant))
}

// replacePolicy keeps the slug.
func (q *request) replacePolicy() answer {
	p, tenant, a, ok := q.visiblePolicy()
	if !ok {
		return a
	}
	next, a, ok := q.policyBody(tenant)
	switch {
	case !ok:
		return a
	case p.readOnly:
		return readOnlyPolicy(p)
	}
	next.uuid, next.slug, next.tenant = p.uuid, p.slug, p.tenant
	if q.policyTaken(next) {
		return policyExists(next)
	}
	p.name, p.description, p.acl = next.name, next.description, next.acl
	return reply(http.StatusOK, q.s.shownIn(p, tenant))
}

// readOnlyPolicy is the answer to who would change a stock policy.
func readOnlyPolicy(p *policy) answer {
	return legacy(http.StatusForbidden, `Forbidden policy deletion: "`+p.uuid+`"`)
}

// deletePolicy takes a policy from everybody who has it, but never a stock one
// (contract 2).
func (q *request) deletePolicy() answer {
	p, _, a, ok := q.visiblePolicy()
	switch {
	case !ok:
		return a
	case p.readOnly:
		return readOnlyPolicy(p)
	}
	same := func(one *policy) bool { return one == p }
	for _, u := range q.s.users {
		u.policies = slices.DeleteFunc(u.policies, same)
	}
	for _, g := range q.s.groups {
		g.policies = slices.DeleteFunc(g.policies, same)
	}
	delete(q.s.policies, p.uuid)
	return noContent()
}

// mayAdd refuses who would hand out an access that they do not hold; everybody may
// hand out a denial (contract 10).
func (q *request) mayAdd(acl []string) (answer, bool) {
	return q.holds(acl, func(access string) string {
		if strings.HasPrefix(access, "!") {
			return ""
		}
		return access
	})
}

// mayRemove refuses who would take away an access that they do not hold; to lift a
// denial is to hand out what it denied.
func (q *request) mayRemove(acl []string) (answer, bool) {
	return q.holds(acl, func(access string) string { return strings.TrimPrefix(access, "!") })
}

func (q *request) holds(acl []string, needed func(access string) string) (answer, bool) {
	for _, access := range acl {
		if need := needed(access); need != "" && !q.token.allows(need) {
			return modern(http.StatusUnauthorized, "unauthorized", "Unauthorized",
				dict{{"invalid_token", q.token.value}, {"required_access", access}}, ""), false
		}
	}
	return answer{}, true
}
