package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"wakey/api"
	"wakey/session"
)

type logOptions struct {
	since  time.Duration
	last   int
	format format
}

var logFields = []field[session.Entry]{
	{"n", func(e session.Entry) any { return e.N }},
	{"time", func(e session.Entry) any { return rfc3339(e.Time) }},
	{"account", func(e session.Entry) any { return e.Name }},
	{"id", func(e session.Entry) any { return e.Account }},
	{"op", func(e session.Entry) any { return e.Op }},
	{"level", func(e session.Entry) any { return levelName(e.Level) }},
	{"text", func(e session.Entry) any { return e.Text }},
	{"fields", func(e session.Entry) any { return e.Fields }},
	{"hash", func(e session.Entry) any { return e.Hash }},
}

func levelName(l session.Level) string {
	switch l {
	case session.Warn:
		return "warning"
	case session.Alarm:
		return "alarm"
	default:
		return "info"
	}
}

func (a *app) logCommand() *cobra.Command {
	var o logOptions
	cmd := &cobra.Command{
		Use:     "log",
		Short:   "Show what wakey did and noticed, prove that it is whole, write reports",
		GroupID: groupMachine,
		Long: `Show the log of everything wakey did and noticed on this machine. It holds no secrets. Each line
carries the hash of the one before, so that "wakey log verify" finds what was changed or taken out.`,
		Example: `  wakey log
  wakey log -n 20 --account prod
  wakey log --since 24h --jq '.[] | select(.level == "alarm") | .text'`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return a.showLog(session.OpenAudit(session.DefaultDir()), &o)
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&o.since, "since", 0, "only what is not older than this")
	flags.IntVarP(&o.last, "last", "n", 0, "only the last `NUMBER` entries")
	flags.StringVarP(&a.account, "account", "a", "", "only this account's `NAME`")
	_ = cmd.RegisterFlagCompletionFunc("account", completeAccounts)
	o.format.flags(cmd, fieldNames(logFields))
	cmd.AddCommand(a.logVerify(), a.logExport())
	return cmd
}

func (a *app) logVerify() *cobra.Command {
	var noted string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Find lines of the log that were changed, cut, moved or taken out",
		Long: `Hold each line of the log against the one before, and the last one against a note of it beside the
log. It prints the last line's hash. Note that down elsewhere: whoever may write the log can also
write it anew as a whole, and only a hash noted down earlier, given with --hash, tells.`,
		Example: `  wakey log verify`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return a.verifyLog(session.OpenAudit(session.DefaultDir()), noted)
		},
	}
	cmd.Flags().StringVar(&noted, "hash", "", "hold the log against this `HASH`, noted down earlier")
	return cmd
}

func (a *app) logExport() *cobra.Command {
	var incident, dir string
	cmd := &cobra.Command{
		Use:   "export --incident RESPONSE",
		Short: "Write the report of a response, as Markdown and as JSON",
		Long: `Write the report of a response to a theft: what was noticed, what was done and when, what is proven
dead and what can't be proven, and the lines of the log with their hashes. It is written twice, as
Markdown for people and as JSON for programs, without secrets. "wakey incidents list" names the
responses of this machine.`,
		Example: `  wakey log export --incident 20261123-201500-3fa9
  wakey log export --incident 20261123-201500-3fa9 --to reports`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.exportLog(cmd.Context(), incident, dir)
		},
	}
	cmd.Flags().StringVar(&incident, "incident", "", "which `RESPONSE`")
	cmd.Flags().StringVar(&dir, "to", ".", "the `DIRECTORY` to write to")
	return cmd
}

// exportLog writes the two files, which only their owner may read: they hold names, if no secrets.
func (a *app) exportLog(ctx context.Context, incident, dir string) error {
	if incident == "" {
		return usagef("the report of which response? --incident names it, and \"wakey incidents list\" lists them")
	}
	m, err := a.open(ctx)
	if err != nil {
		return err
	}
	names, err := m.WriteReport(incident, dir)
	for _, name := range names {
		fmt.Fprintln(a.stdout, name)
	}
	return err
}

func (a *app) showLog(audit *session.Audit, o *logOptions) error {
	var filter session.AuditFilter
	if o.since > 0 {
		filter.Since = time.Now().Add(-o.since)
	}
	id := session.ID(a.account)
	if known, err := session.ReadIndex(session.DefaultDir()); err == nil { // it may have had another name then
		if i := slices.IndexFunc(known, func(k session.Account) bool { return k.Name == a.account }); i >= 0 {
			id = known[i].ID
		}
	}
	var entries []session.Entry
	for e, err := range audit.Read(filter) {
		if err != nil {
			a.talkf("wakey: %s", api.Clean(err.Error()))
			continue
		}
		if a.account == "" || e.Name == a.account || e.Account == id {
			entries = append(entries, e)
		}
	}
	if o.last > 0 && len(entries) > o.last {
		entries = slices.Clip(entries[len(entries)-o.last:])
	}
	if o.format.on() {
		return printAll(a, &o.format, logFields, entries)
	}
	var t table
	for _, e := range entries {
		mark := ""
		if e.Level > session.Info {
			mark = levelName(e.Level)
		}
		t.add(e.Time.Local().Format(time.DateTime), e.Name, e.Op, mark, e.Text)
	}
	return t.print(a.stdout)
}

func (a *app) verifyLog(audit *session.Audit, noted string) error {
	r, err := audit.Verify(noted)
	if err != nil {
		return err
	}
	for _, flaw := range r.Torn {
		a.talkf("wakey: %s (cut off by a crash, which the next line tells)", api.Clean(flaw.String()))
	}
	for _, flaw := range r.Flaws {
		a.talkf("wakey: %s", api.Clean(flaw.String()))
	}
	if !r.OK() {
		return fmt.Errorf("the log is not what was written, flaws: %d", len(r.Flaws))
	}
	if r.Lines == 0 {
		a.talkf("The log is empty.")
		return nil
	}
	a.talkf("The log is whole: lines %d to %d, %s to %s. Its last hash is", r.First, r.Last,
		r.From.Local().Format(time.DateTime), r.To.Local().Format(time.DateTime))
	_, err = fmt.Fprintln(a.stdout, r.Hash)
	return err
}
