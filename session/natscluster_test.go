package session

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// natsCluster is NATS servers in this process that replicate among themselves over cables that can be
// cut.
type natsCluster struct {
	t     *testing.T
	nodes []*natsNode
}

// natsNode is one server. It is started again from its options, on its own ports and disk.
type natsNode struct {
	options server.Options
	server  *server.Server
	cables  []*cable // between this node and the others
}

// startCluster starts n servers and waits until they have elected somebody.
func startCluster(t *testing.T, n int) *natsCluster {
	t.Helper()
	c := &natsCluster{t: t}
	dir, err := tempDir("wakey-cluster-")
	if err != nil {
		t.Fatal(err)
	}
	routes := make([]string, n) // where each node takes the others' calls
	for i := range n {
		port := freePort(t)
		routes[i] = fmt.Sprintf("127.0.0.1:%d", port)
		c.nodes = append(c.nodes, &natsNode{options: server.Options{
			ServerName: fmt.Sprint("nats", i+1), Host: "127.0.0.1", Port: freePort(t),
			JetStream: true, StoreDir: filepath.Join(dir, strconv.Itoa(i)), LogFile: filepath.Join(t.ArtifactDir(), fmt.Sprintf("nats%d.log", i+1)),
			// Nobody is told of addresses that lead past the cables.
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: port, NoAdvertise: true, Advertise: "127.0.0.1:1", PoolSize: -1},
		}})
	}
	for i, from := range c.nodes {
		for j, to := range c.nodes {
			if i == j {
				continue
			}
			line := newCable(t, routes[j])
			from.cables, to.cables = append(from.cables, line), append(to.cables, line)
			from.options.Routes = append(from.options.Routes, server.RoutesFromStr("nats-route://"+line.address())...)
		}
	}
	var starting sync.WaitGroup
	for _, node := range c.nodes {
		starting.Go(func() { c.start(node) })
	}
	starting.Wait()
	if t.Failed() {
		t.FailNow()
	}
	t.Cleanup(func() {
		for _, node := range c.nodes {
			node.server.Shutdown()
		}
		for _, node := range c.nodes {
			node.server.WaitForShutdown()
		}
	})
	eventually(t, "a leader of the cluster", func() bool {
		for _, node := range c.nodes {
			if node.server.JetStreamIsLeader() && len(node.server.JetStreamClusterPeers()) == n {
				return true
			}
		}
		return false
	})
	return c
}

func (c *natsCluster) start(node *natsNode) {
	options := node.options
	s, err := startNATS(&options)
	if err != nil {
		c.t.Error(err)
		return
	}
	node.server = s
}

// kill ends a server without any farewell that the others could go by, but for its connections' end.
func (n *natsNode) kill() {
	for _, line := range n.cables {
		line.set(false)
	}
	n.server.Shutdown()
	n.server.WaitForShutdown()
}

// cut takes a server's cables to the others away, or puts them back.
func (n *natsNode) cut(whole bool) {
	for _, line := range n.cables {
		line.set(whole)
	}
}

// urls are the addresses of all servers.
func (c *natsCluster) urls() string {
	var all []string
	for _, node := range c.nodes {
		all = append(all, fmt.Sprintf("nats://127.0.0.1:%d", node.options.Port))
	}
	return strings.Join(all, ",")
}

// leader is the server that leads a bucket; nil while there is none.
func (c *natsCluster) leader(b Bucket) *natsNode {
	for _, node := range c.nodes {
		if node.server.JetStreamIsStreamLeader("$G", b.stream()) {
			return node
		}
	}
	return nil
}

// settle waits until every server has what the leader has.
func (c *natsCluster) settle(b Bucket) {
	c.t.Helper()
	seen := make([]string, len(c.nodes))
	defer func() {
		if c.t.Failed() {
			c.t.Log(seen)
		}
	}()
	eventually(c.t, "all replicas of the bucket", func() bool {
		all := c.leader(b) != nil
		for i, node := range c.nodes {
			routes, current := node.server.NumRoutes(), node.server.JetStreamIsStreamCurrent("$G", b.stream())
			seen[i] = fmt.Sprintf("%s: routes: %d, has it all: %v, leads: %v", node.options.ServerName, routes, current, node == c.leader(b))
			all = all && routes >= len(c.nodes)-1 && current
		}
		return all
	})
}

// eventually polls for what takes its time.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(2 * time.Minute); !happened(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited two minutes for %s", what)
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// cable carries connections to an address until it is cut.
type cable struct {
	listener net.Listener
	to       string

	mu    sync.Mutex
	whole bool
	ends  map[net.Conn]bool
}

func newCable(t *testing.T, to string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{listener: l, to: to, whole: true, ends: map[net.Conn]bool{}}
	go c.serve()
	t.Cleanup(func() {
		l.Close()
		c.set(false)
	})
	return c
}

func (c *cable) address() string { return c.listener.Addr().String() }

func (c *cable) serve() {
	for {
		in, err := c.listener.Accept()
		if err != nil {
			return
		}
		go c.carry(in)
	}
}

func (c *cable) carry(in net.Conn) {
	if !c.hold(in) {
		return
	}
	out, err := net.Dial("tcp", c.to)
	if err == nil && c.hold(out) {
		go func() {
			_, _ = io.Copy(out, in)
			c.drop(in, out)
		}()
		_, _ = io.Copy(in, out)
		c.drop(in, out)
		return
	}
	c.drop(in)
}

// hold remembers an end of a connection; a cut cable has none.
func (c *cable) hold(end net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.whole {
		end.Close()
		return false
	}
	c.ends[end] = true
	return true
}

func (c *cable) drop(ends ...net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, end := range ends {
		end.Close()
		delete(c.ends, end)
	}
}

func (c *cable) set(whole bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.whole = whole
	if whole {
		return
	}
	for end := range c.ends {
		end.Close()
		delete(c.ends, end)
	}
}
