package authd

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

// request is one exchange while it is being answered.
type request struct {
	s       *Server
	http    *http.Request
	proxied bool     // came through the nginx prefix
	outside bool     // nginx knows no service there
	path    []string // decoded segments below the version; nil without a version
	arg     map[string]string
	query   url.Values
	body    any // the JSON body, numbers as json.Number
	bodyOK  bool
	tooBig  bool // nginx refuses the body
	now     time.Time
	token   *accessToken
}

const (
	proxyPrefix = "/api/auth"
	version     = "0.1"
)

// open reads where a request wants to go.
func (s *Server) open(r *http.Request) *request {
	q := &request{s: s, http: r, arg: map[string]string{}, query: parseQuery(r.URL.RawQuery)}
	raw := r.URL.EscapedPath()
	var segments []string
	if under(raw, "/api") {
		// nginx decodes and folds the path before anything else sees it, which is
		// why some client_ids cannot be named through it (contract 7.3).
		q.proxied = true
		folded := path.Clean(r.URL.Path)
		if strings.HasSuffix(r.URL.Path, "/") || strings.HasSuffix(r.URL.Path, "/.") || strings.HasSuffix(r.URL.Path, "/..") {
			folded += "/"
		}
		rest, ok := strings.CutPrefix(folded, proxyPrefix+"/")
		if !ok {
			q.outside = true
			return q
		}
		segments = strings.Split(rest, "/")
	} else {
		// The daemon leaves an escaped slash as it came and decodes the rest.
		segments = strings.Split(strings.TrimPrefix(raw, "/"), "/")
		for i, segment := range segments {
			segments[i] = decodeSegment(segment)
		}
	}
	if segments[0] == version {
		q.path = segments[1:]
	}
	return q
}

// parseQuery reads a query as the real server does: only "&" separates, a broken
// escape stays as it is, and what is no UTF-8 is replaced.
func parseQuery(raw string) url.Values {
	values := url.Values{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name = unescapeQuery(name)
		values[name] = append(values[name], unescapeQuery(value))
	}
	return values
}

func unescapeQuery(s string) string {
	s = strings.ReplaceAll(s, "+", " ")
	if !strings.Contains(s, "%") {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if b, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				out = append(out, b...)
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return strings.ToValidUTF8(string(out), "\uFFFD")
}

func under(p, prefix string) bool { return p == prefix || strings.HasPrefix(p, prefix+"/") }

func decodeSegment(s string) string {
	parts := strings.Split(strings.ReplaceAll(s, "%2f", "%2F"), "%2F")
	for i, part := range parts {
		if decoded, err := url.PathUnescape(part); err == nil {
			parts[i] = decoded
		}
	}
	return strings.Join(parts, "%2F")
}

// authorize finds the token of X-Auth-Token, nearly always the only place it may stand
// in, and holds it against the ACL that the route asks for (contract 2).
func (q *request) authorize(rt *route) (answer, bool) {
	value := q.http.Header.Get("X-Auth-Token")
	if rt.link {
		value = cmp.Or(q.query.Get("token"), value)
	}
	required := q.fill(rt.acl)
	t := q.s.liveToken(value, q.now)
	if t == nil {
		return unauthorized(value, reasonNotFound, required), false
	}
	if !t.allows(required) {
		return unauthorized(value, reasonMissing, required), false
	}
	q.token = t
	return answer{}, true
}

// fill puts the path's arguments into an ACL, their dots made harmless.
func (q *request) fill(acl string) string {
	for name, value := range q.arg {
		acl = strings.ReplaceAll(acl, "{"+name+"}", strings.ReplaceAll(value, ".", "_"))
	}
	return acl
}

// allows tells whether a token's own ACL, frozen at its creation, covers required.
func (t *accessToken) allows(required string) bool {
	return MatchACL(t.acl, required, t.authID, t.session)
}

// liveToken finds an access token that still works; its text may be in any case.
func (s *Server) liveToken(value string, now time.Time) *accessToken {
	value, ok := pathUUID(value)
	if !ok {
		return nil
	}
	t := s.tokens[value]
	if t == nil || t.expired(now) {
		return nil
	}
	return t
}

// internalID is the auth_id of tokens that belong to nobody, such as those of mailed
// links (contract 4).
const internalID = "wazo-auth"

// tenant is the one that Wazo-Tenant names, or the token's own.
func (q *request) tenant() (string, answer, bool) {
	wanted := q.http.Header.Get("Wazo-Tenant")
	if id := q.token.authID; id != internalID && q.s.users[id] == nil {
		// The tenant is the user's, and the user is looked up for it: a token that
		// outlived its user gets no further (transcript user_deleted_token_use).
		return "", unknownUser(id), false
	}
	if wanted == "" {
		return q.token.tenant, answer{}, true
	}
	if !q.s.sees(q.token.tenant, wanted) {
		return "", unauthorizedTenant(wanted), false
	}
	return wanted, answer{}, true
}

// visibleUser is the path's user, seen from the request's tenant.
func (q *request) visibleUser(uuid string) (*user, answer, bool) {
	tenant, a, ok := q.tenant()
	if !ok {
		return nil, a, false
	}
	u := q.s.users[uuid]
	if u == nil || !q.s.sees(tenant, u.tenant) {
		return nil, unknownUser(uuid), false
	}
	return u, answer{}, true
}

// tenants is the set a list covers: the tenant, and those below it on demand.
func (q *request) scope(tenant string, recurse bool) func(string) bool {
	if recurse {
		return func(other string) bool { return q.s.sees(tenant, other) }
	}
	return func(other string) bool { return other == tenant }
}

// read takes the body before the lock is taken.
func (q *request) read() {
	if q.http.Method == http.MethodGet || q.http.Method == http.MethodHead {
		return
	}
	raw, err := readBody(q.http)
	if err != nil {
		return
	}
	q.tooBig = len(raw) > maxBody && q.proxied
	q.body, q.bodyOK = parseBody(raw)
}

// object is the body as an object; what Python counts as nothing (null, [], "", 0,
// false) counts as {} (contract 5).
func (q *request) object() (map[string]any, bool) { return asObject(q.body) }

func asObject(value any) (map[string]any, bool) {
	switch v := value.(type) {
	case nil:
		return map[string]any{}, true
	case map[string]any:
		return v, true
	case []any:
		return map[string]any{}, len(v) == 0
	case string:
		return map[string]any{}, v == ""
	case bool:
		return map[string]any{}, !v
	case json.Number:
		f, err := v.Float64()
		return map[string]any{}, err == nil && f == 0 && v != notANumber
	}
	return nil, false
}
