package authd

import (
	"net/http"
	"slices"
)

var identityProviders = []string{"native", "default", "saml", "ldap"}

func (q *request) listProviders() answer {
	n := len(identityProviders)
	return reply(http.StatusOK, listObject[string]{Total: n, Filtered: n, Items: identityProviders})
}

// provider checks the path's kind of identity provider.
func (q *request) provider() (string, answer, bool) {
	kind := q.arg["idp_type"]
	if !slices.Contains(identityProviders, kind) {
		return "", modern(http.StatusNotFound, "unknown-idp-type", `No such IDP type: "`+kind+`"`, dict{{"idp_type", kind}}, "idp"), false
	}
	return kind, answer{}, true
}

// providerUser finds the path's provider and user.
func (q *request) providerUser() (string, *user, answer, bool) {
	kind, a, ok := q.provider()
	if !ok {
		return "", nil, a, false
	}
	u, a, ok := q.visibleUser(q.arg["user_uuid"])
	return kind, u, a, ok
}

func (q *request) addProviderUser() answer {
	kind, u, a, ok := q.providerUser()
	if !ok {
		return a
	}
	u.method = kind
	return noContent()
}

// removeProviderUser leaves a user alone that is with another provider.
func (q *request) removeProviderUser() answer {
	kind, u, a, ok := q.providerUser()
	if !ok {
		return a
	}
	if u.method == kind {
		u.method = "default"
	}
	return noContent()
}

// addProviderUsers takes several at once, up to the first that is out of sight.
func (q *request) addProviderUsers() answer {
	kind, a, ok := q.provider()
	if !ok {
		return a
	}
	if _, a, ok := q.tenant(); !ok {
		return a
	}
	if !q.bodyOK {
		return notUnderstood()
	}
	wrong := func(fault dict) answer {
		return modern(http.StatusBadRequest, "invalid-list-param", fault, dict{}, "users")
	}
	body, ok := q.object()
	if !ok {
		return wrong(dict{{"_schema", []any{"Invalid input type."}}})
	}
	f := &form{body: body}
	var users []string
	f.objects("users", func(one *form) {
		uuid, _ := one.text("uuid", rule{required: true}).(string)
		users = append(users, uuid)
	})
	if f.fault != nil {
		return wrong(f.fault)
	}
	for _, uuid := range users {
		u, a, ok := q.visibleUser(uuid)
		if !ok {
			return a
		}
		u.method = kind
	}
	return noContent()
}
