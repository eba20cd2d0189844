package authd

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Seed is what a server holds at its start. The master tenant is made up unless the
// seed has it; Master, if any, is the master user.
type Seed struct {
	Tenants []SeedTenant `toml:"tenant"`
	Users   []SeedUser   `toml:"user"`
	Master  *SeedUser    `toml:"master"`
}

// SeedTenant is a tenant. UUID and Slug are made up when empty. Parent is the uuid,
// name or slug of another tenant; empty means the master tenant. The master tenant
// is the one that is its own parent, or that has no other and is called "master".
type SeedTenant struct {
	UUID        string   `toml:"uuid"`
	Name        string   `toml:"name"`
	Slug        string   `toml:"slug"`
	Parent      string   `toml:"parent"`
	ParentUUID  string   `toml:"parent_uuid"` // Parent, as the API calls it
	Method      string   `toml:"default_authentication_method"`
	DomainNames []string `toml:"domain_names"`
}

// SeedUser is a user. UUID is made up when empty. Tenant is a tenant's uuid, name or
// slug, or "master"; empty means the master tenant for who is granted "#", the seed's
// only tenant for others. Without Password nobody signs in.
type SeedUser struct {
	UUID                 string      `toml:"uuid"`
	Username             string      `toml:"username"`
	Password             string      `toml:"password"`
	Firstname            string      `toml:"firstname"`
	Lastname             string      `toml:"lastname"`
	Tenant               string      `toml:"tenant"`
	TenantUUID           string      `toml:"tenant_uuid"`           // Tenant, as the API calls it
	Purpose              string      `toml:"purpose"`               // user (default), internal, external_api
	Enabled              *bool       `toml:"enabled"`               // default true
	AuthenticationMethod string      `toml:"authentication_method"` // default, native, ldap, saml
	Emails               []SeedEmail `toml:"emails"`
	Groups               []string    `toml:"groups"` // names, slugs or uuids; made in the tenant when missing
	Admin                bool        `toml:"admin"`  // administrator of the tenant
	Master               bool        `toml:"master"` // in the master tenant, may do everything
	ACL                  []string    `toml:"acl"`    // extra grants
}

// SeedEmail is an e-mail address of a user; a confirmed one is a login too. Where none
// of a user's is main, the first is.
type SeedEmail struct {
	Address   string `toml:"address"`
	Main      bool   `toml:"main"`
	Confirmed bool   `toml:"confirmed"`
}

// readSeed reads a seed in TOML. A key that it doesn't know is an error that names
// its line.
func readSeed(r io.Reader) (Seed, error) {
	var seed Seed
	err := toml.NewDecoder(r).DisallowUnknownFields().Decode(&seed)
	var unknown *toml.StrictMissingError
	var wrong *toml.DecodeError
	switch {
	case err == nil:
		return seed, nil
	case errors.As(err, &unknown):
		first := unknown.Errors[0]
		row, _ := first.Position()
		return Seed{}, fmt.Errorf("seed line %d: unknown key %q; remove it or correct its name", row, strings.Join(first.Key(), "."))
	case errors.As(err, &wrong):
		row, column := wrong.Position()
		return Seed{}, fmt.Errorf("seed line %d, column %d: %w", row, column, err)
	}
	return Seed{}, fmt.Errorf("seed: %w", err)
}

// DemoSeed is the stack of the demo: one tenant, two ordinary users, and an
// administrator of the tenant.
func DemoSeed() Seed {
	person := func(uuid, username, first, last string, admin bool) SeedUser {
		return SeedUser{
			UUID: uuid, Username: username, Password: username + "-demo", Firstname: first, Lastname: last, Admin: admin,
			Emails: []SeedEmail{{Address: username + "@example.com", Main: true, Confirmed: true}},
		}
	}
	return Seed{
		Tenants: []SeedTenant{{UUID: "8e1a3c5e-0000-4000-8000-000000000001", Name: "Example", Slug: "example", DomainNames: []string{"example.com"}}},
		Users: []SeedUser{
			person("8e1a3c5e-0000-4000-8000-00000000000a", "alice", "Alice", "Archer", false),
			person("8e1a3c5e-0000-4000-8000-00000000000b", "bob", "Bob", "Baker", false),
			person("8e1a3c5e-0000-4000-8000-0000000000ad", "admin", "Ada", "Admin", true),
		},
	}
}
