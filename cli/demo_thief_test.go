package cli

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"wakey/api"
	"wakey/internal/authd"
	"wakey/session"
	"wakey/ui"
)

// The demo's thief gets in, is noticed, and is out after the response: by its own account.
func TestDemoThief(t *testing.T) {
	server, err := authd.New(authd.Config{TokenLifetime: demoLifetime}, authd.DemoSeed())
	if err != nil {
		t.Fatal(err)
	}
	stack, err := authd.Start(t.Context(), server, "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	defer stack.Close()
	d := &demo{a: &app{}, stack: stack, thief: true, aside: make(chan ui.Aside, 1), speed: 50}
	ctx, over := context.WithCancel(t.Context())
	defer d.under.Wait()
	defer over()
	m, err := d.accounts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	running := make(chan error, 1)
	go func() { running <- m.Run(ctx) }()

	var mu sync.Mutex
	var title string
	d.under.Go(func() {
		for {
			select {
			case a := <-d.aside:
				mu.Lock()
				title = a.Title
				mu.Unlock()
			case <-ctx.Done():
				return
			}
		}
	})
	until := func(what string, ok func() bool) {
		t.Helper()
		look := time.NewTicker(5 * time.Millisecond)
		defer look.Stop()
		for late := time.Now().Add(time.Minute); !ok(); <-look.C {
			if time.Now().After(late) {
				t.Fatalf("never: %s", what)
			}
		}
	}
	says := func(text string) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return strings.Contains(title, text)
		}
	}
	until("an alarm", func() bool { a, _ := m.Account("demo"); return a.OpenFindings > 0 && a.Noticed.Level == session.Alarm })
	until("a thief that is in", says("wakey HAS NOTICED"))

	a, err := m.Account("demo")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := m.PlanResponse(ctx, a.ID, session.ResponseOptions{ChangePassword: true})
	if err != nil {
		t.Fatal(err)
	}
	if plan.PasswordKnown == "" || len(plan.Revoke) == 0 || len(plan.Keep) != 2 {
		t.Errorf("plan %+v", plan)
	}
	in, err := m.Respond(ctx, plan, session.ResponseHooks{
		Password:    func(context.Context, string) (api.Secret, error) { return api.NewSecret("alice-demo"), nil },
		NewPassword: func(context.Context) (api.Secret, error) { return api.NewSecret("another"), nil },
		Confirm:     func(context.Context, session.Appeared) (bool, error) { return true, nil },
	})
	if err != nil || !in.Clean() {
		t.Fatalf("%+v, %v", in, err)
	}
	until("a thief that is out", says("is out"))
	if got := server.RefreshTokens(a.UserUUID); len(got) != 2 { // ours and the phone's
		t.Errorf("refresh tokens %v", got)
	}
	over()
	if err := <-running; err != nil {
		t.Error(err)
	}
}
