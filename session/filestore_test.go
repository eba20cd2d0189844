package session

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	"wakey/api"
)

// filled is a store with the accounts "a" and "b", written one after the other, in dir.
func filled(t *testing.T, dir string) *FileStore {
	t.Helper()
	s := openTestStore(dir)
	for id, name := range []string{"a", "b"} {
		if _, err := s.Update(t.Context(), ID(fmt.Sprintf("%08d", id+1)), named(name)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// names of the accounts that a fresh look at dir finds.
func namesIn(t *testing.T, dir string) string {
	t.Helper()
	all, err := openTestStore(dir).Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range all {
		names = append(names, r.Name)
	}
	return strings.Join(names, " ")
}

func readFile(tb testing.TB, path string) []byte {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// says fails unless err is want and its text has all of the parts.
func says(t *testing.T, err, want error, parts ...string) {
	t.Helper()
	if err == nil || want != nil && !errors.Is(err, want) {
		t.Errorf("error %v, want one that is %v", err, want)
		return
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q does not say %q", err, p)
		}
	}
}

func TestNothingIsPlain(t *testing.T) {
	dir := t.TempDir()
	s := openTestStore(dir)
	r, err := s.Update(t.Context(), "00000001", fullRecord)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Update(t.Context(), "00000002", named("b")); err != nil { // there is a .bak now
		t.Fatal(err)
	}
	secrets := []string{r.RefreshToken.Reveal(), r.Access.Token.Reveal(), s.key.secret(), "correct horse"}
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		for _, secret := range secrets {
			if bytes.Contains(readFile(t, path), []byte(secret)) {
				t.Errorf("%s holds %.6s… in plain", path, secret)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestReadingDecryptsOnlyWhatIsNew(t *testing.T) {
	dir := t.TempDir()
	filled(t, dir)
	s := openTestStore(dir)
	if _, err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.key = nil // whoever decrypts now has to ask
	s.o.Passphrase = func(context.Context, PassphraseRequest) (api.Secret, error) {
		return api.Secret{}, errors.New("asked")
	}
	if _, err := s.Get(t.Context(), "00000001"); err != nil {
		t.Errorf("an unchanged file: %v", err)
	}
	other := openTestStore(dir)
	if _, err := other.Update(t.Context(), "00000001", named("c")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "00000001"); !errors.Is(err, ErrLocked) {
		t.Errorf("a changed file was not read again: %v", err)
	}
}

// Who reads while this process writes decrypts nothing, and has what was there before.
func TestReadingWhileWriting(t *testing.T) {
	dir := t.TempDir()
	filled(t, dir)
	s := openTestStore(dir)
	before, err := s.Get(t.Context(), "00000001")
	if err != nil {
		t.Fatal(err)
	}
	stamp, _ := s.Stamp()
	reads := s.foreign
	t.Cleanup(func() { afterStep = func(string) {} })
	looked := 0
	afterStep = func(step string) {
		if step != "file replaced" {
			return
		}
		looked++
		if got, err := s.Get(t.Context(), "00000001"); err != nil || looked == 1 && got.Name != before.Name {
			t.Errorf("%+v, %v", got, err)
		}
		if now, err := s.Stamp(); now != stamp || err != nil {
			t.Errorf("stamp %q, %v, want %q", now, err, stamp)
		}
	}
	if _, err := s.Update(t.Context(), "00000001", named("c")); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(t.Context(), "00000001"); err != nil || got.Name != "c" {
		t.Errorf("%+v, %v", got, err)
	}
	if looked == 0 || s.foreign != reads {
		t.Errorf("looked %d times, decrypted %d times", looked, s.foreign-reads)
	}
}

func TestUpdatesAreWrittenTogether(t *testing.T) {
	const n = 50
	dir := t.TempDir()
	s := filled(t, dir)
	lock, err := s.lockStore(t.Context(), storeLock)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if _, err := s.Update(t.Context(), ID(fmt.Sprintf("1%07d", i)), named(fmt.Sprintf("n%d", i))); err != nil {
				t.Error(err)
			}
		})
	}
	for waiting := 0; waiting < n; { // until all have queued up behind the lock
		s.mu.Lock()
		waiting = len(s.queue)
		s.mu.Unlock()
	}
	gone, cancel := context.WithCancel(t.Context())
	wg.Go(func() {
		_, err := s.Update(gone, "cccccccc", named("cancelled"))
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a change that was called off: %v", err)
		}
	})
	cancel()
	for waiting := n + 1; waiting > n; {
		s.mu.Lock()
		waiting = len(s.queue)
		s.mu.Unlock()
	}
	lock.Close()
	wg.Wait()
	if got := len(strings.Fields(namesIn(t, dir))); got != n+2 {
		t.Errorf("%d accounts, want %d", got, n+2)
	}
	// One write: the generation before it has none of them.
	writeFile(t, s.path(accountsName), readFile(t, s.path(backupName)))
	if got := namesIn(t, dir); got != "a b" {
		t.Errorf("the generation before has %q", got)
	}
}

func TestDamagedAccounts(t *testing.T) {
	for what, damage := range map[string]func([]byte) []byte{
		"cut off":     func(b []byte) []byte { return b[:len(b)-10] },
		"empty":       func([]byte) []byte { return nil },
		"other text":  func([]byte) []byte { return []byte("{}") },
		"flipped bit": func(b []byte) []byte { b[len(b)/2+60] ^= 1; return b },
	} {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			s := filled(t, dir)
			path := s.path(accountsName)
			bad := damage(readFile(t, path))
			writeFile(t, path, bad)
			backup := readFile(t, path+".bak")

			fresh := openTestStore(dir)
			_, err := fresh.Load(t.Context())
			says(t, err, ErrDamaged, path, path+".bak", path+".damaged-")
			_, err = fresh.Update(t.Context(), "00000003", named("c"))
			says(t, err, ErrDamaged)
			says(t, fresh.Remove(t.Context(), "00000001"), ErrDamaged)
			_, err = s.Get(t.Context(), "00000001") // a process that had read it before
			says(t, err, ErrDamaged)

			aside, _ := filepath.Glob(path + ".damaged-*")
			if len(aside) != 1 || !bytes.Equal(readFile(t, aside[0]), bad) {
				t.Errorf("kept aside: %q", aside)
			}
			if !bytes.Equal(readFile(t, path), bad) || !bytes.Equal(readFile(t, path+".bak"), backup) {
				t.Error("something was overwritten")
			}
			writeFile(t, path, backup) // as the message says
			if got := namesIn(t, dir); got != "a" {
				t.Errorf("the generation before has %q", got)
			}
		})
	}
}

