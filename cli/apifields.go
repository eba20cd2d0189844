package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"wakey/api"
)

// parseFields makes an object of -f and -F; nil when there are none.
func parseFields(texts, typed []string, stdin io.Reader) (map[string]any, error) {
	var fields map[string]any
	add := func(field string, value func(string) (any, error)) error {
		key, text, ok := strings.Cut(field, "=")
		if !ok || key == "" {
			return usagef("a field is KEY=VALUE")
		}
		v, err := value(text)
		if err != nil {
			return err
		}
		if fields == nil {
			fields = map[string]any{}
		}
		return setField(fields, key, v)
	}
	for _, field := range texts {
		if err := add(field, func(s string) (any, error) { return s, nil }); err != nil {
			return nil, err
		}
	}
	for _, field := range typed {
		if err := add(field, func(s string) (any, error) { return typedValue(s, stdin) }); err != nil {
			return nil, err
		}
	}
	return fields, nil
}

// typedValue reads the value of -F.
func typedValue(s string, stdin io.Reader) (any, error) {
	switch s {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil //nolint:nilnil // null is a value
	}
	if path, ok := strings.CutPrefix(s, "@"); ok {
		b, err := readInput(path, stdin)
		return string(b), err
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	return s, nil
}

// setField sets a field whose key may lead into objects and lists: emails[0][main], acl[].
func setField(fields map[string]any, key string, value any) error {
	name, rest, nested := strings.Cut(key, "[")
	if name == "" {
		return usagef("the field %q has no name", key)
	}
	if !nested {
		fields[name] = value
		return nil
	}
	if !strings.HasSuffix(rest, "]") {
		return usagef("the field %q lacks a ]", key)
	}
	steps := strings.Split(strings.TrimSuffix(rest, "]"), "][")
	v, err := setStep(fields[name], steps, value)
	if err != nil {
		return usagef("the field %q %w", key, err)
	}
	fields[name] = v
	return nil
}

// setStep gives what there is at one step of a key with the value put in below it.
func setStep(there any, steps []string, value any) (any, error) {
	if len(steps) == 0 {
		return value, nil
	}
	step := steps[0]
	index, err := strconv.Atoi(step)
	if step != "" && err != nil {
		object, ok := there.(map[string]any)
		if there == nil {
			object, ok = map[string]any{}, true
		}
		if !ok {
			return nil, fmt.Errorf("is no object at %q", step)
		}
		object[step], err = setStep(object[step], steps[1:], value)
		return object, err
	}
	list, ok := there.([]any)
	if !ok && there != nil {
		return nil, fmt.Errorf("is no list at %q", step)
	}
	if step == "" {
		index = len(list)
	}
	switch {
	case index < 0 || index > len(list):
		return nil, fmt.Errorf("leaves out items before %d", index)
	case index == len(list):
		list = append(list, nil)
	}
	list[index], err = setStep(list[index], steps[1:], value)
	return list, err
}

// withQuery adds fields to a path's query.
func withQuery(path string, fields map[string]any) (string, error) {
	path, query, _ := strings.Cut(path, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", usagef("the query of the path: %w", err)
	}
	for key, v := range fields {
		switch v := v.(type) {
		case map[string]any:
			return "", usagef("the field %q can't stand in a query", key)
		case []any:
			for _, item := range v {
				values.Add(key, fmt.Sprint(item))
			}
		case nil:
			values.Add(key, "")
		default:
			values.Add(key, fmt.Sprint(v))
		}
	}
	return path + "?" + values.Encode(), nil
}

// pageSize is how many items a page asks for.
const pageSize = 500

// apiPages fetches a list page by page and prints it as if it had come at once.
func (a *app) apiPages(ctx context.Context, client *api.Client, token api.Secret, r apiRequest, o *apiOptions) error {
	var whole map[string]any
	items := []any{}
	path, query, _ := strings.Cut(r.path, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return usagef("the query of the path: %w", err)
	}
	// Sessions keep no order between pages, and wazo-auth has no limit of its own (contract 8).
	if !strings.HasSuffix(path, "/sessions") && !values.Has("limit") {
		values.Set("limit", strconv.Itoa(pageSize))
	}
	for {
		if len(items) > 0 {
			values.Set("offset", strconv.Itoa(len(items)))
		}
		r.path = path
		if len(values) > 0 {
			r.path += "?" + values.Encode()
		}
		page, err := a.apiPage(ctx, client, token, r, o)
		if err != nil {
			return err
		}
		list, ok := page["items"].([]any)
		if !ok {
			return errors.New("the answer is no list of items, so it has no pages; leave --paginate out")
		}
		items = append(items, list...)
		whole = page
		total, counted := count(page, "filtered", "total")
		if len(list) == 0 || !values.Has("limit") || counted && int64(len(items)) >= total {
			break
		}
	}
	if o.silent {
		return nil
	}
	whole["items"] = items
	return a.printJSON(o.jq, o.template, whole)
}

func (a *app) apiPage(ctx context.Context, client *api.Client, token api.Secret, r apiRequest, o *apiOptions) (map[string]any, error) {
	resp, err := r.send(ctx, client, token)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, a.apiFailed(ctx, client, token, resp, o)
	}
	v, err := decodeJSON(resp.Body)
	page, _ := v.(map[string]any)
	return page, err
}

// count reads the first of a list's counts that is there.
func count(page map[string]any, names ...string) (int64, bool) {
	for _, name := range names {
		if n, ok := page[name].(json.Number); ok {
			i, err := n.Int64()
			return i, err == nil
		}
	}
	return 0, false
}

// answerLimit bounds an answer that is kept in memory, in bytes.
const answerLimit = 256 << 20

// decodeJSON reads one JSON value and keeps its numbers as they are.
func decodeJSON(r io.Reader) (any, error) {
	b, err := io.ReadAll(io.LimitReader(r, answerLimit+1))
	if err != nil {
		return nil, err
	}
	if len(b) > answerLimit {
		return nil, fmt.Errorf("the answer is longer than %d bytes", answerLimit)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("the answer is no JSON: %w", err)
	}
	return v, nil
}

// refusal is what the body of an error says, in any of the shapes of contract 3.
type refusal struct {
	id      string // error_id
	message string
	access  string // the permission that is missing
}

func readRefusal(body []byte) refusal {
	var shape struct {
		Message any    `json:"message"`
		Reason  any    `json:"reason"`
		ErrorID string `json:"error_id"`
		Details struct {
			RequiredAccess string `json:"required_access"`
		} `json:"details"`
	}
	_ = json.Unmarshal(body, &shape) // what has another shape is left out
	text := ""
	for _, v := range []any{shape.Message, shape.Reason} {
		if list, ok := v.([]any); ok && len(list) > 0 {
			v = list[0]
		}
		switch v := v.(type) {
		case nil:
			continue
		case string:
			text = v
		default:
			text, _ = jsonText(v)
		}
		break
	}
	return refusal{shape.ErrorID, text, shape.Details.RequiredAccess}
}
