package cli

import (
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
	verify bool
	hash   string
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
		Short:   "Show what wakey did and noticed, and prove that the log is whole",
		GroupID: groupMachine,
		Long: `Show the log of everything wakey did and noticed on this machine. It holds no secrets. Each line
carries the hash of the one before: --verify finds lines that were changed, cut or taken out, and
prints the last hash; --hash holds the log against a hash noted down earlier.`,
		Example: `  wakey log
  wakey log -n 20 --account prod
  wakey log --since 24h --jq '.[] | select(.level == "alarm") | .text'
  wakey log --verify`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			audit := session.OpenAudit(session.DefaultDir())
			if o.verify || o.hash != "" {
				return a.verifyLog(audit, o.hash)
			}
			return a.showLog(audit, &o)
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&o.since, "since", 0, "only what is not older than this")
	flags.IntVarP(&o.last, "last", "n", 0, "only the last `NUMBER` entries")
	flags.BoolVar(&o.verify, "verify", false, "check that the log is whole")
	flags.StringVar(&o.hash, "hash", "", "check it against this `HASH`, noted down earlier")
	flags.StringVarP(&a.account, "account", "a", "", "only this account's `NAME`")
	_ = cmd.RegisterFlagCompletionFunc("account", completeAccounts)
	o.format.flags(cmd, fieldNames(logFields))
	cmd.MarkFlagsMutuallyExclusive("verify", "json")
	return cmd
}

func (a *app) showLog(audit *session.Audit, o *logOptions) error {
	var filter session.AuditFilter
	if o.since > 0 {
		filter.Since = time.Now().Add(-o.since)
	}
	var entries []session.Entry
	for e, err := range audit.Read(filter) {
		if err != nil {
			a.talkf("wakey: %s", api.Clean(err.Error()))
			continue
		}
		if a.account == "" || e.Name == a.account || e.Account == session.ID(a.account) {
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
