package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"

	"wakey/internal/authd"
)

// The scripts in testdata/script run the whole program, as a process, against a stack on loopback.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"wakey": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, stop)
		os.Exit(Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, "1.2.3"))
	}})
}

func TestScript(t *testing.T) {
	if testing.Short() {
		t.Skip("the scripts are some hundred processes: without -short")
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		Setup:               setup,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition:           condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"stack": stackCommand,
			"exit":  exitCommand,
			"mode":  modeCommand,
			"nats":  natsCommand,
		},
	})
}

// condition knows what testscript doesn't.
func condition(name string) (bool, error) {
	if name != "kernel-keyring" {
		return false, fmt.Errorf("no condition %q", name)
	}
	return hasKernelKeyring(), nil
}

// users are the people of every script's stack: those of the demo, and the master.
var users = map[string]string{
	"alice":  "8e1a3c5e-0000-4000-8000-00000000000a",
	"bob":    "8e1a3c5e-0000-4000-8000-00000000000b",
	"admin":  "8e1a3c5e-0000-4000-8000-0000000000ad",
	"master": "8e1a3c5e-0000-4000-8000-0000000000ff",
}

type (
	stackKey   struct{}
	runningKey struct{}
)

// newKey starts the stack again on its address, where it makes itself a new certificate.
func newKey(ts *testscript.TestScript) string {
	server, _ := ts.Value(stackKey{}).(*authd.Server)
	running, _ := ts.Value(runningKey{}).(*authd.Running)
	ts.Check(running.Close())
	again, err := authd.Start(context.Background(), server, ts.Getenv("HOST"), false)
	ts.Check(err)
	ts.Defer(func() { _ = again.Close() })
	return again.Fingerprint
}

