package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"wakey/api"
)

// answers gives one after the other, and keeps what was asked.
type answers struct {
	mu    sync.Mutex
	give  []string
	asked []PassphraseRequest
}

func (a *answers) answer(_ context.Context, r PassphraseRequest) (api.Secret, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, r)
	if len(a.asked) > len(a.give) {
		return api.Secret{}, errors.New("the person went away")
	}
	return api.NewSecret(a.give[len(a.asked)-1]), nil
}

func (a *answers) open(dir string) *FileStore {
	return OpenFileStore(dir, StoreOptions{Passphrase: a.answer})
}

func TestFirstPassphrase(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "wakey")
	s := OpenFileStore(dir, StoreOptions{})
	if all, err := s.Load(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("a store that isn't there: %v, %v", all, err)
	}
	if st, err := s.Status(t.Context()); err != nil || st.Kind != NoKey {
		t.Errorf("status %+v, %v", st, err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("looking made the directory")
	}
	_, err := s.Update(t.Context(), "00000001", named("a"))
	says(t, err, ErrLocked, "no keyring", "wakey store init --passphrase", "WAKEY_PASSPHRASE_FILE")
	if _, err := os.Stat(s.path(keyName)); err == nil {
		t.Error("a key was made without its passphrase")
	}

	a := &answers{give: []string{"secret"}}
	s = a.open(dir)
	if _, err := s.Update(t.Context(), "00000001", named("a")); err != nil {
		t.Fatal(err)
	}
	if len(a.asked) != 1 || !a.asked[0].New || !strings.Contains(a.asked[0].Reason, "no keyring") {
		t.Errorf("asked %+v", a.asked)
	}
	st, err := s.Status(t.Context())
	if err != nil || st.Kind != PassphraseKey || !st.Unlocked || !strings.Contains(st.Why, "no keyring") || st.Where != s.path(wrappedName) {
		t.Errorf("status %+v, %v", st, err)
	}
	if st, err = openTestStore(dir).Status(t.Context()); err != nil || st.Unlocked {
		t.Errorf("of another process: %+v, %v", st, err)
	}
	says(t, s.Init(t.Context(), PassphraseKey), ErrHasKey, "wakey store move")
	if err := openTestStore(t.TempDir()).Init(t.Context(), PassphraseKey); err != nil {
		t.Error(err)
	}
	says(t, openTestStore(t.TempDir()).Init(t.Context(), KeyringKey), ErrNoKeyring)
}

func TestPassphrases(t *testing.T) {
	dir := t.TempDir()
	filled(t, dir)
	for _, c := range []struct {
		what  string
		give  []string
		asked int
		want  error
	}{
		{"right at once", []string{"correct horse"}, 1, nil},
		{"right at the third try", []string{"a", "b", "correct horse"}, 3, nil},
		{"wrong three times", []string{"a", "b", "c", "correct horse"}, 3, ErrWrongPassphrase},
		{"a file that doesn't change", []string{"a", "a", "a"}, 2, ErrWrongPassphrase},
		{"empty", []string{""}, 1, ErrLocked},
		{"nobody", nil, 1, ErrLocked},
	} {
		a := &answers{give: c.give}
		_, err := a.open(dir).Get(t.Context(), "00000001")
		if !errors.Is(err, c.want) || c.want != nil && !errors.Is(err, ErrLocked) {
			t.Errorf("%s: %v", c.what, err)
		}
		if len(a.asked) != c.asked {
			t.Errorf("%s: asked %d times", c.what, len(a.asked))
		}
		for i, r := range a.asked {
			if r.New || strings.Contains(r.Reason, "wrong passphrase") != (i > 0) {
				t.Errorf("%s: asked %+v", c.what, r)
			}
		}
	}
	_, err := OpenFileStore(dir, StoreOptions{}).Load(t.Context())
	says(t, err, ErrLocked, "nobody to ask", "WAKEY_PASSPHRASE_FILE")
}

