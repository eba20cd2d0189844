//go:build unix && !darwin

package desktop_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wakey/internal/desktop"
	"wakey/internal/notifyd"
)

func TestNotificationIsShown(t *testing.T) {
	d := notifyd.Start(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", d.Address)
	if err := desktop.Notify(t.Context(), desktop.Notification{Heading: "prod: sign-in needed", Text: "a < b & c"}); err != nil {
		t.Fatal(err)
	}
	if err := desktop.Notify(t.Context(), desktop.Notification{Heading: "prod: unknown client", Urgent: true}); err != nil {
		t.Fatal(err)
	}
	want := []notifyd.Notification{
		{App: "wakey", Icon: "dialog-password", Heading: "prod: sign-in needed", Text: "a < b & c", Urgency: 1, Expire: -1},
		{App: "wakey", Icon: "dialog-password", Heading: "prod: unknown client", Urgency: 2, Expire: -1},
	}
	if got := d.Shown(); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// A name that a server gave must not become a link or an image.
func TestMarkupIsShownAsItIs(t *testing.T) {
	d := notifyd.Start(t, "body", "body-markup")
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", d.Address)
	if err := desktop.Notify(t.Context(), desktop.Notification{Heading: "x", Text: `<a href="http://evil.example">sign in</a>`}); err != nil {
		t.Fatal(err)
	}
	if got := d.Shown()[0].Text; strings.ContainsAny(got, `<>"`) || !strings.Contains(got, "&lt;a") {
		t.Errorf("%q", got)
	}
}

func TestNoNotificationService(t *testing.T) {
	d := notifyd.StartBus(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", d.Address)
	if err := desktop.Notify(t.Context(), desktop.Notification{Heading: "x"}); !errors.Is(err, desktop.ErrNone) {
		t.Errorf("%v", err)
	}
}

// Where no bus runs none is started, neither by us nor by the library.
func TestNoBusIsStarted(t *testing.T) {
	bin := t.TempDir()
	trace := filepath.Join(bin, "started")
	for _, name := range []string{"dbus-launch", "dbus-daemon", "dbus-run-session"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\necho $0 >> "+trace+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)
	t.Setenv("XDG_RUNTIME_DIR", bin)
	if path, err := exec.LookPath("dbus-launch"); err != nil || filepath.Dir(path) != bin {
		t.Fatalf("%s, %v", path, err)
	}
	for _, address := range []string{"", "autolaunch:", "autolaunch:scope=x", "unix:path=" + filepath.Join(bin, "nothing"), "nonsense"} {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
		if err := desktop.Notify(t.Context(), desktop.Notification{Heading: "x"}); !errors.Is(err, desktop.ErrNone) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if b, err := os.ReadFile(trace); err == nil {
		t.Errorf("started: %s", b)
	}
}

func TestNotifyEndsWithItsContext(t *testing.T) {
	d := notifyd.Start(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", d.Address)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := desktop.Notify(ctx, desktop.Notification{Heading: "x"}); err == nil {
		t.Error("shown after the end")
	}
}
