package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wakey/api"
	"wakey/session"
)

type respondOptions struct {
	session.ResponseOptions
	passwordOptions

	newPasswordCommand string
	stolenStdin        bool
	yes                bool
	dryRun             bool
}

func (a *app) respondCommand() *cobra.Command {
	var o respondOptions
	cmd := &cobra.Command{
		Use:     "respond [ACCOUNT]",
		Short:   "Somebody has a token of the account: end it, and prove that it is dead",
		GroupID: groupServer,
		Long: `Somebody may have a token of the account. Show what is there and what will be done, and after a yes:
revoke the refresh tokens that nobody has labelled, revoke every session but this machine's own,
rotate the account's own refresh token, change the password if --change-password says so, list again
until nothing is left, and prove what can be proven. Each step is written down: "wakey incidents
resume" goes on with a response that was cut off.

The exit status is 0 when all was done and nothing still works, and 7 when something is left.`,
		Example: `  wakey respond prod --dry-run
  wakey respond prod --yes --password-stdin < password
  wakey respond prod --keep ci-runner --change-password`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeAccounts,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.respond(cmd.Context(), args, &o)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&o.Keep, "keep", nil, "leave the refresh token of this `CLIENT_ID` alone")
	flags.BoolVar(&o.All, "all", false, "revoke labelled refresh tokens too")
	flags.BoolVar(&o.Tenant, "tenant", false, "see to every user of the tenant; takes an administrator")
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what would be done, and do nothing")
	flags.BoolVar(&o.ChangePassword, "change-password", false, "end with a new password")
	a.responseFlags(cmd, &o)
	a.accountFlags(cmd)
	return cmd
}

// responseFlags are those of a response that begins or goes on.
func (a *app) responseFlags(cmd *cobra.Command, o *respondOptions) {
	flags := cmd.Flags()
	flags.BoolVarP(&o.yes, "yes", "y", false, "answer yes to every question, also about what appears meanwhile")
	flags.StringVar(&o.newPasswordCommand, "new-password-command", "", "take the new password from what `COMMAND` prints")
	flags.BoolVar(&o.stolenStdin, "stolen-stdin", false, "read a stolen refresh token from standard input, and try it in the end")
	o.flags(cmd)
	cmd.MarkFlagsMutuallyExclusive("stolen-stdin", "password-stdin")
}

