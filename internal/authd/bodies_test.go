package authd

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// asJSON writes a text or a list of texts as JSON.
func asJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// wants compares status and body with what the real server answers; the clock's part
// is left out.
func (r result) wants(t *testing.T, what string, status int, text string) {
	t.Helper()
	var want any
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		t.Fatalf("%s: %v in %s", what, err, text)
	}
	got := r.body
	if o, ok := got.(map[string]any); ok {
		delete(o, "timestamp")
	}
	if r.status != status || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %d %s\n  want %d %s", what, r.status, asJSON(t, got), status, text)
	}
}

const (
	notNull   = `{"message": "Field may not be null.", "constraint_id": "not_null", "constraint": "not_null"}`
	noString  = `{"message": "Not a valid string.", "constraint_id": "type", "constraint": "string"}`
	noInteger = `{"message": "Not a valid integer.", "constraint_id": "type", "constraint": "integer"}`
	noBoolean = `{"message": "Not a valid boolean.", "constraint_id": "type", "constraint": "boolean"}`
	noUUID    = `{"message": "Not a valid UUID.", "constraint_id": "type", "constraint": "uuid"}`
	noEmail   = `{"message": "Not a valid email address.", "constraint_id": "type", "constraint": "email"}`
	missing   = `{"message": "Missing data for required field.", "constraint_id": "required", "constraint": "required"}`
	negative  = `[{"constraint_id": "range", "constraint": {"min": 0}, "message": "Must be greater than or equal to 0."}]`
	badJSON   = `{"message": "The browser (or proxy) sent a request that this server could not understand."}`
)

func TestListParametersOfEveryList(t *testing.T) {
	_, c := newServer(t, Config{})
	admin := c.token("admin")
	for path, orders := range map[string]string{
		"/tokens":                       "created_at, client_id, mobile",
		"/users/me/tokens":              "created_at, client_id, mobile",
		"/users/" + alice + "/tokens":   "created_at, client_id, mobile",
		"/sessions":                     "mobile",
		"/users/" + alice + "/sessions": "mobile",
		"/users":                        "username, firstname, lastname",
		"/tenants":                      "name, slug",
		"/groups":                       "name, slug, uuid, read_only",
		"/policies":                     "name, slug, description, uuid, read_only",
		"/users/" + alice + "/groups":   "name, uuid",
		"/users/" + alice + "/policies": "name, description, uuid",
	} {
		choices := strings.Split(orders, ", ")
		badOrder := `{"order": [{"constraint_id": "enum", "constraint": {"choices": ` + asJSON(t, choices) + `}, "message": "Must be one of: ` + orders + `."}]}`
		for query, message := range map[string]string{
			"limit=-1": `{"limit": ` + negative + `}`, "limit=abc": `{"limit": ` + noInteger + `}`, "limit=": `{"limit": ` + noInteger + `}`,
			"limit=1.5": `{"limit": ` + noInteger + `}`, "limit=1&limit=x": "", "limit=%201%20": "", "limit=None": `{"limit": ` + noInteger + `}`,
			"offset=-1": `{"offset": ` + negative + `}`, "offset=abc": `{"offset": ` + noInteger + `}`,
			"offset=x&limit=-7": `{"offset": ` + noInteger + `, "limit": ` + negative + `}`,
			"direction=up":      `{"direction": [{"constraint_id": "enum", "constraint": {"choices": ["asc", "desc"]}, "message": "Must be one of: asc, desc."}]}`,
			"direction=DESC":    `{"direction": [{"constraint_id": "enum", "constraint": {"choices": ["asc", "desc"]}, "message": "Must be one of: asc, desc."}]}`,
			"recurse=perhaps":   `{"recurse": ` + noBoolean + `}`, "recurse=": `{"recurse": ` + noBoolean + `}`, "recurse=Yes": "",
			"order=nope": badOrder, "order=": badOrder, "order=" + choices[0] + "&direction=desc": "", "whatever=1": "", "search=%FF%zz": "",
		} {
			r := c.do("GET", "/0.1"+path+"?"+query, nil, "X-Auth-Token", admin)
			switch {
			case message != "":
				r.wants(t, path+"?"+query, 400, `{"message": `+message+`, "error_id": "invalid-list-param", "details": {}, "resource": "users"}`)
			case r.status != 200:
				t.Errorf("%s?%s: %d %v", path, query, r.status, r.body)
			}
		}
		for _, query := range []string{"limit=9223372036854775808", "offset=9223372036854775808"} {
			c.do("GET", "/0.1"+path+"?"+query, nil, "X-Auth-Token", admin).wants(t, path+"?"+query, 500, `{"message": "Internal Server Error"}`)
		}
		none := c.do("GET", "/0.1"+path+"?limit=0", nil, "X-Auth-Token", admin)
		if none.status != 200 || none.at("items", 0) != nil || none.at("items") == nil || none.at("total") == nil || none.at("filtered") == nil && path != "/policies" {
			t.Errorf("%s?limit=0: %v", path, none.body)
		}
		if past := c.do("GET", "/0.1"+path+"?offset=1000", nil, "X-Auth-Token", admin); past.at("items", 0) != nil || past.at("total") != none.at("total") {
			t.Errorf("%s?offset=1000: %v", path, past.body)
		}
	}
}

