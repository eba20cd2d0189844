package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"wakey/api"
)

// StepName names a step of a response.
type StepName string

// The steps, in their order. Revoking a refresh token leaves its access tokens alive, and revoking sessions leaves
// the refresh token alive (contract 9), so both, in this order; what the thief made in between falls to sweep.
const (
	StepSnapshot StepName = "snapshot" // write down what there is
	StepTokens   StepName = "tokens"   // revoke the suspect refresh tokens
	StepSessions StepName = "sessions" // revoke every session but ours
	StepRotate   StepName = "rotate"   // rotate our own refresh tokens
	StepPassword StepName = "password" // change the password
	StepSweep    StepName = "sweep"    // list again until nothing is left
	StepProve    StepName = "prove"    // prove that it is dead
)

// StepState says how a step stands.
type StepState string

// The states of a step.
const (
	Pending StepState = "pending"
	Running StepState = "running"
	Done    StepState = "done"
	Failed  StepState = "failed" // a resumed response tries again
	Skipped StepState = "skipped"
)

// Step is one step of a response. Of is 0 where there is nothing to count.
type Step struct {
	Name  StepName  `json:"name"`
	State StepState `json:"state"`
	Text  string    `json:"text,omitempty"` // what came of it, or why not, for a person
	Done  int       `json:"done"`
	Of    int       `json:"of"`
	At    time.Time `json:"at,omitzero"` // of the last change
}

// Incident is a response under way or over, as it is kept in the store's directory: no secrets.
type Incident struct {
	Version int       `json:"version"`
	Plan    Plan      `json:"plan"` // as confirmed, and what was confirmed later
	Begun   time.Time `json:"begun"`
	Ended   time.Time `json:"ended,omitzero"` // zero: it can be resumed
	Steps   []Step    `json:"steps"`

	Before   *Evidence       `json:"before,omitempty"` // what there was when it began
	Findings []Finding       `json:"findings"`         // the watch's, then
	Revoked  []Revocation    `json:"revoked"`
	Appeared []PlannedToken  `json:"appeared"` // refresh tokens that came up after the plan
	Intruder int             `json:"intruder"` // sessions that came up after all had been revoked
	Rotated  []PlannedRotate `json:"rotated"`  // with their new client_ids
	Proofs   []Proof         `json:"proofs"`
	LastEnd  time.Time       `json:"last_end,omitzero"` // when the last refresh token was revoked
}

// Evidence is what the server listed at an instant.
type Evidence struct {
	At       time.Time        `json:"at"`
	Tokens   []PlannedToken   `json:"tokens"`
	Sessions []PlannedSession `json:"sessions"`
	// Held are the last 8 characters of the access tokens that this machine held.
	Held []string `json:"held"`
}

// Revocation is one thing that was revoked.
type Revocation struct {
	At       time.Time `json:"at"`
	UserUUID string    `json:"user"`
	ClientID string    `json:"client_id,omitempty"` // of a refresh token
	Session  string    `json:"session,omitempty"`
	Result   string    `json:"result"` // "revoked", "was gone", or why it failed
}

func whatCameOf(err error) string {
	switch {
	case err == nil:
		return "revoked"
	case errors.Is(err, api.ErrNotFound):
		return "was gone"
	}
	return err.Error()
}

// LogRevocation notes down in the log that a person has revoked something through the account, and what came of it:
// err is nil, api.ErrNotFound for what was gone, or why it failed. At and Result of v are not looked at.
func (m *Manager) LogRevocation(id ID, v Revocation, err error) {
	a, aerr := m.Account(string(id))
	if aerr != nil {
		return // forgotten meanwhile
	}
	what := "the refresh token " + shown(v.ClientID)
	if v.Session != "" {
		what = "the session " + shown(v.Session)
	}
	if v.UserUUID != a.UserUUID {
		what += " of the user " + shown(v.UserUUID)
	}
	e := Event{Account: id, Name: a.Name, Op: "revoke", Text: what + ": " + whatCameOf(err)}
	if err != nil && !errors.Is(err, api.ErrNotFound) {
		e.Level = Warn
	}
	m.tell(e, map[string]string{"user": v.UserUUID})
}

// ProofState says what became of a claim.
type ProofState string

// The states of a claim.
const (
	Proven      ProofState = "proven"
	Disproven   ProofState = "disproven" // it still works: act
	NotProvable ProofState = "not provable"
)