func TestMissingAccounts(t *testing.T) {
	dir := t.TempDir()
	s := filled(t, dir)
	if err := os.Remove(s.path(accountsName)); err != nil {
		t.Fatal(err)
	}
	_, err := s.Load(t.Context())
	says(t, err, ErrDamaged, accountsName+" is gone", backupName)
	_, err = openTestStore(dir).Update(t.Context(), "00000003", named("c"))
	says(t, err, ErrDamaged, backupName)
	if _, err := os.Stat(s.path(accountsName)); err == nil {
		t.Error("it was made anew")
	}
	if err := os.Remove(s.path(keyName)); err != nil {
		t.Fatal(err)
	}
	writeFile(t, s.path(accountsName), readFile(t, s.path(backupName)))
	_, err = openTestStore(dir).Load(t.Context())
	says(t, err, ErrDamaged, keyName, "restore")
	_, err = openTestStore(dir).Update(t.Context(), "00000003", named("c"))
	says(t, err, ErrDamaged, keyName)
	if _, err := os.Stat(s.path(keyName)); err == nil {
		t.Error("a new key was made for accounts that need the old one")
	}
}

func TestNewerVersions(t *testing.T) {
	dir := t.TempDir()
	s := filled(t, dir)
	path := s.path(accountsName)
	var sealed bytes.Buffer
	w, _ := age.Encrypt(&sealed, s.key.identity.Recipient())
	io.WriteString(w, `{"version":2,"accounts":[{"id":"00000001","name":"a","tomorrow":true}]}`)
	w.Close()
	writeFile(t, path, sealed.Bytes())
	for _, store := range []*FileStore{s, openTestStore(dir)} {
		_, err := store.Load(t.Context())
		says(t, err, ErrNewer, path, "update wakey")
		_, err = store.Update(t.Context(), "00000001", named("c"))
		says(t, err, ErrNewer)
	}
	if !bytes.Equal(readFile(t, path), sealed.Bytes()) {
		t.Error("it was overwritten")
	}
	if aside, _ := filepath.Glob(path + ".damaged*"); aside != nil {
		t.Errorf("it counts as damaged: %q", aside)
	}

	key := bytes.Replace(readFile(t, s.path(keyName)), []byte(`"version": 1`), []byte(`"version": 2`), 1)
	writeFile(t, s.path(keyName), key)
	_, err := openTestStore(dir).Load(t.Context())
	says(t, err, ErrNewer, keyName)
	says(t, openTestStore(dir).Init(t.Context(), PassphraseKey), ErrNewer, keyName)
	if !bytes.Equal(readFile(t, s.path(keyName)), key) {
		t.Error("key.json was overwritten")
	}
}

