package authd

import (
	"net/http"
	"strings"
)

// The users and tenants of the recorded stack, and what happened between the
// recorded exchanges. Where the real steps are unknown, these lead to the same
// later answers.

const (
	labA, labB, labC = "11111111-1111-4111-8111-11111111111a", "22222222-2222-4222-8222-22222222222b", "33333333-3333-4333-8333-33333333333c"
	labBob           = "aaaaaaaa-0000-4000-8000-000000000001"
	labCarol         = "aaaaaaaa-0000-4000-8000-000000000002"
	labDave          = "aaaaaaaa-0000-4000-8000-000000000003"
	labLimit         = "aaaaaaaa-0000-4000-8000-000000000011"
	labNew           = "aaaaaaaa-0000-4000-8000-000000000090"
	adminToken       = "d72c06cc-1b81-4212-b770-19b35dc40c54"
	rootToken        = "4a27d1aa-05d1-4533-afcc-86e4c60c1720"
	daveToken        = "aba0958e-1111-401a-9467-9ed74a66a39f"
)

func labSeed() Seed {
	no := false
	user := func(n, username, password, mail string) SeedUser {
		u := SeedUser{UUID: "aaaaaaaa-0000-4000-8000-0000000000" + n, Username: username, Password: password, Tenant: "laba"}
		if mail != "" {
			u.Emails = []SeedEmail{{Address: mail + "@lab-a.example.com", Main: true, Confirmed: true}}
		}
		return u
	}
	ada := user("0a", "adminA", "adminA-lab", "ada")
	ada.Firstname, ada.Lastname, ada.Admin = "Ada", "Admin", true
	bob := user("01", "bob", "bobpass-lab", "bob")
	bob.Firstname, bob.Lastname = "Bob", "Tremblay"
	apibot := user("05", "apibot", "apibot-lab", "")
	apibot.Purpose = "external_api"
	svc := user("06", "svc", "svc-lab", "")
	svc.Purpose = "internal"
	disabled := user("07", "disabled", "disabled-lab", "")
	disabled.Enabled = &no
	saml := user("08", "samluser", "samluser-lab", "")
	saml.AuthenticationMethod = "saml"
	unconfirmed := user("09", "unconfirmed", "unconfirmed-lab", "unconfirmed")
	unconfirmed.Emails[0].Confirmed = false
	return Seed{
		Tenants: []SeedTenant{
			{UUID: labA, Name: "Lab A", Slug: "laba", DomainNames: []string{"lab-a.example.com"}},
			{UUID: labB, Name: "Lab B", Slug: "labb"},
			{UUID: labC, Name: "Lab C", Slug: "labc", Parent: "laba"},
		},
		Users: []SeedUser{
			{Username: "root", Password: "root-lab", Master: true},
			ada, bob, user("02", "carol", "carolpass-lab", "carol"), user("03", "dave", "davepass-lab", "dave"),
			user("04", "", "erinpass-lab", "erin"), apibot, svc, disabled, saml, unconfirmed,
			user("10", "josé", "señor-pässword", ""), user("11", "limit", "limit-lab", ""), user("12", "nopass", "", ""), user("13", "zero", "zero-lab", ""),
			{UUID: "bbbbbbbb-0000-4000-8000-000000000001", Username: "bert", Password: "bert-lab", Tenant: "labb"},
		},
	}
}

// in signs somebody in and lets the answer stand for recorded ids: of the access
// token, the session and the refresh token; empty ones are not needed.
func (p *player) in(login, password string, body map[string]any, access, session, refresh string) {
	p.t.Helper()
	r := p.login(login, password, body)
	if r.status != http.StatusOK {
		p.t.Fatalf("step %d: signing %s in: %d %v", p.done, login, r.status, r.body)
	}
	for key, id := range map[string]string{"token": access, "session_uuid": session, "refresh_token": refresh} {
		if id != "" {
			p.ids[id] = r.text("data", key)
		}
	}
}

func offline(clientID string) map[string]any {
	return map[string]any{"access_type": "offline", "client_id": clientID}
}

// must sends a request with a recorded token and wants this status.
func (p *player) must(status int, method, path, token string, body any) {
	p.t.Helper()
	if r := p.do(method, p.translate(path), body, "X-Auth-Token", p.translate(token)); r.status != status {
		p.t.Fatalf("step %d: %s %s: %d %v", p.done, method, path, r.status, r.body)
	}
}

// fill opens sessions of a user until there are n.
func (p *player) fill(user, login, password string, n int) {
	p.t.Helper()
	for p.s.Sessions(user) < n {
		p.in(login, password, nil, "", "", "")
	}
}