func TestTokenBodyKeys(t *testing.T) {
	_, c := newServer(t, Config{})
	length := `[{'constraint_id': 'length', 'constraint': {'min': 1, 'max': 1024}, 'message': 'Length must be between 1 and 1024.'}]`
	python := strings.NewReplacer(`"`, `'`).Replace
	for body, reason := range map[string]string{
		`{"expiration": Infinity}`:               `{'expiration': ['Number too large.']}`,
		`{"expiration": -Infinity}`:              `{'expiration': ['Number too large.']}`,
		`{"expiration": NaN}`:                    `{'expiration': ` + python(noInteger) + `}`,
		`{"expiration": {}}`:                     `{'expiration': ` + python(noInteger) + `}`,
		`{"expiration": "0x10"}`:                 `{'expiration': ` + python(noInteger) + `}`,
		`{"expiration": ""}`:                     `{'expiration': ` + python(noInteger) + `}`,
		`{"expiration": "1.5"}`:                  `{'expiration': ` + python(noInteger) + `}`,
		`{"access_type": null}`:                  `{'access_type': ` + python(notNull) + `}`,
		`{"access_type": 1}`:                     `{'access_type': ` + python(noString) + `}`,
		`{"access_type": "Offline"}`:             `{'access_type': [{'constraint_id': 'enum', 'constraint': {'choices': ['online', 'offline']}, 'message': 'Must be one of: online, offline.'}]}`,
		`{"client_id": null}`:                    `{'client_id': ` + python(notNull) + `}`,
		`{"client_id": ["a"]}`:                   `{'client_id': ` + python(noString) + `}`,
		`{"client_id": ""}`:                      `{'client_id': ` + length + `}`,
		`{"saml_session_id": ""}`:                `{'saml_session_id': ` + length + `}`,
		`{"saml_session_id": false}`:             `{'saml_session_id': ` + python(noString) + `}`,
		`{"saml_session_id": null}`:              `{'saml_session_id': ` + python(notNull) + `}`,
		`{"refresh_token": null}`:                `{'refresh_token': ` + python(notNull) + `}`,
		`{"refresh_token": 7}`:                   `{'refresh_token': ` + python(noString) + `}`,
		`{"backend": null}`:                      `{'backend': ` + python(notNull) + `}`,
		`{"backend": {}}`:                        `{'backend': ` + python(noString) + `}`,
		`{"domain_name": null}`:                  `{'domain_name': ` + python(notNull) + `}`,
		`{"tenant_id": 1}`:                       `{'tenant_id': ` + python(noString) + `}`,
		`{"expiration": 0, "backend": 1}`:        `{'backend': ` + python(noString) + `, 'expiration': [{'constraint_id': 'range', 'constraint': {'min': 1, 'max': 315360000}, 'message': 'Must be greater than or equal to 1 and less than or equal to 315360000.'}]}`,
		`{"tenant_id": "a", "domain_name": "b"}`: `{'_schema': ['"tenant_id" and "domain_name" must be mutually exclusive']}`,
		`{"refresh_token": "a", "client_id": "b", "saml_session_id": "c"}`:             `{'_schema': ['Cannot use a "saml_session_id" and a "refresh_token" at the same time']}`,
		`{"refresh_token": "a", "saml_session_id": "c"}`:                               `{'_schema': ['"client_id" must be specified when using a "refresh_token"', 'Cannot use a "saml_session_id" and a "refresh_token" at the same time']}`,
		`{"refresh_token": "a", "access_type": "offline"}`:                             `{'_schema': ['cannot use the "access_type" "offline" with a refresh token', '"client_id" must be specified when using a "refresh_token"']}`,
		`{"access_type": "offline", "tenant_id": "a", "domain_name": "b"}`:             `{'_schema': ['"client_id" must be specified when using "access_type" is "offline"', '"tenant_id" and "domain_name" must be mutually exclusive']}`,
		`{"access_type": "offline", "client_id": "` + strings.Repeat("é", 1025) + `"}`: `{'client_id': ` + length + `}`,
	} {
		c.do("POST", "/0.1/token", body, "Authorization", "Basic YWxpY2U6YWxpY2UtZGVtbw==").
			wants(t, body, 400, `{"reason": [`+asJSON(t, reason)+`], "status_code": 400}`)
	}
	for body, status := range map[string]int{
		`{"refresh_token": ""}`: 200, `{"tenant_id": ""}`: 401, `{"domain_name": ""}`: 401, `{"tenant_id": "example"}`: 401, `{"tenant_id": "Example"}`: 404,
		`{"tenant_id": "\u0000"}`: 500, `{"saml_session_id": "\ud800"}`: 500, `{"client_id": "\u0000"}`: 200, `{"expiration": 90.9}`: 200, `{"expiration": 0.5}`: 400,
		`{"access_type": "offline", "client_id": "a\u0000"}`: 500, `{"backend": "ldap_user"}`: 200, `{"client_id": 1, "client_id": "x"}`: 200,
	} {
		if r := c.do("POST", "/0.1/token", body, "Authorization", "Basic YWxpY2U6YWxpY2UtZGVtbw=="); r.status != status {
			t.Errorf("%s: %d %v, want %d", body, r.status, r.body, status)
		}
	}
	token := c.token("alice")
	for body, want := range map[string]string{
		`{"scopes": null}`:           `{'scopes': ` + python(notNull) + `}`,
		`{"scopes": {"a": 1}}`:       `{'scopes': {'message': 'Not a valid list.', 'constraint_id': 'type', 'constraint': 'list'}}`,
		`{"scopes": ["a", 1, null]}`: `{'scopes': {1: ` + python(noString) + `, 2: ` + python(notNull) + `}}`,
		`{"tenant_uuid": 1}`:         `{'tenant_uuid': ` + python(noString) + `}`,
		`[1]`:                        `{'_schema': ['Invalid input type.']}`,
	} {
		for _, token := range []string{token, unknownID} {
			c.do("POST", "/0.1/token/"+token+"/scopes/check", body).wants(t, body, 400, `{"reason": [`+asJSON(t, want)+`], "status_code": 400}`)
		}
	}
	c.do("POST", "/0.1/token/"+token+"/scopes/check", `{"scopes": [], "tenant_uuid": null}`).wants(t, "no scopes", 200, `{"scopes": {}}`)
	c.do("POST", "/0.1/token/"+token+"/scopes/check", `{"scopes": ["x"], "tenant_uuid": "zzz"}`).wants(t, "a foreign tenant", 403, `{"reason": ["Unauthorized for tenant zzz"], "status_code": 403}`)
}

