package cli

import (
	"time"

	"github.com/spf13/cobra"

	"wakey/internal/authd"
)

func (a *app) serveCommand() *cobra.Command {
	var o authd.ServeOptions
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "Run a wazo-auth in memory, to test clients against",
		GroupID: groupMachine,
		Long: `Run a wazo-auth in memory until it is interrupted: for trying things out and for testing clients of
Wazo Platform. It listens with HTTPS and a certificate made on the spot, and prints one line of JSON
with its url and its fingerprint. Without --seed it holds the users alice, bob and admin, whose
passwords are alice-demo, bob-demo and admin-demo.

A seed names tenants and users:

  [[tenant]]                      # parent: another tenant's uuid, name or slug
  uuid = "11111111-1111-4111-8111-111111111111"
  name = "Example"
  slug = "example"
  domain_names = ["example.com"]

  [[user]]                        # also uuid, firstname, lastname, purpose, authentication_method
  username = "carol"
  password = "secret"
  tenant = "example"              # not needed where there is just one
  emails = [{ address = "carol@example.com", main = true, confirmed = true }]
  groups = ["staff"]              # or admin = true, an administrator of the tenant
  acl = ["auth.users.read"]       # on top of what every user may do
  enabled = true

  [[user]]
  username = "root"
  password = "secret"
  master = true                   # of the master tenant, may do everything`,
		Example: `  wakey serve
  wakey serve --listen 127.0.0.1:9497 --plain-http --token-lifetime 5m
  wakey serve --seed users.toml --timezone America/Toronto --log requests.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return authd.Serve(cmd.Context(), o, a.stdout)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Listen, "listen", "127.0.0.1:0", "`ADDRESS` to listen on; port 0 takes a free one")
	flags.StringVar(&o.SeedFile, "seed", "", "TOML `FILE` with the tenants and users to hold")
	flags.BoolVar(&o.PlainHTTP, "plain-http", false, "listen without TLS")
	flags.DurationVar(&o.TokenLifetime, "token-lifetime", 2*time.Hour, "how long an access token lives when none is asked for")
	flags.IntVar(&o.MaxSessions, "max-sessions", 100, "how many sessions a user may have")
	flags.StringVar(&o.Timezone, "timezone", "", "time `ZONE` of the server (default UTC)")
	flags.StringVar(&o.LogFile, "log", "", "append a line of JSON for each request to `FILE`")
	_ = cmd.MarkFlagFilename("seed", "toml")
	return cmd
}
