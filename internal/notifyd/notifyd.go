//go:build unix && !darwin

package notifyd

import (
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// Notification is what the service was asked to show.
type Notification struct {
	App, Icon, Heading, Text string
	Urgency                  byte
	Expire                   int32
}

// Desktop is a session bus, and what came to it.
type Desktop struct {
	Address string // for DBUS_SESSION_BUS_ADDRESS
	conn    *dbus.Conn

	mu    sync.Mutex
	shown []Notification
	came  chan struct{}
}

const (
	service = "org.freedesktop.Notifications"
	object  = "/org/freedesktop/Notifications"
	wait    = time.Minute
)

// Start starts a bus that ends with the test; can are the capabilities of its service. It skips the
// test where there is no dbus-daemon.
func Start(tb testing.TB, can ...string) *Desktop {
	tb.Helper()
	d := StartBus(tb)
	if err := d.conn.ExportMethodTable(map[string]any{
		"GetCapabilities": func() ([]string, *dbus.Error) { return can, nil },
		"Notify":          d.notify,
	}, object, service); err != nil {
		tb.Fatal(err)
	}
	if r, err := d.conn.RequestName(service, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		tb.Fatalf("%v, %v", r, err)
	}
	return d
}

// StartBus starts a bus without a service.
func StartBus(tb testing.TB) *Desktop {
	tb.Helper()
	d := &Desktop{came: make(chan struct{}, 1)}
	d.Address, _ = Bus(tb, nil, false)
	var err error
	if d.conn, err = dbus.Connect(d.Address); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = d.conn.Close() })
	return d
}

func (d *Desktop) notify(app string, _ uint32, icon, heading, text string, _ []string, hints map[string]dbus.Variant, expire int32) (uint32, *dbus.Error) {
	n := Notification{App: app, Icon: icon, Heading: heading, Text: text, Expire: expire}
	n.Urgency, _ = hints["urgency"].Value().(byte)
	d.mu.Lock()
	d.shown = append(d.shown, n)
	d.mu.Unlock()
	select {
	case d.came <- struct{}{}:
	default:
	}
	return 1, nil
}

// Shown are all notifications that have come, the oldest first.
func (d *Desktop) Shown() []Notification {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Notification(nil), d.shown...)
}

// Wait waits for the n-th notification and gives it.
func (d *Desktop) Wait(tb testing.TB, n int) Notification {
	tb.Helper()
	over := time.After(wait)
	for {
		all := d.Shown()
		if len(all) >= n {
			return all[n-1]
		}
		select {
		case <-d.came:
		case <-over:
			tb.Fatalf("notification %d never came: %+v", n, all)
		}
	}
}