func TestUserBodyKeys(t *testing.T) {
	_, c := newServer(t, Config{})
	admin := c.token("admin")
	invalid := func(key, problem string) string {
		var one struct{ Message string }
		_ = json.Unmarshal([]byte(problem), &one)
		return `{"message": ` + asJSON(t, one.Message) + `, "error_id": "invalid-data", "details": {"` + key + `": ` + problem + `}, "resource": "users"}`
	}
	length := `{"constraint_id": "length", "constraint": {"min": 1, "max": 256}, "message": "Length must be between 1 and 256."}`
	short := `{"constraint_id": "length", "constraint": {"min": 1, "max": null}, "message": "Shorter than minimum length 1."}`
	purposes := `{"constraint_id": "enum", "constraint": {"choices": ["user", "internal", "external_api"]}, "message": "Must be one of: user, internal, external_api."}`
	both := map[string][2]string{
		`{"username": ""}`:                                  {"username", length},
		`{"username": 1}`:                                   {"username", noString},
		`{"firstname": []}`:                                 {"firstname", noString},
		`{"lastname": true}`:                                {"lastname", noString},
		`{"purpose": null}`:                                 {"purpose", notNull},
		`{"purpose": "User"}`:                               {"purpose", purposes},
		`{"enabled": null}`:                                 {"enabled", notNull},
		`{"enabled": "perhaps"}`:                            {"enabled", noBoolean},
		`{"enabled": 2}`:                                    {"enabled", noBoolean},
		`{"enabled": []}`:                                   {"enabled", noBoolean},
		`{"authentication_method": null}`:                   {"authentication_method", notNull},
		`{"authentication_method": 1}`:                      {"authentication_method", noString},
		`{"enabled": null, "purpose": null, "lastname": 1}`: {"lastname", noString},
		`{"username": "` + strings.Repeat("ü", 257) + `"}`:  {"username", length},
	}
	post := map[string][2]string{
		`{"uuid": null}`: {"uuid", notNull}, `{"uuid": 5}`: {"uuid", noUUID}, `{"uuid": "x"}`: {"uuid", noUUID},
		`{"password": ""}`: {"password", short}, `{"password": 1}`: {"password", noString},
		`{"email_address": "nope"}`: {"email_address", noEmail}, `{"email_address": ""}`: {"email_address", noEmail}, `{"email_address": 1}`: {"email_address", noString},
		`{"uuid": "x", "password": "", "email_address": "nope", "enabled": null}`: {"enabled", notNull},
		`{"password": "", "uuid": "x"}`:                                           {"uuid", noUUID},
	}
	for body, want := range both {
		c.do("POST", "/0.1/users", body, "X-Auth-Token", admin).wants(t, "POST "+body, 400, invalid(want[0], want[1]))
		c.do("PUT", "/0.1/users/"+unknownID, body, "X-Auth-Token", admin).wants(t, "PUT "+body, 400, invalid(want[0], want[1]))
	}
	for body, want := range post {
		c.do("POST", "/0.1/users", body, "X-Auth-Token", admin).wants(t, "POST "+body, 400, invalid(want[0], want[1]))
	}
	for _, path := range []string{"POST /users", "PUT /users/" + alice, "PUT /users/" + alice + "/password"} {
		method, path, _ := strings.Cut(path, " ")
		for _, body := range []string{"", "{", "\xff", "{'a': 1}", "{} {}"} {
			c.do(method, "/0.1"+path, body, "X-Auth-Token", admin).wants(t, path+" "+body, 400, badJSON)
		}
		c.do(method, "/0.1"+path, `"text"`, "X-Auth-Token", admin).wants(t, path, 400,
			`{"message": "Invalid input type.", "error_id": "invalid-data", "details": {"_schema": {"message": "Invalid input type."}}, "resource": "users"}`)
		c.do(method, "/0.1"+path, "{}", "X-Auth-Token", admin, "Content-Type", "multipart/form-data; boundary=x").wants(t, path, 400, badJSON)
	}
	for body, want := range map[string][2]string{
		`{}`: {"old_password", missing}, `null`: {"old_password", missing}, `{"old_password": "x"}`: {"new_password", missing},
		`{"old_password": null, "new_password": "x"}`: {"old_password", notNull}, `{"old_password": "x", "new_password": null}`: {"new_password", notNull},
		`{"old_password": "", "new_password": "x"}`: {"old_password", short}, `{"old_password": "x", "new_password": 5}`: {"new_password", noString},
	} {
		c.do("PUT", "/0.1/users/"+alice+"/password", body, "X-Auth-Token", admin).wants(t, "password "+body, 400, invalid(want[0], want[1]))
	}
	c.do("PUT", "/0.1/users/"+unknownID+"/password", `{"old_password": "x", "new_password": "y"}`, "X-Auth-Token", admin).
		wants(t, "an unknown user's password", 404, `{"message": "No such user: \"`+unknownID+`\"", "error_id": "unknown-user", "details": {"uuid": "`+unknownID+`"}, "resource": "users"}`)
	for body, status := range map[string]int{
		`{"enabled": 0.0}`: 200, `{"enabled": "off"}`: 200, `{"username": null, "password": null, "email_address": null}`: 200,
		`{"username": "same@x.org", "email_address": "same@x.org"}`: 200, `{"username": "ALICE"}`: 409, `{"uuid": "{AAAAAAAA00004000800000000000FFFF}"}`: 200,
		`{"authentication_method": "LDAP"}`: 400, `{"firstname": "` + strings.Repeat("x", 5000) + `"}`: 200, `{"username": "\u0000"}`: 500, `{"emails": 7, "foo": 1}`: 200,
	} {
		if r := c.do("POST", "/0.1/users", body, "X-Auth-Token", admin); r.status != status {
			t.Errorf("POST %s: %d %v, want %d", body, r.status, r.body, status)
		}
	}
}

