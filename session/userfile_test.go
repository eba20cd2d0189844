package session

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"wakey/api"
)

func TestReadUsersCSV(t *testing.T) {
	lines, err := ReadUsers(strings.NewReader("\ufeffUsername, firstname ,lastname,email_address,enabled,password\r\n"+
		"eve,Eve,,eve@root.example,no,'=secret\n"+
		"\"adam\",\"Ad\"\"am\n\",Smith,,,\n"+
		"'=cmd,'+1,''x,,TRUE,\n"), UsersCSV)
	if err != nil || len(lines) != 3 {
		t.Fatalf("%+v, %v", lines, err)
	}
	eve, adam, odd := lines[0], lines[1], lines[2]
	off := false
	want := api.NewUser{Username: "eve", Firstname: "Eve", Email: "eve@root.example", Enabled: &off, Password: eve.User.Password}
	if eve.Line != 2 || !reflect.DeepEqual(eve.User, want) || eve.User.Password.Reveal() != "'=secret" || !eve.Given["lastname"] || eve.Given["purpose"] {
		t.Errorf("%+v", eve)
	}
	if adam.Line != 3 || adam.User.Firstname != "Ad\"am\n" || adam.Given["email_address"] || adam.Given["enabled"] || adam.User.Enabled != nil {
		t.Errorf("%+v", adam)
	}
	if odd.Line != 5 || odd.User.Username != "=cmd" || odd.User.Firstname != "+1" || odd.User.Lastname != "'x" {
		t.Errorf("%+v", odd)
	}
}

func TestReadUsersJSONL(t *testing.T) {
	lines, err := ReadUsers(strings.NewReader(`{"username":"eve","lastname":null,"enabled":false,"emails":[{"address":"a@root.example","main":true},{"address":"b@root.example","confirmed":true}]}

  {"uuid":"`+peteUUID+`","purpose":"external_api","tenant_uuid":"`+subTenant+`","emails":[]}`), UsersJSONL)
	if err != nil || len(lines) != 2 {
		t.Fatalf("%+v, %v", lines, err)
	}
	if l := lines[0]; l.User.Email != "a@root.example" || len(l.Emails) != 2 || !l.Given["lastname"] || *l.User.Enabled || l.Name() != "eve" {
		t.Errorf("%+v", l)
	}
	if l := lines[1]; l.Line != 3 || l.Emails == nil || l.Tenant != subTenant || l.Name() != peteUUID {
		t.Errorf("%+v", l)
	}
}

