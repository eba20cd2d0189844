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
	seed, err := ReadSeed(strings.NewReader(seedText))
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
		"circle":         {"[[tenant]]\nname = \"T\"\nparent = \"U\"\n[[tenant]]\nname = \"U\"\nparent = \"T\"\n", "below it"},
	} {
		seed, err := ReadSeed(strings.NewReader(c.text))
		if err == nil {
			_, err = New(Config{}, seed)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", name, err, c.want)
		}
	}
}
