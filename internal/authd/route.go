package authd

import (
	"net/http"
	"slices"
	"strings"
)

// route is one path and method of the API.
type route struct {
	method  string
	path    string // template
	acl     string // required ACL with the template's names in it; "": none
	link    bool   // a mailed link leads there: the token may stand in ?token= too
	handler func(*request) answer
	parts   []string
}

// found is what the routing learned about a request besides its route.
type found struct {
	path    string   // template, "" when no path fits
	methods []string // that the path has
}

func buildRoutes() []route {
	list := slices.Concat(tokenRoutes(), refreshTokenRoutes(), sessionRoutes(),
		userRoutes(), emailRoutes(), passwordRoutes(), tenantRoutes(), policyRoutes(), policyEditRoutes(), groupRoutes(), groupEditRoutes(), serviceRoutes())
	for i := range list {
		list[i].parts = strings.Split(list[i].path, "/")[1:]
	}
	return list
}

// find picks the route. HEAD falls back to GET, as everywhere in the real server.
func (q *request) find() (*route, found) {
	var f found
	var get *route
	for i := range q.s.routes {
		rt := &q.s.routes[i]
		if !q.fits(rt.parts) {
			continue
		}
		f.path = rt.path
		f.methods = append(f.methods, rt.method)
		if rt.method == q.http.Method {
			q.bind(rt.parts)
			return rt, f
		}
		if rt.method == http.MethodGet {
			get = rt
		}
	}
	if q.http.Method == http.MethodHead && get != nil {
		q.bind(get.parts)
		return get, f
	}
	return nil, f
}

// fits compares a path with a template: {client_id} takes any text, every other
// name in braces takes a UUID.
func (q *request) fits(parts []string) bool {
	if len(parts) != len(q.path) {
		return false
	}
	for i, part := range parts {
		switch {
		case part[0] != '{':
			if part != q.path[i] {
				return false
			}
		case q.path[i] == "":
			return false
		case !textArgument[part]:
			if _, ok := pathUUID(q.path[i]); !ok {
				return false
			}
		}
	}
	return true
}

// textArgument names the arguments that are not UUIDs.
var textArgument = map[string]bool{"{client_id}": true, "{policy}": true, "{idp_type}": true}

func (q *request) bind(parts []string) {
	for i, part := range parts {
		if part[0] != '{' {
			continue
		}
		value := q.path[i]
		if uuid, ok := pathUUID(value); ok && !textArgument[part] {
			value = uuid
		}
		q.arg[strings.Trim(part, "{}")] = value
	}
}

// kind is what a request is counted as: the path's template, and for POST /token
// what it tries.
func (f found) kind(q *request) string {
	switch {
	case q.outside:
		return "(no service)"
	case f.path == "":
		return "(no route)"
	case f.path == "/token" && q.http.Method == http.MethodPost:
		if o, ok := q.body.(map[string]any); ok && o["refresh_token"] != nil {
			return "/token refresh"
		}
		return "/token password"
	}
	return f.path
}

// miss answers a request that no route takes.
func (f found) miss(q *request) answer {
	if q.outside {
		return proxyPage(http.StatusNotFound)
	}
	if f.path == "" {
		return routeNotFound()
	}
	allow := slices.Clone(f.methods)
	if slices.Contains(allow, http.MethodGet) && !slices.Contains(allow, http.MethodHead) {
		allow = append(allow, http.MethodHead)
	}
	allow = append(allow, http.MethodOptions)
	slices.Sort(allow)
	header := map[string]string{"Allow": strings.Join(allow, ", ")}
	if q.http.Method == http.MethodOptions {
		return answer{status: http.StatusOK, ctype: typeHTML, header: header}
	}
	a := bare(http.StatusMethodNotAllowed, "The method is not allowed for the requested URL.")
	a.header = header
	return a
}
