package api

// Session is what the server lists of a session: no date, no client, no token (contract 8).
type Session struct {
	UUID       string
	Mobile     bool
	TenantUUID string
	UserUUID   string // empty for internal tokens
}
