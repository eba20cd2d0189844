package cli

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"wakey/api"
	"wakey/session"
)

type exportOptions struct {
	tenant     string
	as         string
	search     string
	subTenants bool
}

func (a *app) usersExport() *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Print users as CSV or JSON Lines, as import reads them",
		Long: `Print users in the form that "wakey users import" reads. No password is among it: the stack tells
none. CSV has room for the main e-mail address alone, and marks with ' what a spreadsheet would take
for a formula; import takes the mark away.`,
		Example: `  wakey users export > users.csv
  wakey users export --format jsonl --sub-tenants > users.jsonl
  wakey users export --search baker`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.exportUsers(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.as, "format", string(session.UsersCSV), "print as `FORMAT`: csv or jsonl")
	flags.StringVar(&o.search, "search", "", "only users whose names or e-mails hold this `TEXT`")
	flags.BoolVar(&o.subTenants, "sub-tenants", false, "those of the tenants below, too")
	completeFormat(cmd)
	a.usersFlags(cmd, &o.tenant)
	return cmd
}

func (a *app) exportUsers(ctx context.Context, o exportOptions) error {
	kind, err := userFormat(o.as, "")
	if err != nil {
		return err
	}
	d, err := a.directory(ctx, o.tenant)
	if err != nil {
		return err
	}
	out := a.stdout
	var shown bytes.Buffer
	if isTerminal(a.stdout) { // what is shown to a person is made harmless first
		out = &shown
	}
	w, err := session.NewUserWriter(out, kind)
	if err != nil {
		return err
	}
	err = d.pages(ctx, api.ListOptions{Search: o.search, Recurse: o.subTenants}, pageSize, w.Write)
	err = errors.Join(err, w.Flush())
	if shown.Len() > 0 {
		_, werr := io.WriteString(a.stdout, cleanText(shown.String()))
		err = errors.Join(err, werr)
	}
	if err == nil && w.Further > 0 {
		a.talkf("%s more e-mail addresses, or an unconfirmed one, which CSV has no room for; --format jsonl has them.", map[bool]string{
			true: "1 user has", false: plural(w.Further, "user") + " have",
		}[w.Further == 1])
	}
	return err
}