// Proof is one claim of the report.
type Proof struct {
	Claim string     `json:"claim"`
	State ProofState `json:"state"`
	How   string     `json:"how"`
	At    time.Time  `json:"at"`
	Until time.Time  `json:"until,omitzero"` // of what can't be proven: it is over by then
}

const incidentVersion = 1

// incidentID is what the ID of an incident looks like. It is compiled by whoever needs it: every
// start of the program would pay for it.
var incidentID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9]{8}-[0-9]{6}-[0-9a-f]{4}$`) })

// ErrNoIncident says that there is no such incident.
var ErrNoIncident = errors.New("no such incident")

func incidentFile(id string) string { return "incident-" + id + ".json" }

func newIncident(p Plan, now time.Time) *Incident {
	in := &Incident{Version: incidentVersion, Plan: p, Begun: now}
	for _, name := range []StepName{StepSnapshot, StepTokens, StepSessions, StepRotate, StepPassword, StepSweep, StepProve} {
		in.Steps = append(in.Steps, Step{Name: name, State: Pending})
	}
	return in
}

// Clean tells whether every step is done and nothing was disproven.
func (in *Incident) Clean() bool {
	for _, s := range in.Steps {
		if s.State != Done && (s.State != Skipped || s.Name != StepPassword || in.Plan.ChangePassword) {
			return false
		}
	}
	return !slices.ContainsFunc(in.Proofs, func(p Proof) bool { return p.State == Disproven })
}

func (in *Incident) step(name StepName) *Step {
	for i := range in.Steps {
		if in.Steps[i].Name == name {
			return &in.Steps[i]
		}
	}
	return &Step{}
}

// clone copies in deeply enough to be looked at while it goes on.
func (in *Incident) clone() Incident {
	c := *in
	c.Steps = slices.Clone(in.Steps)
	c.Revoked = slices.Clone(in.Revoked)
	c.Appeared = slices.Clone(in.Appeared)
	c.Rotated = slices.Clone(in.Rotated)
	c.Proofs = slices.Clone(in.Proofs)
	c.Plan.Revoke = slices.Clone(in.Plan.Revoke)
	c.Plan.Keep = slices.Clone(in.Plan.Keep)
	c.Plan.Sessions = slices.Clone(in.Plan.Sessions)
	return c
}

// Incidents returns the responses of this machine, oldest first, also beside an error about those
// that can't be read. Those whose Ended is zero were cut off and can be resumed.
func (m *Manager) Incidents() ([]Incident, error) {
	names, err := m.shelf.names("incident-", ".json")
	if err != nil {
		return nil, err
	}
	var all []Incident
	var errs []error
	for _, name := range names {
		in, err := m.readIncident(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, *in)
	}
	return all, errors.Join(errs...)
}

// CutOff returns the responses that were cut off, by account, but for those that a later one of the account
// has made up for. Errors: as Incidents.
func (m *Manager) CutOff() (map[ID]Incident, error) {
	all, err := m.Incidents()
	cut := map[ID]Incident{}
	for _, in := range all {
		if in.Ended.IsZero() {
			cut[in.Plan.Account] = in
		} else {
			delete(cut, in.Plan.Account)
		}
	}
	return cut, err
}

// Incident returns one. Errors: ErrNoIncident.
func (m *Manager) Incident(id string) (*Incident, error) {
	if !incidentID().MatchString(id) {
		return nil, fmt.Errorf("%w: %q", ErrNoIncident, shown(id))
	}
	return m.readIncident(incidentFile(id))
}

func (m *Manager) readIncident(name string) (*Incident, error) {
	b, err := m.shelf.read(name)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, fmt.Errorf("%w: %s", ErrNoIncident, name)
	}
	in := &Incident{}
	if err := json.Unmarshal(b, in); err != nil {
		return nil, fmt.Errorf("%s can't be read, look at it and move it away: %w", name, err)
	}
	if in.Version != incidentVersion || incidentFile(in.Plan.ID) != name {
		return nil, fmt.Errorf("%s is not this wakey's: its version is %d", name, in.Version)
	}
	return in, nil
}

// keepIncident writes the journal.
func (m *Manager) keepIncident(in *Incident) error {
	return m.shelf.update(incidentFile(in.Plan.ID), func([]byte) ([]byte, error) { return json.MarshalIndent(in, "", " ") })
}
