//go:build linux

package security_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// commands are every command in its usual ways, in an order in which each has something to do.
func (w *world) commands() []command {
	url, pin := w.stack.URL, w.stack.Fingerprint
	files := func(name string) string { return w.beside(name) }
	probe := []string{"--", asShow}
	return []command{
		{args: []string{"version"}},
		{args: []string{"man"}},
		{args: []string{"completion", "bash"}},
		{args: []string{"list"}, step: "list of nothing"},
		{args: []string{"store", "init", "--passphrase"}},
		{args: []string{"store", "status"}},
		{step: "login, wrong password", args: []string{"login", url, "--user", "alice", "--password-stdin", "--fingerprint", pin}, stdin: bobPassword + "\n", code: 4},
		{step: "login, unknown certificate", args: []string{"login", url, "--user", "alice", "--password-stdin"}, stdin: alicePassword + "\n", code: 6},
		{step: "login, password in the address", args: []string{"login", "https://alice:pw@pbx.example", "--user", "alice", "--password-stdin"}, stdin: alicePassword, code: 2},
		{step: "login, too long", args: []string{"login", url, "--user", "alice", "--password-stdin", "--fingerprint", pin}, stdin: strings.Repeat(alicePassword, 2000), code: 1},
		{step: "login", args: []string{"login", url, "--user", "alice", "--password-stdin", "--account", "prod", "--lifetime", "1h", "--fingerprint", pin}, stdin: alicePassword + "\n"},
		{step: "login again", args: []string{"login", url, "--user", "alice", "--password-stdin", "--account", "prod"}, stdin: alicePassword + "\n"},
		{step: "login, password from a command", args: []string{"login", url, "--user", "bob", "--password-command", asShow + " >/dev/null; cat " + files("bob.password"), "--account", "lab"}},
		{step: "login of an administrator", args: []string{"login", url, "--user", "admin", "--password-command", "cat " + files("admin.password"), "--account", "root"}},
		{step: "login, no refresh token", args: []string{"login", url, "--user", "bob", "--password-stdin", "--no-refresh", "--account", "short"}, stdin: bobPassword},
		{args: []string{"list"}},
		{args: []string{"list", "--json"}},
		{args: []string{"status", "prod"}},
		{args: []string{"status", "--all", "--json"}},
		{args: []string{"status", "--all", "--offline", "--seen"}},
		{args: []string{"status", "--all", "--warn-before", "72h"}, code: 1},
		{args: []string{"switch", "prod"}},
		{args: []string{"use", "lab"}, dir: "work"},
		{args: []string{"prompt"}},
		{args: []string{"token", "prod"}},
		{args: []string{"token", "prod", "--header"}},
		{args: []string{"token", "prod", "--curl-config"}},
		{args: []string{"token", "prod", "--json"}},
		{args: []string{"token", "prod", "--refresh", "--template", "{{.token}}"}},
		{args: []string{"token", "nobody"}, step: "token of nobody", code: 1},
		{args: append([]string{"exec", "prod"}, probe...)},
		{args: []string{"exec", "prod", "--", "sh", "-c", asShow + " >/dev/null"}, step: "exec, unseen"},
		{args: []string{"exec", "prod", "--", "no-such-command"}, step: "exec of nothing", code: 1},
		{args: []string{"inspect", "prod"}},
		{args: []string{"inspect", "prod", "--json"}},
		{args: []string{"inspect", "prod", "--acl"}},
		{args: []string{"inspect", "prod", "--can", "auth.users.read"}, code: 5},
		{args: []string{"refresh", "prod"}},
		{args: []string{"refresh", "--all"}, code: -1},
		{args: []string{"refresh-tokens", "list", "-a", "prod"}},
		{args: []string{"refresh-tokens", "list", "-a", "prod", "--json"}},
		{args: []string{"refresh-tokens", "label", "phone-7c1e", "my phone", "-a", "prod"}},
		{args: []string{"refresh-tokens", "revoke", "phone-7c1e", "-a", "prod", "--yes"}},
		{args: []string{"refresh-tokens", "revoke", "no-such-client", "-a", "prod", "--yes"}, code: -1},
		{args: []string{"sessions", "list", "prod"}},
		{args: []string{"sessions", "list", "prod", "--json"}},
		{args: []string{"sessions", "revoke", "8e1a3c5e-0000-4000-8000-00000000dead", "-a", "prod", "--yes"}, code: 1},
		{args: []string{"api", "/auth/0.1/users/me/tokens", "-a", "prod"}},
		{args: []string{"api", "/auth/0.1/users/me/tokens", "-a", "prod", "--include"}},
		{args: []string{"api", "/auth/0.1/users", "-a", "prod"}, step: "api, refused", code: 5},
		{args: []string{"api", "/auth/0.1/users", "-a", "prod", "--include"}, step: "api, refused, included", code: 5},
		{args: []string{"api", "/auth/0.1/users", "-a", "root", "--paginate", "--jq", ".items[].username"}},
		{args: []string{"api", "GET", "/auth/0.1/token/{session_uuid}", "-a", "prod"}, step: "api, not there", code: 1},
		{args: []string{"api", "PUT", "/auth/0.1/users/{user_uuid}/password", "-a", "lab", "--input", "-"}, step: "api, wrong password", stdin: jsonText2("old_password", alicePassword, "new_password", bobPassword), code: -1},
		{args: []string{"refresh-tokens", "labels", "list"}},
		{args: []string{"refresh-tokens", "labels", "export"}},
		{args: []string{"refresh-tokens", "labels", "import", "labels.toml", "--yes"}, code: -1},
		{args: []string{"trust", "list", "--check"}},
		{args: []string{"trust", "pin", "prod"}},
		{args: []string{"trust", "forget", "short", "--yes"}},
		{args: []string{"doctor"}, code: -1},
		{args: []string{"doctor", "--json", "--bundle", "report.txt"}, code: -1},
		{args: []string{"log"}},
		{args: []string{"log", "--json"}},
		{args: []string{"log", "verify"}},
		{args: []string{"config", "list"}},
		{args: []string{"config", "set", "lifetime", "1h"}},
		{args: []string{"config", "get", "lifetime"}},
		{args: []string{"config", "unset", "lifetime"}},
		{args: []string{"config", "path"}},
		{args: []string{"agent", "--install"}, code: -1},
		{args: []string{"agent", "--uninstall"}, code: -1},
		{args: []string{"store", "backup", "backup.age"}},
		{args: []string{"store", "backup", "-"}},
		{args: []string{"store", "restore", "backup.age", "--yes"}},
		{args: []string{"logout", "lab"}},
		{args: []string{"logout", "short", "--forget"}, code: -1},
	}
}

