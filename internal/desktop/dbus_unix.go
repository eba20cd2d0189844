//go:build unix && !darwin

package desktop

import (
	"context"
	"errors"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/godbus/dbus/v5"
)

// The service that every desktop has (Desktop Notifications Specification 1.2).
const (
	service = "org.freedesktop.Notifications"
	object  = "/org/freedesktop/Notifications"
)

// The urgencies of a notification: a critical one stays until it is dismissed.
const (
	normal   byte = 1
	critical byte = 2
)

// bus is the address of the session bus that runs already; empty: none does. The library would
// start one with dbus-launch, and leave it behind.
func bus() string {
	if address := os.Getenv("DBUS_SESSION_BUS_ADDRESS"); address != "" {
		if strings.HasPrefix(address, "autolaunch:") {
			return ""
		}
		return address
	}
	path := filepath.Join("/run/user", strconv.Itoa(os.Getuid()), "bus")
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		path = filepath.Join(dir, "bus")
	}
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return "unix:path=" + path
}

func show(ctx context.Context, n Notification) error {
	address := bus()
	if address == "" {
		return fmt.Errorf("%w: no session bus runs", ErrNone)
	}
	conn, err := dbus.Connect(address, dbus.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("%w: the session bus can't be reached (%w)", ErrNone, err)
	}
	defer conn.Close()
	server := conn.Object(service, object)
	var can []string
	if err := server.CallWithContext(ctx, service+".GetCapabilities", 0).Store(&can); err != nil {
		return noService(err)
	}
	text := n.Text
	if slices.Contains(can, "body-markup") {
		text = html.EscapeString(text)
	}
	hints := map[string]dbus.Variant{"urgency": dbus.MakeVariant(normal), "category": dbus.MakeVariant("network")}
	if n.Urgent {
		hints["urgency"] = dbus.MakeVariant(critical)
	}
	const asTheDesktopLikes = int32(-1)
	call := server.CallWithContext(ctx, service+".Notify", 0, "wakey", uint32(0), "dialog-password", n.Heading, text, []string{}, hints, asTheDesktopLikes)
	return noService(call.Err)
}

// noService tells a desktop that has nobody to show notifications from one that failed.
func noService(err error) error {
	fault, ok := errors.AsType[dbus.Error](err)
	if ok && (strings.HasSuffix(fault.Name, ".ServiceUnknown") || strings.HasSuffix(fault.Name, ".NameHasNoOwner") || strings.Contains(fault.Name, ".Spawn.")) {
		return fmt.Errorf("%w: nothing on the session bus does (%w)", ErrNone, err)
	}
	return err
}
