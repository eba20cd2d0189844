//go:build linux

package ui

import (
	"slices"
	"strings"
	"testing"

	"wakey/internal/notifyd"
	"wakey/session"
)

const focusIn = "\x1b[I"

func TestDesktopAndBellCallAPersonOnce(t *testing.T) {
	d := notifyd.Start(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", d.Address)
	s := troubled(t)
	tm := startProgram(t, Options{Open: s.open, Notify: true, Bell: true}, 120, 30)
	tm.until("demo", "active")
	if bells, title, _ := tm.heard.get(); bells > 0 || !strings.HasPrefix(title, "wakey: demo expires in ") || len(d.Shown()) > 0 {
		t.Errorf("%d bells, title %q, %+v", bells, title, d.Shown())
	}
	tm.typed("r")
	tm.until("revoked elsewhere")
	n := d.Wait(t, 1)
	if n.Heading != "demo: revoked elsewhere" || !strings.Contains(n.Text, "sign in again") || n.Urgency != 2 {
		t.Errorf("%+v", n)
	}
	tm.untilTrue("a bell", func() bool { bells, _, _ := tm.heard.get(); return bells == 1 })
	tm.untilTrue("a title", func() bool { _, title, _ := tm.heard.get(); return title == "wakey ‼ demo: revoked elsewhere" })

	// A second refusal is the same thing, and another program that is opened says nothing at all.
	for range 2 {
		tm.until("was not refreshed")
		tm.typed(keyEsc)
		tm.gone("was not refreshed")
		tm.typed("r")
	}
	tm.until("was not refreshed")
	again := startProgram(t, Options{Open: s.open, Notify: true, Bell: true}, 120, 30)
	again.until("revoked elsewhere")
	again.typed("6")
	again.until("alarm")
	if bells, _, _ := tm.heard.get(); bells != 1 || len(d.Shown()) != 1 {
		t.Errorf("%d bells, %+v", bells, d.Shown())
	}
	if bells, _, _ := again.heard.get(); bells != 0 {
		t.Errorf("%d bells in the second program", bells)
	}
}

// Whoever looks at the screen sees it there; nothing else may tell it later.
func TestNoNotificationForWhoLooks(t *testing.T) {
	d := notifyd.Start(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", d.Address)
	s := troubled(t)
	tm := startProgram(t, Options{Open: s.open, Notify: true, Bell: true}, 120, 30)
	tm.until("demo", "active")
	tm.typed(focusIn, "r")
	tm.until("revoked elsewhere")
	tm.untilTrue("a bell", func() bool { bells, _, _ := tm.heard.get(); return bells == 1 })
	tm.untilTrue("it counts as told", func() bool {
		return s.mgr.Tell(func(alerts []session.Alert) error { t.Errorf("untold: %+v", alerts); return nil }) == nil
	})
	if all := d.Shown(); len(all) > 0 {
		t.Errorf("%+v", all)
	}
}

// Over ssh the desktop is at the other end: the terminal is asked. So it is where no desktop is.
func TestTheTerminalNotifies(t *testing.T) {
	for name, where := range map[string]environment{"over ssh": {remote: true}, "no desktop": {}} {
		t.Run(name, func(t *testing.T) {
			d := notifyd.Start(t)
			t.Setenv("DBUS_SESSION_BUS_ADDRESS", d.Address)
			if !where.remote {
				t.Setenv("DBUS_SESSION_BUS_ADDRESS", "disabled:")
			}
			s := troubled(t)
			tm := startProgramIn(t, Options{Open: s.open, Notify: true}, where, 120, 30)
			tm.until("demo", "active")
			tm.typed("r")
			tm.untilTrue("a notification", func() bool { _, _, notes := tm.heard.get(); return len(notes) == 1 })
			bells, _, notes := tm.heard.get()
			if !strings.HasPrefix(notes[0], "wakey: demo: revoked elsewhere. ") || bells > 0 || len(d.Shown()) > 0 {
				t.Errorf("%q, %d bells, %+v", notes, bells, d.Shown())
			}
		})
	}
}

func TestNobodyIsCalledWhoDoesNotWantIt(t *testing.T) {
	d := notifyd.Start(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", d.Address)
	s := troubled(t)
	tm := startProgram(t, Options{Open: s.open}, 120, 30)
	tm.until("demo", "active")
	tm.typed("r")
	tm.until("was not refreshed")
	tm.typed(keyEsc)
	tm.gone("was not refreshed")
	tm.typed("6")
	tm.until("alarm")
	if bells, _, notes := tm.heard.get(); bells > 0 || len(notes) > 0 || len(d.Shown()) > 0 {
		t.Errorf("%d bells, %q, %+v", bells, notes, d.Shown())
	}
	told := false
	if err := s.mgr.Tell(func([]session.Alert) error { told = true; return nil }); err != nil || !told {
		t.Errorf("it counts as told (%v)", err)
	}
}

// A terminal that shows what programs wait for is told; any other gets nothing of the sort.
func TestProgramStatus(t *testing.T) {
	s := troubled(t)
	tm := startProgram(t, Options{Open: s.open}, 120, 30)
	tm.until("demo", "active")
	tm.typed("r")
	tm.until("revoked elsewhere")
	if out := tm.out.String(); strings.Contains(out, "7501;state") {
		t.Error("a status nobody asked for")
	}
	tm.typed("\x1b]7501;?\x1b\\")
	tm.untilTrue("a status", func() bool {
		return slices.ContainsFunc(strings.Split(tm.out.String(), "\x1b"), func(s string) bool {
			return strings.HasPrefix(s, "]7501;state=blocked") && strings.Contains(s, "kind=auth")
		})
	})
}
