package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

// importText imports users of a CSV file and gives what came of each line: "created eve".
func (o *office) importText(t *testing.T, text string, opts ImportOptions) (ImportCount, []string, error) {
	t.Helper()
	format := UsersCSV
	if strings.HasPrefix(text, "{") {
		format = UsersJSONL
	}
	lines, err := ReadUsers(strings.NewReader(text), format)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	opts.Report = func(u ImportedUser) {
		s := string(u.Outcome) + " " + u.Name()
		if len(u.Fields) > 0 {
			s += " " + strings.Join(u.Fields, ",")
		}
		if u.Err != nil {
			s += ": " + u.Err.Error()
		}
		told = append(told, s)
	}
	count, err := o.ImportUsers(t.Context(), o.id, lines, opts)
	return count, told, err
}

// numberedUsers is a file of n users.
func numberedUsers(prefix string, n int) string {
	var b strings.Builder
	b.WriteString("username,email_address\n")
	for i := range n {
		fmt.Fprintf(&b, "%s%03d,%s%03d@root.example\n", prefix, i, prefix, i)
	}
	return b.String()
}

func wantTold(t *testing.T, got []string, want ...string) {
	t.Helper()
	ok := len(got) == len(want)
	for i := range want {
		ok = ok && strings.HasPrefix(got[i], want[i])
	}
	if !ok {
		t.Errorf("told\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestImportConverges(t *testing.T) {
	o := newOffice(t)
	const text = "username,firstname,lastname,email_address,purpose,enabled,password\n" +
		"eve,Eve,Adams,eve@root.example,,,eve-pass\n" +
		"PETE,Peter,,p@root.example,,no,never-used\n" +
		"robot,,,,external_api,false,\n"
	_, told, err := o.importText(t, text, ImportOptions{DryRun: true})
	if err != nil || len(o.log(t)) == 0 || strings.Contains(o.log(t), "importing") {
		t.Error(err)
	}
	wantTold(t, told, "created eve", "changed PETE username,firstname,lastname,enabled,emails", "created robot")
	if _, err := o.FindUser(t.Context(), o.id, "eve", ""); !errors.Is(err, ErrNoUser) {
		t.Fatal("a dry run created somebody")
	}
	count, told, err := o.importText(t, text, ImportOptions{Source: "users.csv"})
	if err != nil || count[UserCreated] != 2 || count[UserChanged] != 1 {
		t.Errorf("%v, %v", count, err)
	}
	wantTold(t, told, "created eve", "changed PETE username,firstname,lastname,enabled,emails", "created robot")
	pete := read(t, o, peteUUID)
	if pete.Username != "PETE" || pete.Firstname != "Peter" || pete.Lastname != "" || pete.Enabled || EmailsText(pete.Emails) != "p@root.example (main, confirmed)" {
		t.Errorf("%+v", pete)
	}
	o.device(t, "eve", "eve-pass", "")
	if robot, err := o.FindUser(t.Context(), o.id, "robot", ""); err != nil || robot.Purpose != "external_api" || robot.Enabled || robot.AuthenticationMethod != "native" {
		t.Errorf("%+v, %v", robot, err)
	}
	o.wantLog(t, "importing 3 users from users.csv", "created eve", "imported 3 users: 2 created, 1 changed, 0 unchanged, 0 failed")
	if strings.Contains(o.log(t), "eve-pass") {
		t.Error("the log holds a password")
	}

	o.ResetRequests()
	count, told, err = o.importText(t, text, ImportOptions{})
	if err != nil || count[UserUnchanged] != 3 {
		t.Errorf("%v, %v", count, err)
	}
	wantTold(t, told, "unchanged eve", "unchanged PETE", "unchanged robot")
	if n := len(o.Requests()); n != 1 {
		t.Errorf("%d requests where nothing was to be done", n)
	}
}

func TestImportKeepsWhatALineHasNot(t *testing.T) {
	o := newOffice(t)
	lines := `{"uuid":"` + peteUUID + `","lastname":"Smith"}` + "\n" +
		`{"username":"sue","firstname":"Sue","tenant_uuid":"` + subTenant + `","emails":[{"address":"s@sub.example","main":true},{"address":"t@sub.example","confirmed":true}]}`
	_, told, err := o.importText(t, lines, ImportOptions{})
	if err != nil {
		t.Error(err)
	}
	wantTold(t, told, "changed "+peteUUID+" lastname", "changed sue firstname,emails")
	if pete := read(t, o, peteUUID); pete.Username != "pete" || pete.Firstname != "Pete" || pete.Lastname != "Smith" || len(pete.Emails) != 1 {
		t.Errorf("%+v", pete)
	}
	if sue := read(t, o, subUUID); EmailsText(sue.Emails) != "s@sub.example (main), t@sub.example (confirmed)" {
		t.Errorf("%+v", sue)
	}
	// Another main address leaves the further ones alone.
	_, told, _ = o.importText(t, "username,email_address\nsue,T@sub.example\n", ImportOptions{})
	wantTold(t, told, "changed sue emails")
	if sue := read(t, o, subUUID); EmailsText(sue.Emails) != "T@sub.example (main, confirmed)" {
		t.Errorf("%+v", sue.Emails)
	}
}

func TestImportTellsWhatItCannotDo(t *testing.T) {
	o := newOffice(t)
	_, told, err := o.importText(t, "uuid,username,email_address,authentication_method,tenant_uuid\n"+
		aliceUUID+",pete,,,\n"+ // the name is another's
		",sue,,,"+rootTenant+"\n"+ // in another tenant
		",eve,pete@root.example,,\n"+ // by name nobody, by e-mail pete
		",adam,,oidc,\n"+ // the stack has no such method
		",ann,,,"+aliceUUID+"\n"+ // no such tenant
		",last,,,\n", ImportOptions{})
	if err != nil {
		t.Error(err)
	}
	wantTold(t, told, "failed pete: pete is another user already: "+peteUUID, "failed sue: the user is in another tenant: "+subTenant,
		"failed eve: already taken: email_address", "failed adam: the request is not valid: authentication_method: Invalid authentication method oidc",
		"failed ann: the tenant is not", "created last")
}

// Who was created by somebody else since the list was made is found, and left as wanted.
func TestImportMeetsAnother(t *testing.T) {
	o := newOffice(t)
	lines, err := ReadUsers(strings.NewReader("username,firstname\neve,Eve\n"), UsersCSV)
	if err != nil {
		t.Fatal(err)
	}
	im := &importer{m: o.Manager, id: o.id, lines: lines, count: ImportCount{}, done: map[int]ImportedUser{}}
	if err := im.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := o.CreateUser(t.Context(), o.id, api.NewUser{Username: "Eve"}, ""); err != nil {
		t.Fatal(err)
	}
	if err := im.run(t.Context()); err != nil || im.count[UserChanged] != 1 {
		t.Errorf("%v, %v", im.count, err)
	}
	if eve, err := o.FindUser(t.Context(), o.id, "eve", ""); err != nil || eve.Username != "eve" || eve.Firstname != "Eve" {
		t.Errorf("%+v, %v", eve, err)
	}
}

// A stack that fails now and then gets a rest, and in the end has exactly the wanted users.
func TestImportOutlastsFaults(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := newOffice(t)
		for i := range 8 {
			o.Faults().Add(authd.Fault{Method: "POST", Path: "/users", Status: 500, After: i%2 == 0, Times: 3})
			o.Faults().Add(authd.Fault{Method: "POST", Path: "/users", Cut: true, Times: 2})
		}
		count, _, err := o.importText(t, numberedUsers("u", 200), ImportOptions{Parallel: 8})
		if err != nil || count[UserCreated] != 200 {
			t.Errorf("%v, %v", count, err)
		}
		page := o.list(t, api.ListOptions{Filter: map[string]string{"purpose": "user"}})
		if len(page.Items) != 203 {
			t.Errorf("the stack has %d users", len(page.Items))
		}
	})
}

