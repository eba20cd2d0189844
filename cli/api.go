package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"wakey/api"
	"wakey/session"
)

type apiOptions struct {
	method   string
	path     string
	texts    []string // -f
	typed    []string // -F
	headers  []string
	input    string
	tenant   string
	include  bool
	paginate bool
	silent   bool
	jq       string
	template string
}

func (a *app) apiCommand() *cobra.Command {
	var o apiOptions
	cmd := &cobra.Command{
		Use:     "api [METHOD] PATH",
		Short:   "Send a request to any service of the stack",
		GroupID: groupServer,
		Long: `Send a request to any service of the stack, with a good access token, and print the answer. PATH
starts below the stack's /api: /auth/0.1/users, /confd/1.1/infos. {user_uuid}, {tenant_uuid} and
{session_uuid} in it stand for the account's own.

The method is GET, or POST when there are fields or an input. Fields make a JSON object; with GET
they make the query. -F reads true, false, null and numbers as such, and @FILE as a file's text; KEY
may be nested: -F 'emails[0][main]=true'.

A token that turns out to be dead is refreshed and the request sent once more.`,
		Example: `  wakey api /auth/0.1/users/me/tokens
  wakey api '/auth/0.1/users/{user_uuid}/sessions' --jq '.items[].uuid'
  wakey api /confd/1.1/users --paginate --jq '.items | length'
  wakey api PUT '/auth/0.1/users/{user_uuid}/emails' --input emails.json
  wakey api POST /auth/0.1/users -f username=carol -F enabled=false --tenant 8e1a3c5e-0000-4000-8000-000000000001`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.path = args[len(args)-1]
			if len(args) == 2 {
				if o.method != "" {
					return usagef("the method is given twice")
				}
				o.method = args[0]
			}
			return a.api(cmd.Context(), &o)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.method, "method", "X", "", "the HTTP `METHOD`")
	flags.StringArrayVarP(&o.texts, "raw-field", "f", nil, "add a text field `KEY=VALUE`")
	flags.StringArrayVarP(&o.typed, "field", "F", nil, "add a typed field `KEY=VALUE`")
	flags.StringArrayVarP(&o.headers, "header", "H", nil, "add a header `NAME: VALUE`")
	flags.StringVar(&o.input, "input", "", "send this `FILE` as the body (- for standard input)")
	flags.StringVar(&o.tenant, "tenant", "", "work in the tenant of this `UUID` (header Wazo-Tenant)")
	flags.BoolVarP(&o.include, "include", "i", false, "print the answer's status and headers, too")
	flags.BoolVar(&o.paginate, "paginate", false, "fetch every page of a list and make one of them")
	flags.BoolVar(&o.silent, "silent", false, "don't print the answer")
	flags.StringVarP(&o.jq, "jq", "q", "", "print what a jq `EXPRESSION` makes of the answer")
	flags.StringVarP(&o.template, "template", "t", "", "print the answer through a Go `TEMPLATE`")
	a.accountFlags(cmd)
	cmd.MarkFlagsMutuallyExclusive("jq", "template", "silent", "include")
	cmd.MarkFlagsMutuallyExclusive("paginate", "include")
	cmd.MarkFlagsMutuallyExclusive("paginate", "input")
	return cmd
}

// apiRequest is a request as it can be sent any number of times.
type apiRequest struct {
	method string
	path   string
	header http.Header
	body   []byte
}

func (a *app) api(ctx context.Context, o *apiOptions) error {
	r, err := a.apiRequest(o)
	if err != nil {
		return err
	}
	m, c, err := a.opened(ctx, nil)
	if err != nil {
		return err
	}
	return m.Do(ctx, c.ID, func(ctx context.Context, client *api.Client, token api.Secret) error {
		account, err := m.Account(string(c.ID)) // Do may have refreshed
		if err != nil {
			return err
		}
		r := r
		r.path = fillIn(r.path, account)
		if o.paginate {
			return a.apiPages(ctx, client, token, r, o)
		}
		return a.apiOnce(ctx, client, token, r, o)
	})
}

// apiRequest makes the request that the options describe.
func (a *app) apiRequest(o *apiOptions) (apiRequest, error) {
	r := apiRequest{method: strings.ToUpper(o.method), path: strings.TrimPrefix(o.path, "/api"), header: http.Header{}}
	fields, err := parseFields(o.texts, o.typed, a.stdin)
	if err != nil {
		return r, err
	}
	if o.input != "" && r.method == "" || fields != nil && r.method == "" {
		r.method = http.MethodPost
	}
	if r.method == "" {
		r.method = http.MethodGet
	}
	if o.paginate && r.method != http.MethodGet {
		return r, usagef("--paginate is for GET")
	}
	r.header.Set("Accept", "application/json")
	for _, h := range o.headers {
		name, value, ok := strings.Cut(h, ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return r, usagef("a header is NAME: VALUE")
		}
		if strings.EqualFold(name, "X-Auth-Token") {
			return r, usagef("wakey puts X-Auth-Token in by itself")
		}
		r.header.Add(name, strings.TrimSpace(value))
	}
	if o.tenant != "" {
		r.header.Set("Wazo-Tenant", o.tenant)
	}
	switch {
	case o.input != "" && fields != nil:
		return r, usagef("--input and fields exclude each other")
	case o.input != "":
		r.body, err = readInput(o.input, a.stdin)
	case fields != nil && r.method == http.MethodGet:
		r.path, err = withQuery(r.path, fields)
	case fields != nil:
		r.body, err = encodeJSON(fields)
	}
	if r.body != nil && r.header.Get("Content-Type") == "" {
		r.header.Set("Content-Type", "application/json")
	}
	return r, err
}

