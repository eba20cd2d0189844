package session

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"wakey/api"
)

// ResponseOptions say what a response to a theft shall do.
type ResponseOptions struct {
	// Keep are client_ids to leave alone besides those that are labelled.
	Keep []string
	// All revokes labelled clients too; those of Keep are still left alone.
	All bool
	// ChangePassword ends with a new password: needed when somebody else knows the old one.
	ChangePassword bool
	// Tenant is for administrators: the refresh tokens and sessions of every user of the tenant, but for
	// those of purpose internal, which the stack's own services are.
	Tenant bool
}

// Plan is what a response is going to do. It is shown to a person first. Besides what this machine
// holds, only what it names is touched, and what ResponseHooks.Confirm got a yes for later.
type Plan struct {
	ID       string    `json:"id"` // of the incident
	MadeAt   time.Time `json:"made_at"`
	Account  ID        `json:"account"`
	Name     string    `json:"name"`
	Stack    string    `json:"stack"`
	Login    string    `json:"login"`
	UserUUID string    `json:"user"`
	Tenant   string    `json:"tenant,omitempty"` // uuid, when it is about everyone in it
	Users    []string  `json:"users"`            // uuids of all whom it is about
	// Names are what they are called, as far as the stack says: clean them before printing.
	Names map[string]string `json:"names,omitempty"`

	ChangePassword bool `json:"change_password"`

	Revoke   []PlannedToken   `json:"revoke"` // refresh tokens
	Keep     []PlannedToken   `json:"keep"`
	Stuck    []PlannedToken   `json:"stuck"`    // that can't be revoked: Why, and what helps
	Sessions []PlannedSession `json:"sessions"` // to be revoked
	Ours     []PlannedSession `json:"ours"`     // the current ones of this machine, which stay until they are rotated
	Rotate   []PlannedRotate  `json:"rotate"`   // accounts of this machine; this takes the password
	// PasswordKnown says why somebody else seems to know the password, which is to be changed then:
	// a refresh token is only made with it (contract 5). Empty: nothing says so.
	PasswordKnown string `json:"password_known,omitempty"`
	// Missing are the permissions that it would take and the user has not.
	Missing []string `json:"missing,omitempty"`
	// Lifetime is the longest life of an access token that this machine has seen, the server's
	// default of 7200 s at least: so long can one live whose session is not known.
	Lifetime time.Duration `json:"lifetime"`
}

// PlannedToken is a refresh token of the plan.
type PlannedToken struct {
	UserUUID  string    `json:"user"`
	ClientID  string    `json:"client_id"` // as the server has it: clean it before printing
	CreatedAt time.Time `json:"created_at,omitzero"`
	Mobile    bool      `json:"mobile,omitempty"`
	Label     string    `json:"label,omitempty"`
	Why       string    `json:"why"`
	Help      string    `json:"help,omitempty"` // for one that is stuck
}

// PlannedSession is a session of the plan.
type PlannedSession struct {
	UserUUID string `json:"user"`
	UUID     string `json:"uuid"`
	Mobile   bool   `json:"mobile,omitempty"`
}

// PlannedRotate is an account of this machine whose refresh token is going to be rotated.
type PlannedRotate struct {
	Account  ID     `json:"account"`
	Name     string `json:"name"`
	ClientID string `json:"client_id"` // that is to be revoked
}

// UserName is what a user of the plan is called: its uuid where the stack tells no name. Clean it before
// printing.
func (p *Plan) UserName(uuid string) string {
	switch name := p.Names[uuid]; {
	case name != "":
		return name
	case uuid == p.UserUUID:
		return p.Login
	}
	return uuid
}

