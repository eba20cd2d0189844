package ui

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
	"wakey/session"
)

// copyMinValid is what a copied token lives for at least: time enough to paste it.
const copyMinValid = time.Minute

// The sessions of the account one looks at are counted every minute, and soon after a refresh,
// which opens one.
const (
	countEvery = time.Minute
	countAgain = 10 * time.Second
)

// countSessions asks how many sessions the user of the current account has. A failure says
// nothing that the account's state doesn't say.
func (f *frame) countSessions() tea.Cmd {
	a, ok := f.currentAccount()
	if !a.LookedAt.IsZero() { // the watch counts them
		return nil
	}
	if !ok || f.mgr == nil || !f.focused || a.State != session.Active || f.now.Sub(f.counted[a.ID]) < countAgain {
		return nil
	}
	if counted(a) && f.now.Sub(a.CountedAt) < countEvery {
		return nil
	}
	f.counted[a.ID] = f.now
	mgr := f.mgr
	id, cmd := start(f, "counting the sessions of "+a.Login, func(ctx context.Context) (int, error) {
		return mgr.CountSessions(ctx, a.ID)
	}, func(int, error) tea.Cmd { return nil })
	f.jobs.find(id).quiet = true
	return cmd
}

// counted tells whether the count of sessions is younger than the session in use.
func counted(a session.Account) bool {
	return a.TotalSessions >= 0 && !a.CountedAt.Before(a.ObtainedAt)
}

// refresh makes a new access token now.
func (f *frame) refresh(a session.Account) tea.Cmd {
	if cmd, ok := f.ready(); !ok {
		return cmd
	}
	mgr := f.mgr
	_, cmd := start(f, "refreshing "+a.Name, func(ctx context.Context) (time.Time, error) {
		t, err := mgr.Refresh(ctx, a.ID)
		return t.ExpiresAt, err
	}, func(until time.Time, err error) tea.Cmd {
		if err != nil {
			return f.fail(a.Name+" was not refreshed", err)
		}
		return f.say(toastGood, fmt.Sprintf("refreshed %s, good until %s", a.Name, clockTime(f.now, until)))
	})
	return cmd
}

// refreshAll refreshes every account that can be.
func (f *frame) refreshAll() tea.Cmd {
	if cmd, ok := f.ready(); !ok {
		return cmd
	}
	mgr := f.mgr
	var items []bulkItem
	for _, a := range f.accounts {
		if a.ClientID != "" && !a.State.NeedsPerson() {
			items = append(items, bulkItem{a.Name, func(ctx context.Context) error {
				_, err := mgr.Refresh(ctx, a.ID)
				return err
			}})
		}
	}
	if len(items) == 0 {
		return f.say(toastInfo, "there is nothing to refresh")
	}
	return f.bulk("refreshing "+plural(len(items), "account"), "refreshed", items)
}

// bulk runs items and tells the outcome: in a toast, or, when some failed, in a dialog from
// which they can be run again.
func (f *frame) bulk(title, verb string, items []bulkItem) tea.Cmd {
	return startBulk(f, title, items, func(done int, failed []bulkFailure) tea.Cmd {
		if len(failed) > 0 {
			f.push(newFailures(f, title, verb, done, failed))
			return nil
		}
		return f.tellBulk(verb, done, len(items)-done)
	})
}

// tellBulk says what a bulk job came to of which nothing failed: left is what it was stopped before.
func (f *frame) tellBulk(verb string, done, left int) tea.Cmd {
	if left > 0 {
		return f.say(toastWarn, fmt.Sprintf("stopped: %s %s, %s not begun or cut off", verb, number(done), number(left)))
	}
	return f.say(toastGood, fmt.Sprintf("%s %s", verb, number(done)))
}

// copyToken copies the access token alone.
func (f *frame) copyToken(a session.Account) tea.Cmd {
	return f.copyForm(a, "the token", func(t session.Access, _ session.Account) string { return t.Token.Reveal() })
}

func (f *frame) copyForm(a session.Account, what string, form func(session.Access, session.Account) string) tea.Cmd {
	if cmd, ok := f.ready(); !ok {
		return cmd
	}
	mgr := f.mgr
	return f.copySecret("getting the token of "+a.Name, what, func(ctx context.Context) (text, token api.Secret, err error) {
		t, err := mgr.Token(ctx, a.ID, copyMinValid)
		if err != nil {
			return api.Secret{}, api.Secret{}, err
		}
		return api.NewSecret(form(t, a)), t.Token, nil
	})
}

