package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"wakey/api"
	"wakey/session"
)

type statusOptions struct {
	all        bool
	offline    bool
	seen       bool
	warnBefore time.Duration
	format     format
}

// standing is how an account stands, as far as this machine and the stack tell.
type standing struct {
	choice

	checked  bool // the stack was asked
	failure  error
	findings []session.Finding // open ones
	warnings []string
	cutOff   string // the response that was cut off; empty: none was
}

var statusFields = append([]field[standing]{
	{"rule", func(s standing) any { return s.Rule }},
	{"checked", func(s standing) any { return s.checked }},
	{"error", func(s standing) any { return errorText(s.failure) }},
	{"findings", func(s standing) any { return findingTexts(s.findings) }},
	{"warnings", func(s standing) any { return append([]string{}, s.warnings...) }},
	{"sessions", func(s standing) any { return known(s.TotalSessions) }},
	{"looked_at", func(s standing) any { return rfc3339(s.LookedAt) }},
	{"cut_off", func(s standing) any { return s.cutOff }},
}, of(accountFields, func(s standing) session.Account { return s.Account })...)

// of makes the fields of a part fields of the whole.
func of[T, U any](fields []field[U], part func(T) U) []field[T] {
	all := make([]field[T], len(fields))
	for i, f := range fields {
		all[i] = field[T]{f.name, func(v T) any { return f.of(part(v)) }}
	}
	return all
}

func findingTexts(findings []session.Finding) any {
	texts := make([]string, len(findings))
	for i, f := range findings {
		texts[i] = f.Text
	}
	return texts
}

func errorText(err error) any {
	if err == nil {
		return nil
	}
	return err.Error()
}

// known is a count, or null for one that was never made.
func known(n int) any {
	if n < 0 {
		return nil
	}
	return n
}

func (a *app) statusCommand() *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:     "status [ACCOUNT]",
		Short:   "Show how an account stands, and which rule chose it",
		GroupID: groupAccounts,
		Long: `Show how an account stands, which rule chose it, and where its secrets are kept. The stack is asked
whether the access token is alive, and whether the user has refresh tokens or sessions that nobody
here knows, unless --offline says not to.

The exit status tells: 0 all is well, 4 a person has to sign in, 6 the stack can't be reached. With
--warn-before it is 1 when something will go wrong within that time although all is well now, or
when something was noticed that still holds.`,
		Example: `  wakey status
  wakey status --all --offline
  wakey status --all --warn-before 48h --no-input`,
		Args: func(cmd *cobra.Command, args []string) error {
			if o.all {
				return cobra.NoArgs(cmd, args)
			}
			return cobra.MaximumNArgs(1)(cmd, args)
		},
		ValidArgsFunction: completeAccounts,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.status(cmd.Context(), args, &o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.all, "all", false, "show every account")
	flags.BoolVar(&o.offline, "offline", false, "don't ask the stack")
	flags.BoolVar(&o.seen, "seen", false, "note that you have seen what was noticed")
	flags.DurationVar(&o.warnBefore, "warn-before", 0, "fail when something will go wrong within this time")
	a.accountFlags(cmd)
	o.format.flags(cmd, fieldNames(statusFields))
	return cmd
}

func (a *app) status(ctx context.Context, args []string, o *statusOptions) error {
	m, err := a.open(ctx)
	if err != nil {
		return err
	}
	var chosen []choice
	if o.all {
		for _, account := range m.Accounts() {
			chosen = append(chosen, choice{account, "--all"})
		}
		if len(chosen) == 0 {
			return errNobodySignedIn
		}
	} else {
		c, err := a.choose(m.Accounts(), args)
		if err != nil {
			return err
		}
		chosen = []choice{c}
	}
	all := make([]standing, len(chosen))
	for i, c := range chosen {
		all[i] = look(ctx, m, c, o)
	}
	if err := a.printStatus(ctx, all, o); err != nil {
		return err
	}
	if o.seen {
		for _, s := range all {
			if err := m.Seen(s.ID); err != nil {
				return err
			}
		}
	}
	return verdict(all, o.warnBefore > 0)
}

// look asks the stack, unless it must not, and weighs what is known.
func look(ctx context.Context, m *session.Manager, c choice, o *statusOptions) standing {
	s := standing{choice: c}
	if !o.offline {
		s.checked = true
		s.failure = m.Do(ctx, c.ID, func(ctx context.Context, client *api.Client, token api.Secret) error {
			return client.CheckToken(ctx, token, "", "")
		})
		if s.failure == nil {
			s.failure = m.Look(ctx, c.ID)
		}
	}
	if account, err := m.Account(string(c.ID)); err == nil {
		s.Account = account
	}
	if s.failure == nil && s.State.NeedsPerson() {
		s.failure = &session.ProblemError{Account: s.Name, State: s.State, Reason: s.Reason}
	}
	if cut, ok := cutOff(m)[c.ID]; ok {
		s.cutOff = cut.Plan.ID
	}
	if all, err := m.Findings(c.ID); err == nil {
		for _, f := range all {
			if f.Open() {
				s.findings = append(s.findings, f)
			}
		}
	}
	s.warnings = warnings(ctx, s, o, time.Now())
	return s
}

// cutOff are the responses that were cut off; one that can't be read "wakey incidents list" tells of.
func cutOff(m *session.Manager) map[session.ID]session.Incident {
	all, _ := m.CutOff()
	return all
}

