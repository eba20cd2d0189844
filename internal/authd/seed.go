package authd

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Seed is what a server holds at its start, besides the master tenant.
type Seed struct {
	Tenants []SeedTenant `toml:"tenant"`
	Users   []SeedUser   `toml:"user"`
}

// SeedTenant is a tenant. UUID is made up when empty; Parent is the uuid, name or
// slug of another tenant of the seed, empty for the master tenant.
type SeedTenant struct {
	UUID        string   `toml:"uuid"`
	Name        string   `toml:"name"`
	Slug        string   `toml:"slug"`
	Parent      string   `toml:"parent"`
	DomainNames []string `toml:"domain_names"`
}

// SeedUser is a user. UUID is made up when empty. Tenant is a tenant's uuid, name
// or slug; empty means the seed's only tenant. Without Password nobody signs in.
type SeedUser struct {
	UUID                 string      `toml:"uuid"`
	Username             string      `toml:"username"`
	Password             string      `toml:"password"`
	Firstname            string      `toml:"firstname"`
	Lastname             string      `toml:"lastname"`
	Tenant               string      `toml:"tenant"`
	Purpose              string      `toml:"purpose"`               // user (default), internal, external_api
	Enabled              *bool       `toml:"enabled"`               // default true
	AuthenticationMethod string      `toml:"authentication_method"` // default, native, ldap, saml
	Emails               []SeedEmail `toml:"emails"`
	Groups               []string    `toml:"groups"` // names; made in the tenant when missing
	Admin                bool        `toml:"admin"`  // administrator of the tenant
	Master               bool        `toml:"master"` // in the master tenant, may do everything
	ACL                  []string    `toml:"acl"`    // extra grants
}

// SeedEmail is an e-mail address of a user; a confirmed one is a login too.
type SeedEmail struct {
	Address   string `toml:"address"`
	Main      bool   `toml:"main"`
	Confirmed bool   `toml:"confirmed"`
}

// ReadSeed reads a seed in TOML. A key that it doesn't know is an error that names
// its line.
func ReadSeed(r io.Reader) (Seed, error) {
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

// plant fills a new server.
func (s *Server) plant(seed Seed) error {
	s.master = &tenant{uuid: newUUID(), name: "master", slug: "master", method: "native"}
	s.master.parent = s.master.uuid
	s.addTenant(s.master)

	named := map[string]*tenant{}
	for i, in := range seed.Tenants {
		t := &tenant{
			uuid: in.UUID, name: in.Name, slug: in.Slug, parent: s.master.uuid, method: "native",
			domains: append([]string{}, in.DomainNames...),
		}
		if t.uuid == "" {
			t.uuid = newUUID()
		}
		uuid, ok := pathUUID(t.uuid)
		if !ok {
			return fmt.Errorf("seed: tenant %d (%s): %q is not a UUID", i+1, in.Name, in.UUID)
		}
		t.uuid = uuid
		if s.tenants[t.uuid] != nil {
			return fmt.Errorf("seed: tenant %d (%s): the uuid %s is used twice", i+1, in.Name, t.uuid)
		}
		s.addTenant(t)
		for _, name := range []string{in.UUID, t.uuid, in.Name, in.Slug} {
			if name != "" {
				named[name] = t
			}
		}
	}
	for i, in := range seed.Tenants {
		if in.Parent == "" {
			continue
		}
		parent := named[in.Parent]
		if parent == nil {
			return fmt.Errorf("seed: tenant %d (%s): there is no tenant %q for its parent", i+1, in.Name, in.Parent)
		}
		for _, name := range []string{in.UUID, in.Name, in.Slug} {
			if child := named[name]; child != nil {
				if s.sees(child.uuid, parent.uuid) {
					return fmt.Errorf("seed: tenant %d (%s): its parent %q is itself or below it", i+1, in.Name, in.Parent)
				}
				child.parent = parent.uuid
				break
			}
		}
	}
	for i, in := range seed.Users {
		if err := s.plantUser(in, named, len(seed.Tenants)); err != nil {
			return fmt.Errorf("seed: user %d (%s): %w", i+1, in.Username, err)
		}
	}
	return nil
}

func (s *Server) plantUser(in SeedUser, named map[string]*tenant, tenants int) error {
	home := named[in.Tenant]
	switch {
	case in.Master:
		home = s.master
	case in.Tenant == "" && tenants == 1:
		for _, t := range named {
			home = t
		}
	case in.Tenant == "":
		return errors.New("it names no tenant, and the seed has not just one; set tenant, or master = true")
	case home == nil:
		return fmt.Errorf("there is no tenant %q; name one of the seed's", in.Tenant)
	}
	u := &user{
		uuid: in.UUID, tenant: home.uuid, enabled: in.Enabled == nil || *in.Enabled,
		username: orNil(in.Username), firstname: orNil(in.Firstname), lastname: orNil(in.Lastname),
		purpose: in.Purpose, method: in.AuthenticationMethod,
	}
	if u.uuid == "" {
		u.uuid = newUUID()
	}
	uuid, ok := pathUUID(u.uuid)
	if !ok {
		return fmt.Errorf("%q is not a UUID", u.uuid)
	}
	u.uuid = uuid
	if s.users[u.uuid] != nil {
		return fmt.Errorf("the uuid %s is used twice", u.uuid)
	}
	switch u.purpose {
	case "":
		u.purpose = "user"
	case "user", "internal", "external_api":
	default:
		return fmt.Errorf("unknown purpose %q; use user, internal or external_api", u.purpose)
	}
	switch u.method {
	case "":
		u.method = defaultMethod(u.purpose)
	case "default", "native", "ldap", "saml":
	default:
		return fmt.Errorf("unknown authentication_method %q; use default, native, ldap or saml", u.method)
	}
	for _, e := range in.Emails {
		u.emails = append(u.emails, email{uuid: newUUID(), address: e.Address, main: e.Main, confirmed: e.Confirmed})
	}
	for _, login := range append([]string{in.Username}, addresses(u.emails)...) {
		if login != "" && s.loginTaken(login, nil) {
			return fmt.Errorf("the login %q is used twice", login)
		}
	}
	if in.Password != "" {
		u.setPassword(in.Password)
	}
	s.addUser(u)
	if in.Admin {
		u.groups = append(u.groups, home.admins)
	}
	for _, name := range in.Groups {
		u.groups = append(u.groups, s.groupNamed(home, name))
	}
	if in.Master {
		u.policies = append(u.policies, s.addPolicy(&policy{
			tenant: home.uuid, name: "wazo_default_master_user_policy", slug: "wazo_default_master_user_policy",
			description: "Default Wazo policy for master user", acl: []string{"#"}, readOnly: true,
		}))
	}
	if len(in.ACL) > 0 {
		name := "seed_" + u.uuid
		u.policies = append(u.policies, s.addPolicy(&policy{tenant: home.uuid, name: name, slug: name, acl: in.ACL}))
	}
	return nil
}

func (s *Server) groupNamed(t *tenant, name string) *group {
	for _, g := range s.groups {
		if g.tenant == t.uuid && g.name == name {
			return g
		}
	}
	return s.addGroup(&group{tenant: t.uuid, name: name, slug: name})
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
