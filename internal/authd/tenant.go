package authd

import (
	"cmp"
	"net/http"
	"slices"
)

func tenantRoutes() []route {
	return []route{
		{method: http.MethodGet, path: "/tenants", acl: "auth.tenants.read", handler: (*request).listTenants},
		{method: http.MethodGet, path: "/tenants/{tenant_uuid}", acl: "auth.tenants.{tenant_uuid}.read", handler: (*request).showTenant},
	}
}

type tenantObject struct {
	UUID    string   `json:"uuid"`
	Parent  string   `json:"parent_uuid"`
	Name    any      `json:"name"`
	Slug    any      `json:"slug"`
	Contact any      `json:"contact"`
	Phone   any      `json:"phone"`
	Method  string   `json:"default_authentication_method"`
	Domains []string `json:"domain_names"`
	Address dict     `json:"address"`
}

func (t *tenant) shown() tenantObject {
	domains := slices.Clone(t.domains)
	slices.Sort(domains)
	return tenantObject{
		UUID: t.uuid, Parent: t.parent, Name: orNil(t.name), Slug: orNil(t.slug),
		Method: t.method, Domains: append([]string{}, domains...), Address: emptyAddress(),
	}
}

func emptyAddress() dict {
	return dict{{"line_1", nil}, {"line_2", nil}, {"city", nil}, {"state", nil}, {"country", nil}, {"zip_code", nil}}
}

// listTenants gives the own tenant and all below, recurse or not (contract 10).
func (q *request) listTenants() answer {
	top, a, ok := q.tenant()
	if !ok {
		return a
	}
	p, bad := q.listParams(columns{order: []string{"name", "slug"}, first: "name"})
	if bad != nil {
		return *bad
	}
	var list []*tenant
	for _, t := range q.s.tenants {
		if q.s.sees(top, t.uuid) {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b *tenant) int { return cmp.Compare(a.created, b.created) })
	total := len(list)
	if q.hasNUL("search", "uuid", "name", "slug", "domain_name") {
		return internalError()
	}
	list = slices.DeleteFunc(list, func(t *tenant) bool { return !q.tenantFits(t, p) })
	filtered := len(list)
	order(list, p, func(a, b *tenant) int {
		if p.order == "slug" {
			return compareText(a.slug, b.slug)
		}
		return compareText(a.name, b.name)
	})
	items := make([]tenantObject, 0, len(list))
	for _, t := range page(list, p) {
		items = append(items, t.shown())
	}
	return reply(http.StatusOK, listObject[tenantObject]{Total: total, Filtered: filtered, Items: items})
}

func (q *request) tenantFits(t *tenant, p params) bool {
	searched := append(make([]any, 0, 2+len(t.domains)), orNil(t.name), t.slug)
	for _, domain := range t.domains {
		searched = append(searched, domain)
	}
	return p.finds(searched...) &&
		q.filters(field{"uuid", t.uuid}, field{"name", orNil(t.name)}, field{"slug", t.slug}) &&
		(q.query.Get("domain_name") == "" || slices.Contains(t.domains, q.query.Get("domain_name")))
}

func (q *request) showTenant() answer {
	top, a, ok := q.tenant()
	if !ok {
		return a
	}
	id := q.arg["tenant_uuid"]
	t := q.s.tenants[id]
	if t == nil || !q.s.sees(top, id) {
		return modern(http.StatusNotFound, "unknown-tenant", `No such tenant: "`+id+`"`, dict{{"uuid", id}}, "tenants")
	}
	return reply(http.StatusOK, t.shown())
}

// methodOf is the user's authentication method, "default" resolved.
func (s *Server) methodOf(u *user) string {
	if u.method != "default" {
		return u.method
	}
	if t := s.tenants[u.tenant]; t != nil {
		return t.method
	}
	return "native"
}

// knowsTenant finds a tenant by uuid or slug, as the deprecated tenant_id does.
func (s *Server) knowsTenant(id string) bool {
	if s.tenants[id] != nil {
		return true
	}
	for _, t := range s.tenants {
		if t.slug == id {
			return true
		}
	}
	return false
}