// What a person did with plain age and an editor is read back.
func TestOtherLayout(t *testing.T) {
	dir := t.TempDir()
	s := filled(t, dir)
	want, err := s.Update(t.Context(), "00000003", fullRecord)
	if err != nil {
		t.Fatal(err)
	}
	f, _ := os.Open(s.path(accountsName))
	plain, err := decrypt(f, 0, s.key.identity)
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, plain, "", "    "); err != nil {
		t.Fatalf("the accounts are no JSON: %v", err)
	}
	var sealed bytes.Buffer
	w, _ := age.Encrypt(&sealed, s.key.identity.Recipient())
	w.Write(pretty.Bytes())
	w.Close()
	writeFile(t, s.path(accountsName), sealed.Bytes())
	fresh := openTestStore(dir)
	got, err := fresh.Get(t.Context(), "00000003")
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := fresh.Update(t.Context(), "00000001", named("b")); !errors.Is(err, ErrNameTaken) {
		t.Errorf("a taken name: %v", err)
	}
	if _, err := fresh.Update(t.Context(), "00000001", named("a2")); err != nil {
		t.Fatal(err)
	}
	if got := namesIn(t, dir); got != "a2 b work" {
		t.Errorf("names %q", got)
	}
}

func TestBookLayouts(t *testing.T) {
	canonical := func([]byte) (ID, []byte, error) { return "", nil, errors.New("slow") }
	for doc, want := range map[string]string{
		"":   "unexpected end",
		"{}": "no version",
		"{\"version\":1,\"of\":\"\",\"accounts\":[\n]}\n":                                            "",
		"{\"version\":1,\"of\":\"\",\"accounts\":[\n{\"id\":\"a1\"}\n]}\n":                           "",
		"{\"version\":1,\"of\":\"\",\"accounts\":[\n{\"id\":\"a1\"},\n{\"id\":\"a2\"}\n]}\n":         "",
		"{\"version\":1,\"of\":\"\",\"accounts\":[\n{\"id\":\"a1\"}\n]}":                             "slow",
		"{\"version\":1,\"of\":\"\",\"accounts\":[\n{\"id\":\"a1\"},\n{\"id\":\"a1\"}\n]}\n":         "slow",
		"{\"version\":1,\"of\":\"\",\"accounts\":[\n{\"id\":\"a1\"},\n]}\n":                          "invalid character",
		"{\"version\":1,\"of\":\"\",\"accounts\":[\n{\"id\":\"a1\"}\n{\"id\":\"a2\"}\n]}\n":          "invalid character",
		"{\"version\":1,\"of\":\"\",\"accounts\":[\n{\"id\":\"../a\"}\n]}\n":                         "slow",
		"{\"version\":1,\"accounts\":[{\"id\":\"a1\"}]}":                                             "slow",
		"{\"version\":7,\"of\":\"\",\"accounts\":[\n{\"id\":\"a1\",\"what\":[]}\n]}\n":               "newer wakey",
		"{\"version\":7,\"accounts\":{\"changed\":1}}":                                               "cannot unmarshal",
		"{\"version\":1,\"of\":\"\",\"accounts\":[\n{\"id\":\"a1\"}\n]}\n{\"version\":1}":            "invalid character",
		"{\"version\":0,\"of\":\"\",\"accounts\":[\n{\"id\":\"a1\"}\n]}\n":                           "no version",
		"{\"version\":1,\"of\":\"x\",\"accounts\":[\n{\"name\":\"n\",\"id\":\"a1\"}\n]}\n":           "slow",
		"{\"version\":1,\"of\":\"\",\"accounts\":[\n{\"id\":\"a1\"},\n\n{\"id\":\"a2\"}\n]}\n":       "slow",
		"{\"version\":1,\"of\":\"\",\"accounts\":[{\"id\":\"a0\"},\n{\"id\":\"a1\"}\n]}\n":           "slow",
		"{\"version\":1,\"of\":\"\",\"accounts\":[\n{\"id\":\"a1\",\"name\":\"\x00\"}\n]}\n{}]}\n":   "invalid character",
		"{\"version\":1,\"of\":\"\",\"accounts\":[\n{\"id\":\"a1\\\"\"}\n]}\n":                       "slow",
		"{\"version\":1,\"of\":\"\",\"accounts\":[\n{\"id\":\"a1\"},\n{\"id\":\"a2\",\"x\":1}\n]}\n": "",
	} {
		b, err := parseBook([]byte(doc), canonical)
		if want == "" {
			var again bytes.Buffer
			if err != nil || b.write(&again) != nil || again.String() != doc {
				t.Errorf("%q: %v, written again as %q", doc, err, again.String())
			}
		} else if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", doc, err, want)
		}
	}
}

