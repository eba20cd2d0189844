package authd

import (
	"net/http"
	"slices"
	"strings"
)

// corsMethods is what a browser on another site may send (transcript cors_preflight).
const corsMethods = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"

// corsHeaders are the request headers that a browser on another site may set.
var corsHeaders = []string{"content-type", "authorization", "x-auth-token", "wazo-tenant", "wazo-session-type"}

// allowOrigins opens every answer of the daemon to every site.
func allowOrigins(h http.Header, r *http.Request) {
	h.Set("Access-Control-Allow-Origin", "*")
	if origin := r.Header.Get("Origin"); origin != "" {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Vary", "Origin")
	}
	asked := strings.ToUpper(r.Header.Get("Access-Control-Request-Method"))
	if r.Method != http.MethodOptions || !slices.Contains(strings.Split(corsMethods, ", "), asked) {
		return
	}
	h.Set("Access-Control-Allow-Methods", corsMethods)
	var may []string
	for name := range strings.SplitSeq(r.Header.Get("Access-Control-Request-Headers"), ",") {
		if name = strings.TrimSpace(name); slices.Contains(corsHeaders, strings.ToLower(name)) {
			may = append(may, name)
		}
	}
	if may != nil {
		slices.Sort(may)
		h.Set("Access-Control-Allow-Headers", strings.Join(may, ", "))
	}
}
