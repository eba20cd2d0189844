package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"wakey/api"
	"wakey/session"
)

type importOptions struct {
	format

	tenant   string
	as       string
	parallel int
	rate     float64
	failed   bool
	dryRun   bool
	yes      bool
}

var importFields = []field[session.ImportedUser]{
	{"line", func(u session.ImportedUser) any { return u.Line }},
	{"user", func(u session.ImportedUser) any { return u.Name() }},
	{"outcome", func(u session.ImportedUser) any { return string(u.Outcome) }},
	{"uuid", func(u session.ImportedUser) any { return orNull(u.UUID) }},
	{"changed", func(u session.ImportedUser) any { return append([]string{}, u.Fields...) }},
	{"error", func(u session.ImportedUser) any {
		if u.Err == nil {
			return nil
		}
		return u.Err.Error()
	}},
}

func (a *app) usersImport() *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Create and change users as a file says",
		Long: `Make the stack have the users of a file: create who is not there, change what the file has and the
stack has not, leave the rest alone. Nobody is deleted. FILE is CSV, whose first line names the
columns, or JSON Lines, one object a line; - is standard input. A line needs a uuid, a username or
an e-mail address, by which a user is recognised that is there already.

Fields: ` + strings.Join(session.UserFields[:5], ", ") + `,
` + strings.Join(session.UserFields[5:], ", ") + `, and in JSON Lines
emails, a list of objects with address, main and confirmed. A field that is left out stays as it is,
and so does one that is empty; but an empty firstname or lastname is taken away. A password is set
when the user is created, and never again.

The whole file is checked first. An import that was cut off is run again: it goes on where it was.
Each line is reported on standard output, with what was done or what is wrong. The exit status is 7
when some lines failed.`,
		Example: `  wakey users import users.csv --dry-run
  wakey users import users.csv --yes --only-failed
  wakey users import users.jsonl --yes --parallel 8 --rate 20 --json line,outcome,error
  wakey users export --format jsonl | wakey users import - --format jsonl --yes`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeFiles("csv", "jsonl"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.importUsers(cmd.Context(), args[0], &o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.as, "format", "", "read the file as `FORMAT`: csv or jsonl (default: by its name)")
	flags.IntVar(&o.parallel, "parallel", 4, "have `N` requests under way at once, 8 at most")
	flags.Float64Var(&o.rate, "rate", 0, "create or change `N` users a second at most (default: as fast as the stack answers)")
	flags.BoolVar(&o.failed, "only-failed", false, "report only the lines that failed")
	flags.BoolVar(&o.dryRun, "dry-run", false, "report what would be done, and do nothing")
	flags.BoolVarP(&o.yes, "yes", "y", false, "don't ask")
	completeFormat(cmd)
	a.usersFlags(cmd, &o.tenant)
	o.flags(cmd, fieldNames(importFields))
	return cmd
}

func completeFiles(extensions ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return extensions, cobra.ShellCompDirectiveFilterFileExt
	}
}

func completeFormat(cmd *cobra.Command) {
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{string(session.UsersCSV), string(session.UsersJSONL)}, cobra.ShellCompDirectiveNoFileComp))
}

// userFormat is the format that a flag or a file's name says.
func userFormat(flag, path string) (session.UserFormat, error) {
	if flag == "" {
		switch strings.ToLower(filepath.Ext(path)) {
		case ".csv":
			return session.UsersCSV, nil
		case ".jsonl", ".ndjson":
			return session.UsersJSONL, nil
		}
		return "", usagef("is it csv or jsonl? the file's name does not tell: give --format")
	}
	for _, f := range []session.UserFormat{session.UsersCSV, session.UsersJSONL} {
		if flag == string(f) {
			return f, nil
		}
	}
	return "", usagef("--format is csv or jsonl")
}

