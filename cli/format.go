package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	template "github.com/DataDog/datadog-agent/pkg/template/text"
	"github.com/itchyny/gojq"
	"github.com/spf13/cobra"

	"wakey/api"
)

// field is one value of something that is printed as JSON.
type field[T any] struct {
	name string
	of   func(T) any
}

func fieldNames[T any](fields []field[T]) []string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.name
	}
	return all
}

// object picks the wanted fields of v.
func object[T any](fields []field[T], wanted []string, v T) map[string]any {
	o := make(map[string]any, len(wanted))
	for _, f := range fields {
		if slices.Contains(wanted, f.name) {
			o[f.name] = f.of(v)
		}
	}
	return o
}

func objects[T any](fields []field[T], wanted []string, list []T) []map[string]any {
	all := make([]map[string]any, len(list))
	for i, v := range list {
		all[i] = object(fields, wanted, v)
	}
	return all
}

// format is how a command prints for a program: --json, --jq, --template.
type format struct {
	json, jq, template string
	known              []string
}

// everyField is what a bare --json asks for.
const everyField = "all"

// jsonFields notes a command's field names where joinFields finds them.
const jsonFields = "json-fields"

func (f *format) flags(cmd *cobra.Command, known []string) {
	f.known = known
	flags := cmd.Flags()
	flags.StringVar(&f.json, "json", "", "print JSON, with these `FIELDS` (comma-separated) or all of them")
	flags.Lookup("json").NoOptDefVal = everyField
	flags.StringVarP(&f.jq, "jq", "q", "", "print what a jq `EXPRESSION` makes of the JSON")
	flags.StringVarP(&f.template, "template", "t", "", "print the JSON through a Go `TEMPLATE`")
	cmd.MarkFlagsMutuallyExclusive("jq", "template")
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[jsonFields] = strings.Join(known, ",")
	cmd.Long = strings.TrimRight(cmd.Long, "\n") + "\n\nFields for --json: " + strings.Join(known, ", ") + "."
}

// joinFields makes "--json a,b" of separate words one word, as a flag whose value may be left out needs it.
// The next word counts as fields when it is one of the command's, or holds a comma.
func joinFields(root *cobra.Command, args []string) []string {
	i := slices.Index(args, "--json")
	if i < 0 || i+1 == len(args) || slices.Contains(args[:i], "--") {
		return args
	}
	cmd, _, err := root.Find(args)
	if err != nil || cmd.Annotations[jsonFields] == "" {
		return args
	}
	known := strings.Split(cmd.Annotations[jsonFields], ",")
	if next := args[i+1]; strings.Contains(next, ",") || slices.Contains(known, next) {
		return slices.Concat(args[:i], []string{"--json=" + next}, args[i+2:])
	}
	return args
}

// on tells whether a program reads the output.
func (f *format) on() bool { return f.json != "" || f.jq != "" || f.template != "" }

// wanted are the fields asked for.
func (f *format) wanted() ([]string, error) {
	if f.json == "" || f.json == everyField {
		return f.known, nil
	}
	wanted := strings.Split(f.json, ",")
	for i, name := range wanted {
		wanted[i] = strings.TrimSpace(name)
		if !slices.Contains(f.known, wanted[i]) {
			return nil, usagef("there is no field %q; there are: %s", wanted[i], strings.Join(f.known, ", "))
		}
	}
	return wanted, nil
}

// printOne prints one thing for a program.
func printOne[T any](a *app, f *format, fields []field[T], v T) error {
	wanted, err := f.wanted()
	if err != nil {
		return err
	}
	return a.printJSON(f.jq, f.template, object(fields, wanted, v))
}

// printAll prints a list for a program.
func printAll[T any](a *app, f *format, fields []field[T], list []T) error {
	wanted, err := f.wanted()
	if err != nil {
		return err
	}
	return a.printJSON(f.jq, f.template, objects(fields, wanted, list))
}

// printJSON prints v as JSON, or what jq or a template makes of it.
func (a *app) printJSON(jq, tmpl string, v any) error {
	if jq == "" && tmpl == "" {
		b, err := encodeJSON(v)
		if err != nil {
			return err
		}
		_, err = a.stdout.Write(b)
		return err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var plain any
	if err := json.Unmarshal(b, &plain); err != nil {
		return err
	}
	if jq != "" {
		return a.printJQ(jq, plain)
	}
	t, err := template.New("template").Funcs(template.FuncMap{"join": joinAny, "json": jsonText}).Parse(tmpl)
	if err != nil {
		return usagef("--template: %w", err)
	}
	var out strings.Builder
	if err := t.Execute(&out, plain); err != nil {
		return usagef("--template: %w", err)
	}
	_, err = io.WriteString(a.stdout, a.forOutput(out.String()))
	return err
}

// printJQ prints each value that the expression gives on a line: texts as they are, the rest as JSON.
func (a *app) printJQ(expression string, v any) error {
	query, err := gojq.Parse(expression)
	if err != nil {
		return usagef("--jq: %w", err)
	}
	values := query.Run(v)
	for {
		v, ok := values.Next()
		if !ok {
			return nil
		}
		switch v := v.(type) {
		case error:
			return usagef("--jq: %w", v)
		case string:
			fmt.Fprintln(a.stdout, a.forOutput(v))
		default:
			b, err := gojq.Marshal(v)
			if err != nil {
				return err
			}
			fmt.Fprintf(a.stdout, "%s\n", api.CleanJSON(b))
		}
	}
}

// forOutput gives a text as it is to a program and made harmless to a terminal.
func (a *app) forOutput(s string) string {
	if !isTerminal(a.stdout) {
		return s
	}
	return cleanText(s)
}

// cleanText is api.Clean for a text of several lines, which may hold tabs.
func cleanText(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		cells := strings.Split(line, "\t")
		for j, cell := range cells {
			cells[j] = api.Clean(cell)
		}
		lines[i] = strings.Join(cells, "\t")
	}
	return strings.Join(lines, "\n")
}

// encodeJSON gives indented JSON that is safe to show on a terminal.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return api.CleanJSON(b.Bytes()), nil
}

func joinAny(sep string, list []any) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, sep)
}

func jsonText(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}
