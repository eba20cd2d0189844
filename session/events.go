package session

import (
	"context"
	"log/slog"
	"strings"
	"time"
)

// Event is something that happened to an account.
type Event struct {
	Time    time.Time
	Account ID
	Name    string // the account's name then
	Op      string // what it belongs to: refresh, sign-in, forget, clock, store, watch, respond, revoke, label, rotate, users, log
	Level   Level
	Text    string
}

// Level says how much an event matters.
type Level int

// The levels of an event.
const (
	Info  Level = iota
	Warn        // something failed and is being retried
	Alarm       // a person should look
)

const maxEvents = 200

// ring holds the last maxEvents events.
type ring struct {
	buf  []Event
	next int
}

func (r *ring) add(e Event) {
	if len(r.buf) < maxEvents {
		r.buf = append(r.buf, e)
		return
	}
	r.buf[r.next] = e
	r.next = (r.next + 1) % maxEvents
}

func (r *ring) all() []Event {
	return append(append(make([]Event, 0, len(r.buf)), r.buf[r.next:]...), r.buf[:r.next]...)
}

// Events returns the last 200 things that happened, oldest first.
func (m *Manager) Events() []Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.events.all()
}

// report records an event. m.mu is not held.
func (m *Manager) report(id ID, name, op string, l Level, text string) {
	m.tell(Event{Account: id, Name: name, Op: op, Level: l, Text: text}, nil)
}

// tell records an event, with more about it for the log alone. m.mu is not held.
func (m *Manager) tell(e Event, more map[string]string) {
	e.Time = m.now()
	m.show(e)
	err := m.audit.Append(Entry{Time: e.Time, Account: e.Account, Name: e.Name, Op: e.Op, Level: e.Level, Text: e.Text, Fields: more})
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil && m.auditErr == nil {
		m.events.add(Event{Time: e.Time, Op: "log", Level: Warn, Text: err.Error()})
		m.signal()
	}
	m.auditErr = err
}

// show is for what another process did and wrote down: it lets people see it here as well.
func (m *Manager) show(e Event) {
	m.mu.Lock()
	m.events.add(e)
	m.signal()
	m.mu.Unlock()
	if m.o.Log != nil {
		level := []slog.Level{slog.LevelInfo, slog.LevelWarn, slog.LevelError}[e.Level]
		m.o.Log.LogAttrs(context.Background(), level, e.Text, slog.String("account", e.Name))
	}
}

// Audit returns the log that the manager writes to, which keeps nothing without Options.Dir.
func (m *Manager) Audit() *Audit { return m.audit }

// lasting writes how long a token lives: "2h", "1h30m", "45s". Seconds don't matter above minutes.
func lasting(d time.Duration) string {
	unit := time.Second
	if d >= 10*time.Minute {
		unit = time.Minute
	}
	s := d.Round(unit).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
