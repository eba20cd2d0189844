package authd

import (
	"strings"
	"testing"
)

const seedText = `
[[tenant]]
uuid = "11111111-1111-4111-8111-111111111111"
name = "Top"
slug = "top"
domain_names = ["b.example", "a.example"]

[[tenant]]
name = "Below"
slug = "below"
parent = "top"

[[user]]
uuid = "AAAAAAAA-0000-4000-8000-000000000001"
username = "ann"
password = "secret"
firstname = "Ann"
lastname = "Other"
tenant = "below"
purpose = "user"
enabled = true
authentication_method = "native"
emails = [{ address = "ann@a.example", main = true, confirmed = true }, { address = "ann@b.example" }]
groups = ["staff"]
acl = ["auth.users.me.read"]

[[user]]
username = "boss"
password = "secret"
tenant = "Top"
admin = true

[[user]]
username = "root"
password = "secret"
master = true
`

func TestSeed(t *testing.T) {
	seed, err := readSeed(strings.NewReader(seedText))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{}, seed)
	if err != nil {
		t.Fatal(err)
	}
	c := client{t, s}
	const ann = "aaaaaaaa-0000-4000-8000-000000000001"
	at := c.login("ANN@a.example", "secret", nil).text("data", "token")
	own := c.do("GET", "/0.1/users/"+ann, nil, "X-Auth-Token", at)
	if own.status != 200 || own.text("emails", 1, "address") != "ann@b.example" || own.at("emails", 1, "confirmed") != false {
		t.Errorf("an extra grant: %d %v", own.status, own.body)
	}
	if r := c.login("ann@b.example", "secret", nil); r.status != 401 {
		t.Errorf("an unconfirmed e-mail signs in: %d", r.status)
	}
	boss := c.login("boss", "secret", nil)
	if boss.at("data", "metadata", "admin") != true {
		t.Error("the administrator is none")
	}
	tenants := c.do("GET", "/0.1/tenants", nil, "X-Auth-Token", boss.text("data", "token"))
	if tenants.at("total") != 2.0 || tenants.text("items", 1, "domain_names", 0) != "a.example" {
		t.Errorf("tenants: %v", tenants.body)
	}
	groups := c.do("GET", "/0.1/users/"+ann+"/groups?search=staff", nil, "X-Auth-Token", boss.text("data", "token"))
	if groups.at("filtered") != 1.0 || groups.at("total") != 2.0 {
		t.Errorf("groups: %v", groups.body)
	}
	root := c.login("root", "secret", nil)
	if r := c.do("GET", "/0.1/users", nil, "X-Auth-Token", root.text("data", "token")); r.at("total") != 1.0 {
		t.Errorf("the master sees only its own tenant without recurse: %v", r.body)
	}
	if r := c.do("GET", "/0.1/users?recurse=true", nil, "X-Auth-Token", root.text("data", "token")); r.at("total") != 3.0 {
		t.Errorf("with recurse: %v", r.body)
	}
}

