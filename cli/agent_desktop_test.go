//go:build linux

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wakey/internal/notifyd"
)

// A refresh token that somebody revoked is told on the desktop, once: not by the next agent either.
func TestAgentTellsTheDesktop(t *testing.T) {
	h := newHouse(t)
	d := notifyd.Start(t)
	bus := "DBUS_SESSION_BUS_ADDRESS=" + d.Address
	a := h.agent(bus)
	a.sees("msg=ready accounts=1")
	h.server.RevokeRefreshTokens(h.account.UserUUID)
	h.expire()
	n := d.Wait(t, 1)
	if !strings.HasSuffix(n.Heading, ": revoked elsewhere") || !strings.Contains(n.Text, "sign in again") || n.Urgency != 2 {
		t.Errorf("%+v", n)
	}
	a.terminates()
	again := h.agent(bus)
	again.sees("msg=ready accounts=1")
	again.terminates()

	// Signing in again puts it right; another revocation is another matter.
	h.login("alice")
	all, err := h.store.Load(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatal(len(all), err)
	}
	h.account = all[0]
	third := h.agent(bus)
	third.sees("msg=ready accounts=1")
	h.server.RevokeRefreshTokens(h.account.UserUUID)
	h.expire()
	d.Wait(t, 2)
	third.terminates()
	if all := d.Shown(); len(all) != 2 {
		t.Errorf("%d notifications: %+v", len(all), all)
	}
}

// Without a desktop the log tells, and a desktop that is there later is told by the next agent.
func TestAgentWithoutADesktop(t *testing.T) {
	h := newHouse(t)
	h.server.RevokeRefreshTokens(h.account.UserUUID)
	h.expire()
	a := h.agent()
	a.sees("the desktop can't be told")
	a.terminates()
	d := notifyd.Start(t)
	again := h.agent("DBUS_SESSION_BUS_ADDRESS=" + d.Address)
	d.Wait(t, 1)
	again.terminates()
}

func TestAgentTellsNobodyWhoWantsToKnowNothing(t *testing.T) {
	h := newHouse(t)
	d := notifyd.Start(t)
	dir := filepath.Join(filepath.Dir(filepath.Dir(h.dir)), "config", "wakey")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte("notifications = false\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.server.RevokeRefreshTokens(h.account.UserUUID)
	h.expire()
	a := h.agent("DBUS_SESSION_BUS_ADDRESS=" + d.Address)
	a.sees("revoked elsewhere")
	a.terminates()
	if all := d.Shown(); len(all) > 0 {
		t.Errorf("%+v", all)
	}
}