func (o *office) list(t *testing.T, opts api.ListOptions) (page api.Page[api.User]) {
	t.Helper()
	err := o.Do(t.Context(), o.id, func(ctx context.Context, c *api.Client, token api.Secret) error {
		var err error
		page, err = c.Users(ctx, token, opts)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// Where nothing more can be expected it stops, and says how much is left; done again it goes on.
func TestImportStops(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := newOffice(t)
		lines, err := ReadUsers(strings.NewReader(numberedUsers("u", 50)), UsersCSV)
		if err != nil {
			t.Fatal(err)
		}
		done := 0
		count, err := o.ImportUsers(t.Context(), o.id, lines, ImportOptions{Parallel: 2, Report: func(ImportedUser) {
			if done++; done == 10 {
				o.Faults().SetDown(true)
			}
		}})
		stopped, ok := errors.AsType[*UnfinishedImportError](err)
		if !ok || !errors.Is(err, api.ErrNetwork) || count[UserCreated] < 9 || count[UserCreated]+count[UserFailed]+stopped.Left != 50 {
			t.Fatalf("%v, %v", count, err)
		}
		o.Faults().SetDown(false)
		count, err = o.ImportUsers(t.Context(), o.id, lines, ImportOptions{})
		if err != nil || count[UserFailed] != 0 || count[UserCreated]+count[UserUnchanged] != 50 {
			t.Errorf("%v, %v", count, err)
		}
		if n := len(o.list(t, api.ListOptions{Search: "u"}).Items); n != 50 {
			t.Errorf("the stack has %d", n)
		}
		clerk := o.login(t, "clerk")
		if _, err := o.ImportUsers(t.Context(), clerk, lines, ImportOptions{}); !errors.Is(err, api.ErrPermission) {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := o.ImportUsers(ctx, o.id, lines, ImportOptions{}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// No more requests are under way at once than was said, and no more lines a second are begun.
func TestImportIsBoundedAndSteady(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := newOffice(t)
		o.Faults().Add(authd.Fault{Method: "POST", Path: "/users", Delay: 100 * time.Millisecond})
		begun := time.Now()
		if count, _, err := o.importText(t, numberedUsers("u", 100), ImportOptions{Parallel: 5}); err != nil || count[UserCreated] != 100 {
			t.Errorf("%v, %v", count, err)
		}
		if took := time.Since(begun); took < 2*time.Second || took > 2500*time.Millisecond {
			t.Errorf("100 users, 5 at once, 100 ms each: %v", took)
		}
		o.Faults().Clear()
		begun = time.Now()
		var at []time.Duration
		lines, _ := ReadUsers(strings.NewReader(numberedUsers("v", 100)), UsersCSV)
		if _, err := o.ImportUsers(t.Context(), o.id, lines, ImportOptions{Rate: 20, Report: func(ImportedUser) { at = append(at, time.Since(begun)) }}); err != nil {
			t.Error(err)
		}
		for i, d := range at {
			if want := time.Duration(i+1) * 50 * time.Millisecond; d != want {
				t.Fatalf("line %d is done after %v, not %v", i, d, want)
			}
		}
		synctest.Wait()
	})
}

// Reports come in the order of the file, whatever is done first.
func TestImportReportsInOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := newOffice(t)
		for range 6 {
			o.Faults().Add(authd.Fault{Method: "POST", Path: "/users", Delay: time.Second, Times: 1})
		}
		_, told, err := o.importText(t, numberedUsers("u", 40), ImportOptions{Parallel: 8})
		if err != nil || !slices.IsSorted(told) || len(told) != 40 {
			t.Errorf("%q, %v", told, err)
		}
	})
}