// steps holds what happened before the recording of this number.
var steps = map[int]func(*player){
	1: func(p *player) {
		p.in("root", "root-lab", nil, rootToken, "", "")
		p.in("adminA", "adminA-lab", nil, adminToken, "", "")
		zero := p.s.users["aaaaaaaa-0000-4000-8000-000000000013"]
		zero.policies = []*policy{p.s.addPolicy(&policy{tenant: labA, name: "lab_no_auth", slug: "lab_no_auth", acl: []string{"!auth.#"}})}
		readers := p.s.addPolicy(&policy{tenant: p.s.master.uuid, name: "lab_users_read", slug: "lab_users_read", acl: []string{"auth.users.read"}})
		p.ids["e86681f9-badb-4f9e-bfe2-81339967c36f"] = readers.uuid
	},
	58: func(p *player) { p.in("carol", "carolpass-lab", offline("laptop"), "", "", "") },
	138: func(p *player) {
		p.must(204, "DELETE", "/0.1/users/me/tokens/gone.soon", "499d904e-2e81-4299-a684-0a90136aa40b", nil)
	},
	150: func(p *player) {
		for _, id := range []string{"a b", "ü", "a?b", "50%", "a/b", "a#b", ".."} {
			p.in("carol", "carolpass-lab", offline(id), "", "", "")
		}
	},
	166: func(p *player) {
		r := p.login("carol", "carolpass-lab", offline(strings.Repeat("L", 193)))
		if r.status != http.StatusInternalServerError {
			p.t.Errorf("first sign-in with a client_id of 193 bytes: %d", r.status)
		}
	},
	169: func(p *player) { // the total tells that the long and one odd client_id were gone
		carol := p.s.users[labCarol]
		for _, id := range []string{"a#b", strings.Repeat("ü", 97)} {
			p.s.dropRefreshToken(carol.refreshTokens[id])
		}
	},
	170: func(p *player) {
		p.in("carol", "carolpass-lab", offline("logout"), "fc634068-cd4b-4a68-b8fe-75cf7458f75d", "", "d197210e-0666-4a10-8b79-6f9b40732df1")
		p.must(200, "DELETE", "/0.1/token/fc634068-cd4b-4a68-b8fe-75cf7458f75d", "", nil)
	},
	177: func(p *player) {
		p.in("carol", "carolpass-lab", nil, "0b19cc3f-ec91-4126-8305-f6420c599e89", "", "")
	},
	178: func(p *player) {
		p.in("carol", "carolpass-lab", nil, "36ae0dec-f6a7-4d54-a451-aee9123ff98f", "", "")
		t := p.s.tokens[p.ids["36ae0dec-f6a7-4d54-a451-aee9123ff98f"]]
		t.expireT = t.issued.Unix() - 1
	},
	182: func(p *player) {
		p.in("dave", "davepass-lab", nil, daveToken, "", "")
		p.in("dave", "davepass-lab", offline("s1"), "e2f7915e-6a96-4e11-bcb0-40a91bafaa89", "session-s1", "12051eb1-2ee5-44cb-98fa-c8004c98c1e9")
		p.in("dave", "davepass-lab", offline("s2"), "", "d8874a81-ca96-45c4-a0c1-b6278f0f81f2", "")
	},
	190: func(p *player) {
		p.fill(labBob, "bob", "bobpass-lab", 25)
		here := 0
		for _, t := range p.s.sessions {
			if t.tenant == labA {
				here++
			}
		}
		p.fill(labCarol, "carol", "carolpass-lab", p.s.Sessions(labCarol)+50-here)
	},
	194: func(p *player) {
		p.must(204, "DELETE", "/0.1/users/"+labDave+"/sessions/"+p.ids["session-s1"], daveToken, nil)
	},
	201: func(p *player) {
		p.in("bob", "bobpass-lab", nil, "", "efebb6d5-3af6-431c-905d-3b5a9cfdc73d", "")
	},
	202: func(p *player) {
		p.in("bert", "bert-lab", nil, "3845f198-b99d-4327-8e02-3d3b99eb4fd0", "22e487e7-6692-4765-a174-d680a3e3d921", "")
	},
	206: func(p *player) {
		p.in("dave", "davepass-lab", nil, "4c9b54b0-8179-476d-bfa8-936923561095", "2907dfca-b1fd-4907-9337-292d5c92beb3", "")
	},
	210: func(p *player) {
		r := p.do("POST", "/0.1/token", offline("phone1"),
			"Authorization", "Basic Ym9iOmJvYnBhc3MtbGFi", "Wazo-Session-Type", "Mobile")
		if r.header.Get("Wazo-Sessions-Revoked") != "2" {
			p.t.Errorf("a second mobile sign-in revoked %s sessions, want 2", r.header.Get("Wazo-Sessions-Revoked"))
		}
		p.ids["52d74e0b-db64-4dde-bf52-f73850996ef2"] = r.text("data", "refresh_token")
	},
	217: func(p *player) {
		p.in("limit", "limit-lab", offline("L"), "e8de08e3-3d04-4997-a607-8c2d2018f935", "", "7b09ae3c-7b10-4dfb-9659-f18769f00a8c")
		p.fill(labLimit, "limit", "limit-lab", 100)
	},
	286: func(p *player) {
		p.in("renamed", "newpass", offline("pw"), "df16ca3f-f65f-4c06-a28e-211ec2bb36cc", "", "4e89fd85-e102-41cc-b12f-7b55f346fab1")
	},
	312: func(p *player) {
		p.in("bob", "bobpass-lab", nil, "b788d6b4-3bdd-4c85-9d2b-c63fb2a32b18", "", "")
	},
	314: func(p *player) {
		p.in("bob", "bobpass-lab", nil, "b3f91605-7aa5-4ed2-ba8e-72a37d895a1c", "", "")
	},
	317: func(p *player) {
		p.in("renamed", "newpass2", offline("q"), "38050140-1810-4a64-ab12-0138d3357cf9", "", "666d0cf7-04ee-43b3-9ffa-d9ca67e9cf50")
	},
	318: func(p *player) { p.must(204, "DELETE", "/0.1/users/"+labNew, adminToken, nil) },
	346: func(p *player) {
		for range 40 {
			p.do("HEAD", "/api/auth/0.1/status", nil)
		}
	},
	350: func(p *player) {
		p.s.Faults().SetBusDown(true)
		if r := p.login("erin@lab-a.example.com", "erinpass-lab", offline("nobus")); r.status != http.StatusInternalServerError {
			p.t.Errorf("signing in without a bus: %d", r.status)
		}
	},
	358: func(p *player) {
		p.s.Faults().Clear()
		p.in("bob", "bobpass-lab", nil, "b549823c-e387-4a15-94ce-44ae3ba20020", "", "")
	},
}
