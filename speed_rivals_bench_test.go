//go:build linux

package main_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"wakey/internal/authd"
)

// tutorial is what Wazo's documentation tells people to do each time: curl asks for a token with the
// refresh token, and jq takes it out of the answer. Here it has a refresh token of its own.
func (c *contest) tutorial() runner {
	c.b.Helper()
	for _, program := range []string{"curl", "jq"} {
		if _, err := exec.LookPath(program); err != nil {
			c.b.Skipf("%s is not installed", program)
		}
	}
	post := "curl -sk -H 'Content-Type: application/json' " + c.stack.URL + "/api/auth/0.1/token "
	refreshToken := c.must("", "sh", "-c", post+`-u alice:alice-demo -d '{"access_type":"offline","client_id":"curl"}' | jq -r .data.refresh_token`)
	script := post + `-d '{"refresh_token":"` + refreshToken + `","client_id":"curl"}' | jq -r .data.token`
	if token := c.must("", "sh", "-c", script); len(token) != 36 {
		c.b.Fatalf("curl and jq print %q", token)
	}
	return runner{"curl-jq", []string{"sh", "-c", script}}
}

// oidcToken is the same errand with oidc-agent, which keeps tokens in the memory of a daemon: it hands out
// one that lives, of a provider that is played here.
func (c *contest) oidcToken() runner {
	c.b.Helper()
	for _, program := range []string{"oidc-agent", "oidc-gen", "oidc-token"} {
		if _, err := exec.LookPath(program); err != nil {
			c.b.Skipf("%s is not installed (apt-get install oidc-agent-cli)", program)
		}
	}
	address := c.provider()
	dir := c.b.TempDir()
	socket := filepath.Join(dir, "agent")
	for name, text := range map[string]string{"password": "x\n", "ca.pem": c.certificate(address)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			c.b.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(c.home, ".oidc-agent"), 0o700); err != nil {
		c.b.Fatal(err)
	}
	c.start(c.command("oidc-agent", "--console", "--socket-path="+socket))
	c.env = append(c.env, "OIDC_SOCK="+socket)
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(30 * time.Second); !exists(socket); <-look.C {
		if time.Now().After(deadline) {
			c.b.Fatal("oidc-agent is not there")
		}
	}
	c.must("", "oidc-gen", "--flow=refresh", "--refresh-token=x", "--issuer=https://"+address+"/", "--client-id=x", "--client-secret=x",
		"--manual", "--scope=openid offline_access", "--cert-path="+filepath.Join(dir, "ca.pem"), "--pw-file="+filepath.Join(dir, "password"),
		"--redirect-uri=http://localhost:4242", "--confirm-default", "--prompt=none", "demo")
	token := runner{"oidc-token", []string{"oidc-token", "demo"}}
	if got := c.must("", token.args[0], token.args[1:]...); got != oidcAccessToken {
		c.b.Fatalf("oidc-token prints %q", got)
	}
	return token
}

const oidcAccessToken = "11e1f2c4-0000-4000-8000-0000000000aa"

// provider plays the least of an OpenID provider, and gives its address.
func (c *contest) provider() string {
	c.b.Helper()
	mux := http.NewServeMux()
	running, err := authd.Start(c.b.Context(), mux, "127.0.0.1:0", false)
	if err != nil {
		c.b.Fatal(err)
	}
	answer := func(path string, v any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(v)
		})
	}
	answer("/.well-known/openid-configuration", map[string]any{
		"issuer": running.URL + "/", "authorization_endpoint": running.URL + "/auth", "token_endpoint": running.URL + "/token",
		"scopes_supported": []string{"openid", "offline_access"}, "response_types_supported": []string{"code"},
		"grant_types_supported": []string{"authorization_code", "refresh_token"},
	})
	answer("/token", map[string]any{
		"access_token": oidcAccessToken, "token_type": "Bearer", "expires_in": 7200,
		"refresh_token": "x", "scope": "openid offline_access",
	})
	return strings.TrimPrefix(running.URL, "https://")
}

// certificate gives the certificate that a server shows, in PEM.
func (c *contest) certificate(address string) string {
	c.b.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		c.b.Fatal(err)
	}
	defer conn.Close()
	var text bytes.Buffer
	for _, cert := range conn.ConnectionState().PeerCertificates {
		if err := pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}); err != nil {
			c.b.Fatal(err)
		}
	}
	return text.String()
}