func TestPassphraseIsAskedOnce(t *testing.T) {
	dir := t.TempDir()
	filled(t, dir)
	a := &answers{give: []string{"correct horse"}}
	s := a.open(dir)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := s.Load(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := s.Update(t.Context(), "00000001", named("a")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(a.asked) != 1 {
		t.Errorf("asked %d times", len(a.asked))
	}
}

func TestPassphraseCanBeCalledOff(t *testing.T) {
	dir := t.TempDir()
	filled(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	s := OpenFileStore(dir, StoreOptions{Passphrase: func(ctx context.Context, _ PassphraseRequest) (api.Secret, error) {
		cancel()
		<-ctx.Done()
		return api.Secret{}, errors.New("interrupted")
	}})
	if _, err := s.Load(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("loading: %v", err)
	}
	// A second caller doesn't wait behind the first one's prompt for ever.
	s.keySlot <- struct{}{}
	late, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.openKey(late, nil, false); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting: %v", err)
	}
}

func TestDamagedKey(t *testing.T) {
	dir := t.TempDir()
	s := filled(t, dir)
	other := filled(t, t.TempDir())
	whole := readFile(t, s.path(wrappedName))
	for what, data := range map[string][]byte{
		"cut off":         whole[:len(whole)-3],
		"empty":           nil,
		"of another home": readFile(t, other.path(wrappedName)),
	} {
		writeFile(t, s.path(wrappedName), data)
		_, err := openTestStore(dir).Load(t.Context())
		says(t, err, ErrDamaged, s.path(wrappedName), "restore")
		if errors.Is(err, ErrLocked) {
			t.Errorf("%s: says that a passphrase helps", what)
		}
	}
	if err := os.Remove(s.path(wrappedName)); err != nil {
		t.Fatal(err)
	}
	_, err := openTestStore(dir).Load(t.Context())
	says(t, err, ErrDamaged, s.path(wrappedName))
	writeFile(t, s.path(wrappedName), whole)
	for _, text := range []string{"", "{", `{"version":0}`, `{"version":1,"kind":"tpm","recipient":"x"}`} {
		writeFile(t, s.path(keyName), []byte(text))
		if _, err := openTestStore(dir).Load(t.Context()); err == nil || !strings.Contains(err.Error(), s.path(keyName)) {
			t.Errorf("key.json %q: %v", text, err)
		}
	}
}

func TestRekeyWithPassphrase(t *testing.T) {
	dir := t.TempDir()
	running := filled(t, dir) // another process, with the old key in its memory
	old := running.key
	a := &answers{give: []string{"correct horse", "new one"}}
	s := a.open(dir)
	if err := s.Rekey(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(a.asked) != 2 || a.asked[0].New || !a.asked[1].New {
		t.Errorf("asked %+v", a.asked)
	}
	if got, err := s.Load(t.Context()); err != nil || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	for _, name := range []string{accountsName, backupName} {
		f, err := os.Open(s.path(name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decrypt(f, 0, old.identity); err == nil {
			t.Errorf("the old key still opens %s", name)
		}
		f.Close()
	}
	_, err := openTestStore(dir).Load(t.Context())
	says(t, err, ErrWrongPassphrase)

	// The other process asks again, whether it reads or writes first.
	b := &answers{give: []string{"new one"}}
	running.o.Passphrase = b.answer
	if _, err := running.Update(t.Context(), "00000003", named("c")); err != nil {
		t.Errorf("a running process writes: %v", err)
	}
	if len(b.asked) != 1 {
		t.Errorf("asked %+v", b.asked)
	}
	if got, err := s.Load(t.Context()); err != nil || len(got) != 3 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestRekeyAmongWriters(t *testing.T) {
	dir := t.TempDir()
	filled(t, dir)
	var wg sync.WaitGroup
	for w := range 4 {
		s := openTestStore(dir)
		wg.Go(func() {
			for range 20 {
				if _, err := s.Update(t.Context(), ID("0000000"+string(rune('1'+w))), func(r *Record) error {
					r.Name = string(r.ID)
					r.Lifetime++
					return nil
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 5 {
		if err := openTestStore(dir).Rekey(t.Context()); err != nil && !errors.Is(err, errKeyChanged) {
			t.Error(err)
		}
	}
	wg.Wait()
	all, err := openTestStore(dir).Load(t.Context())
	if err != nil || len(all) != 4 {
		t.Fatalf("%v, %v", all, err)
	}
	for _, r := range all {
		if r.Lifetime != 20 {
			t.Errorf("%s counted to %d", r.ID, r.Lifetime)
		}
	}
}

func TestBackupAndRestore(t *testing.T) {
	dir := t.TempDir()
	a := &answers{give: []string{"store", "backup"}}
	s := a.open(dir)
	want, err := s.Update(t.Context(), "00000001", fullRecord)
	if err != nil {
		t.Fatal(err)
	}
	var backup bytes.Buffer
	if err := s.Backup(t.Context(), &backup); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(backup.Bytes(), []byte(want.RefreshToken.Reveal())) || bytes.Contains(backup.Bytes(), []byte("alice")) {
		t.Error("the backup is not encrypted")
	}
	for range 3 { // what happens after the backup
		if _, err := s.Update(t.Context(), "00000001", func(r *Record) error { r.Login = "changed"; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Update(t.Context(), "00000002", named("new")); err != nil {
		t.Fatal(err)
	}

	s.o.Passphrase = (&answers{give: []string{"backup"}}).answer
	done, err := s.Restore(t.Context(), bytes.NewReader(backup.Bytes()))
	if err != nil || done.Accounts != 1 || len(done.Kept) != 4 {
		t.Fatalf("%+v, %v", done, err)
	}
	all, err := s.Load(t.Context())
	if err != nil || len(all) != 1 || all[0].Login != want.Login || all[0].RefreshToken.Reveal() != want.RefreshToken.Reveal() {
		t.Errorf("restored %+v, %v", all, err)
	}
	if all[0].Version != 5 { // one more than what it replaces, or running processes would not look
		t.Errorf("version %d", all[0].Version)
	}
	if index, err := ReadIndex(dir); err != nil || len(index) != 1 || index[0].Login != want.Login {
		t.Errorf("index %+v, %v", index, err)
	}
	i := slices.IndexFunc(done.Kept, func(p string) bool { return strings.HasPrefix(filepath.Base(p), accountsName+".before") })
	writeFile(t, s.path(accountsName), readFile(t, done.Kept[i]))
	if all, err := s.Load(t.Context()); err != nil || len(all) != 2 {
		t.Errorf("what was kept aside: %v, %v", all, err)
	}

	// To another machine, where there is no store.
	other := (&answers{give: []string{"wrong", "backup", "other store"}}).open(filepath.Join(t.TempDir(), "wakey"))
	if done, err = other.Restore(t.Context(), bytes.NewReader(backup.Bytes())); err != nil || done.Accounts != 1 || done.Kept != nil {
		t.Fatalf("%+v, %v", done, err)
	}
	if all, err := (&answers{give: []string{"other store"}}).open(other.dir).Load(t.Context()); err != nil || len(all) != 1 || all[0].Version != 1 {
		t.Errorf("restored elsewhere %+v, %v", all, err)
	}
}

// backupOf is a backup of accounts with these names.
func backupOf(t *testing.T, names ...string) string {
	t.Helper()
	s := openTestStore(t.TempDir())
	for i, name := range names {
		if _, err := s.Update(t.Context(), ID(fmt.Sprintf("b%07d", i)), named(name)); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := s.Backup(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "backup.age")
	writeFile(t, path, out.Bytes())
	return path
}

func TestRestoreRefuses(t *testing.T) {
	dir := t.TempDir()
	s := filled(t, dir)
	before := readFile(t, s.path(accountsName))
	var newer, listed bytes.Buffer
	for out, text := range map[*bytes.Buffer]string{&newer: `{"version":2}`, &listed: `{"version":1,"accounts":[{"id":"/"}]}`} {
		if err := wrapWith(out, api.NewSecret("correct horse"), writing(text)); err != nil {
			t.Fatal(err)
		}
	}
	good := readFile(t, backupOf(t, "x"))
	for what, c := range map[string]struct {
		data []byte
		want error
	}{
		"empty":           {nil, ErrDamaged},
		"accounts.age":    {before, ErrDamaged},
		"cut off":         {good[:len(good)-1], ErrDamaged},
		"newer":           {newer.Bytes(), ErrNewer},
		"not our content": {listed.Bytes(), ErrDamaged},
	} {
		if _, err := s.Restore(t.Context(), bytes.NewReader(c.data)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	// A store that is only locked keeps its key.
	a := &answers{give: []string{"correct horse", "1", "2", "3"}}
	_, err := a.open(dir).Restore(t.Context(), bytes.NewReader(good))
	says(t, err, ErrWrongPassphrase, "move "+dir+" away")
	if !bytes.Equal(readFile(t, s.path(accountsName)), before) {
		t.Error("something was overwritten")
	}
	if left, _ := filepath.Glob(dir + "/*before-restore*"); left != nil {
		t.Errorf("kept aside for nothing: %q", left)
	}
	says(t, openTestStore(t.TempDir()).Backup(t.Context(), &newer), nil, "nothing to back up")
}