// inputLimit bounds the body of a request, which is kept to be sent again.
const inputLimit = 256 << 20

func readInput(path string, stdin io.Reader) ([]byte, error) {
	r := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, usagef("--input: %w", err)
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, inputLimit+1))
	if len(b) > inputLimit {
		return nil, usagef("--input: it is longer than %d bytes", inputLimit)
	}
	return b, err
}

// fillIn puts the account's own uuids into a path.
func fillIn(path string, account session.Account) string {
	return strings.NewReplacer(
		"{user_uuid}", url.PathEscape(account.UserUUID),
		"{tenant_uuid}", url.PathEscape(account.TenantUUID),
		"{session_uuid}", url.PathEscape(account.SessionUUID),
	).Replace(path)
}

func (r apiRequest) send(ctx context.Context, client *api.Client, token api.Secret) (*http.Response, error) {
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	return client.Do(ctx, r.method, r.path, r.header, body, token)
}

// apiOnce sends the request and prints the answer.
func (a *app) apiOnce(ctx context.Context, client *api.Client, token api.Secret, r apiRequest, o *apiOptions) error {
	resp, err := r.send(ctx, client, token)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return a.apiFailed(ctx, client, token, resp, o)
	}
	if o.include {
		a.printHead(resp)
	}
	switch {
	case o.silent:
		_, err = io.Copy(io.Discard, resp.Body)
	case o.jq != "" || o.template != "":
		var v any
		if v, err = decodeJSON(resp.Body); err == nil {
			err = a.printJSON(o.jq, o.template, v)
		}
	case isTerminal(a.stdout):
		err = a.showBody(resp.Body)
	default:
		_, err = io.Copy(a.stdout, resp.Body)
	}
	return err
}

// showBody prints an answer for a person: JSON indented, anything else made harmless.
func (a *app) showBody(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if v, jsonErr := decodeJSON(bytes.NewReader(b)); jsonErr == nil {
		return a.printJSON("", "", v)
	}
	_, err = io.WriteString(a.stdout, cleanText(string(b)))
	return err
}

// printHead prints status and headers, made harmless: they are one line each.
func (a *app) printHead(resp *http.Response) {
	fmt.Fprintf(a.stdout, "%s %s\n", resp.Proto, api.Clean(resp.Status))
	var head strings.Builder
	_ = resp.Header.Write(&head) // a strings.Builder takes everything
	for line := range strings.Lines(head.String()) {
		fmt.Fprintln(a.stdout, api.Clean(strings.TrimRight(line, "\r\n")))
	}
	fmt.Fprintln(a.stdout)
}

// failureLimit bounds what is shown of an answer that refuses.
const failureLimit = 1 << 20

// apiFailed says what an answer that is no success means. A 401 can mean a dead token or a missing
// permission; the body differs from service to service and version to version, so wazo-auth is asked
// which it is (HEAD /token/TOKEN, contract 6). An error that is api.ErrTokenDead makes the caller refresh
// and repeat, so nothing is printed then.
func (a *app) apiFailed(ctx context.Context, client *api.Client, token api.Secret, resp *http.Response, o *apiOptions) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, failureLimit))
	if err != nil {
		return err
	}
	said := readRefusal(body)
	tame := func(s string) string { return api.Clean(api.Redact(s, token)) }
	failure := fmt.Errorf("the stack answers %s", tame(resp.Status))
	if said.message != "" {
		failure = fmt.Errorf("%w: %s", failure, tame(said.message))
	}
	if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
		if err := client.CheckToken(ctx, token, "", ""); errors.Is(err, api.ErrTokenDead) {
			return err
		}
		switch {
		case said.id == "unauthorized-tenant":
			failure = &api.Error{Kind: api.KindWrongTenant, Status: resp.StatusCode, Tenant: api.Clean(o.tenant)}
		case said.id == "unauthorized" || said.access != "" || resp.StatusCode == http.StatusForbidden:
			failure = &api.Error{Kind: api.KindPermission, Status: resp.StatusCode, Permission: tame(said.access)}
		}
	}
	if resp.StatusCode >= 500 {
		failure = fmt.Errorf("%w%w", failure, quiet{api.ErrServer})
	}
	if o.include {
		a.printHead(resp)
	}
	if !o.silent {
		// The body repeats the token (details.invalid_token, contract 2).
		text := api.Redact(string(body), token)
		if err := a.showFailure(text); err != nil {
			return err
		}
	}
	return failure
}

func (a *app) showFailure(text string) error {
	if isTerminal(a.stdout) {
		return a.showBody(strings.NewReader(text))
	}
	_, err := io.WriteString(a.stdout, text)
	return err
}

// quiet is an error that is there for errors.Is alone.
type quiet struct{ err error }

func (q quiet) Error() string { return "" }
func (q quiet) Unwrap() error { return q.err }
