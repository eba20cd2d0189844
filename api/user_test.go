package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// oneUser is a server with one user, which it replaces as wazo-auth does: what is left out gets its default.
type oneUser struct {
	object map[string]any
	puts   []map[string]any
	gets   int
	onGet  func(n int, object map[string]any) // somebody else, before the nth read
}

func (s *oneUser) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
		s.gets++
		if s.onGet != nil {
			s.onGet(s.gets, s.object)
		}
	case http.MethodPut:
		var put map[string]any
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &put); err != nil {
			answer(400, jsonType, `{"message":"?"}`)(w, r)
			return
		}
		s.puts = append(s.puts, put)
		for name, fallback := range map[string]any{
			"username": nil, "firstname": nil, "lastname": nil, "enabled": true, "purpose": "user", "authentication_method": "default", "future": "default",
		} {
			if v, there := put[name]; there {
				s.object[name] = v
			} else {
				s.object[name] = fallback
			}
		}
	}
	w.Header().Set("Content-Type", jsonType)
	if err := json.NewEncoder(w).Encode(s.object); err != nil {
		panic(err)
	}
}

func newOneUser() *oneUser {
	return &oneUser{object: map[string]any{
		"uuid": aUser, "username": "bob", "firstname": "Bob", "lastname": nil, "purpose": "external_api", "enabled": false, "tenant_uuid": aUser,
		"authentication_method": "native", "future": []any{"kept", 1.0}, "emails": []any{map[string]any{"uuid": aUser, "address": "bob@example.com", "main": true, "confirmed": true}},
	}}
}

func TestUpdateUser(t *testing.T) {
	s := newOneUser()
	c := serve(t, s.ServeHTTP)
	before := maps.Clone(s.object)
	got, err := c.UpdateUser(t.Context(), token, aUser, func(u *User) error {
		u.Lastname, u.Firstname = "Tremblay", ""
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.puts) != 1 || got.Lastname != "Tremblay" || got.Enabled || got.Purpose != "external_api" || got.AuthenticationMethod != "native" {
		t.Errorf("%d writes, %+v", len(s.puts), got)
	}
	before["lastname"], before["firstname"] = "Tremblay", nil
	if !reflect.DeepEqual(s.object, before) {
		t.Errorf("is %v, want %v", s.object, before)
	}
}

func TestUpdateUserWithoutChange(t *testing.T) {
	s := newOneUser()
	c := serve(t, s.ServeHTTP)
	if _, err := c.UpdateUser(t.Context(), token, aUser, func(*User) error { return nil }); err != nil || len(s.puts) != 0 || s.gets != 1 {
		t.Errorf("%d reads, %d writes, %v", s.gets, len(s.puts), err)
	}
	stop := errors.New("stop")
	if _, err := c.UpdateUser(t.Context(), token, aUser, func(*User) error { return stop }); !errors.Is(err, stop) || len(s.puts) != 0 {
		t.Errorf("%d writes, %v", len(s.puts), err)
	}
}

func TestUpdateUserChangedInBetween(t *testing.T) {
	for name, change := range map[string]func(map[string]any){
		"enabled": func(o map[string]any) { o["enabled"] = true },
		"future":  func(o map[string]any) { o["future"] = "else" },
		"emails":  func(o map[string]any) { o["emails"].([]any)[0].(map[string]any)["address"] = "new@example.com" },
		"new":     func(o map[string]any) { o["new"] = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			s := newOneUser()
			s.onGet = func(n int, o map[string]any) {
				if n == 2 {
					change(o)
				}
			}
			_, err := serve(t, s.ServeHTTP).UpdateUser(t.Context(), token, aUser, func(u *User) error {
				u.Lastname = "X"
				return nil
			})
			if !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), name) || len(s.puts) != 0 {
				t.Errorf("%d writes, %v", len(s.puts), err)
			}
		})
	}
}

func TestCreateUserSendsOnlyWhatIsGiven(t *testing.T) {
	var sent []string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent = append(sent, string(body)+r.Header.Get("Wazo-Tenant"))
		answer(200, jsonType, `{"uuid":"`+aUser+`"}`)(w, r)
	})
	off := false
	for _, u := range []NewUser{{}, {Username: "x", Enabled: &off, Password: NewSecret("geheim99")}} {
		if _, err := c.CreateUser(t.Context(), token, u, aUser); err != nil {
			t.Fatal(err)
		}
	}
	if sent[0] != "{}"+aUser || sent[1] != `{"enabled":false,"password":"geheim99","username":"x"}`+aUser {
		t.Errorf("%q", sent)
	}
}

func TestPasswordKeptElsewhere(t *testing.T) {
	c := serve(t, answer(405, jsonType, `{"message":"x","error_id":"password-managed-externally","details":{},"timestamp":1,"resource":"users"}`))
	err := c.SetOwnPassword(t.Context(), token, aUser, NewSecret("old password"), NewSecret("new password"))
	if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "SAML or LDAP") {
		t.Error(err)
	}
}

// Only an administrator says that an address is confirmed.
func TestEmailsOnTheWire(t *testing.T) {
	var sent []string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent = append(sent, r.URL.Path+" "+string(body))
		answer(200, jsonType, "[]")(w, r)
	})
	emails := []Email{{UUID: aUser, Address: "a@example.com", Main: true, Confirmed: true}}
	for _, set := range []func(context.Context, Secret, string, []Email) ([]Email, error){c.SetEmails, c.SetAdminEmails} {
		if _, err := set(t.Context(), token, aUser, emails); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"/0.1/users/" + aUser + `/emails {"emails":[{"address":"a@example.com","main":true}]}`,
		"/0.1/admin/users/" + aUser + `/emails {"emails":[{"address":"a@example.com","main":true,"confirmed":true}]}`,
	}
	if !reflect.DeepEqual(sent, want) {
		t.Errorf("%q", sent)
	}
}