// sessionsAllowed is how many sessions a user may have on a stack that was not configured otherwise
// (contract 5).
const sessionsAllowed = 100

// warnings are the things that will go wrong within o.warnBefore.
func warnings(ctx context.Context, s standing, o *statusOptions, now time.Time) []string {
	if o.warnBefore <= 0 {
		return nil
	}
	var w []string
	if s.ClientID == "" && !s.ExpiresAt.IsZero() && s.ExpiresAt.Sub(now) < o.warnBefore {
		w = append(w, fmt.Sprintf("there is no refresh token, and the access token expires %s", when(s.ExpiresAt, now)))
	}
	if s.TotalSessions >= sessionsAllowed*9/10 {
		w = append(w, fmt.Sprintf("the user has %d sessions, and 100 are the usual end", s.TotalSessions))
	}
	if s.checked && s.failure == nil && s.Trust.Pin == "" && !s.PlainHTTP {
		cert, err := api.Fingerprint(ctx, s.Stack)
		if err == nil && !cert.NotAfter.IsZero() && cert.NotAfter.Sub(now) < o.warnBefore {
			w = append(w, fmt.Sprintf("the stack's certificate expires %s", when(cert.NotAfter, now)))
		}
	}
	return w
}

// verdict is the exit of a look at accounts: the first failure, else the first warning.
func verdict(all []standing, warn bool) error {
	for _, s := range all {
		if s.failure != nil {
			return ofAccount(s.Account, s.failure)
		}
	}
	for _, s := range all {
		if !warn {
			break
		}
		if len(s.warnings) > 0 {
			return fmt.Errorf("%s: %s", api.Clean(s.Name), s.warnings[0])
		}
		for _, f := range s.findings {
			if !f.Gone {
				return fmt.Errorf("%s: %s", api.Clean(s.Name), f.Text)
			}
		}
	}
	return nil
}

func (a *app) printStatus(ctx context.Context, all []standing, o *statusOptions) error {
	switch {
	case o.format.on() && o.all:
		return printAll(a, &o.format, statusFields, all)
	case o.format.on():
		return printOne(a, &o.format, statusFields, all[0])
	}
	for i, s := range all {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		if err := a.describe(s); err != nil {
			return err
		}
	}
	return a.describeStore(ctx)
}

func (a *app) describe(s standing) error {
	now := time.Now()
	state := string(s.State)
	if s.Reason != "" {
		state += ": " + s.Reason
	}
	var f facts
	f.add("Account", fmt.Sprintf("%s (chosen by %s)", s.Name, s.Rule))
	f.add("User", fmt.Sprintf("%s, %s", s.Login, s.UserUUID))
	f.add("Tenant", s.TenantUUID)
	f.add("Stack", fmt.Sprintf("%s, trusting %s", stackName(s.Account), trustWords(s.Account)))
	f.add("State", state)
	if s.checked && s.failure == nil {
		f.add("", "the stack says that the access token is alive")
	} else if s.checked && !errors.As(s.failure, new(*session.ProblemError)) {
		f.add("", "the stack was asked: "+s.failure.Error())
	}
	if !s.RetryAt.IsZero() {
		f.add("Next try", when(s.RetryAt, now))
	}
	if s.TokenSuffix != "" {
		f.add("Access token", fmt.Sprintf("…%s, expires %s, to be refreshed %s", s.TokenSuffix, when(s.ExpiresAt, now), when(s.RefreshAt, now)))
	}
	if s.ClientID != "" {
		f.add("Refresh token", fmt.Sprintf("%s, signed in %s", s.ClientID, when(s.SignedInAt, now)))
	} else {
		f.add("Refresh token", "none")
	}
	if !s.LookedAt.IsZero() {
		f.add("Watched", "looked "+when(s.LookedAt, now))
	}
	if s.cutOff != "" {
		f.add("Response", "was cut off: \"wakey incidents resume "+s.cutOff+"\" goes on with it")
	}
	if s.TotalSessions >= 0 {
		f.add("Sessions", fmt.Sprintf("%d of the user, %d opened by %s", s.TotalSessions, len(s.OwnSessions), a.opener()))
	}
	for _, l := range s.Leaks {
		f.add("Cut off", fmt.Sprintf("a %s %s: the stack may hold a session nobody knows for %s", l.Op, when(l.At, now), inWords(l.Until.Sub(now))))
	}
	for _, found := range s.findings {
		text := found.Text
		if found.Gone {
			text += " (over)"
		}
		f.add("Noticed", text)
	}
	for _, w := range s.warnings {
		f.add("Warning", w)
	}
	return f.print(a.stdout)
}

// describeStore says where the secrets are kept, and why there.
func (a *app) describeStore(ctx context.Context) error {
	var f facts
	if a.files == nil {
		f.add("Store", "none: the refresh token comes from the environment")
		return f.print(a.stdout)
	}
	s, err := a.storeStands(ctx)
	if err != nil {
		return err
	}
	s.describe(&f, a.files.Dir())
	f.add("", s.Why)
	return f.print(a.stdout)
}

func keeper(kind session.KeyKind) string {
	switch kind {
	case session.KeyringKey:
		return "the keyring"
	case session.PassphraseKey:
		return "a passphrase"
	default:
		return string(kind)
	}
}

// opener says who opened the sessions that are ours: with a bucket, nobody notes which of the machines it was.
func (a *app) opener() string {
	if a.bucket != nil {
		return "the machines of the bucket"
	}
	return "this machine"
}
