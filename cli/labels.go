package cli

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"wakey/api"
	"wakey/session"
)

var labelFields = []field[session.KnownClient]{
	{"stack", func(c session.KnownClient) any { return c.Stack }},
	{"user_uuid", func(c session.KnownClient) any { return c.UserUUID }},
	{"client_id", func(c session.KnownClient) any { return c.ClientID }},
	{"label", func(c session.KnownClient) any { return c.Label }},
}

func (a *app) labelsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "labels",
		Short: "List, export and import the labels of client_ids",
		Long: `The labels of client_ids say whose a refresh token is: "my phone", "CI". They are kept on this
machine; export and import carry them to another one.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.labelsList(), a.labelsExport(), a.labelsImport())
	return cmd
}

func (a *app) labelsList() *cobra.Command {
	var f format
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the labels of this machine",
		Example: `  wakey refresh-tokens labels list`, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			all, err := m.KnownClients()
			if err != nil {
				return err
			}
			if f.on() {
				return printAll(a, &f, labelFields, all)
			}
			t := newTable("LABEL", "CLIENT_ID", "STACK", "USER")
			for _, c := range all {
				t.add(c.Label, c.ClientID, api.StackName(c.Stack), c.UserUUID)
			}
			return t.print(a.stdout)
		},
	}
	f.flags(cmd, fieldNames(labelFields))
	return cmd
}

func (a *app) labelsExport() *cobra.Command {
	return &cobra.Command{
		Use: "export", Short: "Print the labels, and this machine's own client_ids, for another machine",
		Long: `Print all labels, and this machine's own client_ids under its name, as TOML. It holds no secrets.
Another machine takes them in with "wakey refresh-tokens labels import".`,
		Example: `  wakey refresh-tokens labels export > labels.toml`, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			return m.ExportClients(cmd.Context(), a.stdout)
		},
	}
}

func (a *app) labelsImport() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Take in labels that another machine exported",
		Long: `Show which labels of FILE are new or different, and take them in after a yes. FILE is what
"wakey refresh-tokens labels export" printed on another machine; "-" is standard input. Whoever
takes labels in vouches for their clients: they are no longer told as unknown, and a response to a
theft leaves them alone.`,
		Example: `  wakey refresh-tokens labels import labels.toml`, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.importLabels(cmd.Context(), args[0], yes)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "don't ask")
	return cmd
}

func (a *app) importLabels(ctx context.Context, name string, yes bool) error {
	m, err := a.open(ctx)
	if err != nil {
		return err
	}
	in := a.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	add, err := session.ReadClients(in)
	if err != nil {
		return fmt.Errorf("%s: %w", api.Clean(name), err)
	}
	have, err := m.KnownClients()
	if err != nil {
		return err
	}
	add = slices.DeleteFunc(add, func(c session.KnownClient) bool { return slices.Contains(have, c) })
	if len(add) == 0 {
		a.talkf("There is nothing new in it.")
		return nil
	}
	var t table
	for _, c := range add {
		was := ""
		if i := slices.IndexFunc(have, c.Same); i >= 0 {
			was = "instead of " + have[i].Label
		}
		t.add(c.Label, c.ClientID, "on "+api.StackName(c.Stack), "of the user "+c.UserUUID, was)
	}
	if err := t.print(a.stderr); err != nil {
		return err
	}
	if err := a.agree(ctx, yes); err != nil {
		return err
	}
	if err := m.AddClients(add); err != nil {
		return err
	}
	a.talkf("Labels taken in: %d.", len(add))
	return nil
}