func (a *app) respond(ctx context.Context, args []string, o *respondOptions) error {
	m, c, err := a.opened(ctx, args)
	if err != nil {
		return err
	}
	hooks, err := a.responseHooks(o, c.Login)
	if err != nil {
		return err
	}
	plan, err := m.PlanResponse(ctx, c.ID, o.ResponseOptions)
	if problem := (*session.ProblemError)(nil); errors.As(err, &problem) && !o.dryRun {
		// Somebody has revoked our own access: without it nothing can be seen or done.
		a.talkf("%s", api.Clean(err.Error()))
		if plan, err = a.planAgain(ctx, m, c, o, hooks); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	if err := a.showPlan(plan); err != nil || o.dryRun {
		return err
	}
	if err := a.agree(ctx, o.yes); err != nil {
		return err
	}
	in, err := m.Respond(ctx, plan, hooks)
	return a.responded(in, err)
}

// planAgain signs the account in again, and plans then.
func (a *app) planAgain(ctx context.Context, m *session.Manager, c choice, o *respondOptions, h session.ResponseHooks) (*session.Plan, error) {
	password, err := h.Password(ctx, "wakey signs "+c.Login+" in again, to see what there is")
	if err != nil {
		return nil, err
	}
	if _, err := m.Rotate(ctx, c.ID, password); err != nil && !errors.Is(err, session.ErrNotRetired) {
		return nil, err
	}
	return m.PlanResponse(ctx, c.ID, o.ResponseOptions)
}

// showPlan prints what a response is going to do.
func (a *app) showPlan(p *session.Plan) error {
	now := time.Now()
	a.talkf("The response %s, of %s at %s:", p.ID, api.Clean(p.Login), api.StackName(p.Stack))
	var t table
	of := func(user string) string {
		if p.Tenant == "" {
			return ""
		}
		return "of " + p.UserName(user) + ", "
	}
	tokens := func(verb string, list []session.PlannedToken) {
		for _, one := range list {
			why := one.Why
			if one.Help != "" {
				why += "; " + one.Help
			}
			t.add(verb, "refresh token", one.ClientID, when(one.CreatedAt, now), of(one.UserUUID)+why)
		}
	}
	tokens("revoke", p.Revoke)
	tokens("can't revoke", p.Stuck)
	tokens("keep", p.Keep)
	for _, s := range p.Sessions {
		t.add("revoke", "session", s.UUID, "", strings.TrimSuffix(of(s.UserUUID), ", "))
	}
	for _, s := range p.Ours {
		t.add("keep", "session", s.UUID, "", "this machine's own, until it is rotated")
	}
	for _, r := range p.Rotate {
		t.add("rotate", "refresh token", r.ClientID, "", "of the account "+r.Name)
	}
	if p.ChangePassword {
		t.add("change", "password", p.Login)
	}
	for _, permission := range p.Missing {
		t.add("can't", "permission", permission, "", "the user has not got it")
	}
	if p.PasswordKnown != "" && !p.ChangePassword {
		a.talkf("Change the password as well, with --change-password: %s.", api.Clean(p.PasswordKnown))
	}
	if risk := p.KeptAtRisk(); risk != "" {
		a.talkf("About what is kept: %s. --all revokes them as well.", risk)
	}
	return t.print(a.stdout)
}

// responseHooks let a response talk to the person, or take what the options say instead.
func (a *app) responseHooks(o *respondOptions, login string) (session.ResponseHooks, error) {
	h := session.ResponseHooks{}
	declined := func(err error) error {
		var usage *usageError
		if errors.Is(err, errNobodyToAsk) || errors.As(err, &usage) {
			return fmt.Errorf("%w: %w", session.ErrDeclined, err)
		}
		return err
	}
	var known api.Secret // what standard input gave can't be read twice
	h.Password = func(ctx context.Context, why string) (api.Secret, error) {
		if !known.IsZero() {
			return known, nil
		}
		a.talkf("The password is needed: %s", api.Clean(why))
		password, err := a.password(ctx, o.of(login))
		if o.stdin {
			known = password
		}
		return password, declined(err)
	}
	h.NewPassword = func(ctx context.Context) (api.Secret, error) {
		if o.newPasswordCommand != "" {
			return a.secretCommand(ctx, o.newPasswordCommand)
		}
		password, err := a.askTwice(ctx, "New password of "+api.Clean(login)+": ")
		return password, declined(err)
	}
	h.Confirm = func(ctx context.Context, n session.Appeared) (bool, error) {
		for _, one := range n.Tokens {
			a.talkf("Meanwhile appeared: the refresh token %s", api.Clean(one.ClientID))
		}
		for _, s := range n.Sessions {
			a.talkf("Meanwhile appeared: the session %s", api.Clean(s.UUID))
		}
		if o.yes {
			return true, nil
		}
		err := a.confirm(ctx, "Revoke that, too?")
		if errors.Is(err, errCancelled) {
			return false, nil
		}
		return err == nil, declined(err)
	}
	told := map[session.StepName]session.StepState{}
	h.Progress = func(in session.Incident) {
		for _, s := range in.Steps {
			if told[s.Name] != s.State && s.State != session.Pending && s.State != session.Running {
				a.talkf("%s: %s. %s", s.Name, s.State, api.Clean(s.Text))
			}
			told[s.Name] = s.State
		}
	}
	if o.stolenStdin {
		stolen, err := readSecret(a.stdin)
		if err != nil {
			return h, fmt.Errorf("reading the stolen refresh token: %w", err)
		}
		h.Stolen = []api.Secret{stolen}
	}
	return h, nil
}

// responded prints what came of a response.
func (a *app) responded(in *session.Incident, err error) error {
	if cut, ok := errors.AsType[*session.InterruptedError](err); ok {
		return fmt.Errorf("%w\n\"wakey incidents resume %s\" goes on", err, cut.Incident)
	}
	if err != nil {
		return err
	}
	var t table
	for _, p := range in.Proofs {
		how := p.How
		switch {
		case p.State == session.Proven:
			how = ""
		case !p.Until.IsZero():
			how = "over " + when(p.Until, time.Now())
		}
		t.add(proofWord(p.State), p.Claim, how)
	}
	if err := t.print(a.stdout); err != nil {
		return err
	}
	if in.Clean() {
		a.talkf("All is done. \"wakey log export --incident %s\" writes the whole story down.", in.Plan.ID)
		return nil
	}
	return fmt.Errorf("%w: \"wakey log export --incident %s\" writes down what is left, \"wakey incidents resume %s\" tries it again",
		errPartly, in.Plan.ID, in.Plan.ID)
}

func proofWord(s session.ProofState) string {
	switch s {
	case session.Disproven:
		return "not so yet"
	case session.NotProvable:
		return "can't be proven"
	default:
		return string(s)
	}
}

var incidentFields = []field[session.Incident]{
	{"id", func(in session.Incident) any { return in.Plan.ID }},
	{"account", func(in session.Incident) any { return in.Plan.Name }},
	{"begun", func(in session.Incident) any { return rfc3339(in.Begun) }},
	{"ended", func(in session.Incident) any { return rfc3339(in.Ended) }},
	{"clean", func(in session.Incident) any { return in.Clean() }},
}

func (a *app) incidentsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "incidents",
		Short:   "List responses to thefts, and go on with them",
		GroupID: groupServer,
		Long:    `See to the responses that "wakey respond", or the screen, began on this machine.`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.incidentsList(), a.incidentsResume())
	return cmd
}

func (a *app) incidentsList() *cobra.Command {
	var f format
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the responses of this machine",
		Example: `  wakey incidents list`, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			all, err := m.Incidents()
			if f.on() {
				return errors.Join(printAll(a, &f, incidentFields, all), err)
			}
			t := newTable("RESPONSE", "ACCOUNT", "BEGUN", "")
			for _, in := range all {
				word := "something is left"
				switch {
				case in.Ended.IsZero():
					word = "cut off"
				case in.Clean():
					word = "done"
				}
				t.add(in.Plan.ID, in.Plan.Name, when(in.Begun, time.Now()), word)
			}
			return errors.Join(t.print(a.stdout), err)
		},
	}
	f.flags(cmd, fieldNames(incidentFields))
	return cmd
}

func (a *app) incidentsResume() *cobra.Command {
	var o respondOptions
	cmd := &cobra.Command{
		Use: "resume RESPONSE", Short: "Go on with a response that was cut off, or try again what failed",
		Example: `  wakey incidents resume 20261123-201500-3fa9`, Args: cobra.ExactArgs(1), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			in, err := m.Incident(args[0])
			if err != nil {
				return err
			}
			hooks, err := a.responseHooks(&o, in.Plan.Login)
			if err != nil {
				return err
			}
			in, err = m.ResumeResponse(cmd.Context(), args[0], hooks)
			return a.responded(in, err)
		},
	}
	a.responseFlags(cmd, &o)
	return cmd
}