func TestEmailBodyKeys(t *testing.T) {
	_, c := newServer(t, Config{})
	admin := c.token("admin")
	for body, message := range map[string]string{
		`{}`:                      `{"emails": ` + missing + `}`,
		`{"emails": null}`:        `{"emails": ` + notNull + `}`,
		`{"emails": "a@x.org"}`:   `{"emails": {"message": "Invalid type.", "constraint_id": "type", "constraint": "dict"}}`,
		`{"emails": {}}`:          `{"emails": {"message": "Invalid type.", "constraint_id": "type", "constraint": "dict"}}`,
		`"x"`:                     `{"_schema": ["Invalid input type."]}`,
		`{"emails": ["a@x.org"]}`: `{"emails": {"0": {"_schema": ["Invalid input type."]}}}`,
		`{"emails": [null]}`:      `{"emails": {"0": {"address": ` + missing + `}}}`,
		`{"emails": [{"address": null, "main": null}]}`:                              `{"emails": {"0": {"address": ` + notNull + `, "main": ` + notNull + `}}}`,
		`{"emails": [{"address": "a@x.org", "main": true}, {"address": "b"}]}`:       `{"emails": {"1": {"address": [` + noEmail + `]}}}`,
		`{"emails": [{"address": 5, "main": true}]}`:                                 `{"emails": {"0": {"address": ` + noString + `}}}`,
		`{"emails": [{"address": "a@x.org", "main": "maybe"}]}`:                      `{"emails": {"0": {"main": ` + noBoolean + `}}}`,
		`{"emails": [{"address": "a@x.org"}]}`:                                       `{"_schema": ["At least one address should be main"]}`,
		`{"emails": [{"address": "a@x.org", "main": true}, {"address": "a@x.org"}]}`: `{"_schema": ["The same address can only be used once"]}`,
		`{"emails": [{"address": "a@x.org"}, {"address": "a@x.org"}]}`:               `{"_schema": ["The same address can only be used once", "At least one address should be main"]}`,
	} {
		for _, path := range []string{"/admin/users/" + alice + "/emails", "/users/" + alice + "/emails"} {
			c.do("PUT", "/0.1"+path, body, "X-Auth-Token", admin).
				wants(t, path+" "+body, 400, `{"message": `+message+`, "error_id": "invalid-data", "details": {}, "resource": "emails"}`)
		}
	}
	r := c.do("PUT", "/0.1/users/"+alice+"/emails", `{"emails": [{"address": "new@x.org", "main": true, "confirmed": true}]}`, "X-Auth-Token", admin)
	if r.status != 200 || r.at(0, "confirmed") != false {
		t.Errorf("one's own e-mail is never confirmed this way: %d %v", r.status, r.body)
	}
	r = c.do("PUT", "/0.1/admin/users/"+alice+"/emails", `{"emails": [{"address": "new@x.org", "main": true}, {"address": "other@x.org"}]}`, "X-Auth-Token", admin)
	if r.status != 200 || r.at(0, "confirmed") != false || r.at(1, "confirmed") != nil {
		t.Errorf("what stays keeps its confirmation, what is new has none: %d %v", r.status, r.body)
	}
	c.do("PUT", "/0.1/admin/users/"+unknownID+"/emails", `{"emails": [{"address": "BOB@example.com", "main": true}]}`, "X-Auth-Token", admin).
		wants(t, "taken, whoever it is for", 409, `{"message": "Conflict detected", "error_id": "conflict", "details": {"email_address": {"constraint_id": "unique", "message": "The login \"BOB@example.com\" is already used"}}, "resource": "users"}`)
	c.do("PUT", "/0.1/admin/users/"+alice+"/emails", `{"emails": [{"address": "new@x.org", "main": true, "confirmed": true}]}`, "X-Auth-Token", admin)
	id := r.text(0, "uuid")
	c.do("GET", "/0.1/users/"+alice+"/emails/"+id+"/confirm", nil, "X-Auth-Token", admin).
		wants(t, "confirmed already", 409, `{"message": "This email already confirmed: \"`+id+`\"", "error_id": "conflict", "details": {"uuid": "`+id+`"}, "resource": "emails"}`)
	c.do("GET", "/0.1/users/"+alice+"/emails/"+unknownID+"/confirm", nil, "X-Auth-Token", admin).
		wants(t, "no such e-mail", 404, `{"message": "No such email: \"`+unknownID+`\"", "error_id": "unknown-email", "details": {"uuid": "`+unknownID+`"}, "resource": "emails"}`)
}