// Whatever is wrong with a file is found before anything is begun, with its line.
func TestReadUsersRefuses(t *testing.T) {
	for _, c := range []struct {
		format UserFormat
		text   string
		want   string // of the error
	}{
		{UsersCSV, "", "the file is empty"},
		{UsersCSV, "username,shoesize\n", "line 1: there is no column shoesize"},
		{UsersCSV, "username,\x1b[2J\n", "there is no column ␛[2J"},
		{UsersCSV, "username,username\n", "twice"},
		{UsersCSV, "username,lastname\neve\n", "line 2: wrong number of fields"},
		{UsersCSV, "username\n\"eve\n", "line 2: extraneous"},
		{UsersCSV, "firstname\nEve\n", "line 2: it has neither uuid nor username nor email_address"},
		{UsersCSV, "username,enabled\neve,maybe\n", "enabled: Not a valid boolean"},
		{UsersCSV, "username\neve\nadam\nEVE\n", "line 4: eve stands in line 2 too"},
		{UsersCSV, "username,email_address\neve@root.example,\nadam,EVE@root.example\n", "line 3: eve@root.example stands in line 2 too"},
		{UsersCSV, "username,purpose\neve,admin\n", "purpose: Must be one of"},
		{UsersCSV, "username,uuid\neve,x\n", "uuid: Not a valid UUID"},
		{UsersCSV, "username,tenant_uuid\neve,x\n", "tenant_uuid: Not a valid UUID"},
		{UsersCSV, "username\n" + strings.Repeat("x", 257) + "\n", "Length must be between 1 and 256"},
		{UsersCSV, "username\nev\xffe\n", "username: Not a valid string"},
		{UsersJSONL, "[]", "line 1: it is no JSON object"},
		{UsersJSONL, "null", "line 1: it is no JSON object"},
		{UsersJSONL, `{"username":"eve"`, "line 1: it is no JSON object"},
		{UsersJSONL, `{"username":5}`, "username: Not a valid string"},
		{UsersJSONL, `{"username":"eve","enabled":"no"}`, "enabled: Not a valid boolean"},
		{UsersJSONL, `{"username":"eve","acl":["#"]}`, "there is no field acl"},
		{UsersJSONL, `{"username":"eve","emails":{}}`, "emails: it is a list of objects"},
		{UsersJSONL, `{"username":"eve","emails":[{"address":"nope","main":true}]}`, "Not a valid email address"},
		{UsersJSONL, `{"username":"eve","emails":[{"address":"a@root.example"}]}`, "At least one address should be main"},
		{UsersJSONL, `{"username":"eve","email_address":"b@root.example","emails":[{"address":"a@root.example","main":true}]}`, "the main one is not email_address"},
		{UsersJSONL, "{\"username\":\"ev\xff\"}", "no UTF-8"},
		{UsersJSONL, strings.Repeat("x", maxUserLine+10), "longer than"},
	} {
		_, err := ReadUsers(strings.NewReader(c.text), c.format)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%.60q: %v, want %s", c.text, err, c.want)
		}
	}
	_, err := ReadUsers(strings.NewReader("username,enabled\neve,maybe\n,\nadam,perhaps\n"), UsersCSV)
	if n := strings.Count(err.Error(), "\n") + 1; n != 3 {
		t.Errorf("%d of 3 lines are told:\n%v", n, err)
	}
	if wrong, ok := errors.AsType[*LineError](err); !ok || wrong.Line != 2 {
		t.Errorf("%v", err)
	}
}

// What is written reads back the same, whatever a spreadsheet or a shell would do with it.
func TestUsersAreWrittenAsTheyAreRead(t *testing.T) {
	users := []api.User{
		{UUID: peteUUID, Username: "=cmd|' /C calc'!A0", Firstname: "'+1\t", Lastname: "a,\"b\"\nc", Purpose: "user", Enabled: true, TenantUUID: rootTenant, AuthenticationMethod: "native"},
		{UUID: subUUID, Username: "@sum", Firstname: "'", Purpose: "internal", TenantUUID: subTenant, Emails: []api.Email{{Address: "-x@root.example", Main: true, Confirmed: true}}},
	}
	for _, format := range []UserFormat{UsersCSV, UsersJSONL} {
		var out bytes.Buffer
		w, err := NewUserWriter(&out, format)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range users {
			if err := w.Write(u); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		lines, err := ReadUsers(&out, format)
		if err != nil || len(lines) != 2 {
			t.Fatalf("%s: %+v, %v", format, lines, err)
		}
		for i, l := range lines {
			if changes := changesOf(l, users[i]); len(changes) != 0 || l.User.Username != users[i].Username || l.Tenant != users[i].TenantUUID {
				t.Errorf("%s: %v differ: %+v", format, changes, l)
			}
		}
	}
}

func FuzzReadUsers(f *testing.F) {
	for _, s := range []string{"username,enabled\neve,true\n", `{"username":"eve","emails":[{"address":"a@b.cd","main":true}]}`, "\ufeff\"", "uuid\n\"\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, format := range []UserFormat{UsersCSV, UsersJSONL} {
			lines, err := ReadUsers(strings.NewReader(s), format)
			if err != nil {
				continue
			}
			var out bytes.Buffer
			w, _ := NewUserWriter(&out, format)
			for _, l := range lines {
				u := wantedOf(l, api.User{UUID: l.User.UUID, TenantUUID: l.Tenant})
				u.Emails = emailsOf(l, u)
				if err := w.Write(u); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			if _, err := ReadUsers(&out, format); err != nil {
				t.Errorf("%q, written anew as %q: %v", s, out.String(), err)
			}
		}
	})
}
