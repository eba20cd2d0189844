package authd

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Fault is a misfortune put in the way of requests.
type Fault struct {
	Method string        // "" means every method
	Path   string        // template as in Request.Path; "" means every request
	Times  int           // how many requests it meets; 0 means all until Clear
	Status int           // answered in place of the real answer; 0 leaves it
	HTML   bool          // the answer is nginx's page, not the daemon's JSON
	After  bool          // the request takes effect first, then Status is answered
	Delay  time.Duration // waited before anything else
	Cut    bool          // the connection breaks in the middle of the answer
}

// refuses tells whether the request must not take effect.
func (f Fault) refuses() bool { return f.Status != 0 && !f.After }

func (f Fault) answer() answer {
	if f.HTML {
		return proxyPage(f.Status)
	}
	switch f.Status {
	case http.StatusInternalServerError:
		return internalError()
	case http.StatusUnauthorized:
		return authenticationFailed()
	}
	return legacy(f.Status, http.StatusText(f.Status))
}

// Faults holds the faults of a server. Its methods may be called at any time.
type Faults struct {
	mu   sync.Mutex
	list []*Fault
	down bool
	bus  bool
	as   string
	n    int
}

// Faults gives access to what can go wrong on purpose.
func (s *Server) Faults() *Faults { return &s.faults }

// Add puts a fault in the way; the first that fits a request is taken.
func (f *Faults) Add(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, &fault)
}

// SetDown makes every connection break before an answer, as when the host is gone.
// No request arrives then, so none is counted.
func (f *Faults) SetDown(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

// SetBusDown stops RabbitMQ: reads work, writes answer 500 and mostly take effect
// all the same (contract 5).
func (f *Faults) SetBusDown(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bus = down
}

// RefreshAs makes the next n refreshes answer with a token of another user, as
// happens when somebody takes the login that a refresh token remembers (contract 5).
func (f *Faults) RefreshAs(userUUID string, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.as, f.n = userUUID, n
}

// Clear ends all faults.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list, f.down, f.bus, f.as, f.n = nil, false, false, "", 0
}

// take uses up the first fault that fits.
func (f *Faults) take(method, path string) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, fault := range f.list {
		if !matchesPath(fault.Path, path) || fault.Method != "" && fault.Method != method {
			continue
		}
		if fault.Times > 0 {
			if fault.Times--; fault.Times == 0 {
				f.list = append(f.list[:i:i], f.list[i+1:]...)
			}
		}
		return *fault
	}
	return Fault{}
}

func (f *Faults) isDown() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.down
}

func (f *Faults) busDown() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.bus
}

func (f *Faults) refreshAs() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n == 0 {
		return ""
	}
	f.n--
	return f.as
}

// wait is a delay that ends early when the client gives up.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
