package session

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wakey/internal/authd"
)

func TestKnownClientsTravel(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.manager(0)
		a := d.add(m, "alice", "alice", 0)
		nasty := "we\"ird\\ \x1b[1m\u202e 'client'\n[[client]]"
		for id, label := range map[string]string{"ci": "CI", nasty: "that thing", "gone": "gone"} {
			if err := m.Label(a.ID, id, label); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Label(a.ID, "gone", ""); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(filepath.Join(d.dir, clientsFile)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
		var file bytes.Buffer
		if err := m.ExportClients(t.Context(), &file); err != nil {
			t.Fatal(err)
		}
		all, err := ReadClients(bytes.NewReader(file.Bytes()))
		if err != nil {
			t.Fatalf("%v\n%s", err, file.String())
		}
		if len(all) != 3 || !slices.ContainsFunc(all, func(c KnownClient) bool { return c.ClientID == a.ClientID && strings.HasPrefix(c.Label, "wakey on ") }) {
			t.Errorf("exported %+v", all)
		}

		// Another machine of the same user takes it for what it is.
		there := &drill{Server: d.Server, t: t, dir: t.TempDir(), store: NewMemoryStore(), other: d.other}
		o := there.manager(0)
		b := there.add(o, "alice", "alice", 0)
		if err := o.AddClients(all); err != nil {
			t.Fatal(err)
		}
		there.look(o, b.ID)
		d.add(m, "alice two", "alice", 0) // not exported
		there.look(o, b.ID)
		if got := there.kinds(o, b.ID); !slices.Contains(got, "unknown client alarm") || len(got) != 2 {
			t.Errorf("findings %v", got)
		}
		known, err := o.KnownClients()
		if err != nil || len(known) != 3 || known[0].UserUUID != drillAlice {
			t.Errorf("%+v, %v", known, err)
		}
		if err := o.AddClients([]KnownClient{{Stack: "PBX.example.com", UserUUID: strings.ToUpper(drillAlice), ClientID: "ci", Label: " the build\tserver "}}); err != nil {
			t.Fatal(err)
		}
		if known, _ = o.KnownClients(); len(known) != 3 || !slices.ContainsFunc(known, func(c KnownClient) bool { return c.Label == "the build␉server" }) {
			t.Errorf("%+v", known)
		}
	})
}

func TestHostileClients(t *testing.T) {
	entry := func(stack, user, id, label string) string {
		return fmt.Sprintf("[[client]]\nstack = %q\nuser = %q\nclient_id = %q\nlabel = %q\n", stack, user, id, label)
	}
	good := entry(drillStack, drillAlice, "ci", "CI")
	hostile := map[string]string{
		"huge":            strings.Repeat("#", maxClientsFile+1),
		"not TOML":        "\x00\x1b]0;title\x07",
		"unknown key":     good + "trusted = true\n",
		"unknown table":   "[admin]\nuser = 1\n",
		"too many":        strings.Repeat("[[client]]\n", maxClients+1),
		"no stack":        entry("", drillAlice, "ci", "CI"),
		"stack with user": entry("https://me:pass@pbx.example.com", drillAlice, "ci", "CI"),
		"no user":         entry(drillStack, "me", "ci", "CI"),
		"user in braces":  entry(drillStack, "{"+drillAlice+"}", "ci", "CI"),
		"no client_id":    entry(drillStack, drillAlice, "", "CI"),
		"long client_id":  entry(drillStack, drillAlice, strings.Repeat("x", maxClientID+1), "CI"),
		"no label":        entry(drillStack, drillAlice, "ci", "  "),
		"long label":      entry(drillStack, drillAlice, "ci", strings.Repeat("é", maxLabel+1)),
		"twice":           good + entry("https://PBX.example.com:443", strings.ToUpper(drillAlice), "ci", "another"),
		"wrong type":      "[[client]]\nstack = 5\n",
	}
	if _, err := ReadClients(strings.NewReader(good)); err != nil {
		t.Fatal(err)
	}
	for name, text := range hostile {
		all, err := ReadClients(strings.NewReader(text))
		if err == nil {
			t.Errorf("%s: taken as %+v", name, all)
			continue
		}
		if strings.ContainsAny(err.Error(), "\x00\x1b\x07") || len(err.Error()) > 1000 {
			t.Errorf("%s: the error is not fit for a terminal: %.200q", name, err)
		}
	}
	all, err := ReadClients(strings.NewReader(`[[client]]
stack = "pbx.example.com"
user = "` + drillAlice + `"
client_id = "x"
label = "evil \u001b[31m\u202elabel"
`))
	if err != nil || strings.ContainsAny(all[0].Label, "\x1b\u202e") || all[0].Stack != drillStack+"/api/auth/0.1" {
		t.Errorf("%+v, %v", all, err)
	}
}

func FuzzReadClients(f *testing.F) {
	f.Add([]byte("[[client]]\nstack = \"pbx.example.com\"\nuser = \"" + drillAlice + "\"\nclient_id = \"x\"\nlabel = \"y\"\n"))
	f.Add([]byte("client = []"))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := ReadClients(bytes.NewReader(b))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := encodeClients(&out, all); err != nil {
			t.Fatal(err)
		}
		again, err := ReadClients(&out)
		if err != nil || !slices.Equal(all, again) {
			t.Fatalf("%+v became %+v, %v", all, again, err)
		}
	})
}

// A broken file of labels does not blind the watch.
func TestLabelsThatCanNotBeRead(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDrill(t)
		m := d.through(authd.Transport(d))
		a := d.add(m, "alice", "alice", 0)
		if err := os.WriteFile(filepath.Join(d.dir, clientsFile), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		d.look(m, a.ID)
		d.elsewhere("alice", "evil")
		d.look(m, a.ID)
		if alarms(m) == 0 {
			t.Error("no alarm")
		}
		if err := m.Label(a.ID, "x", "y"); err == nil {
			t.Error("a broken file is written over")
		}
	})
}