// TestSeedSpellings: what one may write in more ways than one.
func TestSeedSpellings(t *testing.T) {
	const (
		own  = "1ecc6e50-924c-41c9-ac28-dce313a4da6d"
		lab  = "[[tenant]]\nuuid = \"11111111-1111-4111-8111-11111111111a\"\nname = \"Lab A\"\nslug = \"laba\"\n"
		root = "[[user]]\nusername = \"root\"\npassword = \"root-demo\"\n"
	)
	for name, c := range map[string]struct {
		text   string
		master string // uuid of the master tenant; "" for any
		may    string // a scope that root has, and its tenant
		tenant string
	}{
		"no tenant at all":         {root, "", "auth.users.me.tokens.read", ""},
		"master = true":            {lab + root + "master = true\n", "", "confd.wizard.create", ""},
		"a table":                  {lab + strings.Replace(root, "[[user]]", "[master]", 1), "", "confd.wizard.create", ""},
		"everything":               {lab + root + "acl = [\"#\"]\n", "", "confd.wizard.create", ""},
		"by the word":              {lab + root + "tenant = \"master\"\nacl = [\"#\"]\n", "", "confd.wizard.create", ""},
		"a master tenant":          {"[[tenant]]\nname = \"Master\"\nuuid = \"" + own + "\"\n" + lab + "parent = \"Master\"\n" + root + "tenant = \"" + strings.ToUpper(own) + "\"\nadmin = true\n", own, "auth.tenants.read", own},
		"its own parent":           {lab + "parent_uuid = \"" + own + "\"\n[[tenant]]\nuuid = \"" + own + "\"\nname = \"Top\"\nparent = \"" + own + "\"\n" + root + "tenant = \"Top\"\n", own, "auth.users.me.tokens.read", own},
		"the only tenant":          {lab + root, "", "auth.users.me.tokens.read", "11111111-1111-4111-8111-11111111111a"},
		"below the master by word": {lab + "parent = \"master\"\n" + root + "tenant_uuid = \"11111111-1111-4111-8111-11111111111A\"\n", "", "auth.users.me.tokens.read", "11111111-1111-4111-8111-11111111111a"},
		"a stock group":            {lab + root + "groups = [\"wazo_default_admin_group\"]\n", "", "auth.users.read", "11111111-1111-4111-8111-11111111111a"},
	} {
		seed, err := readSeed(strings.NewReader(c.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		s, err := New(Config{}, seed)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.master != "" && s.master.uuid != c.master || s.master.parent != s.master.uuid {
			t.Errorf("%s: the master tenant is %s below %s", name, s.master.uuid, s.master.parent)
		}
		if a := s.tenants["11111111-1111-4111-8111-11111111111a"]; a != nil && a.parent != s.master.uuid {
			t.Errorf("%s: Lab A is below %s", name, a.parent)
		}
		r := client{t, s}.login("root", "root-demo", nil)
		if tenant := r.text("data", "metadata", "tenant_uuid"); c.tenant != "" && tenant != c.tenant || c.tenant == "" && tenant != s.master.uuid {
			t.Errorf("%s: root is in %s", name, tenant)
		}
		if r := (client{t, s}).do("HEAD", "/0.1/token/"+r.text("data", "token")+"?scope="+c.may, nil); r.status != 204 {
			t.Errorf("%s: root may not %s: %d", name, c.may, r.status)
		}
	}
}

func TestSeedMakesUpWhatIsMissing(t *testing.T) {
	seed, err := readSeed(strings.NewReader(`
[[tenant]]
name = "Société d'Exemple, Inc."
[[tenant]]
name = "Societe"
[[user]]
username = "ann"
password = "ann-demo"
tenant = "Societe"
emails = [{ address = "a@x.org", confirmed = true }, { address = "b@x.org" }]
`))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{}, seed)
	if err != nil {
		t.Fatal(err)
	}
	slugs := map[string]string{}
	for _, one := range s.tenants {
		slugs[one.name] = one.slug
		if !isUUID4(one.uuid) {
			t.Errorf("the uuid %s of %s", one.uuid, one.name)
		}
	}
	if slugs["Société d'Exemple, Inc."] != "SocitdExem" || slugs["Societe"] != "Societe" || slugs["master"] != "master" {
		t.Errorf("slugs %v", slugs)
	}
	u := s.loginOwner("a@x.org")
	if u == nil || !u.emails[0].main || u.emails[1].main || !u.enabled || u.purpose != "user" || u.method != "default" {
		t.Errorf("ann is %+v", u)
	}
}

func TestSeedRefuses(t *testing.T) {
	const tenant = "[[tenant]]\nname = \"T\"\n"
	for name, c := range map[string]struct{ text, want string }{
		"syntax":         {"[[user]\n", "line 1"},
		"type":           {"[[user]]\nenabled = \"yes\"\n", "line 2"},
		"unknown tenant": {tenant + "[[user]]\nusername = \"x\"\ntenant = \"U\"\n", `no tenant "U"`},
		"which tenant":   {tenant + "[[tenant]]\nname = \"U\"\n[[user]]\nusername = \"x\"\n", "names no tenant"},
		"login twice":    {tenant + "[[user]]\nusername = \"x\"\n[[user]]\nusername = \"X\"\n", `"X" is used twice`},
		"bad uuid":       {tenant + "[[user]]\nuuid = \"x\"\n", "not a UUID"},
		"bad purpose":    {tenant + "[[user]]\npurpose = \"x\"\n", "unknown purpose"},
		"bad method":     {tenant + "[[user]]\nauthentication_method = \"x\"\n", "unknown authentication_method"},
		"parent":         {"[[tenant]]\nname = \"T\"\nparent = \"U\"\n", `no tenant "U"`},
		"two masters":    {"[[tenant]]\nname = \"master\"\n[[tenant]]\nslug = \"master\"\n", "one master tenant"},
		"not its master": {tenant + "[[user]]\nusername = \"x\"\nmaster = true\ntenant = \"T\"\n", "of the master tenant"},
		"name twice":     {tenant + "[[tenant]]\nslug = \"T\"\n", `"T" names two tenants`},
		"no address":     {tenant + "[[user]]\nemails = [{ address = \"x\" }]\n", "no e-mail address"},
		"address twice":  {tenant + "[[user]]\nemails = [{ address = \"x@y.org\" }, { address = \"x@y.org\" }]\n", "there twice"},
		"two mains":      {tenant + "[[user]]\nemails = [{ address = \"x@y.org\", main = true }, { address = \"y@y.org\", main = true }]\n", "can be main"},
		"tenant method":  {tenant + "default_authentication_method = \"default\"\n", "use native, ldap or saml"},
		"tenant uuid":    {"[[tenant]]\nuuid = \"1\"\n", "not a UUID"},
		"circle":         {"[[tenant]]\nname = \"T\"\nparent = \"U\"\n[[tenant]]\nname = \"U\"\nparent = \"T\"\n", "below it"},
	} {
		seed, err := readSeed(strings.NewReader(c.text))
		if err == nil {
			_, err = New(Config{}, seed)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", name, err, c.want)
		}
	}
}
