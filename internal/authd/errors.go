package authd

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"
)

// answer is what a handler gives back. A nil body is an empty one.
type answer struct {
	status int
	header map[string]string
	ctype  string
	body   []byte
}

const (
	typeJSON      = "application/json"
	typeHTML      = "text/html; charset=utf-8"
	typeNginxHTML = "text/html"
)

// pageNotFound is the page of wazo-auth for a path without a route, and for a
// segment that should be a UUID and is not (contract 1).
const pageNotFound = `<!doctype html>
<html lang=en>
<title>404 Not Found</title>
<h1>Not Found</h1>
<p>The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.</p>
`

// reply is a JSON answer.
func reply(status int, body any) answer {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return internalError()
	}
	return answer{status: status, ctype: typeJSON, body: b.Bytes()}
}

// noContent is the 204: it has a Content-Type all the same (contract 1).
func noContent() answer { return answer{status: http.StatusNoContent, ctype: typeJSON} }

// stamp is the server's clock as the error bodies show it: Unix seconds with a fraction.
func stamp() float64 { return float64(time.Now().UnixMicro()) / 1e6 }

// legacy is error shape 1 of contract 3.
func legacy(status int, reason string) answer {
	return reply(status, struct {
		Reason    [1]string  `json:"reason"`
		Timestamp [1]float64 `json:"timestamp"`
		Status    int        `json:"status_code"`
	}{[1]string{reason}, [1]float64{stamp()}, status})
}

// modern is error shape 2 of contract 3. message is a string, a list or an object;
// an empty resource is left out.
func modern(status int, id string, message, details any, resource string) answer {
	return reply(status, struct {
		Message   any     `json:"message"`
		ID        string  `json:"error_id"`
		Details   any     `json:"details"`
		Timestamp float64 `json:"timestamp"`
		Resource  string  `json:"resource,omitempty"`
	}{message, id, details, stamp(), resource})
}

// bare is error shape 3 of contract 3.
func bare(status int, message string) answer {
	return reply(status, struct {
		Message string `json:"message"`
	}{message})
}

func internalError() answer { return bare(http.StatusInternalServerError, "Internal Server Error") }

// notUnderstood is the 400 of a body that is missing or does not parse.
func notUnderstood() answer {
	return bare(http.StatusBadRequest, "The browser (or proxy) sent a request that this server could not understand.")
}

func routeNotFound() answer {
	return answer{status: http.StatusNotFound, ctype: typeHTML, body: []byte(pageNotFound)}
}

func authenticationFailed() answer {
	return legacy(http.StatusUnauthorized, "Authentication Failed")
}

func noSuchToken() answer { return legacy(http.StatusNotFound, "No such token") }

// unauthorized is every 401 of a route that needs a token. It holds the token in
// clear, as the real one does (contract 2).
func unauthorized(token, reason, required string) answer {
	details := dict{{"invalid_token", token}}
	if reason != "" {
		details = append(details, field{"reason", reason}, field{"required_access", required})
	}
	if reason == reasonMissing {
		details = append(details, field{"tenant_uuid", nil})
	}
	return modern(http.StatusUnauthorized, "unauthorized", "Unauthorized", details, "")
}

const (
	reasonNotFound = "not_found_or_expired"
	reasonMissing  = "missing_permission_or_invalid_tenant"
)

func unauthorizedTenant(tenant string) answer {
	return modern(http.StatusUnauthorized, "unauthorized-tenant", "Unauthorized tenant", dict{{"tenant_uuid", tenant}}, "")
}

func unknownUser(uuid string) answer {
	return modern(http.StatusNotFound, "unknown-user", `No such user: "`+uuid+`"`, dict{{"uuid", uuid}}, "users")
}

func conflict(column, login string) answer {
	return modern(http.StatusConflict, "conflict", "Conflict detected", dict{{column, dict{
		{"constraint_id", "unique"},
		{"message", `The login "` + login + `" is already used`},
	}}}, "users")
}
