package authd

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
)

func refreshTokenRoutes() []route {
	return []route{
		{method: http.MethodGet, path: "/tokens", acl: "auth.tokens.read", handler: (*request).listTokens},
		{method: http.MethodGet, path: "/users/me/tokens", acl: "auth.users.me.tokens.read", handler: (*request).listOwnTokens},
		{method: http.MethodDelete, path: "/users/me/tokens/{client_id}", acl: "auth.users.me.tokens.{client_id}.delete", handler: (*request).deleteOwnRefreshToken},
		{method: http.MethodGet, path: "/users/{user_uuid}/tokens", acl: "auth.users.{user_uuid}.tokens.read", handler: (*request).listUserTokens},
		{method: http.MethodDelete, path: "/users/{user_uuid}/tokens/{client_id}", acl: "auth.users.{user_uuid}.tokens.{client_id}.delete", handler: (*request).deleteUserRefreshToken},
	}
}

// offline gives the refresh token of (user, client_id): the one there is, or a new
// one. A second login with the same client_id gets the same refresh token
// (transcript offline_same_client_id_again).
func (s *Server) offline(u *user, in ask, now time.Time) (rt *refreshToken, fresh bool) {
	if rt := u.refreshTokens[in.clientID]; rt != nil {
		return rt, false
	}
	rt = &refreshToken{
		value: newUUID(), clientID: in.clientID, login: in.login,
		user: u.uuid, tenant: u.tenant, mobile: in.mobile, created: now, seq: s.next(),
	}
	u.refreshTokens[in.clientID] = rt
	s.refreshTokens[rt.value] = rt
	return rt, true
}

// dropMobile makes room for a new mobile refresh token: the user's other mobile
// ones and the one of the same client_id go, with their sessions (contract 5).
func (s *Server) dropMobile(u *user, clientID string) (sessions int) {
	for _, rt := range u.refreshTokens {
		if !rt.mobile && rt.clientID != clientID {
			continue
		}
		for _, t := range s.tokensOf(u.uuid) {
			if t.from == rt {
				s.dropToken(t)
				sessions++
			}
		}
		s.dropRefreshToken(rt)
	}
	return sessions
}

// maxRoutingKey is what the bus takes. A refresh token's event carries the
// client_id in its routing key (contract 7.3).
const maxRoutingKey = 255

// canPublish tells whether the event of a refresh token gets out.
func (s *Server) canPublish(userUUID, clientID string) bool {
	return !s.faults.busDown() && len("auth.users."+userUUID+".tokens."+clientID+".deleted") <= maxRoutingKey
}

type refreshTokenItem struct {
	ClientID   string   `json:"client_id"`
	CreatedAt  string   `json:"created_at"`
	Mobile     bool     `json:"mobile"`
	UserUUID   string   `json:"user_uuid"`
	TenantUUID string   `json:"tenant_uuid"`
	Metadata   struct{} `json:"metadata"`
}

func (q *request) listTokens() answer {
	tenant, a, ok := q.tenant()
	if !ok {
		return a
	}
	p, bad := q.listParams(refreshTokenColumns)
	if bad != nil {
		return *bad
	}
	in := q.scope(tenant, p.recurse)
	var list []*refreshToken
	for _, rt := range q.s.refreshTokens {
		if in(rt.tenant) {
			list = append(list, rt)
		}
	}
	return q.refreshTokenPage(list, p)
}

// listOwnTokens looks in the request's tenant alone: with a sub-tenant in
// Wazo-Tenant the user does not see itself (contract 2).
func (q *request) listOwnTokens() answer { return q.tokensOfUser(q.token.authID) }

func (q *request) listUserTokens() answer { return q.tokensOfUser(q.arg["user_uuid"]) }

func (q *request) tokensOfUser(uuid string) answer {
	u, a, ok := q.visibleUser(uuid)
	if !ok {
		return a
	}
	p, bad := q.listParams(refreshTokenColumns)
	if bad != nil {
		return *bad
	}
	list := make([]*refreshToken, 0, len(u.refreshTokens))
	for _, rt := range u.refreshTokens {
		list = append(list, rt)
	}
	return q.refreshTokenPage(list, p)
}

var refreshTokenColumns = columns{order: []string{"created_at", "client_id", "mobile"}, first: "created_at"}

// refreshTokenPage filters, sorts and cuts a list (contract 7.1).
func (q *request) refreshTokenPage(list []*refreshToken, p params) answer {
	slices.SortFunc(list, func(a, b *refreshToken) int { return cmp.Compare(a.seq, b.seq) })
	total := len(list)
	if q.hasNUL("search", "client_id") {
		return internalError()
	}
	list = slices.DeleteFunc(list, func(rt *refreshToken) bool {
		return !p.finds(rt.clientID) || !q.filters(field{"client_id", rt.clientID})
	})
	if q.query.Has("mobile") {
		mobile, ok := pgBool(q.query.Get("mobile"))
		if !ok {
			return internalError() // PostgreSQL refuses the value (transcript tokens_filter_mobile_bad)
		}
		list = slices.DeleteFunc(list, func(rt *refreshToken) bool { return rt.mobile != mobile })
	}
	if q.query.Has("created_at") {
		at, ok := pgTime(q.query.Get("created_at"), q.s.cfg.Timezone)
		if !ok {
			return internalError()
		}
		list = slices.DeleteFunc(list, func(rt *refreshToken) bool { return !rt.created.Truncate(time.Microsecond).Equal(at) })
	}
	filtered := len(list)
	order(list, p, func(a, b *refreshToken) int {
		switch p.order {
		case "client_id":
			return compareText(a.clientID, b.clientID)
		case "mobile":
			return compareBool(a.mobile, b.mobile)
		}
		return a.created.Compare(b.created)
	})
	items := make([]refreshTokenItem, 0, len(list))
	for _, rt := range page(list, p) {
		items = append(items, refreshTokenItem{
			ClientID: rt.clientID, CreatedAt: isoOffset(rt.created.In(q.s.cfg.Timezone)),
			Mobile: rt.mobile, UserUUID: rt.user, TenantUUID: rt.tenant,
		})
	}
	return reply(http.StatusOK, listObject[refreshTokenItem]{Total: total, Filtered: filtered, Items: items})
}

// isoOffset is created_at: with the zone's offset, the fraction absent if it is 0.
func isoOffset(t time.Time) string { return isoLocal(t) + t.Format("-07:00") }

func (q *request) deleteOwnRefreshToken() answer { return q.deleteRefreshToken(q.token.authID) }

func (q *request) deleteUserRefreshToken() answer { return q.deleteRefreshToken(q.arg["user_uuid"]) }

// deleteRefreshToken revokes one; not idempotent (contract 7.2).
func (q *request) deleteRefreshToken(uuid string) answer {
	u, a, ok := q.visibleUser(uuid)
	if !ok {
		return a
	}
	id := q.arg["client_id"]
	if strings.ContainsRune(id, 0) {
		return internalError()
	}
	rt := u.refreshTokens[id]
	if rt == nil {
		return modern(http.StatusNotFound, "cannot-find-refresh-token-matching-client-id",
			`unknown refresh_token for client_id "`+id+`"`, dict{{"client_id", id}}, "tokens")
	}
	q.s.dropRefreshToken(rt)
	if !q.s.canPublish(u.uuid, id) {
		return internalError() // revoked all the same (contract 7.3)
	}
	return noContent()
}