func TestIndex(t *testing.T) {
	dir := t.TempDir()
	s := openTestStore(dir)
	if all, err := ReadIndex(dir); err != nil || len(all) != 0 {
		t.Errorf("no index: %v, %v", all, err)
	}
	now := time.Now()
	set := func(id ID, fn func(*Record)) Record {
		t.Helper()
		r, err := s.Update(t.Context(), id, func(r *Record) error { r.Name = "n" + string(id); fn(r); return nil })
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	full := set("00000004", func(r *Record) { _ = fullRecord(r); r.Name = "z" })
	set("00000003", func(r *Record) { r.Access = &Access{ExpiresAt: now.Add(time.Hour)} })
	set("00000002", func(r *Record) {
		r.RefreshToken, r.Access = api.NewSecret("x"), &Access{ExpiresAt: now.Add(-time.Second)}
	})
	set("00000001", func(*Record) {})
	check := func(want ...State) {
		t.Helper()
		all, err := ReadIndex(dir)
		var got []State
		for _, a := range all {
			got = append(got, a.State)
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("states %q, %v, want %q", got, err, want)
		}
	}
	check(SignInNeeded, Expired, Active, RevokedElsewhere)
	all, _ := ReadIndex(dir)
	want := accountOf(&full)
	want.TokenSuffix, want.Trust, want.PlainHTTP, want.OwnSessions, want.Leaks = "", api.Trust{}, false, nil, nil
	if got := all[len(all)-1]; !reflect.DeepEqual(got, want) {
		t.Errorf("index\n%+v\nrecord\n%+v", got, want)
	}

	// Another process, with nothing in memory, changes one line.
	s = openTestStore(dir)
	set("00000002", func(r *Record) { r.Access.ExpiresAt = now.Add(time.Hour) })
	check(SignInNeeded, Active, Active, RevokedElsewhere)
	if err := s.Remove(t.Context(), "00000001"); err != nil {
		t.Fatal(err)
	}
	check(Active, Active, RevokedElsewhere)

	// One that missed a change of another account is not gone on with.
	missed := readFile(t, filepath.Join(dir, indexName))
	set("00000003", func(r *Record) { r.Access = nil })
	writeFile(t, filepath.Join(dir, indexName), missed)
	set("00000002", func(*Record) {})
	check(Active, SignInNeeded, RevokedElsewhere)
	set("00000003", func(r *Record) { r.Access = &Access{ExpiresAt: now.Add(time.Hour)} })

	// It is a cache: made again when it is gone, wrong or damaged.
	path := filepath.Join(dir, indexName)
	right := readFile(t, path)
	for what, data := range map[string][]byte{
		"damaged":                  []byte("{"),
		"empty":                    {},
		"of another generation":    bytes.Replace(right, []byte(`"of":"`), []byte(`"of":"0`), 1),
		"of other accounts":        []byte(fmt.Sprintf(`{"version":1,"of":%q,"accounts":[]}`, s.snap.stamp)),
		"laid out in one long row": bytes.ReplaceAll(right, []byte("\n"), nil),
	} {
		writeFile(t, path, data)
		if what == "damaged" || what == "empty" {
			_, err := ReadIndex(dir)
			says(t, err, ErrDamaged, path)
		}
		s = openTestStore(dir)
		set("00000002", func(*Record) {})
		check(Active, Active, RevokedElsewhere)
	}
	if _, err := os.Stat(path + ".damaged"); err != nil {
		t.Errorf("a damaged index was not kept aside: %v", err)
	}

	// One of a newer wakey stays, and a change goes through all the same.
	newer := []byte(`{"version":2,"accounts":[{"id":"x"}]}`)
	writeFile(t, path, newer)
	_, err := ReadIndex(dir)
	says(t, err, ErrNewer, path)
	s = openTestStore(dir)
	set("00000002", func(*Record) {})
	if !bytes.Equal(readFile(t, path), newer) {
		t.Error("a newer index was overwritten")
	}
}

func TestIndexThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, indexName, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	filled(t, dir)
	if got := namesIn(t, dir); got != "a b" {
		t.Errorf("names %q", got)
	}
}

// Whoever has most of the accounts already parses only those that others changed.
func TestChangedParsesWhatIsUnlike(t *testing.T) {
	dir := t.TempDir()
	s := filled(t, dir)
	have := map[ID]uint64{}
	look := func(want ...ID) {
		t.Helper()
		changed, same, err := s.changed(t.Context(), have)
		if err != nil {
			t.Fatal(err)
		}
		var got []ID
		for _, r := range changed {
			got = append(got, r.ID)
			have[r.ID] = r.mark
		}
		if !slices.Equal(got, want) || len(got)+len(same) != len(have) {
			t.Errorf("parsed %q, left %q, want %q parsed of %d", got, same, want, len(have))
		}
	}
	look("00000001", "00000002")
	look()
	if _, err := openTestStore(dir).Update(t.Context(), "00000002", named("other")); err != nil {
		t.Fatal(err)
	}
	look("00000002")
	r, err := s.Update(t.Context(), "00000001", named("mine"))
	if err != nil {
		t.Fatal(err)
	}
	have[r.ID] = r.mark // what one wrote oneself is known as it stands
	look()
	if r, err = s.Get(t.Context(), "00000001"); err != nil || r.mark != have[r.ID] {
		t.Errorf("read back with another mark: %v", err)
	}
}
