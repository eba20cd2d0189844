package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"wakey/api"
	"wakey/internal/authd"
)

// What another process writes shows within a second, and says so.
func TestOthersShowWithinASecond(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		dir := t.TempDir()
		if err := openTestStore(dir).Init(t.Context(), PassphraseKey); err != nil {
			t.Fatal(err)
		}
		watching, other := s.manager(openTestStore(dir)), s.manager(openTestStore(dir))
		run(t, watching)
		synctest.Wait()

		a := signIn(t, other, "alice", time.Hour)
		time.Sleep(time.Second)
		account(t, watching, a.ID)
		if _, err := other.Store().Update(t.Context(), a.ID, named("work")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if got := account(t, watching, a.ID).Name; got != "work" {
			t.Errorf("a second later the account is still called %q", got)
		}
		if _, err := other.Refresh(t.Context(), a.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if got, want := account(t, watching, a.ID).SessionUUID, account(t, other, a.ID).SessionUUID; got != want {
			t.Errorf("a second later the session is %s, refreshed elsewhere to %s", got, want)
		}
		if err := other.Forget(t.Context(), a.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if all := watching.Accounts(); len(all) != 0 {
			t.Errorf("a second later there is still %s", all[0].Name)
		}

		var said []string
		for _, e := range watching.Events() {
			said = append(said, e.Name+": "+e.Text)
		}
		want := []string{
			a.Name + ": added by another process",
			fmt.Sprintf("work: renamed from %q by another process", a.Name),
			"work: removed by another process",
		}
		if !slices.Equal(said, want) {
			t.Errorf("events %q, want %q", said, want)
		}
	})
}

// A store that appears, and whose key a person has to give, asks for it now and then only.
func TestKeyIsAskedForRarely(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStack(t, authd.Config{})
		dir := t.TempDir()
		var asked atomic.Int64
		m := s.manager(OpenFileStore(dir, StoreOptions{
			Passphrase: func(context.Context, PassphraseRequest) (api.Secret, error) {
				asked.Add(1)
				return api.Secret{}, errors.New("nobody is there")
			},
		}))
		run(t, m)
		synctest.Wait()
		other := openTestStore(dir)
		if err := other.Init(t.Context(), PassphraseKey); err != nil {
			t.Fatal(err)
		}
		signIn(t, s.manager(other), "alice", time.Hour)
		time.Sleep(2 * time.Minute)
		if n := asked.Load(); n < 2 || n > 5 {
			t.Errorf("asked %d times in two minutes", n)
		}
		if n := len(m.Events()); n != 1 {
			t.Errorf("%d events, want one that says so", n)
		}
	})
}
