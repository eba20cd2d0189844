package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"wakey/api"
	"wakey/session"
)

func TestInWords(t *testing.T) {
	day := 24 * time.Hour
	for d, want := range map[time.Duration]string{
		0: "0 s", 59*time.Second + 900*time.Millisecond: "59 s", time.Minute: "1 min", 90 * time.Minute: "1 h 30 min",
		2 * time.Hour: "2 h", day: "1 day", 47 * time.Hour: "1 day", 48 * time.Hour: "2 days", 59 * day: "59 days",
		60 * day: "2 months", 730 * day: "2 years", -time.Minute: "1 min",
	} {
		if got := inWords(d); got != want {
			t.Errorf("inWords(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestWhen(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		t    time.Time
		want string
	}{
		{time.Time{}, "–"},
		{now.Add(90 * time.Second), "in 1 min"},
		{now.Add(-3 * time.Hour), "3 h ago"},
		{now, "0 s ago"},
	} {
		if got := when(c.t, now); got != c.want {
			t.Errorf("when(%v) = %q, want %q", c.t, got, c.want)
		}
	}
}

// Whatever is printed as JSON reads back the same, and holds nothing that a terminal obeys.
func TestEncodeJSON(t *testing.T) {
	text := "a\x1b[2J\x7f\u009b\u202e\u200b\U000e0041\u2028<é漢>\"\\\n\t"
	b, err := encodeJSON(map[string]string{"client_id": text})
	if err != nil {
		t.Fatal(err)
	}
	if i := bytes.IndexAny(b, "\x1b\x7f\u009b\u202e\u200b\U000e0041\u2028"); i >= 0 {
		t.Errorf("%q holds %q", b, b[i:])
	}
	var back map[string]string
	if err := json.Unmarshal(b, &back); err != nil || back["client_id"] != text {
		t.Errorf("%v: %q came back as %q", err, text, back["client_id"])
	}
}

func TestFields(t *testing.T) {
	for _, c := range []struct {
		texts, typed []string
		want         string // JSON, or the start of the error
	}{
		{nil, nil, "null"},
		{[]string{"a=1", "b="}, []string{"c=1", "d=true", "e=null", "f=1.5"}, `{"a":"1","b":"","c":1,"d":true,"e":null,"f":"1.5"}`},
		{[]string{"acl[]=x", "acl[]=y"}, nil, `{"acl":["x","y"]}`},
		{[]string{"emails[0][address]=a@b"}, []string{"emails[0][main]=true"}, `{"emails":[{"address":"a@b","main":true}]}`},
		{[]string{"a[b][c]=d"}, nil, `{"a":{"b":{"c":"d"}}}`},
		{[]string{"a=b=c"}, nil, `{"a":"b=c"}`},
		{[]string{"a"}, nil, "a field is KEY=VALUE"},
		{[]string{"=a"}, nil, "a field is KEY=VALUE"},
		{[]string{"a[0]=x", "a[k]=y"}, nil, `the field "a[k]" is no object`},
		{[]string{"a=x", "a[]=y"}, nil, `the field "a[]" is no list`},
		{[]string{"a[3]=x"}, nil, `the field "a[3]" leaves out`},
		{[]string{"a[-1]=x"}, nil, `the field "a[-1]" leaves out`},
		{[]string{"a[b=x"}, nil, `the field "a[b" lacks a ]`},
	} {
		fields, err := parseFields(c.texts, c.typed, strings.NewReader(""))
		if err != nil {
			if !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%q %q: %v, want %s", c.texts, c.typed, err, c.want)
			}
			continue
		}
		b, err := json.Marshal(fields)
		if err != nil || string(b) != c.want {
			t.Errorf("%q %q: %s (%v), want %s", c.texts, c.typed, b, err, c.want)
		}
	}
}

func FuzzFields(f *testing.F) {
	for _, s := range []string{"a=1", "a[]=1", "a[0][b]=1", "a[[=", "[=]=", "a[]][=x", "a[99999999999999999999]=1"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, x, y string) {
		fields, err := parseFields([]string{x, y}, nil, strings.NewReader(""))
		if err == nil {
			if _, err := json.Marshal(fields); err != nil {
				t.Errorf("%q %q: %v", x, y, err)
			}
		}
	})
}

func TestExitCodes(t *testing.T) {
	problem := &session.ProblemError{Account: "a", State: session.RevokedElsewhere, Reason: "x"}
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("x"), 1},
		{session.ErrNoAccount, 1},
		{session.ErrLocked, 4},
		{&api.Error{Kind: api.KindSessionCeiling}, 1},
		{&api.Error{Kind: api.KindNotFound}, 1},
		{usagef("x"), 2},
		{fmt.Errorf("x: %w", context.Canceled), 3},
		{errCancelled, 3},
		{problem, 4},
		{errors.Join(problem, &api.Error{Kind: api.KindRefreshRefused}), 4},
		{&api.Error{Kind: api.KindBadCredentials}, 4},
		{&api.Error{Kind: api.KindTokenDead}, 4},
		{errNobodySignedIn, 4},
		{&api.Error{Kind: api.KindPermission}, 5},
		{&api.Error{Kind: api.KindWrongTenant}, 5},
		{&api.Error{Kind: api.KindNetwork}, 6},
		{&api.Error{Kind: api.KindServer}, 6},
		{&api.Error{Kind: api.KindNotWazo}, 6},
		{&api.CertError{}, 6},
		{partly([]error{&api.Error{Kind: api.KindNetwork}}, 2), 7},
		{partly([]error{&api.Error{Kind: api.KindNetwork}}, 1), 6},
		{partly(nil, 3), 0},
		{statusError(42), 42},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("exitCode(%v) = %d, want %d", c.err, got, c.want)
		}
	}
}

// A command gets nothing of ours but what it is meant to have.
func TestChildEnvironment(t *testing.T) {
	g := grant{
		session.Account{Stack: "https://pbx.example.com/api/auth/0.1", UserUUID: "u", TenantUUID: "t"},
		session.Access{Token: api.NewSecret("token"), ExpiresAt: time.Unix(0, 0)},
	}
	got := childEnvironment([]string{"PATH=/bin", "WAKEY_REFRESH_TOKEN=x", "wakey_account=y", "WAZO_TOKEN=old", "ODD", "HOME=/"}, g)
	want := []string{
		"PATH=/bin", "ODD", "HOME=/", "WAZO_TOKEN=token", "WAZO_TOKEN_EXPIRES_AT=1970-01-01T00:00:00Z", "WAZO_HOST=pbx.example.com",
		"WAZO_URL=https://pbx.example.com", "WAZO_TENANT_UUID=t", "WAZO_USER_UUID=u",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

func TestJoinFields(t *testing.T) {
	for in, want := range map[string]string{
		"list --json name,state":          "list --json=name,state",
		"list --json name":                "list --json=name",
		"list --json":                     "list --json",
		"token --json prod":               "token --json prod",
		"token --json token prod":         "token --json=token prod",
		"token --json=token prod":         "token --json=token prod",
		"exec -- x --json a,b":            "exec -- x --json a,b",
		"nonsense --json a,b":             "nonsense --json a,b",
		"sessions list prod --json uuid":  "sessions list prod --json=uuid",
		"sessions list --json other prod": "sessions list --json other prod",
	} {
		if got := strings.Join(joinFields(newRoot(), strings.Fields(in)), " "); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
