package api

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// UpdateUser reads a user, lets edit change a copy, and writes that as WriteUser does. Errors: edit's, and those of
// WriteUser. An edit that changes nothing writes nothing.
func (c *Client) UpdateUser(ctx context.Context, token Secret, userUUID string, edit func(*User) error) (User, error) {
	before, err := c.User(ctx, token, userUUID)
	if err != nil {
		return User{}, err
	}
	wanted := before
	wanted.Emails = slices.Clone(before.Emails)
	if err := edit(&wanted); err != nil {
		return User{}, err
	}
	return c.WriteUser(ctx, token, before, wanted)
}

// WriteUser changes a user from before, as it was read (by User, WriteUser or CreateUser; what a list gives is not all of it),
// to wanted. PUT replaces the whole object and defaults what is left out (a disabled user would be enabled again,
// contract 10), so it reads the user again and writes everything back, also what this client does not know. uuid,
// tenant and e-mails cannot be changed this way. ErrChanged: somebody else changed the user since before was read; nothing was
// written, and the user is given as it is now. When wanted is before, nothing is written. The server has no
// conditional write: a change within the last round trip can still be lost.
func (c *Client) WriteUser(ctx context.Context, token Secret, before, wanted User) (User, error) {
	path, err := userPath(before.UUID, "")
	if err != nil {
		return User{}, err
	}
	if before.raw == nil {
		return User{}, invalid("the user was not read in full", "read it before changing it")
	}
	body := maps.Clone(before.raw)
	changed, err := merge(body, before, wanted)
	if err != nil || !changed {
		return before, err
	}
	now, err := c.User(ctx, token, before.UUID)
	if err != nil {
		return User{}, err
	}
	if names := differing(before, now); len(names) > 0 {
		e := c.newError(&request{method: http.MethodPut, path: path}, KindChanged)
		e.Message = strings.Join(names, ", ")
		return now, e
	}
	return c.user(ctx, &request{
		method: http.MethodPut, path: path, token: token, body: body,
		next: "look at the user again before retrying: it may be changed all the same",
	})
}

// merge puts what was edited into the object as it was read, and tells whether that was anything.
func merge(body map[string]json.RawMessage, before, wanted User) (changed bool, err error) {
	set := func(name string, differs bool, value string) {
		if differs {
			changed = true
			body[name] = json.RawMessage(value)
		}
	}
	for _, f := range [...]struct{ name, before, wanted string }{
		{"username", before.Username, wanted.Username},
		{"firstname", before.Firstname, wanted.Firstname},
		{"lastname", before.Lastname, wanted.Lastname},
		{"purpose", before.Purpose, wanted.Purpose},
		{"authentication_method", before.AuthenticationMethod, wanted.AuthenticationMethod},
	} {
		value := "null"
		if f.wanted != "" {
			text, err := json.Marshal(f.wanted)
			if err != nil {
				return false, err
			}
			value = string(text)
		}
		set(f.name, f.before != f.wanted, value)
	}
	set("enabled", before.Enabled != wanted.Enabled, strconv.FormatBool(wanted.Enabled))
	return changed, nil
}

// differing names what is not the same in two readings of a user, whatever the form it was sent in.
func differing(a, b User) []string {
	var names []string
	for name := range a.raw {
		if _, there := b.raw[name]; !there || !sameJSON(a.raw[name], b.raw[name]) {
			names = append(names, Clean(name))
		}
	}
	for name := range b.raw {
		if _, there := a.raw[name]; !there {
			names = append(names, Clean(name))
		}
	}
	slices.Sort(names)
	return names
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	return reflect.DeepEqual(x, y)
}