// carolPassword is of a user that is made, and made again from a file.
const carolPassword = `cårol's "own" sëcret/words+&%`

// aboutUsers are an administrator's commands.
func (w *world) aboutUsers() []command {
	from := func(name string) string { return asShow + " >/dev/null; cat " + w.beside(name) }
	all := []command{
		{args: []string{"users", "list"}},
		{args: []string{"users", "list", "--json"}},
		{args: []string{"users", "show", "bob"}},
		{args: []string{"users", "show", "bob", "--json"}},
		{args: []string{"users", "create", "carol", "--email", "carol@example.com", "--password-stdin"}, stdin: carolPassword},
		{args: []string{"users", "create", "carol", "--password-stdin"}, stdin: carolPassword, step: "users create, taken", code: 1},
		{args: []string{"users", "create", "dave", "--generate-password"}, step: "generated: users create"},
		{args: []string{"users", "update", "carol", "--firstname", "Carol"}},
		{args: []string{"users", "emails", "carol", "--add", "c@example.com", "--confirm", "c@example.com"}},
		{args: []string{"users", "disable", "carol", "--yes"}},
		{args: []string{"users", "enable", "carol"}},
		{args: []string{"users", "passwd", "carol", "--password-command", from("carol.password")}},
		{args: []string{"users", "passwd", "carol", "--generate-password", "--revoke-refresh-tokens"}, step: "generated: users passwd"},
		{args: []string{"users", "passwd", "--old-password-command", from("admin.password"), "--password-command", from("admin.password")}},
		{args: []string{"users", "revoke", "carol", "--yes"}},
		{args: []string{"users", "export"}},
		{args: []string{"users", "export", "--format", "jsonl"}},
		{args: []string{"users", "delete", "carol", "dave", "--yes"}},
		{args: []string{"users", "import", w.beside("users.jsonl"), "--dry-run"}},
		{args: []string{"users", "import", w.beside("users.jsonl"), "--yes"}},
		{args: []string{"users", "delete", "carol", "--yes"}, step: "users delete once more"},
	}
	for i := range all {
		all[i].step = all[i].name()
		all[i].args = append(all[i].args, "-a", "root")
	}
	return all
}