// setup gives a script its own home and its own stack.
func setup(env *testscript.Env) error {
	ctx, cancel := context.WithCancel(context.Background())
	env.Defer(cancel)
	seed := authd.DemoSeed()
	seed.Users = append(seed.Users, authd.SeedUser{
		UUID: users["master"], Username: "master", Password: "master-demo", Master: true,
	})
	server, err := authd.New(authd.Config{MaxSessions: 20}, seed)
	if err != nil {
		return err
	}
	env.Values[stackKey{}] = server
	stack, err := authd.Start(ctx, server, "127.0.0.1:0", false)
	if err != nil {
		return err
	}
	env.Values[runningKey{}] = stack
	plain, err := authd.Start(ctx, server, "127.0.0.1:0", true)
	if err != nil {
		return err
	}
	other, err := authd.Start(ctx, http.HandlerFunc(notWazo), "127.0.0.1:0", false)
	if err != nil {
		return err
	}
	home := filepath.Join(env.WorkDir, "home")
	for _, dir := range []string{home, filepath.Join(home, "run")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	if err := quickStore(home); err != nil {
		return err
	}
	env.Setenv("HOME", home)
	env.Setenv("TZ", "UTC")
	env.Setenv("XDG_DATA_HOME", filepath.Join(home, "data"))
	env.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
	env.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
	env.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
	env.Setenv("XDG_RUNTIME_DIR", filepath.Join(home, "run"))
	env.Setenv("DBUS_SESSION_BUS_ADDRESS", "disabled:") // whoever runs the tests keeps their keyring
	env.Setenv("WAKEY_PASSPHRASE_FILE", filepath.Join(home, "passphrase"))
	env.Setenv("STACK", stack.URL)
	env.Setenv("HOST", strings.TrimPrefix(stack.URL, "https://"))
	env.Setenv("PIN", stack.Fingerprint)
	env.Setenv("PLAIN", plain.URL)
	env.Setenv("NOTWAZO", other.URL)
	env.Setenv("NOTWAZO_PIN", other.Fingerprint)
	for name, uuid := range users {
		env.Setenv(strings.ToUpper(name), uuid)
		if err := os.WriteFile(filepath.Join(env.WorkDir, name+".password"), []byte(name+"-demo\n"), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// quickStore makes a store whose passphrase takes no half second to try, as the usual ones do.
func quickStore(home string) error {
	const passphrase = "correct horse"
	dir := filepath.Join(home, "data", "wakey")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	lock, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return err
	}
	lock.SetWorkFactor(10)
	var wrapped bytes.Buffer
	w, err := age.Encrypt(&wrapped, lock)
	if err != nil {
		return err
	}
	fmt.Fprintln(w, key)
	if err := w.Close(); err != nil {
		return err
	}
	about, err := json.Marshal(map[string]any{
		"version": 1, "kind": "passphrase", "recipient": key.Recipient().String(), "why": "there is no keyring here",
	})
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(home, "passphrase"), []byte(passphrase+"\n"), 0o600),
		os.WriteFile(filepath.Join(dir, "key.age"), wrapped.Bytes(), 0o600),
		os.WriteFile(filepath.Join(dir, "key.json"), about, 0o600),
	)
}

// notWazo is a web server that is no stack: it shows a page whose text would harm a terminal.
func notWazo(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprint(w, "<html><title>Router\x1b]0;owned\x07</title></html>")
}

// stackCommand does to the script's stack what others would: "stack expire alice" and so on.
func stackCommand(ts *testscript.TestScript, neg bool, args []string) {
	server, _ := ts.Value(stackKey{}).(*authd.Server)
	if len(args) == 0 || neg {
		ts.Fatalf("usage: stack WORD [ARGUMENT...]")
	}
	arg := func(i int) string {
		if i >= len(args) {
			ts.Fatalf("stack %s: an argument is missing", args[0])
		}
		return args[i]
	}
	number := func(i int) int {
		n, err := strconv.Atoi(arg(i))
		ts.Check(err)
		return n
	}
	expect := func(what string, got int) {
		if want := number(2); got != want {
			ts.Fatalf("%s has %d %s, want %d", arg(1), got, what, want)
		}
	}
	switch args[0] {
	case "expire": // USER: every access token
		server.ExpireTokens(users[arg(1)])
	case "end-sessions": // USER
		server.RevokeSessions(users[arg(1)])
	case "revoke": // USER: every refresh token
		server.RevokeRefreshTokens(users[arg(1)])
	case "down":
		server.Faults().SetDown(true)
	case "up":
		server.Faults().Clear()
	case "fail": // PATH STATUS: as the route is written, {token} and the like included
		server.Faults().Add(authd.Fault{Path: arg(1), Status: number(2)})
	case "sign-in": // USER CLIENT_ID: as another device; its tokens are then in $ACCESS_TOKEN and $REFRESH_TOKEN
		access, refresh := signIn(ts, server, arg(1), arg(2))
		ts.Setenv("ACCESS_TOKEN", access)
		ts.Setenv("REFRESH_TOKEN", refresh)
	case "sign-in-hostile": // USER: with a client_id that does things to a terminal
		signIn(ts, server, arg(1), "phone\x1b]0;owned\x07\u202e\r\nx")
	case "new-key": // the same stack shows another key, whose fingerprint is then in $NEW_PIN
		ts.Setenv("NEW_PIN", newKey(ts))
	case "swap": // USER: refreshes answer with this user's tokens
		server.Faults().RefreshAs(users[arg(1)], 1)
	case "sessions": // USER NUMBER
		expect("sessions", server.Sessions(users[arg(1)]))
	case "refresh-tokens": // USER NUMBER
		expect("refresh tokens", len(server.RefreshTokens(users[arg(1)])))
	case "requests": // METHOD PATH NUMBER
		if got, want := server.Count(arg(1), arg(2)), number(3); got != want {
			ts.Fatalf("%d requests %s %s, want %d", got, arg(1), arg(2), want)
		}
	case "forget-requests":
		server.ResetRequests()
	default:
		ts.Fatalf("stack: no word %q", args[0])
	}
}

// signIn signs a user of the stack in, with nothing of the program under test.
func signIn(ts *testscript.TestScript, server *authd.Server, user, clientID string) (access, refresh string) {
	t, err := offlineToken(server, user, clientID)
	ts.Check(err)
	return t.Token, t.RefreshToken
}

type issued struct {
	Token        string `json:"token"`
	RefreshToken string `json:"refresh_token"`
}

func offlineToken(server *authd.Server, user, clientID string) (issued, error) {
	return offlineTokenOf(server, user, user+"-demo", clientID)
}

func offlineTokenOf(server *authd.Server, user, password, clientID string) (issued, error) {
	var answer struct {
		Data issued `json:"data"`
	}
	body, err := json.Marshal(map[string]string{"access_type": "offline", "client_id": clientID})
	if err != nil {
		return answer.Data, err
	}
	req, err := http.NewRequest(http.MethodPost, "http://stack.example/0.1/token", bytes.NewReader(body))
	if err != nil {
		return answer.Data, err
	}
	req.SetBasicAuth(user, password)
	resp, err := authd.Transport(server).RoundTrip(req)
	if err != nil {
		return answer.Data, err
	}
	defer resp.Body.Close()
	err = json.NewDecoder(resp.Body).Decode(&answer)
	if err == nil && answer.Data.RefreshToken == "" {
		err = errors.New(resp.Status)
	}
	return answer.Data, err
}

// exitCommand runs a command and compares its exit code: "exit 4 wakey token". Standard input is
// the file after "<".
func exitCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: exit CODE COMMAND [ARGUMENT...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		if _, scanErr := fmt.Sscanf(err.Error(), "exit status %d", &got); scanErr != nil {
			ts.Fatalf("%v", err)
		}
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// modeCommand compares a file's permissions: "mode 600 FILE".
func modeCommand(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}