// PlanResponse lists what there is and says what a response would do; it changes nothing. With
// Tenant it takes an administrator. Errors: those of Do; a *ProblemError means that the account
// can't even list: sign in again first, then plan.
func (m *Manager) PlanResponse(ctx context.Context, id ID, o ResponseOptions) (*Plan, error) {
	a, err := m.Account(string(id))
	if err != nil {
		return nil, err
	}
	p := &Plan{
		ID: newIncidentID(m.now()), MadeAt: m.now(), Account: id, Name: a.Name, Stack: a.Stack, Login: a.Login, UserUUID: a.UserUUID,
		Users: []string{a.UserUUID}, ChangePassword: o.ChangePassword, Lifetime: defaultLifetime,
	}
	if o.Tenant {
		if err := m.planTenant(ctx, p, a); err != nil {
			return nil, err
		}
	}
	there, err := p.listing(ctx, m.now, func(ctx context.Context, fn func(context.Context, *api.Client, api.Secret) error) error {
		return m.Do(ctx, id, fn)
	})
	if err != nil {
		return nil, err
	}
	own, err := m.holdings(ctx, p)
	if err != nil {
		return nil, err
	}
	labels, err := m.labels(a)
	if err != nil {
		return nil, err
	}
	p.judgeTokens(there, own, labels, o, a.Admin)
	p.judgeSessions(there, own)
	for _, h := range own {
		p.Lifetime = max(p.Lifetime, h.lifetime)
		if h.clientID != "" && h.user == p.UserUUID {
			p.Rotate = append(p.Rotate, PlannedRotate{h.account, h.name, h.clientID})
		}
	}
	findings, err := m.Findings(id)
	if err != nil {
		return nil, err
	}
	p.PasswordKnown = passwordKnown(findings)
	p.Missing, err = m.missingPermissions(ctx, p)
	return p, err
}

// rotates tells whether t is one of this machine's that is rotated.
func (p *Plan) rotates(t PlannedToken) bool {
	return t.UserUUID == p.UserUUID && slices.ContainsFunc(p.Rotate, func(o PlannedRotate) bool { return o.ClientID == t.ClientID })
}

// KeptAtRisk says, for a person, why what is left alone may be in the thief's hands all the same; empty when
// nothing says so. Signing in under a client_id that has a refresh token hands out that very one (contract 5).
func (p *Plan) KeptAtRisk() string {
	if p.PasswordKnown == "" || !slices.ContainsFunc(p.Keep, func(t PlannedToken) bool { return !p.rotates(t) }) {
		return ""
	}
	return "whoever knows the password is handed the refresh token of any client_id by signing in under it, so these may be stolen, too"
}

// passwordKnown looks for a refresh token that somebody else has made since the first look.
func passwordKnown(findings []Finding) string {
	for _, f := range findings {
		if f.Level == Alarm && !f.Gone && (f.Kind == UnknownClient || f.Kind == OwnRecreated) {
			return "somebody else has made the refresh token " + shown(f.Subject) + ", which takes the password"
		}
	}
	return ""
}

// planTenant puts everyone of the account's tenant into the plan.
func (m *Manager) planTenant(ctx context.Context, p *Plan, a Account) error {
	p.Tenant, p.Names = a.TenantUUID, map[string]string{}
	return m.Do(ctx, a.ID, func(ctx context.Context, c *api.Client, token api.Secret) error {
		for u, err := range api.All(ctx, func(ctx context.Context, o api.ListOptions) (api.Page[api.User], error) {
			return c.Users(ctx, token, o)
		}, api.ListOptions{}, 500) {
			if err != nil {
				return fmt.Errorf("everyone in the tenant takes an administrator: %w", err)
			}
			if u.Purpose == "internal" || u.TenantUUID != a.TenantUUID {
				continue
			}
			if p.Names[u.UUID] = u.Username; !slices.Contains(p.Users, u.UUID) {
				p.Users = append(p.Users, u.UUID)
			}
		}
		return nil
	})
}

