package api

import "context"

// Tenant is a part of a stack with its own users (contract 10).
type Tenant struct {
	UUID       string
	ParentUUID string
	Name       string
	Slug       string
	Contact    string
	Phone      string
	// DefaultAuthenticationMethod is empty on stacks before 24.08.
	DefaultAuthenticationMethod string
	DomainNames                 []string
}

// Group is a group of users.
type Group struct {
	UUID          string
	Name          string
	Slug          string
	TenantUUID    string
	ReadOnly      bool
	SystemManaged bool
}

// Policy is a named list of permissions.
type Policy struct {
	UUID        string
	TenantUUID  string
	Name        string
	Slug        string
	Description string
	ACL         []string
	ReadOnly    bool
	Shared      bool
}

// Tenants lists the own tenant and those below it.
func (c *Client) Tenants(ctx context.Context, token Secret, o ListOptions) (Page[Tenant], error) {
	return Page[Tenant]{}, errNotYet
}

// Groups lists groups.
func (c *Client) Groups(ctx context.Context, token Secret, o ListOptions) (Page[Group], error) {
	return Page[Group]{}, errNotYet
}

// Policies lists policies.
func (c *Client) Policies(ctx context.Context, token Secret, o ListOptions) (Page[Policy], error) {
	return Page[Policy]{}, errNotYet
}

// Status asks whether wazo-auth is up (HEAD /status, contract 11). It needs no token; nil: yes.
func (c *Client) Status(ctx context.Context) error { return errNotYet }

// Backends lists the authentication backends (contract 11). It needs no token.
func (c *Client) Backends(ctx context.Context) ([]string, error) { return nil, errNotYet }

// IdentityProviders lists the identity providers (contract 11; stacks since 24.08).
func (c *Client) IdentityProviders(ctx context.Context, token Secret) ([]string, error) {
	return nil, errNotYet
}
