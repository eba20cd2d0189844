package cli

import (
	"log/slog"
	"net"
	"os"
)

// notify tells the service manager that started this process how it stands: READY=1, STOPPING=1.
// It is systemd's protocol: a datagram to the socket that NOTIFY_SOCKET names, a path or, with @,
// an abstract name. Without it nobody wants to know.
func notify(log *slog.Logger, state string) {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err == nil {
		_, err = conn.Write([]byte(state))
		_ = conn.Close()
	}
	if err != nil {
		log.Warn("the service manager can't be told", "state", state, "error", err)
	}
}
