package authd

import (
	"encoding/json"
	"strings"
	"time"
)

// maxExpiration is ten years of 365 days, in seconds (contract 5).
const maxExpiration = 315360000

// ask is a POST /token whose body passed the schema.
type ask struct {
	lifetime        time.Duration // 0: the server's default
	offline         bool
	clientID        string
	refreshToken    string
	samlSession     string
	tenantID        string
	hasTenantID     bool
	hasDomainName   bool
	mobile          bool
	login, password string
}

// holdsNUL finds a NUL in what is looked up or stored for this request.
func (in ask) holdsNUL() bool {
	looked := in.login
	switch {
	case in.refreshToken != "":
		looked = in.refreshToken + in.clientID
	case in.samlSession != "":
		looked = in.samlSession
	case in.hasTenantID && in.login != "":
		looked = in.tenantID
	case in.offline:
		looked += in.clientID
	}
	return strings.ContainsRune(looked, 0)
}

// tokenSchema checks the body of POST /token (contract 5).
func (q *request) tokenSchema() (ask, dict) {
	var in ask
	body, ok := q.object()
	if !ok {
		return in, dict{{"_schema", []any{"Invalid input type."}}}
	}
	f := &form{body: body}
	text := func(key string, check func(string) any) string {
		s, _ := f.text(key, rule{check: check}).(string)
		return s
	}
	text("backend", nil)
	if value, given := body["expiration"]; given {
		n, problem := expiration(value)
		if problem != nil {
			f.wrong("expiration", problem)
		}
		in.lifetime = time.Duration(n) * time.Second
	}
	in.offline = text("access_type", oneOf("online", "offline")) == "offline"
	in.clientID = text("client_id", upTo(1024))
	in.samlSession = text("saml_session_id", upTo(1024))
	in.refreshToken = text("refresh_token", nil)
	in.tenantID = text("tenant_id", nil)
	domain := text("domain_name", nil)
	in.hasTenantID, in.hasDomainName = f.has("tenant_id"), f.has("domain_name")
	if f.fault != nil {
		return in, f.fault
	}

	var wrong []any
	if in.offline && in.refreshToken != "" {
		wrong = append(wrong, `cannot use the "access_type" "offline" with a refresh token`)
	} else if in.offline && in.clientID == "" {
		wrong = append(wrong, `"client_id" must be specified when using "access_type" is "offline"`)
	}
	if in.tenantID != "" && domain != "" {
		wrong = append(wrong, `"tenant_id" and "domain_name" must be mutually exclusive`)
	}
	if in.refreshToken != "" && in.clientID == "" {
		wrong = append(wrong, `"client_id" must be specified when using a "refresh_token"`)
	}
	if in.refreshToken != "" && in.samlSession != "" {
		wrong = append(wrong, `Cannot use a "saml_session_id" and a "refresh_token" at the same time`)
	}
	if wrong != nil {
		return in, dict{{"_schema", wrong}}
	}
	return in, nil
}

// expiration reads a lifetime in seconds as Python's int() would: 90.9 and " 90 "
// are 90 (contract 5).
func expiration(value any) (int64, any) {
	var n int64
	switch v := value.(type) {
	case nil:
		return 0, errNull()
	case json.Number:
		if i, ok := pyInt(v.String()); ok {
			n = clampInt(i)
			break
		}
		if v == notANumber {
			return 0, errInteger()
		}
		f, err := v.Float64()
		if err != nil {
			return 0, []any{"Number too large."} // an infinity
		}
		n = int64(max(-1, min(f, maxExpiration+1)))
	case string:
		i, ok := pyInt(v)
		if !ok {
			return 0, errInteger()
		}
		n = clampInt(i)
	default:
		return 0, errInteger()
	}
	if n < 1 || n > maxExpiration {
		return 0, errRange(1, maxExpiration)
	}
	return n, nil
}
