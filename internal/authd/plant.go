package authd

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// plant fills a new server.
func (s *Server) plant(seed Seed) error {
	named, err := s.plantTenants(seed.Tenants)
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	users := seed.Users
	if seed.Master != nil {
		master := *seed.Master
		master.Master = true
		users = append([]SeedUser{master}, users...)
	}
	for i, in := range users {
		if err := s.plantUser(in, named); err != nil {
			return fmt.Errorf("seed: user %d (%s): %w", i+1, in.Username, err)
		}
	}
	return nil
}

// names are the tenants by uuid, name and slug.
type names map[string]*tenant

// find takes a uuid in any letter case.
func (n names) find(name string) *tenant {
	if t := n[name]; t != nil {
		return t
	}
	return n[strings.ToLower(name)]
}

func (n names) add(t *tenant, list ...string) error {
	for _, name := range list {
		switch other := n[name]; {
		case name == "" || other == t:
		case other != nil:
			return fmt.Errorf("%q names two tenants", name)
		default:
			n[name] = t
		}
	}
	return nil
}

// parent is what the seed says of a tenant's parent.
func (in SeedTenant) parent() string { return cmp.Or(in.Parent, in.ParentUUID) }

// isMaster tells whether the seed means this tenant for the master tenant.
func (in SeedTenant) isMaster() bool {
	parent := in.parent()
	if parent != "" {
		return strings.EqualFold(parent, in.UUID) || parent == in.Name || parent == in.Slug
	}
	return strings.EqualFold(in.Name, "master") || strings.EqualFold(in.Slug, "master")
}

func (s *Server) plantTenants(list []SeedTenant) (names, error) {
	named := names{}
	masters := slices.DeleteFunc(slices.Clone(list), func(in SeedTenant) bool { return !in.isMaster() })
	if len(masters) > 1 {
		return nil, fmt.Errorf("there is one master tenant, and %q and %q would both be", masters[0].Name, masters[1].Name)
	}
	master := SeedTenant{Name: "master", Slug: "master"}
	if len(masters) == 1 {
		master = masters[0]
	}
	list = slices.DeleteFunc(slices.Clone(list), SeedTenant.isMaster)
	made := make([]*tenant, len(list)+1)
	for i, in := range append([]SeedTenant{master}, list...) {
		t, err := s.newTenant(in, named)
		if err != nil {
			return nil, fmt.Errorf("tenant %q: %w", in.Name, err)
		}
		made[i] = t
	}
	for _, name := range []string{"master", s.master.name} { // an alias, where nobody else has the name
		if named[name] == nil {
			named[name] = s.master
		}
	}
	for i, in := range list {
		child, parent := made[i+1], s.master
		if name := in.parent(); name != "" {
			parent = named.find(name)
		}
		switch {
		case parent == nil:
			return nil, fmt.Errorf("tenant %q: there is no tenant %q for its parent", in.Name, in.parent())
		case s.sees(child.uuid, parent.uuid):
			return nil, fmt.Errorf("tenant %q: its parent %q is itself or below it", in.Name, in.parent())
		}
		child.parent = parent.uuid
	}
	return named, nil
}

// newTenant makes a tenant, below the master tenant for now; the first is the master
// tenant itself.
func (s *Server) newTenant(in SeedTenant, named names) (*tenant, error) {
	t := &tenant{name: in.Name, slug: in.Slug, method: cmp.Or(in.Method, "native"), domains: in.DomainNames}
	uuid, err := seedUUID(in.UUID)
	if err != nil {
		return nil, err
	}
	t.uuid = uuid
	switch t.method {
	case "native", "ldap", "saml":
	default:
		return nil, fmt.Errorf("unknown default_authentication_method %q; use native, ldap or saml", t.method)
	}
	if err := named.add(t, t.uuid, t.name, t.slug); err != nil {
		return nil, err
	}
	if t.slug == "" {
		t.slug = slugOf(t.name)
		for t.slug == "" || named[t.slug] != nil && named[t.slug] != t {
			t.slug = newUUID()[:3]
		}
		named[t.slug] = t
	}
	if s.master == nil {
		s.master = t
		s.addStock()
	}
	t.parent = s.master.uuid
	s.addTenant(t)
	return t, nil
}

var notInSlug = pattern(`[^a-zA-Z0-9_]`)

