package api

import (
	"context"
	"errors"
)

// Tenant is a part of a stack with its own users (contract 10).
type Tenant struct {
	UUID       string
	ParentUUID string
	Name       string
	Slug       string
	Contact    string
	Phone      string
	Method     string // the default authentication_method of its users; empty on stacks before 24.08
	// DomainNames are the names by which an LDAP or SAML user finds the tenant.
	DomainNames []string
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
	return list(ctx, c, "/tenants", token, o, tenantOf)
}

// Groups lists groups.
func (c *Client) Groups(ctx context.Context, token Secret, o ListOptions) (Page[Group], error) {
	return list(ctx, c, "/groups", token, o, groupOf)
}

// Policies lists policies.
func (c *Client) Policies(ctx context.Context, token Secret, o ListOptions) (Page[Policy], error) {
	return list(ctx, c, "/policies", token, o, policyOf)
}

type wireTenant struct {
	UUID        string   `json:"uuid"`
	ParentUUID  string   `json:"parent_uuid"`
	Name        string   `json:"name"`
	Slug        string   `json:"slug"`
	Contact     string   `json:"contact"`
	Phone       string   `json:"phone"`
	Method      string   `json:"default_authentication_method"`
	DomainNames []string `json:"domain_names"`
}

type wireGroup struct {
	UUID          string `json:"uuid"`
	Name          string `json:"name"`
	Slug          string `json:"slug"`
	TenantUUID    string `json:"tenant_uuid"`
	ReadOnly      bool   `json:"read_only"`
	SystemManaged bool   `json:"system_managed"`
}

type wirePolicy struct {
	UUID        string   `json:"uuid"`
	TenantUUID  string   `json:"tenant_uuid"`
	Name        string   `json:"name"`
	Slug        string   `json:"slug"`
	Description string   `json:"description"`
	ACL         []string `json:"acl"`
	ReadOnly    bool     `json:"read_only"`
	Shared      bool     `json:"shared"`
}

func tenantOf(w wireTenant) (Tenant, error) { return Tenant(w), needUUID(w.UUID) }

func groupOf(w wireGroup) (Group, error) { return Group(w), needUUID(w.UUID) }

func policyOf(w wirePolicy) (Policy, error) { return Policy(w), needUUID(w.UUID) }

func needUUID(uuid string) error {
	if !isUUID(uuid) {
		return errors.New("it has no uuid")
	}
	return nil
}

func (t Tenant) key() string { return t.UUID }

func (g Group) key() string { return g.UUID }

func (p Policy) key() string { return p.UUID }