// chooseCopy asks in which form to copy.
func (f *frame) chooseCopy(a session.Account) tea.Cmd {
	form := func(name, what string, text func(session.Access, session.Account) string) choice {
		return choice{name: name, do: func() tea.Cmd { return f.copyForm(a, what, text) }}
	}
	f.push(&menu{f: f, heading: "Copy of " + a.Name, verb: "copy", choices: []choice{
		form("Access token", "the token", func(t session.Access, _ session.Account) string { return t.Token.Reveal() }),
		form("X-Auth-Token header", "the header of", func(t session.Access, _ session.Account) string {
			return "X-Auth-Token: " + t.Token.Reveal()
		}),
		form("curl command", "a curl command with", curlCommand),
		form("JSON", "JSON with", tokenJSON),
		form("Session uuid", "the session uuid of", func(t session.Access, _ session.Account) string { return t.SessionUUID }),
	}})
	return nil
}

// curlCommand is ready to run: it lists the user's own sessions, which every user may
// (contract 2), and trusts the certificate that the account trusts.
func curlCommand(t session.Access, a session.Account) string {
	parts := []string{"curl", "-sS"}
	if digest, ok := strings.CutPrefix(a.Trust.Pin, "SHA256:"); ok {
		if raw, err := base64.RawStdEncoding.DecodeString(digest); err == nil {
			parts = append(parts, "--insecure", "--pinnedpubkey", shellQuote("sha256//"+base64.StdEncoding.EncodeToString(raw)))
		}
	}
	if a.Trust.CAFile != "" {
		parts = append(parts, "--cacert", shellQuote(a.Trust.CAFile))
	}
	parts = append(parts, "-H", shellQuote("X-Auth-Token: "+t.Token.Reveal()), shellQuote(a.Stack+"/users/me/sessions"))
	return strings.Join(parts, " ")
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func tokenJSON(t session.Access, a session.Account) string {
	b, err := json.Marshal(map[string]string{
		"token": t.Token.Reveal(), "session_uuid": t.SessionUUID, "stack": a.Stack,
		"user_uuid": a.UserUUID, "expires_at": t.ExpiresAt.UTC().Format(time.RFC3339),
	})
	if err != nil {
		return ""
	}
	return string(b)
}

// signOut revokes, then forgets, after asking.
func (f *frame) signOut(a session.Account) tea.Cmd {
	if cmd, ok := f.ready(); !ok {
		return cmd
	}
	c := &confirm{f: f, heading: "Sign out " + a.Name, yes: "Sign out", no: "Stay", harm: true}
	if a.ClientID != "" {
		c.items = append(c.items, confirmItem{"refresh token", a.ClientID + ", revoked on " + hostOf(a)})
	}
	if n := len(a.OwnSessions); n > 0 {
		c.items = append(c.items, confirmItem{plural(n, "session"), "ours, revoked: access tokens end at once"})
	}
	c.items = append(c.items, confirmItem{"account " + a.Name, "forgotten on this machine"})
	c.text = []string{
		"Scripts that use this account's access token stop working. Other devices of " + a.Login +
			" stay signed in: their refresh tokens and sessions are not touched.",
	}
	mgr := f.mgr
	c.then = func(bool) tea.Cmd {
		_, cmd := start(f, "signing out "+a.Name, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, mgr.SignOut(ctx, a.ID)
		}, func(_ struct{}, err error) tea.Cmd {
			switch {
			case errors.Is(err, api.ErrNetwork), errors.Is(err, api.ErrServer), errors.Is(err, api.ErrNotWazo):
				return f.forget(a, "The stack does not answer: "+err.Error())
			case err != nil:
				return f.fail(a.Name+" is still signed in", err)
			}
			return f.say(toastGood, "signed out "+a.Name)
		})
		return cmd
	}
	f.push(c)
	return nil
}

// forget removes an account from this machine alone, after asking. why says why not more.
func (f *frame) forget(a session.Account, why string) tea.Cmd {
	if cmd, ok := f.ready(); !ok {
		return cmd
	}
	c := &confirm{f: f, heading: "Forget " + a.Name, yes: "Forget only", no: "Keep", harm: true}
	c.items = []confirmItem{{"account " + a.Name, "with its tokens, on this machine alone"}}
	if why != "" {
		c.text = append(c.text, clean(why))
	}
	stays := "Nothing is revoked."
	if a.ClientID != "" {
		stays = "Nothing is revoked. The refresh token " + a.ClientID + " stays valid on " + hostOf(a) +
			" until somebody revokes it there"
		if a.ExpiresAt.After(f.now) {
			stays += ", the access token until " + clockTime(f.now, a.ExpiresAt)
		}
		stays += "."
	}
	c.text = append(c.text, stays)
	mgr := f.mgr
	c.then = func(bool) tea.Cmd {
		_, cmd := start(f, "forgetting "+a.Name, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, mgr.Forget(ctx, a.ID)
		}, func(_ struct{}, err error) tea.Cmd {
			if err != nil {
				return f.fail(a.Name+" was not forgotten", err)
			}
			return f.say(toastGood, "forgot "+a.Name)
		})
		return cmd
	}
	f.push(c)
	return nil
}
