package session

import (
	"strings"
	"testing"
	"time"
)

func TestSignInCutOffIsTold(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	s := openTestStore(dir)
	if _, err := s.Update(ctx, "00000001", named("kept")); err != nil {
		t.Fatal(err)
	}
	for _, id := range []ID{"00000001", "00000002", "00000003"} {
		l, err := s.Lock(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Begin(Attempt{Op: "sign-in", At: time.Now(), ClientID: "wakey-x-" + string(id), Stack: "https://pbx.example.com/api/auth/0.1", Login: "alice"}); err != nil {
			t.Fatal(err)
		}
		if id == "00000003" {
			t.Cleanup(l.Release) // under way still
			continue
		}
		l.Release() // as a process that dies does
	}
	tell := func() []Event {
		m := New(openTestStore(dir), Options{})
		m.tellOrphans(ctx)
		return m.Events()
	}
	told := tell()
	if len(told) != 1 || !strings.Contains(told[0].Text, "wakey-x-00000002") || !strings.Contains(told[0].Text, "pbx.example.com") {
		t.Errorf("told %+v", told)
	}
	if again := tell(); len(again) != 0 {
		t.Errorf("told again: %+v", again)
	}
	l, err := s.Lock(ctx, "00000001")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Release()
	if l.Interrupted == nil {
		t.Error("the note of an account that exists was taken away")
	}
}

// A refresh that was cut off, of an account that was forgotten since, is no sign-in of nobody. Whoever runs
// from then on tells.
func TestRefreshCutOffOfAForgottenAccountIsTold(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	s := openTestStore(dir)
	if _, err := s.Update(ctx, "00000001", named("kept")); err != nil {
		t.Fatal(err)
	}
	l, err := s.Lock(ctx, "00000002")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Begin(Attempt{Op: "refresh", At: time.Now(), ClientID: "wakey-x-00000002", Lifetime: time.Hour}); err != nil {
		t.Fatal(err)
	}
	l.Release()
	m := New(openTestStore(dir), Options{})
	stop := run(t, m)
	eventually(t, "what was cut off to be told", func() bool { return len(m.Events()) > 0 })
	stop()
	told := m.Events()
	if len(told) != 1 || !strings.Contains(told[0].Text, "a refresh of an account that was forgotten since, client_id wakey-x-00000002") {
		t.Errorf("told %+v", told)
	}
}
