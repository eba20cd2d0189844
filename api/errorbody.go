package api

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// errorBody is what an error's body says, whichever of the five shapes of contract 3 it has.
type errorBody struct {
	known   bool // it is an error of wazo-auth: legacy, modern or bare
	legacy  bool // {"reason": [...], "status_code": ...}
	bare    bool // {"message": "..."} and nothing else
	message string
	fields  map[string]FieldError
	id      string // error_id
	reason  string // details.reason
	access  string // details.required_access
	tenant  string // details.tenant_uuid
	echoed  Secret // details.invalid_token: the access token in clear
	at      time.Time
}

// parseErrorBody never fails: what it does not understand it leaves out.
func parseErrorBody(body []byte) errorBody {
	var top map[string]any
	if json.Unmarshal(body, &top) != nil || top == nil {
		return errorBody{}
	}
	b := errorBody{at: serverTime(top["timestamp"])}
	if reason, ok := top["reason"]; ok {
		b.known, b.legacy = true, true
		b.message, b.fields = explain(reason, 0)
		return b
	}
	message, ok := top["message"]
	if !ok {
		return errorBody{}
	}
	b.known = true
	b.bare = len(top) == 1
	b.message, b.fields = explain(message, 0)
	b.id, _ = top["error_id"].(string)
	details, _ := top["details"].(map[string]any)
	b.reason, _ = details["reason"].(string)
	b.access, _ = details["required_access"].(string)
	b.tenant, _ = details["tenant_uuid"].(string)
	if echoed, ok := details["invalid_token"].(string); ok {
		b.echoed = NewSecret(echoed)
	}
	switch b.id {
	case "invalid-data", "conflict":
		if fields := fieldsOf(details, b.message, 0); len(fields) > 0 {
			b.fields = fields
			b.message = fieldsText(fields)
		}
	}
	return b
}

// maxDepth is how deep the explanations of an honest server are nested, and more.
const maxDepth = 5

// explain reads message or reason: a text, a list of them, an object by field, or the repr of one.
func explain(v any, depth int) (string, map[string]FieldError) {
	if depth > maxDepth {
		return "", nil
	}
	switch v := v.(type) {
	case string:
		if strings.HasPrefix(v, "{") {
			if dict, ok := parsePython(v); ok {
				return explain(dict, depth+1)
			}
		}
		return v, nil
	case []any:
		if len(v) == 1 {
			return explain(v[0], depth+1)
		}
		var texts []string
		for _, item := range v {
			if text, ok := item.(string); ok {
				texts = append(texts, text)
			}
		}
		return strings.Join(texts, ", "), nil
	case map[string]any:
		fields := fieldsOf(v, "", depth+1)
		return fieldsText(fields), fields
	}
	return "", nil
}

// fieldsOf reads an object that tells of each field what is wrong with it. A field that is told with its value alone
// (details of a bad authentication_method) gets the general message.
func fieldsOf(object map[string]any, general string, depth int) map[string]FieldError {
	fields := make(map[string]FieldError, len(object))
	for name, v := range object {
		if list, ok := v.([]any); ok && len(list) > 0 {
			v = list[0]
		}
		switch v := v.(type) {
		case map[string]any:
			text, told := v["message"].(string)
			if !told && general == "" && depth < maxDepth {
				for inner, f := range fieldsOf(v, "", depth+1) { // of a list of objects: emails.0.address
					fields[name+"."+inner] = f
				}
				continue
			}
			f := FieldError{Message: general}
			if told {
				f.Message = text
			}
			f.Constraint, _ = v["constraint_id"].(string)
			fields[name] = f
		case string:
			f := FieldError{Message: v}
			if general != "" {
				f.Message = general
			}
			fields[name] = f
		}
	}
	return fields
}

// fieldsText puts the fields on one line, in a stable order.
func fieldsText(fields map[string]FieldError) string {
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	texts := make([]string, 0, len(names))
	for _, name := range names {
		if name == "_schema" {
			texts = append(texts, fields[name].Message)
			continue
		}
		texts = append(texts, name+": "+fields[name].Message)
	}
	return strings.Join(texts, ", ")
}

// serverTime reads timestamp: a number, or a list of one in the legacy shape.
func serverTime(v any) time.Time {
	if list, ok := v.([]any); ok && len(list) > 0 {
		v = list[0]
	}
	if f, ok := v.(float64); ok {
		return unixTime(f)
	}
	return time.Time{}
}

// tamed makes everything in it fit to print.
func (b errorBody) tamed(secrets []Secret) errorBody {
	if !b.echoed.IsZero() {
		secrets = append(slices.Clip(secrets), b.echoed)
	}
	b.message = tame(b.message, 500, secrets)
	b.access = tame(b.access, 300, secrets)
	b.tenant = tame(b.tenant, 64, secrets)
	if b.fields != nil {
		fields := make(map[string]FieldError, len(b.fields))
		for name, f := range b.fields {
			if len(fields) == 50 {
				break
			}
			fields[tame(name, 64, secrets)] = FieldError{tame(f.Message, 300, secrets), tame(f.Constraint, 64, secrets)}
		}
		b.fields = fields
	}
	return b
}