func (a *app) importUsers(ctx context.Context, path string, o *importOptions) error {
	kind, err := userFormat(o.as, path)
	if err != nil {
		return err
	}
	if o.parallel < 1 || o.parallel > session.MaxParallel {
		return usagef("--parallel is 1 to %d", session.MaxParallel)
	}
	if o.rate < 0 || o.rate > 1000 {
		return usagef("--rate is 1000 at most")
	}
	lines, err := a.readUsers(path, kind)
	if err != nil {
		return err
	}
	d, err := a.directory(ctx, o.tenant)
	if err != nil {
		return err
	}
	if !o.dryRun && !o.yes {
		a.talkf("On %s, this creates and changes users as %s of %s say.", stackName(d.account.Account), plural(len(lines), "line"), api.Clean(path))
		if err := a.agreeTo(ctx, false, "nobody was imported"); err != nil {
			return err
		}
	}
	r := importReport{app: a, o: o, bar: newProgress(a.stderr, len(lines))}
	count, err := d.ImportUsers(ctx, d.account.ID, lines, session.ImportOptions{
		Tenant: d.tenant, Parallel: o.parallel, Rate: o.rate, Source: path, DryRun: o.dryRun, Report: r.add,
	})
	r.bar.end()
	if o.on() {
		if perr := printAll(a, &o.format, importFields, r.all); perr != nil {
			return errors.Join(err, perr)
		}
	}
	return a.imported(count, len(lines), o.dryRun, errors.Join(err, r.err))
}

// readUsers reads and checks the file. What is wrong with its lines is told in full.
func (a *app) readUsers(path string, kind session.UserFormat) ([]session.UserLine, error) {
	in := a.stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	lines, err := session.ReadUsers(in, kind)
	if err != nil {
		return nil, fmt.Errorf("%w\nnothing was imported: correct the file first", err)
	}
	return lines, nil
}

// imported says what an import came to.
func (a *app) imported(count session.ImportCount, lines int, dry bool, err error) error {
	verb := map[bool]string{true: "would be ", false: ""}[dry]
	var parts []string
	for _, outcome := range []session.UserOutcome{session.UserCreated, session.UserChanged, session.UserUnchanged, session.UserFailed} {
		if n := count[outcome]; n > 0 {
			word := string(outcome)
			if outcome == session.UserCreated || outcome == session.UserChanged {
				word = verb + word
			}
			parts = append(parts, strconv.Itoa(n)+" "+word)
		}
	}
	if len(parts) > 0 {
		a.talkf("%s: %s.", plural(lines, "line"), strings.Join(parts, ", "))
	}
	failed := count[session.UserFailed]
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("the import was cut off%w\nrun it again to go on", quiet{err})
	case err != nil:
		if _, ok := errors.AsType[*session.UnfinishedImportError](err); ok {
			return fmt.Errorf("%w\nrun the same import again to go on", err)
		}
		return err
	case failed == lines && failed > 0:
		return fmt.Errorf("%s failed", plural(failed, "line"))
	case failed > 0:
		return fmt.Errorf("%w: %d of %s failed", errPartly, failed, plural(lines, "line"))
	}
	return nil
}

// importReport prints a line for each line.
type importReport struct {
	*app

	o   *importOptions
	bar *progress
	all []session.ImportedUser // for --json
	err error                  // of printing
}

func (r *importReport) add(u session.ImportedUser) {
	defer r.bar.step(u.Outcome == session.UserFailed)
	if r.o.failed && u.Outcome != session.UserFailed {
		return
	}
	if r.o.on() {
		r.all = append(r.all, u)
		return
	}
	text := strconv.Itoa(u.Line) + "\t" + string(u.Outcome) + "\t" + shortened(api.Clean(u.Name()))
	if len(u.Fields) > 0 {
		text += "\t" + strings.Join(u.Fields, ", ")
	}
	if u.Err != nil {
		text += "\t" + shortened(api.Clean(u.Err.Error()))
	}
	if isTerminal(r.stdout) {
		r.bar.clear()
	}
	if _, err := io.WriteString(r.stdout, text+"\n"); r.err == nil {
		r.err = err
	}
}
