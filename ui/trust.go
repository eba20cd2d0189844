package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
	"wakey/session"
)

// newTrustDialog tells why a stack's certificate was refused. A key that nobody vouches for may
// be accepted by a person who has compared it; a key that has changed may not.
func newTrustDialog(v *signIn, r session.SignInRequest, e *api.CertError) *confirm {
	c := &confirm{f: v.f, yes: "Trust this key", no: "Back"}
	host := clean(e.Host)
	if e.Reason == api.CertChanged {
		c.heading, c.yes, c.no, c.harm = "The key of "+host+" has changed", "", "Back", true
		c.items = []confirmItem{{"expected", clean(e.Pin)}, {"shown now", clean(e.Fingerprint)}}
		c.text = []string{
			"Nothing was sent. Either the stack was set up anew, or somebody is in between.",
			"Ask whoever runs the stack. If the new key is right, pin it for each account there: wakey trust pin ACCOUNT",
		}
		c.then = func(bool) tea.Cmd { return nil }
		return c
	}
	c.heading = "Is this " + host + "?"
	c.items = []confirmItem{
		{"fingerprint", clean(e.Fingerprint)},
		{"made for", clean(orNone(strings.Join(e.Names, ", ")))},
		{"issued by", clean(orNone(e.Issuer))},
		{"valid until", e.NotAfter.Local().Format("2006-01-02")},
	}
	c.text = []string{
		certReason(e) + " Nothing was sent yet.",
		"Compare the fingerprint with whoever runs the stack. On the stack this prints it:",
		"openssl s_client -connect localhost:443 </dev/null 2>/dev/null | openssl x509 -pubkey -noout | " +
			"openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64 | tr -d =",
		"Once trusted, any other key is refused.",
	}
	c.then = func(bool) tea.Cmd {
		r.Trust.Pin = e.Fingerprint
		v.pins[r.Stack] = e.Fingerprint // a wrong password is no reason to ask again
		return v.run(r)
	}
	return c
}

func certReason(e *api.CertError) string {
	switch e.Reason {
	case api.CertExpired:
		return "Its certificate is out of date."
	case api.CertWrongHost:
		return "Its certificate was made for other names."
	case api.CertUntrusted, api.CertChanged:
	}
	return "Nobody this machine trusts vouches for its certificate; stacks usually come with one they made themselves."
}

func orNone(s string) string {
	if s == "" {
		return "not said"
	}
	return s
}