func TestConfirmationByLink(t *testing.T) {
	s, c := newServer(t, Config{})
	admin := c.token("admin")
	r := c.do("PUT", "/0.1/admin/users/"+alice+"/emails", `{"emails": [{"address": "new@x.org", "main": true}]}`, "X-Auth-Token", admin)
	id := r.text(0, "uuid")
	if r := c.do("GET", "/0.1/users/"+alice+"/emails/"+id+"/confirm", nil, "X-Auth-Token", admin); r.status != 204 {
		t.Fatalf("asking for the link: %d %v", r.status, r.body)
	}
	var mailed string
	for value, one := range s.tokens {
		if one.authID == internalID {
			mailed = value
		}
	}
	if r := c.login("new@x.org", "alice-demo", nil); r.status != 401 {
		t.Errorf("not confirmed yet: %d", r.status)
	}
	link := "/0.1/emails/" + id + "/confirm"
	if r := c.do("PUT", link+"?token="+mailed, nil); r.status != 401 {
		t.Errorf("only the link itself takes ?token=: %d", r.status)
	}
	if r := c.do("GET", link+"?token="+mailed, nil); r.status != 200 || r.header.Get("Content-Type") != typeHTML {
		t.Errorf("the link: %d %v", r.status, r.body)
	}
	if r := c.do("PUT", link, nil, "X-Auth-Token", mailed); r.status != 204 {
		t.Errorf("the same as a request: %d %v", r.status, r.body)
	}
	if r := c.login("new@x.org", "alice-demo", nil); r.status != 200 {
		t.Errorf("confirmed: %d", r.status)
	}
	if r := c.do("GET", "/0.1/emails/"+unknownID+"/confirm", nil, "X-Auth-Token", admin); r.status != 404 || r.text("error_id") != "unknown-email" {
		t.Errorf("no such e-mail: %d %v", r.status, r.body)
	}
	if r := c.do("GET", "/0.1/token/"+mailed+"?tenant=whatever", nil); r.status != 200 || r.text("data", "auth_id") != internalID || r.text("data", "remote_addr") != "" || r.at("data", "xivo_uuid") != nil {
		t.Errorf("a mailed token: %d %v", r.status, r.body)
	}
}

