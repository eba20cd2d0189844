package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wakey/api"
	"wakey/session"
)

// finding is what the doctor found about one thing.
type finding struct {
	part  string // "store", "account prod"
	thing string
	grade grade
	text  string
	err   error // of a failure
}

type grade string

const (
	fine    grade = "ok"
	notice  grade = "note" // worth knowing, works all the same
	trouble grade = "FAIL"
)

var findingFields = []field[finding]{
	{"part", func(f finding) any { return f.part }},
	{"check", func(f finding) any { return f.thing }},
	{"grade", func(f finding) any { return strings.ToLower(string(f.grade)) }},
	{"text", func(f finding) any { return f.text }},
}

// examination collects findings.
type examination struct {
	app      *app
	part     string
	findings []finding
	servers  []string // of NATS, which a report must not name
}

func (x *examination) addf(g grade, thing, format string, args ...any) {
	x.findings = append(x.findings, finding{x.part, thing, g, fmt.Sprintf(format, args...), nil})
}

// checkf notes that something works, or why it doesn't, and tells which.
func (x *examination) checkf(thing string, err error, works string, args ...any) bool {
	if err == nil {
		x.addf(fine, thing, works, args...)
		return true
	}
	x.findings = append(x.findings, finding{x.part, thing, trouble, err.Error(), err})
	return false
}