// judgeTokens divides the refresh tokens.
func (p *Plan) judgeTokens(l listing, own []holding, labels map[string]string, o ResponseOptions, admin bool) {
	for _, rt := range l.tokens {
		t := PlannedToken{UserUUID: rt.UserUUID, ClientID: rt.ClientID, CreatedAt: rt.CreatedAt, Mobile: rt.Mobile}
		mine := t.UserUUID == p.UserUUID
		if mine {
			t.Label = labels[t.ClientID]
		}
		h := holder(own, t)
		switch {
		case h != nil && mine && h.clientID == t.ClientID:
			t.Why = "the account " + h.name + " of this machine; it is rotated"
			p.Keep = append(p.Keep, t)
			continue
		case mine && slices.Contains(o.Keep, t.ClientID):
			t.Why = "you keep it"
			p.Keep = append(p.Keep, t)
			continue
		case t.Label != "" && !o.All:
			t.Why = "it is known as " + t.Label
			p.Keep = append(p.Keep, t)
			continue
		case h != nil && mine:
			t.Why = "an earlier one of the account " + h.name + " of this machine"
		case h != nil:
			t.Why = "everyone in the tenant; this signs out the account " + h.name + " of this machine"
		case !mine:
			t.Why = "everyone in the tenant"
		case t.Label != "":
			t.Why = "all clients, though it is known as " + t.Label
		default:
			t.Why = "nobody knows it"
		}
		if reason, help := Stuck(t.ClientID, admin); reason != "" {
			t.Why, t.Help = reason, help
			p.Stuck = append(p.Stuck, t)
			continue
		}
		p.Revoke = append(p.Revoke, t)
	}
}

// judgeSessions divides the sessions: the current ones of this machine are ours, all others go.
func (p *Plan) judgeSessions(l listing, own []holding) {
	for _, s := range l.sessions {
		planned := PlannedSession{s.UserUUID, s.UUID, s.Mobile}
		if s.UserUUID == p.UserUUID && slices.ContainsFunc(own, func(h holding) bool { return h.session == s.UUID }) {
			p.Ours = append(p.Ours, planned)
		} else {
			p.Sessions = append(p.Sessions, planned)
		}
	}
}

func holder(own []holding, t PlannedToken) *holding {
	for i := range own {
		if own[i].user == t.UserUUID && (own[i].clientID == t.ClientID || slices.Contains(own[i].old, t.ClientID)) {
			return &own[i]
		}
	}
	return nil
}

// Stuck says why a client_id's refresh token can't be revoked, and what helps; nothing when it
// can, or may (contract 7.3).
func Stuck(clientID string, admin bool) (reason, help string) {
	reason, bad := api.Unrevokable(clientID)
	switch {
	case !bad:
		return "", ""
	case clientID == "." || clientID == "..":
		return reason, "on the stack's own host it can be revoked at http://127.0.0.1:9497, past the web server"
	case strings.ContainsAny(clientID, "/\x00"):
		return reason, "it ends when the user is deleted, and is refused while the user is disabled, or has another login than the one it was made with; a password change does not end it"
	case strings.Contains(clientID, "#") && !admin:
		return reason, "let an administrator of the stack revoke it"
	}
	return "", "" // over 192 bytes: the server fails, and deletes it all the same
}

// missingPermissions asks which of what the plan takes the user may not do (contract 2, 6).
func (m *Manager) missingPermissions(ctx context.Context, p *Plan) (missing []string, err error) {
	user := "auth.users." + p.UserUUID
	scopes := []string{"auth.users.me.tokens.read", user + ".sessions.read", "auth.users.me.tokens.x.delete", user + ".sessions.x.delete"}
	if p.ChangePassword {
		scopes = append(scopes, user+".password.update")
	}
	if p.Tenant != "" {
		scopes = append(scopes, "auth.tokens.read", "auth.sessions.read", "auth.users.x.tokens.x.delete", "auth.users.x.sessions.x.delete")
	}
	err = m.Do(ctx, p.Account, func(ctx context.Context, c *api.Client, token api.Secret) error {
		may, err := c.CheckScopes(ctx, token, scopes, "")
		for _, s := range scopes {
			if err == nil && !may[s] {
				missing = append(missing, strings.ReplaceAll(s, ".x.", ".*."))
			}
		}
		return err
	})
	if errors.Is(err, api.ErrUnsupported) {
		return nil, nil // stacks before 20.13 can't be asked
	}
	return missing, err
}

// newIncidentID names an incident by when it began.
func newIncidentID(now time.Time) string {
	u := uuid.New()
	return now.UTC().Format("20060102-150405-") + hex.EncodeToString(u[:2])
}