// users runs them, and learns the passwords that are made up for it.
func (w *world) users(t *testing.T) {
	t.Helper()
	w.know("password", carolPassword)
	line := `{"username": "carol", "email_address": "carol@example.com", "password": ` + jsonText(carolPassword, false) + "}\n"
	if err := errors.Join(os.WriteFile(w.beside("users.jsonl"), []byte(line), 0o600), os.WriteFile(w.beside("carol.password"), []byte(carolPassword), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, c := range w.aboutUsers() {
		r := w.run(c)
		if strings.HasPrefix(c.step, "generated") {
			w.know("generated password", strings.TrimSpace(r.stdout))
		}
	}
}

// changingTheKey are commands after which the passphrase takes as long to try as for everybody.
func (w *world) changingTheKey() []command {
	files := w.beside
	return []command{
		{args: []string{"store", "rekey"}},
		{args: []string{"store", "move", "--passphrase"}, code: -1},
		{args: []string{"unlock", "--for", "2m"}, code: -1},
		{args: []string{"status", "prod"}, step: "status, unlocked"},
		{args: []string{"lock"}, code: -1},
		{args: []string{"status", "prod", "--passphrase-command", asShow + " >/dev/null; cat " + files("passphrase")}, step: "status, passphrase from a command"},
		{args: []string{"status", "prod", "--passphrase-file", files("alice.password")}, step: "status, wrong passphrase", code: 4},
		{args: []string{"status", "prod", "--passphrase-command", "cat " + files("bob.password") + "; exit 3"}, step: "status, failing command", code: 4},
		{args: []string{"token", "prod", "--passphrase-file", files("nothing")}, step: "token, no passphrase", code: 4},
		{args: []string{"logout", "prod"}, code: -1},
	}
}

func jsonText2(pairs ...string) string {
	var parts []string
	for i := 0; i < len(pairs); i += 2 {
		parts = append(parts, jsonText(pairs[i], false)+":"+jsonText(pairs[i+1], false))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// fromTheEnvironment are the commands of a machine that keeps nothing.
func (w *world) fromTheEnvironment(refresh string) []command {
	env := []string{
		"WAKEY_REFRESH_TOKEN=" + refresh, "WAKEY_STACK=" + w.stack.URL, "WAKEY_CLIENT_ID=ci-runner", "WAKEY_FINGERPRINT=" + w.stack.Fingerprint,
	}
	all := []command{
		{step: "environment: status", args: []string{"status"}},
		{step: "environment: token", args: []string{"token"}},
		{step: "environment: exec", args: []string{"exec", "--", asShow}},
		{step: "environment: doctor", args: []string{"doctor"}, code: -1},
		{step: "environment: api", args: []string{"api", "/auth/0.1/users"}, code: 5},
		{step: "environment: login", args: []string{"login", w.stack.URL, "--user", "bob", "--password-command", asShow + " >/dev/null; cat " + w.beside("bob.password")}, code: -1},
		{step: "environment: logout", args: []string{"logout"}},
		{step: "environment: refused", args: []string{"token"}, code: 4},
	}
	for i := range all {
		all[i].env, all[i].dir = env, "run"
	}
	return all
}

// asking are the commands that ask the stack, for stacks that answer with what they were sent.
func (w *world) asking() []command {
	return []command{
		{args: []string{"login", w.stack.URL, "--user", "bob", "--password-stdin", "--account", "new", "--fingerprint", w.stack.Fingerprint}, stdin: bobPassword},
		{args: []string{"status", "prod"}},
		{args: []string{"token", "prod", "--refresh"}},
		{args: []string{"exec", "prod", "--min-valid", "2h", "--", "true"}},
		{args: []string{"inspect", "prod"}},
		{args: []string{"inspect", "prod", "--can", "auth.users.read"}},
		{args: []string{"refresh", "prod"}},
		{args: []string{"refresh-tokens", "list", "-a", "prod"}},
		{args: []string{"refresh-tokens", "revoke", "phone-7c1e", "-a", "prod", "--yes"}},
		{args: []string{"sessions", "list", "prod"}},
		{args: []string{"sessions", "revoke", "8e1a3c5e-0000-4000-8000-00000000dead", "-a", "prod", "--yes"}},
		{args: []string{"api", "/auth/0.1/users/me/tokens", "-a", "prod"}},
		{args: []string{"api", "/auth/0.1/users/me/tokens", "-a", "prod", "--include"}},
		{args: []string{"api", "/auth/0.1/users", "-a", "root", "--paginate"}},
		{args: []string{"users", "list", "-a", "root"}},
		{args: []string{"users", "show", "bob", "-a", "root"}},
		{args: []string{"users", "create", "carol", "--password-stdin", "-a", "root"}, stdin: carolPassword},
		{args: []string{"users", "passwd", bobUUID, "--password-stdin", "-a", "root"}, stdin: carolPassword},
		{args: []string{"users", "passwd", "--old-password-command", "cat " + w.beside("admin.password"), "--password-stdin", "-a", "root"}, stdin: carolPassword},
		{args: []string{"users", "import", w.beside("users.jsonl"), "--yes", "-a", "root"}},
		{args: []string{"users", "delete", bobUUID, "--yes", "-a", "root"}},
		{args: []string{"trust", "list", "--check"}},
		{args: []string{"doctor", "--bundle", "report.txt"}},
		{args: []string{"rotate", "prod", "--password-stdin"}, stdin: w.alicePassword},
		{args: []string{"respond", "prod", "--dry-run"}},
		{args: []string{"respond", "prod", "--yes", "--no-input", "--password-stdin"}, stdin: w.alicePassword},
		{args: []string{"logout", "prod"}},
	}
}

// allowance is a place in which a kind of secret may be found, because somebody asked for it there.
type allowance struct {
	step, place, kind string // the beginnings of a record's; kind: the whole of it
	why               string
}

// allowed are all there are.
var allowed = []allowance{
	{"token", "stdout", "access token", "printing it is what the command is for"},
	{"environment: token", "stdout", "access token", "the same, the refresh token coming from the environment"},
	{"exec prod", "stdout", "access token", "the command that was run prints its environment, which holds the token"},
	{"environment: exec", "stdout", "access token", "the same"},
	{"exec", "environment of show", "access token", "the command that exec runs is given the token"},
	{"environment: exec", "environment of show", "access token", "the same"},
	{"echo 200: api", "stdout", "access token", "api prints what the stack answers, and this one repeats what it was sent"},
	{"line by line: print", "stdout", "access token", "printed after a yes"},
	{"generated", "stdout", "generated password", "printing it, once, is what --generate-password is for"},
	{"screen", "clipboard", "access token", "copied with y or Y"},
	{"reveal", "screen", "access token", "shown with v, for as long as the person looks"},
	{"reveal", "terminal", "access token", "the same, on its way to the terminal"},
}

// leaks searches everything that was noted, and gives what nobody asked for, and which allowances were needed.
func (w *world) leaks() (found []hit, needed []bool) {
	records, secrets := w.all()
	s := newSearcher(secrets)
	needed = make([]bool, len(allowed))
	for _, r := range records {
		for _, h := range s.find(r) {
			i := slices.IndexFunc(allowed, func(a allowance) bool {
				return strings.HasPrefix(h.step, a.step) && strings.HasPrefix(h.place, a.place) && h.kind == a.kind
			})
			if i < 0 {
				found = append(found, h)
			} else {
				needed[i] = true
			}
		}
	}
	return found, needed
}

// check fails for each leak.
func (w *world) check(t *testing.T) {
	t.Helper()
	found, _ := w.leaks()
	for _, h := range found {
		t.Error(h)
	}
	records, secrets := w.all()
	size := 0
	for _, r := range records {
		size += len(r.data)
	}
	t.Logf("searched %d records, %d bytes, for %d secrets", len(records), size, len(secrets))
}

// sees fails for each allowance of the steps that were run which was not needed: that all are shows that the search
// sees real secrets in real places.
func (w *world) sees(t *testing.T) {
	t.Helper()
	_, needed := w.leaks()
	records, _ := w.all()
	for i, a := range allowed {
		ran := slices.ContainsFunc(records, func(r record) bool { return strings.HasPrefix(r.step, a.step) })
		if ran && !needed[i] {
			t.Errorf("%s: the %s was expected in %s and isn't there: the search is blind, or the allowance is needless", a.step, a.kind, a.place)
		}
	}
}

func TestCommandsLeakNothing(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	w := newWorld(t, s)
	s.signIn(t, alice, alicePassword, "phone-7c1e")
	manual := w.must("man")
	for _, c := range w.commands() {
		w.run(c)
		switch c.name() {
		case "store init --passphrase":
			w.quickStore() // to try the passphrase of the one just made takes half a second each time
			w.learn()
		case "inspect prod":
			access, _ := s.signIn(t, bob, bobPassword, "visitor")
			w.run(command{step: "inspect, pasted", args: []string{"inspect", "prod", "--token-stdin"}, stdin: access})
		}
	}
	w.users(t)
	w.respond(t)
	_, refresh := s.signIn(t, alice, w.alicePassword, "ci-runner")
	for _, c := range w.fromTheEnvironment(refresh) {
		w.run(c)
	}
	w.refused(t)
	w.service(t)
	w.agent(t)
	w.demo(t)
	for _, c := range w.changingTheKey() {
		w.run(c)
	}
	w.check(t)
	w.sees(t)
	w.everyCommand(t, manual)
}

var inManual = regexp.MustCompile(`(?m)^\.SS "wakey ([a-z][a-z -]*[a-z])`)

// everyCommand fails for each command of the manual that was never run.
func (w *world) everyCommand(t *testing.T, manual string) {
	t.Helper()
	records, _ := w.all()
	found := inManual.FindAllStringSubmatch(strings.ReplaceAll(manual, `\-`, "-"), -1)
	if len(found) < 20 {
		t.Fatalf("only %d commands in the manual", len(found))
	}
	for _, m := range found {
		ran := slices.ContainsFunc(records, func(r record) bool {
			args := strings.ReplaceAll(string(r.data), "\x00", " ")
			return r.place == "arguments" && (args == m[1] || strings.HasPrefix(args, m[1]+" "))
		})
		if !ran {
			t.Errorf("no step runs wakey %s: add one to the commands of this test", m[1])
		}
	}
}

// refused repeats the commands that ask the stack while it refuses and repeats all that it was sent.
func (w *world) refused(t *testing.T) {
	t.Helper()
	w.must("switch", "prod")
	answers := []struct {
		status int
		html   bool
	}{{400, false}, {401, false}, {403, false}, {404, false}, {409, false}, {429, false}, {500, false}, {502, true}, {200, false}, {200, true}}
	if testing.Short() {
		answers = answers[1:3]
	}
	for _, a := range answers {
		w.stack.set(echo(a.status, a.html))
		for _, c := range w.asking() {
			c.step, c.code = fmt.Sprintf("echo %d: %s", a.status, strings.Join(c.args, " ")), -1
			w.run(c)
			_ = os.Remove(w.path("report.txt"))
		}
		w.stack.set(nil)
		w.run(command{
			step: "login again after it", stdin: w.alicePassword, code: -1,
			args: []string{"login", w.stack.URL, "--user", "alice", "--password-stdin", "--account", "prod"},
		})
	}
}

// respond has a token of alice's stolen, and responds to it, ending with a new password.
func (w *world) respond(t *testing.T) {
	t.Helper()
	const password = `nèw "password" of/alice+&%`
	w.know("password", password)
	if err := os.WriteFile(w.beside("new.password"), []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	from := func(name string) string { return asShow + " >/dev/null; cat " + w.beside(name) }
	_, stolen := w.stack.signIn(t, alice, alicePassword, "thief")
	w.run(command{args: []string{"rotate", "prod", "--password-stdin"}, stdin: alicePassword})
	w.run(command{args: []string{"rotate", "prod", "--password-stdin"}, stdin: bobPassword, step: "rotate, wrong password", code: 4})
	w.run(command{args: []string{"respond", "prod", "--dry-run"}})
	w.run(command{args: []string{"respond", "prod", "--yes", "--no-input"}, code: -1})
	id := strings.TrimSpace(w.must("incidents", "list", "--jq", ".[-1].id"))
	w.run(command{args: []string{"incidents", "resume", id, "--stolen-stdin", "--password-command", from("alice.password")}, stdin: stolen, code: -1})
	w.run(command{args: []string{"log", "export", "--incident", id, "--to", w.path("data/reports")}})
	w.run(command{
		args:  []string{"respond", "prod", "--yes", "--stolen-stdin", "--password-command", from("alice.password"), "--change-password", "--new-password-command", from("new.password")},
		stdin: stolen, code: -1,
	})
	w.run(command{args: []string{"incidents", "list"}})
	w.alicePassword = password
	w.run(command{
		step: "login with the new password", stdin: password,
		args: []string{"login", w.stack.URL, "--user", "alice", "--password-stdin", "--account", "prod"},
	})
}

// service runs the stand-in for a stack, and signs in to it.
func (w *world) service(t *testing.T) {
	t.Helper()
	const password = "cårol's own söcret words"
	seed := "[[tenant]]\nname = \"Example\"\n[[user]]\nusername = \"carol\"\npassword = " + jsonText(password, false) + "\n"
	if err := os.WriteFile(w.beside("seed.toml"), []byte(seed), 0o600); err != nil {
		t.Fatal(err)
	}
	w.know("password", password)
	d := w.start(command{step: "serve", args: []string{"serve", "--seed", w.beside("seed.toml"), "--log", w.path("requests.jsonl")}})
	d.says("}\n")
	var at struct{ URL, Fingerprint string }
	if err := json.Unmarshal(d.output(), &at); err != nil {
		t.Fatal(err)
	}
	w.run(command{
		step: "login to the served", stdin: password,
		args: []string{"login", at.URL, "--user", "carol", "--password-stdin", "--account", "served", "--fingerprint", at.Fingerprint},
	})
	w.know("access token", strings.TrimSpace(w.run(command{step: "token of the served", args: []string{"token", "served"}}).stdout))
	w.run(command{args: []string{"inspect", "served"}})
	w.run(command{args: []string{"logout", "served"}})
	d.stop()
}

// agent keeps accounts signed in whose tokens live for seconds.
func (w *world) agent(t *testing.T) {
	t.Helper()
	w.run(command{
		step: "login for the agent", stdin: bobPassword,
		args: []string{"login", w.stack.URL, "--user", "bob", "--password-stdin", "--account", "quick", "--lifetime", "3s"},
	})
	w.stack.ResetRequests()
	d := w.start(command{step: "agent", args: []string{"agent"}})
	d.says("ready")
	d.says("refresh")
	w.stack.set(echo(http.StatusUnauthorized, false))
	d.says("revoked elsewhere")
	w.stack.set(nil)
	d.stop()
}

// demo shows the screen of a stack of its own.
func (w *world) demo(t *testing.T) {
	t.Helper()
	x := w.sit("demo", 100, 30, command{args: []string{"demo"}})
	x.sees("demo", "alice", "active", "kept by")
	x.types("q")
	if code := x.ends(); code != 0 {
		t.Errorf("demo: exit code %d", code)
	}
}