// slugOf is what the real server makes of a tenant's name.
func slugOf(name string) string {
	slug := notInSlug().ReplaceAllString(name, "")
	return slug[:min(10, len(slug))]
}

// seedUUID reads a uuid of the seed, or makes one up.
func seedUUID(text string) (string, error) {
	if text == "" {
		return newUUID(), nil
	}
	uuid, ok := bodyUUID(text)
	if !ok {
		return "", fmt.Errorf("%q is not a UUID", text)
	}
	return uuid, nil
}

// home finds a user's tenant.
func (s *Server) home(in SeedUser, named names) (*tenant, error) {
	name := cmp.Or(in.Tenant, in.TenantUUID)
	if name != "" {
		home := named.find(name)
		switch {
		case home == nil:
			return nil, fmt.Errorf("there is no tenant %q; name one of the seed's", name)
		case in.Master && home != s.master:
			return nil, fmt.Errorf("a master user is of the master tenant, not of %q", name)
		}
		return home, nil
	}
	if in.Master || len(s.tenants) == 1 || slices.Contains(in.ACL, "#") {
		return s.master, nil
	}
	if len(s.tenants) > 2 {
		return nil, errors.New("it names no tenant, and the seed has not just one; set tenant, or master = true")
	}
	for _, t := range s.tenants {
		if t != s.master {
			return t, nil
		}
	}
	return s.master, nil
}

func (s *Server) plantUser(in SeedUser, named names) error {
	home, err := s.home(in, named)
	if err != nil {
		return err
	}
	u := &user{
		tenant: home.uuid, enabled: in.Enabled == nil || *in.Enabled,
		username: orNil(in.Username), firstname: orNil(in.Firstname), lastname: orNil(in.Lastname),
		purpose: cmp.Or(in.Purpose, "user"),
	}
	if u.uuid, err = seedUUID(in.UUID); err != nil {
		return err
	}
	u.method = cmp.Or(in.AuthenticationMethod, defaultMethod(u.purpose))
	switch {
	case s.users[u.uuid] != nil:
		return fmt.Errorf("the uuid %s is used twice", u.uuid)
	case oneOf("user", "internal", "external_api")(u.purpose) != nil:
		return fmt.Errorf("unknown purpose %q; use user, internal or external_api", u.purpose)
	case !slices.Contains(identityProviders, u.method):
		return fmt.Errorf("unknown authentication_method %q; use default, native, ldap or saml", u.method)
	}
	if u.emails, err = seedEmails(in.Emails); err != nil {
		return err
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
	s.grant(u, in, home)
	return nil
}

func seedEmails(list []SeedEmail) ([]email, error) {
	var emails []email
	mains := 0
	for _, e := range list {
		if emailAddress(e.Address) != nil {
			return nil, fmt.Errorf("%q is no e-mail address", e.Address)
		}
		if slices.Contains(addresses(emails), e.Address) {
			return nil, fmt.Errorf("the e-mail address %q is there twice", e.Address)
		}
		if e.Main {
			mains++
		}
		emails = append(emails, email{uuid: newUUID(), address: e.Address, main: e.Main, confirmed: e.Confirmed})
	}
	switch {
	case mains > 1:
		return nil, errors.New("only one e-mail address can be main")
	case mains == 0 && len(emails) > 0:
		emails[0].main = true
	}
	return emails, nil
}

// grant gives a user of the seed its groups and policies.
func (s *Server) grant(u *user, in SeedUser, home *tenant) {
	if in.Admin {
		u.groups = append(u.groups, home.admins)
	}
	for _, name := range in.Groups {
		if g := s.groupNamed(home, name); !slices.Contains(u.groups, g) {
			u.groups = append(u.groups, g)
		}
	}
	if in.Master {
		u.policies = append(u.policies, s.addPolicy(&policy{
			tenant: home.uuid, name: "wazo_default_master_user_policy", slug: "wazo_default_master_user_policy",
			description: "Default Wazo policy for master user", acl: []string{"#"},
		}))
	}
	if len(in.ACL) > 0 {
		name := "seed_" + u.uuid
		u.policies = append(u.policies, s.addPolicy(&policy{tenant: home.uuid, name: name, slug: name, acl: in.ACL}))
	}
}

func (s *Server) groupNamed(t *tenant, name string) *group {
	for _, g := range s.groups {
		if g.tenant == t.uuid && (g.name == name || g.slug == name || g.uuid == name) {
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
