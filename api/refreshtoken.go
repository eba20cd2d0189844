package api

import "time"

// RefreshToken is what the server lists of a refresh token: never its value (contract 7.1).
type RefreshToken struct {
	ClientID   string
	CreatedAt  time.Time
	Mobile     bool
	UserUUID   string
	TenantUUID string
}

// Page is one page of a list. Total ignores search and filters, Filtered honours them.
type Page[T any] struct {
	Items    []T
	Total    int
	Filtered int
}

// ListOptions are the parameters common to lists. The zero value asks for everything in the
// server's own order.
type ListOptions struct {
	Limit   int // 0: no limit is sent
	Offset  int
	Order   string // a column the endpoint knows
	Desc    bool
	Search  string
	Recurse bool   // sub-tenants too, where the endpoint has it
	Tenant  string // Wazo-Tenant header
}