func TestResetBodies(t *testing.T) {
	s, c := newServer(t, Config{})
	admin := c.token("admin")
	reset := func(message string) string {
		return `{"message": ` + message + `, "error_id": "invalid-data", "details": {}, "resource": "reset"}`
	}
	const one = `["\"username\" or \"email\" or \"login\" should be used"]`
	const length = `"Length must be between 1 and 256."`
	for query, message := range map[string]string{
		"": one, "?foo=1": one, "?username=a&login=b": one, "?email=a@x.org&login=b": one,
		"?username=": length, "?login=" + strings.Repeat("x", 257): length, "?email=": `"Not a valid email address."`, "?email=nope&username=": length,
	} {
		c.do("GET", "/0.1/users/password/reset"+query, nil).wants(t, query, 400, reset(message))
	}
	for body, message := range map[string]string{
		`{}`: `"Missing data for required field."`, `{"password": ""}`: `"Shorter than minimum length 1."`, `{"password": 1}`: `"Not a valid string."`, `[1]`: `["Invalid input type."]`,
	} {
		c.do("POST", "/0.1/users/password/reset?user_uuid="+alice, body, "X-Auth-Token", admin).wants(t, body, 400, reset(message))
	}
	unauthorized := `{"message": "Unauthorized", "error_id": "unauthorized", "details": {"invalid_token": "` + unknownID + `"}}`
	c.do("POST", "/0.1/users/password/reset?user_uuid="+alice, "{", "X-Auth-Token", unknownID).wants(t, "a bad token and a bad body", 401, unauthorized)
	c.do("POST", "/0.1/users/password/reset", "{", "X-Auth-Token", admin).wants(t, "a bad body", 400, badJSON)
	for query, shown := range map[string]string{"": "None", "?user_uuid=x": "x", "?user_uuid=" + unknownID: unknownID} {
		c.do("POST", "/0.1/users/password/reset"+query, `{"password": "x"}`, "X-Auth-Token", admin).
			wants(t, query, 404, `{"message": "No such user: \"`+shown+`\"", "error_id": "unknown-user", "details": {"uuid": "`+shown+`"}, "resource": "users"}`)
	}
	s.users[alice].method = "saml"
	managed := `{"message": "Unable to update externally managed password for user : \"` + alice + `\"", "error_id": "password-managed-externally", "details": {"uuid": "` + alice + `"}, "resource": "users"}`
	c.do("POST", "/0.1/users/password/reset?user_uuid="+alice, `{"password": "x"}`, "X-Auth-Token", admin).wants(t, "SAML", 405, managed)
	c.do("PUT", "/0.1/users/"+alice+"/password", `{"old_password": "alice-demo", "new_password": "x"}`, "X-Auth-Token", admin).wants(t, "SAML", 405, managed)
	c.do("PUT", "/0.1/users/"+alice+"/password", `{"old_password": "wrong", "new_password": "x"}`, "X-Auth-Token", admin).
		wants(t, "the old password is looked at first", 401, `{"reason": ["Authentication Failed"], "status_code": 401}`)
}
