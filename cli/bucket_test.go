package cli

import (
	"fmt"
	"net"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rogpeppe/go-internal/testscript"
)

// natsCommand starts and stops a NATS server with JetStream, always the same one: "nats start" leaves its
// address in $NATS.
func natsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 || neg {
		ts.Fatalf("usage: nats start|stop")
	}
	switch args[0] {
	case "start":
		options := &server.Options{ServerName: "natty", Host: "127.0.0.1", JetStream: true, StoreDir: ts.MkAbs("nats"), NoLog: true, NoSigs: true}
		if _, err := fmt.Sscanf(ts.Getenv("NATS"), "nats://127.0.0.1:%d", &options.Port); err != nil {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			ts.Check(err)
			options.Port = l.Addr().(*net.TCPAddr).Port
			l.Close()
		}
		s, err := server.NewServer(options)
		ts.Check(err)
		s.Start()
		ts.Defer(s.Shutdown)
		if !s.ReadyForConnections(time.Minute) {
			ts.Fatalf("the NATS server does not get ready")
		}
		ts.Setenv("NATS", s.ClientURL())
		runningNATS[ts] = s
	case "stop":
		runningNATS[ts].Shutdown()
		runningNATS[ts].WaitForShutdown()
	default:
		ts.Fatalf("nats: no word %q", args[0])
	}
}

// runningNATS is each script's server.
var runningNATS = map[*testscript.TestScript]*server.Server{}