func (a *app) doctorCommand() *cobra.Command {
	var offline bool
	var bundle string
	var f format
	cmd := &cobra.Command{
		Use:     "doctor",
		Short:   "Find out what is wrong",
		GroupID: groupMachine,
		Long: `Look at everything that has to work: settings, the store, its key and its files, the agent, the
terminal and the clipboard; and of each account the name of its stack, the certificate, the service,
the clocks, the token and its permissions. It changes nothing, but that what others could read of
the store is closed, as every command does.

--bundle writes what was found, and the end of the log, into a file for a bug report. Names of
accounts, users, hosts, uuids and fingerprints are replaced; read it before you send it.`,
		Example: `  wakey doctor
  wakey doctor --account prod
  wakey doctor --bundle report.txt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.doctor(cmd.Context(), offline, bundle, &f)
		},
	}
	cmd.Flags().BoolVar(&offline, "offline", false, "leave the stacks alone")
	cmd.Flags().StringVar(&bundle, "bundle", "", "write a report without names into `FILE`")
	cmd.Flags().StringVarP(&a.account, "account", "a", "", "look at this account's `NAME` alone")
	_ = cmd.RegisterFlagCompletionFunc("account", completeAccounts)
	f.flags(cmd, fieldNames(findingFields))
	return cmd
}

func (a *app) doctor(ctx context.Context, offline bool, bundle string, f *format) error {
	x := &examination{app: a}
	x.machine()
	x.terminal()
	accounts := x.store(ctx)
	for _, account := range accounts {
		x.account(ctx, account, offline)
	}
	if bundle != "" {
		if err := writeBundle(bundle, x.findings, accounts, x.servers); err != nil {
			return err
		}
		a.talkf("The report is in %s. Read it before you send it.", bundle)
	}
	if f.on() {
		if err := printAll(a, f, findingFields, x.findings); err != nil {
			return err
		}
	} else if err := printFindings(a.stdout, x.findings); err != nil {
		return err
	}
	for _, one := range x.findings {
		if one.grade == trouble {
			return fmt.Errorf("%s, %s: %w", one.part, one.thing, one.err)
		}
	}
	return nil
}

func printFindings(w io.Writer, findings []finding) error {
	var t table
	part := ""
	for _, f := range findings {
		if f.part == part {
			t.add("", string(f.grade), f.thing, f.text)
			continue
		}
		part = f.part
		t.add(part, string(f.grade), f.thing, f.text)
	}
	return t.print(w)
}

// store looks at the store and gives the accounts to look at.
func (x *examination) store(ctx context.Context) []session.Account {
	x.part = "store"
	if fromEnvironment() {
		x.addf(fine, "store", "none: the refresh token comes from the environment")
	} else if !x.files(ctx) {
		return nil
	}
	m, err := x.app.open(ctx)
	if !x.checkf("accounts", err, "readable") {
		return nil
	}
	accounts := m.Accounts()
	if len(accounts) == 0 {
		x.addf(notice, "accounts", "%v", errNobodySignedIn)
		return nil
	}
	c, err := x.app.choose(accounts, nil)
	if err != nil {
		x.addf(notice, "chosen here", "%v", err)
	} else {
		x.addf(fine, "chosen here", "%s, by %s", c.Name, c.Rule)
	}
	if x.app.account == "" {
		return accounts
	}
	if err != nil {
		x.findings[len(x.findings)-1] = finding{x.part, "chosen here", trouble, err.Error(), err}
		return nil
	}
	return []session.Account{c.Account}
}

// files looks at the store's files, and tells whether the accounts are worth a try.
func (x *examination) files(ctx context.Context) bool {
	exposed := openToOthers(session.DefaultDir()) // the next line closes them
	status, err := x.app.fileStore().Status(ctx)
	if !x.checkf("directory", err, "%s", session.DefaultDir()) {
		return false
	}
	if exposed > 0 {
		x.addf(notice, "files", "others had access to %d of them, which was taken away now", exposed)
	} else {
		x.addf(fine, "files", "nobody else has access")
	}
	if pid := runningAgent(session.DefaultDir()); pid != "" {
		x.addf(fine, "agent", "process %s keeps the accounts fresh", pid)
	} else {
		x.addf(fine, "agent", "none runs: tokens are refreshed when somebody asks for one")
	}
	if x.app.bucket != nil {
		x.bucket(ctx)
	}
	x.addf(fine, "key", "kept by %s: %s (%s)", keeper(status.Kind), status.Where, status.Why)
	if status.Kind == session.PassphraseKey && !status.Unlocked {
		x.passphrase()
	}
	if _, err := session.ReadIndex(session.DefaultDir()); err == nil {
		x.addf(fine, "index", "readable without the key")
	} else {
		x.addf(notice, "index", "%v", err) // the next change mends it
	}
	report, err := session.OpenAudit(session.DefaultDir()).Verify("")
	switch {
	case err != nil:
		x.addf(notice, "log", "%v", err)
	case !report.OK():
		x.addf(notice, "log", "it is not what was written: %s", report.Flaws[0])
	default:
		x.addf(fine, "log", "whole, lines: %d", report.Lines)
	}
	return true
}

// machine looks at this machine and the settings.
func (x *examination) machine() {
	x.part = "machine"
	x.addf(fine, "version", "%s", versionLine(x.app.version))
	var set []string
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "WAKEY_") {
			set = append(set, name)
		}
	}
	if len(set) > 0 {
		x.addf(fine, "environment", "set: %s", strings.Join(set, ", "))
	}
	_, err := readConfig()
	x.checkf("settings", err, "%s", configPath())
}

// terminal looks at what the screen and the clipboard need.
func (x *examination) terminal() {
	x.part = "terminal"
	kind := os.Getenv("TERM")
	switch {
	case !isTerminal(x.app.stdout):
		x.addf(notice, "screen", "standard output is no terminal here")
	case kind == "" || kind == "dumb":
		x.addf(notice, "screen", "TERM is %q: the screen needs more, the commands don't", kind)
	default:
		x.addf(fine, "screen", "TERM=%s COLORTERM=%s", kind, os.Getenv("COLORTERM"))
	}
	if os.Getenv("NO_COLOR") != "" {
		x.addf(fine, "colours", "none: NO_COLOR is set")
	}
	way, ok := clipboardWay()
	g := fine
	if !ok {
		g = notice
	}
	x.addf(g, "clipboard", "%s", way)
}

// skewTolerated is how far the clocks may be apart before it is worth a word. Nothing fails by it:
// lifetimes are counted on each clock by itself.
const skewTolerated = 10 * time.Second

// account looks at one account, up to the first thing that stops all others.
func (x *examination) account(ctx context.Context, account session.Account, offline bool) {
	x.part = "account " + account.Name
	if account.State.NeedsPerson() {
		err := &session.ProblemError{Account: account.Name, State: account.State, Reason: account.Reason}
		x.checkf("state", err, "")
	} else {
		x.addf(fine, "state", "%s, the token expires %s", account.State, when(account.ExpiresAt, time.Now()))
	}
	x.lock(ctx, account)
	if offline || !x.reach(ctx, account) {
		return
	}
	m := x.app.manager
	err := m.Do(ctx, account.ID, func(ctx context.Context, client *api.Client, token api.Secret) error {
		sent := time.Now()
		t, err := client.GetToken(ctx, token)
		if err != nil {
			return err
		}
		x.addf(fine, "token", "alive, of %s, permissions: %d", t.AuthID, len(t.ACL))
		x.clock(t.Date, sent, time.Now())
		x.permissions(ctx, client, token, account)
		x.stackVersion(ctx, client, token)
		return nil
	})
	if err != nil {
		x.checkf("token", err, "")
		return
	}
	n, err := m.CountSessions(ctx, account.ID)
	switch {
	case err != nil:
		x.addf(notice, "sessions", "%v", err)
	case n >= sessionsAllowed*9/10:
		x.addf(notice, "sessions", "%d, and 100 are the usual end: \"wakey sessions revoke --others\" makes room", n)
	default:
		x.addf(fine, "sessions", "%d of the user, opened by %s: %d", n, x.app.opener(), len(account.OwnSessions))
	}
}
